//! Checking a policy in the browser: its faults with their places, its columns with what they cost, and what sealing under it would change.
//!
//! The text is the steward's own, so that it may be quoted back to them. It is kept nowhere.

use maud::{Markup, html};

use super::datasets::columns;
use super::what_if;
use crate::query::terms::policy::{Policy, PolicyFault};
use crate::render::frame::csrf;
use crate::service::publishing::policies::PolicyChange;

/// What a check found.
pub enum Checked<'a> {
    /// No text was given.
    Nothing,
    /// The text is not a policy.
    Faulty(&'a [PolicyFault]),
    /// The text is a policy.
    Policy {
        /// The policy.
        policy: &'a Policy,
        /// Whether its dataset is served.
        is_served: bool,
        /// What sealing under it would change.
        changes: &'a [PolicyChange],
    },
}

/// The page with the text and what a check of it found.
#[must_use]
pub fn page(token: &str, text: &str, checked: &Checked<'_>) -> Markup {
    html! {
        h1 { "Check a policy" }
        p.lead {
            "Write or paste a policy. Its faults are named with their lines, and you see what its bounds cost and what sealing under it would "
            "change. Nothing is written, and no source is read."
        }
        form.stack method="post" action="/policy" hx-post="/policy/check" hx-target="#checked" hx-sync="this:replace"
            hx-trigger="input changed delay:600ms" {
            (csrf(token))
            label { "Policy (TOML)"
                textarea.sql name="text" rows="24" spellcheck="false" autocapitalize="off" { (text) }
            }
            div.row {
                button.primary type="submit" { "Check" }
                a href="/manual/stewarding#the-policy" { "What a policy says" }
            }
        }
        div #checked aria-live="polite" { (found(text, checked)) }
    }
}

/// What a check found.
#[must_use]
pub fn found(text: &str, checked: &Checked<'_>) -> Markup {
    match checked {
        Checked::Nothing => html! {},
        Checked::Faulty(faults) => html! {
            section.note.bad {
                h2 { @if faults.len() == 1 { "One fault" } @else { (faults.len()) " faults" } }
                ul { @for fault in *faults { (fault_at(text, fault)) } }
            }
        },
        Checked::Policy { policy, is_served, changes } => html! {
            (differences(policy, *is_served, changes))
            (costs(policy))
        },
    }
}

fn fault_at(text: &str, fault: &PolicyFault) -> Markup {
    let line = text.lines().nth(fault.line.saturating_sub(1)).unwrap_or_default();
    html! {
        li {
            "Line " (fault.line) ", column " (fault.column) ": " (fault.message)
            pre { code { (line) } }
        }
    }
}

fn differences(policy: &Policy, is_served: bool, changes: &[PolicyChange]) -> Markup {
    let refused = changes.iter().any(|change| change.is_refused);
    html! {
        section {
            h2 { "What would change" }
            @if !is_served {
                p.note.good { "A valid policy. The dataset " code { (policy.name) } " is not served here yet: sealing it would open its account." }
            } @else if changes.is_empty() {
                p.note.good { "A valid policy, and the one under which " code { (policy.name) } " is served." }
            } @else if !refused {
                p.note.good { "A valid policy. Sealing under it makes a new edition of " code { (policy.name) } ":" }
            }
            @if refused { p.note.bad { "The policy reads well, but it cannot be sealed over what is on record:" } }
            ul { @for change in changes { li { (change.what) @if change.is_refused { " " span.badge.bad { "refused" } } } } }
            @if !refused {
                p { "To seal it, with the server stopped: " code { "tacit seal " (policy.name) ".toml --state STATE" } }
            }
        }
    }
}

fn costs(policy: &Policy) -> Markup {
    let terms = &policy.terms;
    html! {
        section {
            h2 { "Its columns" }
            @if terms.tables.is_empty() { (columns(&policy.name, terms.own())) }
            @for table in &terms.tables { h3 { (table.name) } (columns(&table.name, &table.columns)) }
            h2 { "What they cost" }
            p { "If a hundred questions share the cap of epsilon " (terms.cap) ", delta " (terms.delta()) ":" }
            (what_if::of_cap(terms))
            p.muted {
                "Fewer rows of each unit and closer bounds are less noise. "
                "A bound that was seen in the data is a disclosure: take bounds that are known without it."
            }
        }
    }
}
