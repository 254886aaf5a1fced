//! Writes the text of a draft.

use std::fmt::Write;
use std::path::Path;

use super::columns::{Proposal, propose, quoted};
use super::people::{Candidate, People};
use super::seen::Seen;
use crate::engine::seal::source::{DecimalMark, Encoding, Source, SourceLocation, SourceSpec, normalised};
use crate::query::terms::policy::is_identifier;

const WARNING: &str = "\
# A DRAFT, which \"tacit policy check\" refuses until a person has completed it:
# 1. privacy_unit = \"?\": write the name of the column that says whose row it is. All protection rests on it.
# 2. \"seen:…\": bounds and values that were seen in the data. Publishing them may reveal something about single people: replace each
#    by what is known without looking (what the form allows, what the law says), and remove the word.
# 3. cap, max_rows and max_rows_per_unit: choose them with care; \"tacit manual stewarding\" says how.
";
/// The values of max_rows_per_unit whose cost the draft shows.
const ROWS_PER_UNIT: [u64; 12] = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 256];
/// The share of rows that the proposed max_rows_per_unit must keep, in percent.
const KEPT_PERCENT: u64 = 95;

pub(super) fn policy(
    spec: &SourceSpec,
    shown: Option<&Path>,
    (source, rows): (&Source, u64),
    seen: &[Seen],
    people: &People,
) -> String {
    let mut text = String::from(WARNING);
    let _ = writeln!(text, "# Drafted from {rows} rows of {}.\n", source.shown());
    let capacity = capacity(rows);
    let _ = writeln!(text, "[dataset]\nname = \"{}\"\nsource = {}", name_of(spec), source_value(spec, shown));
    text.push_str(&unit(people, seen));
    if seen.iter().any(|seen| seen.utc) {
        text.push_str("# time_zone = \"Europe/Berlin\"      # where people lived, for times given in UTC\n");
    }
    let _ = writeln!(
        text,
        "max_rows = {capacity}\naccountant = \"gaussian\"\ncap = {{ epsilon = \"1\", delta = \"1e-9\" }}"
    );
    text.push_str("max_epsilon_per_query = \"0.5\"\n");
    let best = people.candidates.first();
    for (index, seen) in seen.iter().enumerate() {
        let is_candidate = people.candidates.iter().any(|candidate| candidate.column == index);
        let single = best.is_some_and(|best| best.most() > 1 && best.single[index]);
        match propose(seen, capacity, single) {
            _ if is_candidate => {
                let _ = writeln!(text, "\n# column {} is left out: it may say whose row it is", quoted(&seen.source));
            }
            Proposal::LeftOut(why) => {
                let _ = writeln!(text, "\n# column {} is left out: {why}", quoted(&seen.source));
            }
            Proposal::Column(column) => text.push_str(&column),
        }
    }
    for column in source.columns().iter().filter(|column| column.is_unread()) {
        let _ = writeln!(
            text,
            "\n# column {} is left out: it holds {}, a type that cannot be read",
            quoted(&column.name),
            column.kind
        );
    }
    text
}

/// A capacity with some room: the next number of the form 1, 2 or 5 × 10ⁿ that is at least one and a half times the number of rows.
fn capacity(rows: u64) -> u64 {
    let wanted = (rows + rows / 2).max(1_000);
    let mut power = 1_000;
    loop {
        for digit in [1, 2, 5] {
            if digit * power >= wanted {
                return digit * power;
            }
        }
        power *= 10;
    }
}

fn name_of(spec: &SourceSpec) -> String {
    let path = match &spec.from {
        SourceLocation::Path(path) => Some(path.as_path()),
        SourceLocation::Files(paths) => paths.first().map(std::path::PathBuf::as_path),
        SourceLocation::Postgres { .. } => None,
    };
    let stem = path.and_then(Path::file_name).and_then(|name| name.to_str()).and_then(|name| name.split('.').next());
    let name = normalised(stem.unwrap_or_default());
    if is_identifier(&name) { name } else { "dataset".to_owned() }
}

/// The source as a policy writes it: a plain path if that says everything, otherwise a table.
fn source_value(spec: &SourceSpec, shown: Option<&Path>) -> String {
    let path = |path: &Path| quoted(&shown.unwrap_or(path).display().to_string());
    let mut parts = Vec::new();
    let simple = match &spec.from {
        SourceLocation::Path(file) => {
            parts.push(format!("file = {}", path(file)));
            Some(path(file))
        }
        SourceLocation::Files(files) => {
            let files: Vec<_> = files.iter().map(|file| quoted(&file.display().to_string())).collect();
            parts.push(format!("files = [{}]", files.join(", ")));
            None
        }
        SourceLocation::Postgres { connection, query } => {
            parts.push(format!("postgresql = {}, query = {}", quoted(connection), quoted(query)));
            None
        }
    };
    let plain = parts.len();
    if let Some(separator) = spec.separator {
        parts.push(format!("separator = {}", quoted(&char::from(separator).to_string())));
    }
    if spec.decimal == DecimalMark::Comma {
        parts.push("decimal = \",\"".to_owned());
    }
    match spec.encoding {
        None | Some(Encoding::Utf8) => {}
        Some(Encoding::Utf16) => parts.push("encoding = \"utf-16\"".to_owned()),
        Some(Encoding::Latin1) => parts.push("encoding = \"latin-1\"".to_owned()),
        Some(Encoding::Windows1252) => parts.push("encoding = \"windows-1252\"".to_owned()),
    }
    if !spec.header {
        parts.push("header = false".to_owned());
    }
    if !spec.quoted {
        parts.push("quoted = false".to_owned());
    }
    if let Some(sheet) = &spec.sheet {
        parts.push(format!("sheet = {}", quoted(sheet)));
    }
    match simple.filter(|_| parts.len() == plain) {
        Some(path) => path,
        None => format!("{{ {} }}", parts.join(", ")),
    }
}

/// The placeholder for the unit, the columns that may be written there, and what each number of rows per person keeps and costs.
fn unit(people: &People, seen: &[Seen]) -> String {
    let mut text = String::from("privacy_unit = \"?\"\n");
    let Some(best) = people.candidates.first() else {
        text.push_str(
            "# No column looks like a person's id. If one says whose row it is, write its name, remove it from the columns below, and set\n\
             # max_rows_per_unit. \"row\" protects single rows and not people: it is right only if nobody has two rows.\n",
        );
        return text;
    };
    text.push_str("# Columns that may say whose row it is, the likeliest first:\n");
    for candidate in &people.candidates {
        let (name, ids, most) = (&seen[candidate.column].name, candidate.people(), candidate.most());
        let _ = writeln!(text, "#   privacy_unit = \"{name}\"      # {ids} different ids, at most {most} rows of one");
    }
    let most = proposed(best, people.all_rows);
    let _ = writeln!(
        text,
        "# Each person's rows beyond max_rows_per_unit are cut, and noise grows with max_rows_per_unit. By {}:",
        seen[best.column].name
    );
    let shown = ROWS_PER_UNIT
        .iter()
        .filter(|rows| **rows < best.most())
        .chain(std::iter::once(&best.most()))
        .copied()
        .collect::<Vec<_>>();
    for rows in shown.into_iter().take(ROWS_PER_UNIT.len()) {
        let kept = 100.0 * best.kept(rows) as f64 / people.all_rows.max(1) as f64;
        let _ = writeln!(text, "#   {rows}: keeps {kept:.1} % of the rows, {rows} times the noise of 1");
    }
    let _ = writeln!(text, "max_rows_per_unit = {most}");
    text
}

/// The smallest number of rows per person that keeps nearly all rows.
fn proposed(best: &Candidate, all: u64) -> u64 {
    let most = best.most().min(65_535);
    let enough = |rows: &u64| best.kept(*rows) * 100 >= all * KEPT_PERCENT;
    ROWS_PER_UNIT.into_iter().filter(|rows| *rows <= most).find(enough).unwrap_or(most).max(1)
}
