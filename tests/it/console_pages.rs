//! What the console's pages say: homes, the gallery, the history, saved questions, questions chosen from lists, and the editor's words.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;
use tacit::ledger::sqlite::questions::SavedQuestion;
use tacit::render::assets;
use tacit::service::asking::saved::{QUESTIONS_MAX, SavingFault};

use crate::console::Browser;
use crate::support::{GAUSSIAN, Lab, Reply, StoppedClock, block_on, call, policy};

const REGIONS: &str = "-- title: Visits by region\n-- epsilon: 0.1\n-- public: true\n-- chart: bar\n-- unit: visits\n\
                       SELECT region, COUNT(*) AS visits FROM visits GROUP BY region";
const OLDER: &str = "-- title: Older people\n-- epsilon: 0.1\nSELECT COUNT(*) AS visits FROM visits WHERE age > 50";

fn lab() -> Lab {
    Lab::publishing(&policy(GAUSSIAN), &[("regions", REGIONS), ("older", OLDER)], "1", Arc::new(StoppedClock))
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.bytes).into_owned()
}

async fn read(browser: &Browser, lab: &Lab, path: &str) -> String {
    let reply = browser.get(lab, path).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", text(&reply));
    text(&reply)
}

#[test]
fn each_role_begins_with_what_it_comes_for() {
    block_on(async {
        let lab = lab();
        lab.service.refresh_due().await;
        let (researcher, steward) = (Browser::new(&lab, &lab.researcher).await, Browser::new(&lab, &lab.steward).await);
        let home = read(&researcher, &lab, "/").await;
        assert!(home.contains("100 % left") && home.contains("You have not asked anything yet"), "{home}");
        lab.sql("SELECT COUNT(*) AS n FROM visits WHERE age > 41", "0.2").await;
        let home = read(&researcher, &lab, "/").await;
        assert!(
            home.contains("age &gt;= 42") && !home.contains("100 % left") && home.contains("more questions like"),
            "{home}"
        );
        let home = read(&steward, &lab, "/").await;
        assert!(home.contains("Nothing waits for you.") && home.contains("of the cap is allocated"), "{home}");
        let wish = json!({"dataset": "visits", "epsilon": "1.5", "reason": "<b>more</b>"}).to_string();
        call(&lab.router, Method::POST, "/v1/requests", Some(&lab.researcher), &[], wish).await;
        let home = read(&steward, &lab, "/").await;
        assert!(home.contains("One request for budget") && home.contains("&lt;b&gt;more"), "{home}");
        let viewer = Browser::new(&lab, &lab.viewer).await;
        assert_eq!(viewer.get(&lab, "/").await.headers["location"], "/statistics");
    });
}

/// A card shows a chart and a number to those who may see the statistic, and to nobody else.
#[test]
fn the_gallery_shows_pictures_of_what_may_be_seen() {
    block_on(async {
        let lab = lab();
        let nobody = async |path: &str| text(&call(&lab.router, Method::GET, path, None, &[], String::new()).await);
        let viewer = Browser::new(&lab, &lab.viewer).await;
        assert_eq!(read(&viewer, &lab, "/statistics").await.matches("<svg").count(), 0, "nothing is released yet");
        lab.service.refresh_due().await;
        let gallery = read(&viewer, &lab, "/statistics").await;
        assert_eq!(gallery.matches("class=\"chart small\"").count(), 1, "one with groups: {gallery}");
        assert!(gallery.contains("class=\"headline\"") && gallery.contains("class=\"alone\""), "{gallery}");
        let public = nobody("/statistics").await;
        assert!(
            public.contains("chart small") && !public.contains("class=\"alone\"") && !public.contains("Older"),
            "{public}"
        );
        let found = read(&viewer, &lab, "/statistics?find=OLDER").await;
        assert!(found.contains("Older people") && !found.contains("Visits by region"), "{found}");
        assert!(nobody("/statistics?find=older").await.contains("No statistic fits"), "a search finds nothing hidden");
        let none = read(&viewer, &lab, "/statistics?dataset=nowhere").await;
        assert!(none.contains("No statistic fits"), "{none}");
        assert!(!read(&viewer, &lab, "/statistics?after=older").await.contains("Older people"));
    });
}

/// The shares in the history add up to what is spent, whoever drew the answer first.
#[test]
fn the_history_adds_up() {
    block_on(async {
        let lab = lab();
        lab.service.refresh_due().await;
        let browser = Browser::new(&lab, &lab.researcher).await;
        // The second is stored already, because a statistic asks it.
        for (sql, epsilon) in [
            ("SELECT COUNT(*) AS n FROM visits WHERE age > 33", "0.3"),
            ("SELECT region, COUNT(*) AS visits FROM visits GROUP BY region", "0.1"),
            ("SELECT COUNT(*) AS n FROM visits WHERE age > 33", "0.3"),
        ] {
            lab.sql(sql, epsilon).await;
        }
        let page = read(&browser, &lab, "/history").await;
        assert_eq!(page.matches("Ask again:").count(), 2, "{page}");
        let (_, rest) = page.split_once("The answers on this page cost <strong>").expect("a sum");
        let sum: f64 = rest.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
        let account = lab.get("/v1/accounts", &lab.researcher).await.json();
        let spent: f64 = account[0]["fraction_spent"].as_str().expect("a share").parse().expect("a number");
        assert!((sum - 100.0 * spent).abs() < 0.006 * sum, "{sum} % in the history, {spent} spent");
        assert!(page.contains("/ask?sql=SELECT"), "each can be asked again");
        let found = read(&browser, &lab, "/history?find=region&dataset=visits").await;
        assert!(found.contains("GROUP BY region") && !found.contains("age &gt;= 34"), "{found}");
        let found = read(&browser, &lab, "/history?dataset=another").await;
        assert!(found.contains("None of the answers"), "{found}");
    });
}

#[test]
fn questions_are_saved_for_their_owner() {
    block_on(async {
        let lab = lab();
        let (browser, steward) = (Browser::new(&lab, &lab.researcher).await, Browser::new(&lab, &lab.steward).await);
        let head = lab.head();
        let save = async |name: &str, sql: &str| {
            let fields =
                [("do", "save"), ("name", name), ("sql", sql), ("by", "margin"), ("margin", "25"), ("epsilon", "0.1")];
            browser.post(&lab, "/ask", &fields).await
        };
        let saved = save("<b>Mine</b> & more", "SELECT 'unfinished").await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", text(&saved));
        let place = saved.headers["location"].to_str().expect("text").to_owned();
        let page = read(&browser, &lab, &place).await;
        assert!(
            page.contains("&lt;b&gt;Mine&lt;/b&gt; &amp; more") && page.contains("SELECT 'unfinished</textarea>"),
            "{page}"
        );
        assert!(
            page.contains("value=\"25\"") && page.contains("value=\"margin\" checked"),
            "its accuracy comes back: {page}"
        );
        let long = "n".repeat(81);
        for (name, sql) in [("", "SELECT 1"), ("a\nb", "SELECT 1"), (long.as_str(), "SELECT 1"), ("a", "")] {
            let refused = text(&save(name, sql).await);
            assert!(refused.contains("the question was not saved"), "{name:?}: {refused}");
        }
        assert_eq!(steward.post(&lab, "/ask/forget", &[("name", "a")]).await.status, StatusCode::FORBIDDEN);
        browser.post(&lab, "/ask/forget", &[("name", "<b>Mine</b> & more")]).await;
        assert!(!read(&browser, &lab, "/ask").await.contains("Mine"));
        let question = |number: usize| SavedQuestion {
            name: format!("q{number}"),
            sql: "SELECT 1".to_owned(),
            by_margin: false,
            accuracy: "0.1".to_owned(),
            purpose: String::new(),
            at_ms: 0,
        };
        for number in 0..QUESTIONS_MAX {
            lab.service.save_question("ada", &question(number)).expect("there is room");
        }
        assert_eq!(lab.service.save_question("ada", &question(QUESTIONS_MAX)), Err(SavingFault::Full));
        assert_eq!(lab.service.save_question("ada", &question(3)), Ok(()), "one that is there may change");
        assert_eq!(lab.head(), head, "the ledger's chain knows nothing of it");
    });
}

/// Whatever is chosen from the lists becomes SQL that has a price, and nothing that is typed ends a literal.
#[test]
fn what_is_chosen_from_lists_can_be_asked() {
    block_on(async {
        let lab = lab();
        let browser = Browser::new(&lab, &lab.researcher).await;
        let form = read(&browser, &lab, "/ask/build?table=visits").await;
        let options = |field: &str| {
            let (_, list) = form.split_once(&format!("name=\"{field}\"")).expect("a list");
            let (list, _) = list.split_once("</select>").expect("its end");
            let values = list.split("value=\"").skip(1).filter_map(|rest| rest.split('"').next());
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        let (whats, numbers, keys) = (options("what"), options("of"), options("by"));
        assert!(whats.len() == 6 && !numbers.is_empty() && keys.len() > 5, "{whats:?} {numbers:?} {keys:?}");
        let mut seen = BTreeSet::new();
        for (place, what) in whats.iter().cycle().take(keys.len() * 2).enumerate() {
            let (of, by) = (&numbers[place % numbers.len()], &keys[place % keys.len()]);
            let filter =
                ["", "&is-region=north&is-smoker=false", "&from-age=20&to-age=60&from-visited=2024-03-01"][place % 3];
            let sent = format!("/ask/build?table=visits&what={what}&of={of}&by={by}{filter}&do=write");
            let reply = browser.get(&lab, &sent).await;
            assert_eq!(reply.status, StatusCode::SEE_OTHER, "{sent}: {}", text(&reply));
            let place = reply.headers["location"].to_str().expect("text").to_owned();
            let (_, sql) =
                form_urlencoded::parse(place.split_once('?').expect("a question").1.as_bytes()).next().expect("it");
            let quote = json!({"sql": sql, "epsilon": "0.1"}).to_string();
            let quoted = call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], quote).await;
            assert_eq!(quoted.status, StatusCode::OK, "{sql}: {}", text(&quoted));
            seen.insert(sql.into_owned());
        }
        assert!(seen.len() > keys.len(), "{} different questions", seen.len());
        for (filter, words) in [
            ("from-age=1)%20OR%20(1=1", "age: write a number"),
            ("from-age=1e9", "age: write a number"),
            ("to-visited=2024-13-01", "visited: write a day"),
        ] {
            let page = read(&browser, &lab, &format!("/ask/build?table=visits&{filter}&do=write")).await;
            assert!(page.contains(words), "{filter}: {page}");
        }
        let reply = browser.get(&lab, "/ask/build?table=visits&is-region=north'%20OR%20'1&do=write").await;
        assert_eq!(reply.headers["location"], "/ask?sql=SELECT+COUNT%28*%29+AS+n%0AFROM+visits", "it is no region");
    });
}

/// The editor is told names and values of the policy, and no number of any data.
#[test]
fn the_editor_completes_what_is_public() {
    block_on(async {
        let lab = lab();
        let browser = Browser::new(&lab, &lab.researcher).await;
        let words = browser.get(&lab, "/ask/words").await;
        assert_eq!(words.headers["content-type"], "application/json");
        let words = words.json();
        let tables = words["tables"].as_array().expect("tables");
        assert_eq!(tables[0]["name"], "visits");
        let columns = tables[0]["columns"].as_array().expect("columns");
        let column = |name: &str| columns.iter().find(|column| column["name"] == name).expect("a column").clone();
        assert!(column("region")["values"].as_array().expect("values").contains(&json!("north")));
        assert_eq!((column("age")["values"].clone(), column("patient_id")["type"].clone()), (json!([]), json!("unit")));
        for function in words["functions"].as_array().expect("functions") {
            assert!(function[0].as_str().is_some_and(|name| !name.is_empty()));
        }
    });
}

/// Files that pages load are compressed for browsers that read it, and are the same bytes when unpacked.
#[test]
fn files_are_sent_compressed() {
    block_on(async {
        let lab = lab();
        let get = async |name: &str, headers: &[(&str, &str)]| {
            call(&lab.router, Method::GET, &format!("/assets/{name}"), None, headers, String::new()).await
        };
        for asset in assets::ALL {
            let plain = get(asset.name, &[]).await;
            assert!(plain.bytes == asset.bytes && !plain.headers.contains_key("content-encoding"), "{}", asset.name);
            let packed = get(asset.name, &[("accept-encoding", "br, gzip")]).await;
            assert_eq!(packed.headers["vary"], "accept-encoding");
            if packed.headers.contains_key("content-encoding") {
                let mut unpacked = Vec::new();
                flate2::read::GzDecoder::new(&packed.bytes[..]).read_to_end(&mut unpacked).expect("gzip");
                assert!(unpacked == asset.bytes && packed.bytes.len() < asset.bytes.len(), "{}", asset.name);
            }
            assert_eq!(packed.headers.contains_key("content-encoding"), asset.bytes.len() >= 1_000, "{}", asset.name);
            let refused = get(asset.name, &[("accept-encoding", "gzip;q=0")]).await;
            assert!(refused.bytes == asset.bytes, "{}", asset.name);
        }
    });
}
