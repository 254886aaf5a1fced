//! The console without scripts: everything that people do, using links and forms alone.

use super::driven::Browser;
use super::{Site, visit};

const QUESTION: &str = "SELECT smoker, COUNT(*) AS n FROM visits GROUP BY smoker";

#[test]
fn everything_works_without_scripts() {
    visit(false, async |site, browser| {
        browser.go("/sign-in").await;
        let htmx = browser.run("return typeof window.htmx", vec![]).await;
        assert_eq!(htmx, "undefined", "the page's own scripts do not run");
        assert_eq!(browser.sign_in(&site.lab.researcher).await, "/");
        chooses(browser).await;
        saves(browser).await;
        browser.go("/ask").await;
        asks(site, browser).await;
        wishes(site, browser).await;
        browser.sign_out().await;
        browser.go("/history").await;
        assert_eq!(browser.place().await, "/sign-in?next=%2Fhistory");
        assert_eq!(browser.sign_in(&site.lab.steward).await, "/");
        browser.reads("What needs you").await;
        browser.press("nav.main a[href='/accounts']").await;
        serves(site, browser).await;
        browser.sign_out().await;
        browser.is_quiet(&[]).await;
    });
}

/// A question that is chosen from lists, and never written.
async fn chooses(browser: &Browser) {
    browser.go("/ask/build").await;
    for (field, value) in [("what", "mean"), ("of", "cost"), ("by", "region")] {
        let option = format!("select[name={field}] option[value='{value}']");
        browser.css(&option).await.click().await.expect("a choice");
    }
    browser.unfold("Only some of the rows").await;
    browser.fill("input[name=from-age]", "forty").await;
    browser.press("button[value=write]").await;
    browser.reads("age: write a number, like 40 or 2.5").await;
    browser.fill("input[name=from-age]", "40").await;
    browser.press("button[value=write]").await;
    let sql = browser.css("textarea[name=sql]").await.property("value").await.expect("a field");
    let written =
        "SELECT region,\n       AVG(cost) AS mean_cost\nFROM visits\nWHERE age >= 40\nGROUP BY region\nORDER BY region";
    assert_eq!(sql, written);
    browser.press("button[value=price]").await;
    browser.css("#price .figure").await;
}

/// A fault is marked in its line, and a question is saved, found and deleted.
async fn saves(browser: &Browser) {
    browser.fill("textarea[name=sql]", "SELECT COUNT(*)\nFROM visits WHERE regio = 'north'").await;
    browser.press("button[value=price]").await;
    assert_eq!(browser.text("pre mark").await, "regio");
    browser.unfold("Save this question").await;
    browser.fill("input[name=name]", "Not finished").await;
    browser.press("button[value=save]").await;
    browser.reads("Saved. You find it under your saved questions.").await;
    browser.press("form[action='/ask/forget'] button").await;
    browser.reads("Deleted from your saved questions.").await;
}

async fn asks(site: &Site, browser: &Browser) {
    let charges = site.charges();
    browser.fill("textarea[name=sql]", QUESTION).await;
    browser.fill("#epsilon", "0.2").await;
    browser.press("button[value=price]").await;
    assert!(browser.text("#price .figure").await.contains("(ε 0.2)"));
    assert_eq!((site.spent(), site.charges()), (0, charges), "a price is free");
    browser.css("input[name=by][value=margin]").await.click().await.expect("a choice");
    browser.fill("input[name=margin]", "300").await;
    browser.press("button[value=price]").await;
    browser.reads("± 300").await;
    browser.fill("input[name=purpose]", "a look without scripts").await;
    browser.press("button[value=pay]").await;
    browser.reads("a look without scripts").await;
    assert_eq!((browser.text("h1").await.as_str(), browser.count(".wide-only svg.chart").await), ("Answer", 1));
    assert!(site.spent() > 0 && site.charges() == charges + 1, "paid once");
    browser.press("main a[href='/history']").await;
    browser.reads(QUESTION).await;
}

/// Asks for a larger allocation than the account has.
async fn wishes(site: &Site, browser: &Browser) {
    browser.press("nav.main a[href='/accounts']").await;
    browser.unfold("Ask for more").await;
    browser.fill("form[action='/requests'] input[name=epsilon]", "1.75").await;
    browser.fill("form[action='/requests'] textarea", "a third study").await;
    browser.press("form[action='/requests'] button").await;
    browser.reads("a third study").await;
    assert_eq!((browser.place().await.as_str(), site.granted("ada").as_str()), ("/accounts", "1"));
}

async fn serves(site: &Site, browser: &Browser) {
    browser.unfold("Grant").await;
    browser.fill("form[action='/grants'] input[name=name]", "ada").await;
    browser.fill("form[action='/grants'] input[name=epsilon]", "1.25").await;
    browser.fill("form[action='/grants'] input[name=reason]", "the study goes on").await;
    browser.press("form[action='/grants'] button").await;
    assert_eq!(browser.text("main [role=status]").await, "Granted, and recorded in the ledger.");
    assert_eq!(site.granted("ada"), "1.25");
    browser.press("nav.main a[href='/requests']").await;
    for left in [1, 0] {
        browser.fill("main form input[name=reason]", "not this year").await;
        browser.press("button[value=decline]").await;
        assert_eq!(browser.count("button[value=decline]").await, left);
    }
    assert_eq!((browser.count(".badge.bad").await, site.granted("ada").as_str()), (2, "1.25"));
    browser.press("nav.main a[href='/statistics']").await;
    browser.press("form[action='/statistics/older/draw'] button").await;
    browser.press("form[action='/statistics/older/refresh'] button").await;
    assert_eq!(browser.text("main [role=status]").await, "A new release is shown.");
}
