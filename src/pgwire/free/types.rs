//! The types that SQL names.

use sqlparser::ast::{ArrayElemTypeDef, DataType};

use super::error::{FreeError, NO_TYPE};
use super::kind::{Base, Kind};

/// The type of `::`, `CAST` and typed literals.
///
/// # Errors
/// [`NO_TYPE`] if there is no such type.
pub(super) fn kind_of(of: &DataType) -> Result<Kind, FreeError> {
    if let DataType::Array(
        ArrayElemTypeDef::SquareBracket(inner, _)
        | ArrayElemTypeDef::AngleBracket(inner)
        | ArrayElemTypeDef::Parenthesis(inner)
        | ArrayElemTypeDef::Qualified(inner, _),
    ) = of
    {
        return Ok(Kind::array(kind_of(inner)?.base));
    }
    let shown = of.to_string().to_lowercase();
    let plain = without_lengths(&shown);
    let plain = plain.trim_start_matches("pg_catalog.").trim_start_matches("\"pg_catalog\".");
    let plain = plain.trim_start_matches("information_schema.");
    let (plain, is_array) = plain.strip_suffix("[]").map_or((plain, false), |plain| (plain, true));
    // Without quotation marks it is a text of a fixed length.
    let kind = match plain {
        "char" => Some(Kind::of(Base::Varchar)),
        plain => Kind::named(plain.trim_matches('"')),
    };
    let kind = kind.map(|kind| if is_array { Kind::array(kind.base) } else { kind });
    kind.ok_or_else(|| FreeError::new(NO_TYPE, format!("type \"{plain}\" does not exist")))
}

/// Leaves out what stands in parentheses: `varchar(20)` is a `varchar`.
fn without_lengths(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            letter if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}
