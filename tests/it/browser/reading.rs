//! Readers at the console: the gallery, one statistic, and the pages that are not for them.

use super::driven::Browser;
use super::visit;
use super::webdriver::Locator;

const TITLES: [&str; 3] = ["Visits by region", "Visits by month", "Cost by diagnosis"];
const HIDDEN: &str = "Older people";

#[test]
fn a_viewer_reads_and_is_refused_the_rest() {
    visit(true, async |site, browser| {
        is_nobody(browser).await;
        browser.is_quiet(&[401]).await;
        assert_eq!(browser.sign_in(&site.lab.viewer).await, "/statistics");
        let cookie = browser.run("return document.cookie", vec![]).await;
        assert_eq!(cookie, "", "scripts of a page cannot read the session");
        for title in TITLES.into_iter().chain([HIDDEN, "not public"]) {
            browser.reads(title).await;
        }
        assert_eq!(browser.count("main form").await, 0, "readers draw nothing anew");
        browser.find(Locator::LinkText(TITLES[0])).await.click().await.expect("a link");
        browser.reads("Where people were seen").await;
        assert_eq!((browser.place().await.as_str(), browser.count(".wide-only svg.chart").await), ("/s/regions", 1));
        assert_eq!(browser.count("main tbody tr").await, 4, "north, east, south, west");
        browser.go("/s/costs").await;
        browser.reads("mean cost").await;
        assert_eq!(browser.count("svg.chart").await, 0, "a table alone");
        browser.go("/s/older").await;
        browser.reads(HIDDEN).await;
        browser.go("/datasets/visits").await;
        browser.reads("each patient_id, with at most 4 rows").await;
        browser.is_quiet(&[]).await;
        is_refused(browser).await;
    });
}

/// Without a token, or with a wrong one.
async fn is_nobody(browser: &Browser) {
    for path in ["/ask", "/accounts", "/history", "/people", "/ledger", "/datasets", "/s/older"] {
        browser.go(path).await;
        assert_eq!(browser.place().await, format!("/sign-in?next={}", path.replace('/', "%2F")));
    }
    browser.go("/statistics").await;
    for title in TITLES {
        browser.reads(title).await;
    }
    let text = browser.text("main").await;
    assert!(!text.contains(HIDDEN), "{text}");
    browser.go("/s/regions").await;
    browser.reads(TITLES[0]).await;
    browser.go("/transparency/visits").await;
    browser.reads("What it means for one person").await;
    assert_eq!(browser.sign_in("tct_of_nobody").await, "/sign-in");
    assert_eq!(browser.text("main [role=alert]").await, "No valid token. A steward gives them.");
}

async fn is_refused(browser: &Browser) {
    for path in ["/people", "/ledger", "/accounts", "/ask"] {
        browser.go(path).await;
        assert_eq!(
            (browser.place().await.as_str(), browser.text("h1").await.as_str()),
            (path, "This role may not do that")
        );
        assert!(browser.text("main [role=alert]").await.starts_with("your role is viewer; this is for a "), "{path}");
    }
    browser.is_quiet(&[403]).await;
    browser.sign_out().await;
    browser.go("/datasets").await;
    assert_eq!(browser.place().await, "/sign-in?next=%2Fdatasets", "the session has ended");
    browser.is_quiet(&[]).await;
}
