//! An answer at its address: its page, page by page, its files, and who may see it.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::console::Browser;
use crate::support::{Lab, block_on, call};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

/// Every file is what the API returns for the same answer, under a name that a folder can keep, and only those who were served see it.
#[test]
fn an_answer_has_one_address_and_files() {
    block_on(async {
        let lab = Lab::gaussian();
        let asked =
            json!({"sql": "SELECT region, COUNT(*) AS n, AVG(age) AS a FROM visits GROUP BY region", "epsilon": "0.5"});
        let release = lab.ask(&asked).await.json()["release"].as_str().expect("a release").to_owned();
        let ada = Browser::new(&lab, &lab.researcher).await;
        let address = format!("/answers/{release}");
        let page = ada.get(&lab, &address).await;
        assert_eq!(page.status, StatusCode::OK);
        let page = text(page.bytes);
        assert_eq!(page.matches("<svg").count(), 2, "once for wide screens, once for phones");
        let before = ada.get(&lab, &format!("/history/{release}")).await;
        assert_eq!(before.headers["location"], address.as_str(), "the address of before leads here");
        let accepted = [
            ("csv", "text/csv"),
            ("json", "application/json"),
            ("arrow", "application/vnd.apache.arrow.stream"),
            ("parquet", "application/vnd.apache.parquet"),
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ];
        for (ending, accept) in accepted {
            assert!(page.contains(&format!("{address}.{ending}\"")), "the page links to {ending}");
            let file = ada.get(&lab, &format!("{address}.{ending}")).await;
            assert_eq!(file.status, StatusCode::OK);
            assert_eq!(file.headers["content-disposition"], format!("attachment; filename=\"{release}.{ending}\""));
            let headers = [("accept", accept)];
            let path = format!("/v1/releases/{release}");
            let same = call(&lab.router, Method::GET, &path, Some(&lab.researcher), &headers, String::new()).await;
            assert_eq!((file.status, file.bytes), (same.status, same.bytes), "{ending}");
        }
        let svg = ada.get(&lab, &format!("{address}.svg")).await;
        assert_eq!(svg.headers["content-type"], "image/svg+xml");
        assert!(text(svg.bytes).starts_with("<svg"));
        let png = ada.get(&lab, &format!("{address}.png")).await;
        assert_eq!(png.headers["content-type"], "image/png");
        assert!(png.bytes.starts_with(b"\x89PNG") && page.contains(&format!("{address}.png\"")));

        // A steward sees it, and those who were not served are told the same as for an answer that does not exist.
        let sam = Browser::new(&lab, &lab.steward).await;
        assert_eq!(sam.get(&lab, &address).await.status, StatusCode::OK);
        let bob = lab.act("/v1/researchers", &json!({"name": "bob", "role": "researcher"})).await.json();
        let bob = Browser::new(&lab, bob["token"].as_str().expect("a token")).await;
        for ending in ["", ".csv", ".svg", ".png"] {
            let kept = bob.get(&lab, &format!("{address}{ending}")).await;
            let none = bob.get(&lab, &format!("/answers/rel_0{ending}")).await;
            assert_eq!((kept.status, none.status), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
            assert_eq!(text(kept.bytes), text(none.bytes));
        }
        for wrong in [".exe", ".", ".csv.exe", ".CSV"] {
            assert_eq!(ada.get(&lab, &format!("{address}{wrong}")).await.status, StatusCode::NOT_FOUND, "{wrong}");
        }
    });
}

/// A long table comes in pages of 200 rows, each row once; a number without groups stands large, by itself.
#[test]
fn long_tables_come_page_by_page_and_a_number_alone_is_large() {
    block_on(async {
        let lab = Lab::gaussian();
        let ada = Browser::new(&lab, &lab.researcher).await;
        let address = |reply: serde_json::Value| format!("/answers/{}", reply["release"].as_str().expect("a release"));
        let sql = "SELECT region, age, COUNT(*) AS n FROM visits GROUP BY region, age";
        let reply = lab.ask(&json!({"sql": sql, "epsilon": "0.5"})).await.json();
        let all = reply["rows"].as_array().expect("rows").len();
        let address_of_many = address(reply);
        let pages = all.div_ceil(200);
        assert!(pages > 1, "{all} rows");
        let mut rows = 0;
        for page in 1..=pages {
            let text = text(ada.get(&lab, &format!("{address_of_many}?page={page}")).await.bytes);
            rows += text.matches("<th scope=\"row\">").count() / 2;
            assert!(text.contains(&format!("Page {page} of {pages}")), "{page}");
            assert_eq!(text.contains("rel=\"next\""), page < pages);
            assert_eq!(text.contains("rel=\"prev\""), page > 1);
        }
        assert_eq!(rows, all, "every row once");
        let beyond = ada.get(&lab, &format!("{address_of_many}?page=999999")).await;
        assert!(text(beyond.bytes).contains(&format!("Page {pages} of {pages}")));

        let reply = lab.ask(&json!({"sql": "SELECT COUNT(*) AS visits FROM visits", "epsilon": "0.5"})).await.json();
        let value = reply["rows"][0]["visits"].clone();
        let page = text(ada.get(&lab, &address(reply)).await.bytes);
        assert!(page.contains(&format!("<data value=\"{value}\">")) && page.contains("dl class=\"alone\""), "{page}");
        assert!(!page.contains("<svg") && !page.contains(".svg\""), "a number needs no chart");
    });
}

/// An address with wrong parameters is answered by a page, in our words, whichever page it is.
#[test]
fn wrong_parameters_of_an_address_are_told_on_a_page() {
    block_on(async {
        let lab = Lab::gaussian();
        let reply = lab.ask(&json!({"sql": "SELECT COUNT(*) AS n FROM visits", "epsilon": "0.5"})).await.json();
        let release = reply["release"].as_str().expect("a release").to_owned();
        let ada = Browser::new(&lab, &lab.researcher).await;
        let sam = Browser::new(&lab, &lab.steward).await;
        for (browser, path) in [
            (&ada, format!("/answers/{release}?page=two")),
            (&ada, format!("/answers/{release}?page=-1")),
            (&ada, "/history?before=x".to_owned()),
            (&ada, "/ask?sql=a&sql=b".to_owned()),
            (&sam, "/accounts?find=a&find=b".to_owned()),
            (&sam, "/ledger?act=a&act=b".to_owned()),
        ] {
            let reply = browser.get(&lab, &path).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}");
            assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8", "{path}");
            let text = text(reply.bytes);
            assert!(text.contains("parameter twice, or one that is no whole number"), "{path}: {text}");
            for word in ["deserialize", "invalid digit", "duplicate field"] {
                assert!(!text.contains(word), "{path}: {text}");
            }
        }
    });
}
