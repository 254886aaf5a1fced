//! POST /v1/plan and /v1/apply: people, grants, projects and statistics as files declare them.
//!
//! Promises that a plan changes nothing, and that an application changes all of a difference or none of it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};

use crate::http::App;
use crate::http::auth::Steward;
use crate::http::body::arrived;
use crate::http::json::{Fields, Json as Value, wrong_kind};
use crate::http::problem::Problem;
use crate::query::error::shown;
use crate::service::Service;
use crate::service::stewarding::declared::{self, DeclaredFile, Outcome};

/// Bytes of a body with files at the most, so that ten thousand people fit.
pub const FILES_BYTES_MAX: usize = 4 << 20;
/// Seconds that a body with files may take to arrive.
const FILES_SECONDS_MAX: u64 = 30;

/// A whole body with files.
pub struct Large(pub Bytes);

impl FromRequest<App> for Large {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        arrived(request, FILES_BYTES_MAX, FILES_SECONDS_MAX).await.map(Self)
    }
}

/// A file.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct FileBody {
    /// What faults are told with.
    name: String,
    /// TOML: [[person]], [[project]], [[grant]] and [[statistics]] tables.
    text: String,
}

/// What is to be planned.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct PlanBody {
    /// All files that declare anything; what they declared before and no longer do is withdrawn.
    files: Vec<FileBody>,
}

/// What is to be applied.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct ApplyBody {
    /// All files that declare anything; what they declared before and no longer do is withdrawn.
    files: Vec<FileBody>,
    reason: String,
}

/// Says what applying files would change, and changes nothing.
#[utoipa::path(
    post, path = "/v1/plan", request_body = PlanBody, security(("token" = [])),
    responses((status = 200, body = Outcome), (status = 400, body = Problem), (status = 413, body = Problem))
)]
pub async fn plan(
    State(service): State<App>,
    Steward(person): Steward,
    Large(body): Large,
) -> Result<Json<Outcome>, Problem> {
    let (files, _) = files_of(&service, &person.name, body, &["files"]).await?;
    let planned = service.steward(move |ledger, now| declared::plan(ledger, &declared::parse(&files)?, now)).await?;
    Ok(Json(planned))
}

/// Makes people, grants, projects and statistics what files declare, all or none of it; new tokens are shown once.
#[utoipa::path(
    post, path = "/v1/apply", request_body = ApplyBody, security(("token" = [])),
    responses((status = 200, body = Outcome), (status = 400, body = Problem), (status = 413, body = Problem))
)]
pub async fn apply(
    State(service): State<App>,
    Steward(person): Steward,
    Large(body): Large,
) -> Result<Json<Outcome>, Problem> {
    let (files, mut fields) = files_of(&service, &person.name, body, &["files", "reason"]).await?;
    let reason = fields.text("reason")?;
    let applied = service
        .steward(move |ledger, now| declared::apply(ledger, &declared::parse(&files)?, &reason, &person.name, now));
    Ok(Json(applied.await?))
}

/// The files of a body, and its other fields; read off the async threads, for there may be much of it.
pub async fn files_of(
    service: &App,
    who: &str,
    body: Bytes,
    accepted: &'static [&'static str],
) -> Result<(Vec<DeclaredFile>, Fields), Problem> {
    let reading = move |_: &Service| {
        let mut fields = Fields::read(&body, accepted)?;
        let files = match fields.take("files") {
            Some(Value::List(files)) => files.into_iter().map(file).collect::<Result<Vec<_>, _>>()?,
            Some(other) => return Err(wrong_kind("files", &other, "a list of objects with the fields name, text")),
            None => return Err(Problem::invalid_request("the field \"files\" is missing; it is a list")),
        };
        Ok((files, fields))
    };
    service.planning(who, reading).await?
}

fn file(value: Value) -> Result<DeclaredFile, Problem> {
    let fields = match value {
        Value::Object(fields) => fields,
        other => return Err(wrong_kind("files", &other, "a list of objects with the fields name, text")),
    };
    let (mut name, mut text) = (None, None);
    for (field, value) in fields {
        let slot = match field.as_str() {
            "name" => &mut name,
            "text" => &mut text,
            other => {
                let message = format!("a file has the unknown field \"{}\"; accepted are name, text", shown(other));
                return Err(Problem::invalid_request(message));
            }
        };
        let value = match value {
            Value::Text(value) => value,
            other => return Err(wrong_kind(&field, &other, "a string")),
        };
        if slot.replace(value).is_some() {
            return Err(Problem::invalid_request(format!("the field \"{field}\" of a file stands twice")));
        }
    }
    match (name, text) {
        (Some(name), Some(text)) => Ok(DeclaredFile { name, text }),
        (Some(_) | None, _) => Err(Problem::invalid_request("a file has the fields name and text; one is missing")),
    }
}
