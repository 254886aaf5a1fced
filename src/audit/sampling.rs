//! Asks the questions of an audit, and collects the samples in their answers.

mod cells;

use super::bounds::{Event, Tally};
use super::finding::AuditError;
use super::history::Earlier;
use super::kinds::Kind;
use super::running;
use super::tables::groups::SALTS;
use crate::client::Client;
use crate::kernel::privacy::amounts::Epsilon;
use crate::kernel::random;
use serde_json::json;
use std::collections::HashMap;

pub(super) use self::cells::NoisyCells;

/// The answers of one side.
#[derive(Default)]
pub(super) struct Sampled {
    /// How often each event happened.
    pub(super) tallies: Vec<Tally>,
    /// The sum of all samples' cells, and the sum of its squares.
    pub(super) sums: (f64, f64),
    /// The noise of the last two answers, in the order of the tables: what was shown minus what is true.
    pub(super) noise: [Vec<f64>; 2],
    /// Faults in the answers that no numbers excuse.
    pub(super) broken: Vec<String>,
}

impl Sampled {
    /// Asks a dataset the given number of questions, each after what was asked earlier, and the last one twice.
    pub(super) fn new(
        client: &Client,
        earlier: Option<Earlier<'_>>,
        (dataset, kind, epsilon): (&str, Kind, Epsilon),
        questions: u64,
        events: &[Event],
    ) -> Result<Self, AuditError> {
        let mut sampled = Self { tallies: vec![Tally::default(); events.len()], ..Self::default() };
        let salts = salts(questions)?;
        let ask = |salt: u64, earlier: Option<Earlier<'_>>| {
            let mut body = json!({"sql": kind.sql(dataset, salt), "epsilon": epsilon.to_string(), "purpose": "audit"});
            if let Some(rows) = kind.rows_per_unit() {
                body["rows_per_unit"] = rows.into();
            }
            if let Some(earlier) = earlier {
                earlier.ask(client, &body, epsilon)?;
            }
            client.post_for("/v1/queries", &body, "text/csv").map_err(AuditError::from)
        };
        let mut last = Vec::new();
        for salt in &salts {
            last = ask(*salt, earlier)?;
            sampled.take(&last, dataset, kind, events);
        }
        if let Some(salt) = salts.last()
            && ask(*salt, None)? != last
        {
            sampled.blame("the same question had another answer");
        }
        Ok(sampled)
    }

    fn blame(&mut self, what: &str) {
        if !self.broken.iter().any(|known| known == what) {
            self.broken.push(what.to_owned());
        }
    }

    fn take(&mut self, csv: &[u8], dataset: &str, kind: Kind, events: &[Event]) {
        let read = if kind == Kind::RunningSum { running::cells(csv, kind) } else { cells(csv, kind) };
        let Some(cells) = read else {
            self.blame("the groups of an answer are not those that were declared");
            return;
        };
        if !cells.is_symmetric {
            self.blame("intervals are not those of the noise alone");
        }
        for sample in cells.values.chunks(kind.cells()) {
            for (event, tally) in events.iter().zip(&mut self.tallies) {
                tally.add(event.holds(sample));
            }
            let sum: f64 = sample.iter().sum();
            self.sums = (self.sums.0 + sum, self.sums.1 + sum * sum);
        }
        let truth = if dataset == kind.neighbours().with() { kind.move_per_cell() } else { 0.0 };
        let noise = cells.values.iter().map(|value| value - truth).collect();
        self.noise = [std::mem::take(&mut self.noise[1]), noise];
    }
}

/// The cells of an answer; `None` if a declared group is missing, occurs twice, or an undeclared one occurs.
fn cells(csv: &[u8], kind: Kind) -> Option<NoisyCells> {
    let mut rows = csv::Reader::from_reader(csv);
    let (mut found, mut widths, mut others) = (HashMap::new(), None, 0_u64);
    let mut is_symmetric = true;
    for row in rows.records() {
        let row = row.ok()?;
        let number = |at: usize| row.get(at)?.parse::<f64>().ok();
        let (value, low, high) = (number(2)?, number(3)?, number(4)?);
        let width = (value - low, high - value);
        // Numbers are shown rounded to integers, so a bound may be off by one.
        let known: &mut (f64, f64) = widths.get_or_insert(width);
        is_symmetric &= (width.0 - known.0).abs() <= 1.0 && (width.1 - known.1).abs() <= 1.0;
        match kind.place(row.get(0)?, row.get(1)?) {
            Some(place) if found.insert(place, value).is_some() => return None,
            Some(_) => {}
            None => others += 1,
        }
    }
    let values: Option<Vec<f64>> = (0..kind.cells_per_query()).map(|place| found.remove(&place)).collect();
    values
        .filter(|_| found.is_empty() && others == kind.others_per_query())
        .map(|values| NoisyCells { values, is_symmetric })
}

/// Numbers that occur in no row. Each makes a question of its own over the same rows; they are random, so that another run asks
/// other questions.
fn salts(questions: u64) -> Result<Vec<u64>, AuditError> {
    let bytes = random::bytes::<8>().map_err(|error| AuditError::Unusable(error.to_string()))?;
    let first = u64::from_le_bytes(bytes) % (SALTS - questions.min(SALTS - 1));
    Ok((first..first + questions).map(|salt| salt + 1).collect())
}
