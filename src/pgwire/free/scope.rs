//! What the names in a query mean, from the inside out.

use sqlparser::ast::Ident;

use super::error::{AMBIGUOUS, FreeError, NO_COLUMN};
use super::kind::Kind;

/// A column that can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Name by which statements refer to the column.
    pub(super) name: String,
    /// How SQLite's SQL names it.
    pub(super) sql: String,
    /// The column's type, from which the types of expressions over it follow.
    pub(super) kind: Kind,
}

/// An item of FROM.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    /// The name by which columns are qualified.
    pub(super) alias: String,
    /// The schema, for names with three parts.
    pub(super) schema: Option<String>,
    /// The columns that the table offers, in the order of `SELECT *`.
    pub(super) fields: Vec<Field>,
    /// Columns that have a name but do not stand in `*`.
    pub(super) hidden: Vec<Field>,
}

/// The names of a query, inside of those of another one.
#[derive(Default)]
pub(super) struct Scope<'p> {
    /// The items of FROM.
    pub(super) items: Vec<Item>,
    /// Columns that several items share, because they were joined by them.
    pub(super) shared: Vec<Field>,
    /// The query around.
    pub(super) outer: Option<&'p Scope<'p>>,
}

/// A name as SQL takes it: folded to lower case unless it is in quotation marks.
pub(super) fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

impl<'p> Scope<'p> {
    /// An empty scope inside of another one.
    pub(super) fn inside(outer: Option<&'p Scope<'p>>) -> Self {
        Self { outer, ..Self::default() }
    }

    /// The column of a name, which may be qualified by a table and a schema.
    pub(super) fn field(&self, name: &[Ident]) -> Result<Field, FreeError> {
        let Some(last) = name.last() else { return Err(FreeError::unsupported("an empty name")) };
        let wanted = folded(last);
        let above: Vec<String> = name[..name.len() - 1].iter().map(folded).collect();
        let mut scope = Some(self);
        while let Some(here) = scope {
            let found = here.found(&wanted, &above);
            match found.as_slice() {
                [] => scope = here.outer,
                [one] => return Ok(one.clone()),
                _ => {
                    let error = FreeError::new(AMBIGUOUS, format!("column reference \"{wanted}\" is ambiguous"));
                    return Err(error.at(last.span.start));
                }
            }
        }
        let shown = name.iter().map(folded).collect::<Vec<_>>().join(".");
        let shown = if above.is_empty() { format!("\"{shown}\"") } else { shown };
        Err(FreeError::new(NO_COLUMN, format!("column {shown} does not exist")).at(name[0].span.start))
    }

    fn found(&self, wanted: &str, above: &[String]) -> Vec<Field> {
        if above.is_empty()
            && let Some(shared) = self.shared.iter().find(|field| field.name == wanted)
        {
            return vec![shared.clone()];
        }
        let is_meant = |item: &&Item| match above {
            [] => true,
            [alias] => item.alias == *alias,
            [.., schema, alias] => item.alias == *alias && item.schema.as_ref() == Some(schema),
        };
        let fields = self.items.iter().filter(is_meant).flat_map(|item| &item.fields);
        let found: Vec<Field> = fields.filter(|field| field.name == wanted).cloned().collect();
        if !found.is_empty() {
            return found;
        }
        let hidden = self.items.iter().filter(is_meant).flat_map(|item| &item.hidden);
        hidden.filter(|field| field.name == wanted).cloned().collect()
    }

    /// The columns of `*`: shared ones first, then the others of each item.
    pub(super) fn all(&self) -> Vec<Field> {
        let others = self.items.iter().flat_map(|item| &item.fields);
        let others = others.filter(|field| !self.shared.iter().any(|shared| shared.name == field.name));
        self.shared.iter().chain(others).cloned().collect()
    }
}
