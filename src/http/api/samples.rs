//! GET /statistics/metrics: published numbers with their errors, for Prometheus and whatever reads its text format.
//!
//! Promises that everybody gets the numbers that they may read, and nothing about others; reading them never spends.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::statistics::{name_of, rendered};
use crate::http::auth::Reading;
use crate::http::cache::Rendered;
use crate::http::forms::StatisticForm;
use crate::http::problem::{Problem, ProblemKind};
use crate::http::shared::Shared;
use crate::http::{App, aside};
use crate::render::samples::together;
use crate::service::Service;
use crate::service::access::Sight;

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The largest number of bytes of samples in one response; statistics beyond it are left out.
const SAMPLES_BYTES_MAX: usize = 4 << 20;

/// Shows the published statistics that the caller may read as gauges, in the text format 0.0.4 of Prometheus; without a token, those that
/// are public.
///
/// Each output is a gauge `tacit_published_NAME` with the labels `statistic`, `output` and one for each key; the ends of its 95 % interval
/// are `tacit_published_NAME_low` and `_high`. Statistics of more than 1,000 rows are left out, and so is whatever is beyond 4 MiB;
/// `tacit_published_left_out` counts them.
#[utoipa::path(
    get, path = "/statistics/metrics", security(("token" = []), ()),
    responses((status = 200, description = "The numbers", body = String, content_type = "text/plain"), (status = 401, body = Problem))
)]
pub async fn show(
    State(service): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Reading(person): Reading,
) -> Result<Response, Problem> {
    let who = name_of(person.as_ref()).to_owned();
    let (mut parts, mut bytes, mut left_out): (Vec<Arc<Rendered>>, usize, usize) = (Vec::new(), 0, 0);
    for statistic in service.statistics() {
        if !matches!(service.sight(statistic, person.as_ref()), Sight::Shown { .. }) {
            continue;
        }
        let made = rendered(&service, &shared, person.as_ref(), &statistic.name, StatisticForm::Samples).await;
        let part = match made {
            Err(problem) if problem.kind == ProblemKind::Overloaded => return Err(problem),
            made => made.ok().map(|(part, _)| part).filter(|part| bytes + part.bytes.len() <= SAMPLES_BYTES_MAX),
        };
        bytes += part.as_ref().map_or(0, |part| part.bytes.len());
        left_out += usize::from(part.is_none());
        parts.extend(part);
    }
    let write = move |_: &Service| Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text(&parts, left_out)).into_response());
    aside::built(&service, &who, write).await?
}

fn text(parts: &[Arc<Rendered>], left_out: usize) -> String {
    let texts = parts.iter().filter_map(|part| std::str::from_utf8(&part.bytes).ok());
    let about = "# HELP tacit_published_left_out Statistics that are too long to be shown here";
    format!("{}{about}\n# TYPE tacit_published_left_out gauge\ntacit_published_left_out {left_out}\n", together(texts))
}
