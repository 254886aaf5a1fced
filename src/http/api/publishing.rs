//! POST /v1/check and /v1/statistics/{name}/publish: what query files would cost, and a steward's agreement to one of them.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::declared::{Large, read_aside};
use super::statistics::{StatisticBody, unknown};
use crate::http::auth::Steward;
use crate::http::body::{Body, epsilon};
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::{App, json};
use crate::service::publishing::statistics::check::StatisticCheck;
use crate::service::stewarding::declared::{DeclaredFile, FILES_MAX};

/// The files to check.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckBody {
    /// The query files, at most 1,000. The name of each is its statistic's with the ending `.sql`.
    files: Vec<DeclaredFile>,
}

/// The price to which a steward agrees.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishBody {
    /// The largest price of one draw, as ε; the present price by default.
    epsilon: Option<String>,
}

/// Says what query files would cost as statistics, and how accurate they would be. This is free: nothing is drawn or written.
#[utoipa::path(
    post, path = "/v1/check", request_body = CheckBody, security(("token" = [])),
    responses((status = 200, body = Vec<StatisticCheck>), (status = 400, body = Problem), (status = 413, body = Problem))
)]
pub async fn check(
    State(service): State<App>,
    Steward(person): Steward,
    Large(body): Large,
) -> Result<Json<Vec<StatisticCheck>>, Problem> {
    let CheckBody { files } = read_aside(&service, &person.name, body).await?;
    if files.is_empty() || files.len() > FILES_MAX {
        let detail = format!("{} files are given; accepted are 1 to {FILES_MAX}", files.len());
        return Err(Problem::invalid_request(detail));
    }
    Ok(Json(service.planning(&person.name, move |service| service.check_statistics(&files)).await?))
}

/// Agrees to the price of a statistic's draws, and draws it if it is due; from then on it follows its schedule.
///
/// Repeating the request spends nothing more.
#[utoipa::path(
    post, path = "/v1/statistics/{name}/publish", params(("name" = String, Path)), request_body = PublishBody,
    security(("token" = [])),
    responses((status = 200, body = StatisticBody), (status = 403, body = Problem), (status = 404, body = Problem))
)]
pub async fn publish(
    State(service): State<App>,
    Steward(person): Steward,
    Segment(name): Segment,
    Body(body): Body,
) -> Result<Json<StatisticBody>, Problem> {
    let body = if body.is_empty() { "{}".into() } else { body };
    let most = json::read::<PublishBody>(&body)?.epsilon.as_deref().map(epsilon).transpose()?;
    service.publish(&name, most, &person.name).await?;
    let statistic = service.statistic(&name).ok_or_else(|| unknown(&name))?;
    Ok(Json(StatisticBody::of(&service, statistic)))
}
