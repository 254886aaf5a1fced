//! Sealings that are refused, fail, or are cancelled: nothing of them is left, and the server goes on as before.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::budget::ledger::read;
use tacit::service::publishing::sealings::{SEALINGS_MAX, SealingStep};

use super::BEFORE;
use super::clinic::{Clinic, UPLOAD, until};
use crate::support::{PURE, block_on, policy, visits};

fn head(clinic: &Clinic) -> u64 {
    read(clinic.current().now().ledger(), |book| book.head().0)
}

/// The names in the folder of editions.
fn editions(state: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(state.join("editions")).expect("editions");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_policy_from_a_door_names_nothing_but_uploads_and_what_the_operator_named() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    std::fs::write(clinic.dir.path().join("secret.csv"), visits(10)).expect("a file");
    clinic.upload(UPLOAD, "new.csv", &visits(50));
    let (before, entries) = (clinic.edition("visits"), head(&clinic));
    let absolute = clinic.dir.path().join("secret.csv");
    block_on(async {
        let cases = [
            (policy(PURE).replace("visits.csv", "secret.csv"), None, "secret.csv"),
            (policy(PURE).replace("visits.csv", &absolute.display().to_string()), None, "neither the uploaded file"),
            (
                policy(PURE).replace("visits.csv", &format!("state/uploads/{UPLOAD}/new.csv")),
                Some(UPLOAD),
                "neither the uploaded file",
            ),
            (policy(PURE).replace("visits.csv", "new.csv"), None, "neither the uploaded file"),
            (policy(PURE).replace("visits.csv", "new.csv"), Some("../x"), "no uploaded file"),
            (policy(PURE).replace("visits.csv", "new.csv"), Some("up2"), "no uploaded file"),
            // Another dataset has no policy file of the operator's, so not even the file that this one is read from.
            (policy(PURE).replace("name = \"visits\"", "name = \"others\""), None, "visits.csv"),
            (policy(PURE).replace("epsilon = \"100\"", "epsilon = \"99\""), None, "cap"),
            ("[dataset".to_owned(), None, "line 1"),
        ];
        for (text, upload, said) in cases {
            let reply = clinic.post("/v1/sealings", &json!({"policy": text, "upload": upload})).await;
            let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{detail}");
            assert!(detail.contains(said), "{said}: {detail}");
        }
        assert_eq!((clinic.edition("visits"), head(&clinic), clinic.sealings.all().len()), (before, entries, 0));
        // The same name in an upload is the upload's.
        assert_eq!(clinic.sealed(&policy(PURE).replace("visits.csv", "new.csv"), Some(UPLOAD)).await["step"], "served");
    });
    clinic.verified();
}

#[test]
fn a_sealing_that_fails_changes_nothing_and_tells_stewards_why() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    let (before, entries, folders) = (clinic.edition("visits"), head(&clinic), editions(&clinic.state));
    block_on(async {
        let upload = clinic.upload(UPLOAD, "new.csv", "patient_id,region\np1,north\n");
        let text = policy(PURE).replace("visits.csv", "new.csv");
        let ended = clinic.sealed(&text, Some(UPLOAD)).await;
        let fault = ended["fault"].as_str().unwrap_or_default();
        assert!(ended["step"] == "failed" && fault.contains("diagnosis"), "{ended}");
        assert!(upload.is_dir(), "the way back to the text needs it");
        std::fs::write(upload.join("new.csv"), visits(20).replace("south", "")).expect("a file");
        let ended = clinic.sealed(&text, Some(UPLOAD)).await;
        let fault = ended["fault"].as_str().unwrap_or_default();
        assert!(ended["step"] == "failed" && fault.contains("region"), "{ended}");
        assert_eq!((clinic.edition("visits"), head(&clinic)), (before, entries));
        assert_eq!(editions(&clinic.state), folders);
        assert_eq!(clinic.ask("SELECT COUNT(*) AS n FROM visits", "0.1").await.status, StatusCode::OK);
    });
    clinic.verified();
}

/// A program that seals for ever, and writes down its number.
fn endless(dir: &Path) -> (PathBuf, PathBuf) {
    let (program, number) = (dir.join("endless.sh"), dir.join("number"));
    let text = format!("#!/bin/sh\necho $$ > {}\necho '{{\"rows\":7}}'\nexec tail -f /dev/null\n", number.display());
    std::fs::write(&program, text).expect("a program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("rights");
    (program, number)
}

#[test]
fn few_sealings_go_on_at_once_and_each_can_be_cancelled() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    let (program, number) = endless(clinic.dir.path());
    let clinic = clinic.sealing_with(program);
    let (sealings, folders) = (Arc::clone(&clinic.sealings), editions(&clinic.state));
    block_on(async {
        clinic.upload(UPLOAD, "new.csv", &visits(50));
        let named =
            |name: &str| policy(PURE).replace("\"visits\"", &format!("\"{name}\"")).replace("visits.csv", "new.csv");
        let start = |name: &str| sealings.start(named(name), Some(UPLOAD), "sam");
        let first = sealings.start(policy(PURE), None, "sam").expect("a sealing");
        let twice = sealings.start(policy(PURE), None, "sam").expect_err("one of a dataset at a time");
        assert!(twice.to_string().contains("is being sealed"), "{twice}");
        let others: Vec<String> =
            (1..SEALINGS_MAX).map(|number| start(&format!("d{number}")).expect("a sealing")).collect();
        let full = start("more").expect_err("no more at once");
        assert!(full.to_string().contains("the most at once"), "{full}");
        until(|| sealings.view(&first).is_some_and(|view| view.rows_read == 7)).await;
        // The page of a sealing that goes on is fetched again, and can end it.
        let (cookie, csrf) = clinic.signed_in(&clinic.steward).await;
        let page = clinic.page(&format!("/sealings/{first}"), &cookie).await;
        let page = String::from_utf8(page.bytes).expect("text");
        for said in ["<noscript><meta http-equiv=\"refresh\"", "hx-trigger=\"every 1s\"", "<progress", "7 rows read"] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let ended = clinic.form(&format!("/sealings/{first}/cancel"), &cookie, &[("csrf", &csrf)]).await;
        assert_eq!(ended.status, StatusCode::SEE_OTHER);
        let page = clinic.page(&format!("/sealings/{first}"), &cookie).await;
        assert!(String::from_utf8(page.bytes).expect("text").contains("It was cancelled"));
        for other in &others {
            let path = format!("/v1/sealings/{other}");
            let cancelled = clinic.call(Method::DELETE, &path, Some(&clinic.steward), &Value::Null).await.json();
            assert_eq!(cancelled["step"], "cancelled");
        }
        until(|| editions(&clinic.state) == folders).await;
        // The last that wrote its number is gone, whichever it was.
        let process = std::fs::read_to_string(&number).expect("a number").trim().to_owned();
        until(|| !Path::new(&format!("/proc/{process}")).exists()).await;
        assert_eq!(sealings.view(&first).map(|view| view.step), Some(SealingStep::Cancelled));
        let again = sealings.start(policy(PURE), None, "sam").expect("there is room again");
        sealings.cancel(&again).expect("a sealing");
        until(|| editions(&clinic.state) == folders).await;
        let unknown = clinic.get("/v1/sealings/none", &clinic.steward).await;
        assert_eq!((unknown.status, unknown.code()), (StatusCode::NOT_FOUND, "not-found".to_owned()));
    });
    drop(sealings);
    clinic.verified();
}

#[test]
fn what_a_crash_left_is_removed_at_the_start() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    let folders = editions(&clinic.state);
    for left in [".sealing-sl_1/editions/ed_1", "ed_ffff", "ed_ffff.wards"] {
        let folder = clinic.state.join("editions").join(left);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("table.blocks"), "rows").expect("a file");
    }
    let clinic = clinic.restarted();
    assert_eq!(editions(&clinic.state), folders);
    clinic.verified();
}

/// A copy is made of whole editions: none is removed while it is being made.
#[test]
fn a_superseded_edition_stays_while_a_copy_is_made() {
    let clinic = Clinic::new(&policy(PURE), BEFORE, &[]);
    let before = clinic.edition("visits");
    let held = tacit::engine::seal::hold_editions(&clinic.state).expect("held").expect("there are editions");
    block_on(async {
        let sealed: Value = clinic.sealed(&policy(PURE), None).await;
        assert_eq!(sealed["step"], "served");
    });
    assert!(editions(&clinic.state).contains(&before));
    drop(held);
    let clinic = clinic.restarted();
    assert!(!editions(&clinic.state).contains(&before));
    clinic.verified();
}
