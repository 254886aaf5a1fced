//! POST /v1/plan and /v1/apply: people, grants, projects and statistics as declared in files.
//!
//! Promises that a plan changes nothing, and that an application makes all changes or none.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::auth::Steward;
use crate::http::body::arrived;
use crate::http::problem::Problem;
use crate::http::{App, json};
use crate::service::Service;
use crate::service::stewarding::declared::{self, DeclaredFile, Outcome};

/// The largest size of a body with files in bytes, enough for ten thousand people.
pub const FILES_BYTES_MAX: usize = 4 << 20;
/// The longest time in which a body with files must arrive, in seconds.
const FILES_SECONDS_MAX: u64 = 30;

/// The complete body of a request with files.
pub struct Large(pub Bytes);

impl FromRequest<App> for Large {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        arrived(request, FILES_BYTES_MAX, FILES_SECONDS_MAX).await.map(Self)
    }
}

/// The files to plan.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanBody {
    /// All files with declarations. Whatever they declared before and no longer declare is withdrawn.
    files: Vec<DeclaredFile>,
}

/// The files to apply.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyBody {
    /// All files with declarations. Whatever they declared before and no longer declare is withdrawn.
    files: Vec<DeclaredFile>,
    reason: String,
}

/// Says what applying the files would change, without changing anything.
#[utoipa::path(
    post, path = "/v1/plan", request_body = PlanBody, security(("token" = [])),
    responses((status = 200, body = Outcome), (status = 400, body = Problem), (status = 413, body = Problem))
)]
pub async fn plan(
    State(service): State<App>,
    Steward(person): Steward,
    Large(body): Large,
) -> Result<Json<Outcome>, Problem> {
    let PlanBody { files } = read_aside(&service, &person.name, body).await?;
    let planned = service.steward(move |ledger, now| declared::plan(ledger, &declared::parse(&files)?, now)).await?;
    Ok(Json(planned))
}

/// Makes people, grants, projects and statistics match the files: all changes are made, or none. New tokens are shown once.
#[utoipa::path(
    post, path = "/v1/apply", request_body = ApplyBody, security(("token" = [])),
    responses((status = 200, body = Outcome), (status = 400, body = Problem), (status = 413, body = Problem))
)]
pub async fn apply(
    State(service): State<App>,
    Steward(person): Steward,
    Large(body): Large,
) -> Result<Json<Outcome>, Problem> {
    let ApplyBody { files, reason } = read_aside(&service, &person.name, body).await?;
    let applied = service
        .steward(move |ledger, now| declared::apply(ledger, &declared::parse(&files)?, &reason, &person.name, now));
    Ok(Json(applied.await?))
}

/// Reads a body away from the async threads, because it may hold many files.
pub async fn read_aside<T: DeserializeOwned + Send + 'static>(
    service: &App,
    who: &str,
    body: Bytes,
) -> Result<T, Problem> {
    service.planning(who, move |_: &Service| json::read(&body)).await?
}
