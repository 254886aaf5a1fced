//! The identities of measurements: digests of what is measured, of which edition, without names, order and accuracy.
//!
//! Promises the digest of one text for each: what all measurements of a question have alike (its conditions, its keys) is written and
//! digested once, however many measurements there are.

use std::collections::{BTreeSet, HashMap};

use blake3::Hasher;

use super::identity::Text;
use crate::kernel::budget::entry::Digest;
use crate::query::computation::{Computation, Measure, place};

/// Two measurements have the same text around them if they are over the same keys (`None` for all of them) and, in a table of one row a unit,
/// look at the same columns.
type Around<'a> = (Option<&'a [usize]>, Option<BTreeSet<usize>>);

impl Computation {
    /// Digest of one of its measurements, of which edition: what can be shared and topped up.
    #[must_use]
    pub fn view_of(&self, measure: &Measure, dataset: &str, edition: &str) -> Digest {
        let alone = self.alone(measure);
        Frame::of(&alone, dataset, edition).view(&alone.measures[0])
    }

    /// [`Computation::view_of`] of all of its measurements, in their order.
    #[must_use]
    pub fn views(&self, dataset: &str, edition: &str) -> Vec<Digest> {
        let mut frames: HashMap<Around<'_>, Frame> = HashMap::new();
        let mut views = Vec::with_capacity(self.measures.len());
        for whole in &self.measures {
            let (keys, measure) = match whole {
                Measure::Over { keys, measure } => (Some(&keys[..]), &**measure),
                other => (None, other),
            };
            let used = self.units.as_ref().map(|_| self.used(keys, measure));
            let renumbered = used.as_ref().map(|used| measure.renumbered(&place(used)));
            let frame = frames.entry((keys, used)).or_insert_with(|| Frame::of(&self.alone(whole), dataset, edition));
            views.push(frame.view(renumbered.as_ref().unwrap_or(measure)));
        }
        views
    }
}

/// The text before and after a measurement, of which digests are made.
struct Frame {
    before: Hasher,
    /// The text before, for questions with a left join, whose whole text is written once more.
    text: Option<Vec<u8>>,
    after: Vec<u8>,
    left: Vec<usize>,
}

impl Frame {
    /// The text around the one measurement of a computation: the JSON of `[dataset, edition, [rows, filter, keys, measure]]`, followed by the
    /// table of one row a unit and the key of text if there are any.
    fn of(alone: &Computation, dataset: &str, edition: &str) -> Self {
        let mut before = Text::default();
        before.raw("[");
        before.string(dataset);
        before.raw(",");
        before.string(edition);
        before.raw(",[");
        before.number(alone.rows_per_unit);
        before.raw(",");
        before.optional(alone.filter.as_ref(), Text::filter);
        before.raw(",");
        before.list(&alone.keys, Text::key);
        before.raw(",");
        let mut after = Text::default();
        after.raw("]");
        if alone.units.is_some() || alone.text.is_some() {
            after.raw(",");
            after.optional(alone.units.as_ref(), Text::units);
        }
        if let Some(text) = &alone.text {
            after.raw(",");
            after.text_key(text);
        }
        if let Some(relation) = &alone.relation {
            after.raw(",{\"relation\":");
            after.relation(relation);
            after.raw("}");
        }
        after.raw("]");
        let (before, after) = (before.into_bytes(), after.into_bytes());
        let (mut hasher, left) = (Hasher::new(), alone.left.clone());
        hasher.update(&before);
        Self { before: hasher, text: (!left.is_empty()).then_some(before), after, left }
    }

    fn view(&self, measure: &Measure) -> Digest {
        let mut own = Text::default();
        own.measure(measure);
        let own = own.into_bytes();
        let Some(before) = &self.text else {
            return *self.before.clone().update(&own).update(&self.after).finalize().as_bytes();
        };
        // What is joined from the left is written around the text of all else, of which each byte is a number of a list.
        let mut around = Text::default();
        around.raw("[");
        around.list(&[&before[..], &own, &self.after].concat(), |out, byte| out.number(*byte));
        around.raw(",");
        around.places(&self.left);
        around.raw("]");
        *blake3::hash(&around.into_bytes()).as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use crate::query::parse::parse;
    use crate::query::plan::plan;
    use crate::query::terms::policy::Policy;

    const POLICY: &str = r#"
[dataset]
name = "t"
source = "t.csv"
privacy_unit = "who"
max_rows_per_unit = 3
max_rows = 1_000
cap = { epsilon = "1", delta = "1e-6" }
threshold_delta = "1e-7"
[[column]]
name = "a"
type = "category"
values = ["x", "y"]
nullable = true
[[column]]
name = "b"
type = "boolean"
per_unit = true
[[column]]
name = "n"
type = "integer"
min = "0"
max = "9"
[[column]]
name = "d"
type = "text"
nullable = true
[[join]]
name = "u"
source = "u.csv"
[[join.column]]
name = "w"
type = "integer"
min = "0"
max = "3"
"#;

    #[test]
    fn identities_of_all_are_those_of_each() {
        let terms = Policy::parse(POLICY).expect("a policy").terms;
        for sql in [
            "SELECT COUNT(*) AS c, AVG(n) AS m, COUNT(DISTINCT who) AS u FROM t",
            "SELECT a, VAR_SAMP(n) AS v, MEDIAN(n) AS m FROM t WHERE b OR n > 3 GROUP BY a",
            "SELECT COUNT(*) AS c, SUM(n) AS s, COUNT(DISTINCT who) AS u FROM t WHERE a IN ('x') GROUP BY CUBE (a, b)",
            "SELECT n, SUM(COUNT(*)) OVER (ORDER BY n) AS r FROM t GROUP BY n",
            "SELECT b, AVG(s) AS m, COUNT(DISTINCT who) FILTER (WHERE k > 1) AS u FROM \
             (SELECT who, b, SUM(n) AS s, COUNT(*) AS k, MAX(n) AS x FROM t WHERE n > 1 GROUP BY who, b) AS p WHERE x > 2 GROUP BY b",
            "SELECT COUNT(*) AS c, SUM(s) AS t FROM (SELECT who, b, SUM(n) AS s FROM t GROUP BY who, b) AS p GROUP BY ROLLUP (b)",
            "SELECT d, COUNT(*) AS c, SUM(n) AS s FROM t WHERE n > 1 GROUP BY d",
            "SELECT d, COUNT(*) AS c, SUM(n) AS s FROM t GROUP BY ROLLUP (d)",
            "SELECT w, COUNT(*) AS c, SUM(n + w) AS s FROM t LEFT JOIN u USING (who) GROUP BY w",
            "SELECT COUNT(*) AS c FROM (SELECT who, MAX(w) AS m FROM t LEFT JOIN u USING (who) GROUP BY who) AS p WHERE m > 1",
        ] {
            let plan = parse(sql).and_then(|query| plan(&query, &terms, None));
            let computation = plan.unwrap_or_else(|error| panic!("{sql}: {error}")).computation;
            let views = computation.views("t", "ed");
            assert_eq!(views.len(), computation.measures.len());
            for (measure, view) in computation.measures.iter().zip(views) {
                assert_eq!(view, computation.view_of(measure, "t", "ed"), "{sql}: {measure:?}");
            }
        }
    }
}
