//! What was measured of the questions, in Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use super::PerRow;
use super::measure::{Measured, PlainMeasured, Row};
use super::server::{Cost, Refusal};

/// What sealing cost, in the same run.
pub struct Sealing {
    pub ours: Cost,
    pub before: Option<Cost>,
    pub bytes: u64,
}

/// What was measured at one size.
pub struct Size {
    pub rows: usize,
    pub rounds: usize,
    pub workers: usize,
    pub answered: Vec<Row>,
    pub sealing: Sealing,
    /// From the start of a server to its first answer.
    pub first: Duration,
    pub first_before: Option<Duration>,
    /// After all questions: pages that several processes share counted once, and the most of each process added up.
    pub held_mb: f64,
    pub most_mb: f64,
}

/// A time in milliseconds, with three digits.
fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    let decimals = if ms < 10.0 { 2 } else { usize::from(ms < 100.0) };
    format!("{ms:.decimals$}")
}

fn ratio(ours: Duration, theirs: Duration) -> String {
    format!("{:.2}", ours.as_secs_f64() / theirs.as_secs_f64())
}

fn plain(of: &PlainMeasured, time: Duration) -> String {
    format!("{}{}", ms(time), if of.is_streaming { " (str)" } else { "" })
}

/// The cells of a question in all columns of the table.
pub fn line(row: &Row, rows: usize, before: &PerRow) -> String {
    let Row { question, text, codes, .. } = row;
    let theirs = format!("{} | {}", plain(text, text.of.alone.taken), plain(codes, codes.of.alone.taken));
    let start = format!("| {} (`{}`) | {theirs} |", question.what, question.key);
    let ours = match &row.ours {
        Ok(ours) => ours,
        Err(refusal) => return format!("{start} {} | – | – | – | – | – | – | – | – |", refused(refusal)),
    };
    let taken = ours.alone.taken;
    let per_row = taken.as_nanos() as f64 / rows as f64;
    let growth = before.get(question.key).map_or_else(|| "–".to_owned(), |before| format!("{:.2}", per_row / before));
    format!(
        "{start} {} | {} | {} | {} | {:.2}; {:.2}; {:.2} | {:.0} | {per_row:.2}; {growth} | {} | {} |",
        ms(taken),
        ratio(taken, text.of.alone.taken),
        ratio(taken, codes.of.alone.taken),
        earlier(row.before.as_ref(), taken),
        ours.alone.cpu,
        text.of.alone.cpu,
        codes.of.alone.cpu,
        row.peak_mb,
        ours.at_once.map_or_else(|| "–".to_owned(), ms),
        [&text.of, &codes.of].map(|plain| at_once(ours, plain)).join("; "),
    )
}

/// Our time with four askers at once as a part of four plain queries'.
fn at_once(ours: &Measured, plain: &Measured) -> String {
    ours.at_once.zip(plain.at_once).map_or_else(|| "–".to_owned(), |(ours, theirs)| ratio(ours, theirs))
}

fn refused(refusal: &Refusal) -> String {
    format!("{} ({})", refusal.code, refusal.status)
}

/// Today's time as a part of an earlier version's.
fn earlier(before: Option<&Result<Measured, Refusal>>, taken: Duration) -> String {
    match before {
        None => "–".to_owned(),
        Some(Err(refusal)) => refused(refusal),
        Some(Ok(before)) => format!("{} ({})", ratio(taken, before.alone.taken), ms(before.alone.taken)),
    }
}

/// The table of one size, with what stands around it.
pub fn table(size: &Size, before: &PerRow) -> String {
    let Size { rows, rounds, workers, sealing, .. } = size;
    let mut out = format!(
        "### Questions over {rows} rows\n\n\
         Medians of {rounds} interleaved runs in milliseconds; `str`: by polars' streaming engine, where it is the faster one.\n\
         Processor time in seconds: of the server with its {workers} workers, of plain polars over strings, over codes.\n\
         Four askers at once: milliseconds by the clock for each answer, and that against four plain queries at once.\n\n\
         | question | plain, strings | plain, codes | Tacit | of strings | of codes | of the version before (its ms) | CPU s \
         | peak MB | ns a row; of the size before | four at once | of strings; of codes |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for row in &size.answered {
        let _ = writeln!(out, "{}", line(row, *rows, before));
    }
    let sealed = |cost: &Cost| format!("{:.1} s ({:.1} s of processor time)", cost.taken.as_secs_f64(), cost.cpu);
    let was = sealing.before.as_ref().map_or_else(String::new, |cost| format!("; the version before {}", sealed(cost)));
    let began = size.first_before.map_or_else(String::new, |first| format!("; the version before {} ms", ms(first)));
    let file_mb = sealing.bytes as f64 / f64::from(1 << 20);
    let _ = write!(
        out,
        "\n* Sealing: {}{was}. The sealed edition has {file_mb:.0} MB.\n\
         * First answer after a start: {} ms{began}.\n\
         * Memory of the server and its {workers} workers after all questions: {:.0} MB, shared pages counted once; \
         the most of each process, added up: {:.0} MB.\n",
        sealed(&sealing.ours),
        ms(size.first),
        size.held_mb,
        size.most_mb
    );
    out
}
