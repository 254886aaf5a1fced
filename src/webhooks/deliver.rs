//! Deliveries to webhooks: one event, posted once, signed.
//!
//! Promises that whoever holds the secret can tell that a delivery is ours, unchanged and recent, that nobody is followed elsewhere,
//! and that ten seconds are the end of it. What a receiver answers is not read beyond its status, and no address is logged.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::client::tls;

/// Seconds that a delivery may take.
const SECONDS_MAX: u64 = 10;

/// Posts `body`, JSON, to `url`; whether the receiver took it, which it says with a status of 200 to 299.
///
/// `id` is the delivery's, the same at every attempt, by which a receiver knows what came twice. `at_ms` is the moment of this attempt
/// in milliseconds since 1970 in UTC, so that a receiver can turn away what is old. The signature is HMAC-SHA256 (RFC 2104, FIPS 180-4)
/// under `secret` of the timestamp in seconds, a full stop and the body.
#[must_use]
pub fn deliver(url: &str, secret: &[u8], id: &str, event: &str, at_ms: u64, body: &str) -> bool {
    let timestamp = at_ms / 1_000;
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
        .header("Tacit-Event", event)
        .header("Tacit-Delivery", id)
        .header("Tacit-Timestamp", timestamp.to_string())
        .header("Tacit-Signature", format!("v1={}", signature(secret, timestamp, body)))
        .content_type("application/json");
    request.send(body).is_ok_and(|response| response.status().is_success())
}

/// The signature as hexadecimal text.
fn signature(secret: &[u8], timestamp: u64, body: &str) -> String {
    // Unwrap safety: HMAC takes keys of any length.
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    let signed = mac.chain_update(timestamp.to_string()).chain_update(".").chain_update(body);
    hex::encode(signed.finalize().into_bytes())
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

    /// Whether a delivery to a receiver that answers so was taken, and what it got.
    fn exchange(status: &'static str) -> (bool, String) {
        let (address, receiving) = receiver(status);
        let url = format!("http://{address}/hook?x=1");
        let taken = deliver(&url, b"secret", "evt_1", "refused", 1_700_000_000_999, "{\"a\":1}");
        let mut end = std::net::TcpStream::connect(address).expect("a connection");
        end.write_all(b"done").expect("sent");
        let (got, is_back) = receiving.join().expect("the receiver's end");
        assert!(!is_back, "a redirection was followed");
        (taken, got)
    }

    #[test]
    fn a_delivery_is_named_and_signed_as_openssl_signs_it() {
        let (taken, got) = exchange("204 No Content");
        assert!(taken);
        let head = got.to_ascii_lowercase();
        for line in [
            "post /hook?x=1 http/1.1\r\n",
            "tacit-event: refused\r\n",
            "tacit-delivery: evt_1\r\n",
            "tacit-timestamp: 1700000000\r\n",
            "tacit-signature: v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686\r\n",
            "content-type: application/json\r\n",
        ] {
            assert!(head.contains(line), "no {line} in {got}");
        }
        assert!(got.ends_with("\r\n\r\n{\"a\":1}"), "{got}");
    }

    #[test]
    fn what_is_not_taken_is_not_delivered() {
        for status in ["302 Found", "307 Temporary Redirect", "404 Not Found", "500 Internal Server Error"] {
            assert!(!exchange(status).0, "{status}");
        }
        let nobody =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("an address");
        assert!(!deliver(&format!("http://{nobody}/"), b"secret", "evt_1", "refused", 0, "{}"));
        assert!(!deliver("no address", b"secret", "evt_1", "refused", 0, "{}"));
    }

    #[test]
    fn secret_moment_and_body_each_change_the_signature() {
        let of = |secret: &[u8], timestamp, body| signature(secret, timestamp, body);
        let signed = of(b"Jefe", 0, "{}");
        assert_eq!(signed.len(), 64);
        for other in [of(b"Jefe2", 0, "{}"), of(b"Jefe", 1, "{}"), of(b"Jefe", 0, "{} "), of(b"", 0, "{}")] {
            assert_ne!(signed, other);
        }
    }
}
