//! Forms that come back: what was typed into them stands there again, and what is wrong with it stands at its field.
//!
//! Every form of a page is written with [`FormFields`], so that a page is the same whether it is opened or comes back.

use std::cell::Cell;
use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::render::frame::csrf;

/// A form that was sent and refused. It holds no secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefusedForm {
    /// The path that it was sent to.
    pub action: String,
    /// What was typed, by the names of fields.
    pub values: BTreeMap<String, String>,
    /// The name of the field that is wrong; empty if the fault is none of a single field.
    pub field: &'static str,
    /// What is wrong, and what would be accepted.
    pub detail: String,
    /// Whether the page has said so, at the form or at its field.
    pub is_told: Cell<bool>,
}

/// The forms of a page: the secret that they carry, and the one among them that was refused.
#[derive(Debug, Clone, Copy)]
pub struct Forms<'a> {
    /// The secret that forms must carry.
    pub token: &'a str,
    /// The form that was refused; `None` if the page was just opened.
    pub refused: Option<&'a RefusedForm>,
}

/// The fields of one form of a page.
#[derive(Debug, Clone)]
pub struct FormFields<'a> {
    token: &'a str,
    id: String,
    refused: Option<&'a RefusedForm>,
}

impl<'a> Forms<'a> {
    /// The form that is sent to a path, if there is one of them on the page.
    #[must_use]
    pub fn at(self, action: &str) -> FormFields<'a> {
        self.about(action, "", "")
    }

    /// The whole page, of which these forms are a part. What is wrong stands above it if the form that was refused is no longer on it.
    #[must_use]
    pub fn whole(self, page: Markup) -> Markup {
        let lost = self.refused.filter(|refused| !refused.is_told.get());
        html! {
            @if let Some(refused) = lost { p.note.bad role="alert" { (refused.detail) } }
            (page)
        }
    }

    /// The form that is sent to a path, among others that differ in a hidden field.
    #[must_use]
    pub fn about(self, action: &str, field: &str, value: &str) -> FormFields<'a> {
        let is_it = |refused: &&RefusedForm| {
            let sent = refused.values.get(field).map_or("", String::as_str);
            refused.action == action && (field.is_empty() || sent == value)
        };
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let id = format!("fault{action}-{value}").chars().map(plain).collect();
        FormFields { token: self.token, id, refused: self.refused.filter(is_it) }
    }
}

impl FormFields<'_> {
    /// What every form begins with: its secret, and what is wrong with it unless that stands at one of the fields that it shows.
    #[must_use]
    pub fn begin(&self, shown: &[&str]) -> Markup {
        html! {
            (csrf(self.token))
            @if let Some(refused) = self.refused.filter(|refused| !shown.contains(&refused.field)) {
                p.note.bad role="alert" { (told(refused)) }
            }
        }
    }

    /// Whether the form has come back, so that it must not be folded away.
    #[must_use]
    pub fn has_come_back(&self) -> bool {
        self.refused.is_some()
    }

    /// What was typed into a field; empty on a page that was just opened.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.text_or(name, "")
    }

    /// What was typed into a field, or what stands in it on a page that was just opened.
    #[must_use]
    pub fn text_or<'b>(&'b self, name: &str, otherwise: &'b str) -> &'b str {
        match self.refused {
            Some(refused) => refused.values.get(name).map_or("", String::as_str),
            None => otherwise,
        }
    }

    /// Whether a choice or a box with this value is chosen; `otherwise` on a page that was just opened.
    #[must_use]
    pub fn is_chosen(&self, name: &str, value: &str, otherwise: bool) -> bool {
        match self.refused {
            Some(refused) => refused.values.get(name).is_some_and(|chosen| chosen == value),
            None => otherwise,
        }
    }

    fn fault(&self, name: &str) -> Option<&RefusedForm> {
        self.refused.filter(|refused| refused.field == name)
    }

    /// Whether a field is what is wrong.
    #[must_use]
    pub fn is_wrong(&self, name: &str) -> bool {
        self.fault(name).is_some()
    }

    /// The value of a field's `aria-invalid`, if it is what is wrong.
    #[must_use]
    pub fn invalid(&self, name: &str) -> Option<&'static str> {
        self.is_wrong(name).then_some("true")
    }

    /// The value of a field's `aria-describedby`, if something is wrong with it.
    #[must_use]
    pub fn described(&self, name: &str) -> Option<&str> {
        self.is_wrong(name).then_some(self.id.as_str())
    }

    /// What is wrong with a field, to be put behind it.
    #[must_use]
    pub fn says(&self, name: &str) -> Markup {
        html! { @if let Some(fault) = self.fault(name) { small.fault id=(self.id) role="alert" { (told(fault)) } } }
    }

    /// A field for one line of text. `kind` is its type in HTML, `most` the largest number of characters.
    #[must_use]
    pub fn line(
        &self,
        (name, kind): (&str, &str),
        otherwise: &str,
        (is_required, most): (bool, Option<usize>),
    ) -> Markup {
        let mode = match kind {
            "decimal" | "numeric" => Some(kind),
            _ => None,
        };
        html! {
            input type=(if mode.is_some() { "text" } else { kind }) inputmode=[mode] name=(name)
                value=(self.text_or(name, otherwise)) required[is_required] maxlength=[most] autocomplete="off"
                aria-invalid=[self.invalid(name)] aria-describedby=[self.described(name)] autofocus[self.is_wrong(name)];
            (self.says(name))
        }
    }
}

/// What is wrong, which the page says now.
fn told(refused: &RefusedForm) -> &str {
    refused.is_told.set(true);
    &refused.detail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> RefusedForm {
        let values = [("dataset", "visits"), ("epsilon", "<many>"), ("kind", "project")];
        RefusedForm {
            action: "/grants".to_owned(),
            values: values.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            field: "epsilon",
            detail: "epsilon: \"<many>\" is no number".to_owned(),
            is_told: Cell::new(false),
        }
    }

    #[test]
    fn what_was_typed_stands_in_the_form_that_was_sent_and_in_no_other() {
        let refused = refused();
        let forms = Forms { token: "t", refused: Some(&refused) };
        let sent = forms.about("/grants", "dataset", "visits");
        assert!(sent.has_come_back() && sent.is_chosen("kind", "project", false));
        assert_eq!((sent.text("epsilon"), sent.text_or("reason", "other")), ("<many>", ""));
        let line = sent.line(("epsilon", "decimal"), "", (true, None)).into_string();
        for part in [
            "value=\"&lt;many&gt;\"",
            "inputmode=\"decimal\"",
            "aria-invalid=\"true\"",
            "aria-describedby=\"fault-grants-visits\"",
            "id=\"fault-grants-visits\"",
            "autofocus",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(!sent.begin(&["epsilon"]).into_string().contains("note"), "it stands at its field");
        assert!(sent.begin(&["reason"]).into_string().contains("is no number"), "no such field is shown");
        assert!(!forms.whole(html! {}).into_string().contains("note"), "it was told");
        refused.is_told.set(false);
        assert!(forms.whole(html! {}).into_string().contains("is no number"), "the form is not on the page");
        for other in [forms.about("/grants", "dataset", "births"), forms.at("/people")] {
            assert!(!other.has_come_back() && other.text("epsilon").is_empty() && !other.is_wrong("epsilon"));
            assert_eq!(other.text_or("reason", "other"), "other");
        }
    }
}
