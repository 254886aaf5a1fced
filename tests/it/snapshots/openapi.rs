//! The OpenAPI document.

use serde_json::Value;

use super::held;
use crate::pinned::{END_MS, opened};
use crate::support::block_on;

#[test]
fn the_openapi_document_is_as_it_was() {
    let (_dir, scene) = opened(END_MS);
    let reply = block_on(scene.get("vic", "/openapi.json"));
    let document: Value = serde_json::from_slice(&reply.bytes).expect("JSON");
    held("openapi", &format!("{document:#}"));
}
