//! The operator: who runs a server, as the transparency page names them.
//!
//! Promises that what the page says about an operator is exactly what the operator wrote: no text has a default.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::fault::ConfigFault;

/// Maximum number of characters in one text.
pub const TEXT_CHARS_MAX: usize = 500;

/// Who runs a server, in their own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Name of the person or organisation.
    pub name: String,
    /// How to reach them: an e-mail address, a telephone number or a web page.
    pub contact: Option<String>,
    /// Their postal address.
    pub address: Option<String>,
    /// The legal basis on which they use the data.
    pub basis: Option<String>,
    /// What people must do to be left out of the data.
    pub withdraw: Option<String>,
}

/// The serde shape of `[operator]`, before anything in it is checked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorFile {
    /// Who runs the server.
    #[schemars(with = "String", length(min = 1, max = TEXT_CHARS_MAX))]
    name: Spanned<String>,
    /// How to reach them.
    #[schemars(with = "Option<String>", length(min = 1, max = TEXT_CHARS_MAX))]
    contact: Option<Spanned<String>>,
    /// Their postal address.
    #[schemars(with = "Option<String>", length(min = 1, max = TEXT_CHARS_MAX))]
    address: Option<Spanned<String>>,
    /// The legal basis on which they use the data.
    #[schemars(with = "Option<String>", length(min = 1, max = TEXT_CHARS_MAX))]
    basis: Option<Spanned<String>>,
    /// What to do to be left out of the data.
    #[schemars(with = "Option<String>", length(min = 1, max = TEXT_CHARS_MAX))]
    withdraw: Option<Spanned<String>>,
}

pub(super) fn take(file: &OperatorFile) -> Result<Operator, ConfigFault> {
    let optional = |key, text: &Option<Spanned<String>>| text.as_ref().map(|text| said(key, text)).transpose();
    Ok(Operator {
        name: said("name", &file.name)?,
        contact: optional("contact", &file.contact)?,
        address: optional("address", &file.address)?,
        basis: optional("basis", &file.basis)?,
        withdraw: optional("withdraw", &file.withdraw)?,
    })
}

/// Checks a text: it must not be blank or too long. Returns it without surrounding blanks; line ends are accepted within it.
fn said(key: &str, text: &Spanned<String>) -> Result<String, ConfigFault> {
    let (at, trimmed) = (text.span().start, text.get_ref().trim());
    let chars = if trimmed.is_empty() { 0 } else { text.get_ref().chars().count() };
    if chars == 0 || chars > TEXT_CHARS_MAX {
        return Err((at, format!("{key} has {chars} characters; accepted are 1 to {TEXT_CHARS_MAX}")));
    }
    if trimmed.chars().any(|c| c.is_control() && c != '\n') {
        return Err((
            at,
            format!("{key} holds a control character; accepted are letters, signs, spaces and ends of lines"),
        ));
    }
    Ok(trimmed.to_owned())
}
