//! Deliveries to webhooks: one event, posted once and signed as Standard Webhooks 1.0 has it.
//!
//! Promises that whoever knows the secret can tell that a delivery is ours, unchanged and recent, that redirections are not followed, and
//! that a delivery takes ten seconds at most. Nothing of a receiver's answer is read but its status, and no address is logged.

use std::time::Duration;

use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use crate::client::tls;
use crate::ledger::sqlite::outbox::Delivery;

/// Seconds that a delivery may take.
const SECONDS_MAX: u64 = 10;
/// How a secret begins whose key is written in base64.
const PREFIX: &str = "whsec_";

/// The key that signs the deliveries to one webhook.
pub struct WebhookKey(Webhook);

/// The text of a secret is empty, or begins with `whsec_` and does not go on in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("accepted is a secret on one line: any text, or whsec_ and a key in base64")]
pub struct BadSecret;

impl WebhookKey {
    /// The key of a secret. After `whsec_`, as the libraries of receivers write it, stands the key in base64; any other text is the key
    /// itself.
    ///
    /// # Errors
    /// [`BadSecret`].
    pub fn of(secret: &str) -> Result<Self, BadSecret> {
        if secret.is_empty() || secret == PREFIX {
            return Err(BadSecret);
        }
        let is_base64 = secret.starts_with(PREFIX);
        let key = if is_base64 { Webhook::new(secret) } else { Webhook::from_bytes(secret.as_bytes().to_vec()) };
        key.map(Self).map_err(|_| BadSecret)
    }
}

/// Posts a delivery to its webhook; whether the receiver took it, which it says with a status of 200 to 299.
///
/// `at_ms` is the time of this attempt in milliseconds since 1970 in UTC, so that a receiver can refuse what is old. The headers and the
/// signature, HMAC-SHA256 of the delivery's id, the timestamp in seconds and the body, are those of Standard Webhooks 1.0
/// (<https://www.standardwebhooks.com>); `Tacit-Event` repeats the event, which the body names, too.
#[must_use]
pub fn deliver(delivery: &Delivery, key: &WebhookKey, at_ms: u64) -> bool {
    let Delivery { id, event, body, webhook: url, .. } = delivery;
    let timestamp = i64::try_from(at_ms / 1_000).unwrap_or(i64::MAX);
    // A body is text, so it can be signed.
    let Ok(signature) = key.0.sign(id, timestamp, body.as_bytes()) else { return false };
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .tls_config(tls())
        .timeout_global(Some(Duration::from_secs(SECONDS_MAX)))
        .build();
    let agent: ureq::Agent = config.into();
    let request = agent
        .post(url)
        .header(HEADER_WEBHOOK_ID, id)
        .header(HEADER_WEBHOOK_TIMESTAMP, timestamp.to_string())
        .header(HEADER_WEBHOOK_SIGNATURE, signature)
        .header("Tacit-Event", event)
        .content_type("application/json");
    request.send(body).is_ok_and(|response| response.status().is_success())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread::JoinHandle;

    use super::*;

    /// A receiver of one delivery, which answers so; what it got, and whether anybody came back.
    fn receiver(status: &'static str) -> (SocketAddr, JoinHandle<(String, bool)>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let receiving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a delivery");
            let (mut got, mut chunk) = (Vec::new(), [0; 4_096]);
            while !got.ends_with(b"}") {
                let read = stream.read(&mut chunk).expect("bytes");
                assert!(read > 0, "the delivery ended early");
                got.extend_from_slice(&chunk[..read]);
            }
            let head = format!("HTTP/1.1 {status}\r\nLocation: http://{address}/other\r\nConnection: close\r\n");
            stream.write_all(format!("{head}Content-Length: 0\r\n\r\n").as_bytes()).expect("answered");
            drop(stream);
            // Whoever is followed elsewhere knocks before the delivery returns, and the last one to knock is the test itself.
            let (mut next, _) = listener.accept().expect("somebody");
            let mut first = [0; 4];
            let is_back = next.read(&mut first).is_ok_and(|read| first[..read] != *b"done");
            (String::from_utf8(got).expect("text"), is_back)
        });
        (address, receiving)
    }

    /// A delivery of Standard Webhooks' own example, and what its signature is to be.
    const EXAMPLE: (&str, &str) =
        ("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", r#"{"email":"test@example.com","username":"test_user"}"#);
    const EXAMPLE_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn delivery(url: &str, (id, body): (&str, &str)) -> Delivery {
        Delivery {
            id: id.to_owned(),
            event: "refused".to_owned(),
            at_ms: 0,
            body: body.to_owned(),
            webhook: url.to_owned(),
            attempts: 0,
            next_ms: 0,
        }
    }

    /// Whether a delivery of the example to a receiver that answers with `status` was taken, and what the receiver got.
    fn exchange(status: &'static str) -> (bool, String) {
        let (address, receiving) = receiver(status);
        let key = WebhookKey::of(EXAMPLE_SECRET).expect("a key");
        let taken = deliver(&delivery(&format!("http://{address}/hook?x=1"), EXAMPLE), &key, 1_649_367_553_999);
        let mut end = std::net::TcpStream::connect(address).expect("a connection");
        end.write_all(b"done").expect("sent");
        let (got, is_back) = receiving.join().expect("the receiver's end");
        assert!(!is_back, "a redirection was followed");
        (taken, got)
    }

    #[test]
    fn a_delivery_is_named_and_signed_as_the_standard_s_example() {
        let (taken, got) = exchange("204 No Content");
        assert!(taken);
        let (head, body) = got.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{head}");
        for (name, value) in [
            ("webhook-id", EXAMPLE.0),
            ("webhook-timestamp", "1649367553"),
            ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="),
            ("tacit-event", "refused"),
            ("content-type", "application/json"),
        ] {
            let found = head.lines().filter_map(|line| line.split_once(": "));
            let found: Vec<_> = found.filter(|(found, _)| found.eq_ignore_ascii_case(name)).collect();
            assert!(matches!(found[..], [(_, one)] if one == value), "{name}: {found:?}");
        }
        assert_eq!(body, EXAMPLE.1);
    }

    #[test]
    fn what_is_not_taken_is_not_delivered() {
        for status in ["302 Found", "307 Temporary Redirect", "404 Not Found", "500 Internal Server Error"] {
            assert!(!exchange(status).0, "{status}");
        }
        let nobody =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("an address");
        let key = WebhookKey::of("secret").expect("a key");
        assert!(!deliver(&delivery(&format!("http://{nobody}/"), EXAMPLE), &key, 0));
        assert!(!deliver(&delivery("no address", EXAMPLE), &key, 0));
    }

    fn signed(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
        WebhookKey::of(secret).expect("a key").0.sign(id, timestamp, body.as_bytes()).expect("a signature")
    }

    /// A secret of before is taken as it is, byte for byte; what openssl signs with it is the same.
    #[test]
    fn a_secret_that_is_plain_text_is_the_key_itself() {
        let by_openssl = "v1,YrKHdjs/ZmkKdPXXFLsyEwjK1O/KdKJA+gpL5VtDUsY=";
        assert_eq!(signed("secret", "evt_1", 1_700_000_000, "{\"a\":1}"), by_openssl);
        assert_eq!(signed("whsec_c2VjcmV0", "evt_1", 1_700_000_000, "{\"a\":1}"), by_openssl, "the same key in base64");
        for secret in ["", "whsec_", "whsec_?", "whsec_c2VjcmV", "whsec_c2VjcmV0 "] {
            assert_eq!(WebhookKey::of(secret).err(), Some(BadSecret), "{secret:?}");
        }
    }

    #[test]
    fn secret_id_moment_and_body_each_change_the_signature() {
        let first = signed("Jefe", "evt_1", 0, "{}");
        for other in [
            signed("Jefe2", "evt_1", 0, "{}"),
            signed("Jefe", "evt_2", 0, "{}"),
            signed("Jefe", "evt_1", 1, "{}"),
            signed("Jefe", "evt_1", 0, "{} "),
        ] {
            assert_ne!(first, other);
        }
    }
}
