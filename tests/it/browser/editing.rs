//! The editor of the page for asking: what it completes, the place of a fault, and questions that come back.

use serde_json::{Value, json};

use super::driven::Browser;
use super::{Site, visit};

/// Script that looks into the editor, which stands in a shadow root.
const INSIDE: &str = "const inside = document.querySelector('.editor').shadowRoot; ";
/// WebDriver's codes of keys.
const ENTER: &str = "\u{e007}";
const CONTROL: &str = "\u{e009}";

#[test]
fn the_editor_completes_marks_faults_and_keeps_to_the_policy() {
    visit(true, async |site, browser| {
        assert_eq!(browser.sign_in(&site.lab.researcher).await, "/");
        browser.press("a[href='/ask?dataset=visits']").await;
        is_in_place(browser).await;
        completes(browser).await;
        marks_the_fault(browser).await;
        inserts(browser).await;
        keeps_a_draft(browser).await;
        saves_and_forgets(site, browser).await;
        browser.is_quiet(&[]).await;
    });
}

/// The text in the field that the form sends.
async fn sent(browser: &Browser) -> String {
    let value = browser.run("return document.querySelector('textarea[name=sql]').value", vec![]).await;
    value.as_str().expect("a text").to_owned()
}

async fn inside(browser: &Browser, script: &str) -> Value {
    browser.run(&format!("{INSIDE}{script}"), vec![]).await
}

/// Waits until a script finds something.
async fn until(browser: &Browser, script: &str) -> Value {
    let wait = format!(
        "{INSIDE}const done = arguments[arguments.length - 1];
         const look = () => {{ const found = (() => {{ {script} }})(); if (found) {{ done(found); }} else {{ setTimeout(look, 20); }} }};
         look();"
    );
    browser.run_until_done(&wait, vec![]).await
}

/// Replaces the text and leaves the cursor at its end.
async fn write(browser: &Browser, text: &str) {
    let script = "const editor = document.querySelector('.editor'); editor.write(''); editor.shadowRoot.querySelector('.cm-content').focus();";
    browser.run(script, vec![]).await;
    browser.type_keys(text).await;
}

/// Its styles are adopted style sheets: none is in the page, and the policy forbids none.
async fn is_in_place(browser: &Browser) {
    assert_eq!(
        browser.run("return document.querySelectorAll('style, [style*=behavior]').length", vec![]).await,
        json!(0)
    );
    assert!(inside(browser, "return inside.adoptedStyleSheets.length").await.as_u64() > Some(0));
    assert_eq!(
        inside(browser, "return inside.querySelector('[role=textbox]').getAttribute('aria-label')").await,
        "Question in SQL"
    );
    assert_eq!(
        browser.run("return document.querySelector('textarea[name=sql]').checkVisibility()", vec![]).await,
        json!(false)
    );
    browser.is_quiet(&[]).await;
}

/// The first completion, once it is taken: the editor takes none that appeared less than 75 milliseconds before, because the key may have
/// been meant for what stood there.
async fn offered(browser: &Browser) -> Value {
    let script = "const label = inside.querySelector('.cm-completionLabel');
        if (!label) { return null; }
        window.since ??= performance.now();
        if (performance.now() - window.since < 150) { return null; }
        window.since = undefined;
        return label.textContent;";
    until(browser, script).await
}

async fn completes(browser: &Browser) {
    // Quotes close by themselves, and a value is offered between them.
    write(browser, "SELECT COUNT(*) AS n FROM vis").await;
    let first = offered(browser).await;
    assert_eq!(first, "visits");
    browser.type_keys(ENTER).await;
    browser.type_keys(" WHERE region = 'no").await;
    let value = offered(browser).await;
    assert_eq!(value, "north");
    browser.type_keys(ENTER).await;
    // The cursor is behind the quote that closes the value.
    browser.type_keys(" AND age > 30").await;
    assert_eq!(sent(browser).await, "SELECT COUNT(*) AS n FROM visits WHERE region = 'north' AND age > 30");
    browser.find_css("#price .figure").await;
}

async fn marks_the_fault(browser: &Browser) {
    browser.fill("textarea[name=sql]", "SELECT regio, COUNT(*) AS n\nFROM visits GROUP BY regio").await;
    let fault = until(browser, "return inside.querySelector('.cm-fault')?.textContent").await;
    assert_eq!(fault, "regio");
    assert_eq!(
        inside(browser, "return inside.querySelector('[role=textbox]').getAttribute('aria-invalid')").await,
        "true"
    );
    browser.fill("textarea[name=sql]", "SELECT region, COUNT(*) AS n FROM visits GROUP BY region").await;
    until(browser, "return !inside.querySelector('.cm-fault') && document.querySelector('#price .figure')").await;
    // Control and Enter ask for the price once more, without leaving the page.
    browser.run("document.querySelector('#price').replaceChildren(); document.documentElement.setAttribute('data-stayed', '')", vec![]).await;
    inside(browser, "inside.querySelector('.cm-content').focus()").await;
    browser.press_with(CONTROL, ENTER).await;
    browser.find_css("#price .figure").await;
    assert_eq!(browser.count("html[data-stayed]").await, 1);
}

async fn inserts(browser: &Browser) {
    write(browser, "SELECT ").await;
    let button = "//details//button[@class='insert'][.='diagnosis']";
    browser.find(super::webdriver::Locator::XPath(button)).await.click().await.expect("a click");
    assert_eq!(sent(browser).await, "SELECT diagnosis");
}

/// What was typed is there again after another page, and an address with a question has that question.
async fn keeps_a_draft(browser: &Browser) {
    browser.fill("textarea[name=sql]", "SELECT COUNT(*) AS kept FROM visits").await;
    browser.press("nav.main a[href='/history']").await;
    browser.press("nav.main a[href='/ask']").await;
    until(browser, "return document.querySelector('textarea[name=sql]').value.includes('kept')").await;
    browser.go("/ask?sql=SELECT%201").await;
    assert_eq!(sent(browser).await, "SELECT 1");
}

async fn saves_and_forgets(site: &Site, browser: &Browser) {
    let spent = site.spent();
    browser.go("/ask").await;
    browser.fill("textarea[name=sql]", "SELECT COUNT(*) AS n FROM visits WHERE smoker").await;
    browser.unfold("Save this question").await;
    browser.fill("input[name=name]", "How many smoke?").await;
    browser.press("button[value=save]").await;
    assert_eq!(browser.text("main [role=status]").await, "Saved. You find it under your saved questions.");
    browser.go("/ask").await;
    browser.press("ul.plain a").await;
    assert_eq!(sent(browser).await, "SELECT COUNT(*) AS n FROM visits WHERE smoker");
    browser.press("form[action='/ask/forget'] button").await;
    assert_eq!(browser.text("main [role=status]").await, "Deleted from your saved questions.");
    assert_eq!((browser.count("form[action='/ask/forget']").await, site.spent()), (0, spent));
}
