//! Forms with a file: a steward uploads a table, to draft a policy from it and to seal it.
//!
//! Promises that a file goes to disk piece by piece, whatever its size, that nothing of it is read before the form has shown the secret of
//! its session, and that a sender who stops is cut off.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use multer::{Field, Multipart};
use tokio::sync::mpsc;

use super::session::{Form, Sender};
use super::shown::{Failed, Shown, aside, see};
use super::unread::Unread;
use crate::http::App;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::{Visitor, visitor};
use crate::kernel::budget::people::Role;
use crate::service::Service;
use crate::service::asking::pad::Departure;
use crate::service::publishing::uploads::UploadFault;

/// The longest time in which the next piece of a file must arrive, in seconds.
const PAUSE_SECONDS_MAX: u64 = 30;
/// The longest time in which a whole file must arrive, in seconds.
const UPLOAD_SECONDS_MAX: u64 = 3 * 60 * 60;
/// The largest length of a form's secret, in bytes.
const WORD_BYTES_MAX: usize = 256;
/// The number of pieces that wait to be written.
const PIECES_MAX: usize = 8;

/// POST /policy/uploads: keeps a file, and leads to the draft of a policy for it.
pub async fn upload(State(service): State<App>, request: Request) -> Shown {
    let (parts, body) = request.into_parts();
    let visitor = visitor(&parts, &service);
    visitor.only(&[Role::Steward])?;
    let arriving = received(&service, &parts, &visitor, body);
    let arrived = tokio::time::timeout(Duration::from_secs(UPLOAD_SECONDS_MAX), arriving).await;
    parts.extensions.get::<Departure>().inspect(|departure| departure.read_now());
    let id = arrived.unwrap_or_else(|_| Err(visitor.fail(problem(&UploadFault::CutOff))))?;
    Ok(see(&format!("/policy?upload={id}")))
}

/// POST /policy/uploads/{id}/remove: removes a file.
pub async fn remove(State(service): State<App>, Segment(id): Segment, form: Form) -> Shown {
    form.visitor.only(&[Role::Steward])?;
    let act = move |service: &Service, _: &Visitor| {
        let removed = service.uploads().map_or(Ok(()), |uploads| uploads.remove(&id));
        removed.map_err(|fault| problem(&fault))?;
        Ok(see("/policy?done=removed"))
    };
    aside(&service, form.visitor, act).await
}

fn problem(fault: &UploadFault) -> Problem {
    Problem::from(fault)
}

/// Takes the form's secret, and after it the file. Returns the id of the upload.
async fn received(service: &App, parts: &Parts, visitor: &Visitor, body: Body) -> Result<String, Failed> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let unread = Unread::default();
    let stream = unread.portions(body.into_data_stream());
    let failed = |fault: UploadFault| visitor.fail(problem(&fault));
    let word_and_file = async {
        let boundary = multer::parse_boundary(kind).map_err(|_| failed(UploadFault::Nothing))?;
        let mut form = Multipart::new(stream, boundary);
        let word = word(&mut form, &unread).await.map_err(failed)?;
        Sender::of(parts, visitor).check(&word)?;
        kept(service, &mut form, &unread).await.map_err(failed)
    };
    word_and_file.await
}

/// The form's secret, which its first field holds; empty if the first field is another one.
async fn word(form: &mut Multipart<'_>, unread: &Unread) -> Result<String, UploadFault> {
    let Some(mut field) = in_time(form.next_field()).await? else { return Ok(String::new()) };
    unread.progressed();
    if field.name() != Some("csrf") {
        return Ok(String::new());
    }
    let mut word = Vec::new();
    while let Some(piece) = in_time(field.chunk()).await? {
        unread.progressed();
        word.extend_from_slice(&piece);
        if word.len() > WORD_BYTES_MAX {
            return Ok(String::new());
        }
    }
    Ok(String::from_utf8(word).unwrap_or_default())
}

/// Keeps the file, which the next field holds.
async fn kept(service: &App, form: &mut Multipart<'_>, unread: &Unread) -> Result<String, UploadFault> {
    let field = in_time(form.next_field()).await?.filter(|field| field.name() == Some("file"));
    let Some(mut field) = field else { return Err(UploadFault::Nothing) };
    unread.progressed();
    let name = field.file_name().unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(UploadFault::Nothing);
    }
    let (send, arriving) = mpsc::channel(PIECES_MAX);
    let service = Arc::clone(service);
    let writing = tokio::task::spawn_blocking(move || written(&service, &name, arriving));
    let passed = passed_on(&mut field, &send, unread).await;
    drop(send);
    let written = writing.await.unwrap_or(Err(UploadFault::CutOff));
    // Why writing stopped says more than that the rest was not read.
    written.and_then(|id| passed.map(|()| id))
}

/// Passes the pieces of a file on to be written, and its end. If writing has stopped, the rest is not read.
async fn passed_on(
    field: &mut Field<'_>,
    send: &mpsc::Sender<Option<Bytes>>,
    unread: &Unread,
) -> Result<(), UploadFault> {
    while let Some(piece) = in_time(field.chunk()).await? {
        unread.progressed();
        if send.send(Some(piece)).await.is_err() {
            return Ok(());
        }
    }
    let _ = send.send(None).await;
    Ok(())
}

/// Writes a file piece by piece until its end. Blocks.
fn written(service: &Service, name: &str, mut arriving: mpsc::Receiver<Option<Bytes>>) -> Result<String, UploadFault> {
    let uploads = service.uploads().ok_or(UploadFault::NoPlace)?;
    let mut writer = uploads.begin(name, service.now_ms())?;
    while let Some(piece) = arriving.blocking_recv() {
        match piece {
            Some(piece) => writer.write(&piece)?,
            None => return writer.finish(),
        }
    }
    Err(UploadFault::CutOff)
}

/// What arrives next, if it arrives in time.
async fn in_time<T>(arriving: impl Future<Output = multer::Result<T>>) -> Result<T, UploadFault> {
    let arrived = tokio::time::timeout(Duration::from_secs(PAUSE_SECONDS_MAX), arriving).await;
    arrived.ok().and_then(Result::ok).ok_or(UploadFault::CutOff)
}
