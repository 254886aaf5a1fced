//! Random FROMs: a query in parentheses means the same when it is named in WITH first.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::placeless;
use crate::query::parse::parse;

/// A writer of one random FROM in two spellings at once: inline, and with names.
struct Writer {
    rng: StdRng,
    defined: Vec<String>,
}

impl Writer {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.choose(&mut self.rng).copied().unwrap_or_default()
    }

    /// A member of FROM, in both spellings.
    fn source(&mut self, depth: u32) -> [String; 2] {
        if depth == 0 || self.rng.random_bool(0.4) {
            let table = self.one(&["visits", "visits AS v", "demo.visits", "people p (u, born)"]);
            return [table.to_owned(), table.to_owned()];
        }
        let alias = self.one(&["t", "\"T u\"", "v", "w (a)"]);
        match self.rng.random_range(0..3) {
            0 => {
                let [inline, named] = self.rows(depth - 1);
                let name = format!("q{}", self.defined.len());
                self.defined.push(format!("{name} AS ({named})"));
                [format!("({inline}) AS {alias}"), format!("{name} AS {alias}")]
            }
            1 => self.rows(depth - 1).map(|rows| format!("({rows}) AS {alias}")),
            _ => {
                let (left, right) = (self.source(depth - 1), self.source(depth - 1));
                let join = self.one(&["JOIN", "LEFT JOIN", "RIGHT JOIN"]);
                let on = self.one(&["USING (u)", "USING (u, d)", "ON t.u = v.u AND t.d <= v.d + 30"]);
                let both = |at: usize| format!("({} {join} {} {on})", left[at], right[at]);
                [both(0), both(1)]
            }
        }
    }

    /// A query that makes rows, in both spellings.
    fn rows(&mut self, depth: u32) -> [String; 2] {
        if depth > 0 && self.rng.random_bool(0.2) {
            let (left, right) = (self.rows(depth - 1), self.rows(depth - 1));
            let operator = self.one(&["UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
            let both = |at: usize| format!("({}) {operator} ({})", left[at], right[at]);
            return [both(0), both(1)];
        }
        let from = self.source(depth);
        let items = self.one(&[
            "u, COUNT(*) AS n, MAX(d) - MIN(d) AS days",
            "*, ROW_NUMBER() OVER (PARTITION BY u ORDER BY d DESC) AS n",
            "DISTINCT ON (u) u, v.*",
            "DISTINCT u",
        ]);
        let tail = self.one(&["", " WHERE a > 1", " GROUP BY 1 HAVING COUNT(*) > 2", " ORDER BY u, d"]);
        let inner = if depth > 0 && tail.is_empty() && self.rng.random_bool(0.3) {
            self.rows(depth - 1).map(|rows| format!(" WHERE u IN ({rows})"))
        } else {
            [tail.to_owned(), tail.to_owned()]
        };
        let both = |at: usize| format!("SELECT {items} FROM {}{}", from[at], inner[at]);
        [both(0), both(1)]
    }
}

#[test]
fn named_queries_mean_what_they_stand_for() {
    let mut with_names = 0;
    for seed in 0..400 {
        let mut writer = Writer { rng: StdRng::seed_from_u64(seed), defined: Vec::new() };
        let [inline, named] = writer.source(4);
        let defined = writer.defined.join(", ");
        let with = if defined.is_empty() { String::new() } else { format!("WITH {defined} ") };
        let [inline, named] = [format!("SELECT COUNT(*) FROM {inline}"), format!("{with}SELECT COUNT(*) FROM {named}")];
        let read = |sql: &str| parse(sql).map(|query| placeless(&query.from)).map_err(|error| error.code);
        assert_eq!(read(&inline), read(&named), "{seed}: {inline} / {named}");
        with_names += usize::from(read(&inline).is_ok() && !defined.is_empty());
    }
    assert!(with_names > 100, "{with_names}");
}
