//! The check of every field of a policy file, with its place.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use toml::Spanned;

use super::columns::ColumnContext;
use super::dataset::{Policy, ReadingRules};
use super::faults::{PolicyFault, PolicyFaults};
use super::limits::{MIN_CELL_MAX, PAD_MS_MAX, ROWS_MAX};
use super::names::is_identifier;
use super::public::{PublicLists, ReadPublic, public_tables};
use super::several::several;
use super::single::single;
use super::tables::{DatasetTable, PolicyFile};
use super::terms::{Terms, ThresholdReserve, Unit};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Epsilon};
use crate::query::terms::day::zone_of;
use crate::query::terms::reading::Conflicts;

/// The number of answers that share the δ set aside for thresholds, unless the policy says otherwise.
const THRESHOLDS_DEFAULT: u64 = 100;

/// Checks the text of a policy; public tables are read with `read`.
pub(super) fn parse(text: &str, read: &mut ReadPublic<'_>) -> Result<Policy, Vec<PolicyFault>> {
    let mut faults = PolicyFaults { text, found: Vec::new() };
    let file: PolicyFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            faults.add(error.span().unwrap_or(0..0), error.message().trim().replace('\n', "; "));
            return Err(faults.found);
        }
    };
    let policy = check(file, read, &mut faults);
    match policy {
        Some(policy) if faults.found.is_empty() => Ok(policy),
        _ => {
            faults.found.sort_by_key(|fault| (fault.line, fault.column));
            Err(faults.found)
        }
    }
}

fn check(file: PolicyFile, read: &mut ReadPublic<'_>, faults: &mut PolicyFaults<'_>) -> Option<Policy> {
    let dataset = file.dataset;
    if !is_identifier(dataset.name.get_ref()) {
        let shown = dataset.name.get_ref();
        faults.add(
            dataset.name.span(),
            format!("dataset name \"{shown}\" is not a lower-case identifier, like \"visits\""),
        );
    }
    let unit = unit(&dataset, faults);
    let reading = reading(&dataset, &unit, faults);
    let mut names = HashSet::new();
    let public = public_tables(file.public, &mut names, read, faults);
    let lists = PublicLists::of(&public, &names);
    let shared = ColumnContext { unit: &unit, missing: &reading.missing, lists: &lists };
    let tables = if file.table.is_empty() {
        single(&dataset, (file.column, file.join), &shared, &mut names, faults)
    } else {
        several(&dataset, (file.table, file.column, file.join), &shared, &mut names, faults)
    };
    let (accountant, threshold) = accountant(&dataset, faults).unzip();
    let threshold = threshold.flatten();
    let cap = epsilon("cap.epsilon", &dataset.cap.get_ref().epsilon, faults);
    let query = match &dataset.max_epsilon_per_query {
        Some(text) => epsilon("max_epsilon_per_query", text, faults),
        None => cap,
    };
    let pad_ms = dataset.pad_ms.as_ref().and_then(|given| faults.count("pad_ms", given, PAD_MS_MAX));
    let min_cell = dataset.min_cell.as_ref().and_then(|given| faults.count("min_cell", given, MIN_CELL_MAX));
    let tables = tables?;
    let about_rows =
        dataset.about_rows.as_ref().and_then(|given| faults.count("about_rows", given, ROWS_MAX)).map(u64::from);
    Some(Policy {
        name: dataset.name.into_inner(),
        title: dataset.title,
        pad_ms,
        about_rows,
        joined: tables.joined,
        reading: ReadingRules { rules: tables.rules, ..reading },
        source: tables.source,
        tables: tables.sources,
        exclude: dataset.exclude.map(|file| PathBuf::from(file.into_inner())),
        terms: Terms {
            unit,
            max_rows_per_unit: tables.max_rows_per_unit,
            max_rows: tables.max_rows,
            accountant: accountant?,
            cap: cap?,
            max_epsilon_per_query: query?,
            oversubscribe: dataset.oversubscribe,
            columns: tables.columns.into(),
            min_cell,
            threshold,
            joins: tables.joins,
            tables: tables.terms,
            public,
        },
        text: Arc::from(faults.text),
    })
}

/// How the dataset's sources are read. The rules of its columns are added later.
fn reading(dataset: &DatasetTable, unit: &Unit, faults: &mut PolicyFaults<'_>) -> ReadingRules {
    if let (Some(given), Unit::Row) = (&dataset.unit_source, unit) {
        faults.add(
            given.span(),
            "unit_source is the unit's column in the file; with privacy_unit = \"row\" there is none, so remove it",
        );
    }
    if let Some(given) = dataset.time_zone.as_ref().filter(|given| zone_of(given.get_ref()).is_none()) {
        let shown = given.get_ref();
        faults.add(given.span(), format!("time_zone \"{shown}\" is not known; write one like \"Europe/Berlin\""));
    }
    let conflicts = match dataset.conflicts.as_ref().map(|given| (given.span(), given.get_ref().as_str())) {
        None | Some((_, "count")) => Conflicts::Count,
        Some((_, "refuse")) => Conflicts::Refuse,
        Some((span, other)) => {
            faults.add(span, format!("conflicts \"{other}\" is not known; accepted are \"count\" and \"refuse\""));
            Conflicts::Count
        }
    };
    ReadingRules {
        unit_source: dataset.unit_source.as_ref().map(|given| given.get_ref().clone()),
        missing: dataset.missing.as_ref().map(|given| given.get_ref().clone()).unwrap_or_default(),
        zone: dataset.time_zone.as_ref().map(|given| given.get_ref().clone()),
        conflicts,
        rules: Vec::new(),
    }
}

fn unit(dataset: &DatasetTable, faults: &mut PolicyFaults<'_>) -> Unit {
    let name = dataset.privacy_unit.get_ref();
    if name.trim() == "?" {
        let message = "privacy_unit is still the draft's \"?\"; write the column that says whose row it is, or \"row\" if nobody has two rows";
        faults.add(dataset.privacy_unit.span(), message);
    } else if !is_identifier(name) {
        let message =
            format!("privacy_unit \"{name}\" is neither \"row\" nor a column, which is a lower-case identifier");
        faults.add(dataset.privacy_unit.span(), message);
    }
    if name == "row" { Unit::Row } else { Unit::Column(name.clone()) }
}

/// The accountant, and the part of the cap's δ that is set aside for thresholds.
fn accountant(dataset: &DatasetTable, faults: &mut PolicyFaults<'_>) -> Option<(Accountant, Option<ThresholdReserve>)> {
    let cap = dataset.cap.get_ref();
    let name = dataset.accountant.as_ref().map_or("gaussian", |name| name.get_ref());
    match (name, &cap.delta) {
        ("gaussian", Some(delta)) => {
            let delta = faults.take(delta.span(), "cap.delta", Delta::parse(delta.get_ref()))?;
            let aside = set_aside(dataset, delta, faults)?;
            let delta = aside.map_or(delta, |aside| delta.left_after(aside.delta));
            Some((Accountant::Gaussian { delta }, aside))
        }
        ("gaussian", None) => {
            faults.add(dataset.cap.span(), "cap.delta is missing; the gaussian accountant needs one, like \"1e-9\"");
            None
        }
        ("pure", None) => {
            let given = [&dataset.threshold_delta, &dataset.threshold_delta_per_query];
            for given in given.into_iter().flatten() {
                faults.add(given.span(), "a threshold needs a delta, and the pure accountant has none; remove it");
            }
            Some((Accountant::Pure, None))
        }
        ("pure", Some(delta)) => {
            faults.add(delta.span(), "cap.delta is given, and the pure accountant takes none; remove it");
            None
        }
        (other, _) => {
            let span = dataset.accountant.as_ref().map_or(0..0, Spanned::span);
            faults.add(span, format!("accountant \"{other}\" is not known; accepted are \"gaussian\" and \"pure\""));
            None
        }
    }
}

/// The part of the cap's δ that is set aside for thresholds: `Some(None)` if the policy sets none aside, `None` if it is faulty.
fn set_aside(dataset: &DatasetTable, delta: Delta, faults: &mut PolicyFaults<'_>) -> Option<Option<ThresholdReserve>> {
    let Some(given) = &dataset.threshold_delta else {
        if let Some(each) = &dataset.threshold_delta_per_query {
            faults.add(each.span(), "threshold_delta_per_query is part of threshold_delta, which is missing");
        }
        return Some(None);
    };
    let all = faults.take(given.span(), "threshold_delta", Delta::parse(given.get_ref()))?;
    if all >= delta {
        let message =
            format!("threshold_delta is {all}; accepted is less than cap.delta, {delta}, which it is part of");
        faults.add(given.span(), message);
        return None;
    }
    let Some(each) = &dataset.threshold_delta_per_query else {
        let share = Delta::from_attos((all.attos() / THRESHOLDS_DEFAULT).max(1));
        return Some(Some(ThresholdReserve { delta: all, per_query: share }));
    };
    let per_query = faults.take(each.span(), "threshold_delta_per_query", Delta::parse(each.get_ref()))?;
    if per_query > all {
        let message = format!("threshold_delta_per_query is {per_query}; accepted is at most threshold_delta, {all}");
        faults.add(each.span(), message);
        return None;
    }
    Some(Some(ThresholdReserve { delta: all, per_query }))
}

fn epsilon(name: &str, text: &Spanned<String>, faults: &mut PolicyFaults<'_>) -> Option<Epsilon> {
    faults.take(text.span(), name, Epsilon::parse(text.get_ref()))
}
