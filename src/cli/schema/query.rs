//! The schema of a query file's headers, `-- name: value`, each as a text.
//!
//! It has exactly the headers of `crate::query::file`.

use serde_json::{Value, json};

use super::parts::{decimal, document, matching, object, one_of, text};
use crate::query::file::{Presentation, Refresh};
use crate::query::terms::policy::IDENTIFIER_PATTERN;

pub(super) fn schema() -> Value {
    let properties = json!({
        "title": text("a title for people to read"),
        "description": text("a longer description for readers"),
        "dataset": matching("the dataset, for readers that do not parse SQL", IDENTIFIER_PATTERN),
        "margin": decimal("the 95 % half-width of counts and sums"),
        "epsilon": decimal("the epsilon to spend instead of a margin, above 0 and at most 100"),
        "refresh": one_of("how often it is drawn anew; by default never", Refresh::ALL),
        "public": one_of("whether it is shown without a token; by default false", &["true", "false"]),
        "chart": one_of("how it is shown; by default as a table", Presentation::ALL),
        "unit": text("what its numbers are measured in")
    });
    let mut headers = object("headers of a query file, each once", properties, &["title"]);
    headers["oneOf"] = json!([{"required": ["margin"]}, {"required": ["epsilon"]}]);
    document("query", "headers of a query file", headers)
}
