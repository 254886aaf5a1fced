//! Reading a question: the only place where a question's SQL is parsed, and where it is planned.
//!
//! Each question is parsed once and planned once, and what follows takes the values made here. Two steps are extra by intention.
//! The canonical SQL of a question is read back before anything is charged (`Service::check_canonical`), because it stands in
//! the ledger and every verification of the ledger plans it again. And a question with a large plan that has to wait is read again
//! afterwards, because the plans of all waiting questions would not fit into memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ask::Ask;
use super::counts::ReadingCounters;
pub use super::counts::ReadingCounts;
use crate::query::error::{Code, QueryError};
use crate::query::parse::{self, SqlStatement};
use crate::query::plan::{self, Plan};
use crate::query::syntax::Query;
use crate::service::{Dataset, Priced, Service, ServiceError};

impl Service {
    /// How often this service has parsed and planned questions. Statistics count when they are drawn, and not when their files are
    /// read.
    #[must_use]
    pub fn reading_counts(&self) -> ReadingCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let ReadingCounters { parses, plans, checks } = &*self.readings;
        ReadingCounts { parses: count(parses), plans: count(plans), checks: count(checks) }
    }

    /// Parses the text of a question.
    pub(crate) fn parsed(&self, sql: &str) -> Result<SqlStatement, QueryError> {
        self.readings.parses.fetch_add(1, Ordering::Relaxed);
        parse::asked_on(sql, Some(self.today()))
    }

    /// The day of asking in UTC, counted from 1970-01-01.
    fn today(&self) -> i32 {
        const DAY_MS: u64 = 86_400_000;
        i32::try_from(self.now_ms() / DAY_MS).unwrap_or(i32::MAX)
    }

    /// Plans a parsed question of this dataset.
    pub(crate) fn plan_of(
        &self,
        dataset: &Arc<Dataset>,
        query: &Query,
        rows_per_unit: Option<u32>,
    ) -> Result<Plan, QueryError> {
        self.readings.plans.fetch_add(1, Ordering::Relaxed);
        plan::plan(&query.about(&dataset.name), &dataset.terms, rows_per_unit)
    }

    /// Plans the question of a query file and prices it, whoever asks. This is not counted.
    pub(in crate::service) fn price_of(
        dataset: &Arc<Dataset>,
        query: &Query,
        ask: &Ask,
    ) -> Result<Priced, ServiceError> {
        Self::priced(dataset, plan::plan(&query.about(&dataset.name), &dataset.terms, ask.rows_per_unit)?, ask)
    }

    /// Checks that the canonical SQL can be planned again, once for each question. It stands in the ledger, and whoever verifies
    /// the ledger has to plan it; but united lists and dates written out in full may make it longer than a question may be.
    pub(crate) fn check_canonical(&self, priced: &Priced) -> Result<(), ServiceError> {
        let check = || {
            self.readings.checks.fetch_add(1, Ordering::Relaxed);
            let terms = &priced.dataset.terms;
            let rows = Some(priced.plan.rows_per_unit);
            let again = parse::parse(&priced.sql);
            let again = again.and_then(|query| plan::plan(&query.about(&priced.dataset.name), terms, rows));
            again.is_ok_and(|again| again.parts().eq(priced.plan.parts()) && again.together == priced.plan.together)
        };
        if *priced.is_canonical.get_or_init(check) {
            return Ok(());
        }
        // What is too large is refused as a whole, and everything else at its place.
        if parse::parse(&priced.sql).is_err_and(|error| error.position.is_none()) {
            let message = "written out in full, this query is longer or deeper than a query may be";
            return Err(QueryError::whole(Code::UnsupportedSql, message)
                .hint("ask with fewer or shorter conditions")
                .into());
        }
        let message = "written out in full, this query does not read back as the same question, and could not be verified in the ledger";
        Err(QueryError::whole(Code::UnsupportedSql, message).into())
    }
}
