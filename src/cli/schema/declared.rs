//! The schema of files that declare people, projects, grants and statistics.
//!
//! Promises the keys of `crate::service::stewarding::declared`, and no other.

use serde_json::{Value, json};

use super::{IDENTIFIER, NAME, decimal, document, list, matching, object, one_of, whole};
use crate::kernel::budget::people::Role;
use crate::service::stewarding::grants::PERIOD_DAYS_MAX;

pub(super) fn schema() -> Value {
    let properties = json!({
        "person": list("people, each once in all files", person()),
        "project": list("projects, each once of a dataset", project()),
        "grant": list("researchers' allocations, one of each dataset", grant()),
        "statistics": list("what published statistics may spend, once of each dataset", statistics())
    });
    let about = "people, projects, grants and statistics; what files declared before and no longer do is withdrawn";
    document("declared", "files of tacit plan and tacit apply", object(about, properties, &[]))
}

fn dataset() -> Value {
    matching("of which dataset", IDENTIFIER)
}

fn period_days() -> Value {
    whole("days after which it renews; for life where nothing is said", u64::from(PERIOD_DAYS_MAX))
}

fn person() -> Value {
    let properties = json!({
        "name": matching("the name, which nobody else has", NAME),
        "role": one_of("what they may do; it never changes", &Role::ALL.map(Role::name)),
        "datasets": list(
            "of a viewer: datasets whose statistics they see; what stands stays where nothing is said, and who was never given any sees all",
            dataset()
        )
    });
    let mut person = object("a person; who holds no token gets one", properties, &["name", "role"]);
    // Datasets are given to viewers alone.
    person["if"] = json!({"required": ["datasets"]});
    person["then"] = json!({"properties": {"role": {"const": Role::Viewer.name()}}});
    person
}

fn project() -> Value {
    let properties = json!({
        "name": matching("the project", NAME),
        "dataset": dataset(),
        "epsilon": decimal("its total, above 0 and at most 100, which its researchers share")
    });
    object("an allocation that researchers share", properties, &["name", "dataset", "epsilon"])
}

fn grant() -> Value {
    let properties = json!({
        "researcher": matching("who", NAME),
        "dataset": dataset(),
        "project": matching("the project that it hangs below, which never changes", NAME),
        "epsilon": decimal("its total, above 0 and at most 100; of every period where it renews"),
        "period_days": period_days(),
        "reason": {
            "description": "why; the application's reason where nothing is said",
            "type": "string",
            "minLength": 1,
            "maxLength": 500
        }
    });
    object("a researcher's allocation", properties, &["researcher", "dataset", "epsilon"])
}

fn statistics() -> Value {
    let properties = json!({
        "dataset": dataset(),
        "epsilon": decimal("their total, above 0 and at most 100; of every period where it renews"),
        "period_days": period_days()
    });
    object("what published statistics may spend", properties, &["dataset", "epsilon"])
}
