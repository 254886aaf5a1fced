//! Random rows of constants, as a question would write them.

use rand::RngExt;
use rand::rngs::StdRng;

use crate::query::syntax::{ListedColumn, ListedRows};

/// Random rows of constants: one or two columns of any kind, with a value and perhaps missing ones.
pub(super) fn listed(rng: &mut StdRng) -> ListedRows {
    fn cells<T>(rng: &mut StdRng, rows: usize, value: impl Fn(&mut StdRng) -> T) -> Vec<Option<T>> {
        let cell = |row: usize, rng: &mut StdRng| (row == 0 || rng.random_bool(0.8)).then(|| value(rng));
        (0..rows).map(|row| cell(row, rng)).collect()
    }
    let rows = rng.random_range(1..5);
    let column = |rng: &mut StdRng| match rng.random_range(0..4) {
        0 => ListedColumn::Numbers(cells(rng, rows, |rng| rng.random_range(-6..30) * 500_000_000)),
        1 => ListedColumn::Days(cells(rng, rows, |rng| 19_000 + rng.random_range(0..40))),
        2 => ListedColumn::Texts(cells(rng, rows, |rng| ["a", "1", "2.5", "c"][rng.random_range(0..4)].to_owned())),
        _ => ListedColumn::Truths(cells(rng, rows, |rng| rng.random_bool(0.5))),
    };
    let columns = (0..rng.random_range(1..3)).map(|_| column(rng)).collect();
    ListedRows { rows: rows as u64, columns }
}
