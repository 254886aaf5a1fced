//! The schema of a query file's headers, `-- name: value`, each as a text.
//!
//! Promises the headers of `crate::query::file`, and no other.

use serde_json::{Value, json};

use super::{IDENTIFIER, decimal, document, matching, object, one_of, text};
use crate::query::file::{Refresh, Shape};

pub(super) fn schema() -> Value {
    let properties = json!({
        "title": text("for people"),
        "description": text("more for people"),
        "dataset": matching("the dataset, for readers that do not parse SQL", IDENTIFIER),
        "margin": decimal("95 % half-width of counts and sums"),
        "epsilon": decimal("or the epsilon to spend, above 0 and at most 100"),
        "refresh": one_of("how often it is drawn anew; never where nothing is said", &Refresh::ALL.map(Refresh::name)),
        "public": one_of("whether it is shown without a token; false where nothing is said", &["true", "false"]),
        "chart": one_of("how it is shown; as a table where nothing is said", &Shape::ALL.map(Shape::name)),
        "unit": text("the unit of its numbers")
    });
    let mut headers = object("headers of a query file, each once", properties, &["title"]);
    headers["oneOf"] = json!([{"required": ["margin"]}, {"required": ["epsilon"]}]);
    document("query", "headers of a query file", headers)
}
