//! What people name as the most that they pay, and the HTTP door of the simulated hospital.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::json;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};

use super::{RESEARCHERS, World};
use crate::support::call;

impl World {
    /// Tells the oracle what somebody names as the most that they pay for the question that they ask next.
    pub(super) fn name(&mut self, who: usize, ask: &Ask) {
        if let Some(RequestedAccuracy::Epsilon(epsilon)) = &ask.accuracy {
            let named = self.policy.terms.accountant.price(*epsilon).quanta();
            let may_return = self.disk.lock().has_ghost();
            self.oracle.name(RESEARCHERS[who], named, may_return);
        }
    }

    /// Asks through the HTTP door; nothing is charged above what was named, whatever the answer shows.
    pub(super) async fn ask_over_http(&mut self, who: usize, ask: &Ask) {
        self.name(who, ask);
        let Some(RequestedAccuracy::Epsilon(epsilon)) = &ask.accuracy else { return };
        let mut body = json!({"sql": ask.sql, "epsilon": epsilon.to_string()});
        if let Some(rows) = ask.rows_per_unit {
            body["rows_per_unit"] = rows.into();
        }
        let service = &self.service;
        let settings = tacit::http::Settings::default;
        let router = self.router.get_or_insert_with(|| tacit::http::router(Arc::clone(service), settings()));
        let token = Some(self.tokens[who].as_str());
        let reply = call(router, Method::POST, "/v1/queries", token, &[], body.to_string()).await;
        self.oracle.look(&self.disk.lock());
        match reply.status {
            StatusCode::OK => {
                let shown = reply.json();
                let release = shown["release"].as_str().expect("an id");
                assert!(self.oracle.released.contains(release), "what is answered is on disk");
                let charged = shown["price"]["epsilon"].as_str().and_then(|text| Epsilon::parse_total(text).ok());
                assert!(charged.expect("an ε") <= *epsilon, "no door charges more than was named: {shown}");
            }
            StatusCode::FORBIDDEN | StatusCode::SERVICE_UNAVAILABLE | StatusCode::INTERNAL_SERVER_ERROR => {}
            other => panic!("{other}: {}", reply.json()),
        }
    }
}
