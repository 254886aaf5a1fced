//! One answer before noise against PostgreSQL's, by the keys of their rows.

use std::collections::{BTreeMap, HashMap};

use tacit::query::answer::{Cell, ColumnKind, Table};

/// What was compared.
pub struct Compared {
    /// The number of rows that both have.
    pub shared: usize,
    /// The number of our rows that PostgreSQL lacks, which are empty groups.
    pub empty: usize,
}

/// A row of ours by its key, and the values by the names of their columns.
type Row = BTreeMap<String, String>;

/// Percentiles are those of a histogram with public bins, and are not compared.
fn is_percentile(name: &str) -> bool {
    name == "median" || name.starts_with("percentile") || (name.starts_with('p') && name[1..].parse::<u8>().is_ok())
}

/// The selected columns that are keys.
fn keys(table: &Table) -> Vec<String> {
    let is_key = |name: &&String| {
        let place = table.names.iter().position(|known| known == *name).expect("a column");
        table.kinds[place].is_key()
    };
    table.columns.iter().map(|column| &column.name).filter(is_key).cloned().collect()
}

fn cell<'a>(table: &Table, row: &'a [Cell], name: &str) -> Option<&'a Cell> {
    row.get(table.names.iter().position(|known| known == name)?)
}

/// Numbers without the zeros that do not count, and days without a time.
fn plain(text: &str) -> String {
    let text = text.strip_suffix(" 00:00:00+00").unwrap_or(text);
    match text.split_once('.') {
        Some((_, digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => text.to_owned(),
    }
}

fn same(ours: &str, theirs: &str) -> bool {
    match (ours.parse::<f64>(), theirs.parse::<f64>()) {
        (Ok(ours), Ok(theirs)) if ours.fract() != 0.0 || theirs.fract() != 0.0 => {
            (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0)
        }
        (Ok(ours), Ok(theirs)) => ours.to_bits() == theirs.to_bits(),
        _ => ours == theirs,
    }
}

/// Compares rows by their keys; orders are not compared, as many rows have equal counts.
pub fn compare(name: &str, table: &Table, theirs: &str) -> Result<Compared, String> {
    intervals(table)?;
    let keys = keys(table);
    let values: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let of_row = |row: &[Cell]| -> Row {
        let text = |name: &String| cell(table, row, name).and_then(Cell::text).unwrap_or_default();
        values.iter().map(|name| (name.clone(), plain(&text(name)))).collect()
    };
    let key = |row: &Row| -> Vec<String> { keys.iter().map(|name| row[name].clone()).collect() };
    let mut left: HashMap<Vec<String>, Row> = HashMap::new();
    for row in table.rows.iter().map(|row| of_row(row)) {
        if let Some(twice) = left.insert(key(&row), row) {
            return Err(format!("two of our rows have the key {:?}", key(&twice)));
        }
    }
    let mut theirs = rows(theirs)?;
    spell_truths(table, &mut theirs);
    for row in &theirs {
        let missing = keys.iter().find(|name| !row.contains_key(*name));
        if let Some(missing) = missing {
            return Err(format!("PostgreSQL has no column {missing}"));
        }
        let own = left.remove(&key(row)).ok_or_else(|| format!("we have no {row:?}"))?;
        for (name, their) in row.iter().filter(|(name, _)| !is_percentile(name)) {
            let our = own.get(name).ok_or_else(|| format!("we have no column {name}"))?;
            // A deviation of 0 is lost in noise, however little: its variance is not above 0.
            let is_lost = name == "deviation" && our.is_empty() && their == "0";
            if !same(our, their) && !is_lost {
                return Err(format!("{name}: ours {own:?}, PostgreSQL's {row:?}"));
            }
        }
    }
    for (key, row) in &left {
        let expected = |row: &Row| if name == "691" { running(&theirs, row) } else { "0".to_owned() };
        let is_empty = |(name, text): (&String, &String)| {
            keys.contains(name) || is_percentile(name) || text.is_empty() || *text == expected(row)
        };
        if !row.iter().all(is_empty) {
            return Err(format!("PostgreSQL has no {key:?}, ours is {row:?}"));
        }
    }
    Ok(Compared { shared: theirs.len(), empty: left.len() })
}

/// Spells keys that are conditions as ours are; PostgreSQL writes t and f.
fn spell_truths(table: &Table, theirs: &mut [Row]) {
    let is_truth = |name: &&String| {
        let place = table.names.iter().position(|known| known == *name);
        place.is_some_and(|place| table.kinds[place] == ColumnKind::BooleanKey)
    };
    let names: Vec<&String> = table.columns.iter().map(|column| &column.name).filter(is_truth).collect();
    for cell in theirs.iter_mut().flat_map(|row| row.iter_mut()) {
        match (names.contains(&cell.0), cell.1.as_str()) {
            (true, "t") => "true".clone_into(cell.1),
            (true, "f") => "false".clone_into(cell.1),
            _ => {}
        }
    }
}

/// What a running sum from the largest number of records down is where PostgreSQL shows nothing: the value of the next larger number.
fn running(theirs: &[Row], row: &Row) -> String {
    let records = |row: &Row| row["records"].parse::<u64>().unwrap_or(0);
    let of_concept = theirs.iter().filter(|their| their["procedure_concept_id"] == row["procedure_concept_id"]);
    let next = of_concept.filter(|their| records(their) > records(row)).min_by_key(|their| records(their));
    next.map_or_else(|| "0".to_owned(), |next| next["people"].clone())
}

/// Every estimate must have an interval.
fn intervals(table: &Table) -> Result<(), String> {
    let keys = keys(table);
    for column in table.columns.iter().filter(|column| !keys.contains(&column.name)) {
        let name = &column.name;
        for row in &table.rows {
            let is_there = |name: &str| cell(table, row, name).is_some_and(|cell| !matches!(cell, Cell::Missing));
            let has_interval = ["low", "high"].iter().all(|end| is_there(&format!("{name}_{end}")));
            if is_there(name) && !has_interval {
                return Err(format!("{name} has no interval in {row:?}"));
            }
        }
    }
    Ok(())
}

fn rows(csv: &str) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(csv.as_bytes());
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    let row = |record: Result<csv::StringRecord, csv::Error>| -> Result<Row, String> {
        let record = record.map_err(|error| error.to_string())?;
        Ok(names.iter().zip(record.iter()).map(|(name, text)| (name.to_owned(), plain(text))).collect())
    };
    reader.records().map(row).collect()
}
