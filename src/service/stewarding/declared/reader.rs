//! Reads the TOML of declaring files and checks every field, reporting faults with their place.
//!
//! Unknown keys, invalid names, and things that are declared twice (even in different files) are faults.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::fault::{DeclarationFault, DeclaredFault, FILES_MAX, ITEMS_MAX};
use super::file::{Allocation, At, Declared, DeclaredFile, DeclaredPerson};
use super::names::Named;
use crate::kernel::budget::people::{NAME_PATTERN, Role, is_name};
use crate::kernel::privacy::amounts::{DECIMAL_CHARS_MAX, DECIMAL_PATTERN, Epsilon};
use crate::query::terms::policy::{IDENTIFIER_PATTERN, is_identifier};
use crate::service::stewarding::fault::{PERIOD_DAYS_MAX, REASON_CHARS_MAX};
use crate::service::stewarding::grants::{self, Holder};

/// People, projects, grants and statistics. What files declared before and no longer declare is withdrawn.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "files of tacit plan and tacit apply")]
pub struct DeclaringTables {
    /// People, each once in all files.
    #[serde(default)]
    person: Vec<PersonTable>,
    /// Projects, each once per dataset.
    #[serde(default)]
    project: Vec<ProjectTable>,
    /// Researchers' allocations, one per researcher and dataset.
    #[serde(default)]
    grant: Vec<GrantTable>,
    /// What published statistics may spend, once per dataset.
    #[serde(default)]
    statistics: Vec<StatisticsTable>,
}

/// A person, who gets a token unless they hold one. Only viewers are given datasets.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "if" = {"required": ["datasets"]},
    "then" = {"properties": {"role": {"const": Role::Viewer.name()}}}
))]
struct PersonTable {
    /// The person's name, which nobody else has.
    #[schemars(with = "String", regex(pattern = NAME_PATTERN))]
    name: Spanned<String>,
    /// What they may do.
    #[schemars(with = "String", extend("enum" = Role::ALL))]
    role: Spanned<String>,
    /// The datasets whose statistics a viewer sees. Without this key nothing changes, and a viewer who was never given any sees all.
    #[schemars(with = "Option<Vec<String>>", inner(regex(pattern = IDENTIFIER_PATTERN)), extend("uniqueItems" = true))]
    datasets: Option<Spanned<Vec<Spanned<String>>>>,
}

/// An allocation that researchers share.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProjectTable {
    /// The project's name.
    #[schemars(with = "String", regex(pattern = NAME_PATTERN))]
    name: Spanned<String>,
    /// The dataset's name.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    dataset: Spanned<String>,
    /// Its total, above 0 and at most 100, which its researchers share.
    #[schemars(with = "String", regex(pattern = DECIMAL_PATTERN), length(max = DECIMAL_CHARS_MAX))]
    epsilon: Spanned<String>,
}

/// A researcher's allocation.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GrantTable {
    /// The researcher's name.
    #[schemars(with = "String", regex(pattern = NAME_PATTERN))]
    researcher: Spanned<String>,
    /// The dataset's name.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    dataset: Spanned<String>,
    /// The project that it belongs to, which never changes.
    #[schemars(with = "Option<String>", regex(pattern = NAME_PATTERN))]
    project: Option<Spanned<String>>,
    /// Its total, above 0 and at most 100; if it renews, the total of each period.
    #[schemars(with = "String", regex(pattern = DECIMAL_PATTERN), length(max = DECIMAL_CHARS_MAX))]
    epsilon: Spanned<String>,
    /// Days after which it renews; by default it is for life.
    #[schemars(with = "Option<i64>", range(min = 1, max = PERIOD_DAYS_MAX))]
    period_days: Option<Spanned<i64>>,
    /// The reason for the grant; by default that of the application.
    #[schemars(with = "Option<String>", length(min = 1, max = REASON_CHARS_MAX))]
    reason: Option<Spanned<String>>,
}

/// What published statistics may spend.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StatisticsTable {
    /// The dataset's name.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    dataset: Spanned<String>,
    /// Their total, above 0 and at most 100; if it renews, the total of each period.
    #[schemars(with = "String", regex(pattern = DECIMAL_PATTERN), length(max = DECIMAL_CHARS_MAX))]
    epsilon: Spanned<String>,
    /// Days after which it renews; by default it is for life.
    #[schemars(with = "Option<i64>", range(min = 1, max = PERIOD_DAYS_MAX))]
    period_days: Option<Spanned<i64>>,
}

/// Reads files together; their order does not matter.
///
/// # Errors
/// [`DeclaredFault`]: the first fault, in the order of the files' names.
pub fn parse(files: &[DeclaredFile]) -> Result<Declared, DeclaredFault> {
    if files.is_empty() || files.len() > FILES_MAX {
        return Err(DeclaredFault::Files { files: files.len() });
    }
    let mut files = files.to_vec();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(pair) = files.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(DeclaredFault::Doubled { name: pair[0].name.clone() });
    }
    let files: Arc<[DeclaredFile]> = files.into();
    let (people, allocations, names) = (Vec::new(), Vec::new(), BTreeMap::new());
    let declared = Declared { files: Arc::clone(&files), people, allocations, names };
    let mut reader = Reader { declared, file: 0 };
    for (number, file) in files.iter().enumerate() {
        reader.file = number;
        reader.read(&file.text)?;
    }
    let mut declared = reader.declared;
    declared.allocations.sort_by_key(|wanted| match wanted.to {
        Holder::Dataset | Holder::Project { .. } => 0,
        Holder::Statistics { .. } => 1,
        Holder::Researcher { .. } => 2,
    });
    Ok(declared)
}

/// Reads one file after the other and collects what they declare.
struct Reader {
    declared: Declared,
    file: usize,
}

impl Reader {
    fn read(&mut self, text: &str) -> Result<(), DeclaredFault> {
        let tables: DeclaringTables = toml::from_str(text).map_err(|error| {
            let message = error.message().trim().replace('\n', "; ");
            self.fault(error.span().unwrap_or(0..0), DeclarationFault::Toml { message })
        })?;
        tables.person.iter().try_for_each(|table| self.person(table))?;
        tables.project.iter().try_for_each(|table| self.project(table))?;
        tables.statistics.iter().try_for_each(|table| self.statistics(table))?;
        tables.grant.iter().try_for_each(|table| self.grant(table))
    }

    fn person(&mut self, table: &PersonTable) -> Result<(), DeclaredFault> {
        let name = self.name("name", &table.name)?;
        let role = table.role.get_ref().parse().ok();
        let unknown = || self.fault(table.role.span(), DeclarationFault::Role { role: table.role.get_ref().clone() });
        let role = role.ok_or_else(unknown)?;
        let datasets = table.datasets.as_ref().map(|datasets| self.datasets(role, datasets)).transpose()?;
        let at = self.declare(Named::Person(&name), table.name.span())?;
        self.declared.people.push(DeclaredPerson { at, name, role, datasets });
        Ok(())
    }

    /// The datasets that a viewer is given, sorted and each once.
    fn datasets(&self, role: Role, given: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, DeclaredFault> {
        if role != Role::Viewer {
            return Err(self.fault(given.span(), DeclarationFault::NotViewer { role }));
        }
        let mut names = Vec::new();
        for dataset in given.get_ref() {
            self.check_dataset(dataset)?;
            if names.contains(dataset.get_ref()) {
                let twice = DeclarationFault::DatasetTwice { dataset: dataset.get_ref().clone() };
                return Err(self.fault(dataset.span(), twice));
            }
            names.push(dataset.get_ref().clone());
        }
        names.sort();
        Ok(names)
    }

    fn project(&mut self, table: &ProjectTable) -> Result<(), DeclaredFault> {
        let to = Holder::Project { name: self.name("name", &table.name)? };
        self.allocation(to, &table.dataset, &table.epsilon, None, table.name.span())
    }

    fn statistics(&mut self, table: &StatisticsTable) -> Result<(), DeclaredFault> {
        let to = Holder::Statistics { period_days: self.period_days(table.period_days.as_ref())? };
        self.allocation(to, &table.dataset, &table.epsilon, None, table.dataset.span())
    }

    fn grant(&mut self, table: &GrantTable) -> Result<(), DeclaredFault> {
        let name = self.name("researcher", &table.researcher)?;
        let project = table.project.as_ref().map(|project| self.name("project", project)).transpose()?;
        let period_days = self.period_days(table.period_days.as_ref())?;
        if let Some(reason) = &table.reason {
            grants::check_reason(reason.get_ref())
                .map_err(|fault| self.fault(reason.span(), DeclarationFault::Reason(fault)))?;
        }
        let reason = table.reason.as_ref().map(|reason| reason.get_ref().clone());
        let to = Holder::Researcher { name, project, period_days };
        self.allocation(to, &table.dataset, &table.epsilon, reason, table.researcher.span())
    }

    fn allocation(
        &mut self,
        to: Holder,
        dataset: &Spanned<String>,
        epsilon: &Spanned<String>,
        reason: Option<String>,
        span: Range<usize>,
    ) -> Result<(), DeclaredFault> {
        self.check_dataset(dataset)?;
        let read = Epsilon::parse(epsilon.get_ref());
        let worth = read.map_err(|fault| self.fault(epsilon.span(), DeclarationFault::Epsilon(fault)))?;
        let (at, dataset) = (self.at(&span), dataset.get_ref().clone());
        let wanted = Allocation { at, to, dataset, epsilon: worth, reason };
        self.declare(wanted.named(), span)?;
        self.declared.allocations.push(wanted);
        Ok(())
    }

    fn check_dataset(&self, dataset: &Spanned<String>) -> Result<(), DeclaredFault> {
        if is_identifier(dataset.get_ref()) {
            return Ok(());
        }
        Err(self.fault(dataset.span(), DeclarationFault::Dataset { dataset: dataset.get_ref().clone() }))
    }

    fn name(&self, field: &'static str, text: &Spanned<String>) -> Result<String, DeclaredFault> {
        if is_name(text.get_ref()) {
            return Ok(text.get_ref().clone());
        }
        Err(self.fault(text.span(), DeclarationFault::Name { field, name: text.get_ref().clone() }))
    }

    fn period_days(&self, given: Option<&Spanned<i64>>) -> Result<Option<u32>, DeclaredFault> {
        let Some(given) = given else { return Ok(None) };
        let days = u32::try_from(*given.get_ref()).ok().filter(|days| (1..=PERIOD_DAYS_MAX).contains(days));
        days.map(Some).ok_or_else(|| self.fault(given.span(), DeclarationFault::Period { days: *given.get_ref() }))
    }

    /// Registers a name that is not declared yet.
    fn declare(&mut self, named: Named<'_>, span: Range<usize>) -> Result<At, DeclaredFault> {
        let (name, at) = (named.to_string(), self.at(&span));
        if let Some(known) = self.declared.names.get(&name) {
            let before = self.declared.place(*known);
            return Err(self.fault(span, DeclarationFault::Twice { name, before }));
        }
        if self.declared.names.len() >= ITEMS_MAX {
            return Err(self.fault(span, DeclarationFault::TooMany { name }));
        }
        self.declared.names.insert(name, at);
        Ok(at)
    }

    fn at(&self, span: &Range<usize>) -> At {
        At { file: self.file, offset: span.start }
    }

    fn fault(&self, span: Range<usize>, fault: DeclarationFault) -> DeclaredFault {
        DeclaredFault::Faulty { place: self.declared.place(self.at(&span)), fault: Box::new(fault) }
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
