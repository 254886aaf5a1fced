//! /v1/sealings: sealing a dataset through the server that serves it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::declared::{Large, read_aside};
use crate::engine::seal::Report;
use crate::http::App;
use crate::http::auth::Steward;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::shared::Shared;
use crate::service::publishing::sealings::{SealingRefusal, SealingStep, SealingView, Sealings};
use crate::service::stewarding::accounts::timestamp;

/// The policy to seal.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealBody {
    /// The text of the policy, in TOML. Its sources are read where the server runs: it may name the uploaded file, and what the policy file
    /// of the same dataset on the server names.
    policy: String,
    /// The id of the uploaded file that the policy names; none by default.
    upload: Option<String>,
}

/// A sealing, and what has become of it.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Sealing)]
pub struct SealingBody {
    /// Its random id.
    pub id: String,
    /// The name of the dataset.
    pub dataset: String,
    /// The name of the steward who started it.
    pub by: String,
    /// When it was started, in UTC, as RFC 3339 text.
    pub at: String,
    /// How far it is.
    pub step: SealingStep,
    /// The number of rows that were read so far.
    pub rows_read: u64,
    /// The share that is done, from 0 to 1; absent if the number of rows is not known beforehand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub fraction: Option<f64>,
    /// Why it failed; absent unless it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub fault: Option<String>,
    /// The id of the new edition; absent until it is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub edition: Option<String>,
    /// What sealing did, in exact numbers, for stewards alone; absent until the edition is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Option<Object>)]
    pub report: Option<Report>,
    /// The policy file of this dataset on the server, which does not hold while it says something else; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub policy_file: Option<String>,
}

impl From<SealingView> for SealingBody {
    fn from(view: SealingView) -> Self {
        Self {
            id: view.id,
            dataset: view.dataset,
            by: view.by,
            at: timestamp(view.at_ms),
            step: view.step,
            rows_read: view.rows_read,
            fraction: view.fraction,
            fault: Some(view.fault).filter(|fault| !fault.is_empty()),
            edition: view.edition,
            report: view.report,
            policy_file: view.file,
        }
    }
}

/// The sealings of this server, if it has a place for them.
pub fn sealings(shared: &Shared) -> Result<Arc<Sealings>, Problem> {
    shared.settings.sealings.clone().ok_or_else(|| Problem::invalid_request("this server seals nothing"))
}

/// The sealing of this id.
fn found(shared: &Shared, id: &str) -> Result<SealingView, Problem> {
    sealings(shared)?.view(id).ok_or_else(|| SealingRefusal::Unknown { id: id.to_owned() }.into())
}

/// Seals a policy's sources into a new edition, which the server takes once it is complete. Questions go on meanwhile.
///
/// The answer says that it was begun. `GET /v1/sealings/{id}` says how far it is.
#[utoipa::path(
    post, path = "/v1/sealings", request_body = SealBody, security(("token" = [])),
    responses(
        (status = 202, body = SealingBody), (status = 400, body = Problem), (status = 409, body = Problem),
        (status = 413, body = Problem)
    )
)]
pub async fn start(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Steward(person): Steward,
    Large(body): Large,
) -> Result<(StatusCode, Json<SealingBody>), Problem> {
    let SealBody { policy, upload } = read_aside(&service, &person.name, body).await?;
    let (sealings, by) = (sealings(&shared)?, person.name.clone());
    let start = move |_: &_| sealings.start(policy, upload.as_deref(), &by);
    let id = service.planning(&person.name, start).await??;
    Ok((StatusCode::ACCEPTED, Json(found(&shared, &id)?.into())))
}

/// Shows how far a sealing is, and its report once the edition is served.
#[utoipa::path(
    get, path = "/v1/sealings/{id}", params(("id" = String, Path)), security(("token" = [])),
    responses((status = 200, body = SealingBody), (status = 404, body = Problem))
)]
pub async fn one(
    Extension(shared): Extension<Arc<Shared>>,
    _: Steward,
    Segment(id): Segment,
) -> Result<Json<SealingBody>, Problem> {
    Ok(Json(found(&shared, &id)?.into()))
}

/// Cancels a sealing while its sources are read; nothing of it is left. One that has gone further goes on, as the answer says.
#[utoipa::path(
    delete, path = "/v1/sealings/{id}", params(("id" = String, Path)), security(("token" = [])),
    responses((status = 200, body = SealingBody), (status = 404, body = Problem))
)]
pub async fn cancel(
    Extension(shared): Extension<Arc<Shared>>,
    _: Steward,
    Segment(id): Segment,
) -> Result<Json<SealingBody>, Problem> {
    Ok(Json(sealings(&shared)?.cancel(&id)?.into()))
}
