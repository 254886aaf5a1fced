//! A researcher at the console: the price before it is paid, the answer, and earlier questions.

use serde_json::json;

use super::driven::Browser;
use super::webdriver::Locator;
use super::{Site, visit};

/// A question that no published statistic answers.
const QUESTION: &str = "SELECT smoker, COUNT(*) AS n FROM visits GROUP BY smoker";
const ANOTHER: &str = "SELECT COUNT(*) AS n FROM visits WHERE age > 70";
/// A position of the slider, and the ε there if the limit for one question is 2.
const PLACE: u32 = 20;
const THERE: &str = "0.045";

#[test]
fn a_researcher_asks_sees_the_price_pays_and_sees_the_chart() {
    visit(true, async |site, browser| {
        assert_eq!(browser.sign_in(&site.lab.researcher).await, "/");
        begins(browser).await;
        sees_the_price(site, browser).await;
        pays_once(site, browser).await;
        looks_back(browser).await;
        is_refused(site, browser).await;
    });
}

/// The first page says what is left, and leads to the form.
async fn begins(browser: &Browser) {
    assert_eq!(browser.text("h1").await, "What you can still ask");
    assert_eq!(browser.text("main .figure").await, "100 % left");
    browser.reads("You have not asked anything yet.").await;
    browser.press("main .card a.button").await;
    assert_eq!(browser.place().await, "/ask?dataset=visits");
    browser.go("/ask").await;
}

/// Waits until the box with the price shows this ε.
async fn priced(browser: &Browser, epsilon: &str) {
    let figure = format!("//*[@id='price']//p[@class='figure'][contains(normalize-space(.), '(ε {epsilon})')]");
    browser.find(Locator::XPath(&figure)).await;
}

/// Sets the delay of each answer of the server.
async fn delay(browser: &Browser, ms: u32) {
    let network = json!({"offline": false, "latency": ms, "downloadThroughput": -1, "uploadThroughput": -1});
    browser.tool("Network.enable", json!({})).await;
    browser.tool("Network.emulateNetworkConditions", network).await;
}

/// Typing and moving the slider change the price that is shown, without leaving the page.
async fn sees_the_price(site: &Site, browser: &Browser) {
    let charges = site.charges();
    browser.run("document.documentElement.setAttribute('data-stayed', '')", vec![]).await;
    browser.fill("textarea[name=sql]", QUESTION).await;
    priced(browser, "0.1").await;
    browser.css("#price table td.number").await;
    // With a server that is slow, or pads its answers, the slider's value must not be lost.
    for ms in [0, 700] {
        delay(browser, ms).await;
        browser.fill("#epsilon", "0.2").await;
        priced(browser, "0.2").await;
        let slide = "const level = document.getElementById('level'); level.value = arguments[0]; \
                     level.dispatchEvent(new Event('input', {bubbles: true}))";
        browser.run(slide, vec![json!(PLACE)]).await;
        browser.css(&format!("input#epsilon[value='{THERE}']")).await;
        priced(browser, THERE).await;
    }
    delay(browser, 0).await;
    assert_eq!(browser.count("html[data-stayed]").await, 1, "no page was loaded");
    assert_eq!(browser.place().await, "/ask");
    assert_eq!((site.spent(), site.charges()), (0, charges), "prices are free");
    browser.is_quiet(&[]).await;
}

/// There is one charge, whatever is sent again.
async fn pays_once(site: &Site, browser: &Browser) {
    let charges = site.charges();
    browser.press("button[value=pay]").await;
    let is_answered = async || {
        assert_eq!(browser.text("h1").await, "Answer");
        assert_eq!(browser.count(".wide-only svg.chart[role=img] desc").await, 1);
        browser.reads("95 % interval").await;
        assert_eq!(browser.count("main tbody tr").await, 3, "true, false and missing");
        let interval = browser.text("main tbody tr td:last-child").await;
        assert!(interval.contains(" to "), "{interval}");
    };
    is_answered().await;
    browser.reads(&format!("(ε {THERE})")).await;
    let spent = site.spent();
    assert!(spent > 0 && site.charges() == charges + 1, "paid once");
    browser.resend().await;
    is_answered().await;
    assert_eq!((site.spent(), site.charges()), (spent, charges + 1), "the same page again is paid");
    browser.back().await;
    browser.fill("textarea[name=sql]", QUESTION).await;
    browser.fill("#epsilon", THERE).await;
    browser.press("button[value=pay]").await;
    is_answered().await;
    browser.reads("nothing; ").await;
    assert_eq!((site.spent(), site.charges()), (spent, charges + 1), "so is the same question");
    browser.is_quiet(&[]).await;
}

async fn looks_back(browser: &Browser) {
    browser.press("nav.main a[href='/history']").await;
    assert_eq!((browser.text("h1").await.as_str(), browser.count("main tbody tr").await), ("History", 1));
    browser.reads(QUESTION).await;
    browser.reads("The answers on this page cost").await;
    browser.fill("main form[role=search] input", "nothing like it").await;
    browser.press("main form[role=search] button").await;
    browser.reads("None of the answers looked at fits this search.").await;
    browser.fill("main form[role=search] input", "smoker").await;
    browser.press("main form[role=search] button").await;
    browser.press("main tbody a[href^='/ask']").await;
    let sql = browser.css("textarea[name=sql]").await.property("value").await.expect("a field");
    assert_eq!(sql, QUESTION, "it can be asked again");
    browser.press("nav.main a[href='/history']").await;
    browser.press("main tbody a").await;
    assert!(browser.place().await.starts_with("/answers/rel_"));
    assert_eq!((browser.text("h1").await.as_str(), browser.count(".wide-only svg.chart").await), ("Answer", 1));
    browser.is_quiet(&[]).await;
}

/// A question over the limit is refused in words, and the form stays as it was.
async fn is_refused(site: &Site, browser: &Browser) {
    let before = (site.spent(), site.charges());
    browser.press("nav.main a[href='/ask']").await;
    browser.fill("textarea[name=sql]", ANOTHER).await;
    browser.fill("#epsilon", "3").await;
    browser.press("button[value=pay]").await;
    browser.reads("one query may cost at most 2").await;
    let sql = browser.css("textarea[name=sql]").await.property("value").await.expect("a field");
    assert_eq!(sql, ANOTHER, "what was asked is not lost");
    assert_eq!((site.spent(), site.charges()), before, "what is refused is free");
    browser.is_quiet(&[403]).await;
}
