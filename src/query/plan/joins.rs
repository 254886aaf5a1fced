//! Joins with tables of one row per unit, which were resolved when the dataset was sealed.
//!
//! Promises row-local steps: a joined column is one more column of each row, with the unit's own value, and `JOIN` without `LEFT` is a
//! condition on whether the unit has such a row. So removing a unit changes no other unit's rows, and all sensitivities are unchanged.

use std::borrow::Cow;

use crate::query::canonical::presence;
use crate::query::error::{Code, QueryError, nearest, shown};
use crate::query::filter::Filter;
use crate::query::syntax::{Name, Query};
use crate::query::term::context::TermContext;
use crate::query::terms::policy::{JoinedTable, Terms};

/// The tables that a question joins.
pub(super) struct Joins<'a> {
    /// The dataset's terms with the joined columns.
    pub(super) terms: Cow<'a, Terms>,
    /// The joined tables, by their index in the terms, each with whether it is a left join.
    pub(super) tables: Vec<(usize, bool)>,
}

impl<'a> Joins<'a> {
    /// Resolves the tables that a question joins.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] for an unknown table, a table that is joined twice, or a column in USING other than the unit.
    pub(super) fn of(query: &Query, terms: &'a Terms) -> Result<Self, QueryError> {
        let mut tables: Vec<(usize, bool)> = Vec::with_capacity(query.joins.len());
        for join in &query.joins {
            let names = terms.joins.iter().map(|join| join.name.as_str());
            let refused = |message: String| Err(QueryError::at(Code::UnsupportedSql, join.name.at, message));
            let Some(place) = terms.joins.iter().position(|known| known.name == join.name.text) else {
                let message = format!(
                    "\"{}\" is joined with no table \"{}\"",
                    shown(&query.dataset.text),
                    shown(&join.name.text)
                );
                let hint = match (nearest(&join.name.text, names.clone()), names.clone().next()) {
                    (Some(near), _) => format!("did you mean \"{near}\"?"),
                    (None, Some(_)) => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
                    (None, None) => "its policy declares none; a table with many rows per unit comes first".to_owned(),
                };
                return refused(message).map_err(|error| error.hint(hint));
            };
            if tables.iter().any(|(known, _)| *known == place) {
                return refused(format!("\"{}\" is joined twice", shown(&join.name.text)));
            }
            if terms.unit_column() != Some(join.using.text.as_str()) {
                let unit = terms.unit_column().unwrap_or("row");
                let message =
                    format!("tables are joined by the privacy unit, and \"{}\" is not it", shown(&join.using.text));
                return Err(
                    QueryError::at(Code::UnsupportedSql, join.using.at, message).hint(format!("write USING ({unit})"))
                );
            }
            tables.push((place, join.is_left));
        }
        tables.sort_unstable();
        Ok(Self { terms: terms.joined(&tables), tables })
    }

    /// Extends a condition by the requirement that the unit has a row in every inner-joined table.
    pub(super) fn condition(&self, filter: Option<Filter>, known: &TermContext<'_>) -> Option<Filter> {
        let inner = self.tables.iter().filter(|(_, is_left)| !is_left);
        let presences: Vec<Filter> = inner.map(|(place, _)| presence(&self.terms, *place)).collect();
        if presences.is_empty() {
            return filter;
        }
        Some(Filter::All(filter.into_iter().chain(presences).collect()).simplest(known))
    }
}

/// Adds a hint to the error for an unknown column, if joining a table would provide it.
pub(super) fn unjoined(error: QueryError, name: &Name, terms: &Terms) -> QueryError {
    let has = |join: &&JoinedTable| terms.columns[join.places()].iter().any(|column| column.name == name.text);
    match (terms.joins.iter().find(has), terms.unit_column()) {
        (Some(join), Some(unit)) => {
            error.hint(format!("it is one of {0}: write FROM … JOIN {0} USING ({unit})", join.name))
        }
        _ => error,
    }
}
