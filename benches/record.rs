//! The table of figures in `benches/README.md`, and how a run of the benches writes into it.
//!
//! `TACIT_FIGURES=write cargo bench` writes the figures that it has measured; without the variable nothing is written. Each row has a key.
//! Only the cells that say what was measured and when are written, and only in rows whose figures were measured in this run. Everything
//! else in the file stays as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs, io};

use serde_json::Value;

/// The variable that asks for the table to be written.
pub const VARIABLE: &str = "TACIT_FIGURES";
/// The lines that the table stands between.
pub const BEGIN: &str = "<!-- figures: begin -->";
pub const END: &str = "<!-- figures: end -->";
/// The folder beside criterion's own for what benches say.
const SAID: &str = "said";

/// Where the figure of a row comes from. Patterns name benchmarks as criterion does, `group/function`; `*` stands for anything.
pub enum Source {
    /// The medians of benchmarks, each after a label.
    Times(&'static [(&'static str, &'static str)]),
    /// The median of a benchmark of so many steps, for one step.
    Step(&'static str, u32),
    /// Elements a second of benchmarks, each after a label.
    Rates(&'static [(&'static str, &'static str)]),
    /// The median of the first as a part of the second's, each pair after a label.
    Parts(&'static [(&'static str, &'static str, &'static str)]),
    /// How much longer the second takes than the first.
    More(&'static str, &'static str),
    /// The rate of the first as a part of the second's.
    RateOf(&'static str, &'static str),
    /// What a bench said under the row's key.
    Said,
}

/// The key of every row that a bench measures, and where its figure comes from.
pub const ROWS: [(&str, Source); 28] = [
    ("price", Source::Times(&[("", "price and certify a count and a mean*"), ("parse and plan ", "parse and plan")])),
    (
        "scan",
        Source::Parts(&[
            ("", "*ten million rows/exact integers*", "*ten million rows/plain polars on*"),
            (
                "of polars' streaming engine ",
                "*ten million rows/exact integers*",
                "*ten million rows/*streaming engine*",
            ),
        ]),
    ),
    ("noise", Source::Times(&[("Gaussian ", "noise/*gaussian*"), ("Laplace ", "noise/*laplace*")])),
    ("replay", Source::Rates(&[("", "replay/a replayed answer over HTTP*")])),
    (
        "decision",
        Source::Times(&[
            ("", "a decision over three accounts*/after 100 *"),
            ("", "a decision over three accounts*/after 10000 *"),
            ("", "a decision over three accounts*/after 400000 *"),
        ]),
    ),
    (
        "durable-slow",
        Source::Rates(&[
            ("", "durable charge**4 ms*256 clients*"),
            ("64 clients ", "durable charge**4 ms*64 clients*"),
            ("one client ", "durable charge**4 ms*one client*"),
        ]),
    ),
    (
        "durable",
        Source::Rates(&[
            ("", "durable charge**as it is*256 clients*"),
            ("64 clients ", "durable charge**as it is*64 clients*"),
            ("one client ", "durable charge**as it is*one client*"),
        ]),
    ),
    ("start", Source::Times(&[("", "a ledger of a million entries/start-up*")])),
    ("verify", Source::Rates(&[("", "a ledger of a million entries/verify*")])),
    (
        "worker",
        Source::More("*a hundred thousand rows/in this process*", "*a hundred thousand rows/in a worker process*"),
    ),
    (
        "outputs",
        Source::Times(&[("", "plan and certify twenty outputs*"), ("parse ", "parse a question of twenty outputs*")]),
    ),
    ("rollup", Source::Parts(&[("", "ten million rows/ROLLUP*", "ten million rows/plain polars: one group-by*")])),
    (
        "percentiles",
        Source::Parts(&[("", "ten million rows/four percentiles*", "ten million rows/*one exact quantile*")]),
    ),
    ("units", Source::Parts(&[("", "ten million rows/*a row for each unit*", "ten million rows/*sums per patient*")])),
    ("quantiles", Source::Said),
    ("year", Source::Said),
    ("tables", Source::Step("all pairs of ten keys put together*", 129_600)),
    ("pairs", Source::Said),
    ("statistic", Source::RateOf("a statistic of*/the statistic*", "a statistic of*/a bare axum handler*")),
    ("console", Source::Said),
    ("deaths", Source::Said),
    ("livez", Source::Said),
    ("fairness", Source::Said),
    ("memory", Source::Said),
    ("cohort", Source::Said),
    ("index-date", Source::Said),
    ("gap", Source::Said),
    ("plan-cohort", Source::Times(&[("", "parse and plan a cohort*")])),
];

/// One benchmark as criterion wrote it down.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    id: String,
    /// The median of one iteration, in nanoseconds.
    median: f64,
    /// Elements of one iteration.
    elements: f64,
}

/// What was measured since a moment: benchmarks, and what benches said, by key.
#[derive(Debug, Default)]
pub struct Measured {
    found: Vec<Found>,
    said: BTreeMap<String, String>,
}

impl Measured {
    /// Reads criterion's folder; files that were written before `since` are of earlier runs.
    pub fn since(home: &Path, since: SystemTime) -> Self {
        let mut measured = Self::default();
        let is_new = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).is_ok_and(|at| at >= since);
        for dir in folders(home).into_iter().filter(|dir| dir.ends_with("new") && is_new(&dir.join("estimates.json"))) {
            let read = |name: &str| fs::read(dir.join(name)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let (Some(id), Some(estimates)) = (read("benchmark.json"), read("estimates.json")) else { continue };
            measured.found.extend(Found::of(&id, &estimates));
        }
        for path in files(&home.join(SAID)).into_iter().filter(|path| is_new(path)) {
            if let (Some(key), Ok(text)) = (path.file_stem().and_then(|key| key.to_str()), fs::read_to_string(&path)) {
                measured.said.insert(key.to_owned(), text.trim().to_owned());
            }
        }
        measured
    }

    fn find(&self, pattern: &str) -> Option<&Found> {
        self.found.iter().find(|found| is_named(&found.id, pattern))
    }

    /// The figure of a row; `None` if something of it was not measured.
    fn figure(&self, key: &str, source: &Source) -> Option<String> {
        let median = |pattern: &str| self.find(pattern).map(|found| found.median);
        let rate = |pattern: &str| self.find(pattern).map(|found| found.elements * 1e9 / found.median);
        let all =
            |parts: Vec<Option<String>>| parts.into_iter().collect::<Option<Vec<_>>>().map(|parts| parts.join("; "));
        match source {
            Source::Times(of) => {
                all(of.iter().map(|(label, id)| Some(format!("{label}{}", time(median(id)?)))).collect())
            }
            Source::Step(id, steps) => Some(format!("{} a step", time(median(id)? / f64::from(*steps)))),
            Source::Rates(of) => {
                all(of.iter().map(|(label, id)| Some(format!("{label}{} a second", thousands(rate(id)?)))).collect())
            }
            Source::Parts(of) => all(of
                .iter()
                .map(|(label, ours, theirs)| {
                    let (ours, theirs) = (median(ours)?, median(theirs)?);
                    Some(format!("{label}{:.2} ({} to {})", ours / theirs, time(ours), time(theirs)))
                })
                .collect()),
            Source::More(less, more) => {
                let (less, more) = (median(less)?, median(more)?);
                Some(format!("{} more ({} to {})", time(more - less), time(less), time(more)))
            }
            Source::RateOf(ours, theirs) => {
                let (ours, theirs) = (rate(ours)?, rate(theirs)?);
                Some(format!("{:.2} ({} a second to {})", ours / theirs, thousands(ours), thousands(theirs)))
            }
            Source::Said => self.said.get(key).cloned(),
        }
    }

    /// The text with what was measured in the rows of its table, and the keys of the rows that were written.
    pub fn written(&self, text: &str, date: &str) -> (String, Vec<String>) {
        let (mut inside, mut keys) = (false, Vec::new());
        let mut line = |line: &str| {
            inside = (inside || line == BEGIN) && line != END;
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let ["", what, asked, _, _, key, ""] = cells[..] else { return line.to_owned() };
            let row = ROWS.iter().find(|(known, _)| inside && key == format!("`{known}`"));
            let Some(figure) = row.and_then(|(known, source)| self.figure(known, source)) else {
                return line.to_owned();
            };
            keys.push(key.trim_matches('`').to_owned());
            format!("| {what} | {asked} | {} | {date} | {key} |", figure.replace('|', "/"))
        };
        let lines: Vec<String> = text.lines().map(&mut line).collect();
        (lines.join("\n") + "\n", keys)
    }
}

impl Found {
    fn of(id: &Value, estimates: &Value) -> Option<Self> {
        let elements = id["throughput"]["Elements"].as_f64().unwrap_or(1.0);
        let (id, median) = (id["full_id"].as_str()?.to_owned(), estimates["median"]["point_estimate"].as_f64()?);
        Some(Self { id, median, elements })
    }
}

/// Whether a name is of a pattern, in which `*` stands for anything.
fn is_named(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.is_empty() || last == Some("")
}

/// Nanoseconds with three digits, in the unit that reads best.
fn time(nanos: f64) -> String {
    let (value, unit) = match nanos {
        under if under < 1e3 => (nanos, "ns"),
        under if under < 1e6 => (nanos / 1e3, "µs"),
        under if under < 1e9 => (nanos / 1e6, "ms"),
        _ => (nanos / 1e9, "s"),
    };
    let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.decimals$} {unit}")
}

/// A rate with three digits and commas.
fn thousands(rate: f64) -> String {
    let step = 10_f64.powf((rate.log10().floor() - 2.0).max(0.0));
    let digits = format!("{:.0}", (rate / step).round() * step);
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    entries(dir).into_iter().filter(|path| path.is_file()).collect()
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let below = entries(dir).into_iter().filter(|path| path.is_dir());
    below.flat_map(|dir| folders(&dir).into_iter().chain([dir])).collect()
}

/// Where criterion writes.
fn home() -> PathBuf {
    let named = env::var_os("CRITERION_HOME").map(PathBuf::from);
    let target = env::var_os("CARGO_TARGET_DIR").map(|dir| PathBuf::from(dir).join("criterion"));
    named.or(target).unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/criterion"))
}

/// Prints a line and keeps what it says of a row: for benches whose figure is no time of criterion's.
pub fn say(key: &str, line: &str) {
    println!("{key}: {line}");
    let dir = home().join(SAID);
    let kept = fs::create_dir_all(&dir).and_then(|()| fs::write(dir.join(format!("{key}.txt")), line));
    kept.unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
}

/// The text with a section replaced, which stands between lines of its name; a section that is not there stands at the end.
pub fn with_section(text: &str, name: &str, section: &str) -> String {
    let [begin, end] = ["begin", "end"].map(|edge| format!("<!-- {name}: {edge} -->\n"));
    let written = format!("{begin}\n{}\n\n{end}", section.trim());
    let found = text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    match found {
        Some((before, after)) => format!("{before}{written}{after}"),
        None => format!("{}\n\n{written}", text.trim_end()),
    }
}

/// Writes a section of the file, where figures are asked for.
pub fn write_section(name: &str, section: &str) -> io::Result<()> {
    if env::var_os(VARIABLE).is_none_or(|wanted| wanted != "write") {
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/README.md");
    fs::write(&path, with_section(&fs::read_to_string(&path)?, name, section))
}

/// The moment that a run begins at, by the clock of the disk that criterion writes to.
pub fn begin() -> io::Result<SystemTime> {
    fs::create_dir_all(home())?;
    let mark = home().join("began");
    fs::write(&mark, "")?;
    fs::metadata(mark)?.modified()
}

/// Writes what was measured since `begun` into the file, where it is asked for.
pub fn finish(begun: SystemTime, date: &str) -> io::Result<()> {
    if env::var_os(VARIABLE).is_none_or(|wanted| wanted != "write") {
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/README.md");
    let (text, keys) = Measured::since(&home(), begun).written(&fs::read_to_string(&path)?, date);
    println!("written into {}: {}", path.display(), keys.join(", "));
    fs::write(path, text)
}
