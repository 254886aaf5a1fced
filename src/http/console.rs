//! The console's routes: pages for people, over the same service as the API.
//!
//! Every page has its roles, every form carries a secret that only its own session knows, no page may load anything from
//! elsewhere or send anything there, and everything works without scripts.

mod ask;
mod ledger;
mod budgets;
mod gallery;
mod manual;
mod people;
mod public;
mod session;
mod shown;
mod transparency;
pub mod pages;

use axum::Router;
use axum::routing::{get, post};

use super::App;
use crate::kernel::budget::people::Role;

/// Every page and every form, with the roles that may use it; an empty list means everybody.
pub const PAGES: [(&str, &str, &[Role]); 36] = [
    ("GET", "/", &[]),
    ("GET", "/sign-in", &[]),
    ("POST", "/sign-in", &[]),
    ("POST", "/sign-out", Role::ALL),
    ("GET", "/assets/{name}", &[]),
    ("GET", "/s/{name}", &[]),
    ("GET", "/transparency", &[]),
    ("GET", "/transparency/{name}", &[]),
    ("GET", "/manual", &[]),
    ("GET", "/manual/{topic}", &[]),
    ("GET", "/statistics", &[]),
    ("GET", "/statistics/{name}/draw", &[Role::Steward]),
    ("POST", "/statistics/{name}/publish", &[Role::Steward]),
    ("POST", "/statistics/{name}/refresh", &[Role::Steward]),
    ("GET", "/datasets", Role::ALL),
    ("GET", "/datasets/{name}", Role::ALL),
    ("POST", "/datasets/{name}/freeze", &[Role::Steward]),
    ("POST", "/datasets/{name}/unfreeze", &[Role::Steward]),
    ("GET", "/ask", &[Role::Researcher]),
    ("POST", "/ask", &[Role::Researcher]),
    ("POST", "/ask/price", &[Role::Researcher]),
    ("POST", "/ask/level", &[Role::Researcher]),
    ("GET", "/history", &[Role::Researcher]),
    ("GET", "/history/{id}", &[Role::Researcher]),
    ("GET", "/accounts", &[Role::Researcher, Role::Steward]),
    ("POST", "/grants", &[Role::Steward]),
    ("GET", "/what-if", &[Role::Steward]),
    ("GET", "/requests", &[Role::Steward]),
    ("POST", "/requests", &[Role::Researcher]),
    ("POST", "/requests/{number}/decide", &[Role::Steward]),
    ("GET", "/people", &[Role::Steward]),
    ("POST", "/people", &[Role::Steward]),
    ("POST", "/people/{name}/revoke", &[Role::Steward]),
    ("POST", "/people/{name}/datasets", &[Role::Steward]),
    ("GET", "/ledger", &[Role::Steward]),
    ("GET", "/ledger/export.jsonl", &[Role::Steward]),
];

/// The routes of those [`PAGES`] that need a person. Their responses are padded.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-out", post(session::sign_out))
        .route("/statistics/{name}/draw", get(gallery::draw))
        .route("/statistics/{name}/publish", post(gallery::publish))
        .route("/statistics/{name}/refresh", post(gallery::refresh))
        .route("/datasets", get(crate::http::console::public::datasets))
        .route("/datasets/{name}", get(crate::http::console::public::dataset))
        .route("/datasets/{name}/freeze", post(budgets::freeze))
        .route("/datasets/{name}/unfreeze", post(budgets::unfreeze))
        .route("/ask", get(crate::http::console::ask::form).post(crate::http::console::ask::submit))
        .route("/ask/price", post(crate::http::console::ask::price))
        .route("/ask/level", post(crate::http::console::ask::level))
        .route("/history", get(crate::http::console::ask::history))
        .route("/history/{id}", get(crate::http::console::ask::answer))
        .route("/accounts", get(budgets::accounts))
        .route("/grants", post(budgets::grant))
        .route("/what-if", get(budgets::what_if))
        .route("/requests", get(budgets::requests).post(budgets::request))
        .route("/requests/{number}/decide", post(budgets::decide))
        .route("/people", get(people::list).post(people::add))
        .route("/people/{name}/revoke", post(people::revoke))
        .route("/people/{name}/datasets", post(people::set_datasets))
        .route("/ledger", get(crate::http::console::ledger::ledger))
        .route("/ledger/export.jsonl", get(crate::http::console::ledger::export))
}

/// The routes of those [`PAGES`] that everybody may use.
pub fn open_routes() -> Router<App> {
    Router::new()
        .route("/", get(crate::http::console::public::home))
        .route("/sign-in", get(crate::http::console::public::sign_in).post(session::sign_in))
        .route("/assets/{name}", get(crate::http::console::public::asset))
        .route("/s/{name}", get(crate::http::console::public::statistic))
        .route("/transparency", get(transparency::all))
        .route("/transparency/{name}", get(transparency::one))
        .route("/manual", get(manual::all))
        .route("/manual/{topic}", get(manual::one))
        .route("/statistics", get(gallery::statistics))
}
