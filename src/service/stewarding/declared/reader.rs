//! Reads the TOML of declaring files and checks every field, reporting faults with their place.
//!
//! Unknown keys, invalid names, and things that are declared twice (even in different files) are faults.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::fault::{DeclarationFault, DeclaredFault, FILES_MAX, ITEMS_MAX};
use super::file::{Allocation, At, Declared, DeclaredFile, DeclaredPerson};
use super::names::Named;
use crate::kernel::budget::people::{Role, is_name};
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::terms::policy::is_identifier;
use crate::service::stewarding::fault::PERIOD_DAYS_MAX;
use crate::service::stewarding::grants::{self, Holder};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    person: Vec<PersonTable>,
    #[serde(default)]
    project: Vec<ProjectTable>,
    #[serde(default)]
    grant: Vec<GrantTable>,
    #[serde(default)]
    statistics: Vec<StatisticsTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonTable {
    name: Spanned<String>,
    role: Spanned<String>,
    datasets: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectTable {
    name: Spanned<String>,
    dataset: Spanned<String>,
    epsilon: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantTable {
    researcher: Spanned<String>,
    dataset: Spanned<String>,
    project: Option<Spanned<String>>,
    epsilon: Spanned<String>,
    period_days: Option<Spanned<i64>>,
    reason: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatisticsTable {
    dataset: Spanned<String>,
    epsilon: Spanned<String>,
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
        let tables: Tables = toml::from_str(text).map_err(|error| {
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
