//! The fields of a column in the form of the editor of policies, as a steward typed them.

use super::session::Form;
use crate::http::console::pages::policy_columns::ColumnForm;
use crate::query::terms::policy::editing::ColumnFields;

/// The form as it was typed; `None` if no column was being changed.
pub(super) fn typed(form: &Form) -> Option<ColumnForm> {
    let place = form.text("column").parse().ok()?;
    let text = |name: &str| form.text(name).to_owned();
    let lines = |name: &str| -> Vec<String> {
        let lines = form.text(name).lines().map(str::trim_end);
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let label = |line: String| {
        let (text, value) = line.split_once(" = ").unwrap_or((&line, ""));
        (text.to_owned(), value.to_owned())
    };
    let fields = ColumnFields {
        name: text("c_name"),
        title: text("c_title"),
        r#type: text("c_type"),
        values: lines("c_values"),
        labels: lines("c_labels").into_iter().map(label).collect(),
        values_from: text("c_values_from"),
        min: text("c_min"),
        max: text("c_max"),
        step: text("c_step"),
        format: text("c_format"),
        max_values: text("c_max_values"),
        per_unit: form.some("c_per_unit").is_some(),
        nullable: form.some("c_nullable").is_some(),
    };
    Some(ColumnForm { place, fields })
}
