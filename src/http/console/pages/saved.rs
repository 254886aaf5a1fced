//! Saved questions on the page for asking: the list, and the field that gives a question its name.

use maud::{Markup, html};

use crate::render::frame::csrf;
use crate::service::asking::saved::NAME_CHARS_MAX;

/// A saved question: its name, and the address that fills the form with it.
pub struct SavedLine {
    /// The name that its owner gave it.
    pub name: String,
    /// The address of the form, filled with the question.
    pub place: String,
}

/// The fields that save what is in the form for asking, of which they are a part.
#[must_use]
pub fn saving() -> Markup {
    html! {
        details {
            summary { "Save this question" }
            div.row.end {
                label { "Name" input type="text" name="name" maxlength=(NAME_CHARS_MAX); }
                button type="submit" name="do" value="save" { "Save" }
            }
        }
    }
}

/// The saved questions of a researcher.
#[must_use]
pub fn list(token: &str, saved: &[SavedLine]) -> Markup {
    html! {
        @if !saved.is_empty() {
            section.card {
                h2 { "Your saved questions" }
                ul.plain {
                    @for line in saved {
                        li.row {
                            a href=(line.place) { (line.name) }
                            form.inline method="post" action="/ask/forget" {
                                (csrf(token))
                                input type="hidden" name="name" value=(line.name);
                                button.insert type="submit" aria-label={ "Delete the saved question " (line.name) } { "Delete" }
                            }
                        }
                    }
                }
            }
        }
    }
}
