//! Bytes that no client should send: the door ends the connection or says what is wrong, and serves everybody else.

use std::io::{Read, Write};
use std::net::TcpStream;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Served, entries};
use crate::support::Lab;

const SEED: u64 = 18;

/// The number of mutated connections; `TACIT_FUZZ` raises it.
fn rounds() -> usize {
    std::env::var("TACIT_FUZZ").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(300)
}

/// What the door says until it ends the connection.
fn answer(door: &Served, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(door.address).expect("a connection");
    // The door may have ended the connection before everything is written.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    said
}

fn framed(kind: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a length").to_be_bytes();
    [kind, &length, body].concat()
}

fn startup(parameters: &[u8]) -> Vec<u8> {
    framed(b"", &[&[0, 3, 0, 0][..], parameters, &[0]].concat())
}

#[test]
fn what_cannot_be_read_is_said_or_cut_off() {
    let lab = Lab::exact();
    let door = Served::new(&lab.service);
    for (bytes, said) in [
        (startup(b""), &b"28000"[..]),
        (startup(b"user\0ada\0replication\0"), b""),
        (framed(b"", &[0, 2, 0, 0]), b"08P01"),
        (vec![0, 0, 0, 3], b"08P01"),
        (vec![0xff; 64], b"08P01"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), b"08P01"),
        (framed(b"", &[4, 210, 22, 46, 0, 0, 0, 1, 1, 2, 3, 4]), b""),
        ([startup(b"user\0ada\0"), framed(b"Q", b"SELECT 1\0")].concat(), b"08P01"),
        ([startup(b"user\0ada\0"), framed(b"p", b"SCRAM-SHA-256\0\0\0\0\x03n,,")].concat(), b"08P01"),
        ([startup(b"user\0ada\0"), framed(b"p", b"GSSAPI\0\0\0\0\0")].concat(), b"08P01"),
        (vec![0x16, 3, 1], b""),
    ] {
        let answer = answer(&door, &bytes);
        let has = |part: &[u8]| part.is_empty() || answer.windows(part.len()).any(|window| window == part);
        assert!(has(said), "{bytes:?}: {}", String::from_utf8_lossy(&answer));
    }
    // TLS is asked for, and refused in a letter, after which the client may go on without.
    let refused = answer(&door, &framed(b"", &[4, 210, 22, 47]));
    assert_eq!(refused, b"N");
}

#[test]
fn whatever_is_sent_the_door_goes_on() {
    let lab = Lab::exact();
    let door = Served::new(&lab.service);
    let before = entries(&lab);
    let mut random = StdRng::seed_from_u64(SEED);
    let whole = [
        startup(b"user\0ada\0database\0visits\0options\0-c tacit.epsilon=0.1\0"),
        framed(b"p", b"SCRAM-SHA-256\0\0\0\0\x0an,,n=,r=ab"),
        framed(b"p", b"c=biws,r=ab,p=AAAA"),
        framed(b"P", b"s\0SELECT COUNT(*) FROM visits WHERE age > $1\0\0\x01\0\0\0\x17"),
        framed(b"B", b"\0s\0\0\x01\0\x01\0\x01\0\0\0\x04\0\0\0\x07\0\x01\0\x01"),
        framed(b"E", b"\0\0\0\0\0"),
        framed(b"S", b""),
    ]
    .concat();
    for round in 0..rounds() {
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..6_usize) {
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..4_u8) {
                0 => bytes[at] = random.random(),
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, random.random()),
                _ => {
                    bytes.remove(at);
                }
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        let said = answer(&door, &bytes);
        assert!(!said.windows(5).any(|window| window == b"XX000"), "seed {SEED}, round {round}: {bytes:?}");
    }
    assert_eq!(entries(&lab), before);
    let (mut client, _) = door.ada(&lab);
    assert!(client.simple_query("SELECT 1").is_ok());
}

/// Somebody who is known sends frames that are wrong: each is an error, and the next statement is answered.
#[test]
fn a_frame_that_is_wrong_is_passed_over() {
    let lab = Lab::exact();
    let door = Served::new(&lab.service);
    let mut client = Raw::enter(&door, "ada", &lab.researcher);
    for (frame, state) in [
        (framed(b"Q", b"SELECT \xff\0"), "22021"),
        (framed(b"P", b"x\0SELECT 1\0\xff\xff"), "08P01"),
        (framed(b"B", b"\0\0\0\0\0\x05"), "08P01"),
        (framed(b"E", b"nothing\0\0\0\0\0"), "34000"),
        (framed(b"D", b"Snothing\0"), "26000"),
        (framed(b"P", b"\0SELECT 1; SELECT 2\0\0\0"), "42601"),
        ([framed(b"P", b"\0SELECT 1\0\0\0"), framed(b"B", b"\0\0\0\0\0\x01\0\0\0\x01x\0\0")].concat(), "08P01"),
    ] {
        let said = client.send(&[frame, framed(b"S", b"")].concat());
        assert!(
            said.windows(5).any(|window| window == state.as_bytes()),
            "{state}: {}",
            String::from_utf8_lossy(&said)
        );
        let said = client.send(&framed(b"Q", b"SELECT 1\0"));
        assert!(said.windows(8).any(|window| window == b"SELECT 1"), "{}", String::from_utf8_lossy(&said));
    }
}

/// A client that sends whatever it is told to.
pub struct Raw(TcpStream);

impl Raw {
    /// Comes in with a token.
    pub fn enter(door: &Served, user: &str, token: &str) -> Self {
        use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
        let mut raw = Self(TcpStream::connect(door.address).expect("a connection"));
        raw.write(&startup(format!("user\0{user}\0database\0visits\0").as_bytes()));
        raw.frame();
        let mut scram = ScramSha256::new(token.as_bytes(), ChannelBinding::unsupported());
        let message = scram.message().to_vec();
        let length = u32::try_from(message.len()).expect("a length").to_be_bytes();
        raw.write(&framed(b"p", &[b"SCRAM-SHA-256\0", &length[..], &message].concat()));
        let (_, body) = raw.frame();
        scram.update(&body[4..]).expect("a challenge");
        raw.write(&framed(b"p", scram.message()));
        let (_, body) = raw.frame();
        scram.finish(&body[4..]).expect("the server's signature");
        raw.until_ready();
        raw
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("sent");
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 5];
        self.0.read_exact(&mut head).expect("a head");
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; usize::try_from(length).expect("a length") - 4];
        self.0.read_exact(&mut body).expect("a body");
        (head[0], body)
    }

    fn until_ready(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let (kind, body) = self.frame();
            all.extend_from_slice(&body);
            if kind == b'Z' {
                return all;
            }
        }
    }

    /// Sends a statement, and gives the first frame that comes back.
    pub fn told(&mut self, sql: &[u8]) -> (u8, Vec<u8>) {
        self.write(&framed(b"Q", sql));
        self.frame()
    }

    /// Whether the door has ended the connection.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }

    /// Sends bytes, and gives what is said until the next statement may come.
    fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.write(bytes);
        self.until_ready()
    }
}
