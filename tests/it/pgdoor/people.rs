//! Who comes in by the PostgreSQL door, and what their sessions are.

use std::sync::Arc;

use postgres::config::{ChannelBinding, SslMode};
use postgres::error::SqlState;
use postgres::{Client, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use tacit::kernel::budget::entry::Act;
use tacit::kernel::budget::people::Role;
use tacit::service::stewarding::people::{Token, revoke_token};
use tacit::service::stewarding::roles::set_role;
use tacit::service::stewarding::tokens::{TokenTerms, issue};

use super::frames::Raw;
use super::{CERTIFICATE, Served, entries, fault};
use crate::support::{GAUSSIAN, Lab, StoppedClock, block_on, policy};

fn refusal(door: &Served, user: &str, token: &str, database: &str) -> postgres::error::DbError {
    fault(door.config(user, token, database).connect(NoTls).map(drop))
}

#[test]
fn a_token_lets_its_holder_in_and_nobody_learns_who_there_is() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let before = entries(&lab);
    let said = |user: &str, token: &str, database: &str| {
        let refused = refusal(&door, user, token, database);
        assert_eq!((refused.code(), refused.severity()), (&SqlState::INVALID_PASSWORD, "FATAL"), "{refused:?}");
        format!("{} {:?} {:?}", refused.message().replace(user, "NAME"), refused.hint(), refused.detail())
    };
    let wrong = said("ada", "tct_0000", "visits");
    for (user, token, database) in [
        ("nobody", lab.researcher.as_str(), "visits"),
        ("sam", &lab.researcher, "visits"),
        ("ada", "", "nowhere"),
        ("a\"b", "x", "visits"),
    ] {
        if !token.is_empty() {
            assert_eq!(said(user, token, database), wrong, "{user}");
        }
    }
    assert!(wrong.contains("renewed"), "{wrong}");
    let unknown = refusal(&door, "ada", &lab.researcher, "nowhere");
    assert_eq!(unknown.code().code(), "3D000", "{unknown:?}");
    assert!(unknown.hint().is_some_and(|hint| hint.contains("tacit, visits")), "{unknown:?}");
    for database in ["visits", "tacit"] {
        assert!(door.config("ada", &lab.researcher, database).connect(NoTls).is_ok());
    }
    assert_eq!(entries(&lab), before, "coming in costs nothing");
}

#[test]
fn roles_are_those_of_every_door() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    for (user, token) in [("sam", &lab.steward), ("vic", &lab.viewer)] {
        let mut client = door.config(user, token, "visits").connect(NoTls).expect("a client");
        for sql in ["/* epsilon 0.1 */ SELECT COUNT(*) FROM visits", "SELECT DISTINCT region FROM visits"] {
            for refused in [fault(client.query(sql, &[])), fault(client.simple_query(sql))] {
                assert_eq!(refused.code(), &SqlState::INSUFFICIENT_PRIVILEGE, "{user}: {refused:?}");
                assert!(refused.message().contains("researcher"), "{refused:?}");
            }
        }
        assert!(client.simple_query("SELECT 1").is_ok());
    }
}

#[test]
fn every_token_of_a_person_lets_them_in_until_it_ends() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let terms = TokenTerms { name: "laptop".to_owned(), expires_ms: None };
    let other = issue(lab.service.ledger(), "ada", terms, "sam", 0).expect("a token");
    let mut with_other = Raw::enter(&door, "ada", other.text());
    assert!(door.config("ada", &lab.researcher, "visits").connect(NoTls).is_ok());
    // A token that ends before the lab's clock, which stands still in 2026.
    let terms = TokenTerms { name: "old".to_owned(), expires_ms: Some(1_000) };
    let over = issue(lab.service.ledger(), "ada", terms, "sam", 0).expect("a token");
    let refused = refusal(&door, "ada", over.text(), "visits");
    assert!(refused.message().contains("the token expired at 1970-01-01T00:00:01.000Z"), "{refused:?}");
    revoke_token(lab.service.ledger(), "ada", "sam", 0).expect("revoked");
    let (kind, said) = with_other.told(b"SELECT 1\0");
    let said = String::from_utf8_lossy(&said);
    assert!(kind == b'E' && said.contains("FATAL") && said.contains("28P01") && said.contains("revoked"), "{said}");
    assert!(with_other.has_ended());
    assert_eq!(refusal(&door, "ada", other.text(), "visits").code(), &SqlState::INVALID_PASSWORD);
}

#[test]
fn a_token_that_is_older_than_the_door_has_to_be_renewed() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let text = "tct_of_an_older_version";
    let act =
        Act::PersonAdded { name: "old".into(), role: Role::Researcher, token: Token::digest(text), by: "sam".into() };
    lab.service.ledger().act(Box::new(move |_| Some(act)), 0).expect("an entry");
    assert!(block_on(lab.get("/v1/datasets", text)).status.is_success(), "HTTP takes it");
    let refused = refusal(&door, "old", text, "tacit");
    assert_eq!(refused.code(), &SqlState::INVALID_PASSWORD);
    assert!(refused.hint().is_some_and(|hint| hint.contains("ask a steward for another one")), "{refused:?}");
}

#[test]
fn a_failed_block_takes_nothing_until_it_ends_and_leaves_nothing_set() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    let shown =
        |client: &mut Client| client.query_one("SHOW tacit.epsilon", &[]).expect("a setting").get::<_, String>(0);
    client.batch_execute("SET tacit.epsilon = '0.1'; BEGIN; SET tacit.epsilon = '0.5'").expect("set");
    assert_eq!(shown(&mut client), "0.5");
    assert_eq!(fault(client.simple_query("SELECT * FROM visits")).code().code(), "42501");
    for sql in ["SELECT 1", "SELECT COUNT(*) FROM visits", "SET tacit.epsilon = '1'"] {
        assert_eq!(fault(client.simple_query(sql)).code().code(), "25P02", "{sql}");
        assert_eq!(fault(client.query(sql, &[])).code().code(), "25P02", "{sql}");
    }
    client.batch_execute("COMMIT").expect("an end, which is a rollback");
    assert_eq!(shown(&mut client), "0.1");
    client.batch_execute("BEGIN; SET LOCAL tacit.epsilon = '0.7'; SAVEPOINT a").expect("set");
    assert_eq!(shown(&mut client), "0.7");
    client.batch_execute("COMMIT").expect("an end");
    assert_eq!(shown(&mut client), "0.1");
    assert_eq!(fault(client.simple_query("SET tacit.epsilon = 'much'")).code(), &SqlState::INVALID_PARAMETER_VALUE);
    assert_eq!(fault(client.simple_query("SAVEPOINT a")).code().code(), "25P01");
}

#[test]
fn a_channel_in_tls_is_bound_to_its_server() {
    let lab = Lab::gaussian();
    let folder = tempfile::tempdir().expect("a folder");
    let door = Served::in_tls(&lab.service, folder.path());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a certificate")).expect("a root");
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let client = builder.with_root_certificates(roots).with_no_client_auth();
    for (binding, mode) in [
        (ChannelBinding::Require, SslMode::Require),
        (ChannelBinding::Disable, SslMode::Require),
        (ChannelBinding::Prefer, SslMode::Prefer),
    ] {
        let mut config = postgres::Config::new();
        config.host("localhost").hostaddr(door.address.ip()).port(door.address.port());
        config.user("ada").password(&lab.researcher).dbname("visits").ssl_mode(mode).channel_binding(binding);
        let tls = tokio_postgres_rustls::MakeRustlsConnect::new(client.clone());
        let mut connected = config.connect(tls).unwrap_or_else(|error| panic!("{error:?}"));
        assert!(connected.simple_query("SELECT 1").is_ok());
    }
    // On this machine plain text is taken, too.
    assert!(door.config("ada", &lab.researcher, "visits").connect(NoTls).is_ok());
}

#[test]
fn a_person_who_is_added_over_http_comes_in() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let added = block_on(lab.act("/v1/researchers", &json!({"name": "bob"}))).json();
    let token = added["token"].as_str().expect("a token");
    assert!(door.config("bob", token, "tacit").connect(NoTls).is_ok());
    let files = json!({"reason": "a test", "files": [{"name": "a.toml", "text": "[[person]]\nname = \"eve\"\nrole = \"viewer\"\n"}]});
    let applied = block_on(lab.act("/v1/apply", &files)).json();
    let token = applied["tokens"][0]["token"].as_str().unwrap_or_else(|| panic!("{applied}"));
    assert!(door.config("eve", token, "tacit").connect(NoTls).is_ok());
}

#[test]
fn a_session_goes_on_with_the_role_that_its_person_has_now() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    client.batch_execute("SET tacit.epsilon = '0.1'").expect("set");
    let question = "SELECT region, COUNT(*) AS n FROM visits GROUP BY region";
    let mut block = client.transaction().expect("a transaction");
    let portal = block.bind(question, &[]).expect("a portal");
    assert_eq!(block.query_portal(&portal, 1).expect("a row").len(), 1);
    set_role(lab.service.ledger(), "ada", Role::Viewer, None, "sam", 0).expect("another role");
    let dropped = fault(block.query_portal(&portal, 1));
    assert_eq!(dropped.code(), &SqlState::INVALID_CURSOR_NAME, "{dropped:?}");
    block.rollback().expect("an end");
    let before = entries(&lab);
    for refused in [fault(client.query(question, &[])), fault(client.simple_query(question))] {
        assert_eq!(refused.code(), &SqlState::INSUFFICIENT_PRIVILEGE, "{refused:?}");
        assert!(refused.message().contains("your role is viewer"), "{refused:?}");
    }
    assert_eq!(entries(&lab), before);
    set_role(lab.service.ledger(), "ada", Role::Researcher, None, "sam", 0).expect("the role before");
    assert_eq!(client.query(question, &[]).expect("a replay").len(), 4);
}

#[test]
fn the_name_of_a_hidden_statistic_is_like_any_other() {
    const MONTHS: &str =
        "-- title: Visits by month\n-- margin: 120\nSELECT region, COUNT(*) AS n FROM visits GROUP BY region";
    let lab = Lab::publishing(&policy(GAUSSIAN), &[("months", MONTHS)], "2", Arc::new(StoppedClock));
    let door = Served::new(&lab.service);
    let added = block_on(lab.act("/v1/researchers", &json!({"name": "bob"}))).json();
    let mut client =
        door.config("bob", added["token"].as_str().expect("a token"), "tacit").connect(NoTls).expect("bob");
    let mut told = |name: &str| {
        let refused = fault(client.simple_query(&format!("SELECT * FROM {name}")));
        let hint = refused.hint().unwrap_or_default().replace(name, "it");
        (refused.code().clone(), refused.message().replace(name, "it"), hint)
    };
    assert_eq!(told("months"), told("montns"));
}
