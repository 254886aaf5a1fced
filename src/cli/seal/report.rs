//! The printed report of a sealing, for the steward's eyes alone.

use serde_json::{Value, json};

use crate::engine::seal::Report;
use crate::engine::seal::encode::ColumnCounts;
use crate::terminal::{TextColumn, TextTable, say, say_table};

/// Prints the report; `edition` is `None` if nothing was sealed.
pub(super) fn print(dataset: &str, edition: Option<&str>, report: &Report) {
    match edition {
        Some(edition) => say(format!("sealed \"{dataset}\" as edition {edition}")),
        None => say(format!("\"{dataset}\" would be sealed; nothing was written")),
    }
    say("for the steward's eyes alone:");
    say(format!(
        "  {} rows read, {} kept of {} units, {} cut beyond the rows per unit, {} of units that withdrew",
        report.rows_read, report.rows_kept, report.units, report.rows_cut, report.rows_excluded
    ));
    for table in &report.tables {
        say(format!(
            "  {}: {} rows read, {} kept of {} units, {} cut beyond the rows per unit, {} of units that withdrew",
            table.name, table.rows_read, table.rows_kept, table.units, table.rows_cut, table.rows_excluded
        ));
    }
    for (name, rows) in &report.unjoined {
        say(format!("  {rows} rows of units that are not in \"{name}\", before any were cut"));
    }
    report.notes().iter().for_each(|note| say(format!("  {note}")));
    let counts = ["missing", "clamped", "unlisted"].map(TextColumn::number);
    let columns = std::iter::once(TextColumn::word("column")).chain(counts).collect();
    let row = |(name, counts): &(String, ColumnCounts)| {
        vec![name.clone(), counts.nulls.to_string(), counts.clamped.to_string(), counts.unlisted.to_string()]
    };
    let named = report.columns.iter().filter(|(name, _)| !name.is_empty());
    say_table(&TextTable::new(columns, named.map(row)));
}

/// The report as a JSON object, with one item per column.
pub(super) fn json(dataset: &str, edition: Option<&str>, report: &Report) -> Value {
    let named = report.columns.iter().filter(|(name, _)| !name.is_empty());
    let columns: Vec<_> = named
        .map(|(name, counts)| {
            json!({
                "name": name, "missing": counts.nulls, "clamped": counts.clamped, "unlisted": counts.unlisted,
                "clamped_values": by_name(&counts.clamped_values), "first_unlisted": counts.first_unlisted,
                "conflicts": counts.conflicts, "filled": counts.filled, "utc_days": counts.utc_days,
            })
        })
        .collect();
    json!({
        "dataset": dataset, "edition": edition, "rows_read": report.rows_read, "rows_kept": report.rows_kept,
        "rows_cut": report.rows_cut, "rows_excluded": report.rows_excluded, "units": report.units,
        "unjoined": by_name(&report.unjoined), "doubled": by_name(&report.doubled),
        "joined_by_value": by_name(&report.joined_by_value), "ids_unmatched": report.ids_unmatched,
        "ids_spelled_twice": report.ids_spelled_twice, "sources": report.sources, "columns": columns,
        "tables": report.tables, "units_by_value": report.units_by_value,
    })
}

fn by_name(counts: &[(String, u64)]) -> Value {
    counts.iter().map(|(name, count)| (name.clone(), Value::from(*count))).collect::<serde_json::Map<_, _>>().into()
}
