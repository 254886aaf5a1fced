//! The way through the console: where a form leads, where signing in leads, whose words a page shows, and in which frame.

use axum::http::{Method, StatusCode};

use crate::console::{Browser, encoded, followed, lab, place, send, text};
use crate::support::{block_on, call};

/// No page that a form leads to is one that would be sent again: not a price, and not an answer that is free. None of them pays.
#[test]
fn prices_and_free_answers_have_addresses() {
    block_on(async {
        let lab = lab();
        let browser = Browser::new(&lab, &lab.researcher).await;
        let head = lab.head();
        let fields = |act: &'static str, sql: &'static str| {
            [("sql", sql), ("by", "margin"), ("margin", "300"), ("epsilon", "0.1"), ("purpose", "a & b"), ("do", act)]
        };
        const KEYS: &str = "SELECT region FROM visits GROUP BY region";
        let keys = followed(&browser, &lab, &browser.post(&lab, "/ask", &fields("pay", KEYS)).await).await;
        assert!(text(&keys).contains("It is public, so it cost nothing"), "{}", text(&keys));
        let priced = browser.post(&lab, "/ask", &fields("price", "SELECT COUNT(*) AS n FROM visits")).await;
        let page = text(&followed(&browser, &lab, &priced).await);
        assert!(page.contains("± 300") && page.contains("value=\"a &amp; b\""), "{page}");
        // An address asks for what is free, and never pays.
        let paid = place(&priced).replace("show=price", "show=answer");
        let page = text(&browser.get(&lab, &paid).await);
        assert!(page.contains("Pay and answer") && page.contains("± 300"), "{page}");
        let long = format!("SELECT COUNT(*) AS n FROM visits WHERE {}", ["age > 1"; 1_000].join(" OR "));
        let sent = [("sql", long.as_str()), ("by", "epsilon"), ("epsilon", "0.1"), ("do", "price")];
        let reply = browser.post(&lab, "/ask", &sent).await;
        assert_eq!(reply.status, StatusCode::OK, "what no address holds is answered by the form");
        assert_eq!(lab.head(), head);
    });
}

/// The answer that a colleague drew is shown in the words of whoever asks, in the history, at home, in the ledger and on its page.
#[test]
fn everybody_sees_the_words_of_their_own_question() {
    block_on(async {
        let lab = lab();
        let bob = lab.act("/v1/researchers", &serde_json::json!({"name": "bob"})).await.json();
        let bob = bob["token"].as_str().expect("a token").to_owned();
        assert_eq!(lab.grant("bob", "visits", "1").await.status, StatusCode::OK);
        let (ada, steward) = (Browser::new(&lab, &lab.researcher).await, Browser::new(&lab, &lab.steward).await);
        let bob_at = Browser::new(&lab, &bob).await;
        lab.sql("SELECT region, COUNT(*) AS visits_of_ada FROM visits GROUP BY region", "0.2").await;
        let asked = serde_json::json!({
            "sql": "SELECT region, COUNT(*) AS seen_by_bob FROM visits GROUP BY region ORDER BY region LIMIT 2", "epsilon": "0.2"
        });
        let reply = call(&lab.router, Method::POST, "/v1/queries", Some(&bob), &[], asked.to_string()).await;
        assert_eq!(reply.json()["replayed"], true, "{}", text(&reply));
        for path in ["/", "/history", "/history?find=seen_by_bob"] {
            let page = text(&bob_at.get(&lab, path).await);
            assert!(page.contains("seen_by_bob") && !page.contains("visits_of_ada"), "{path}: {page}");
            let page = text(&ada.get(&lab, path).await);
            assert!(!page.contains("AS seen_by_bob"), "{path}: {page}");
        }
        assert!(text(&bob_at.get(&lab, "/history?find=visits_of_ada").await).contains("None of the answers"));
        let ledger = text(&steward.get(&lab, "/ledger?person=bob").await);
        assert!(ledger.contains("given to bob: SELECT region, COUNT(*) AS seen_by_bob"), "{ledger}");
        let history = text(&bob_at.get(&lab, "/history").await);
        let (_, rest) = history.split_once("class=\"question\" href=\"").expect("a link");
        let address = rest.split('"').next().expect("an address").replace("&amp;", "&");
        let page = text(&bob_at.get(&lab, &address).await);
        let (own, first) = page.split_once("as it was first drawn").expect("the files say what they hold");
        assert!(own.contains("seen_by_bob") && !own.contains("visits_of_ada"), "{page}");
        assert!(first.contains("visits_of_ada"), "{page}");
        assert_eq!(own.matches("<th scope=\"row\">").count(), 2, "as many rows as were asked for: {page}");
        // The entry is bob's: to others, and under another answer, it says nothing.
        let page = text(&ada.get(&lab, &address).await);
        assert!(page.contains("visits_of_ada") && !page.contains("seen_by_bob"), "{page}");
        for seq in ["0", "1", "18446744073709551615"] {
            let (path, _) = address.split_once('?').expect("a number");
            let page = bob_at.get(&lab, &format!("{path}?asked={seq}")).await;
            assert_eq!(page.status, StatusCode::OK, "{seq}");
            assert!(!text(&page).contains("seen_by_bob"), "{seq}");
        }
        lab.verified();
    });
}

/// Signing in leads to the page that was asked for, and to no other site.
#[test]
fn signing_in_goes_on_to_what_was_asked_for() {
    block_on(async {
        let lab = lab();
        let get = async |path: &str| call(&lab.router, Method::GET, path, None, &[], String::new()).await;
        let asked = place(&get("/history?find=a%20b&dataset=visits").await);
        assert_eq!(asked, "/sign-in?next=%2Fhistory%3Ffind%3Da%2520b%26dataset%3Dvisits");
        let page = text(&get(&asked).await);
        let field = "name=\"next\" value=\"/history?find=a%20b&amp;dataset=visits\"";
        assert!(page.contains(field) && page.contains("you go on to the page"), "{page}");
        let next = "/history?find=a%20b&dataset=visits";
        let wrong = send(&lab, "/sign-in", &[], &[("token", "tct_00"), ("next", next)]).await;
        assert!(wrong.status == StatusCode::UNAUTHORIZED && text(&wrong).contains(field), "{}", text(&wrong));
        assert!(!text(&wrong).contains("tct_00"), "a token never comes back");
        let signed = send(&lab, "/sign-in", &[], &[("token", &lab.researcher), ("next", next)]).await;
        assert_eq!(place(&signed), next);
        for elsewhere in
            ["//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "/sign-out", ""]
        {
            let page = text(&get(&format!("/sign-in?{}", encoded(&[("next", elsewhere)]))).await);
            assert!(!page.contains("name=\"next\"") && !page.contains("evil"), "{elsewhere}: {page}");
            let signed = send(&lab, "/sign-in", &[], &[("token", &lab.researcher), ("next", elsewhere)]).await;
            assert_eq!(place(&signed), "/", "{elsewhere}");
        }
        let browser = Browser::new(&lab, &lab.researcher).await;
        let again = browser.get(&lab, "/sign-in?next=%2Fask").await;
        assert_eq!(place(&again), "/ask", "whoever has a session need not sign in again");
        // A form that is sent after the session's end says so, and leads back to its page; a script is led there, too.
        let sent = send(&lab, "/people/eve/tokens", &[], &[("token_name", "laptop")]).await;
        assert_eq!(place(&sent), "/sign-in?ended=form&next=%2Fpeople%2Feve");
        let page = text(&get(&place(&sent)).await);
        assert!(page.contains("Your session had ended when you sent the form, so nothing was changed."), "{page}");
        let part = send(&lab, "/ask/price", &[("hx-request", "true")], &[("sql", "SELECT 1")]).await;
        assert_eq!(part.headers["hx-redirect"], "/sign-in?ended=form&next=%2Fask");
        assert!(part.bytes.is_empty() && part.headers.get("location").is_none());
    });
}

/// The page of a statistic has the menu of who is signed in, the way to the gallery for everybody else, and nothing within other pages.
#[test]
fn a_statistic_stands_in_the_frame_of_its_reader() {
    block_on(async {
        let lab = lab();
        lab.service.refresh_due().await;
        let get = async |headers: &[(&str, &str)]| {
            call(&lab.router, Method::GET, "/s/regions", None, headers, String::new()).await
        };
        let public = get(&[]).await;
        let page = text(&public);
        assert!(page.contains("href=\"/statistics\" target=\"_top\"") && page.contains("north"), "{page}");
        assert!(!page.contains("<form") && !page.contains("<script"), "caches keep it: {page}");
        let within = get(&[("sec-fetch-dest", "iframe")]).await;
        let bare = text(&within);
        assert!(bare.contains("north") && !bare.contains("<nav") && !bare.contains("/sign-in"), "{bare}");
        assert_ne!(public.headers["etag"], within.headers["etag"]);
        for reply in [&public, &within] {
            assert!(reply.headers["vary"].to_str().is_ok_and(|vary| vary.contains("sec-fetch-dest")));
            let held = [("if-none-match", reply.headers["etag"].to_str().expect("text"))];
            let dest = if std::ptr::eq(reply, &within) { "iframe" } else { "document" };
            assert_eq!(get(&[held[0], ("sec-fetch-dest", dest)]).await.status, StatusCode::NOT_MODIFIED);
        }
        let steward = Browser::new(&lab, &lab.steward).await;
        let own = steward.get(&lab, "/s/regions").await;
        assert_eq!(own.headers["cache-control"], "no-store");
        assert!(text(&own).contains("href=\"/ledger\"") && text(&own).contains("north"), "{}", text(&own));
    });
}
