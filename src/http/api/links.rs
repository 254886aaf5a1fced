//! POST /v1/links: signed links, by which a statistic or an answer is read without a token until they end.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::http::App;
use crate::http::auth::TokenBearer;
use crate::http::body::Sent;
use crate::http::linking::{LinkWish, Thing, made};
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::service::stewarding::accounts::timestamp;

/// What a link opens, and for how long: one of `statistic` and `release`.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    /// The name of a statistic.
    statistic: Option<String>,
    /// The id of a stored answer.
    release: Option<String>,
    /// The ending of the form that the address names, like `csv`. The link opens every other form, too.
    format: Option<String>,
    /// How many days the link lives, from 1 to 90; 7 by default.
    days: Option<u32>,
}

/// A link that was made.
#[derive(Serialize, utoipa::ToSchema)]
pub struct LinkMade {
    /// The address from the server's root on.
    address: String,
    /// When it ends, in UTC: after the days that were asked for, or with its maker's token if that ends before.
    ends_at: String,
}

/// Makes an address by which everybody who has it reads a statistic or an answer until its end.
///
/// It opens what its maker may see, for as long as they may: not after their token is revoked. Nothing is stored.
#[utoipa::path(
    post, path = "/v1/links", request_body = LinkBody, security(("token" = [])),
    responses(
        (status = 201, body = LinkMade), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)
    )
)]
pub async fn make(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    TokenBearer(person, token): TokenBearer,
    Sent(LinkBody { statistic, release, format, days }): Sent<LinkBody>,
) -> Result<(StatusCode, Json<LinkMade>), Problem> {
    let wish = LinkWish { thing: Thing::of(statistic, release)?, format, days };
    let link = made(&service, &shared, (&person, token), &wish)?;
    Ok((StatusCode::CREATED, Json(LinkMade { address: link.address, ends_at: timestamp(link.end_ms) })))
}
