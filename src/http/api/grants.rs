//! POST /v1/grants: allocations of researchers and projects, and lifetime caps.

use axum::Json;
use axum::extract::State;

use crate::http::App;
use crate::http::auth::Steward;
use crate::http::body::Body;
use crate::http::json::{Fields, Json as Value, wrong_kind};
use crate::http::problem::Problem;
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::people::STATISTICS;
use crate::kernel::privacy::amounts::Epsilon;
use crate::service::stewarding::accounts::{NamedAccount, account};
use crate::service::stewarding::grants::{self, Grant, Holder};

/// A grant of budget.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct GrantBody {
    /// `researcher` (the default), `project`, `statistics` for what published
    /// statistics may spend, or `dataset`, which raises its lifetime cap.
    kind: Option<String>,
    /// The researcher whose allocation is set, for kind `researcher`.
    researcher: Option<String>,
    /// For kind `project`, the project whose allocation is set; for `researcher`, the project that the account belongs to.
    project: Option<String>,
    dataset: String,
    /// The new total, as a decimal string. If the allocation renews, it is the total of each period.
    epsilon: String,
    /// The number of days after which a researcher's or the statistics'
    /// allocation renews. Whatever is spent also counts against the lifetime cap.
    period_days: Option<u32>,
    reason: String,
}

/// Sets an allocation, or raises a lifetime cap. `epsilon` is the new total; a total below what is spent freezes the account.
#[utoipa::path(
    post, path = "/v1/grants", request_body = GrantBody, security(("token" = [])),
    responses((status = 200, body = NamedAccount), (status = 400, body = Problem), (status = 404, body = Problem))
)]
pub async fn grant(
    State(service): State<App>,
    Steward(person): Steward,
    Body(body): Body,
) -> Result<Json<NamedAccount>, Problem> {
    let grant = read_grant(&body, person.name)?;
    let (kind, name) = match &grant.to {
        Holder::Researcher { name, .. } => (AccountKind::Researcher, name.clone()),
        Holder::Project { name } => (AccountKind::Project, name.clone()),
        Holder::Dataset => (AccountKind::Dataset, grant.dataset.clone()),
        Holder::Statistics { .. } => (AccountKind::Statistics, STATISTICS.to_owned()),
    };
    let dataset = grant.dataset.clone();
    service.clone().steward(move |ledger, now| grants::grant(ledger, grant, now)).await?;
    let account = account(service.ledger(), &dataset, kind, &name, service.now_ms());
    account.map(Json).ok_or_else(|| Problem::not_found("the account is gone"))
}

fn read_grant(body: &[u8], by: String) -> Result<Grant, Problem> {
    let accepted = &["kind", "researcher", "project", "dataset", "epsilon", "period_days", "reason"];
    let mut fields = Fields::read(body, accepted)?;
    let kind = fields.optional_text("kind")?.unwrap_or_else(|| "researcher".to_owned());
    let to = match kind.as_str() {
        "researcher" => Holder::Researcher {
            name: fields.text("researcher")?,
            project: fields.optional_text("project")?,
            period_days: period_days(&mut fields)?,
        },
        "project" => Holder::Project { name: fields.text("project")? },
        "dataset" => Holder::Dataset,
        "statistics" => Holder::Statistics { period_days: period_days(&mut fields)? },
        other => {
            let shown = crate::query::error::shown(other);
            let message = format!("kind is \"{shown}\"; accepted are researcher, project, statistics and dataset");
            return Err(Problem::invalid_request(message));
        }
    };
    for left_over in ["researcher", "project", "period_days"] {
        if fields.take(left_over).is_some() {
            let message = format!("the field \"{left_over}\" does not apply to a grant of kind \"{kind}\"");
            return Err(Problem::invalid_request(message));
        }
    }
    let (dataset, epsilon, reason) = (fields.text("dataset")?, fields.text("epsilon")?, fields.text("reason")?);
    let epsilon = Epsilon::parse(&epsilon).map_err(|fault| Problem::invalid_epsilon(format!("epsilon: {fault}")))?;
    Ok(Grant { to, dataset, epsilon, reason, by })
}

fn period_days(fields: &mut Fields) -> Result<Option<u32>, Problem> {
    match fields.take("period_days") {
        None => Ok(None),
        Some(Value::Number(days))
            if days.fract() == 0.0 && (1.0..=f64::from(grants::PERIOD_DAYS_MAX)).contains(&days) =>
        {
            Ok(Some(days as u32))
        }
        Some(Value::Number(_)) => {
            let message = format!("period_days is not a whole number from 1 to {}", grants::PERIOD_DAYS_MAX);
            Err(Problem::invalid_request(message))
        }
        Some(other) => Err(wrong_kind("period_days", &other, "a whole number of days")),
    }
}
