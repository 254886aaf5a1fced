//! Coming in: who it is, with which token, and into which database.
//!
//! Promises that nothing is told to somebody before their proof is checked, not even whether a person or a database exists, and that a name
//! that nobody has is answered like one that somebody has.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::startup::{Authentication, BackendKeyData, NegotiateProtocolVersion, SecretKey};
use tokio::sync::OwnedSemaphorePermit;

use super::cancel::CancelPlace;
use super::door::Door;
use super::fault::{DoorFault, state};
use super::frames::{Frame, OPENING_BYTES_MAX};
use super::free::FreeTables;
use super::link::{Link, Stream};
use super::scram::{self, PLAIN, PLUS};
use super::sending;
use super::session::{Block, Session};
use super::settings::Settings;
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::Person;
use crate::kernel::budget::state::TokenRecord;
use crate::query::error::shown;
use crate::service::stewarding::scram as proofs;
use crate::service::views::timestamp;

/// The database in which no dataset is meant.
pub(super) const OWN_DATABASE: &str = "tacit";
/// The newest minor version of the protocol that is spoken.
const MINOR: u16 = 2;

/// What a client said when it began.
pub(super) struct Hello {
    /// The minor version of the protocol.
    pub(super) minor: u16,
    /// Names and values.
    pub(super) parameters: Vec<(String, String)>,
}

impl Hello {
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Somebody who has come in.
pub(super) struct Entered {
    /// The session of the person who came in.
    pub(super) session: Session,
    /// Its places among those that can be told to end their statement, and among all sessions; they are freed when dropped.
    pub(super) places: (CancelPlace, OwnedSemaphorePermit),
}

/// Lets somebody in, and says so; `None` if the connection ended.
pub(super) async fn enter<S: Stream>(
    link: &mut Link<S>,
    door: &Door,
    hello: &Hello,
    is_secure: bool,
) -> io::Result<Result<Option<Entered>, DoorFault>> {
    let minor = negotiate(link, hello)?;
    let Some(user) = hello.get("user").filter(|user| !user.is_empty()) else {
        return Ok(Err(DoorFault::new(state::NOBODY, "no PostgreSQL user name specified in startup packet").fatal()));
    };
    if door.needs_tls && !is_secure {
        let fault = DoorFault::new(state::NOBODY, "this server takes connections over TLS alone").fatal();
        return Ok(Err(fault.hint("connect with sslmode=verify-full")));
    }
    let binding = door.binding().filter(|_| is_secure);
    let token = match authenticate(link, door, user, binding).await? {
        Ok(Some(token)) => token,
        Ok(None) => return Ok(Ok(None)),
        Err(fault) => return Ok(Err(fault)),
    };
    let entered = opened(door, user, token, hello, minor);
    let Entered { session, places } = match entered {
        Ok(entered) => entered,
        Err(fault) => return Ok(Err(fault.fatal())),
    };
    let place = &places.0;
    link.put(&PgWireBackendMessage::Authentication(Authentication::Ok))?;
    for (name, value) in session.settings.reported() {
        link.put(&sending::setting(name, value))?;
    }
    let secret = match <[u8; 4]>::try_from(place.secret.as_slice()) {
        Ok(number) => SecretKey::I32(i32::from_be_bytes(number)),
        Err(_) => SecretKey::Bytes(Bytes::copy_from_slice(&place.secret)),
    };
    link.put(&PgWireBackendMessage::BackendKeyData(BackendKeyData::new(place.pid, secret)))?;
    link.put(&sending::ready(Block::None))?;
    link.flush().await?;
    Ok(Ok(Some(Entered { session, places })))
}

/// Agrees on a version of the protocol, and says so if it is another one than the client's.
fn negotiate<S: Stream>(link: &mut Link<S>, hello: &Hello) -> io::Result<u16> {
    let minor = if hello.minor >= MINOR { MINOR } else { 0 };
    let unknown: Vec<String> =
        hello.parameters.iter().map(|(name, _)| name).filter(|name| name.starts_with("_pq_.")).cloned().collect();
    if hello.minor > MINOR || !unknown.is_empty() {
        let version = (3 << 16) | i32::from(minor);
        let negotiated = NegotiateProtocolVersion::new(version, unknown);
        link.put(&PgWireBackendMessage::NegotiateProtocolVersion(negotiated))?;
    }
    Ok(minor)
}

/// Checks a proof, and gives the digest of the token that it is of; `None` if the connection ended.
async fn authenticate<S: Stream>(
    link: &mut Link<S>,
    door: &Door,
    user: &str,
    binding: Option<&[u8]>,
) -> io::Result<Result<Option<Digest>, DoorFault>> {
    let mechanisms = if binding.is_some() { vec![PLUS.to_owned(), PLAIN.to_owned()] } else { vec![PLAIN.to_owned()] };
    link.put(&PgWireBackendMessage::Authentication(Authentication::SASL(mechanisms)))?;
    link.flush().await?;
    let tokens: Vec<TokenRecord> = read(door.now().ledger(), |book| book.tokens_of(user).to_vec());
    let held = tokens.iter().find_map(|token| token.verifier.as_ref());
    let terms = held.map_or((proofs::salt(user), proofs::ITERATIONS), |held| (held.salt, held.iterations));
    let Some(first) = password(link).await? else { return Ok(Ok(None)) };
    let begun = match first.and_then(initial) {
        Ok((mechanism, message)) => scram::begun(&mechanism, &message, terms, binding).map_err(protocol),
        Err(fault) => Err(fault),
    };
    let (exchange, said) = match begun {
        Ok(begun) => begun,
        Err(fault) => return Ok(Err(fault)),
    };
    link.put(&PgWireBackendMessage::Authentication(Authentication::SASLContinue(said.into())))?;
    link.flush().await?;
    let Some(last) = password(link).await? else { return Ok(Ok(None)) };
    let proof = match last.and_then(|message| exchange.proof(&message).map_err(protocol)) {
        Ok(proof) => proof,
        Err(fault) => return Ok(Err(fault)),
    };
    let found = tokens.iter().find_map(|token| {
        let signature = proofs::checked(token.verifier.as_ref()?, proof.exchange.as_bytes(), &proof.proof)?;
        Some((token, signature))
    });
    let Some((token, signature)) = found else {
        // A name without tokens takes no less time.
        let _ = held.is_none().then(|| proofs::checked(&proofs::NONE, proof.exchange.as_bytes(), &proof.proof));
        return Ok(Err(wrong_token(user)));
    };
    if token.has_expired(door.now().now_ms()) {
        let at = token.expires_ms.map_or_else(String::new, timestamp);
        let fault = DoorFault::new(state::WRONG_TOKEN, format!("the token expired at {at}")).fatal();
        return Ok(Err(fault.hint("ask a steward for another token")));
    }
    link.put(&PgWireBackendMessage::Authentication(Authentication::SASLFinal(scram::ended(signature).into())))?;
    Ok(Ok(Some(token.digest)))
}

/// The fault of a proof that is of no token of this person, whether there is such a person or not.
fn wrong_token(user: &str) -> DoorFault {
    let message = format!("password authentication failed for user \"{}\"", shown(user));
    DoorFault::new(state::WRONG_TOKEN, message).fatal().hint(
        "the user is your name and the password your token; a token that is older than this server's PostgreSQL door has to be renewed: \
         ask a steward for another one",
    )
}

fn protocol(fault: scram::ScramFault) -> DoorFault {
    let state = match fault {
        scram::ScramFault::NoRandomness(_) => state::FAILED,
        scram::ScramFault::OtherChannel | scram::ScramFault::Downgraded => state::NOBODY,
        scram::ScramFault::Malformed | scram::ScramFault::NotOffered => state::PROTOCOL,
    };
    DoorFault::new(state, fault.to_string()).fatal()
}

/// The next part of an authentication; `None` if the connection ended.
async fn password<S: Stream>(link: &mut Link<S>) -> io::Result<Option<Result<Bytes, DoorFault>>> {
    Ok(match link.frame(OPENING_BYTES_MAX).await? {
        Some(Ok(Frame::Password(bytes))) => Some(Ok(bytes)),
        Some(Ok(Frame::Terminate)) | None => None,
        Some(Ok(_)) => Some(Err(DoorFault::new(state::PROTOCOL, "expected SASL response").fatal())),
        Some(Err(fault)) => Some(Err(DoorFault::from(fault).fatal())),
    })
}

/// The mechanism and the message of a client's first answer.
fn initial(bytes: Bytes) -> Result<(String, Vec<u8>), DoorFault> {
    let malformed = || protocol(scram::ScramFault::Malformed);
    let end = bytes.iter().position(|byte| *byte == 0).ok_or_else(malformed)?;
    let mechanism = std::str::from_utf8(&bytes[..end]).map_err(|_| malformed())?.to_owned();
    let message = bytes.get(end + 5..).ok_or_else(malformed)?.to_vec();
    Ok((mechanism, message))
}

/// Opens the session of somebody whose proof was right.
fn opened(door: &Door, user: &str, token: Digest, hello: &Hello, minor: u16) -> Result<Entered, DoorFault> {
    let service = door.now();
    let person: Person = service.holder(&token).map_err(|_| wrong_token(user))?;
    let database = hello.get("database").filter(|name| !name.is_empty()).unwrap_or(OWN_DATABASE);
    if database != OWN_DATABASE && service.dataset_seen_by(&person, database).is_none() {
        let seen: Vec<&str> = service.datasets_seen_by(&person).map(|dataset| dataset.name.as_str()).collect();
        let names = [vec![OWN_DATABASE], seen].concat().join(", ");
        let message = format!("database \"{}\" does not exist", shown(database));
        return Err(DoorFault::new(state::NO_DATABASE, message).hint(format!("your databases are {names}")));
    }
    let mut settings = Settings::new(&person.name, database);
    let free = FreeTables::new(Arc::clone(&service), person.clone(), database);
    if database == OWN_DATABASE {
        // Everything that the person may see is in this database, and found without its schema.
        settings.set("search_path", Some(&free.search_path()), false)?;
    }
    for (name, value) in &hello.parameters {
        match name.as_str() {
            "user" | "database" => {}
            "replication" if matches!(value.as_str(), "false" | "off" | "0" | "no") => {}
            "replication" => return Err(DoorFault::new(state::UNSUPPORTED, "there is no replication")),
            "options" => {
                for (name, value) in options(value)? {
                    settings.set(&name, Some(&value), false)?;
                }
            }
            name if name.starts_with("_pq_.") => {}
            name => settings.set(name, Some(value), false)?,
        }
    }
    settings.begin();
    let place =
        door.cancels.enter(minor).map_err(|_| DoorFault::new(state::FAILED, "the system gives no random bytes"))?;
    let full = || DoorFault::new(state::CONNECTIONS, "sorry, too many clients already");
    let permit = Arc::clone(&door.sessions).try_acquire_owned().map_err(|_| full())?;
    let (services, told) = (door.services.clone(), Arc::clone(&place.told));
    let session = Session::new(services, (person, token), (database, free), settings, told);
    Ok(Entered { session, places: (place, permit) })
}

/// The parameters of `options`: `-c name=value` and `--name=value`, with a backslash before a space that is part of a value.
fn options(text: &str) -> Result<Vec<(String, String)>, DoorFault> {
    let (mut words, mut word, mut is_escaped) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        match letter {
            letter if is_escaped => {
                word.push(letter);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            letter if letter.is_whitespace() => words.push(std::mem::take(&mut word)),
            letter => word.push(letter),
        }
    }
    words.push(word);
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let pair = match word.strip_prefix("--").or(word.strip_prefix("-c").filter(|rest| !rest.is_empty())) {
            Some(pair) => Some(pair.to_owned()),
            None if word == "-c" => words.next(),
            None => None,
        };
        let pair = pair.as_ref().and_then(|pair| pair.split_once('='));
        let (name, value) = pair.ok_or_else(|| {
            DoorFault::new(state::INVALID_VALUE, "options are not understood")
                .hint("write options='-c tacit.epsilon=0.1'")
        })?;
        found.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_libpq_sends_them() {
        let read = |text: &str| {
            options(text).map(|pairs| pairs.into_iter().map(|(a, b)| format!("{a}={b}")).collect::<Vec<_>>())
        };
        for (text, pairs) in [
            ("", vec![]),
            ("-c tacit.epsilon=0.1", vec!["tacit.epsilon=0.1"]),
            ("-ctacit.epsilon=0.1 --search-path=a\\ b", vec!["tacit.epsilon=0.1", "search_path=a b"]),
            ("  -c  a=b=c ", vec!["a=b=c"]),
        ] {
            assert_eq!(read(text), Ok(pairs.into_iter().map(str::to_owned).collect()), "{text}");
        }
        for text in ["-c", "-x", "tacit.epsilon=0.1", "-c name"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
