//! Completes the OpenAPI document with responses that every route can give.
//!
//! Promises that problems are documented with their media type, `application/problem+json`, under every route that can refuse a token.

use serde_json::{Map, Value, json};

const PROBLEM: &str = "application/problem+json";

/// Adds refusals and failures to every route below `/v1` and to `/metrics`, and gives problems their media type.
pub(crate) fn completed(mut document: Value) -> Value {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (_, methods) in paths.into_iter().flatten().filter(|(path, _)| path.starts_with("/v1/") || *path == "/metrics")
    {
        for (_, operation) in methods.as_object_mut().into_iter().flatten() {
            if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
                complete(responses);
            }
        }
    }
    document
}

fn complete(responses: &mut Map<String, Value>) {
    for (status, response) in responses.iter_mut().filter(|(status, _)| !status.starts_with('2')) {
        let is_empty = status == "304";
        if let Some(response) = response.as_object_mut().filter(|_| !is_empty) {
            response.insert("content".to_owned(), content());
        }
    }
    for (status, description) in [("4XX", "Refused; nothing is charged"), ("5XX", "The server could not answer")] {
        responses.entry(status).or_insert_with(|| json!({"description": description, "content": content()}));
    }
}

fn content() -> Value {
    json!({PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}})
}
