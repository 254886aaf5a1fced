//! GET /v1/datasets: the public side of policies. It never contains a row count.

mod tables;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use self::tables::{DatasetColumn, Described, JoinBody, PublicBody, TableBody};
use crate::http::auth::{Anyone, Steward};
use crate::http::body::Sent;
use crate::http::params::{PageParams, Segment, page};
use crate::http::problem::Problem;
use crate::http::{App, aside};
use crate::kernel::budget::entry::AccountKind;
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::Person;
use crate::service::stewarding::accounts::{NamedAccount, account};
use crate::service::stewarding::grants;
use crate::service::{Dataset, Service};

/// The public side of a dataset.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DatasetBody {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The quantum to which answers are padded, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pad_ms: Option<u32>,
    /// The steward's public statement of how many rows there are about. It is what the policy says, and never a count.
    #[serde(skip_serializing_if = "Option::is_none")]
    about_rows: Option<u64>,
    privacy_unit: String,
    max_rows_per_unit: u32,
    max_rows: u64,
    accountant: &'static str,
    cap: CapBody,
    max_epsilon_per_query: String,
    oversubscribe: bool,
    /// Groups with a noisy count below this number are shown without their estimates.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_cell: Option<u32>,
    edition: String,
    /// The dataset whose account and cap apply, if this is one of its joined tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    lineage: Option<String>,
    /// The columns of a dataset with a single table; empty if it has several.
    columns: Vec<DatasetColumn>,
    /// Tables with one row per unit that the dataset can be joined with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    joins: Vec<JoinBody>,
    /// All tables that share the dataset's units and its cap. A single table has the dataset's name.
    tables: Vec<TableBody>,
    /// Tables that are published as they are.
    public: Vec<PublicBody>,
}

/// A dataset's lifetime cap.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CapBody {
    epsilon: String,
    delta: String,
    /// The part of δ that is set aside for groups of text columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_delta: Option<String>,
    /// The part of `threshold_delta` that one answer takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_delta_per_query: Option<String>,
}

/// Lists the datasets that the caller may see.
#[utoipa::path(
    get, path = "/v1/datasets", params(PageParams), security(("token" = [])),
    responses((status = 200, body = Vec<DatasetBody>), (status = 400, body = Problem))
)]
pub async fn list(State(service): State<App>, Anyone(person): Anyone, params: PageParams) -> Result<Response, Problem> {
    let name = person.name.clone();
    let list = move |service: &Service| {
        let seen = service.datasets_seen_by(&person).collect();
        page(seen, |dataset| dataset.name.clone(), |dataset| body(service, dataset), "/v1/datasets", &params)
    };
    aside::built(&service, &name, list).await?
}

/// Shows one dataset.
#[utoipa::path(
    get, path = "/v1/datasets/{name}", params(("name" = String, Path)), security(("token" = [])),
    responses((status = 200, body = DatasetBody), (status = 404, body = Problem))
)]
pub async fn one(
    State(service): State<App>,
    Anyone(person): Anyone,
    Segment(name): Segment,
) -> Result<Response, Problem> {
    let who = person.name.clone();
    let show = move |service: &Service| {
        let dataset = service.dataset_seen_by(&person, &name).ok_or_else(|| Problem::unknown_dataset(&name))?;
        Ok(Json(body(service, dataset)).into_response())
    };
    aside::built(&service, &who, show).await?
}

fn body(service: &Service, dataset: &Dataset) -> DatasetBody {
    let terms = &dataset.terms;
    let described = Described::of(terms, &dataset.stated);
    DatasetBody {
        name: dataset.name.clone(),
        title: dataset.title.clone(),
        pad_ms: dataset.pad_ms,
        about_rows: dataset.about_rows,
        privacy_unit: terms.unit.name().to_owned(),
        max_rows_per_unit: terms.max_rows_per_unit,
        max_rows: terms.max_rows,
        accountant: terms.accountant.name(),
        cap: CapBody {
            epsilon: cap(service, dataset),
            delta: terms.delta().to_string(),
            threshold_delta: terms.threshold.map(|aside| aside.delta.to_string()),
            threshold_delta_per_query: terms.threshold.map(|aside| aside.per_query.to_string()),
        },
        max_epsilon_per_query: terms.max_epsilon_per_query.to_string(),
        oversubscribe: terms.oversubscribe,
        min_cell: terms.min_cell,
        edition: dataset.edition.clone(),
        lineage: (dataset.lineage != dataset.name).then(|| dataset.lineage.clone()),
        columns: described.columns(None, terms.own()),
        joins: terms.joins.iter().map(|join| described.join(join)).collect(),
        tables: described.tables(&dataset.name),
        public: described.public(),
    }
}

/// The dataset's lifetime cap as ε, including any raise; it may be above the one that was sealed.
pub fn cap(service: &Service, dataset: &Dataset) -> String {
    let cap =
        read(service.ledger(), |book| book.find(&dataset.lineage, AccountKind::Dataset, "").map(|one| one.epsilon));
    cap.unwrap_or(dataset.terms.cap).to_string()
}

/// The reason why a dataset is frozen or unfrozen.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    reason: String,
}

/// Freezes a dataset: nothing is drawn from it until it is unfrozen. Stored answers are still served.
#[utoipa::path(
    post, path = "/v1/datasets/{name}/freeze", params(("name" = String, Path)), request_body = ReasonBody,
    security(("token" = [])), responses((status = 200, body = NamedAccount), (status = 404, body = Problem))
)]
pub async fn freeze(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(name): Segment,
    Sent(ReasonBody { reason }): Sent<ReasonBody>,
) -> Result<Json<NamedAccount>, Problem> {
    set_frozen(service, person, name, reason, true).await
}

/// Unfreezes a dataset once its steward has examined its incidents, and resets their count.
#[utoipa::path(
    post, path = "/v1/datasets/{name}/unfreeze", params(("name" = String, Path)), request_body = ReasonBody,
    security(("token" = [])), responses((status = 200, body = NamedAccount), (status = 404, body = Problem))
)]
pub async fn unfreeze(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(name): Segment,
    Sent(ReasonBody { reason }): Sent<ReasonBody>,
) -> Result<Json<NamedAccount>, Problem> {
    set_frozen(service, person, name, reason, false).await
}

async fn set_frozen(
    service: App,
    person: Person,
    name: String,
    reason: String,
    is_frozen: bool,
) -> Result<Json<NamedAccount>, Problem> {
    let dataset = name.clone();
    let act =
        move |ledger: &dyn Ledger, now| grants::set_frozen(ledger, &dataset, is_frozen, (&reason, &person.name), now);
    service.clone().steward(act).await?;
    let account = account(service.ledger(), &name, AccountKind::Dataset, &name, service.now_ms());
    account.map(Json).ok_or_else(|| Problem::unknown_dataset(&name))
}
