//! The console in a real browser: what people see and do there, with and without scripts.
//!
//! Each test starts a chromedriver of its own, on its own port, and ends it. Without Chromium the tests report that they are skipped,
//! unless `TACIT_BROWSER` is `required`. `TACIT_AXE` names axe-core's axe.min.js, whose rules are then checked on all pages, and
//! `TACIT_SHOTS` names a folder for screenshots of all pages.

mod driven;
mod editing;
mod looks;
mod plain;
mod policies;
mod reading;
mod research;
mod stewardship;
mod webdriver;

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{Method, StatusCode};
use serde_json::json;
use tacit::kernel::budget::entry::AccountKind;
use tacit::kernel::budget::ledger::{Ledger, read};
use tacit::kernel::budget::people::Role;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::service::publishing::statistics::{Refreshed, confirm};
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::people;
use tokio::net::TcpListener;
use tokio::sync::oneshot::{Sender, channel};
use tokio::task::JoinHandle;

use self::driven::{Browser, Driver};
use crate::support::{GAUSSIAN, Lab, StoppedClock, block_on, call, policy};

/// Statistics of every kind: bars and a line with their errors, a plain table, one that is not public, and one that nobody has confirmed.
const STATISTICS: [(&str, &str); 5] = [
    (
        "regions",
        "-- title: Visits by region\n-- description: Where people were seen\n-- margin: 120\n-- public: true\n\
         -- chart: bar\n-- unit: visits\nSELECT region, COUNT(*) AS visits FROM visits GROUP BY region",
    ),
    (
        "months",
        "-- title: Visits by month\n-- epsilon: 0.1\n-- public: true\n-- chart: line\n-- unit: visits\n\
         SELECT DATE_TRUNC('month', visited) AS month, COUNT(*) AS visits FROM visits \
         GROUP BY DATE_TRUNC('month', visited) ORDER BY month",
    ),
    (
        "costs",
        "-- title: Cost by diagnosis\n-- epsilon: 0.2\n-- public: true\n-- chart: table\n\
         SELECT diagnosis, AVG(cost) AS mean_cost, COUNT(*) AS visits FROM visits GROUP BY diagnosis",
    ),
    (
        "older",
        "-- title: Older people\n-- epsilon: 0.1\n-- refresh: daily\n\
         SELECT COUNT(*) AS visits FROM visits WHERE age > 50",
    ),
    (
        "smokers",
        "-- title: Visits of smokers\n-- epsilon: 0.05\n-- refresh: monthly\n\
         SELECT region, COUNT(*) AS visits, AVG(cost) AS mean_cost FROM visits WHERE smoker GROUP BY region",
    ),
];

/// Lock that runs one browser at a time, as browsers are large and slow each other down.
static TURN: Mutex<()> = Mutex::new(());

/// Starts a server and a browser, and runs `walk` with both; reports if there is no browser.
fn visit(has_scripts: bool, walk: impl AsyncFnOnce(&Site, &Browser)) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(driver) = Driver::start() else {
        let is_required = std::env::var("TACIT_BROWSER").is_ok_and(|word| word == "required");
        assert!(!is_required, "TACIT_BROWSER says that a browser is required, and there is no chromedriver");
        println!("skipped: no chromium here (Debian's packages are chromium and chromium-driver)");
        return;
    };
    block_on(async {
        let site = Site::open().await;
        let browser = Browser::open(driver, &site.origin, has_scripts).await;
        walk(&site, &browser).await;
        browser.close().await;
        site.close().await;
    });
}

/// A server with something to see on every page: people inside and outside a project, published statistics, and an open request.
struct Site {
    lab: Lab,
    origin: String,
    end: Sender<()>,
    serving: JoinHandle<()>,
}

impl Site {
    async fn open() -> Self {
        let lab = Lab::waiting(&policy(GAUSSIAN), &STATISTICS, "1", Arc::new(StoppedClock));
        for statistic in lab.service.statistics().filter(|statistic| statistic.name != "smokers") {
            confirm(lab.service.ledger(), statistic, "sam", 0).expect("confirmed");
        }
        let released = lab.service.refresh_due().await;
        let is_drawn = |(_, became): &(String, Refreshed)| matches!(became, Refreshed::Released(_));
        assert!(released.len() + 1 == STATISTICS.len() && released.iter().all(is_drawn), "{released:?}");
        furnish(lab.service.ledger());
        let wish = json!({"dataset": "visits", "epsilon": "1.5", "reason": "a second study"}).to_string();
        let filed = call(&lab.router, Method::POST, "/v1/requests", Some(&lab.researcher), &[], wish).await;
        assert_eq!(filed.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&filed.bytes));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let (end, ended) = channel::<()>();
        let stop = async {
            let _ = ended.await;
        };
        let serving = tokio::spawn(tacit::net::listener::serve(listener, lab.router.clone(), stop));
        Self { lab, origin, end, serving }
    }

    async fn close(self) {
        self.end.send(()).expect("the server runs");
        self.serving.await.expect("a clean end");
    }

    /// What ada has spent, in the accountant's smallest amounts.
    fn spent(&self) -> u64 {
        read(self.lab.service.ledger(), |book| book.researcher("visits", "ada").expect("an account").spent.quanta())
    }

    /// The ε granted to a researcher's account for the dataset.
    fn granted(&self, name: &str) -> String {
        let of = |book: &tacit::kernel::budget::state::LedgerState| {
            book.find("visits", AccountKind::Researcher, name).expect("an account").epsilon.to_string()
        };
        read(self.lab.service.ledger(), of)
    }

    /// Number of answers that were paid for.
    fn charges(&self) -> usize {
        let entries = self.lab.service.ledger().entries(0, 10_000).expect("entries");
        entries.iter().filter(|entry| entry.act.charge().is_some()).count()
    }
}

/// Adds a project and a researcher in it.
fn furnish(ledger: &dyn Ledger) {
    people::add_person(ledger, "eve", Role::Researcher, "sam", 0).expect("a person");
    let below = Holder::Researcher { name: "eve".to_owned(), project: Some("lungs".to_owned()), period_days: Some(30) };
    for (to, epsilon) in [(Holder::Project { name: "lungs".to_owned() }, "1"), (below, "0.5")] {
        let (dataset, reason, by) = ("visits".to_owned(), "a test".to_owned(), "sam".to_owned());
        let epsilon = Epsilon::parse(epsilon).expect("an epsilon");
        grants::grant(ledger, Grant { to, dataset, epsilon, reason, by }, 0).expect("a grant");
    }
}
