//! The schema of files that declare people, projects, grants and statistics.
//!
//! It has exactly the keys of `crate::service::declared`.

use serde_json::{Value, json};

use super::parts::{IDENTIFIER, NAME, decimal, document, list, matching, object, one_of, whole};
use crate::kernel::budget::people::Role;
use crate::service::stewarding::fault::{PERIOD_DAYS_MAX, REASON_CHARS_MAX};

pub(super) fn schema() -> Value {
    let properties = json!({
        "person": list("people, each once in all files", person()),
        "project": list("projects, each once per dataset", project()),
        "grant": list("researchers' allocations, one per researcher and dataset", grant()),
        "statistics": list("what published statistics may spend, once per dataset", statistics())
    });
    let about =
        "people, projects, grants and statistics; what files declared before and no longer declare is withdrawn";
    document("declared", "files of tacit plan and tacit apply", object(about, properties, &[]))
}

fn dataset() -> Value {
    matching("the dataset's name", IDENTIFIER)
}

fn period_days() -> Value {
    whole("days after which it renews; by default it is for life", i64::from(PERIOD_DAYS_MAX))
}

fn person() -> Value {
    let properties = json!({
        "name": matching("the person's name, which nobody else has", NAME),
        "role": one_of("what they may do; it never changes", Role::ALL),
        "datasets": list(
            "for viewers: datasets whose statistics they see; without this key nothing changes, and a viewer who was never given any sees all",
            dataset()
        )
    });
    let mut person = object("a person, who gets a token unless they hold one", properties, &["name", "role"]);
    // Only viewers are given datasets.
    person["if"] = json!({"required": ["datasets"]});
    person["then"] = json!({"properties": {"role": {"const": Role::Viewer.name()}}});
    person
}

fn project() -> Value {
    let properties = json!({
        "name": matching("the project's name", NAME),
        "dataset": dataset(),
        "epsilon": decimal("its total, above 0 and at most 100, which its researchers share")
    });
    object("an allocation that researchers share", properties, &["name", "dataset", "epsilon"])
}

fn grant() -> Value {
    let properties = json!({
        "researcher": matching("the researcher's name", NAME),
        "dataset": dataset(),
        "project": matching("the project that it belongs to, which never changes", NAME),
        "epsilon": decimal("its total, above 0 and at most 100; if it renews, the total of each period"),
        "period_days": period_days(),
        "reason": {
            "description": "the reason for the grant; by default that of the application",
            "type": "string",
            "minLength": 1,
            "maxLength": REASON_CHARS_MAX
        }
    });
    object("a researcher's allocation", properties, &["researcher", "dataset", "epsilon"])
}

fn statistics() -> Value {
    let properties = json!({
        "dataset": dataset(),
        "epsilon": decimal("their total, above 0 and at most 100; if it renews, the total of each period"),
        "period_days": period_days()
    });
    object("what published statistics may spend", properties, &["dataset", "epsilon"])
}
