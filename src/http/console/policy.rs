//! The stewards' editor of policies: its text, checked while it is typed, its columns one by one, and what sealing under it would change.
//!
//! Promises that no source is read here, and that what a steward typed is kept for them, so that it is not lost when they go away.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::policy_fields::typed;
use super::session::{Form, PolicyForm};
use super::shown::{AddressParams, Shown, address, aside, fragment, see};
use crate::http::App;
use crate::http::console::pages::policy::{self as pages, Checked, EditorPage};
use crate::http::console::pages::policy_columns::ColumnForm;
use crate::http::console::pages::policy_start::{PolicyNotice, StartPage};
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::kernel::budget::people::{Person, Role};
use crate::query::terms::policy::editing::{columns_in, with_column};
use crate::service::Service;
use crate::service::asking::costs::costs;
use crate::service::publishing::policies::changes;
use crate::service::publishing::saved_policies::{PolicySavingFault, PolicyText};
use crate::service::publishing::uploads::{DraftOutcome, Upload};

/// How long a page waits for a draft before it says that the file is still being read, in seconds.
const DRAFT_WAIT_SECONDS: u64 = 15;

/// Query parameters that say what the editor begins with.
#[derive(Deserialize)]
pub struct EditorParams {
    dataset: Option<String>,
    upload: Option<String>,
    saved: Option<String>,
    done: Option<String>,
}

/// What is known of the draft for an upload.
enum Drafted {
    /// There is no such upload.
    Gone,
    /// The file is being read.
    Pending,
    /// The draft, or why there is none.
    Made(DraftOutcome),
}

/// What the editor shows.
#[derive(Default)]
struct Editing {
    text: String,
    upload: String,
    name: String,
    column: Option<ColumnForm>,
    notice: Option<PolicyNotice>,
}

/// GET /policy: the editor, with the policy of a dataset, the draft for an upload, or a saved text, if the address names one.
pub async fn form(
    State(service): State<App>,
    visitor: Visitor,
    AddressParams(params): AddressParams<EditorParams>,
) -> Shown {
    let person = visitor.only(&[Role::Steward])?;
    let drafted = match &params.upload {
        Some(id) if params.saved.is_none() => Some(drafted(&service, id).await),
        Some(_) | None => None,
    };
    let show = move |service: &Service, visitor: &Visitor| {
        let editing = begun(service, &person, &params, drafted)?;
        Ok(page(service, visitor, &person, &editing))
    };
    aside(&service, visitor, show).await
}

/// POST /policy: checks the text, changes one of its columns, or saves it.
pub async fn check(State(service): State<App>, form: PolicyForm) -> Shown {
    let person = form.0.visitor.only(&[Role::Steward])?;
    let visitor = form.0.visitor.clone();
    let act = move |service: &Service, visitor: &Visitor| {
        let (text, upload) = (form.policy(), form.0.text("upload").to_owned());
        let name = form.0.text("save_name").to_owned();
        let mut editing = Editing { text, upload, name, ..Editing::default() };
        match form.0.text("do") {
            "save" => match saved(service, &person, &editing) {
                Ok(done) => return Ok(done),
                Err(fault) => editing.notice = Some(PolicyNotice::Bad(format!("The policy was not saved: {fault}."))),
            },
            "put" => editing.put(typed(&form.0)),
            "close" => {}
            _ => {
                let chosen = form.0.some("edit").and_then(|place| ColumnForm::of(&editing.text, &place));
                editing.column = chosen.or_else(|| typed(&form.0));
            }
        }
        keep(service, &person, &editing.text, &editing.upload);
        Ok(page(service, visitor, &person, &editing))
    };
    aside(&service, visitor, act).await
}

/// POST /policy/check: what a check found, to be put into the page.
pub async fn check_part(State(service): State<App>, form: PolicyForm) -> Shown {
    let person = form.0.visitor.only(&[Role::Steward])?;
    let visitor = form.0.visitor.clone();
    let act = move |service: &Service, visitor: &Visitor| {
        let (text, upload) = (form.policy(), form.0.text("upload").to_owned());
        keep(service, &person, &text, &upload);
        let upload = service.uploads().and_then(|uploads| uploads.one(&upload));
        let found = |checked: &Checked<'_>| pages::found(&visitor.csrf, &text, upload.as_ref(), checked);
        Ok(fragment(&checked(service, &text, found)))
    };
    aside(&service, visitor, act).await
}

/// POST /policy/forget: deletes a saved text.
pub async fn forget(State(service): State<App>, form: Form) -> Shown {
    let person = form.visitor.only(&[Role::Steward])?;
    let name = form.text("name").to_owned();
    let act = move |service: &Service, _: &Visitor| {
        service.forget_policy_text(&person.name, &name).map_err(problem)?;
        Ok(see("/policy?done=forgotten"))
    };
    aside(&service, form.visitor, act).await
}

fn problem(fault: PolicySavingFault) -> Problem {
    match fault {
        PolicySavingFault::NoPlace | PolicySavingFault::Name | PolicySavingFault::Size | PolicySavingFault::Full => {
            Problem::invalid_request(format!("the policy was not saved: {fault}"))
        }
        PolicySavingFault::Ledger(fault) => crate::service::ServiceError::from(fault).into(),
    }
}

impl Editing {
    /// Writes what was typed for one column into the text; the form stays open if that cannot be done.
    fn put(&mut self, column: Option<ColumnForm>) {
        let Some(column) = column else { return };
        match with_column(&self.text, column.place, &column.fields) {
            Ok(text) => {
                self.text = text;
                let words = format!("The column {} is in the text now.", column.fields.name);
                self.notice = Some(PolicyNotice::Good(words));
            }
            Err(fault) => {
                self.notice = Some(PolicyNotice::Bad(format!("The column was not changed: {fault}.")));
                self.column = Some(column);
            }
        }
    }
}

/// Saves the text under its name, and leads back to it.
fn saved(service: &Service, person: &Person, editing: &Editing) -> Result<Response, PolicySavingFault> {
    let (name, text, upload) = (editing.name.clone(), editing.text.clone(), editing.upload.clone());
    let saved = PolicyText { name, text, upload, at_ms: service.now_ms() };
    service.save_policy_text(&person.name, &saved)?;
    Ok(see(&address("/policy", &[("saved", &saved.name), ("done", "saved")])))
}

/// Keeps the text that a steward works on, unless it is what is served. The page is of use without it, so a store that fails stops nothing.
fn keep(service: &Service, person: &Person, text: &str, upload: &str) {
    let is_served = service.datasets().any(|dataset| dataset.policy.as_deref() == Some(text));
    if !is_served && !text.is_empty() && service.keeps_policies() {
        let _ = service.keep_policy_text(&person.name, text, upload);
    }
}

/// The draft for an upload. Small files are read while the page waits.
async fn drafted(service: &App, id: &str) -> Drafted {
    let (service, id) = (Arc::clone(service), id.to_owned());
    let asked = move || service.uploads().and_then(|uploads| uploads.draft(&id));
    let Ok(Some(mut draft)) = tokio::task::spawn_blocking(asked).await else { return Drafted::Gone };
    let made = draft.wait_for(Option::is_some);
    match tokio::time::timeout(Duration::from_secs(DRAFT_WAIT_SECONDS), made).await {
        Ok(Ok(made)) => made.clone().map_or(Drafted::Pending, Drafted::Made),
        // A thread that could not be started is started at the next look.
        Ok(Err(_)) | Err(_) => Drafted::Pending,
    }
}

/// What the editor begins with.
fn begun(
    service: &Service,
    person: &Person,
    params: &EditorParams,
    drafted: Option<Drafted>,
) -> Result<Editing, Problem> {
    let mut editing = Editing { notice: done(params.done.as_deref()), ..Editing::default() };
    if let Some(name) = &params.saved {
        let texts = service.policy_texts(&person.name).map_err(crate::service::ServiceError::from)?;
        let found = texts.into_iter().find(|text| text.name == *name);
        let saved = found.ok_or_else(|| Problem::not_found("there is no saved policy of this name"))?;
        return Ok(Editing { text: saved.text, upload: saved.upload, name: saved.name, ..editing });
    }
    if let Some(name) = &params.dataset {
        let dataset = service.dataset(name).ok_or_else(|| Problem::unknown_dataset(name))?;
        let text = dataset.policy.clone().or_else(|| service.dataset(&dataset.lineage)?.policy.clone());
        let unknown = || Problem::not_found("the text of this dataset's policy is not known here");
        return Ok(Editing { text: text.ok_or_else(unknown)?.to_string(), ..editing });
    }
    let (Some(id), Some(drafted)) = (&params.upload, drafted) else { return Ok(editing) };
    match drafted {
        Drafted::Gone => return Err(Problem::not_found("there is no such upload any more; upload the file again")),
        Drafted::Pending => editing.notice = Some(PolicyNotice::Pending(id.clone())),
        Drafted::Made(Ok(text)) => (editing.text, editing.upload) = (text.to_string(), id.clone()),
        Drafted::Made(Err(fault)) => editing.notice = Some(PolicyNotice::Bad(format!("There is no draft. {fault}"))),
    }
    Ok(editing)
}

/// Says on the page what was done. A link can only choose among these messages.
fn done(word: Option<&str>) -> Option<PolicyNotice> {
    let words = match word? {
        "saved" => "Saved. You find it under your saved policies.",
        "forgotten" => "Deleted from your saved policies.",
        "removed" => "The file is removed.",
        _ => return None,
    };
    Some(PolicyNotice::Good(words.to_owned()))
}

fn page(service: &Service, visitor: &Visitor, person: &Person, editing: &Editing) -> Response {
    let uploads = service.uploads().map(|uploads| (uploads.limits(), uploads.all()));
    let upload: Option<&Upload> = uploads.iter().flat_map(|(_, all)| all).find(|upload| upload.id == editing.upload);
    let saved = service.policy_texts(&person.name).unwrap_or_default();
    let datasets: Vec<_> = service.datasets().filter(|dataset| dataset.policy.is_some()).collect();
    let start = StartPage { datasets: &datasets, uploads: uploads.as_ref(), saved: &saved };
    let body = checked(service, &editing.text, |checked| {
        pages::page(&EditorPage {
            token: &visitor.csrf,
            text: &editing.text,
            upload,
            name: &editing.name,
            keeps: service.keeps_policies(),
            checked,
            column: editing.column.as_ref(),
            notice: editing.notice.as_ref(),
            start: &start,
        })
    });
    visitor.page_with_editor("Policies", "/policy", &body)
}

fn checked<T>(service: &Service, text: &str, show: impl FnOnce(&Checked<'_>) -> T) -> T {
    if text.is_empty() {
        return show(&Checked::Nothing);
    }
    let columns = columns_in(text);
    match service.check_policy(text) {
        Ok(policy) => {
            let sealed = service.dataset(&policy.name).map(|dataset| &dataset.terms);
            let changes = changes(service.ledger(), sealed, &policy);
            let (costs, columns) = (costs(&policy), columns.unwrap_or_default());
            let is_served = sealed.is_some();
            show(&Checked::Policy { policy: &policy, is_served, changes: &changes, columns: &columns, costs: &costs })
        }
        Err(faults) => show(&Checked::Faulty { faults: &faults, columns: columns.as_deref() }),
    }
}
