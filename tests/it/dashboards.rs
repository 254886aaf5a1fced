//! Dashboards: what they show to whom, and which files are dashboards.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use tacit::service::publishing::dashboards::CHARTS_MAX;
use tacit::service::stewarding::people;

use crate::console::Browser;
use crate::support::{GAUSSIAN, Lab, Reply, StoppedClock, block_on, call, policy};

const PUBLIC: &str = "-- title: Visits of each region\n-- epsilon: 0.1\n-- public: true\n-- chart: bar\n\
                      SELECT region, COUNT(*) AS visits FROM visits GROUP BY region";
const PRIVATE: &str = "-- title: Older people\n-- epsilon: 0.1\nSELECT COUNT(*) AS visits FROM visits WHERE age > 50";

const STATISTICS: [(&str, &str); 2] = [("regions", PUBLIC), ("older", PRIVATE)];
const BOTH: &str = "title = \"Everything\"\ndescription = \"All of it\"\nstatistics = [\"older\", \"regions\"]";
const INNER: &str = "title = \"Inner\"\nstatistics = [\"older\"]";

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

async fn anonymous(lab: &Lab, path: &str) -> Reply {
    call(&lab.router, Method::GET, path, None, &[], String::new()).await
}

#[test]
fn a_dashboard_shows_each_statistic_to_whom_the_statistic_is_shown() {
    block_on(async {
        let dashboards = [("both", BOTH), ("inner", INNER)];
        let lab = Lab::showing(&policy(GAUSSIAN), &STATISTICS, &dashboards, "1", Arc::new(StoppedClock));
        let waiting = text(&anonymous(&lab, "/d/both").await);
        assert!(waiting.contains("the statistic is not released yet"), "{waiting}");
        lab.service.refresh_due().await;
        let spent = lab.head();
        let public = text(&anonymous(&lab, "/d/both").await);
        assert!(public.contains("All of it") && public.contains("Visits of each region"), "{public}");
        assert!(public.contains("<svg class=\"chart\"") && !public.contains("Older people"), "{public}");
        let hidden = anonymous(&lab, "/d/inner").await;
        assert_eq!(
            (hidden.status, &hidden.headers["location"]),
            (StatusCode::SEE_OTHER, &"/sign-in?next=%2Fd%2Finner".parse().expect("text"))
        );
        let nothing = anonymous(&lab, "/d/nothing").await;
        assert_eq!(
            nothing.headers["location"], "/sign-in?next=%2Fd%2Fnothing",
            "what is hidden looks like what does not exist"
        );

        people::add_viewer(lab.service.ledger(), "val", &[], "sam", 0).expect("a viewer of nothing");
        people::revoke_token(lab.service.ledger(), "val", "sam", 0).expect("revoked");
        let blind = people::add_viewer(lab.service.ledger(), "val", &[], "sam", 0).expect("a viewer of nothing");
        let blind = Browser::new(&lab, blind.text()).await;
        assert_eq!(blind.get(&lab, "/d/inner").await.status, StatusCode::NOT_FOUND);
        for token in [&lab.viewer, &lab.researcher, &lab.steward] {
            let browser = Browser::new(&lab, token).await;
            let page = text(&browser.get(&lab, "/d/both").await);
            let (older, regions) = (page.find("Older people"), page.find("Visits of each region"));
            assert!(older.is_some() && older < regions, "in the order of the file: {page}");
            assert!(text(&browser.get(&lab, "/d/inner").await).contains("class=\"alone\""), "one number stands large");
            let gallery = text(&browser.get(&lab, "/statistics").await);
            assert!(gallery.contains("href=\"/d/both\"") && gallery.contains("href=\"/d/inner\""));
        }
        let gallery = text(&anonymous(&lab, "/statistics").await);
        assert!(gallery.contains("href=\"/d/both\"") && !gallery.contains("/d/inner"), "{gallery}");
        let charges = |(entries, _): (u64, [u8; 32])| entries;
        assert_eq!(charges(lab.head()), charges(spent) + 3, "only people were added and revoked");
    });
}

#[test]
fn a_faulty_dashboard_stops_the_start_and_says_where() {
    let many: Vec<String> = (0..=CHARTS_MAX).map(|n| format!("\"s{n}\"")).collect();
    let many = format!("title = \"t\"\nstatistics = [{}]", many.join(", "));
    for (name, text, said) in [
        ("one", "title = \"t\"", "one.toml: line 1, column 1: missing field `statistics`"),
        ("one", "title = \"t\"\nstatistics = []", "one.toml: line 2, column 14: a dashboard has 1 to 24 statistics"),
        ("one", &many, "line 2, column 14: a dashboard has 1 to 24 statistics"),
        ("one", "title = \" \"\nstatistics = [\"older\"]", "line 1, column 9: the title is empty"),
        (
            "one",
            "title = \"t\"\nstatistics = [\"older\", \"nothing\"]",
            "line 2, column 24: there is no statistic \"nothing\" in the same folder",
        ),
        ("one", "title = \"t\"\nstatistics = [\"older\", \"older\"]", "line 2, column 24: \"older\" is named twice"),
        ("one", "title = \"t\"\nstatistics = [\"older\"]\nrows = 2", "line 3, column 1: unknown field `rows`"),
        ("a b", INNER, "the file's name is not one of letters, digits, - and _"),
    ] {
        let lab = Lab::publishing(&policy(GAUSSIAN), &STATISTICS, "1", Arc::new(StoppedClock));
        let service = Arc::into_inner({
            let Lab { service, router, .. } = lab;
            drop(router);
            service
        });
        let showing =
            service.expect("nobody else holds it").showing(vec![(format!("{name}.toml").into(), text.into())]);
        let fault = showing.err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(fault.contains(said), "{fault:?}, not {said:?}");
    }
}
