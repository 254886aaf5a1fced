//! The timing audit: attacks neighbouring tables with a stopwatch, with padding and without.
//!
//! One table holds a unit with as many rows as a unit may have, the other does not. A classifier guesses from the time of an
//! answer which table was asked. AUC is the probability that it orders two answers correctly, 0.5 for a classifier that learns
//! nothing (Mann and Whitney 1947: the share of pairs in order, ties counted half). Without padding it must be possible to tell
//! the tables apart, or the attack is no test.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;
use serde_json::json;

use super::finding::AuditError;
use super::throwaway::{Folder, NoServer, open, seal_all, with};
use crate::client::Client;
use crate::kernel::random;

const WITH: &str = "timing_with";
const WITHOUT: &str = "timing_without";
/// The quantum of the padded tables, in milliseconds.
const PAD_MS: u32 = 25;
/// Number of concurrent callers.
const CALLERS: u64 = 2;
/// Number of rows of the unit.
const ROWS: usize = 60_000;
/// How far from 0.5 the AUC of a padded table may be, beyond the sampling error.
const AUC_ROOM: f64 = 0.02;
/// Smallest AUC without padding at which the attack counts as a test.
const AUC_TOLD_APART: f64 = 0.55;

/// The finding of the timing audit, with padding or without.
#[derive(Debug, Clone, Serialize)]
pub struct TimingFinding {
    /// What was attacked, in words.
    pub mechanism: &'static str,
    /// Whether the tables were padded.
    pub is_padded: bool,
    /// Probability of ordering two answers correctly by their time, from 0 to 1.
    pub auc: f64,
    /// Number of answers of each table.
    pub samples: u64,
    /// Median time of an answer, in milliseconds.
    pub median_ms: f64,
    /// Whether the result is as expected: the tables can be told apart without padding, and cannot with it.
    pub holds: bool,
}

/// Times `samples` answers of each table, without padding and with it.
///
/// # Errors
/// [`AuditError`] if a server cannot be started or asked.
pub fn run(samples: u64) -> Result<Vec<TimingFinding>, AuditError> {
    let unusable = |error: NoServer| AuditError::Unusable(error.to_string());
    let mut findings = Vec::new();
    for is_padded in [false, true] {
        let folder = Folder::new().map_err(unusable)?;
        prepare(folder.path(), is_padded).map_err(|error| AuditError::Unusable(error.kind().to_string()))?;
        let token = seal_all(folder.path(), &[WITH, WITHOUT]).map_err(unusable)?;
        let service = open(folder.path(), &[WITH, WITHOUT]).map_err(unusable)?;
        let times = with(service, &token, |client| times(client, samples)).map_err(unusable)??;
        findings.push(finding(is_padded, times));
    }
    Ok(findings)
}

fn finding(is_padded: bool, (with, without): (Vec<f64>, Vec<f64>)) -> TimingFinding {
    let auc = auc(&with, &without);
    // 3.3 standard errors of the AUC of two samples from the same distribution.
    let error = 3.3 / (6.0 * with.len() as f64).sqrt();
    let holds = if is_padded { (auc - 0.5).abs() <= AUC_ROOM + error } else { auc - error >= AUC_TOLD_APART };
    let mut all: Vec<f64> = with.iter().chain(&without).copied().collect();
    all.sort_unstable_by(f64::total_cmp);
    let mechanism = if is_padded { "time, padded" } else { "time, not padded" };
    let median_ms = all.get(all.len() / 2).copied().unwrap_or_default() * 1e3;
    TimingFinding { mechanism, is_padded, auc, samples: with.len() as u64, median_ms, holds }
}

/// Times of new answers of the two tables, in seconds, asked in turn by a few callers.
fn times(client: &Client, samples: u64) -> Result<(Vec<f64>, Vec<f64>), AuditError> {
    let next = AtomicU64::new(0);
    let caller = || {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= samples {
                return Ok::<_, AuditError>((with, without));
            }
            // Randomise the order of the two tables, so that earlier and concurrent requests do not bias the measurement.
            let bits = random::bytes::<1>().map_err(|error| AuditError::Unusable(error.to_string()))?;
            let order = if bits[0].is_multiple_of(2) { [WITH, WITHOUT] } else { [WITHOUT, WITH] };
            for dataset in order {
                let sql = format!(
                    "SELECT COUNT(*), COUNT(DISTINCT who) AS units FROM {dataset} WHERE salt <> {}",
                    number + 1
                );
                let body = json!({"sql": sql, "epsilon": "0.001"});
                let since = Instant::now();
                client.post("/v1/queries", &body)?;
                let times = if dataset == WITH { &mut with } else { &mut without };
                times.push(since.elapsed().as_secs_f64());
            }
        }
    };
    let all: Vec<_> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().map(|caller| caller.join()).collect()
    });
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for one in all {
        let (more, others) = one.map_err(|_| AuditError::Unusable("a caller was cut off".to_owned()))??;
        with.extend(more);
        without.extend(others);
    }
    Ok((with, without))
}

/// The share of pairs in which the first value is larger, ties counted half.
#[must_use]
pub fn auc(first: &[f64], second: &[f64]) -> f64 {
    let mut ordered = second.to_vec();
    ordered.sort_unstable_by(f64::total_cmp);
    let wins = first.iter().map(|time| {
        let below = ordered.partition_point(|other| other < time);
        let not_above = ordered.partition_point(|other| other <= time);
        0.5 * (below + not_above) as f64
    });
    wins.sum::<f64>() / (first.len() * second.len()) as f64
}

fn prepare(dir: &Path, is_padded: bool) -> io::Result<()> {
    for name in [WITH, WITHOUT] {
        let pad = if is_padded { format!("pad_ms = {PAD_MS}\n") } else { String::new() };
        fs::write(dir.join(format!("{name}.toml")), policy(name, &pad))?;
        let mut source = io::BufWriter::new(fs::File::create(dir.join(format!("{name}.csv")))?);
        writeln!(source, "who,amount,salt")?;
        let rows = if name == WITH { ROWS } else { 0 };
        for row in 0..rows {
            writeln!(source, "u,{row},0")?;
        }
        writeln!(source, "b,0,0")?;
        source.flush()?;
    }
    Ok(())
}

fn policy(name: &str, pad: &str) -> String {
    format!(
        r#"[dataset]
name = "{name}"
source = "{name}.csv"
privacy_unit = "who"
max_rows_per_unit = 60_000
max_rows = 100_000
accountant = "pure"
cap = {{ epsilon = "100" }}
{pad}
[[column]]
name = "amount"
type = "integer"
min = "0"
max = "1000"

[[column]]
name = "salt"
type = "integer"
min = "0"
max = "1000000000"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::auc;

    #[test]
    fn pairs_in_order_are_counted() {
        assert!((auc(&[3.0, 4.0], &[1.0, 2.0]) - 1.0).abs() < 1e-12);
        assert!((auc(&[1.0, 2.0], &[3.0, 4.0])).abs() < 1e-12);
        assert!((auc(&[1.0, 2.0], &[1.0, 2.0]) - 0.5).abs() < 1e-12);
    }
}
