//! The editor of policies: the text with its faults at their places, its columns with what they cost, what sealing under it would change, and
//! the form that seals it.
//!
//! The text is the steward's own, so that it may be quoted back to them.

use maud::{Markup, html};

use super::policy_columns::{self as columns, ColumnForm, FORM};
use super::policy_sealing::{differences, sealing};
use super::policy_start::{self as start, PolicyNotice, StartPage};
use super::what_if;
use crate::query::terms::policy::editing::DeclaredColumn;
use crate::query::terms::policy::{Policy, PolicyFault, SEEN};
use crate::render::frame::csrf;
use crate::service::asking::costs::PolicyCosts;
use crate::service::publishing::policies::PolicyChange;
use crate::service::publishing::saved_policies::NAME_CHARS_MAX;
use crate::service::publishing::uploads::Upload;

/// What a check found.
pub enum Checked<'a> {
    /// No text was given.
    Nothing,
    /// The text is not a policy.
    Faulty {
        /// Every fault that was found.
        faults: &'a [PolicyFault],
        /// The columns that it declares all the same; `None` if it is not TOML.
        columns: Option<&'a [DeclaredColumn]>,
    },
    /// The text is a policy.
    Policy {
        /// The policy.
        policy: &'a Policy,
        /// Whether its dataset is served.
        is_served: bool,
        /// What sealing under it would change.
        changes: &'a [PolicyChange],
        /// Its columns, as the text declares them.
        columns: &'a [DeclaredColumn],
        /// What questions about its columns cost.
        costs: &'a PolicyCosts,
    },
}

/// What the page shows.
pub struct EditorPage<'a> {
    /// The secret that forms must carry.
    pub token: &'a str,
    /// The policy's text; empty to begin with.
    pub text: &'a str,
    /// The upload that it was drafted from, if that is still there.
    pub upload: Option<&'a Upload>,
    /// The name under which the text was saved; empty if it was not.
    pub name: &'a str,
    /// Whether the server has a place for texts.
    pub keeps: bool,
    /// What a check found.
    pub checked: &'a Checked<'a>,
    /// The column that is being changed.
    pub column: Option<&'a ColumnForm>,
    /// What was done just now, or why it was not.
    pub notice: Option<&'a PolicyNotice>,
    /// What the editor can begin with.
    pub start: &'a StartPage<'a>,
}

/// The page of the editor.
#[must_use]
pub fn page(page: &EditorPage<'_>) -> Markup {
    html! {
        h1 { "Policies" }
        p.lead {
            "A policy says what a dataset protects and which values its columns may hold. Write one here or change it: its faults are named "
            "with their lines, and you see what each column costs and what sealing would change."
        }
        @if let Some(notice) = page.notice { (start::notice(notice)) }
        @if page.text.is_empty() {
            (start::start(page.token, page.start))
        } @else {
            details { summary { "Begin with something else" } (start::start(page.token, page.start)) }
        }
        (disclosure(page.text))
        h2 { @if page.text.is_empty() { "Or write one" } @else { "The policy" } }
        (form(page))
        div #checked aria-live="polite" { (found(page.token, page.text, page.upload, page.checked)) }
    }
}

fn form(page: &EditorPage<'_>) -> Markup {
    html! {
        form.stack.wide id=(FORM) method="post" action="/policy" hx-post="/policy/check" hx-target="#checked" hx-sync="this:replace"
            hx-trigger="input changed delay:600ms target:#text" {
            (csrf(page.token))
            input type="hidden" name="upload" value=(page.upload.map_or("", |upload| upload.id.as_str()));
            @if let Some(upload) = page.upload {
                p { "Drafted from the file " code { (upload.name) } ", from which it would be sealed." }
            }
            label { "Policy (TOML)"
                textarea #text .sql name="text" rows="24" spellcheck="false" autocapitalize="off" data-policy data-label="Policy (TOML)" { "\n" (page.text) }
            }
            @if let Some(column) = page.column { (columns::form(column)) }
            div.row {
                button.primary type="submit" { "Check" }
                a href="/manual/stewarding#the-policy" { "What a policy says" }
            }
            @if page.keeps {
                div.row.end {
                    label { "Save it as" input type="text" name="save_name" maxlength=(NAME_CHARS_MAX) value=(page.name); }
                    button type="submit" name="do" value="save" { "Save" }
                    small { "What you check is kept for you as well, as your latest text." }
                }
            }
        }
    }
}

/// What a draft's placeholders are, and why a person has to replace them.
fn disclosure(text: &str) -> Markup {
    // A draft explains its marks in comments, which hold none of the values.
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let count: usize = lines.map(|line| line.matches(&format!("\"{SEEN}")).count()).sum();
    html! {
        @if count > 0 { section.note.warn {
            h2 { @if count == 1 { "One value was seen in the data" } @else { (count) " values were seen in the data" } }
            p {
                "They are marked " code { (SEEN) } ". To publish a bound that was seen in the data is a disclosure: the greatest age is somebody's "
                "age. Replace each by what is known without looking, such as what the form allows or what the law says, and take the mark away. "
                "The policy is not accepted before."
            }
        } }
    }
}

/// What a check found.
#[must_use]
pub fn found(token: &str, text: &str, upload: Option<&Upload>, checked: &Checked<'_>) -> Markup {
    match checked {
        Checked::Nothing => html! {},
        Checked::Faulty { faults, columns } => html! {
            (faulty(text, faults))
            @if let Some(declared) = columns { (columns::table(declared, faults, None)) }
        },
        Checked::Policy { policy, is_served, changes, columns, costs } => html! {
            (differences(policy, *is_served, changes))
            @if !changes.iter().any(|change| change.is_refused) {
                (sealing(token, text, upload, (policy, *is_served, changes)))
            }
            (columns::table(columns, &[], Some((policy, costs))))
            (shared(policy))
        },
    }
}

/// The largest number of faults that are named.
const FAULTS_SHOWN: usize = 20;

fn faulty(text: &str, faults: &[PolicyFault]) -> Markup {
    html! {
        section.note.bad {
            h2 { @if faults.len() == 1 { "One fault" } @else { (faults.len()) " faults" } }
            ul.plain { @for fault in faults.iter().take(FAULTS_SHOWN) { (fault_at(text, fault)) } }
            @if faults.len() > FAULTS_SHOWN { p { "and " (faults.len() - FAULTS_SHOWN) " more further down" } }
        }
    }
}

fn fault_at(text: &str, fault: &PolicyFault) -> Markup {
    let line = text.lines().nth(fault.line.saturating_sub(1)).unwrap_or_default();
    let before: String = line.chars().take(fault.column.saturating_sub(1)).collect();
    let rest = &line[before.len()..];
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    html! {
        li data-line=(fault.line) data-column=(fault.column) {
            "Line " (fault.line) ", column " (fault.column) ": " (fault.message)
            @if !line.is_empty() {
                pre tabindex="0" aria-label={ "Line " (fault.line) } { code { (before) mark { (&rest[..end]) } (&rest[end..]) } }
            }
        }
    }
}

/// What the cap buys if many questions share it.
fn shared(policy: &Policy) -> Markup {
    let terms = &policy.terms;
    html! {
        section {
            h2 { "What the cap buys" }
            p { "If a hundred questions share the cap of epsilon " (terms.cap) ", delta " (terms.delta()) ":" }
            (what_if::of_cap(terms))
            p.muted {
                "Fewer rows of each unit and closer bounds are less noise. "
                "A bound that was seen in the data is a disclosure: take bounds that are known without it."
            }
        }
    }
}
