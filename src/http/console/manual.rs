//! The manual's pages, for everybody.

use axum::extract::State;
use axum::response::Response;

use super::pages::manual as pages;
use super::shown::{Shown, aside};
use crate::http::App;
use crate::http::params::Segment;
use crate::http::problem::Problem;
use crate::http::visitor::Visitor;
use crate::manual::{TOPICS, Topic};

/// GET /manual: the list of topics.
pub async fn all(visitor: Visitor) -> Response {
    visitor.page("Manual", "/manual", &pages::list())
}

/// GET /manual/{topic}: one topic.
pub async fn one(State(service): State<App>, visitor: Visitor, Segment(name): Segment) -> Shown {
    let Some(topic) = Topic::find(&name) else {
        let names: Vec<_> = TOPICS.iter().map(|topic| topic.name).collect();
        let detail = format!("the manual has no such topic; it has {}", names.join(", "));
        return Err(visitor.fail(Problem::not_found(detail)));
    };
    aside(&service, visitor, move |_, visitor| Ok(visitor.page(topic.title(), "/manual", &pages::one(&topic)))).await
}
