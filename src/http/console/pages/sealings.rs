//! Sealing through the server: progress, faults, and the report. All of it is for stewards alone.

use maud::{Markup, html};

use super::datasets::sealing as report;
use crate::render::frame::csrf;
use crate::service::publishing::sealings::{SealingStep, SealingView};
use crate::service::stewarding::accounts::timestamp;

/// The list of the sealings that are remembered, the latest first.
#[must_use]
pub fn list(all: &[SealingView]) -> Markup {
    html! {
        h1 { "Sealings" }
        p.lead {
            "Sealing turns a policy's sources into a new edition, which questions see from then on. "
            a href="/policy" { "Write or check a policy" } " to start one."
        }
        @if all.is_empty() { p.note { "Nothing was sealed since this server was started. The report of each dataset stands on its page." } }
        @else {
            ul {
                @for view in all {
                    li {
                        a href={ "/sealings/" (view.id) } { (view.dataset) } ", "
                        (timestamp(view.at_ms)) ", by " (view.by) ": " (words(view.step))
                    }
                }
            }
        }
    }
}

/// A sealing's step in words.
fn words(step: SealingStep) -> &'static str {
    match step {
        SealingStep::Sealing => "the sources are read",
        SealingStep::Loading => "the new edition is loaded",
        SealingStep::Served => "served",
        SealingStep::Failed => "failed",
        SealingStep::Cancelled => "cancelled",
    }
}

/// The page of one sealing: its progress, then its report or its faults.
#[must_use]
pub fn one(token: &str, view: &SealingView) -> Markup {
    html! {
        h1 { "Sealing " code { (view.dataset) } }
        p.muted { "Started by " (view.by) " at " (timestamp(view.at_ms)) }
        (progress(token, view))
    }
}

/// How far it is, which is put in place of itself while it goes on.
fn progress(token: &str, view: &SealingView) -> Markup {
    let polls = view.step.is_under_way();
    let place = format!("/sealings/{}", view.id);
    html! {
        div #progress aria-live="polite" hx-get=[polls.then_some(&place)] hx-trigger=[polls.then_some("every 1s")]
            hx-select=[polls.then_some("#progress")] hx-swap=[polls.then_some("outerHTML")] {
            @match view.step {
                SealingStep::Sealing | SealingStep::Loading => (under_way(token, view)),
                SealingStep::Served => (served(view)),
                SealingStep::Failed => {
                    section.note.bad {
                        h2 { "Nothing was sealed" }
                        @for line in view.fault.lines() { p { (line) } }
                        p { "Questions see what they saw before." }
                    }
                    (back(token, view))
                }
                SealingStep::Cancelled => {
                    p.note { "It was cancelled. Nothing of it is left, and questions see what they saw before." }
                    (back(token, view))
                }
            }
        }
    }
}

fn under_way(token: &str, view: &SealingView) -> Markup {
    html! {
        p {
            label for="bar" { (words(view.step)) }
            @match view.fraction {
                Some(fraction) => { " " progress #bar max="1" value=(format!("{fraction:.2}")) { (format!("{:.0} %", fraction * 100.0)) } }
                None => { " " progress #bar {} }
            }
        }
        p { (view.rows_read) " rows read. Questions go on and see the edition that is served, until the new one takes its place." }
        @if view.step == SealingStep::Sealing {
            form.inline method="post" action={ "/sealings/" (view.id) "/cancel" } {
                (csrf(token))
                button type="submit" { "Cancel" }
            }
        }
    }
}

fn served(view: &SealingView) -> Markup {
    html! {
        p.note.good {
            "Questions see the new edition "
            @if let Some(edition) = &view.edition { code { (edition) } " " }
            "of " a href={ "/datasets/" (view.dataset) } { (view.dataset) } "."
        }
        (which_holds(view))
        @if let Some(sealed) = &view.report { (report(&view.dataset, sealed)) }
    }
}

/// Which policy holds from now on, also after a restart.
fn which_holds(view: &SealingView) -> Markup {
    html! {
        @match &view.file {
            Some(file) => {
                p {
                    "The policy that you sealed holds from now on, also after a restart. The server's configuration names the file "
                    code { (file) } " for this dataset: copy the text into it, so that both say the same. While they differ, the policy that "
                    "was sealed here holds, and the server says so when it starts."
                }
            }
            None => {
                p {
                    "The policy is kept with the edition in the server's state directory: the dataset is served after a restart, too, "
                    "although the server's configuration does not name it."
                }
            }
        }
        details { summary { "The policy that was sealed" } pre { code { (view.policy) } } }
    }
}

/// The way back to the text of the policy.
fn back(token: &str, view: &SealingView) -> Markup {
    again(token, &view.policy, view.upload.as_deref().unwrap_or_default())
}

/// The page that a policy which was refused is shown on, with what is said against it.
#[must_use]
pub fn refused(token: &str, text: &str, upload: &str, detail: &str) -> Markup {
    html! {
        h1 { "Nothing was sealed" }
        section.note.bad { @for line in detail.lines() { p { (line) } } }
        (again(token, text, upload))
    }
}

fn again(token: &str, text: &str, upload: &str) -> Markup {
    html! {
        form.stack method="post" action="/sealings" {
            (csrf(token))
            input type="hidden" name="upload" value=(upload);
            label { "Policy (TOML)"
                textarea.sql name="text" rows="24" spellcheck="false" autocapitalize="off" { (text) }
            }
            div.row {
                button.primary type="submit" { "Seal" }
                button type="submit" formaction="/policy" { "Check it first" }
            }
        }
    }
}
