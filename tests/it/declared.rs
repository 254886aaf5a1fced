//! Files that declare people, projects, grants and statistics: what they change, and what they leave as it is.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, Reply, block_on, policy, visits};

/// A lab with the pure accountant and without noise, in which ada holds 10 of 100.
fn lab() -> Lab {
    Lab::new(&policy(PURE), &visits(20), Arc::new(NoNoise), "10")
}

fn body(files: &[(&str, &str)]) -> Value {
    let files: Vec<_> = files.iter().map(|(name, text)| json!({"name": name, "text": text})).collect();
    json!({"files": files, "reason": "as in Git"})
}

async fn plan(lab: &Lab, files: &[(&str, &str)]) -> Reply {
    lab.act("/v1/plan", &json!({"files": body(files)["files"]})).await
}

async fn apply(lab: &Lab, text: &str) -> Reply {
    lab.act("/v1/apply", &body(&[("people.toml", text)])).await
}

/// Plans and applies one file, and checks that both report the same changes, which it returns.
async fn changes(lab: &Lab, text: &str) -> Vec<String> {
    let head = lab.head();
    let planned = plan(lab, &[("people.toml", text)]).await;
    assert_eq!((planned.status, lab.head()), (StatusCode::OK, head), "{}", planned.json());
    let applied = apply(lab, text).await;
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.json());
    let listed = |reply: &Reply| {
        let changes = reply.json()["changes"].as_array().expect("changes").clone();
        changes.iter().map(|change| change.as_str().expect("words").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&planned), listed(&applied));
    assert_eq!(planned.json()["caps"], applied.json()["caps"]);
    assert_eq!(planned.json()["tokens"], json!([]));
    let written = u64::from(!listed(&applied).is_empty());
    assert_eq!(lab.head().0, head.0 + written, "one entry, or none where nothing changed");
    assert_eq!(apply(lab, text).await.json()["changes"], json!([]), "applied twice");
    assert_eq!(lab.head().0, head.0 + written, "applied twice");
    listed(&applied)
}

/// Expects that planning and applying are both refused with the words `wanted`, and leave the ledger unchanged.
async fn refused(lab: &Lab, files: &[(&str, &str)], wanted: &str) {
    let head = lab.head();
    for reply in [plan(lab, files).await, lab.act("/v1/apply", &body(files)).await] {
        let said = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "invalid-request"), "{files:?}");
        assert!(said.contains(wanted), "{files:?}\n{said}\n{wanted}");
    }
    assert_eq!(lab.head(), head, "{files:?}");
}

const BOB: &str = "[[person]]\nname = \"bob\"\nrole = \"researcher\"\n";
const HEART: &str = "[[project]]\nname = \"heart\"\ndataset = \"visits\"\nepsilon = \"20\"\n";
const STATISTICS: &str = "[[statistics]]\ndataset = \"visits\"\nepsilon = \"5\"\nperiod_days = 365\n";

fn grant(name: &str, lines: &str) -> String {
    format!("[[grant]]\nresearcher = \"{name}\"\ndataset = \"visits\"\n{lines}\n")
}

fn whole() -> String {
    let bob = grant("bob", "project = \"heart\"\nepsilon = \"2\"\nperiod_days = 30\nreason = \"thesis\"");
    [bob.as_str(), HEART, STATISTICS, BOB].concat()
}

#[test]
fn every_kind_of_change_is_made_once() {
    block_on(async {
        let lab = lab();
        let planned = plan(&lab, &[("people.toml", &whole())]).await.json();
        let cap = json!({"dataset": "visits", "epsilon_cap": "100", "allocated_before": "10", "allocated_after": "35"});
        assert_eq!(planned["caps"], json!([cap]));
        assert_eq!(
            changes(&lab, &whole()).await,
            [
                "add person bob as researcher",
                "grant project heart epsilon 20 of visits",
                "grant the statistics epsilon 5 of visits, renewed every 365 days",
                "grant bob epsilon 2 of visits below project heart, renewed every 30 days",
            ]
        );
        let raised = whole().replace("\"2\"", "\"3\"").replace("\"20\"", "\"30\"").replace("\"5\"", "\"4\"");
        assert_eq!(
            changes(&lab, &raised).await,
            [
                "lower the statistics' allocation of visits from epsilon 5 to 4",
                "raise project heart's allocation of visits from epsilon 20 to 30",
                "raise bob's allocation of visits from epsilon 2 to 3",
            ]
        );
        let for_life = raised.replace("period_days = 30\n", "");
        assert_eq!(
            changes(&lab, &for_life).await,
            ["let bob's allocation of visits of epsilon 3 last for life, and not every 30 days"]
        );
        let ada = "[[person]]\nname = \"ada\"\nrole = \"researcher\"\n";
        let adopting = format!("{for_life}{ada}{}", grant("ada", "epsilon = \"10\""));
        assert_eq!(
            changes(&lab, &adopting).await,
            ["manage person ada by files from now on", "manage grant visits ada by files from now on"]
        );
        let entry = lab.get(&format!("/v1/ledger?after={}", lab.head().0 - 1), &lab.steward).await.json();
        assert_eq!((&entry[0]["act"], &entry[0]["reason"]), (&json!("applied"), &json!("as in Git")));
        lab.verified();
    });
}

#[test]
fn what_is_no_longer_declared_is_withdrawn() {
    block_on(async {
        let lab = lab();
        let token = apply(&lab, &whole()).await.json()["tokens"][0].clone();
        assert_eq!((&token["name"], &token["role"]), (&json!("bob"), &json!("researcher")));
        let token = token["token"].as_str().expect("a token").to_owned();
        let accounts = lab.get("/v1/accounts", &token).await.json();
        assert_eq!(accounts[1]["epsilon_cap"], "2");
        assert_eq!(
            changes(&lab, "").await,
            [
                "lower bob's allocation of visits from epsilon 2 to 0, as it is no longer declared",
                "lower project heart's allocation of visits from epsilon 20 to 0, as it is no longer declared",
                "lower the statistics' allocation of visits from epsilon 5 to 0, as it is no longer declared",
                "revoke the token of bob, who is no longer declared",
            ]
        );
        assert_eq!(lab.get("/v1/accounts", &token).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(lab.get("/v1/accounts", &lab.researcher).await.status, StatusCode::OK, "ada was never declared");
        let again = changes(&lab, &whole()).await;
        assert_eq!(again[0], "give bob, who is a researcher, a new token");
        assert_eq!(again[3], "raise bob's allocation of visits from epsilon 0 to 2");
        let revoke = "/v1/researchers/bob/token";
        crate::support::call(&lab.router, axum::http::Method::DELETE, revoke, Some(&lab.steward), &[], String::new())
            .await;
        let without = whole().replace(BOB, "");
        assert_eq!(changes(&lab, &without).await, ["no longer manage person bob by files"]);
        lab.verified();
    });
}

#[test]
fn the_last_steward_is_kept() {
    block_on(async {
        let lab = lab();
        let sam = "[[person]]\nname = \"sam\"\nrole = \"steward\"\n";
        assert_eq!(changes(&lab, sam).await, ["manage person sam by files from now on"]);
        refused(&lab, &[("people.toml", "")], "\"sam\" is no longer declared, and is the last steward").await;
        refused(&lab, &[("people.toml", BOB)], "\"sam\" is no longer declared, and is the last steward").await;
        let applied = apply(&lab, &sam.replace("sam", "eve")).await.json();
        assert_eq!(
            applied["changes"],
            json!(["add person eve as steward", "revoke the token of sam, who is no longer declared"])
        );
        assert_eq!(lab.get("/v1/ledger", &lab.steward).await.status, StatusCode::UNAUTHORIZED);
        let eve = applied["tokens"][0]["token"].as_str().expect("a token").to_owned();
        assert_eq!(lab.get("/v1/ledger", &eve).await.status, StatusCode::OK);
    });
}

#[test]
fn a_file_that_is_wrong_changes_nothing_at_all() {
    block_on(async {
        let lab = lab();
        let good = [BOB, HEART].concat();
        for (bad, wanted) in [
            ("[[person]]\nname = \"eve\"\n", "missing field `role`"),
            (
                "[[person]]\nname = \"eve\"\nrole = \"viewer\"\nage = 3\n",
                "z.toml: line 4, column 1: unknown field `age`",
            ),
            ("[[person\n", "z.toml: line "),
            (BOB, "z.toml: line 2, column 8: person bob is declared twice, before at a.toml: line 2, column 8"),
            ("[[person]]\nname = \"eve\"\nrole = \"owner\"\n", "z.toml: line 3, column 8: role \"owner\" is not known"),
            (
                "[[person]]\nname = \"sam\"\nrole = \"viewer\"\n",
                "z.toml: line 2, column 8: \"sam\" is the last steward with a token, and so cannot become a viewer",
            ),
            (grant("bob", "epsilon = \"0\"").as_str(), "z.toml: line 4, column 11: epsilon: \"0\" is out of range"),
            (
                grant("eve", "epsilon = \"1\"").as_str(),
                "z.toml: line 2, column 14: cannot grant eve epsilon 1 of visits: there is no",
            ),
            (grant("vic", "epsilon = \"1\"").as_str(), "\"vic\" is a viewer; only researchers hold accounts"),
            (grant("bob", "epsilon = \"1\"").replace("visits", "visitz").as_str(), "there is no dataset \"visitz\""),
            (
                grant("bob", "project = \"lung\"\nepsilon = \"1\"").as_str(),
                "the dataset has no project \"lung\"; grant it first",
            ),
            (
                grant("ada", "project = \"heart\"\nepsilon = \"1\"").as_str(),
                "cannot move ada's allocation of visits below project heart",
            ),
        ] {
            refused(&lab, &[("a.toml", &good), ("z.toml", bad)], wanted).await;
        }
        refused(&lab, &[], "0 files are given; accepted are 1 to 1000").await;
        refused(&lab, &[("a.toml", &good), ("a.toml", "")], "a.toml: the file is given twice").await;
        let head = lab.head();
        let reply = lab.act("/v1/apply", &json!({"files": [{"name": "a.toml", "text": good}]})).await;
        assert_eq!((reply.status, lab.head()), (StatusCode::BAD_REQUEST, head), "without a reason");
        let large = lab.act("/v1/apply", &body(&[("a.toml", &"#".repeat(5 << 20))])).await;
        assert_eq!((large.status, lab.head()), (StatusCode::PAYLOAD_TOO_LARGE, head));
    });
}

/// A researcher in a project stays there, and the file must say so.
#[test]
fn accounts_never_move() {
    block_on(async {
        let lab = lab();
        changes(&lab, &whole()).await;
        let out = whole().replace("project = \"heart\"\n", "");
        refused(&lab, &[("people.toml", &out)], "cannot move bob's allocation of visits out of project heart").await;
        let lung = HEART.replace("heart", "lung");
        let other = format!("{}{lung}", whole().replace("project = \"heart\"", "project = \"lung\""));
        let wanted =
            "cannot move bob's allocation of visits below project lung: \"bob\" holds an account below heart already";
        refused(&lab, &[("people.toml", &other)], wanted).await;
    });
}

/// Reductions are applied first; if the rest does not fit, nothing changes.
#[test]
fn allocations_sum_to_the_cap_whatever_their_order() {
    block_on(async {
        let lab = lab();
        let eve = BOB.replace("bob", "eve");
        let both = |bob: &str, eves: &str| {
            let of = |name: &str, epsilon: &str| grant(name, &format!("epsilon = \"{epsilon}\""));
            [of("eve", eves).as_str(), of("bob", bob).as_str(), BOB, eve.as_str()].concat()
        };
        let wanted = "cannot grant bob epsilon 60 of visits: an allocation of epsilon 60 does not fit";
        refused(&lab, &[("people.toml", &both("60", "60"))], wanted).await;
        changes(&lab, &both("70", "20")).await;
        assert_eq!(
            changes(&lab, &both("20", "70")).await,
            [
                "lower bob's allocation of visits from epsilon 70 to 20",
                "raise eve's allocation of visits from epsilon 20 to 70",
            ]
        );
        let applied = plan(&lab, &[("people.toml", &both("20", "70"))]).await.json();
        assert_eq!(applied["caps"][0]["allocated_after"], "100");
        refused(&lab, &[("people.toml", &both("21", "70"))], "the largest that fits is 20").await;
        let alone = [grant("eve", "epsilon = \"90\"").as_str(), eve.as_str()].concat();
        changes(&lab, &alone).await;
        lab.verified();
    });
}

/// The whole cap can be granted exactly, to the last of the smallest amounts.
#[test]
fn the_whole_of_a_gaussian_cap_fits() {
    block_on(async {
        let lab = Lab::new(&policy(GAUSSIAN), &visits(20), Arc::new(NoNoise), "1");
        let of = |epsilon: &str| [BOB, &grant("bob", &format!("epsilon = \"{epsilon}\""))].concat();
        refused(&lab, &[("people.toml", &of("4"))], "the largest that fits is 3.").await;
        assert_eq!(lab.grant("ada", "visits", "0.1").await.status, StatusCode::OK);
        changes(&lab, &of("3.9")).await;
        changes(&lab, "").await;
        changes(&lab, &of("0.5")).await;
        lab.verified();
    });
}

#[test]
fn ten_thousand_people_are_one_entry() {
    block_on(async {
        let lab = lab();
        let one = |number: usize| format!("[[person]]\nname = \"person-{number:05}\"\nrole = \"researcher\"\n");
        let text: String = (0..10_000).map(one).collect();
        let seq = lab.head().0;
        let applied = apply(&lab, &text).await.json();
        let count = |key: &str| applied[key].as_array().map(Vec::len);
        assert_eq!((count("changes"), count("tokens")), (Some(10_000), Some(10_000)));
        assert_eq!(lab.head().0, seq + 1);
        let last = applied["tokens"][9_999]["token"].as_str().expect("a token").to_owned();
        assert_eq!(lab.get("/v1/accounts", &last).await.status, StatusCode::OK);
        assert_eq!(apply(&lab, &text).await.json()["changes"], json!([]));
        assert_eq!(lab.head().0, seq + 1);
        lab.verified();
    });
}
