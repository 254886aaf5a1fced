//! The size limit of an answer as it is shown: larger ones are refused before the charge, whatever they would have cost.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::vault::noise::OpenDp;
use tacit::service::publishing::schedule::CalendarZone;

use crate::support::{GAUSSIAN, Lab, Reply, block_on, call, policy, query_files, visits};
use crate::worst;

/// 300 groups times 300, with so many columns of each kind.
fn crossed(keys: usize, counts: usize) -> String {
    let keys = (0..keys).map(|at| format!("fixed AS f{at}"));
    let counts = (0..counts).map(|at| format!("COUNT(*) AS c{at}"));
    let items: Vec<String> = ["fixed".to_owned(), "half".to_owned()].into_iter().chain(keys).chain(counts).collect();
    format!("SELECT {} FROM visits GROUP BY fixed, half", items.join(", "))
}

fn lab() -> Lab {
    Lab::new(&worst::policy(GAUSSIAN), &worst::csv(), Arc::new(OpenDp), "4")
}

async fn post(lab: &Lab, path: &str, body: &Value) -> Reply {
    call(&lab.router, Method::POST, path, Some(&lab.researcher), &[], body.to_string()).await
}

#[test]
fn an_answer_of_too_many_shown_cells_is_refused_before_its_charge() {
    block_on(async {
        let lab = lab();
        let (head, accounts) = (lab.head(), lab.get("/v1/accounts", &lab.steward).await.json());
        // 90,000 rows of 2 keys and 120 counts, each with its two bounds: one noisy vector, and 32,580,000 cells.
        let sql = crossed(0, 120);
        for (path, sql) in [
            ("/v1/quotes", sql.clone()),
            ("/v1/queries", sql.clone()),
            ("/v1/queries", format!("EXPLAIN {sql}")),
            // Fewer rows are shown, but all of them are computed.
            ("/v1/queries", format!("{sql} HAVING COUNT(*) > 1000000 LIMIT 1")),
        ] {
            let reply = post(&lab, path, &json!({"sql": sql, "epsilon": "0.001"})).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "too-many-groups"), "{path}");
            let detail = reply.json()["detail"].as_str().expect("a detail").to_owned();
            for word in ["32580000", "90000 rows of 362 columns", "2000000"] {
                assert!(detail.contains(word), "{detail}");
            }
        }
        // A list of keys is free, but the limit applies to it, too.
        let reply = post(&lab, "/v1/queries", &json!({"sql": crossed(21, 0)})).await;
        assert_eq!(reply.code(), "too-many-groups");
        assert_eq!(lab.head(), head, "nothing was written");
        assert_eq!(lab.get("/v1/accounts", &lab.steward).await.json(), accounts, "nothing was charged");
    });
}

#[test]
fn an_answer_just_within_the_bound_is_quoted() {
    block_on(async {
        let lab = lab();
        let quote = async |sql: String| post(&lab, "/v1/quotes", &json!({"sql": sql, "epsilon": "0.001"})).await;
        // 22 columns of 90,000 rows are 1,980,000 cells, and 23 are 2,070,000.
        assert_eq!(quote(crossed(2, 6)).await.status, StatusCode::OK);
        assert_eq!(quote(crossed(3, 6)).await.code(), "too-many-groups");
        // With several groupings each estimate also has a column for its error.
        let sets = |counts: usize| crossed(0, counts).replace("BY fixed, half", "BY ROLLUP (fixed, half)");
        assert_eq!(quote(sets(5)).await.status, StatusCode::OK, "90,301 rows of 22 columns");
        assert_eq!(quote(sets(6)).await.code(), "too-many-groups", "and of 26");
    });
}

/// Groups without a public list count as many as the policy declares.
#[test]
fn groups_that_are_found_count_as_they_are_declared() {
    let listed = "type = \"category\"\nvalues = [\"asthma\", \"copd\", \"flu\"]\nnullable = true\n";
    let policy = policy(&format!("{GAUSSIAN}\nthreshold_delta = \"1e-10\""));
    assert!(policy.contains(listed));
    let policy = policy.replace(listed, "type = \"text\"\nmax_values = 99_998\nnullable = true\n");
    block_on(async {
        let lab = Lab::new(&policy, &visits(20), Arc::new(OpenDp), "4");
        for (counts, code) in [(6, ""), (7, "too-many-groups")] {
            let counts: Vec<_> = (0..counts).map(|at| format!("COUNT(DISTINCT patient_id) AS c{at}")).collect();
            let sql = format!("SELECT diagnosis, {} FROM visits GROUP BY diagnosis", counts.join(", "));
            let reply = post(&lab, "/v1/quotes", &json!({"sql": sql, "epsilon": "0.01"})).await;
            assert_eq!(reply.json()["code"].as_str().unwrap_or_default(), code, "{sql}");
        }
    });
}

#[test]
fn a_statistic_of_too_many_shown_cells_is_not_published() {
    let Lab { service, dir: _dir, router, .. } = lab();
    drop(router);
    let text = format!("-- title: Large\n-- dataset: visits\n-- epsilon: 0.001\n{}\n", crossed(0, 120));
    let Some(service) = Arc::into_inner(service) else { panic!("nobody else holds it") };
    let fault = service
        .publishing(query_files(&[("large", &text)]), CalendarZone::default())
        .err()
        .expect("a fault")
        .to_string();
    assert!(fault.contains("large") && fault.contains("32580000 cells"), "{fault}");
}
