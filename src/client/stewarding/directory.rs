//! A steward's acts on a state directory that is opened for them.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{AddedPerson, NewGrant, NewPerson, PublishedStatistic, Stewarding, StewardingError};
use crate::files;
use crate::kernel::budget::people::Role;
use crate::kernel::clock::{Clock, SystemClock};
use crate::kernel::privacy::amounts::Epsilon;
use crate::ledger::SqliteLedger;
use crate::query::file::QueryFile;
use crate::service::ServiceError;
use crate::service::publishing::statistics::check::{StatisticCheck, check, datasets_on_record};
use crate::service::publishing::statistics::{Agreement, Statistic, StatisticFault, confirm, read_file};
use crate::service::stewarding::accounts::{self, NamedAccount, timestamp};
use crate::service::stewarding::declared::{self, DeclaredFile, Outcome};
use crate::service::stewarding::entries::{EntrySearch, SearchText, page_after};
use crate::service::stewarding::fault::Absence;
use crate::service::stewarding::grants::{self, Grant};
use crate::service::stewarding::people::{self, AT_STATE_DIRECTORY};
use crate::service::stewarding::requests::{self, Decision, RequestView};
use crate::service::stewarding::roles;
use crate::service::stewarding::tokens::{self, GivenToken, HeldToken, TokenTerms};

/// The ledger of a state directory, which this process holds.
pub struct StateDirectory {
    ledger: SqliteLedger,
    /// The folder of the query files, if statistics can be published.
    queries: Option<PathBuf>,
    clock: SystemClock,
}

impl StateDirectory {
    /// Acts on an opened ledger; the ledger names [`AT_STATE_DIRECTORY`] as who acted.
    #[must_use]
    pub fn new(ledger: SqliteLedger) -> Self {
        Self { ledger, queries: None, clock: SystemClock }
    }

    /// Publishes the statistics whose query files are in this folder.
    #[must_use]
    pub fn with_queries(self, queries: Option<&Path>) -> Self {
        Self { queries: queries.map(Path::to_owned), ..self }
    }

    /// The statistic of this name, under the terms that stand in the ledger.
    fn statistic(&self, name: &str) -> Result<Statistic, StewardingError> {
        let absence = || ServiceError::from(Absence::Statistic { name: name.to_owned() });
        let path = self.queries.as_ref().ok_or_else(absence)?.join(format!("{name}.sql"));
        let text = files::text(&path)
            .map_err(|error| StewardingError::Unreadable { path: path.clone(), kind: error.kind() })?;
        let datasets = datasets_on_record(&self.ledger).map_err(ServiceError::from)?;
        let file = QueryFile::parse(&text).map_err(|fault| StatisticFault::of_headers(&path, &fault))?;
        Ok(read_file(&datasets, &path, &file)?)
    }
}

impl Stewarding for StateDirectory {
    fn add_person(&self, person: &NewPerson) -> Result<AddedPerson, StewardingError> {
        let (ledger, now_ms, by) = (&self.ledger, self.clock.now_ms(), AT_STATE_DIRECTORY);
        let NewPerson { name, role, datasets } = person.clone();
        let token = match &datasets {
            Some(datasets) => people::add_viewer(ledger, &name, datasets, by, now_ms)?,
            None => people::add_person(ledger, &name, role, by, now_ms)?,
        };
        Ok(AddedPerson { name, role, token: token.text().to_owned(), datasets })
    }

    fn set_role(&self, name: &str, role: Role, datasets: Option<&[String]>) -> Result<(), StewardingError> {
        Ok(roles::set_role(&self.ledger, name, role, datasets, AT_STATE_DIRECTORY, self.clock.now_ms())?)
    }

    fn set_viewing(&self, viewer: &str, datasets: &[String]) -> Result<(), StewardingError> {
        Ok(people::set_viewing(&self.ledger, viewer, datasets, AT_STATE_DIRECTORY, self.clock.now_ms())?)
    }

    fn revoke_token(&self, name: &str, token: Option<&str>) -> Result<(), StewardingError> {
        let (ledger, now_ms, by) = (&self.ledger, self.clock.now_ms(), AT_STATE_DIRECTORY);
        match token {
            Some(token) => tokens::revoke_one(ledger, name, token, by, now_ms)?,
            None => people::revoke_token(ledger, name, by, now_ms)?,
        }
        Ok(())
    }

    fn issue_token(&self, name: &str, token: &str, expires: Option<&str>) -> Result<GivenToken, StewardingError> {
        let expires_ms = expires.map(tokens::expiry_ms).transpose().map_err(ServiceError::from)?;
        let terms = TokenTerms { name: token.to_owned(), expires_ms };
        let given = tokens::issue(&self.ledger, name, terms, AT_STATE_DIRECTORY, self.clock.now_ms())?;
        let (researcher, name, expires) = (name.to_owned(), token.to_owned(), expires_ms.map(timestamp));
        Ok(GivenToken { researcher, name, token: given.text().to_owned(), expires })
    }

    fn tokens(&self, name: &str) -> Result<Vec<HeldToken>, StewardingError> {
        let nobody = || ServiceError::from(Absence::Person { name: name.to_owned() });
        let held = tokens::held(&self.ledger, name, |_| None, self.clock.now_ms()).ok_or_else(nobody)?;
        Ok(held.into_iter().map(HeldToken::from).collect())
    }

    fn grant(&self, grant: &NewGrant) -> Result<(), StewardingError> {
        let NewGrant { to, dataset, epsilon, reason } = grant.clone();
        let grant = Grant { to, dataset, epsilon, reason, by: AT_STATE_DIRECTORY.to_owned() };
        grants::grant(&self.ledger, grant, self.clock.now_ms())?;
        Ok(())
    }

    fn set_frozen(&self, dataset: &str, is_frozen: bool, reason: &str) -> Result<(), StewardingError> {
        grants::set_frozen(&self.ledger, dataset, is_frozen, (reason, AT_STATE_DIRECTORY), self.clock.now_ms())?;
        Ok(())
    }

    fn accounts(&self) -> Result<Vec<NamedAccount>, StewardingError> {
        Ok(accounts::accounts(&self.ledger, None, self.clock.now_ms()))
    }

    fn requests(&self) -> Result<Vec<RequestView>, StewardingError> {
        Ok(requests::requests(&self.ledger, None))
    }

    fn decide(&self, number: u64, decision: Decision, reason: &str) -> Result<RequestView, StewardingError> {
        requests::decide(&self.ledger, number, decision, reason, AT_STATE_DIRECTORY, self.clock.now_ms())?;
        Ok(requests::request(&self.ledger, number).ok_or(ServiceError::from(Absence::Request { number }))?)
    }

    fn plan(&self, files: &[DeclaredFile]) -> Result<Outcome, StewardingError> {
        let declared = declared::parse(files).map_err(ServiceError::from)?;
        Ok(declared::plan(&self.ledger, &declared, self.clock.now_ms())?)
    }

    fn apply(&self, files: &[DeclaredFile], reason: &str) -> Result<Outcome, StewardingError> {
        let declared = declared::parse(files).map_err(ServiceError::from)?;
        Ok(declared::apply(&self.ledger, &declared, reason, AT_STATE_DIRECTORY, self.clock.now_ms())?)
    }

    fn entries(&self, sought: &SearchText<'_>, after: u64, limit: usize) -> Result<Vec<Value>, StewardingError> {
        let search = EntrySearch::read(sought)?;
        let entries = page_after(&self.ledger, &search, after, limit).map_err(ServiceError::from)?;
        // Unwrap safety: entries are plain data with string keys.
        Ok(entries.iter().map(|entry| serde_json::to_value(entry).expect("plain data")).collect())
    }

    fn check_statistics(&self, files: &[DeclaredFile]) -> Result<Vec<StatisticCheck>, StewardingError> {
        let datasets = datasets_on_record(&self.ledger).map_err(ServiceError::from)?;
        Ok(check(&datasets, &self.ledger, files, self.clock.now_ms()))
    }

    fn publish_statistic(&self, name: &str, most: Option<Epsilon>) -> Result<PublishedStatistic, StewardingError> {
        let statistic = self.statistic(name)?;
        statistic.check_price(most).map_err(ServiceError::from)?;
        confirm(&self.ledger, &statistic, AT_STATE_DIRECTORY, self.clock.now_ms())?;
        let Statistic { name, epsilon, .. } = statistic;
        Ok(PublishedStatistic { name, epsilon, standing: Agreement::Given, details: Map::new() })
    }
}
