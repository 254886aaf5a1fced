//! The ledger for stewards: what happened, newest first, with search and export, and whether the ledger is intact.

use std::collections::HashMap;

use maud::{Markup, html};

use crate::kernel::budget::entry::{Act, Cause, Charge, IssuedToken};
use crate::kernel::budget::people::{FIRST_TOKEN, Role};
use crate::render::budget::percent;
use crate::service::asking::served::question_of;
use crate::service::stewarding::entries::{AnswerNames, EntryPrice, asker};
use crate::service::views::{significant, timestamp};

/// One entry of the ledger.
pub struct LedgerLine {
    /// The number of the entry.
    pub seq: u64,
    /// The time of the entry.
    pub at: String,
    /// The kind of act.
    pub act: &'static str,
    /// The act in words.
    pub words: String,
    /// What was charged; `None` for acts that charge nothing.
    pub price: Option<EntryPrice>,
    /// The act as JSON.
    pub text: String,
}

/// The state of the ledger as a whole.
pub struct Health {
    /// The time when the server started and checked every entry.
    pub checked: String,
    /// The number of entries at that time.
    pub checked_entries: u64,
    /// The number of entries at present.
    pub entries: u64,
    /// The hash of the last entry.
    pub head: String,
    /// Whether the ledger can be written and read back at present.
    pub is_sound: bool,
}

/// What was searched for, as the address says it. An empty text lets all entries pass.
#[derive(Debug, Clone, Default)]
pub struct SoughtEntries {
    /// The kind of act.
    pub act: String,
    /// The name of somebody who acted or whom the act concerns.
    pub person: String,
    /// The name of the dataset.
    pub dataset: String,
    /// The first day, like `2026-03-01`.
    pub from: String,
    /// The last day of the entries that are looked for, as `YYYY-MM-DD`; empty for no end.
    pub to: String,
    /// Words that the entry must contain.
    pub find: String,
}

impl SoughtEntries {
    fn fields(&self) -> [(&'static str, &str); 6] {
        let Self { act, person, dataset, from, to, find } = self;
        [("act", act), ("person", person), ("dataset", dataset), ("from", from), ("to", to), ("find", find)]
    }

    fn is_everything(&self) -> bool {
        self.fields().iter().all(|(_, text)| text.is_empty())
    }

    /// The address of `path` with this search, and with where it continues.
    fn address(&self, path: &str, before: Option<u64>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.fields().iter().filter(|(_, text)| !text.is_empty()));
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        match query.finish() {
            text if text.is_empty() => path.to_owned(),
            text => format!("{path}?{text}"),
        }
    }
}

/// A search, and how far it has come.
pub struct Search<'a> {
    /// What was searched for.
    pub wanted: &'a SoughtEntries,
    /// The names of all datasets.
    pub datasets: &'a [String],
    /// The number of the entry before which the next page begins; `None` at the beginning of the ledger.
    pub older: Option<u64>,
}

/// The page of the ledger.
#[must_use]
pub fn page(health: &Health, lines: &[LedgerLine], search: &Search<'_>) -> Markup {
    html! {
        h1 { "Ledger" }
        (state(health))
        (form(search))
        (exports(search.wanted))
        (table(lines))
        @if lines.is_empty() {
            p.note { @if search.older.is_some() { "None of these so far; the older ones may have some." } @else { "Nothing here." } }
        }
        @if let Some(older) = search.older {
            nav.pages aria-label="Pages" {
                a href=(search.wanted.address("/ledger", Some(older))) rel="next" { "Older" }
            }
        }
    }
}

fn state(health: &Health) -> Markup {
    html! {
        section.card {
            @if health.is_sound {
                p.note.good {
                    "Intact. When the server started on " time { (health.checked.get(..16).unwrap_or("").replace('T', " ")) }
                    " UTC, all " (health.checked_entries) " entries, the signed head and the anchor were checked. Every later entry "
                    "is chained to them."
                }
            } @else { p.note.bad { "The ledger cannot be written or read back just now; nothing is charged until it can." } }
            dl.facts {
                dt { "Entries" } dd { (health.entries) }
                dt { "Head" } dd { code { (health.head) } }
                dt { "To check it from the file alone" } dd { code { "tacit ledger verify --state STATE" } }
            }
        }
    }
}

fn form(search: &Search<'_>) -> Markup {
    let SoughtEntries { act, person, dataset, from, to, find } = search.wanted;
    html! {
        form.inline method="get" action="/ledger" role="search" {
            label { "What happened"
                select name="act" {
                    option value="" { "everything" }
                    @for kind in Act::KINDS.iter().filter(|kind| Act::shown_kind(kind) == **kind) { option value=(kind) selected[kind == act] { (kind) } }
                }
            }
            label { "Person" input type="search" name="person" value=(person) size="12" maxlength="64" autocomplete="off"; }
            label { "Dataset"
                select name="dataset" {
                    option value="" { "all" }
                    @for name in search.datasets { option value=(name) selected[name == dataset] { (name) } }
                }
            }
            label { "From (UTC)" input type="date" name="from" value=(from); }
            label { "To" input type="date" name="to" value=(to); }
            label { "With the words" input type="search" name="find" value=(find) size="14" maxlength="100"; }
            button type="submit" { "Search" }
        }
    }
}

fn exports(wanted: &SoughtEntries) -> Markup {
    let what = if wanted.is_everything() { "Export all entries" } else { "Export all entries that match" };
    html! {
        p {
            (what) " as "
            a href=(wanted.address("/ledger/export.csv", None)) download { "CSV" span.visually-hidden { ": " (what) } }
            ", one a line, for a spreadsheet, or as "
            a href=(wanted.address("/ledger/export.jsonl", None)) download { "JSON" span.visually-hidden { ": " (what) } }
            ", one a line, complete."
            @if !wanted.is_everything() { " " a href="/ledger" { "Show everything" } }
        }
    }
}

fn table(lines: &[LedgerLine]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Entries" {
            table.stacked {
                caption.visually-hidden { "Entries, newest first" }
                thead { tr {
                    th scope="col" { "No." } th scope="col" { "When (UTC)" } th scope="col" { "What happened" }
                    th.number scope="col" { "Price" }
                } }
                tbody {
                    @for line in lines {
                        tr {
                            td { (line.seq) }
                            td { time { (line.at.get(..16).unwrap_or("").replace('T', " ")) } br; small { (line.act) } }
                            td { details { summary { (clipped(&line.words)) } pre tabindex="0" { code { (line.text) } } } }
                            td.number { @if let Some(price) = &line.price { (shown_price(price)) } }
                        }
                    }
                }
            }
        }
    }
}

/// A price as part of the account that paid it, with ε and the part of the cap.
fn shown_price(price: &EntryPrice) -> Markup {
    html! {
        @if price.epsilon.nanos() == 0 { "free" } @else {
            (percent(price.of_account.to_f64())) " of the account" br;
            small {
                "ε " (significant(price.epsilon.to_f64(), 3))
                @if price.of_cap.to_f64() > 0.0 { ", " (percent(price.of_cap.to_f64())) " of the cap" }
            }
        }
    }
}

/// The names by which people know what entries mention by ids.
pub struct EntryNames<'a> {
    /// The answers that the entries mention.
    pub answers: &'a AnswerNames,
    /// The titles of statistics, by name.
    pub titles: &'a HashMap<String, String>,
}

impl EntryNames<'_> {
    /// A question with its asker; the id of the answer if nobody knows the question.
    fn answer(&self, release: &str) -> String {
        self.answers.get(release).map_or_else(|| release.to_owned(), |name| format!("{}: {}", name.asker, name.sql))
    }

    fn sql(&self, release: &str) -> String {
        self.answers.get(release).map_or_else(|| release.to_owned(), |name| name.sql.clone())
    }

    fn statistic(&self, name: &str) -> String {
        self.titles.get(name).map_or_else(|| name.to_owned(), |title| format!("“{title}” ({name})"))
    }
}

fn clipped(text: &str) -> String {
    const CHARS: usize = 140;
    let short: String = text.chars().take(CHARS).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// The datasets whose statistics a viewer may see, in words.
fn listed(datasets: &[String]) -> String {
    if datasets.is_empty() {
        "public statistics alone".to_owned()
    } else {
        format!("statistics of {}", datasets.join(", "))
    }
}

/// Why there is no answer, in words.
fn because(cause: Cause) -> &'static str {
    match cause {
        Cause::Failed => "it failed, which counts as an incident",
        Cause::Unrecorded => "it could not be stored",
        Cause::CutOff => "the server ended before it was stored",
    }
}

/// An act in words.
#[must_use]
pub fn words(act: &Act, names: &EntryNames<'_>) -> String {
    match act {
        Act::DatasetOpened { dataset, cap, .. } => {
            format!("{dataset} was opened with a cap of epsilon {}", cap.epsilon)
        }
        Act::EditionSealed { dataset, edition, .. } => format!("{dataset} was sealed as {edition}"),
        Act::CapRaised { dataset, epsilon, reason, by, .. } => {
            format!("{by} raised the cap of {dataset} to epsilon {epsilon}: {reason}")
        }
        Act::PersonAdded { name, role, by, .. } => format!("{by} gave {name} a token as {role}"),
        Act::TokenRevoked { name, by } => format!("{by} revoked every token of {name}"),
        Act::TokenIssued(issued) => issued_to(issued),
        Act::TokenIssuedWithVerifier(token) => issued_to(&token.issued),
        Act::NamedTokenRevoked { name, token_name, by } => format!("{by} revoked the token “{token_name}” of {name}"),
        Act::RoleSet { name, role, datasets, by } => match (role, datasets) {
            (Role::Viewer, Some(datasets)) => format!("{by} made {name} a viewer, who may see {}", listed(datasets)),
            (role, _) => format!("{by} made {name} a {role}"),
        },
        Act::ProjectGranted { project, dataset, epsilon, reason, by, .. } => {
            format!("{by} granted project {project} epsilon {epsilon} of {dataset}: {reason}")
        }
        Act::Granted { researcher, dataset, epsilon, reason, by, .. } => {
            format!("{by} granted {researcher} epsilon {epsilon} of {dataset}: {reason}")
        }
        Act::StatisticsGranted { dataset, epsilon, reason, by, .. } => {
            format!("{by} granted statistics epsilon {epsilon} of {dataset}: {reason}")
        }
        Act::Frozen { dataset, reason, by } => format!("{by} froze {dataset}: {reason}"),
        Act::Unfrozen { dataset, reason, by } => format!("{by} unfroze {dataset}: {reason}"),
        Act::Charged(charged) => charged_for(charged),
        Act::ChargedByPath(charged) => charged_for(&charged.charge),
        Act::Released { release, .. } => format!("the answer was stored for {}", names.answer(release)),
        Act::Burned { release, cause } => {
            format!("charged and not answered, because {}; {}", because(*cause), names.answer(release))
        }
        Act::Served(served) | Act::ServedByPath(served) => {
            let asked = question_of(act).unwrap_or_else(|| names.sql(&served.release));
            format!("the stored answer was given to {}: {asked}", asker(&served.researcher))
        }
        Act::Recovered { reason, by, .. } => format!("{by} resumed an older ledger: {reason}"),
        Act::Published { statistic, release, .. } => {
            format!("statistic {} shows the answer to {}", names.statistic(statistic), names.sql(release))
        }
        Act::RefreshSkipped { statistic, why } => {
            format!("statistic {} was due and not drawn: {why}", names.statistic(statistic))
        }
        Act::Requested { researcher, dataset, epsilon, reason } => {
            format!("{researcher} asks for epsilon {epsilon} of {dataset}: {reason}")
        }
        Act::RequestDecided { request, granted, reason, by } => {
            let decided = if *granted { "granted" } else { "declined" };
            format!("{by} {decided} request {request}: {reason}")
        }
        Act::RequestGranted { request, researcher, dataset, epsilon, reason, by, .. } => {
            format!("{by} granted request {request}: {researcher} has epsilon {epsilon} of {dataset}: {reason}")
        }
        Act::StatisticConfirmed { statistic, epsilon, by, .. } => {
            let named = names.statistic(statistic);
            format!("{by} agreed that statistic {named} is drawn, for at most epsilon {epsilon} each time")
        }
        Act::ViewerAdded { name, datasets, by, .. } => {
            format!("{by} gave {name} a token as viewer, who may see {}", listed(datasets))
        }
        Act::ViewingSet { name, datasets, by } => format!("{by} lets {name} see {}", listed(datasets)),
        Act::Applied { reason, by, acts, .. } => format!("{by} applied files, {} changes: {reason}", acts.len()),
    }
}

fn issued_to(issued: &IssuedToken) -> String {
    let IssuedToken { name, role, datasets, token_name, token: _, expires_at_ms, by } = issued;
    let see = datasets.as_ref().map_or_else(String::new, |datasets| format!(", who may see {}", listed(datasets)));
    if token_name == FIRST_TOKEN && expires_at_ms.is_none() {
        return format!("{by} gave {name} a token as {role}{see}");
    }
    let until = expires_at_ms.map_or("without an end".to_owned(), |at| format!("until {}", timestamp(at)));
    format!("{by} gave {name}, a {role}{see}, the token “{token_name}”, {until}")
}

fn charged_for(charged: &Charge) -> String {
    format!("charged to {}: {}", asker(&charged.researcher), charged.sql)
}
