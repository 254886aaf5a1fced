//! A steward at the console: grants, decisions, freezes, people, the ledger, and what a budget would buy.

use axum::http::StatusCode;

use super::driven::Browser;
use super::{Site, visit};

#[test]
fn a_steward_grants_decides_and_reads_the_ledger() {
    visit(true, async |site, browser| {
        assert_eq!(browser.sign_in(&site.lab.steward).await, "/");
        begins(browser).await;
        grants(site, browser).await;
        decides(site, browser).await;
        freezes(site, browser).await;
        adds_a_person(site, browser).await;
        gives_a_token(site, browser).await;
        checks_a_policy(site, browser).await;
        refreshes(site, browser).await;
        publishes(site, browser).await;
        gives_datasets(site, browser).await;
        reads_the_ledger(site, browser).await;
        thinks_ahead(site, browser).await;
        browser.is_quiet(&[]).await;
    });
}

/// The first page says what waits, and what is left of the cap.
async fn begins(browser: &Browser) {
    assert_eq!(browser.text("h1").await, "What needs you");
    for words in ["One request for budget", "a second study", "One statistic to confirm", "of the cap is allocated"] {
        browser.reads(words).await;
    }
    browser.press("nav.main a[href='/accounts']").await;
}

/// Checks the path of the current page, and the notice of what was done.
async fn said(browser: &Browser, place: &str, words: &str) {
    assert_eq!(browser.place().await, place);
    assert_eq!(browser.text("main [role=status]").await, words);
}

async fn grants(site: &Site, browser: &Browser) {
    for words in ["visits", "Published statistics", "Project lungs", "eve", "ada", "renews every 30 days"] {
        browser.reads(words).await;
    }
    assert_eq!(site.granted("ada"), "1");
    browser.unfold("Grant").await;
    browser.fill("form[action='/grants'] input[name=name]", "ada").await;
    browser.fill("form[action='/grants'] input[name=epsilon]", "1.25").await;
    browser.fill("form[action='/grants'] input[name=reason]", "the study goes on").await;
    browser.press("form[action='/grants'] button").await;
    said(browser, "/accounts?done=granted", "Granted, and recorded in the ledger.").await;
    browser.reads("0 % spent, of ε\u{a0}1.25").await;
    assert_eq!(site.granted("ada"), "1.25");

    browser.unfold("Grant").await;
    let kind = browser.css("form[action='/grants'] select[name=kind] option[value=project]").await;
    kind.click().await.expect("a project may be chosen");
    browser.fill("form[action='/grants'] input[name=name]", "hearts").await;
    browser.fill("form[action='/grants'] input[name=epsilon]", "0.75").await;
    browser.fill("form[action='/grants'] input[name=reason]", "another project").await;
    browser.press("form[action='/grants'] button").await;
    said(browser, "/accounts?done=granted", "Granted, and recorded in the ledger.").await;
    browser.reads("Project hearts").await;
    browser.fill("main form[role=search] input", "ev").await;
    browser.press("main form[role=search] button").await;
    browser.reads("eve").await;
    assert_eq!(browser.count("ul.tree li > a:first-child").await, 1, "who is not looked for is not shown");
}

async fn decides(site: &Site, browser: &Browser) {
    browser.press("nav.main a[href='/requests']").await;
    browser.reads("a second study").await;
    browser.fill("main form input[name=reason]", "it is sound").await;
    browser.press("button[value=grant]").await;
    said(browser, "/requests?done=decided", "Decided, and recorded in the ledger.").await;
    browser.reads("Nobody waits for a decision.").await;
    browser.reads("it is sound").await;
    assert_eq!((browser.count(".badge.good").await, site.granted("ada").as_str()), (1, "1.5"));
}

async fn freezes(site: &Site, browser: &Browser) {
    for (words, act, done) in [
        ("Freeze", "freeze", "The dataset is frozen: nothing is drawn from it until you unfreeze it."),
        ("Unfreeze", "unfreeze", "The dataset is no longer frozen: answers are drawn from it again."),
    ] {
        browser.go("/accounts").await;
        browser.unfold(words).await;
        let form = format!("form[action='/datasets/visits/{act}']");
        browser.fill(&format!("{form} input[name=reason]"), "somebody looks").await;
        browser.press(&format!("{form} button")).await;
        let is_frozen = act == "freeze";
        let place = if is_frozen { "/accounts?done=frozen" } else { "/accounts?done=unfrozen" };
        said(browser, place, done).await;
        assert_eq!(browser.count(".badge.bad").await > 0, is_frozen, "{act}");
        let status = site.lab.sql("SELECT COUNT(*) AS n FROM visits WHERE age > 90", "0.01").await.status;
        assert_eq!(status, if is_frozen { StatusCode::FORBIDDEN } else { StatusCode::OK }, "{act}");
    }
}

/// A second token of ada is given with its end, used, and revoked by itself.
async fn gives_a_token(site: &Site, browser: &Browser) {
    browser.press("nav.main a[href='/people']").await;
    browser.press("main tbody a[href='/people/ada']").await;
    assert_eq!(browser.text("h1").await, "ada");
    browser.fill("form[action='/people/ada/tokens'] input[name=token_name]", "laptop").await;
    browser.press("form[action='/people/ada/tokens'] button").await;
    let token = browser.text("p.token").await;
    assert_eq!(site.lab.get("/v1/datasets", &token).await.status, StatusCode::OK);
    browser.press("main p a[href='/people']").await;
    browser.press("main tbody a[href='/people/ada']").await;
    assert_eq!(browser.count("main tbody tr").await, 2, "the first token and the laptop's");
    let open = "document.querySelectorAll('main tbody details').forEach((one) => { one.open = true; })";
    browser.run(open, vec![]).await;
    browser.press("main tbody tr:nth-child(2) button").await;
    assert_eq!(browser.place().await, "/people/ada");
    assert_eq!(browser.count("main tbody tr").await, 1);
    assert_eq!(site.lab.get("/v1/datasets", &token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.lab.get("/v1/datasets", &site.lab.researcher).await.status, StatusCode::OK);
}

/// A policy is checked while it is typed, and at the button.
async fn checks_a_policy(site: &Site, browser: &Browser) {
    let before = site.lab.head();
    browser.go("/policy").await;
    browser.fill("textarea[name=text]", "[dataset]").await;
    browser.reads("One fault").await;
    browser.press("#policy button.primary").await;
    browser.reads("Line 1, column").await;
    assert_eq!(site.lab.head(), before);
}

/// A new person's token is shown once, on one page, and works.
async fn adds_a_person(site: &Site, browser: &Browser) {
    browser.press("nav.main a[href='/people']").await;
    browser.fill("form[method=post][action='/people'] input[name=name]", "bob").await;
    browser.press("form[method=post][action='/people'] button").await;
    browser.reads("It is shown once").await;
    let token = browser.text("p.token").await;
    assert!(token.starts_with("tct_"), "a token");
    assert_eq!(site.lab.get("/v1/datasets", &token).await.status, StatusCode::OK);
    browser.press("nav.main a[href='/people']").await;
    browser.reads("bob").await;
    let page = browser.run("return document.documentElement.outerHTML", vec![]).await;
    let page = page.as_str().expect("a page");
    assert!(!page.contains(&token) && !page.contains("tct_"), "it is not shown again");
    browser.unfold("Revoke every token of bob").await;
    browser.press("form[action='/people/bob/revoke'] button").await;
    browser.reads("bob").await;
    assert_eq!(site.lab.get("/v1/datasets", &token).await.status, StatusCode::UNAUTHORIZED);
}

async fn refreshes(site: &Site, browser: &Browser) {
    let shown = async || site.lab.get("/v1/statistics/older", &site.lab.viewer).await.json()["release"].to_string();
    let (before, charges) = (shown().await, site.charges());
    browser.press("nav.main a[href='/statistics']").await;
    browser.reads("Draw anew for epsilon 0.1…").await;
    browser.press("form[action='/statistics/older/draw'] button").await;
    assert_eq!(
        (browser.text("h1").await.as_str(), site.charges()),
        ("Draw anew: Older people", charges),
        "one click draws nothing"
    );
    browser.reads("of what statistics of").await;
    browser.press("form[action='/statistics/older/refresh'] button").await;
    said(browser, "/statistics?done=refreshed", "A new release is shown.").await;
    assert!(shown().await != before && site.charges() == charges + 1, "drawn anew, once");
}

/// A waiting statistic is drawn only after its price was shown and confirmed.
async fn publishes(site: &Site, browser: &Browser) {
    let charges = site.charges();
    browser.reads("One statistic to confirm").await;
    browser.press("form[action='/statistics/smokers/draw'] button").await;
    assert_eq!(browser.text("h1").await, "Publish: Visits of smokers");
    browser.reads("by its schedule (monthly)").await;
    browser.reads("groups of 1000 rows").await;
    assert_eq!(site.charges(), charges, "a price is free");
    browser.press("form[action='/statistics/smokers/publish'] button").await;
    said(browser, "/statistics?done=published", "Confirmed: what was due is drawn.").await;
    assert_eq!(site.charges(), charges + 1);
    assert_eq!(site.lab.get("/v1/statistics/smokers", &site.lab.viewer).await.status, StatusCode::OK);
}

/// A viewer sees the datasets that a steward ticks.
async fn gives_datasets(site: &Site, browser: &Browser) {
    browser.press("nav.main a[href='/people']").await;
    browser.reads("all datasets: nobody said which").await;
    browser.unfold("Change what vic sees").await;
    browser.press("form[action='/people/vic/datasets'] button").await;
    browser.reads("public statistics alone").await;
    assert_eq!(site.lab.get("/v1/statistics/smokers", &site.lab.viewer).await.status, StatusCode::NOT_FOUND);
    browser.unfold("Change what vic sees").await;
    browser.css("form[action='/people/vic/datasets'] input[name=sees-visits]").await.click().await.expect("a box");
    browser.press("form[action='/people/vic/datasets'] button").await;
    browser.unfold("Change what vic sees").await;
    assert_eq!(browser.count("form[action='/people/vic/datasets'] input[checked]").await, 1);
    assert_eq!(site.lab.get("/v1/statistics/smokers", &site.lab.viewer).await.status, StatusCode::OK);
}

async fn reads_the_ledger(site: &Site, browser: &Browser) {
    browser.press("nav.main a[href='/ledger']").await;
    browser.reads("the signed head and the anchor were checked").await;
    let (_, head) = site.lab.head();
    browser.reads(&hex::encode(head)).await;
    assert!(browser.count("main tbody tr").await > 10);
    browser.fill("main form[role=search] input[name=find]", "A second study").await;
    browser.press("main form[role=search] button").await;
    assert_eq!(browser.place().await, "/ledger?act=&person=&dataset=&from=&to=&find=A+second+study");
    assert_eq!(browser.count("main tbody tr").await, 1, "in capitals or not");
    assert_eq!(browser.text("main tbody td:nth-child(2) small").await, "requested");
    let act = browser.css("main form[role=search] select option[value=charged]").await;
    act.click().await.expect("a kind of entry");
    browser.fill("main form[role=search] input[name=find]", " ").await;
    browser.press("main form[role=search] button").await;
    assert_eq!(browser.count("main tbody tr").await, site.charges());
    let export = "const done = arguments[0]; fetch('/ledger/export.jsonl').then((got) => got.text()).then(done, done)";
    let lines = browser.run_until_done(export, vec![]).await;
    let (entries, _) = site.lab.head();
    assert_eq!(lines.as_str().expect("text").lines().count() as u64, entries, "an export of all");
}

async fn thinks_ahead(site: &Site, browser: &Browser) {
    let before = (site.lab.head(), site.charges());
    browser.press("nav.main a[href='/what-if']").await;
    browser.fill("main input[name=epsilon]", "2").await;
    browser.fill("main input[name=questions]", "10").await;
    browser.press("main form button").await;
    browser.reads("Each of 10 equal questions").await;
    browser.reads("a count of rows").await;
    assert_eq!(browser.count(".wide-only svg.chart[role=img] desc").await, 1);
    browser.fill("main input[name=questions]", "none").await;
    browser.press("main form button").await;
    browser.reads("questions is not a whole number from 1 to").await;
    assert_eq!((site.lab.head(), site.charges()), before, "thinking is free");
}
