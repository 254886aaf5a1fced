//! The schema of a query file's headers, `-- name: value`, each as a text.
//!
//! It has exactly the headers of `crate::query::file`.

use serde_json::{Value, json};
use strum::VariantNames;

use crate::kernel::privacy::amounts::{DECIMAL_CHARS_MAX, DECIMAL_PATTERN};
use crate::query::file::{Presentation, Refresh};
use crate::query::terms::policy::IDENTIFIER_PATTERN;

pub(super) fn schema() -> Value {
    let text = |about: &str| json!({"description": about, "type": "string"});
    let decimal = |about: &str| json!({"description": about, "type": "string", "pattern": DECIMAL_PATTERN, "maxLength": DECIMAL_CHARS_MAX});
    let one_of = |about: &str, words: &[&str]| json!({"description": about, "type": "string", "enum": words});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:tacit:schema:query",
        "title": "headers of a query file",
        "description": "Headers of a query file, each once; means may stand several times.",
        "type": "object",
        "properties": {
            "title": text("A title for people to read."),
            "description": text("A longer description for readers."),
            "dataset": {"description": "The dataset, for readers that do not parse SQL.", "type": "string", "pattern": IDENTIFIER_PATTERN},
            "margin": decimal("The 95 % half-width of counts and sums."),
            "epsilon": decimal("The epsilon to spend instead of a margin, above 0 and at most 100."),
            "refresh": one_of("How often it is drawn anew; by default never.", Refresh::VARIANTS),
            "public": one_of("Whether it is shown without a token; by default false.", &["true", "false"]),
            "chart": one_of("How it is shown; by default as a table.", Presentation::VARIANTS),
            "unit": text("What its numbers are measured in."),
            "means": text("What a question that is refused means, in questions that are answered; of the tests of tacit alone.")
        },
        "required": ["title"],
        "additionalProperties": false,
        "oneOf": [{"required": ["margin"]}, {"required": ["epsilon"]}]
    })
}
