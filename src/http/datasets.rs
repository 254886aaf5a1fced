//! GET /v1/datasets: the public side of policies. Never a row count.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::App;
use super::auth::Anyone;
use super::params::{PageParams, Segment, page};
use super::problem::Problem;
use crate::budget::ledger::read;
use crate::budget::people::{Person, Role};
use crate::dataset::domain::{Column, Domain};
use crate::privacy::units::unscaled;
use crate::service::Dataset;

/// A dataset's public side.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DatasetBody {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    privacy_unit: String,
    max_rows_per_unit: u32,
    max_rows: u64,
    accountant: &'static str,
    cap: CapBody,
    max_epsilon_per_query: String,
    edition: String,
    columns: Vec<ColumnBody>,
}

/// A lifetime cap.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CapBody {
    epsilon: String,
    delta: String,
}

/// A column as in its policy.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DatasetColumn)]
pub struct ColumnBody {
    name: String,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    per_unit: bool,
    nullable: bool,
}

/// Lists the datasets that the caller may see.
#[utoipa::path(
    get, path = "/v1/datasets", params(PageParams), security(("token" = [])),
    responses((status = 200, body = Vec<DatasetBody>), (status = 400, body = Problem))
)]
pub async fn list(State(service): State<App>, Anyone(person): Anyone, params: PageParams) -> Result<Response, Problem> {
    let seen = service.datasets().filter(|dataset| may_see(&service, &person, dataset)).map(DatasetBody::from);
    page(seen.collect(), |dataset| dataset.name.clone(), "/v1/datasets", &params)
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
) -> Result<Json<DatasetBody>, Problem> {
    let dataset = service.dataset(&name).filter(|dataset| may_see(&service, &person, dataset));
    dataset.map(|dataset| Json(dataset.into())).ok_or_else(|| Problem::unknown_dataset(&name))
}

/// A researcher sees the datasets of which they hold an account.
fn may_see(service: &App, person: &Person, dataset: &Dataset) -> bool {
    match person.role {
        Role::Steward | Role::Viewer => true,
        Role::Researcher => read(service.ledger(), |book| book.researcher(&dataset.name, &person.name).is_some()),
    }
}

impl From<&Dataset> for DatasetBody {
    fn from(dataset: &Dataset) -> Self {
        let terms = &dataset.terms;
        Self {
            name: dataset.name.clone(),
            title: dataset.title.clone(),
            privacy_unit: terms.unit.name().to_owned(),
            max_rows_per_unit: terms.max_rows_per_unit,
            max_rows: terms.max_rows,
            accountant: terms.accountant.name(),
            cap: CapBody { epsilon: terms.cap.to_string(), delta: terms.accountant.delta().to_string() },
            max_epsilon_per_query: terms.max_epsilon_per_query.to_string(),
            edition: dataset.edition.clone(),
            columns: terms.columns.iter().map(ColumnBody::from).collect(),
        }
    }
}

impl From<&Column> for ColumnBody {
    fn from(column: &Column) -> Self {
        let (min, max) = column.domain.bounds().unzip();
        let step = match &column.domain {
            Domain::Number(grid) => Some(unscaled(grid.step.into(), 9)),
            Domain::Category(_) | Domain::Boolean | Domain::Date { .. } => None,
        };
        let values = match &column.domain {
            Domain::Category(values) => Some(values.clone()),
            Domain::Boolean | Domain::Number(_) | Domain::Date { .. } => None,
        };
        Self {
            name: column.name.clone(),
            r#type: column.domain.type_name(),
            title: column.title.clone(),
            values,
            min,
            max,
            step,
            per_unit: column.per_unit,
            nullable: column.nullable,
        }
    }
}
