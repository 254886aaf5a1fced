//! The stewards' editor of policies: what it begins with, faults at their places, columns with what they cost, what sealing would change, and
//! what is kept.

mod uploading;

pub use self::uploading::table;

use axum::http::StatusCode;

use crate::console::Browser;
use crate::support::{GAUSSIAN, Lab, Reply, block_on, policy};

fn text(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{}", String::from_utf8_lossy(&reply.bytes));
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

/// The text in the editor, as a browser would show it.
fn edited(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"text\" rows=\"24\"").expect("the editor");
    let (_, rest) = rest.split_once('>').expect("a tag");
    let (text, _) = rest.split_once("</textarea>").expect("its end");
    unescaped(text.strip_prefix('\n').expect("a line end that browsers leave out"))
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn a_policy_is_checked_against_the_one_that_is_served() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let before = lab.head();
        let own = policy(GAUSSIAN);
        let other =
            own.replace("max = \"110\"", "max = \"120\"").replace("max_rows_per_unit = 4", "max_rows_per_unit = 2");
        let other = other.replace("name = \"smoker\"", "name = \"smokes\"");
        for (policy, said) in [
            (own.clone(), vec!["and the one under which <code>visits</code> is served.", "Seal visits now"]),
            (
                other,
                vec![
                    "rows of each unit that count: 4 becomes 2",
                    "column age: 0 to 110 becomes 0 to 120",
                    "column smokes is new",
                    "column smoker is gone",
                    "the mean of age in a group of 1000 rows",
                    "answered from the new edition, and costs again",
                    "what was spent stays spent",
                    "action=\"/sealings\"",
                ],
            ),
            (
                own.replace("[\"north\", \"east\", \"south\", \"west\"]", "[\"north\", \"south\"]"),
                vec!["column region: what it may hold differs", "get other groups"],
            ),
            (
                own.replace("epsilon = \"4\"", "epsilon = \"3\""),
                vec!["refused", "cannot be sealed over what is on record"],
            ),
            (own.replace("name = \"visits\"", "name = \"others\""), vec!["<code>others</code> is not served here yet"]),
            (
                own.replace("type = \"date\"", "type = \"day\""),
                vec!["One fault", "<code>type = <mark>&quot;day&quot;</mark></code>", "1 fault</span>"],
            ),
            (format!("{own}\n<script>"), vec!["&lt;script&gt;"]),
        ] {
            let page = text(&steward.post(&lab, "/policy", &[("text", &policy)]).await);
            let part = text(&steward.post(&lab, "/policy/check", &[("text", &policy)]).await);
            for said in said {
                assert!(page.contains(said) && part.contains(said), "{said}: {part}");
            }
            let is_sealable = part.contains("action=\"/sealings\"");
            assert_eq!(is_sealable, part.contains("note good"), "only what may be sealed can be");
            assert!(!page.contains("<script>\n") && !part.contains("<html"), "{part}");
            assert!(page.contains("textarea") && !part.contains("textarea"));
        }
        assert_eq!(lab.head(), before, "checking writes nothing into the chain");
    });
}

#[test]
fn the_editor_begins_with_what_is_served() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let start = text(&steward.get(&lab, "/policy").await);
        assert!(start.contains("href=\"/policy?dataset=visits\"") && start.contains("multipart/form-data"), "{start}");
        let page = text(&steward.get(&lab, "/policy?dataset=visits").await);
        assert_eq!(edited(&page), policy(GAUSSIAN));
        assert!(page.contains("the one under which <code>visits</code> is served."));
        let dataset = text(&steward.get(&lab, "/datasets/visits").await);
        assert!(dataset.contains("href=\"/policy?dataset=visits\""), "the page of the dataset leads to it");
        for nothing in ["/policy?dataset=nothing", "/policy?upload=up_1", "/policy?upload=../state", "/policy?saved=x"]
        {
            assert_eq!(steward.get(&lab, nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
        }
        let researcher = Browser::new(&lab, &lab.researcher).await;
        let dataset = text(&researcher.get(&lab, "/datasets/visits").await);
        assert!(!dataset.contains("/policy?"), "where rows are read from is for stewards alone");
    });
}

/// The errors of the table are those that a quote says.
#[test]
fn columns_stand_with_what_they_cost() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let page = text(&steward.get(&lab, "/policy?dataset=visits").await);
        let cell = |row: &str, label: &str| -> String {
            let (_, rest) = page.split_once(&format!("<code>{row}</code>")).expect("a row");
            let (row, _) = rest.split_once("</tr>").expect("its end");
            let (_, rest) =
                row.split_once(&format!("data-label=\"{label}\">")).unwrap_or_else(|| panic!("{label}: {row}"));
            rest.split('<').next().expect("a cell").to_owned()
        };
        let quoted = async |sql: &str, output: usize| {
            let body = serde_json::json!({"sql": sql, "epsilon": "0.1"}).to_string();
            let path = "/v1/quotes";
            let headers = [];
            let method = axum::http::Method::POST;
            let quote = crate::support::call(&lab.router, method, path, Some(&lab.researcher), &headers, body).await;
            let margin = quote.json()["columns"][output]["margin"].to_string();
            let margin: f64 = margin.trim_matches('"').parse().unwrap_or_else(|_| panic!("{sql}: {}", quote.json()));
            format!("± {}", tacit::render::reading::number(margin, Some(margin)))
        };
        let count = quoted("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", 1).await;
        assert_eq!(cell("region", "A count by it"), count);
        assert_eq!(cell("age", "Its sum"), quoted("SELECT SUM(age) AS s FROM visits", 0).await);
        assert_eq!(cell("cost", "Its mean"), quoted("SELECT AVG(cost) AS m FROM visits", 0).await);
        assert_eq!(cell("age", "One unit moves its sum"), "220", "4 rows, and 55 to either end");
        assert_eq!((cell("age", "Values"), cell("region", "Values")), ("111".to_owned(), "4".to_owned()));
    });
}

#[test]
fn a_column_is_changed_in_a_form() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let own = policy(GAUSSIAN);
        let page = text(&steward.post(&lab, "/policy", &[("text", &own), ("edit", "column.3")]).await);
        assert!(page.contains("The column age") && page.contains("name=\"c_max\" value=\"110\""), "{page}");
        let fields = [
            ("text", own.as_str()),
            ("column", "column.3"),
            ("c_name", "age"),
            ("c_type", "integer"),
            ("c_min", "0"),
            ("c_max", "100"),
            ("c_nullable", "yes"),
        ];
        let still = text(&steward.post(&lab, "/policy", &fields).await);
        assert!(
            still.contains("name=\"c_max\" value=\"100\"") && edited(&still) == own,
            "a check keeps what was typed"
        );
        let put = text(&steward.post(&lab, "/policy", &[&fields[..], &[("do", "put")]].concat()).await);
        let wanted = own.replace("max = \"110\"\n", "max = \"100\"\nnullable = true\n");
        assert_eq!(edited(&put), wanted);
        assert!(put.contains("column age: 0 to 110 becomes 0 to 100") && !put.contains("c_max"), "{put}");
        let moved = |(name, value)| (name, if name == "column" { "column.9" } else { value });
        let gone: Vec<(&str, &str)> = [&fields[..], &[("do", "put")]].concat().into_iter().map(moved).collect();
        let gone = text(&steward.post(&lab, "/policy", &gone).await);
        assert!(gone.contains("the text has no such column any more") && edited(&gone) == own, "{gone}");
    });
}

#[test]
fn what_a_steward_types_is_kept_for_them_alone() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let start = text(&steward.get(&lab, "/policy").await);
        assert!(!start.contains("Your saved policies"));
        steward.post(&lab, "/policy/check", &[("text", &policy(GAUSSIAN))]).await;
        let start = text(&steward.get(&lab, "/policy").await);
        assert!(!start.contains("Your saved policies"), "what is served needs no keeping");
        steward.post(&lab, "/policy/check", &[("text", "[dataset]\r\nname = \"a\"\r\n")]).await;
        let start = text(&steward.get(&lab, "/policy").await);
        assert!(start.contains("Your latest text") && start.contains("href=\"/policy?saved=\""), "{start}");
        assert_eq!(edited(&text(&steward.get(&lab, "/policy?saved=").await)), "[dataset]\nname = \"a\"\n");
        let save = [("text", "[dataset]"), ("save_name", "Half & half"), ("do", "save")];
        let saved = steward.post(&lab, "/policy", &save).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER);
        let place = saved.headers["location"].to_str().expect("text").to_owned();
        let page = text(&steward.get(&lab, &place).await);
        assert!(page.contains("Saved. You find it") && edited(&page) == "[dataset]", "{page}");
        let nameless = text(&steward.post(&lab, "/policy", &[("text", "[dataset]"), ("do", "save")]).await);
        assert!(nameless.contains("The policy was not saved: the name has no character"), "{nameless}");
        let added = lab.act("/v1/researchers", &serde_json::json!({"name": "sue", "role": "steward"})).await.json();
        let other = Browser::new(&lab, added["token"].as_str().expect("a token")).await;
        assert!(!text(&other.get(&lab, "/policy").await).contains("Half &amp; half"), "another steward's");
        assert_eq!(other.get(&lab, &place).await.status, StatusCode::NOT_FOUND);
        let forgotten = steward.post(&lab, "/policy/forget", &[("name", "Half & half")]).await;
        assert_eq!(forgotten.headers["location"], "/policy?done=forgotten");
        assert!(!text(&steward.get(&lab, "/policy").await).contains("Half &amp; half"));
    });
}

/// A text that names a file does not make the server open it: public tables are those that are served.
#[test]
fn the_editor_opens_no_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let lists = "[[public]]\nname = \"regions\"\nsource = \"regions.csv\"\ncolumns = [\"code\"]\n";
    let own = policy(GAUSSIAN)
        .replace("values = [\"north\", \"east\", \"south\", \"west\"]", "values_from = \"regions.code\"");
    let own = format!("{own}{lists}");
    std::fs::write(dir.path().join("visits.csv"), crate::support::visits(20)).expect("a source");
    std::fs::write(dir.path().join("regions.csv"), "code\nnorth\neast\nsouth\nwest\n").expect("a list");
    let lab = Lab::over(dir, &own, std::sync::Arc::new(crate::support::NoNoise), "1");
    block_on(async {
        let steward = Browser::new(&lab, &lab.steward).await;
        let page = text(&steward.get(&lab, "/policy?dataset=visits").await);
        assert!(page.contains("the one under which <code>visits</code> is served."), "{page}");
        let secret = lab.dir.path().join("secret.csv");
        std::fs::write(&secret, "code\nhidden-word\n").expect("a file");
        for file in [secret.display().to_string(), "secret.csv".to_owned(), "/etc/passwd".to_owned()] {
            let other = own.replace("\"regions.csv\"", &format!("\"{file}\""));
            let page = text(&steward.post(&lab, "/policy", &[("text", &other)]).await);
            assert!(page.contains("no edition that is served has a public table from this source"), "{page}");
            assert!(!page.contains("hidden-word") && !page.contains("root:"), "{page}");
        }
    });
}

/// Texts up to the limit are checked, and larger ones are refused before they are read as a whole.
#[test]
fn a_large_policy_is_edited_and_a_larger_one_is_not() {
    block_on(async {
        let lab = Lab::gaussian();
        let steward = Browser::new(&lab, &lab.steward).await;
        let own = policy(GAUSSIAN);
        let large = format!("{own}# {}\n", "\"".repeat(900_000));
        let page = text(&steward.post(&lab, "/policy", &[("text", &large)]).await);
        assert!(page.contains("A valid policy"));
        let larger = format!("{own}# {}\n", "x".repeat(4 << 20));
        assert_eq!(steward.post(&lab, "/policy", &[("text", &larger)]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
        let researcher = Browser::new(&lab, &lab.researcher).await;
        assert_eq!(researcher.post(&lab, "/policy", &[("text", &larger)]).await.status, StatusCode::FORBIDDEN);
    });
}
