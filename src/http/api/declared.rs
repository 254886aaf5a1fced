//! POST /v1/plan and /v1/apply: people, grants, projects and statistics as declared in files.
//!
//! Promises that a plan changes nothing, and that an application makes all changes or none.

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

/// A file with declarations.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct FileBody {
    /// The file's name, for messages about faults.
    name: String,
    /// TOML with [[person]], [[project]], [[grant]] and [[statistics]] tables.
    text: String,
}

/// The files to plan.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct PlanBody {
    /// All files with declarations. Whatever they declared before and no longer declare is withdrawn.
    files: Vec<FileBody>,
}

/// The files to apply.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it documents what http::json reads by hand")]
pub struct ApplyBody {
    /// All files with declarations. Whatever they declared before and no longer declare is withdrawn.
    files: Vec<FileBody>,
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
    let (files, _) = files_of(&service, &person.name, body, &["files"]).await?;
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
    let (files, mut fields) = files_of(&service, &person.name, body, &["files", "reason"]).await?;
    let reason = fields.text("reason")?;
    let applied = service
        .steward(move |ledger, now| declared::apply(ledger, &declared::parse(&files)?, &reason, &person.name, now));
    Ok(Json(applied.await?))
}

/// Reads the files of a body, and its other fields, away from the async threads because there may be many.
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
            return Err(Problem::invalid_request(format!("the field \"{field}\" of a file is given twice")));
        }
    }
    match (name, text) {
        (Some(name), Some(text)) => Ok(DeclaredFile { name, text }),
        (Some(_) | None, _) => Err(Problem::invalid_request("a file has the fields name and text; one is missing")),
    }
}
