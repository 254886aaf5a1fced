//! Many at once: never one charge too many, never two for one key.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::vault::noise::OpenDp;

use crate::support::{Lab, Reply, block_on, call, policy, visits};

async fn all(lab: &Lab, requests: Vec<(String, Option<String>)>) -> Vec<Reply> {
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|(body, key)| {
            let (router, token) = (lab.router.clone(), lab.researcher.clone());
            tokio::spawn(async move {
                let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
                call(&router, Method::POST, "/v1/queries", Some(&token), &headers, body).await
            })
        })
        .collect();
    let mut replies = Vec::new();
    for task in tasks {
        replies.push(task.await.expect("a reply"));
    }
    replies
}

fn question(number: usize) -> String {
    let sql = format!("SELECT COUNT(*) FROM visits WHERE cost >= {}.{:02}", number / 100, number % 100);
    json!({"sql": sql, "epsilon": "0.01"}).to_string()
}

#[test]
fn the_last_hundred_charges_are_a_hundred() {
    let cap = "accountant = \"pure\"\ncap = { epsilon = \"1\" }";
    let lab = Lab::new(&policy(cap), &visits(50), Arc::new(OpenDp), "1");
    let replies = block_on(all(&lab, (0..1_000).map(|number| (question(number), None)).collect()));
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(StatusCode::OK), count(StatusCode::FORBIDDEN)), (100, 900));
    let refused = replies.iter().filter(|reply| reply.status == StatusCode::FORBIDDEN);
    assert!(refused.clone().all(|reply| reply.code() == "budget-exhausted"));
    let (account, (whole, cells)) = read(lab.service.ledger(), |book| {
        let whole = book.dataset("visits").expect("a dataset");
        let ada = book.researcher("visits", "ada").expect("an account");
        (ada.clone(), (book.account(whole.account).clone(), whole.cells))
    });
    assert_eq!((account.spent, whole.spent), (account.amount, whole.amount), "spent to the unit");
    assert_eq!(cells, 100);
}

#[test]
fn a_thousand_requests_under_one_key_are_one_charge_and_one_body() {
    let lab = Lab::gaussian();
    let requests = vec![(question(7), Some("one".to_owned())); 1_000];
    let replies = block_on(all(&lab, requests));
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK && reply.bytes == replies[0].bytes));
    let charges = read(lab.service.ledger(), |book| book.releases().len());
    assert_eq!(charges, 1);
}

#[test]
fn equal_questions_at_once_without_a_key_are_one_charge() {
    let lab = Lab::gaussian();
    let replies = block_on(all(&lab, vec![(question(9), None); 50]));
    let fresh = replies.iter().filter(|reply| reply.json()["replayed"] == false).count();
    assert_eq!(fresh, 1, "one draw, and forty-nine replays of it");
    assert!(replies.iter().all(|reply| reply.json()["rows"] == replies[0].json()["rows"]));
}
