//! What the console's pages say: homes, the gallery and the history.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::console::Browser;
use crate::support::{GAUSSIAN, Lab, Reply, StoppedClock, block_on, call, policy};

const REGIONS: &str = "-- title: Visits by region\n-- epsilon: 0.1\n-- public: true\n-- chart: bar\n-- unit: visits\n\
                       SELECT region, COUNT(*) AS visits FROM visits GROUP BY region";
const OLDER: &str = "-- title: Older people\n-- epsilon: 0.1\nSELECT COUNT(*) AS visits FROM visits WHERE age > 50";

fn lab() -> Lab {
    Lab::publishing(&policy(GAUSSIAN), &[("regions", REGIONS), ("older", OLDER)], "1", Arc::new(StoppedClock))
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

async fn read(browser: &Browser, lab: &Lab, path: &str) -> String {
    let reply = browser.get(lab, path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", text(&reply));
    text(&reply)
}

#[test]
fn each_role_begins_with_what_it_comes_for() {
    block_on(async {
        let lab = lab();
        lab.service.refresh_due().await;
        let (researcher, steward) = (Browser::new(&lab, &lab.researcher).await, Browser::new(&lab, &lab.steward).await);
        let home = read(&researcher, &lab, "/").await;
        assert!(home.contains("100 % left") && home.contains("You have not asked anything yet"), "{home}");
        lab.sql("SELECT COUNT(*) AS n FROM visits WHERE age > 41", "0.2").await;
        let home = read(&researcher, &lab, "/").await;
        assert!(
            home.contains("age &gt; 41") && !home.contains("100 % left") && home.contains("more questions like"),
            "{home}"
        );
        let home = read(&steward, &lab, "/").await;
        assert!(home.contains("Nothing waits for you.") && home.contains("of the cap is allocated"), "{home}");
        let wish = json!({"dataset": "visits", "epsilon": "1.5", "reason": "<b>more</b>"}).to_string();
        call(&lab.router, Method::POST, "/v1/requests", Some(&lab.researcher), &[], wish).await;
        let home = read(&steward, &lab, "/").await;
        assert!(home.contains("One request for budget") && home.contains("&lt;b&gt;more"), "{home}");
        let viewer = Browser::new(&lab, &lab.viewer).await;
        assert_eq!(viewer.get(&lab, "/").await.headers["location"], "/statistics");
    });
}

/// A card shows a chart and a number to those who may see the statistic, and to nobody else.
#[test]
fn the_gallery_shows_pictures_of_what_may_be_seen() {
    block_on(async {
        let lab = lab();
        let nobody = async |path: &str| text(&call(&lab.router, Method::GET, path, None, &[], String::new()).await);
        let viewer = Browser::new(&lab, &lab.viewer).await;
        assert_eq!(read(&viewer, &lab, "/statistics").await.matches("<svg").count(), 0, "nothing is released yet");
        lab.service.refresh_due().await;
        let gallery = read(&viewer, &lab, "/statistics").await;
        assert_eq!(gallery.matches("class=\"chart small\"").count(), 1, "one with groups: {gallery}");
        assert!(gallery.contains("class=\"headline\"") && gallery.contains("class=\"alone\""), "{gallery}");
        let public = nobody("/statistics").await;
        assert!(
            public.contains("chart small") && !public.contains("class=\"alone\"") && !public.contains("Older"),
            "{public}"
        );
        let found = read(&viewer, &lab, "/statistics?find=OLDER").await;
        assert!(found.contains("Older people") && !found.contains("Visits by region"), "{found}");
        assert!(nobody("/statistics?find=older").await.contains("No statistic fits"), "a search finds nothing hidden");
        let none = read(&viewer, &lab, "/statistics?dataset=nowhere").await;
        assert!(none.contains("No statistic fits"), "{none}");
        assert!(!read(&viewer, &lab, "/statistics?after=older").await.contains("Older people"));
    });
}

/// The shares in the history add up to what is spent, whoever drew the answer first.
#[test]
fn the_history_adds_up() {
    block_on(async {
        let lab = lab();
        lab.service.refresh_due().await;
        let browser = Browser::new(&lab, &lab.researcher).await;
        // The second is stored already, because a statistic asks it.
        for (sql, epsilon) in [
            ("SELECT COUNT(*) AS n FROM visits WHERE age > 33", "0.3"),
            ("SELECT region, COUNT(*) AS visits FROM visits GROUP BY region", "0.1"),
            ("SELECT COUNT(*) AS n FROM visits WHERE age > 33", "0.3"),
        ] {
            lab.sql(sql, epsilon).await;
        }
        let page = read(&browser, &lab, "/history").await;
        assert_eq!(page.matches("Ask again:").count(), 2, "{page}");
        let (_, rest) = page.split_once("The answers on this page cost <strong>").expect("a sum");
        let sum: f64 = rest.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
        let account = lab.get("/v1/accounts", &lab.researcher).await.json();
        let spent: f64 = account[0]["fraction_spent"].as_str().expect("a share").parse().expect("a number");
        assert!((sum - 100.0 * spent).abs() < 0.006 * sum, "{sum} % in the history, {spent} spent");
        assert!(page.contains("/ask?sql=SELECT"), "each can be asked again");
        let found = read(&browser, &lab, "/history?find=region&dataset=visits").await;
        assert!(found.contains("GROUP BY region") && !found.contains("age &gt; 33"), "{found}");
        let found = read(&browser, &lab, "/history?dataset=another").await;
        assert!(found.contains("None of the answers"), "{found}");
    });
}
