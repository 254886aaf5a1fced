//! What the editor of policies can begin with: the policy of a dataset, an uploaded file, or a text that was saved.

use maud::{Markup, html};

use crate::render::frame::csrf;
use crate::render::reading::number;
use crate::service::Dataset;
use crate::service::publishing::saved_policies::PolicyText;
use crate::service::publishing::uploads::{Upload, UploadLimits};
use crate::service::views::timestamp;

/// What was done just now, or why it was not.
pub enum PolicyNotice {
    /// What was asked for was done, in these words.
    Good(String),
    /// It was not done.
    Bad(String),
    /// The upload with this id is still being read.
    Pending(String),
}

/// What the editor can begin with.
pub struct StartPage<'a> {
    /// The datasets whose policies are known.
    pub datasets: &'a [&'a Dataset],
    /// What stewards uploaded, with its limits; `None` if the server has no place for it.
    pub uploads: Option<&'a (UploadLimits, Vec<Upload>)>,
    /// The steward's texts, the one they last worked on first.
    pub saved: &'a [PolicyText],
}

/// Says what was done just now.
#[must_use]
pub fn notice(notice: &PolicyNotice) -> Markup {
    match notice {
        PolicyNotice::Good(words) => html! { p.note.good role="status" { (words) } },
        PolicyNotice::Bad(words) => html! { p.note.bad role="alert" { (words) } },
        PolicyNotice::Pending(id) => html! {
            p.note role="status" {
                "The file is being read, which takes a while if it is large. " a href={ "/policy?upload=" (id) } { "Look again" }
            }
        },
    }
}

/// The ways to begin.
#[must_use]
pub fn start(token: &str, start: &StartPage<'_>) -> Markup {
    html! {
        div.grid {
            @if !start.datasets.is_empty() { (served(start.datasets)) }
            @if let Some((limits, all)) = start.uploads { (uploads(token, limits, all)) }
            @if !start.saved.is_empty() { (saved(token, start.saved)) }
        }
    }
}

fn served(datasets: &[&Dataset]) -> Markup {
    html! {
        section.card {
            h2 { "Change a policy" }
            ul.plain {
                @for dataset in datasets {
                    li {
                        a href={ "/policy?dataset=" (dataset.name) } { (dataset.title.as_deref().unwrap_or(&dataset.name)) }
                        " " span.muted { code { (dataset.name) } }
                    }
                }
            }
        }
    }
}

fn uploads(token: &str, limits: &UploadLimits, all: &[Upload]) -> Markup {
    html! {
        section.card {
            h2 { "Draft one from a file" }
            @if limits.bytes_max == 0 {
                p { "This server takes no uploads. Draft one with " code { "tacit policy draft FILE" } "." }
            } @else {
                form.stack method="post" action="/policy/uploads" enctype="multipart/form-data" {
                    (csrf(token))
                    label { "A table: CSV (also .gz), Parquet, Arrow or Excel"
                        input type="file" name="file" required accept=".csv,.tsv,.tab,.txt,.gz,.zst,.parquet,.pq,.arrow,.arrows,.ipc,.feather,.xlsx";
                    }
                    div.row { button type="submit" { "Upload and draft" } }
                    small {
                        "At most " (size(limits.bytes_max)) ". It is kept on the server for " (limits.days_max)
                        @if limits.days_max == 1 { " day" } @else { " days" }
                        ", where stewards alone can draft from it and seal it."
                    }
                }
            }
            @if !all.is_empty() { (kept(token, all)) }
        }
    }
}

fn kept(token: &str, all: &[Upload]) -> Markup {
    html! {
        h3 { "Uploaded files" }
        ul.plain {
            @for upload in all {
                li.row {
                    span {
                        a href={ "/policy?upload=" (upload.id) } { (upload.name) } " "
                        small { (size(upload.bytes)) ", " time { (timestamp(upload.at_ms).get(..10).unwrap_or_default()) } }
                    }
                    form.inline method="post" action={ "/policy/uploads/" (upload.id) "/remove" } {
                        (csrf(token))
                        button.insert type="submit" aria-label={ "Remove the file " (upload.name) } { "Remove" }
                    }
                }
            }
        }
    }
}

fn saved(token: &str, texts: &[PolicyText]) -> Markup {
    let shown = |text: &PolicyText| match text.name.as_str() {
        "" => "Your latest text".to_owned(),
        name => name.to_owned(),
    };
    let address = |text: &PolicyText| {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("saved", &text.name).finish();
        format!("/policy?{query}")
    };
    html! {
        section.card {
            h2 { "Your saved policies" }
            ul.plain {
                @for text in texts {
                    li.row {
                        span {
                            a href=(address(text)) { (shown(text)) } " "
                            small { time { (timestamp(text.at_ms).get(..10).unwrap_or_default()) } }
                        }
                        form.inline method="post" action="/policy/forget" {
                            (csrf(token))
                            input type="hidden" name="name" value=(text.name);
                            button.insert type="submit" aria-label={ "Delete " (shown(text)) } { "Delete" }
                        }
                    }
                }
            }
        }
    }
}

/// A size in bytes, in a unit that people read.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let Some((unit, power)) = UNITS.into_iter().find(|(_, power)| bytes >> power > 0) else {
        return format!("{bytes} bytes");
    };
    let value = bytes as f64 / f64::from(1_u32 << power);
    format!("{} {unit}", number((value * 10.0).round() / 10.0, None))
}
