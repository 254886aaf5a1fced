//! The schema of `tacit.toml`.
//!
//! It has exactly the keys of `crate::config`.

use serde_json::{Value, json};

use super::parts::{document, flag, list, matching, object, one_of, text};
use crate::config::{TEXT_CHARS_MAX, WebhookEvent};

pub(super) fn schema() -> Value {
    let properties = json!({
        "listen": {
            "description": "where to listen; other machines reach it only with [tls] or allow_plaintext",
            "type": "string",
            "default": "127.0.0.1:8080"
        },
        "allow_plaintext": flag("allow plain text over a network, for use behind a proxy that speaks TLS"),
        "public_url": {
            "description": "the origin under which browsers reach the server, if there is a proxy in front of it",
            "type": "string",
            "pattern": "^https?://[^/?#@\\s]+$"
        },
        "state_dir": text("the folder of the ledger and the editions"),
        "anchor": text("where the ledger's anchor is kept; by default next to the ledger"),
        "queries_dir": text("the folder of published queries"),
        "policies": list("the policies of the datasets to serve", text("a policy file")),
        "tls": tls(),
        "statistics": statistics(),
        "webhook": list("receivers that are told about events", webhook()),
        "operator": operator()
    });
    let about = "what a server serves, and where; paths are relative to the file's folder";
    document("config", "tacit.toml", object(about, properties, &["state_dir", "policies"]))
}

fn tls() -> Value {
    let properties = json!({
        "certificate": text("the file with the certificate, PEM"),
        "key": text("the file with its private key, PEM")
    });
    object("the server's TLS certificate and key", properties, &["certificate", "key"])
}

fn statistics() -> Value {
    let origin = json!({
        "description": "an origin as browsers write it, or * for every page",
        "type": "string",
        "pattern": "^([*]|https?://[^/?#@\\s]+)$"
    });
    let properties = json!({
        "time_zone": {
            "description": "the IANA name of the time zone of schedules",
            "type": "string",
            "default": "UTC"
        },
        "origins": list("origins whose pages may read statistics", origin)
    });
    object("how published statistics are refreshed and read", properties, &[])
}

fn operator() -> Value {
    let text =
        |about: &str| json!({"description": about, "type": "string", "minLength": 1, "maxLength": TEXT_CHARS_MAX});
    let properties = json!({
        "name": text("who runs the server"),
        "contact": text("how to reach them"),
        "address": text("their postal address"),
        "basis": text("the legal basis on which they use the data"),
        "withdraw": text("what to do to be left out of the data")
    });
    object(
        "who runs the server, as shown on /transparency; without it the page says that the operator has not said",
        properties,
        &["name"],
    )
}

fn webhook() -> Value {
    let url = matching("where events are posted to", "^https?://[^#\\s]+$");
    let events = one_of("an event", WebhookEvent::ALL);
    let properties = json!({
        "url": url,
        "secret_file": text("the file with the secret that deliveries are signed with"),
        "events": list("the events that are posted; by default all", events)
    });
    object("where events are posted to", properties, &["url", "secret_file"])
}
