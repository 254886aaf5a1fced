//! Limits of a real listener: request heads, bodies, connections, and its shutdown.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use dashu::integer::IBig;
use serde_json::json;
use tacit::kernel::budget::charge::AnswerState;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::privacy::mechanism::NoiseLaw;
use tacit::kernel::vault::noise::{NoiseFault, NoiseSource};

use crate::support::{GAUSSIAN, Lab, block_on, policy, visits};

/// Serves a lab while `work` runs.
fn serving(lab: &Lab, work: impl FnOnce(SocketAddr) + Send + 'static) {
    let router = lab.router.clone();
    block_on(async move {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(tacit::net::listener::serve(listener, router, async {
            let _ = ended.await;
        }));
        tokio::task::spawn_blocking(move || work(address)).await.expect("the work");
        end.send(()).expect("the server runs");
        server.await.expect("a clean end");
    });
}

fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply);
    reply
}

#[test]
fn heads_and_bodies_are_bounded() {
    let lab = Lab::gaussian();
    let token = lab.researcher.clone();
    serving(&lab, move |address| {
        let post = |body: &str| {
            let length = body.len();
            exchange(
                address,
                &format!(
                    "POST /v1/queries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
                ),
            )
        };
        let large = json!({"sql": "x".repeat(70_000), "epsilon": "1"}).to_string();
        assert!(post(&large).starts_with("HTTP/1.1 413"), "a body over 64 KiB");
        let long =
            json!({"sql": format!("SELECT COUNT(*) FROM visits WHERE age > {}1", "0".repeat(17_000)), "epsilon": "1"})
                .to_string();
        assert!(post(&long).contains("unsupported-sql"), "SQL over 16 KiB");
        let head = format!("GET /livez HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(100_000));
        assert!(!exchange(address, &head).starts_with("HTTP/1.1 200"), "a head over 32 KiB");
        for body in [
            "1+".repeat(6_000),
            "(".repeat(8_000),
            "NOT ".repeat(3_000),
            "age > 1 OR ".repeat(1_001),
            "-".repeat(9_000),
        ] {
            let reply = post(
                &json!({"sql": format!("SELECT COUNT(*) FROM visits WHERE {body} age > 1"), "epsilon": "1"})
                    .to_string(),
            );
            assert!(reply.contains("unsupported-sql"), "{}: {reply}", &body[..8]);
        }
        assert!(exchange(address, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("ok\n"));
    });
}

#[test]
fn a_head_that_does_not_come_is_cut_off() {
    let lab = Lab::exact();
    serving(&lab, |address| {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n").expect("sent");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        // The duration is printed and not asserted: the test only requires that the read ends.
        println!("a head that did not come was cut off after {:?}", begun.elapsed());
    });
}

/// Request heads that two parsers could understand differently are refused as a whole, together with everything after them.
#[test]
fn requests_of_two_lengths_are_refused() {
    let lab = Lab::gaussian();
    let (token, before) = (lab.researcher.clone(), lab.head());
    serving(&lab, move |address| {
        let body = json!({"sql": "SELECT COUNT(*) FROM visits", "epsilon": "0.1"}).to_string();
        let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        let length = body.len();
        for (head, body) in [
            (format!("Content-Length: {length}\r\nContent-Length: {}", length + 1), body.clone()),
            (format!("Content-Length: {length}\r\nTransfer-Encoding: chunked, identity"), chunked.clone()),
            (format!("Content-Length: -{length}"), body.clone()),
            (format!("Content-Length: {length}, {}", length - 1), body.clone()),
            (format!("Content-Length: 0x{length:x}"), body.clone()),
            ("Transfer-Encoding: gzip".to_owned(), body.clone()),
            (format!("Content-Length : {length}"), body.clone()),
        ] {
            let request = format!(
                "POST /v1/queries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{head}\r\n\r\n{body}"
            );
            let reply = exchange(address, &request);
            assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 400"), "{head}: {reply}");
        }
        for request in [
            "GET / HTTP/9.9\r\n\r\n",
            "\0\0\0",
            "GET /a b HTTP/1.1\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "\x16\x03\x01",
        ] {
            let reply = exchange(address, request);
            assert!(
                reply.is_empty() || reply.starts_with("HTTP/1.1 400") || reply.contains(" 505 "),
                "{request:?}: {reply}"
            );
        }
    });
    assert_eq!(lab.head(), before);
}

/// If a body stops half way, the caller is told, and nothing is charged.
#[test]
fn a_body_that_does_not_come_is_cut_off() {
    let lab = Lab::gaussian();
    let (token, before) = (lab.researcher.clone(), lab.head());
    serving(&lab, move |address| {
        let mut stream = TcpStream::connect(address).expect("a connection");
        let head =
            format!("POST /v1/queries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n");
        stream.write_all(format!("{head}Content-Length: 100\r\n\r\n{{\"sql\":").as_bytes()).expect("sent");
        let mut reply = String::new();
        let _ = stream.read_to_string(&mut reply);
        assert!(reply.starts_with("HTTP/1.1 400") && reply.contains("did not arrive within"), "{reply}");
    });
    assert_eq!(lab.head(), before);
}

#[test]
fn a_thousand_silent_connections_keep_nobody_out() {
    // Both ends of every connection are in this process.
    let files = rlimit::increase_nofile_limit(4_096).expect("a limit of open files");
    if files < 2_200 {
        println!("skipped: this system allows {files} open files, too few for both ends of 1,024 connections");
        return;
    }
    let lab = Lab::exact();
    serving(&lab, |address| {
        let silent: Vec<_> = (0..1_024).map(|_| TcpStream::connect(address).expect("a connection")).collect();
        assert!(
            exchange(address, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                .starts_with("HTTP/1.1 200")
        );
        drop(silent);
    });
}

/// Noise that is drawn only when the test allows it.
struct Held {
    begun: Mutex<Sender<()>>,
    go_on: Mutex<Receiver<()>>,
}

impl NoiseSource for Held {
    fn draw(&self, _: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        self.begun.lock().expect("a sender").send(()).expect("the test listens");
        self.go_on.lock().expect("a receiver").recv().expect("the test goes on");
        Ok(vec![IBig::ZERO; cells])
    }
}

/// If a client disconnects after it was charged and before there is an answer, the answer is stored all the same.
#[test]
fn a_client_that_hangs_up_cancels_nothing() {
    let ((begun, has_begun), (go_on, may_go_on)) = (channel(), channel());
    let noise = Arc::new(Held { begun: Mutex::new(begun), go_on: Mutex::new(may_go_on) });
    let lab = Lab::new(&policy(GAUSSIAN), &visits(50), noise, "4");
    let (token, service) = (lab.researcher.clone(), Arc::clone(&lab.service));
    serving(&lab, move |address| {
        let body = json!({"sql": "SELECT COUNT(*) FROM visits WHERE age > 33", "epsilon": "0.1"}).to_string();
        let head = format!(
            "POST /v1/queries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).expect("sent");
        has_begun.recv().expect("the noise is being drawn");
        stream.shutdown(std::net::Shutdown::Both).expect("hung up");
        drop(stream);
        // Once the server answers another connection, it has seen the end of the first one.
        assert!(exchange(address, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("ok\n"));
        go_on.send(()).expect("the noise waits");
        let ended = || read(service.ledger(), |book| book.releases().iter().map(|card| card.state).next());
        while ended() == Some(AnswerState::Executing) {
            std::thread::yield_now();
        }
        assert_eq!(ended(), Some(AnswerState::Sealed));
    });
}
