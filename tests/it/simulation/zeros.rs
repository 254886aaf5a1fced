//! A service over the simulated disk that never fails, for tests of what is charged and of the law of noise.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tacit::kernel::budget::people::Role;
use tacit::kernel::vault::noise::NoiseSource;
use tacit::query::terms::policy::Policy;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};
use tacit::service::stewarding::people;
use tacit::service::{Service, ServiceError};

use super::disk::{SimDisk, SimLedger};
use super::{Counting, SimClock, SimEngine, publish, serve};

/// A service over a table whose cells are all zero, so that answers are their noise. Every one of the people may spend the whole cap.
pub fn zeros(cap: &str, people: &[&str], noise: &Arc<impl NoiseSource + 'static>) -> Arc<Service> {
    let text = crate::support::policy(&format!("cap = {{ epsilon = \"{cap}\", delta = \"1e-6\" }}"));
    let text = text.replace("max_rows = 1_000_000", "max_rows = 1_000_000\noversubscribe = true");
    let policy = Policy::parse(&text.replace("max_rows_per_unit = 4", "max_rows_per_unit = 1")).expect("a policy");
    let (disk, clock) = (SimDisk::default(), Arc::new(SimClock(AtomicU64::new(0))));
    let engine = Arc::new(SimEngine { failures: AtomicU64::new(0), evaluated: AtomicU64::new(0), disk: disk.clone() });
    let ledger = SimLedger::open(&disk, 0).expect("a ledger");
    publish(&ledger, &policy, 0);
    for name in people {
        people::add_person(&ledger, name, Role::Researcher, "s", 0).expect("a person");
        crate::support::grant(&ledger, name, "visits", cap);
    }
    serve(Arc::new(ledger), &clock, &engine, noise, &policy, 0)
}

/// How many of these requests (who, which count, its standard error) a service answers if every member of the team may spend the whole cap
/// of (1, 1e-6).
pub fn shared(requests: &[(usize, usize, f64)], team: usize) -> usize {
    let noise = Arc::new(Counting(AtomicU64::new(1)));
    let names: Vec<String> = (0..team).map(|who| format!("r{who}")).collect();
    let service = zeros("1", &names.iter().map(String::as_str).collect::<Vec<_>>(), &noise);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answered = requests.iter().filter(|(who, view, error)| {
        let margin =
            tacit::service::asking::ask::Margin::parse(&format!("{:.9}", error * 1.959_964)).expect("a margin");
        let ask = Ask {
            sql: format!("SELECT COUNT(*) FROM visits WHERE cost >= {view}"),
            accuracy: Some(RequestedAccuracy::Margin(margin)),
            rows_per_unit: None,
            group_size: None,
            purpose: None,
        };
        match runtime.block_on(Arc::clone(&service).answer(format!("r{who}"), ask, None)) {
            Ok(_) => true,
            Err(ServiceError::Refused(_)) => false,
            Err(other) => panic!("{other}"),
        }
    });
    answered.count()
}
