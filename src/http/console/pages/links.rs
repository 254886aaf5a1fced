//! The pages of signed links: the form, and the address that was made.

use maud::{Markup, html};

use super::filled::Forms;
use crate::http::linking::Thing;
use crate::http::links::{LINK_DAYS, LINK_DAYS_MAX};
use crate::render::page::FORMATS;

/// Where the form for a link is sent.
fn target(thing: &Thing) -> String {
    match thing {
        Thing::Statistic(name) => format!("/statistics/{name}/link"),
        Thing::Release(id) => format!("/answers/{id}/link"),
    }
}

/// What a link opens, in words.
fn named(thing: &Thing) -> Markup {
    match thing {
        Thing::Statistic(name) => html! { "the statistic " code { (name) } },
        Thing::Release(id) => html! { "the answer " code { (id) } },
    }
}

/// The form for a link.
#[must_use]
pub fn form(forms: Forms<'_>, thing: &Thing) -> Markup {
    let fields = forms.at(&target(thing));
    let days = LINK_DAYS.to_string();
    html! {
        h1 { "A link for somebody without a token" }
        p.lead { "Whoever has the link reads " (named(thing)) " until the link ends, in every format." }
        p {
            "It shows what you may see, and nothing else; it ends early if your token is revoked or expires. "
            "Programs that cannot send a token, like a spreadsheet, read it as it is."
        }
        form.stack method="post" action=(target(thing)) {
            (fields.begin(&["days"]))
            label { "Format"
                select name="format" {
                    @for (ending, words) in FORMATS {
                        option value=(ending) selected[fields.is_chosen("format", ending, ending == "csv")] { (words) }
                    }
                }
            }
            label { "Days until it ends" small { "1 to " (LINK_DAYS_MAX) }
                input type="number" name="days" min="1" max=(LINK_DAYS_MAX) value=(fields.text_or("days", &days)) required
                    aria-invalid=[fields.invalid("days")] aria-describedby=[fields.described("days")];
                (fields.says("days"))
            }
            button.primary type="submit" { "Make the link" }
        }
    }
}

/// The address that was made. It is shown once: nothing of it is stored.
#[must_use]
pub fn made(thing: &Thing, address: &str, ends: &str) -> Markup {
    html! {
        h1 { "The link" }
        p.lead { "Whoever has it reads " (named(thing)) " until " time { (ends) } "." }
        code.token { (address) }
        p.muted { "It is shown once. Another ending before the question mark, like " code { ".parquet" } ", asks for another format." }
        @match thing {
            Thing::Statistic(_) => p { a href="/statistics" { "Back to the statistics" } },
            Thing::Release(id) => p { a href={ "/answers/" (id) } { "Back to the answer" } },
        }
    }
}
