//! Files of stored answers: what a person may see of one, in any form.
//!
//! Promises that a file that is read in parts is rendered once for each reader and form while the cache has room, because an answer never
//! changes, and that the same answer has the same files at `/v1/releases` and at `/answers`. It does not check who may see the answer.

use std::sync::Arc;

use axum::body::Bytes;

use super::api::response;
use super::cache::Rendered;
use super::forms::{FileForm, StatisticForm};
use super::problem::Problem;
use super::shared::Shared;
use super::{App, cite};
use crate::kernel::budget::people::{Person, Role};
use crate::query::answer::tabulate;
use crate::render::chart::{self, Figure};
use crate::render::provenance::Provenance;
use crate::render::{figure, picture, vega};
use crate::service::Service;
use crate::service::asking::stored::StoredAnswer;

/// The entity tag of a stored answer in a form.
pub fn etag(release: &str, form: FileForm) -> String {
    format!("\"{release}-{}\"", form.tag())
}

/// A stored answer in a form, as this person may see it. All of its bytes are in memory.
///
/// # Errors
/// A problem if the answer has nothing to show in that form, or cannot be encoded.
pub async fn rendered(
    service: &App,
    shared: &Shared,
    person: &Person,
    release: &str,
    form: FileForm,
) -> Result<Arc<Rendered>, Problem> {
    let reader = if person.role == Role::Steward { "" } else { person.name.as_str() };
    // No statistic has a name with a slash.
    let name = format!("/answers/{release}/{reader}");
    if let Some(Some(found)) = shared.shelf.found(&name, 0, StatisticForm::File(form)) {
        return Ok(found);
    }
    let (stored, room) = service.stored_in_room(&person.name, release, form.rendering()).await?;
    let (at_ms, asker) = (stored.at_ms, person.clone());
    let make = move |service: &Service| made(service, &stored, &asker, form);
    let bytes = service.rendering_in(&room, &person.name, make).await??;
    Ok(shared.shelf.put(&name, form, (bytes, &etag(release, form), at_ms), room))
}

fn made(service: &Service, stored: &StoredAnswer, person: &Person, form: FileForm) -> Result<Bytes, Problem> {
    match form {
        FileForm::Answer(wanted) => response::stored(service, stored, person, wanted)?.joined(),
        FileForm::Citation => Ok(format!("{}\n", cite::answer(service, stored)).into()),
        FileForm::Svg => {
            let (figure, about) = drawn(service, stored, person)?;
            Ok(chart::file(&figure, &about).into_string().into())
        }
        FileForm::Png => {
            let (figure, about) = drawn(service, stored, person)?;
            picture::file(&figure, &about).map(Bytes::from).map_err(|fault| undrawn(&fault.to_string()))
        }
        FileForm::Vega => {
            let (figure, about) = drawn(service, stored, person)?;
            Ok(vega::file(&figure, &about).to_string().into())
        }
    }
}

/// The figure of an answer, and where it came from.
fn drawn(service: &Service, stored: &StoredAnswer, person: &Person) -> Result<(Figure, Provenance), Problem> {
    let table = tabulate(&stored.layout_for(response::is_seen(stored, person)), stored.vectors());
    let figure = figure::of_answer(&table).ok_or_else(|| Problem::not_found("this answer has no chart"))?;
    let about = response::provenance(service, stored, &table);
    Ok((figure, about))
}

fn undrawn(why: &str) -> Problem {
    Problem::not_found(format!("this answer has no chart as PNG: {why}")).hint("take the chart as SVG")
}
