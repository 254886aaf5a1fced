//! The ledger for stewards: what happened, newest first, with search and export, and whether the ledger is intact.

use maud::{Markup, html};

use crate::kernel::budget::entry::Act;

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

/// A search, and how far it has come.
pub struct Search<'a> {
    /// The kind of act to find; empty for all kinds.
    pub act: &'a str,
    /// A text that the entry must contain; empty for all entries.
    pub find: &'a str,
    /// The number of the entry before which the next page begins; `None` at the beginning of the ledger.
    pub older: Option<u64>,
}

/// The page of the ledger. `acts` are all kinds of acts.
#[must_use]
pub fn page(health: &Health, lines: &[LedgerLine], search: &Search<'_>, acts: &[&str]) -> Markup {
    html! {
        h1 { "Ledger" }
        section.card {
            @if health.is_sound {
                p.note.good {
                    "Intact. When the server started on " (health.checked) " each of " (health.checked_entries)
                    " entries, the signed head and the anchor were checked; all since then follow."
                }
            } @else { p.note.bad { "The ledger cannot be written or read back just now; nothing is charged until it can." } }
            dl.facts {
                dt { "Entries" } dd { (health.entries) }
                dt { "Head" } dd { code { (health.head) } }
                dt { "To check it from the file alone" } dd { code { "tacit ledger verify --state STATE" } }
            }
            p { a href="/ledger/export.jsonl" download { "Export all entries" } " as JSON, one a line" }
        }
        form.inline method="get" action="/ledger" role="search" {
            label { "What happened"
                select name="act" {
                    option value="" { "everything" }
                    @for act in acts { option value=(act) selected[*act == search.act] { (act) } }
                }
            }
            label { "With the words" input type="search" name="find" value=(search.find) maxlength="100"; }
            button type="submit" { "Search" }
        }
        div.scroll tabindex="0" role="region" aria-label="Entries" {
            table {
                caption.visually-hidden { "Entries, newest first" }
                thead { tr {
                    th.number scope="col" { "No." } th scope="col" { "When (UTC)" } th scope="col" { "What happened" }
                } }
                tbody {
                    @for line in lines {
                        tr {
                            td.number { (line.seq) }
                            td { time { (line.at.get(..16).unwrap_or("").replace('T', " ")) } br; small { (line.act) } }
                            td { details { summary { (clipped(&line.words)) } pre tabindex="0" { code { (line.text) } } } }
                        }
                    }
                }
            }
        }
        @if lines.is_empty() { p.note { "Nothing here." } }
        @if let Some(older) = search.older {
            nav.pages aria-label="Pages" {
                a href={ "/ledger?act=" (search.act) "&find=" (encoded(search.find)) "&before=" (older) } rel="next" { "Older" }
            }
        }
    }
}

fn clipped(text: &str) -> String {
    const CHARS: usize = 140;
    let short: String = text.chars().take(CHARS).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The datasets whose statistics a viewer may see, in words.
fn listed(datasets: &[String]) -> String {
    if datasets.is_empty() {
        "public statistics alone".to_owned()
    } else {
        format!("statistics of {}", datasets.join(", "))
    }
}

/// An act in words.
#[must_use]
pub fn words(act: &Act) -> String {
    match act {
        Act::DatasetOpened { dataset, cap, .. } => {
            format!("{dataset} was opened with a cap of epsilon {}", cap.epsilon)
        }
        Act::EditionSealed { dataset, edition, .. } => format!("{dataset} was sealed as {edition}"),
        Act::CapRaised { dataset, epsilon, reason, by, .. } => {
            format!("{by} raised the cap of {dataset} to epsilon {epsilon}: {reason}")
        }
        Act::PersonAdded { name, role, by, .. } => format!("{by} gave {name} a token as {role}"),
        Act::TokenRevoked { name, by } => format!("{by} revoked the token of {name}"),
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
        Act::Charged(charged) => format!("{} was charged for {}", charged.researcher, charged.sql),
        Act::Released { release, .. } => format!("{release} was stored"),
        Act::Burned { release, cause } => format!("{release} was charged and not answered ({cause:?})"),
        Act::Served(served) => format!("{} got {}", served.researcher, served.release),
        Act::Recovered { reason, by, .. } => format!("{by} resumed an older ledger: {reason}"),
        Act::Published { statistic, release, .. } => format!("statistic {statistic} shows {release}"),
        Act::RefreshSkipped { statistic, why } => format!("statistic {statistic} was due and not drawn: {why}"),
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
            format!("{by} agreed that statistic {statistic} is drawn, for at most epsilon {epsilon} each time")
        }
        Act::ViewerAdded { name, datasets, by, .. } => {
            format!("{by} gave {name} a token as viewer, who may see {}", listed(datasets))
        }
        Act::ViewingSet { name, datasets, by } => format!("{by} lets {name} see {}", listed(datasets)),
        Act::Applied { reason, by, acts, .. } => format!("{by} applied files, {} changes: {reason}", acts.len()),
    }
}
