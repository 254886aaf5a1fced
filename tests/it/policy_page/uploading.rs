//! Tables that stewards upload: the form with a file, its limits, and the draft that a process of its own makes.

use axum::http::{Method, StatusCode};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tacit::service::publishing::uploads::path;

use super::{edited, text};
use crate::console::Browser;
use crate::support::{Lab, Reply, UPLOADS, block_on, call};

/// A small table of people with visits, always the same.
pub fn table() -> String {
    let mut rng = StdRng::seed_from_u64(17);
    let mut csv = String::from("patient_id,age,ward,cost\n");
    for patient in 0..120 {
        let (age, ward) = (rng.random_range(18..97), ["a", "b", "c"][rng.random_range(0..3)]);
        for _ in 0..rng.random_range(1..4) {
            csv.push_str(&format!("p{patient},{age},{ward},{}.5\n", rng.random_range(10..400)));
        }
    }
    csv
}

/// A form with a file, as browsers send it.
fn form(fields: &[(&str, Option<&str>, &str)]) -> String {
    let mut body = String::new();
    for (name, file, value) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: text/csv")).unwrap_or_default();
        body.push_str(&format!("--line\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"));
    }
    body + "--line--\r\n"
}

async fn send(lab: &Lab, browser: &Browser, body: String) -> Reply {
    let headers = [("cookie", browser.cookie.as_str()), ("content-type", "multipart/form-data; boundary=line")];
    call(&lab.router, Method::POST, "/policy/uploads", None, &headers, body).await
}

async fn upload(lab: &Lab, browser: &Browser, name: &str, csv: &str) -> Reply {
    send(lab, browser, form(&[("csrf", None, &browser.csrf), ("file", Some(name), csv)])).await
}

/// The id of the upload that a reply leads to.
fn id(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", String::from_utf8_lossy(&reply.bytes));
    let place = reply.headers["location"].to_str().expect("text");
    place.strip_prefix("/policy?upload=").unwrap_or_else(|| panic!("{place}")).to_owned()
}

fn files(lab: &Lab) -> usize {
    std::fs::read_dir(lab.dir.path().join("state/uploads")).map_or(0, |entries| entries.count())
}

#[test]
fn a_policy_is_drafted_from_an_upload_and_sealed_with_it() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let head = lab.head();
        let id = id(&upload(&lab, &steward, "../my wards.csv", &table()).await);
        let page = text(&steward.get(&lab, &format!("/policy?upload={id}")).await);
        let draft = edited(&page);
        assert!(draft.contains("name = \"my_wards\"") && draft.contains("source = \"my_wards.csv\""), "{draft}");
        assert!(draft.contains("privacy_unit = \"?\"") && draft.contains("\"seen:"), "{draft}");
        for said in
            ["were seen in the data", "To publish a bound that was seen in the data is a disclosure", "still the draft"]
        {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert!(!page.contains("/sealings"), "placeholders are not accepted");
        assert!(!page.contains(&lab.dir.path().display().to_string()), "no path of the server is shown");
        // The age is mended in its form, the rest in the text.
        let fields = [
            ("text", draft.as_str()),
            ("upload", &id),
            ("column", "column.0"),
            ("c_name", "age"),
            ("c_type", "integer"),
            ("c_min", "18"),
            ("c_max", "110"),
            ("c_per_unit", "yes"),
            ("do", "put"),
        ];
        let page = text(&steward.post(&lab, "/policy", &fields).await);
        let mended = edited(&page);
        assert!(mended.contains("min = \"18\"\nmax = \"110\""), "{mended}");
        let mended = mended.replace("privacy_unit = \"?\"", "privacy_unit = \"patient_id\"").replace("seen:", "");
        let page = text(&steward.post(&lab, "/policy", &[("text", &mended), ("upload", &id)]).await);
        let sealing = page.split_once("action=\"/sealings\"").unwrap_or_else(|| panic!("no form: {page}")).1;
        assert!(sealing.contains(&format!("name=\"upload\" value=\"{id}\"")), "{sealing}");
        assert!(page.contains("from the file <code>my_wards.csv</code> that you uploaded"), "{page}");
        let sent = sealing.split_once("name=\"text\" value=\"").expect("the text").1;
        assert_eq!(super::unescaped(sent.split_once("\">").expect("its end").0), mended);
        assert_eq!(lab.head(), head, "nothing is written into the chain");
        let file = path(&lab.dir.path().join("state"), &id).expect("a file");
        assert_eq!(std::fs::read_to_string(file).expect("a table"), table());
        let removed = steward.post(&lab, &format!("/policy/uploads/{id}/remove"), &[]).await;
        assert_eq!((&removed.headers["location"], files(&lab)), (&"/policy?done=removed".parse().expect("a path"), 0));
        assert_eq!(steward.get(&lab, &format!("/policy?upload={id}")).await.status, StatusCode::NOT_FOUND);
    });
}

/// A file that is no table gets words that name places and no values.
#[test]
fn a_fault_of_a_file_names_no_value() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        for (name, bytes, said) in [
            ("a.csv", "id,name\n1,Ada Secret\n2,Bob,Secret,more\n", "a.csv, line 3"),
            ("b.parquet", "Ada Secret", "b.parquet"),
        ] {
            let id = id(&upload(&lab, &steward, name, bytes).await);
            let page = text(&steward.get(&lab, &format!("/policy?upload={id}")).await);
            assert!(page.contains("There is no draft.") && page.contains(said), "{page}");
            assert!(!page.contains("Secret") && !page.contains("/state/"), "{page}");
        }
    });
}

#[test]
fn uploads_are_for_stewards_from_their_own_pages_and_within_limits() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let again = Browser::new(&lab, &lab.steward).await;
        let file = ("file", Some("a.csv"), "a,b\n1,2\n");
        for (fields, wanted) in [
            (vec![file], StatusCode::FORBIDDEN),
            (vec![("csrf", None, "00"), file], StatusCode::FORBIDDEN),
            (vec![("csrf", None, again.csrf.as_str()), file], StatusCode::FORBIDDEN),
            (vec![file, ("csrf", None, steward.csrf.as_str())], StatusCode::FORBIDDEN),
            (vec![("csrf", None, steward.csrf.as_str())], StatusCode::BAD_REQUEST),
            (vec![("csrf", None, steward.csrf.as_str()), ("file", Some(""), "")], StatusCode::BAD_REQUEST),
            (vec![("csrf", None, steward.csrf.as_str()), ("file", Some("a.csv"), "")], StatusCode::BAD_REQUEST),
            (vec![("csrf", None, steward.csrf.as_str()), ("file", Some("a.exe"), "x")], StatusCode::BAD_REQUEST),
        ] {
            let reply = send(&lab, &steward, form(&fields)).await;
            assert_eq!((reply.status, files(&lab)), (wanted, 0), "{fields:?}");
        }
        let whole = form(&[("csrf", None, &steward.csrf), file]);
        for cut in [whole.len() - 12, whole.len() / 2, 20] {
            let reply = send(&lab, &steward, whole[..cut].to_owned()).await;
            assert!(reply.status.is_client_error() && files(&lab) == 0, "{cut}: {}", reply.status);
        }
        let large = "1,2\n".repeat(1 << 18) + "1";
        let reply = upload(&lab, &steward, "a.csv", &large).await;
        assert_eq!((reply.status, files(&lab)), (StatusCode::PAYLOAD_TOO_LARGE, 0), "one byte more than is taken");
        let researcher = Browser::new(&lab, &lab.researcher).await;
        assert_eq!(upload(&lab, &researcher, "a.csv", "a\n").await.status, StatusCode::FORBIDDEN);
        for _ in 0..UPLOADS.count_max {
            id(&upload(&lab, &steward, "a.csv", "a,b\n1,2\n").await);
        }
        let reply = upload(&lab, &steward, "a.csv", "a,b\n1,2\n").await;
        assert_eq!((reply.status, files(&lab)), (StatusCode::BAD_REQUEST, 3), "as many as are kept");
    });
}

/// A head that never ends is not gathered in memory.
#[test]
fn a_form_without_end_is_cut_off() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let endless = format!("--line\r\nContent-Disposition: {}", "x".repeat(8 << 20));
        let reply = send(&lab, &steward, endless).await;
        assert!(reply.status.is_client_error() && files(&lab) == 0, "{}", reply.status);
    });
}
