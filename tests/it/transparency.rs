//! The page for patients is correct, and says nothing on behalf of an operator who has said nothing.

use std::sync::Arc;

use axum::http::Method;
use serde_json::json;
use tacit::config::Operator;
use tacit::http::Settings;
use tacit::kernel::privacy::accountant::Accountant;
use tacit::kernel::privacy::amounts::{Delta, Epsilon};
use tacit::kernel::vault::noise::OpenDp;

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, block_on, call, policy, repository_file, visits};

async fn page_of(router: &axum::Router, path: &str) -> String {
    let reply = call(router, Method::GET, path, None, &[], String::new()).await;
    assert_eq!(reply.status, 200, "{path}");
    let text = String::from_utf8(reply.bytes).expect("text");
    // The text as people read it, without tags.
    let mut read = String::new();
    let mut is_tag = false;
    for letter in text.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => is_tag = false,
            other if !is_tag => read.push(other),
            _ => {}
        }
    }
    read.replace("&quot;", "\"").replace("&amp;", "&")
}

async fn page(lab: &Lab, path: &str) -> String {
    page_of(&lab.router, path).await
}

/// The probabilities that the page states, in per cent: now, and at the cap.
fn chances(page: &str) -> [f64; 2] {
    let said = |before: &str| {
        let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
        let (number, _) = rest.split_once(" %").expect("per cent");
        number.parse().unwrap_or_else(|_| panic!("{number} is no number"))
    };
    [
        said("nobody's guess is right with a chance of more than "),
        said("once the whole budget is used up, of more than "),
    ]
}

fn budget(epsilon: &str, delta: &str) -> String {
    format!(
        "accountant = \"gaussian\"\ncap = {{ epsilon = \"{epsilon}\", delta = \"{delta}\" }}\nmax_epsilon_per_query = \"{epsilon}\""
    )
}

fn lab(budget: &str, allocation: &str) -> Lab {
    Lab::new(&policy(budget), &visits(40), Arc::new(OpenDp), allocation)
}

/// Φ from its series, for these tests only.
fn normal(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= x * x / f64::from(2 * n + 1);
        sum += term;
    }
    0.5 + sum * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// What is stated at each cap is Φ(μ/2), rounded up.
#[test]
fn the_best_guess_is_told_and_never_less_than_it_is() {
    for (epsilon, delta, mu, told) in [
        ("1", "1e-6", 0.236_70, "54.72 %"),
        ("4", "1e-9", 0.672_13, "63.16 %"),
        ("8", "1e-6", 1.531_55, "77.81 %"),
        ("1", "0.01", 0.532_52, "60.5 %"),
    ] {
        block_on(async {
            let lab = lab(&budget(epsilon, delta), epsilon);
            let fresh = page(&lab, "/transparency/visits").await;
            let [now, at_cap] = chances(&fresh);
            assert_eq!(now, 50.0, "nothing is spent, and nothing can be guessed");
            assert!(fresh.contains(&format!("of more than {told}")), "({epsilon}, {delta}): {at_cap}");
            let truth = 100.0 * normal(mu / 2.0);
            assert!(at_cap > truth - 0.003 && at_cap < truth + 0.013, "({epsilon}, {delta}): {at_cap} and {truth}");
            for wrong in ["Except with a chance", "hospital", "ever.", ", ever.", "identify"] {
                assert!(!fresh.contains(wrong), "({epsilon}, {delta}) says {wrong}");
            }
        });
    }
}

/// What is spent is computed from the ledger's μ² and rounded up, and a fully spent cap states the same as the cap.
#[test]
fn what_is_spent_is_told_from_the_ledger() {
    block_on(async {
        let lab = lab(&budget("1", "1e-6"), "1");
        let accountant = Accountant::Gaussian { delta: Delta::parse("1e-6").expect("δ") };
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", "0.01").await.status, 200);
        let little = page(&lab, "/transparency/visits").await;
        let spent = accountant.price(Epsilon::parse("0.01").expect("ε"));
        let truth = 100.0 * normal((spent.quanta() as f64 * 1e-15).sqrt() / 2.0);
        let [now, _] = chances(&little);
        assert!(now >= truth && now < truth + 0.011, "{now} and {truth}");
        assert!(little.contains("0.1 % of the privacy budget is spent"), "a little is not nothing: {little}");
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits WHERE age > 40", "0.9").await.status, 200);
        let [now, at_cap] = chances(&page(&lab, "/transparency/visits").await);
        assert!(now > 54.0 && now <= at_cap && at_cap == 54.72, "{now} {at_cap}");
    });
    // For pure noise, e^ε/(1 + e^ε) is exact.
    block_on(async {
        let lab = Lab::new(&policy(&PURE.replace("100", "1").replace("50", "1")), &visits(40), Arc::new(NoNoise), "1");
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", "0.5").await.status, 200);
        let [now, at_cap] = chances(&page(&lab, "/transparency/visits").await);
        assert_eq!((now, at_cap), (62.25, 73.11));
    });
}

/// The δ set aside for unlisted texts is included, and is mentioned.
#[test]
fn thresholds_are_counted_in() {
    let budget = budget("1", "0.01") + "\nthreshold_delta = \"0.004\"";
    let text =
        policy(&budget) + "[[column]]\nname = \"drug\"\ntype = \"text\"\nmax_values = 100\nmax_groups_per_unit = 2\n";
    let csv: String = visits(40)
        .lines()
        .enumerate()
        .map(|(at, line)| if at == 0 { format!("{line},drug\n") } else { format!("{line},d{}\n", at % 3) })
        .collect();
    block_on(async {
        let lab = Lab::new(&text, &csv, Arc::new(OpenDp), "1");
        let accountant = Accountant::Gaussian { delta: Delta::parse("0.006").expect("δ") };
        let amount = accountant.cap(Epsilon::parse("1").expect("ε"));
        let truth = 100.0 * (normal((amount.quanta() as f64 * 1e-15).sqrt() / 2.0) + 0.004);
        let fresh = page(&lab, "/transparency/visits").await;
        let [now, at_cap] = chances(&fresh);
        assert!(now == 50.0 && at_cap >= truth && at_cap < truth + 0.011, "{at_cap} and {truth}");
        assert!(fresh.contains("is shown by name: it is at most 4e-3"), "{fresh}");
        let asked = lab.sql("SELECT drug, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY drug", "0.5").await;
        assert_eq!(asked.status, 200, "{}", asked.json());
        let [now, _] = chances(&page(&lab, "/transparency/visits").await);
        let without = 100.0 * accountant.best_guess(accountant.price(Epsilon::parse("0.5").expect("ε")), Delta::ZERO);
        assert!(now > without, "its delta is in it: {now} and {without}");
    });
}

fn operator() -> Operator {
    let text = |text: &str| Some(text.to_owned());
    Operator {
        name: "Data office <of> St. Mary's".to_owned(),
        contact: text("data@mary.example"),
        address: text("1 Main Street\nTown"),
        basis: text("Art. 9(2)(j) GDPR"),
        withdraw: text("Write to the data office; no reason is needed."),
    }
}

#[test]
fn an_operator_is_named_in_their_own_words_or_said_to_be_silent() {
    block_on(async {
        let lab = lab(GAUSSIAN, "1");
        let routed =
            |operator| tacit::http::router(Arc::clone(&lab.service), Settings { operator, ..Settings::default() });
        let silent = "The operator of this server has not said who they are.";
        for path in ["/transparency", "/transparency/visits"] {
            let page = page_of(&routed(None), path).await;
            assert!(page.contains(silent), "{page}");
            let page = page_of(&routed(Some(operator())), path).await;
            assert!(!page.contains("has not said"), "{page}");
            for said in
                ["Data office &lt;of&gt; St. Mary's", "data@mary.example", "1 Main StreetTown", "Art. 9(2)(j) GDPR"]
            {
                assert!(page.contains(said), "{said} is not in {page}");
            }
        }
        let page = page_of(&routed(Some(operator())), "/transparency/visits").await;
        assert!(page.contains("Write to the data office; no reason is needed."), "{page}");
        let least = Operator { contact: None, address: None, basis: None, withdraw: None, ..operator() };
        let page = page_of(&routed(Some(least)), "/transparency/visits").await;
        assert!(page.contains("Legal basisThe operator has not said."), "{page}");
        assert!(page.contains("The operator has not said how to be left out."), "{page}");
    });
}

#[test]
fn a_cap_that_was_raised_says_when() {
    block_on(async {
        let lab = lab(GAUSSIAN, "1");
        let before = page(&lab, "/transparency/visits").await;
        assert!(
            before.contains("It has not been raised so far.")
                && before.contains("unless the operator raises the budget")
        );
        for epsilon in ["5", "6.5"] {
            let grant = json!({"kind": "dataset", "dataset": "visits", "epsilon": epsilon, "reason": "secret reasons"});
            assert_eq!(lab.act("/v1/grants", &grant).await.status, 200);
        }
        let after = page(&lab, "/transparency/visits").await;
        for raise in ["on 2026-09-21 from epsilon 4 to epsilon 5", "on 2026-09-21 from epsilon 5 to epsilon 6.5"] {
            assert!(after.contains(raise), "{after}");
        }
        assert!(!after.contains("not been raised") && !after.contains("secret reasons"), "{after}");
        assert!(after.contains("it is 0 of 6.5"), "{after}");
        assert!(chances(&after)[1] > chances(&before)[1], "a higher cap allows better guesses");
        lab.verified();
    });
}

/// If rows are protected, the page does not claim that people are; and people with revoked tokens are not counted.
#[test]
fn the_words_follow_the_policy() {
    block_on(async {
        let by_row = policy(GAUSSIAN).replace("privacy_unit = \"patient_id\"", "privacy_unit = \"row\"");
        let by_row = by_row.replace("max_rows_per_unit = 4", "").replace("per_unit = true\n", "");
        let lab = Lab::new(&by_row, &visits(40), Arc::new(OpenDp), "1");
        let page_of_rows = page(&lab, "/transparency/visits").await;
        assert!(page_of_rows.contains("Each row is protected by itself."), "{page_of_rows}");
        assert!(page_of_rows.contains("if several rows are about you"), "{page_of_rows}");
        for wrong in ["patient", "each person", "every person"] {
            assert!(!page_of_rows.contains(wrong), "{wrong}: {page_of_rows}");
        }
        let lab = self::lab(GAUSSIAN, "1");
        let by_unit = page(&lab, "/transparency/visits").await;
        assert!(by_unit.contains("Of each patient_id at most 4 entries are used"), "{by_unit}");
        assert!(by_unit.contains("if you are in the data under several"), "{by_unit}");
        assert!(by_unit.contains("outside of any project: 1 researcher"), "{by_unit}");
        tacit::service::stewarding::people::revoke_token(lab.service.ledger(), "ada", "sam", 0).expect("revoked");
        let without = page(&lab, "/transparency/visits").await;
        assert!(without.contains("Nobody yet.") && !without.contains("1 researcher"), "{without}");
    });
}

/// Joined tables are listed among what is held.
#[test]
fn joined_tables_are_among_what_is_held() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("visits.csv"), visits(40)).expect("a source");
    let patients: String = (0..40).map(|patient| format!("p{patient},{}\n", 1950 + patient)).collect();
    std::fs::write(dir.path().join("patients.csv"), format!("patient_id,born\n{patients}")).expect("a source");
    let join = "[[join]]\nname = \"patients\"\nsource = \"patients.csv\"\n[[join.column]]\nname = \"born\"\ntype = \"integer\"\nmin = \"1900\"\nmax = \"2025\"\n";
    block_on(async {
        let lab = Lab::over(dir, &(policy(GAUSSIAN) + join), Arc::new(OpenDp), "1");
        let page = page(&lab, "/transparency/visits").await;
        assert!(
            page.contains("Of the table patients at most one entry of each")
                && page.contains("born integer: 1900 to 2025"),
            "{page}"
        );
    });
}

/// No page and no answer speaks for an operator, about a hospital, say, or about what will never happen.
#[test]
fn no_text_of_ours_says_what_an_operator_did_not() {
    for folder in ["src/render", "src/http/console"] {
        for (path, text) in crate::tidy::sources(folder) {
            let said = text.lines().filter(|line| line.contains('"') && !line.trim_start().starts_with("//"));
            for line in said {
                for word in ["hospital", "for ever,", "for ever.", ", ever.", "telling on", "every person", "identify"]
                {
                    assert!(!line.contains(word), "{}: {line}", path.display());
                }
            }
        }
    }
    let readme = repository_file("README.md");
    assert!(!readme.contains("hospital") && !readme.contains("without telling on anyone"));
}
