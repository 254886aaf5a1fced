//! The order of a question's walk: its charge is on disk before a row is looked at, and what is shared is of one edition.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tacit::engine::{Engine, EngineFault, PolarsEngine};
use tacit::kernel::budget::charge::AnswerState;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::vault::noise::OpenDp;
use tacit::kernel::vault::private::{Exact, Private};
use tacit::query::computation::{Computation, Measure};
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::policy::Policy;
use tacit::service::Service;

use crate::support::{GAUSSIAN, Lab, PURE, block_on, policy, visits};

/// Looks into the durable ledger whenever data is looked at.
struct Suspicious {
    engine: PolarsEngine,
    service: Arc<Mutex<Option<Arc<Service>>>>,
    unpaid: Arc<AtomicU64>,
}

impl Engine for Suspicious {
    fn evaluate(&self, edition: &str, computation: &Computation) -> Result<Private<Exact>, EngineFault> {
        let service = self.service.lock().expect("the service").clone().expect("it is there");
        let executing =
            read(service.ledger(), |book| book.releases().iter().any(|card| card.state == AnswerState::Executing));
        self.unpaid.fetch_add(u64::from(!executing), Ordering::Relaxed);
        self.engine.evaluate(edition, computation)
    }

    fn is_ready(&self, edition: &str) -> bool {
        self.engine.is_ready(edition)
    }
}

#[test]
fn no_row_is_looked_at_before_its_charge_is_on_disk() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(50)).expect("a source");
    let (service, unpaid) = (Arc::new(Mutex::new(None)), Arc::new(AtomicU64::new(0)));
    let (cell, counter) = (Arc::clone(&service), Arc::clone(&unpaid));
    let lab = Lab::wrapped(dir, &policy(GAUSSIAN), Arc::new(OpenDp), "4", |engine| {
        Arc::new(Suspicious { engine, service: cell, unpaid: counter })
    });
    *service.lock().expect("the service") = Some(Arc::clone(&lab.service));
    block_on(async {
        for age in 0..10 {
            lab.sql(
                &format!("SELECT region, COUNT(*), AVG(cost) AS c FROM visits WHERE age > {age} GROUP BY region"),
                "0.05",
            )
            .await
            .rows();
        }
    });
    assert_eq!(unpaid.load(Ordering::Relaxed), 0);
    // The service and its engine hold each other; nothing else ends that.
    *service.lock().expect("the service") = None;
}

/// What can be shared is named by everything that makes it what it is.
#[test]
fn a_view_is_of_one_edition_dataset_and_number_of_rows() {
    let terms = Policy::parse(&policy(PURE)).expect("a policy").terms;
    let planned = |rows| plan(&parse("SELECT COUNT(*) FROM visits").expect("SQL"), &terms, Some(rows)).expect("a plan");
    let view = |rows, dataset: &str, edition: &str| planned(rows).computation.view_of(&Measure::Rows, dataset, edition);
    let views =
        [view(4, "visits", "ed_1"), view(4, "visits", "ed_2"), view(4, "other", "ed_1"), view(3, "visits", "ed_1")];
    for (at, one) in views.iter().enumerate() {
        assert!(!views[..at].contains(one), "view {at}");
    }
    assert_ne!(planned(4).view("ed_1"), planned(4).view("ed_2"));
    assert_eq!(view(4, "visits", "ed_1"), views[0]);
}
