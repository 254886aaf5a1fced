//! The console's routes: pages for people, over the same service as the API.
//!
//! Every page has its roles, every form carries a secret that only its own session knows, no page may load anything from
//! elsewhere or send anything there, and everything works without scripts.

mod answers;
mod ask;
mod builder;
mod ledger;
mod links;
mod budgets;
mod dashboards;
mod gallery;
mod history;
mod home;
mod manual;
mod people;
mod person;
mod places;
mod policy;
mod policy_fields;
mod public;
mod refused;
mod role;
mod saved;
mod sealings;
mod session;
mod shown;
mod tables;
mod transparency;
mod unread;
mod uploads;
mod words;
pub mod pages;

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use super::App;
use crate::kernel::budget::people::Role;

/// The roles of what everybody may use, signed in or not.
const EVERYBODY: &[Role] = &[];
const RESEARCHER: &[Role] = &[Role::Researcher];
const STEWARD: &[Role] = &[Role::Steward];

/// A page, or a form that a page sends.
pub struct PageRoute {
    /// The HTTP method: `GET` for a page, `POST` for a form.
    pub method: &'static str,
    /// The path, with its variable segments in braces.
    pub path: &'static str,
    /// The roles that may use it; an empty list means everybody.
    pub roles: &'static [Role],
    /// Makes the route to its handler.
    handler: fn() -> MethodRouter<App>,
}

const fn page(path: &'static str, roles: &'static [Role], handler: fn() -> MethodRouter<App>) -> PageRoute {
    PageRoute { method: "GET", path, roles, handler }
}

const fn form(path: &'static str, roles: &'static [Role], handler: fn() -> MethodRouter<App>) -> PageRoute {
    PageRoute { method: "POST", path, roles, handler }
}

/// Every page and every form. What is not in this list is not routed.
pub const PAGES: &[PageRoute] = &[
    page("/", EVERYBODY, || get(home::home)),
    page("/sign-in", EVERYBODY, || get(public::sign_in)),
    form("/sign-in", EVERYBODY, || post(session::sign_in)),
    form("/sign-out", Role::ALL, || post(session::sign_out)),
    page("/assets/{name}", EVERYBODY, || get(public::asset)),
    page("/s/{name}", EVERYBODY, || get(public::statistic)),
    page("/d/{name}", EVERYBODY, || get(dashboards::one)),
    page("/transparency", EVERYBODY, || get(transparency::all)),
    page("/transparency/{name}", EVERYBODY, || get(transparency::one)),
    page("/manual", EVERYBODY, || get(manual::all)),
    page("/manual/{topic}", EVERYBODY, || get(manual::one)),
    page("/statistics", EVERYBODY, || get(gallery::statistics)),
    page("/statistics/{name}/draw", STEWARD, || get(gallery::draw)),
    page("/statistics/{name}/link", Role::ALL, || get(links::to_statistic)),
    form("/statistics/{name}/link", Role::ALL, || post(links::statistic)),
    form("/statistics/{name}/publish", STEWARD, || post(gallery::publish)),
    form("/statistics/{name}/refresh", STEWARD, || post(gallery::refresh)),
    page("/datasets", Role::ALL, || get(public::datasets)),
    page("/datasets/{name}", Role::ALL, || get(public::dataset)),
    form("/datasets/{name}/freeze", STEWARD, || post(budgets::freeze)),
    form("/datasets/{name}/unfreeze", STEWARD, || post(budgets::unfreeze)),
    page("/policy", STEWARD, || get(policy::form)),
    form("/policy", STEWARD, || post(policy::check)),
    form("/policy/check", STEWARD, || post(policy::check_part)),
    page("/sealings", STEWARD, || get(sealings::list)),
    form("/sealings", STEWARD, || post(sealings::start)),
    page("/sealings/{id}", STEWARD, || get(sealings::one)),
    form("/sealings/{id}/cancel", STEWARD, || post(sealings::cancel)),
    form("/policy/forget", STEWARD, || post(policy::forget)),
    form("/policy/uploads", STEWARD, || post(uploads::upload)),
    form("/policy/uploads/{id}/remove", STEWARD, || post(uploads::remove)),
    page("/ask", RESEARCHER, || get(ask::form)),
    form("/ask", RESEARCHER, || post(ask::submit)),
    form("/ask/price", RESEARCHER, || post(ask::price)),
    form("/ask/level", RESEARCHER, || post(ask::level)),
    form("/ask/forget", RESEARCHER, || post(saved::forget)),
    page("/ask/build", RESEARCHER, || get(builder::build)),
    page("/ask/words", RESEARCHER, || get(words::words)),
    page("/history", RESEARCHER, || get(history::history)),
    page("/history/{id}", RESEARCHER, || get(history::moved)),
    page("/answers/{name}", &[Role::Researcher, Role::Steward], || get(answers::one)),
    page("/answers/{name}/link", &[Role::Researcher, Role::Steward], || get(links::to_answer)),
    form("/answers/{name}/link", &[Role::Researcher, Role::Steward], || post(links::answer)),
    page("/accounts", &[Role::Researcher, Role::Steward], || get(budgets::accounts)),
    form("/grants", STEWARD, || post(budgets::grant)),
    page("/what-if", STEWARD, || get(budgets::what_if)),
    page("/requests", STEWARD, || get(budgets::requests)),
    form("/requests", RESEARCHER, || post(budgets::request)),
    form("/requests/{number}/decide", STEWARD, || post(budgets::decide)),
    page("/people", STEWARD, || get(people::list)),
    form("/people", STEWARD, || post(people::add)),
    page("/people/{name}", STEWARD, || get(person::one)),
    page("/people/{name}/role", STEWARD, || get(role::one)),
    form("/people/{name}/role", STEWARD, || post(role::set)),
    form("/people/{name}/tokens", STEWARD, || post(person::issue)),
    form("/people/{name}/tokens/revoke", STEWARD, || post(person::revoke)),
    form("/people/{name}/revoke", STEWARD, || post(people::revoke)),
    form("/people/{name}/datasets", STEWARD, || post(people::set_datasets)),
    page("/ledger", STEWARD, || get(ledger::ledger)),
    page("/ledger/export.csv", STEWARD, || get(ledger::csv)),
    page("/ledger/export.jsonl", STEWARD, || get(ledger::json)),
];

fn routed(is_included: impl Fn(&PageRoute) -> bool) -> Router<App> {
    let included = PAGES.iter().filter(|page| is_included(page));
    included.fold(Router::new(), |router, page| router.route(page.path, (page.handler)()))
}

/// The routes of those [`PAGES`] that need a person. Their responses are padded.
pub fn routes() -> Router<App> {
    routed(|page| !page.roles.is_empty())
}

/// The routes of those [`PAGES`] that everybody may use.
pub fn open_routes() -> Router<App> {
    routed(|page| page.roles.is_empty())
}
