//! What a session has set: PostgreSQL's own parameters as far as clients look at them, and how accurate answers should be.
//!
//! Promises that a value is checked when it is set, that a transaction that is rolled back leaves nothing set, and that no parameter changes
//! what anybody is charged beyond what they named. It knows no connection.

use std::collections::BTreeMap;

use super::fault::{DoorFault, state};
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::error::shown;
use crate::service::asking::ask::{Ask, AskFault, MarginText, RequestedAccuracy};

/// Version of PostgreSQL that the door speaks as.
pub const SERVER_VERSION: &str = "15.0";
/// Largest number of parameters of a session, and largest length of a value, in bytes.
const SETTINGS_MAX: usize = 512;
const VALUE_BYTES_MAX: usize = 4 << 10;

/// The accuracy as ε.
pub const EPSILON: &str = "tacit.epsilon";
/// The accuracy as a margin: `25`, or by output, `visits = 25, mean_cost = 3`.
pub const MARGIN: &str = "tacit.margin";
/// The declared purpose.
pub const PURPOSE: &str = "tacit.purpose";
/// The most that the session may spend of a dataset, as ε.
pub const SPEND_LIMIT: &str = "tacit.spend_limit";
const OWN: [&str; 4] = [EPSILON, MARGIN, PURPOSE, SPEND_LIMIT];

/// Parameters with their values at the beginning; those that cannot be set come first.
const FIXED: [(&str, &str); 11] = [
    ("server_version", SERVER_VERSION),
    ("server_version_num", "150000"),
    ("server_encoding", "UTF8"),
    ("integer_datetimes", "on"),
    ("is_superuser", "off"),
    ("in_hot_standby", "off"),
    ("max_index_keys", "32"),
    ("max_identifier_length", "63"),
    ("block_size", "8192"),
    ("lc_collate", "C.UTF-8"),
    ("lc_ctype", "C.UTF-8"),
];
const FREE: [(&str, &str); 47] = [
    ("application_name", ""),
    ("backslash_quote", "safe_encoding"),
    ("bytea_output", "hex"),
    ("check_function_bodies", "on"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("constraint_exclusion", "partition"),
    ("cursor_tuple_fraction", "0.1"),
    ("datestyle", "ISO, MDY"),
    ("default_table_access_method", "heap"),
    ("default_tablespace", ""),
    ("default_transaction_deferrable", "off"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
    ("effective_cache_size", "524288"),
    ("enable_hashjoin", "on"),
    ("enable_nestloop", "on"),
    ("enable_seqscan", "on"),
    ("escape_string_warning", "on"),
    ("extra_float_digits", "1"),
    ("geqo", "on"),
    ("gin_fuzzy_search_limit", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("intervalstyle", "postgres"),
    ("jit", "off"),
    ("join_collapse_limit", "8"),
    ("lc_messages", "C.UTF-8"),
    ("lc_monetary", "C.UTF-8"),
    ("lc_numeric", "C.UTF-8"),
    ("lc_time", "C.UTF-8"),
    ("lock_timeout", "0"),
    ("max_parallel_workers_per_gather", "0"),
    ("quote_all_identifiers", "off"),
    ("random_page_cost", "4"),
    ("role", "none"),
    ("row_security", "on"),
    ("session_replication_role", "origin"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("synchronize_seqscans", "on"),
    ("synchronous_commit", "on"),
    ("temp_tablespaces", ""),
    ("timezone", "UTC"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "off"),
    ("work_mem", "4096"),
];
/// Parameters whose values clients are told whenever they change, as PostgreSQL spells them.
const REPORTED: [&str; 13] = [
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

/// The parameters of a session, by their names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<String, String>,
    /// The values that RESET goes back to: those of the connection.
    begun: BTreeMap<String, String>,
    /// The values to go back to at the end of the transaction, for what was set for it alone.
    local: BTreeMap<String, Option<String>>,
}

impl super::free::Settings for Settings {
    fn get(&self, name: &str) -> Option<&str> {
        Self::get(self, name)
    }
}

impl Settings {
    /// The parameters of a session of this person in this database, as they are at first.
    #[must_use]
    pub fn new(person: &str, database: &str) -> Self {
        let pairs = FIXED.into_iter().chain(FREE).map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut values: BTreeMap<String, String> = pairs.collect();
        values.insert("session_authorization".to_owned(), person.to_owned());
        values.insert("search_path".to_owned(), format!("\"{}\", published", database.replace('"', "\"\"")));
        Self { begun: values.clone(), values, local: BTreeMap::new() }
    }

    /// The value of a parameter, whose name is compared without case; `None` if nothing of this name is set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&name.to_lowercase()).map(String::as_str)
    }

    /// All parameters and their values, ordered by name.
    #[must_use]
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// The schemas of the search path, without the quotes around their names.
    #[must_use]
    pub fn search_path(&self) -> Vec<String> {
        let path = self.get("search_path").unwrap_or_default();
        let name = |part: &str| {
            let part = part.trim();
            match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
                Some(quoted) => quoted.replace("\"\"", "\""),
                None => part.to_lowercase(),
            }
        };
        path.split(',').map(name).filter(|name| !name.is_empty()).collect()
    }

    /// Ends the beginning of the session: what is set now is what RESET goes back to.
    pub(super) fn begin(&mut self) {
        self.begun = self.values.clone();
    }

    /// Sets a parameter; `None` goes back to what it was at the beginning. If `is_local`, only until the transaction ends.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>, is_local: bool) -> Result<(), DoorFault> {
        let name = name.to_lowercase();
        if FIXED.iter().any(|(fixed, _)| *fixed == name) || name == "session_authorization" {
            return Err(DoorFault::new("55P02", format!("parameter \"{name}\" cannot be changed")));
        }
        let is_known = self.begun.contains_key(&name) || name.contains('.');
        let is_own = OWN.contains(&name.as_str());
        if !is_known || (name.starts_with("tacit.") && !is_own) || name.len() > VALUE_BYTES_MAX {
            let message = format!("unrecognized configuration parameter \"{}\"", shown(&name));
            return Err(DoorFault::new(state::NO_OBJECT, message).hint(format!("Tacit's own are {}", OWN.join(", "))));
        }
        let wanted = match value {
            Some(value) => Some(self.checked(&name, value)?),
            None => self.begun.get(&name).cloned(),
        };
        if self.values.len() >= SETTINGS_MAX && !self.values.contains_key(&name) {
            return Err(DoorFault::new(state::TOO_MUCH, format!("a session has at most {SETTINGS_MAX} parameters")));
        }
        // The accuracy that was said last counts.
        let other = if name == EPSILON { MARGIN } else { EPSILON };
        if matches!(name.as_str(), EPSILON | MARGIN) && wanted.is_some() {
            self.put(other, None, is_local);
        }
        self.put(&name, wanted, is_local);
        Ok(())
    }

    fn put(&mut self, name: &str, value: Option<String>, is_local: bool) {
        let before = match value {
            Some(value) => self.values.insert(name.to_owned(), value),
            None => self.values.remove(name),
        };
        match is_local {
            true => {
                self.local.entry(name.to_owned()).or_insert(before);
            }
            false => {
                self.local.remove(name);
            }
        }
    }

    /// Goes back to what was set at the beginning, in everything.
    pub(super) fn reset_all(&mut self) {
        (self.values, self.local) = (self.begun.clone(), BTreeMap::new());
    }

    /// Ends a transaction: what was set for it alone is as it was before.
    pub(super) fn end(&mut self) {
        for (name, before) in std::mem::take(&mut self.local) {
            match before {
                Some(before) => self.values.insert(name, before),
                None => self.values.remove(&name),
            };
        }
    }

    /// The parameters that clients are told of, as they spell them, with their values.
    pub(super) fn reported(&self) -> impl Iterator<Item = (&'static str, &str)> {
        REPORTED.into_iter().map(|name| (name, self.get(name).unwrap_or_default()))
    }

    /// The value as it is kept, provided that it is one of this parameter.
    fn checked(&self, name: &str, value: &str) -> Result<String, DoorFault> {
        let invalid =
            |why: &str| DoorFault::new(state::INVALID_VALUE, format!("invalid value for parameter \"{name}\": {why}"));
        if value.len() > VALUE_BYTES_MAX || value.contains('\0') {
            return Err(invalid("it is too long"));
        }
        match name {
            EPSILON | SPEND_LIMIT if !value.is_empty() => {
                Epsilon::parse(value).map_err(|fault| invalid(&fault.to_string()))?;
            }
            MARGIN if !value.is_empty() => {
                RequestedAccuracy::new(None, Some(&margin_text(value))).map_err(|fault| invalid(&fault.to_string()))?;
            }
            PURPOSE => {
                let ask = Ask {
                    sql: String::new(),
                    accuracy: None,
                    rows_per_unit: None,
                    group_size: None,
                    purpose: Some(value.to_owned()),
                };
                ask.checked().map_err(|fault| invalid(&fault.to_string()))?;
            }
            "client_encoding" => {
                let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
                if !matches!(plain.to_lowercase().as_str(), "utf8" | "unicode" | "sqlascii" | "default") {
                    return Err(invalid("accepted is UTF8"));
                }
                return Ok("UTF8".to_owned());
            }
            "datestyle" => {
                if !value.to_lowercase().contains("iso") {
                    return Err(invalid("accepted is ISO"));
                }
                return Ok("ISO, MDY".to_owned());
            }
            "standard_conforming_strings" if !matches!(value.to_lowercase().as_str(), "on" | "true" | "1" | "yes") => {
                return Err(invalid("accepted is on"));
            }
            _ => {}
        }
        Ok(value.to_owned())
    }

    /// How accurate an answer should be, as the session has it.
    pub(super) fn accuracy(&self) -> Result<Option<RequestedAccuracy>, AskFault> {
        let said = |name: &str| self.get(name).filter(|value| !value.is_empty());
        RequestedAccuracy::new(said(EPSILON), said(MARGIN).map(margin_text).as_ref())
    }

    /// The declared purpose, if there is one.
    pub(super) fn purpose(&self) -> Option<String> {
        self.get(PURPOSE).filter(|purpose| !purpose.is_empty()).map(str::to_owned)
    }

    /// The most that the session may spend of a dataset; `None` if that was not limited.
    pub(super) fn spend_limit(&self) -> Option<Epsilon> {
        Epsilon::parse(self.get(SPEND_LIMIT)?).ok()
    }

    /// The longest time that a statement may take; `None` if that was not limited.
    pub(super) fn statement_ms_max(&self) -> Option<u64> {
        let text = self.get("statement_timeout")?.trim();
        let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let scale = match unit.trim() {
            "s" => 1_000,
            "min" => 60_000,
            _ => 1,
        };
        digits.parse::<u64>().ok().map(|number| number.saturating_mul(scale)).filter(|ms| *ms > 0)
    }
}

/// A margin as it is written: a number, or numbers by output.
pub(super) fn margin_text(text: &str) -> MarginText {
    let pairs: Option<Vec<(String, String)>> = text
        .split(',')
        .map(|pair| pair.rsplit_once('=').map(|(name, margin)| (name.trim().to_owned(), margin.trim().to_owned())))
        .collect();
    pairs.map_or_else(|| MarginText::Every(text.trim().to_owned()), MarginText::Named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accuracy_that_was_said_last_counts_until_the_transaction_ends() {
        let mut settings = Settings::new("ada", "visits");
        assert_eq!(settings.accuracy(), Ok(None));
        settings.set("tacit.epsilon", Some("0.1"), false).expect("an epsilon");
        let epsilon = settings.accuracy();
        settings.set("TACIT.MARGIN", Some("25"), true).expect("a margin");
        assert_eq!((settings.get(EPSILON), settings.get(MARGIN)), (None, Some("25")));
        settings.end();
        assert_eq!((settings.accuracy(), settings.get(MARGIN)), (epsilon, None));
        settings.set("tacit.epsilon", None, false).expect("nothing");
        assert_eq!(settings.accuracy(), Ok(None));
    }

    #[test]
    fn values_are_checked_when_they_are_set() {
        let mut settings = Settings::new("ada", "visits");
        for (name, value, state) in [
            ("tacit.epsilon", "0", "22023"),
            ("tacit.epsilon", "lots", "22023"),
            ("tacit.margin", "-1", "22023"),
            ("tacit.margin", "a=1,a=2", "22023"),
            ("tacit.epsilom", "1", "42704"),
            ("no_such_thing", "1", "42704"),
            ("server_version", "16", "55P02"),
            ("client_encoding", "LATIN1", "22023"),
            ("datestyle", "SQL, DMY", "22023"),
        ] {
            let fault = settings.set(name, Some(value), false).expect_err(name);
            assert_eq!(fault.state, state, "{name} {value}: {fault}");
        }
        for (name, value) in [
            ("tacit.margin", "n=25, s = 3"),
            ("my.own", "x"),
            ("statement_timeout", "5s"),
            ("client_encoding", "utf-8"),
        ] {
            settings.set(name, Some(value), false).unwrap_or_else(|fault| panic!("{fault}"));
        }
        assert_eq!(settings.statement_ms_max(), Some(5_000));
        assert_eq!(settings.search_path(), ["visits", "published"]);
    }
}
