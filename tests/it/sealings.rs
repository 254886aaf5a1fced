//! Sealing through a running server: new editions are taken while questions run, by the API, the console and the command line, and nothing
//! but uploads and what the operator named is read.

mod clinic;
mod refused;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::budget::entry::AccountKind;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::ledger::replan::Replanner;
use tacit::query::terms::edition::Manifest;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};

use self::clinic::{Clinic, UPLOAD, edition_of, until};
use crate::support::{PURE, block_on, policy, visits};

/// Patients before and after the new edition: so many more that an answer tells by itself which edition it was computed from.
const BEFORE: usize = 200;
const AFTER: usize = 4_000;
/// What each question of the load costs, and how many each task asks at most.
const EPSILON: &str = "0.05";
const ASKED_MAX: usize = 300;

fn rows(patients: usize) -> f64 {
    visits(patients).lines().skip(1).count() as f64
}

/// Answers that were drawn from both editions, by edition: each is near the number of rows of the edition that it says it is of.
fn check_unmixed(drawn: &[(String, f64)], [before, after]: [&str; 2]) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for (edition, estimate) in drawn {
        let expected = if edition == before { rows(BEFORE) } else { rows(AFTER) };
        assert!([before, after].contains(&edition.as_str()), "{edition} is neither {before} nor {after}");
        // The noise of one answer has a scale of 80 rows; a thousand rows are as good as impossible.
        assert!((estimate - expected).abs() < 1_500.0, "{estimate} of {edition}, which has {expected} rows");
        *counted.entry(edition.clone()).or_insert(0) += 1;
    }
    counted
}

#[test]
fn an_edition_is_taken_while_questions_run_and_none_is_lost_or_mixed() {
    let clinic = Arc::new(Clinic::new(&policy(PURE), BEFORE, &[]));
    block_on(async {
        let before = clinic.edition("visits");
        let is_served = Arc::new(AtomicBool::new(false));
        let askers: Vec<_> = (0..4_usize)
            .map(|asker| {
                let (clinic, is_served) = (Arc::clone(&clinic), Arc::clone(&is_served));
                tokio::spawn(async move {
                    let (mut drawn, mut after) = (Vec::new(), 0);
                    for number in 0..ASKED_MAX {
                        after += usize::from(is_served.load(Ordering::Acquire));
                        if after > 5 {
                            break;
                        }
                        // No visit costs that, so that each question is another one and counts every row.
                        let sql =
                            format!("SELECT COUNT(*) AS n FROM visits WHERE cost <> {}.25", asker * 100 + number % 100);
                        let sql = if number < 100 { sql } else { sql.replace(".25", ".75") };
                        let reply = clinic.ask(&sql, EPSILON).await;
                        assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
                        let answer = reply.json();
                        let estimate = answer["rows"][0]["n"].as_f64().unwrap_or_else(|| panic!("{answer}"));
                        let release = answer["release"].as_str().expect("an id").to_owned();
                        drawn.push((release, estimate, answer["replayed"] == json!(true)));
                    }
                    drawn
                })
            })
            .collect();
        clinic.write_visits(AFTER);
        let id = clinic.start(&policy(PURE), None).await;
        let sealed = clinic.ended(&id).await;
        is_served.store(true, Ordering::Release);
        assert_eq!(sealed["step"], "served", "{sealed}");
        let mut drawn = Vec::new();
        for asker in askers {
            drawn.extend(asker.await.expect("no question was lost"));
        }
        let after = clinic.edition("visits");
        assert_eq!(sealed["edition"], json!(after));
        let now = clinic.current().now();
        let of = |release: &str| edition_of(&now, release);
        let unmixed: Vec<_> = drawn.iter().map(|(release, estimate, _)| (of(release), *estimate)).collect();
        let counted = check_unmixed(&unmixed, [&before, &after]);
        assert!(counted[&before] > 0 && counted[&after] >= 4, "{counted:?}");
        let charged = drawn.iter().filter(|(.., is_replayed)| !is_replayed).count() as u64;
        let (spent, price) = clinic.spent(EPSILON);
        // A price may be a little below the epsilon that was typed, and never above it.
        let is_charged = spent <= charged * price && spent * 100 >= charged * price * 99;
        assert!(is_charged, "{spent} for {charged} answers that were drawn, each for {price}");
        println!("{} answers, {counted:?}", drawn.len());
        // What was answered before stays readable, and asking the same again is a question about the new edition.
        let old = drawn.iter().find(|(release, ..)| of(release) == before).expect("an answer");
        let reply = clinic.get(&format!("/v1/releases/{}", old.0), &clinic.researcher).await;
        assert_eq!(reply.status, StatusCode::OK);
    });
    Arc::into_inner(clinic).expect("the only one").verified();
}

#[test]
fn an_edition_stays_as_long_as_a_question_that_began_with_it() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    block_on(async {
        let (before, old) = (clinic.edition("visits"), clinic.current().now());
        let folder = Manifest::dir(&clinic.state, &before);
        clinic.write_visits(AFTER);
        assert_eq!(clinic.sealed(&policy(PURE), None).await["step"], "served");
        assert!(folder.is_dir(), "somebody may still ask it");
        let accuracy = Some(RequestedAccuracy::Epsilon(Epsilon::parse("0.5").expect("an epsilon")));
        let sql = "SELECT COUNT(*) AS n FROM visits".to_owned();
        let ask = || Ask {
            sql: sql.clone(),
            accuracy: accuracy.clone(),
            rows_per_unit: None,
            group_size: None,
            purpose: None,
        };
        let mut answered = Vec::new();
        for service in [Arc::clone(&old), clinic.current().now()] {
            let answer = service.answer("ada".to_owned(), ask(), None).await.expect("an answer");
            answered.push(answer.stored.release.subject.edition.clone());
        }
        assert_eq!(answered, [before.clone(), clinic.edition("visits")]);
        drop(old);
        until(|| !folder.exists()).await;
        assert!(Manifest::dir(&clinic.state, &clinic.edition("visits")).is_dir());
    });
    clinic.verified();
}

#[test]
fn an_upload_becomes_a_dataset_that_a_restart_serves_too() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    let wards = policy(PURE).replace("name = \"visits\"", "name = \"wards\"").replace("visits.csv", "wards 2026.csv");
    block_on(async {
        clinic.upload(UPLOAD, "wards 2026.csv", &visits(300));
        let sealed = clinic.sealed(&wards, Some(UPLOAD)).await;
        assert_eq!(sealed["step"], "served", "{sealed}");
        assert_eq!(sealed["report"]["rows_read"], json!(rows(300) as u64), "{sealed}");
        clinic.grant("wards");
        let reply = clinic.ask("SELECT COUNT(*) AS n FROM wards", "1").await;
        assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
        assert!(clinic.get("/v1/datasets/wards", &clinic.researcher).await.status.is_success());
    });
    let edition = clinic.edition("wards");
    let clinic = clinic.restarted();
    assert_eq!((clinic.edition("wards"), clinic.kept_over_files.len()), (edition, 0));
    block_on(async {
        let reply = clinic.ask("SELECT COUNT(*) AS n FROM wards", "1").await;
        assert_eq!(reply.json()["replayed"], json!(true));
        let reply = clinic.ask("SELECT COUNT(*) AS n FROM wards WHERE age > 30", "1").await;
        assert_eq!(reply.status, StatusCode::OK);
    });
    clinic.verified();
}

#[test]
fn what_was_sealed_last_holds_over_the_file() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    let wider = policy(PURE).replace("max = \"110\"", "max = \"120\"").replace("title = \"Visits\"", "title = \"All\"");
    block_on(async {
        let sealed = clinic.sealed(&wider, None).await;
        assert_eq!(sealed["step"], "served", "{sealed}");
        assert!(sealed["policy_file"].as_str().is_some_and(|file| file.ends_with("policy.toml")), "{sealed}");
    });
    let title = |clinic: &Clinic| clinic.current().now().dataset("visits").and_then(|one| one.title.clone());
    assert_eq!(title(&clinic).as_deref(), Some("All"));
    let clinic = clinic.restarted();
    assert_eq!(clinic.kept_over_files, ["visits"]);
    assert_eq!(title(&clinic).as_deref(), Some("All"));
    // Once the file says the same, the file holds, and what may change without sealing anew changes with it.
    std::fs::write(clinic.dir.path().join("policy.toml"), wider.replace("\"All\"", "\"Every visit\"")).expect("a file");
    let clinic = clinic.restarted();
    assert_eq!((clinic.kept_over_files.len(), title(&clinic).as_deref()), (0, Some("Every visit")));
    clinic.verified();
}

const MONTHLY: &str = "-- title: Visits\n-- epsilon: 0.5\n-- refresh: on-new-edition\nSELECT COUNT(*) AS visits FROM visits WHERE age > 50";

#[test]
fn statistics_are_drawn_from_the_new_edition_and_keep_out_a_policy_that_they_cannot_be_asked_under() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[("old", MONTHLY)]);
    block_on(async {
        let fresh = tokio::spawn(clinic.current().now().keep_fresh());
        let shown = || {
            let now = clinic.current().now();
            read(now.ledger(), |book| Some(book.statistic("old")?.shown.clone()?.edition))
        };
        until(|| shown().is_some_and(|edition| edition == clinic.edition("visits"))).await;
        let before = clinic.edition("visits");
        let refused =
            clinic.post("/v1/sealings", &json!({"policy": policy(PURE).replace("\"age\"", "\"years\"")})).await;
        let detail = refused.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert!(refused.status == StatusCode::BAD_REQUEST && detail.contains("old.sql"), "{detail}");
        assert_eq!(clinic.sealed(&policy(PURE), None).await["step"], "served");
        assert_ne!(clinic.edition("visits"), before);
        until(|| shown().is_some_and(|edition| edition == clinic.edition("visits"))).await;
        fresh.abort();
        let _ = fresh.await;
    });
    clinic.verified();
}

/// The command hands the policy over to a server as people start it, and prints what `tacit seal` prints on a state directory.
#[test]
fn the_command_seals_through_the_server_and_names_it_where_the_ledger_is_held() {
    let (dir, steward, _) = Clinic::new(&policy(PURE), BEFORE, &[]).stopped();
    let configuration = "listen = \"127.0.0.1:0\"\nstate_dir = \"state\"\npolicies = [\"policy.toml\"]\n";
    std::fs::write(dir.path().join("tacit.toml"), configuration).expect("a configuration");
    let tacit = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tacit"));
        command.current_dir(dir.path()).env_remove("TACIT_URL").env("TACIT_TOKEN", &steward);
        command
    };
    let mut server = tacit();
    let mut server = server.args(["serve", "--config", "tacit.toml"]).stderr(Stdio::piped()).spawn().expect("a server");
    let mut lines = BufReader::new(server.stderr.take().expect("stderr")).lines();
    let url = lines.next().expect("a line").expect("text").rsplit(' ').next().expect("an address").to_owned();
    let run = |arguments: &[&str]| {
        let output = tacit().args(arguments).output().expect("the binary");
        let [out, told] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        (output.status.code(), out, told.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (code, out, told) = run(&["seal", "policy.toml", "--server", &url]);
    assert_eq!(code, Some(0), "{out} {told}");
    assert!(out.contains("sealed \"visits\" as edition ed_") && out.contains("399 rows read"), "{out}");
    assert!(told.contains("where its sources are read"), "{told}");
    let (code, out, _) = run(&["seal", "policy.toml", "--server", &url, "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}"));
    let edition = report["edition"].as_str().expect("an edition");
    assert!(code == Some(0) && Manifest::dir(&dir.path().join("state"), edition).is_dir(), "{out}");
    let (code, _, told) = run(&["seal", "policy.toml", "--state", "state"]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("tacit seal policy.toml --server URL --token TOKEN"), "{told}");
    std::fs::write(dir.path().join("broken.toml"), "name = 1").expect("a file");
    let (code, _, told) = run(&["seal", "broken.toml", "--server", &url]);
    assert!(code == Some(1) && told.contains("line 1"), "{told}");
    server.kill().and_then(|()| server.wait()).expect("its end");
    let found = tacit::ledger::verify(&dir.path().join("state"), None, &mut Replanner::default());
    assert!(matches!(found, Ok(Ok(_))), "{found:?}");
}

#[test]
fn a_steward_seals_from_the_browser() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    block_on(async {
        let (cookie, csrf) = clinic.signed_in(&clinic.steward).await;
        let page = |path: String| {
            let (clinic, cookie) = (&clinic, cookie.clone());
            async move { String::from_utf8(clinic.page(&path, &cookie).await.bytes).expect("text") }
        };
        let text = policy(PURE);
        let begun = clinic.form("/sealings", &cookie, &[("csrf", &csrf), ("text", &text), ("upload", "")]).await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", String::from_utf8_lossy(&begun.bytes));
        let place = begun.headers["location"].to_str().expect("text").to_owned();
        clinic.ended(place.strip_prefix("/sealings/").expect("an id")).await;
        let shown = page(place.clone()).await;
        for said in ["Questions see the new edition", "Sealing&#39;s report", "policy.toml", "399"] {
            let said = said.replace("&#39;", "'");
            assert!(shown.contains(&said), "{said}: {shown}");
        }
        assert!(!shown.contains("http-equiv=\"refresh\"") && !shown.contains("hx-trigger"), "it has ended");
        assert!(page("/sealings".to_owned()).await.contains(&place));
        let faulty = text.replace("type = \"date\"", "type = \"day\"");
        let refused = clinic.form("/sealings", &cookie, &[("csrf", &csrf), ("text", &faulty)]).await;
        let shown = String::from_utf8(refused.bytes).expect("text");
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(shown.contains("Nothing was sealed") && shown.contains("type = &quot;day&quot;"), "{shown}");
        let gone = clinic.page("/sealings/sl_none", &cookie).await;
        assert_eq!(
            (gone.status, gone.headers["location"].to_str().expect("text")),
            (StatusCode::SEE_OTHER, "/sealings")
        );
        let foreign = clinic.form("/sealings", &cookie, &[("csrf", "0"), ("text", &text)]).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        let (cookie, csrf) = clinic.signed_in(&clinic.researcher).await;
        let refused = clinic.form("/sealings", &cookie, &[("csrf", &csrf), ("text", &text)]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    });
    clinic.verified();
}

#[test]
fn only_stewards_seal() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    block_on(async {
        let body = json!({"policy": policy(PURE)});
        for (token, status) in [(Some(&clinic.researcher), StatusCode::FORBIDDEN), (None, StatusCode::UNAUTHORIZED)] {
            for (method, path) in
                [(Method::POST, "/v1/sealings"), (Method::GET, "/v1/sealings/x"), (Method::DELETE, "/v1/sealings/x")]
            {
                let reply = clinic.call(method, path, token.map(String::as_str), &body).await;
                assert_eq!(reply.status, status, "{path}");
            }
        }
        let spent = read(clinic.current().now().ledger(), |book| {
            book.find("visits", AccountKind::Dataset, "visits").expect("a dataset").spent.quanta()
        });
        assert_eq!(spent, 0);
    });
}
