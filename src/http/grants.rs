//! POST /v1/grants: allocations.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::App;
use super::auth::Steward;
use super::body::Body;
use super::json::Fields;
use super::problem::Problem;
use crate::budget::ledger::read;
use crate::privacy::units::Epsilon;
use crate::service::account::AccountView;
use crate::service::steward::{self, Grant};

/// A grant.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct GrantBody {
    researcher: String,
    dataset: String,
    /// The new total, a decimal string.
    epsilon: String,
    reason: String,
}

/// What was granted.
#[derive(Serialize, utoipa::ToSchema)]
pub struct GrantedBody {
    researcher: String,
    dataset: String,
    #[serde(flatten)]
    account: AccountView,
}

/// Sets a researcher's allocation; `epsilon` is the new total. Below what is spent it freezes the account.
#[utoipa::path(
    post, path = "/v1/grants", request_body = GrantBody, security(("token" = [])),
    responses((status = 200, body = GrantedBody), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn grant(
    State(service): State<App>,
    Steward(person): Steward,
    Body(body): Body,
) -> Result<Json<GrantedBody>, Problem> {
    let mut fields = Fields::read(&body, &["researcher", "dataset", "epsilon", "reason"])?;
    let (researcher, dataset) = (fields.text("researcher")?, fields.text("dataset")?);
    let (epsilon, reason) = (fields.text("epsilon")?, fields.text("reason")?);
    let epsilon = Epsilon::parse(&epsilon).map_err(|fault| Problem::invalid_epsilon(format!("epsilon: {fault}")))?;
    let asked = Grant { researcher: researcher.clone(), dataset: dataset.clone(), epsilon, reason, by: person.name };
    service.clone().steward(move |ledger, now| steward::grant(ledger, asked, now)).await?;
    let account = read(service.ledger(), |book| {
        let accountant = book.dataset(&dataset)?.cap.accountant;
        Some(AccountView::of(accountant, &book.researcher(&dataset, &researcher)?.mark()))
    });
    let account = account.ok_or_else(|| Problem::not_found("the account is gone"))?;
    Ok(Json(GrantedBody { researcher, dataset, account }))
}
