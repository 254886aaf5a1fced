//! Forms that come back: after a refusal, everything that was typed stands in the form, and the fault at its field.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;

use crate::console::Browser;
use crate::support::{GAUSSIAN, Lab, NoNoise, Reply, block_on, policy, visits};

type Fields = &'static [(&'static str, &'static str)];

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

/// The input, choice or text area of a field in a page, from its tag to the end of the tag.
fn tag<'a>(page: &'a str, name: &str) -> &'a str {
    let (before, rest) = page.split_once(&format!(" name=\"{name}\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    let begins = before.rfind('<').expect("a tag");
    let ends = rest.find('>').expect("the end of a tag");
    &page[begins..before.len() + name.len() + 8 + ends]
}

/// The part of a page that is one form.
fn form<'a>(page: &'a str, action: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("no {action}: {page}"));
    rest.split("</form>").next().expect("a form")
}

/// What was sent stands in the form again; the field that is wrong says so and is described by what is wrong.
fn comes_back(page: &str, action: &str, sent: Fields, wrong: &str, said: &str) {
    let form = form(page, action);
    for (name, value) in sent.iter().filter(|(name, _)| !["do", "dataset"].contains(name)) {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let is_there = form.contains(&format!("value=\"{value}\" selected"))
            || (form.contains(&format!("name=\"{name}\"")) && tag(form, name).contains(&format!("value=\"{value}\"")))
            || form.contains(&format!(">{value}</textarea>"));
        assert!(is_there, "{action}: {name} = {value}: {form}");
    }
    assert!(form.contains(said), "{action}: {said}: {form}");
    if !wrong.is_empty() {
        let field = tag(form, wrong);
        assert!(field.contains("aria-invalid=\"true\""), "{action} {wrong}: {field}");
        let (_, id) = field.split_once("aria-describedby=\"").expect("a description");
        let id = id.split('"').next().expect("an id");
        let (_, described) = page.split_once(&format!("id=\"{id}\"")).expect("what describes it");
        assert!(described.split("</small>").next().expect("a note").contains(said), "{described}");
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "an id stands once");
    }
    assert_eq!(page.matches("aria-invalid").count(), usize::from(!wrong.is_empty()), "one field is wrong at most");
}

/// Forms with fields that people type into: whether a steward sends it, where to, what, the field that is wrong, and what is said of it.
const CASES: [(bool, &str, Fields, &str, &str); 17] = [
    (
        true,
        "/grants",
        &[("kind", "project"), ("name", "heart"), ("dataset", "visits"), ("epsilon", "a lot"), ("reason", "r & d")],
        "epsilon",
        "is not a decimal number",
    ),
    (
        true,
        "/grants",
        &[("kind", "researcher"), ("name", "zoë <b>"), ("dataset", "visits"), ("epsilon", "1"), ("reason", "r")],
        "name",
        "there is no researcher",
    ),
    (
        true,
        "/grants",
        &[
            ("kind", "researcher"),
            ("name", "ada"),
            ("project", "none"),
            ("dataset", "visits"),
            ("epsilon", "1"),
            ("reason", "r"),
        ],
        "project",
        "has no project",
    ),
    (
        true,
        "/grants",
        &[
            ("kind", "statistics"),
            ("name", ""),
            ("dataset", "visits"),
            ("epsilon", "1"),
            ("period_days", "many"),
            ("reason", "r"),
        ],
        "period_days",
        "whole number of days",
    ),
    (
        true,
        "/grants",
        &[("kind", "researcher"), ("name", "ada"), ("dataset", "visits"), ("epsilon", "99"), ("reason", "r")],
        "epsilon",
        "does not fit",
    ),
    (
        true,
        "/grants",
        &[("kind", "researcher"), ("name", "ada"), ("dataset", "visits"), ("epsilon", "1"), ("reason", "")],
        "reason",
        "a reason has 1 to",
    ),
    (true, "/datasets/visits/freeze", &[("reason", "")], "reason", "a reason has 1 to"),
    (
        true,
        "/people",
        &[("name", "no such name"), ("role", "steward"), ("expires", "2099-01-31")],
        "name",
        "is not a valid name",
    ),
    (true, "/people", &[("name", "ada"), ("role", "researcher"), ("expires", "")], "name", "exists and holds a token"),
    (
        true,
        "/people",
        &[("name", "eve"), ("role", "viewer"), ("listed", "yes"), ("sees-visits", "yes"), ("expires", "tomorrow")],
        "expires",
        "is not a time at which a token expires",
    ),
    (
        true,
        "/people",
        &[("name", "eve"), ("role", "steward"), ("sees-visits", "yes"), ("expires", "")],
        "role",
        "datasets are given to viewers",
    ),
    (
        true,
        "/people/ada/tokens",
        &[("token_name", "my laptop"), ("expires", "2099-01-31")],
        "token_name",
        "is not a valid name",
    ),
    (
        true,
        "/people/ada/tokens",
        &[("token_name", "laptop"), ("expires", "1999-01-31")],
        "expires",
        "expires in the future",
    ),
    (true, "/people/sam/revoke", &[], "", "is the last steward"),
    (true, "/people/sam/tokens/revoke", &[("token_name", "first")], "", "is the last steward"),
    (
        false,
        "/requests",
        &[("dataset", "visits"), ("epsilon", "0.5"), ("reason", "a <second> study")],
        "epsilon",
        "accepted is a new total above",
    ),
    (false, "/requests", &[("dataset", "visits"), ("epsilon", "2"), ("reason", "")], "reason", "a reason has 1 to"),
];

/// What was typed comes back in every form, and nothing is written.
#[test]
fn what_was_typed_stands_in_the_form_again() {
    block_on(async {
        let lab = Lab::new(&policy(GAUSSIAN), &visits(20), Arc::new(NoNoise), "1");
        let body = json!({"dataset": "visits", "epsilon": "2", "reason": "a study"});
        let asked = axum::http::Method::POST;
        let reply =
            crate::support::call(&lab.router, asked, "/v1/requests", Some(&lab.researcher), &[], body.to_string())
                .await;
        let decide = format!("/requests/{}/decide", reply.json()["number"]);
        let (steward, researcher) = (Browser::new(&lab, &lab.steward).await, Browser::new(&lab, &lab.researcher).await);
        let head = lab.head();
        for (is_steward, action, fields, wrong, said) in CASES {
            let browser = if is_steward { &steward } else { &researcher };
            let reply = browser.post(&lab, action, fields).await;
            assert!(reply.status.is_client_error(), "{action} {fields:?}: {}", reply.status);
            comes_back(&text(&reply), action, fields, wrong, said);
        }
        for (fields, wrong, said) in [
            (&[("do", "grant"), ("epsilon", "x"), ("reason", "yes")][..], "epsilon", "is not a decimal number"),
            (&[("do", "grant"), ("epsilon", "0.1"), ("reason", "yes")], "epsilon", "lowers nothing"),
            (&[("do", "decline"), ("epsilon", "2"), ("reason", "")], "reason", "a reason has 1 to"),
        ] {
            let reply = steward.post(&lab, &decide, fields).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST);
            comes_back(&text(&reply), &decide, fields, wrong, said);
        }
        assert_eq!(lab.head(), head, "nothing was written");
    });
}

/// A form that is no longer on its page still says what is wrong, and so does one about something that does not exist.
#[test]
fn a_fault_is_told_even_without_its_form() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        for (action, fields, said) in [
            ("/requests/7/decide", &[("do", "decline"), ("reason", "no")][..], "there is no request 7"),
            ("/requests/x/decide", &[("do", "decline"), ("reason", "no")], "there is no such request"),
            ("/people/zoe/datasets", &[], "there is nobody named"),
            ("/datasets/nothing/freeze", &[("reason", "r")], "no"),
            (
                "/grants",
                &[("kind", "researcher"), ("name", "ada"), ("dataset", "nothing"), ("epsilon", "1"), ("reason", "r")],
                "dataset",
            ),
        ] {
            let reply = steward.post(&lab, action, fields).await;
            assert!(reply.status.is_client_error(), "{action}");
            let page = text(&reply);
            let (_, note) = page.split_once("note bad").unwrap_or_else(|| panic!("{action}: {page}"));
            assert!(note.split("</p>").next().expect("a note").contains(said), "{action}: {page}");
        }
    });
}
