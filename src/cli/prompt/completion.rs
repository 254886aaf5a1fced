//! What may come next in a line of the prompt: commands, tables, columns, values and functions, all of them public.

use std::collections::BTreeSet;

use super::session::commands;
use crate::client::catalogue::Catalogue;
use crate::query::functions::FUNCTIONS;

/// Largest number of candidates that are offered at once.
const OFFERED_MAX: usize = 200;

/// Words of SQL that questions are made of.
const WORDS: [&str; 29] = [
    "AND", "AS", "BETWEEN", "BY", "CASE", "CUBE", "DISTINCT", "ELSE", "END", "EXPLAIN", "FILTER", "FROM", "GROUP",
    "HAVING", "IN", "IS", "JOIN", "LIMIT", "NOT", "NULL", "OR", "ORDER", "OVER", "ROLLUP", "SELECT", "THEN", "USING",
    "WHEN", "WHERE ",
];

/// The functions that are offered, with the parenthesis that follows them.
fn functions() -> impl Iterator<Item = String> {
    FUNCTIONS.iter().filter(|(name, _)| !name.contains('(')).map(|(name, _)| format!("{name}("))
}

/// Everything that lines are completed with.
#[derive(Debug, Clone, Default)]
pub(super) struct Completions {
    tables: BTreeSet<String>,
    columns: BTreeSet<String>,
    /// Columns with their listed values.
    values: Vec<(String, Vec<String>)>,
}

impl Completions {
    /// What a catalogue offers.
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let mut all = Self::default();
        for (dataset, table) in catalogue.tables() {
            all.tables.insert(table.name.clone());
            if dataset.name != table.name {
                all.tables.insert(format!("{}.{}", dataset.name, table.name));
            }
            all.columns.insert(dataset.privacy_unit.clone());
            for column in &table.columns {
                all.columns.insert(column.name.clone());
                all.values.extend(column.values.clone().map(|values| (column.name.clone(), values)));
            }
        }
        all
    }

    /// The candidates for the end of a line, and the byte at which what they replace begins.
    pub(super) fn candidates(&self, line: &str) -> (usize, Vec<String>) {
        let (start, mut found) = match line.trim_start().strip_prefix('\\') {
            Some(command) => self.of_command(line, command),
            None => match text_begun(line) {
                Some(quote) => (quote + 1, self.of_values(&line[..quote], &line[quote + 1..])),
                None => self.of_words(line),
            },
        };
        found.truncate(OFFERED_MAX);
        (start, found)
    }

    fn of_command(&self, line: &str, command: &str) -> (usize, Vec<String>) {
        match command.split_once(char::is_whitespace) {
            None => {
                let names = commands().map(|(name, ..)| name).filter(|name| name.starts_with(command));
                (line.len() - command.len(), names.map(str::to_owned).collect())
            }
            Some(("d", typed)) => (line.len() - typed.len(), beginning(self.tables.iter(), typed)),
            Some(("quote", _)) => self.of_words(line),
            Some(_) => (line.len(), Vec::new()),
        }
    }

    /// Values of the column that was named last, or of all columns if none was.
    fn of_values(&self, before: &str, typed: &str) -> Vec<String> {
        let words = before.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        let named = words.rev().find(|word| self.values.iter().any(|(column, _)| column.eq_ignore_ascii_case(word)));
        let is_meant = |column: &str| named.is_none_or(|named| column.eq_ignore_ascii_case(named));
        let values = self.values.iter().filter(|(column, _)| is_meant(column)).flat_map(|(_, values)| values);
        let found: BTreeSet<String> = beginning(values, typed).into_iter().collect();
        found.into_iter().map(|value| format!("{}'", value.replace('\'', "''"))).collect()
    }

    fn of_words(&self, line: &str) -> (usize, Vec<String>) {
        let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
        let start = line.char_indices().rev().take_while(|(_, letter)| is_word(*letter)).last();
        let start = start.map_or(line.len(), |(at, _)| at);
        let typed = &line[start..];
        let before = line[..start].trim_end().to_lowercase();
        let wants_table = ["from", "join"].iter().any(|word| before.ends_with(word));
        if wants_table {
            return (start, beginning(self.tables.iter(), typed));
        }
        if typed.is_empty() {
            return (start, Vec::new());
        }
        let mut found = beginning(self.columns.iter(), typed);
        found.extend(beginning(self.tables.iter(), typed));
        let mut words: Vec<String> = functions().chain(WORDS.map(str::to_owned)).collect();
        words.sort_unstable();
        found.extend(beginning(words.iter(), typed));
        found.dedup();
        (start, found)
    }
}

/// The place of the quotation mark that opens a text which is not closed.
fn text_begun(line: &str) -> Option<usize> {
    let quotes: Vec<usize> = line.match_indices('\'').map(|(at, _)| at).collect();
    quotes.last().copied().filter(|_| quotes.len() % 2 == 1)
}

fn beginning(all: impl Iterator<Item = impl AsRef<str>>, typed: &str) -> Vec<String> {
    let typed = typed.to_lowercase();
    all.filter(|one| one.as_ref().to_lowercase().starts_with(&typed)).map(|one| one.as_ref().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completions() -> Completions {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        Completions {
            tables: names(&["person", "omop.person", "visits"]),
            columns: names(&["region", "sex", "cost"]),
            values: vec![
                ("region".to_owned(), vec!["north".to_owned(), "east".to_owned()]),
                ("sex".to_owned(), vec!["female".to_owned(), "other".to_owned(), "o'clock".to_owned()]),
            ],
        }
    }

    #[test]
    fn lines_are_completed_with_what_fits_there() {
        let check = |line: &str, start: usize, expected: &[&str]| {
            let (at, found) = completions().candidates(line);
            assert_eq!(
                (at, found.iter().map(String::as_str).collect::<Vec<_>>()),
                (start, expected.to_vec()),
                "{line}"
            );
        };
        check("\\b", 1, &["budget"]);
        check("\\d p", 3, &["person"]);
        check("SELECT re", 7, &["region", "REGR_INTERCEPT(", "REGR_SLOPE("]);
        check("SELECT a FROM ", 14, &["omop.person", "person", "visits"]);
        check("SELECT a FROM omop.", 14, &["omop.person"]);
        check("SELECT a FROM visits WHERE region = '", 37, &["east'", "north'"]);
        check("SELECT a FROM visits WHERE region = 'north' AND sex IN ('o", 57, &["o''clock'", "other'"]);
        check("SELECT a FROM visits WHERE x = 'n", 32, &["north'"]);
        check("SELECT med", 7, &["MEDIAN("]);
        check("SELECT ", 7, &[]);
        check("\\quote SELECT co", 14, &["cost", "COALESCE(", "CORR(", "COUNT(", "COVAR_POP(", "COVAR_SAMP("]);
    }
}
