//! A steward drafts a policy from a file, mends its placeholders and comes to where it is sealed, with and without scripts.

use super::driven::Browser;
use super::{Site, visit};
use crate::policy_page::table;

#[test]
fn a_policy_is_drafted_mended_and_ready_to_be_sealed() {
    visit(true, async |site, browser| drafts(site, browser, true).await);
}

#[test]
fn a_policy_is_drafted_without_scripts() {
    visit(false, async |site, browser| drafts(site, browser, false).await);
}

async fn drafts(site: &Site, browser: &Browser, has_scripts: bool) {
    let head = site.lab.head();
    let file = site.lab.dir.path().join("wards.csv");
    std::fs::write(&file, table()).expect("a table");
    browser.sign_in(&site.lab.steward).await;
    browser.press("nav.main a[href='/policy']").await;
    let path = file.display().to_string();
    browser.css("input[type=file]").await.send_keys(&path).await.expect("a file is chosen");
    browser.press("form[action='/policy/uploads'] button").await;
    browser.reads("Drafted from the file wards.csv").await;
    browser.reads("were seen in the data").await;
    browser.reads("privacy_unit is still the draft's").await;
    mends_a_column(browser).await;
    mends_the_text(browser, has_scripts).await;
    browser.reads("A valid policy. The dataset wards is not served here yet").await;
    browser.reads("One unit moves its sum").await;
    browser.unfold("Seal wards…").await;
    browser.reads("If a row does not fit, nothing changes").await;
    browser.css("form[action='/sealings'] button").await;
    saves(browser).await;
    assert_eq!(site.lab.head(), head);
    browser.is_quiet(&[]).await;
}

/// The bounds of the age are replaced in its form.
async fn mends_a_column(browser: &Browser) {
    browser.press("button[name=edit][value='column.0']").await;
    assert_eq!(browser.text("fieldset legend").await, "The column age");
    browser.fill("input[name=c_min]", "18").await;
    browser.fill("input[name=c_max]", "110").await;
    browser.press("button[value=put]").await;
    browser.reads("The column age is in the text now.").await;
    assert_eq!(browser.count("fieldset").await, 0);
}

/// What is left is replaced in the text: whom the table protects, and the bounds of the cost.
async fn mends_the_text(browser: &Browser, has_scripts: bool) {
    let text = browser.css("#text").await.property("value").await.expect("a field");
    let mended = text.replace("privacy_unit = \"?\"", "privacy_unit = \"patient_id\"");
    let mended = mended.replace("seen:", "");
    assert!(mended.contains("min = \"18\""), "{mended}");
    // With scripts it is checked while it is typed.
    browser.fill("#text", &mended).await;
    if !has_scripts {
        browser.press("#policy button.primary").await;
    }
}

/// A text that was saved is found again.
async fn saves(browser: &Browser) {
    browser.fill("input[name=save_name]", "Wards, to be discussed").await;
    browser.press("button[value=save]").await;
    browser.reads("Saved. You find it under your saved policies.").await;
    browser.go("/policy").await;
    browser.press("main li a[href*='saved=Wards']").await;
    browser.reads("A valid policy").await;
}
