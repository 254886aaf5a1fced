//! Tests of the canonical bytes of entries.

use super::*;

/// The numbers of acts are written into ledgers: those that were left out between two of them are other acts'.
#[test]
fn acts_have_the_numbers_that_they_had() {
    let number = |act| Entry::following(0, GENESIS, 1, act).canonical_bytes()[1 + 8 + 8 + 32];
    let (name, by) = (String::from("ada"), String::from("sam"));
    assert_eq!(number(Act::TokenRevoked { name: name.clone(), by: by.clone() }), 4);
    let applied = Act::Applied { reason: "r".into(), by: by.clone(), managed: Vec::new(), acts: Vec::new() };
    assert_eq!(number(applied), APPLIED);
    let issued = IssuedToken {
        name: name.clone(),
        role: Role::Viewer,
        datasets: Some(vec!["v".into()]),
        token_name: "t".into(),
        token: [7; 32],
        expires_at_ms: Some(2),
        by: by.clone(),
    };
    let entry = Entry::following(0, GENESIS, 1, Act::TokenIssued(Box::new(issued)));
    let bytes = entry.canonical_bytes();
    let text = |text: &str| [&[text.len() as u8, 0, 0, 0], text.as_bytes()].concat();
    let expiry = [1, 2, 0, 0, 0, 0, 0, 0, 0].to_vec();
    let parts = [vec![28], text("ada"), vec![2, 1, 1, 0, 0, 0], text("v"), text("t"), vec![7; 32], expiry, text("sam")];
    assert_eq!(bytes[1 + 8 + 8 + 32..], parts.concat());
    assert_eq!(Entry::read(&bytes), Some(entry));
    assert_eq!(number(Act::NamedTokenRevoked { name: name.clone(), token_name: "t".into(), by: by.clone() }), 29);
    let set = Act::RoleSet { name, role: Role::Viewer, datasets: Some(vec!["v".into()]), by };
    let entry = Entry::following(0, GENESIS, 1, set);
    let bytes = entry.canonical_bytes();
    let parts = [vec![31], text("ada"), vec![2, 1, 1, 0, 0, 0], text("v"), text("sam")];
    assert_eq!(bytes[1 + 8 + 8 + 32..], parts.concat());
    assert_eq!(Entry::read(&bytes), Some(entry));
}

/// A token with a verifier is written as one without, and then the verifier; people see nothing of it.
#[test]
fn a_verifier_stands_behind_its_token() {
    let issued = IssuedToken {
        name: "ada".into(),
        role: Role::Researcher,
        datasets: None,
        token_name: "first".into(),
        token: [7; 32],
        expires_at_ms: None,
        by: "sam".into(),
    };
    let verifier = ScramVerifier { salt: [1; 16], iterations: 4_096, stored_key: [2; 32], server_key: [3; 32] };
    let plain = Entry::following(0, GENESIS, 1, Act::TokenIssued(Box::new(issued.clone()))).canonical_bytes();
    let token = VerifiedToken { issued, verifier };
    let entry = Entry::following(0, GENESIS, 1, Act::TokenIssuedWithVerifier(Box::new(token)));
    let bytes = entry.canonical_bytes();
    let (act, after) = (1 + 8 + 8 + 32, plain.len());
    assert_eq!((bytes[act], &bytes[act + 1..after]), (30, &plain[act + 1..]));
    assert_eq!(bytes[after..], [vec![1; 16], vec![0, 16, 0, 0], vec![2; 32], vec![3; 32]].concat());
    assert_eq!(Entry::read(&bytes), Some(entry.clone()));
    let shown = serde_json::to_value(&entry).expect("JSON");
    assert_eq!((&shown["act"], &shown["name"]), (&"token-issued-with-verifier".into(), &"ada".into()));
    assert!(shown.get("verifier").is_none() && shown.get("salt").is_none(), "{shown}");
    assert_eq!(Act::shown_kind(entry.act.kind()), "token-issued");
}

#[test]
fn acts_within_acts_are_not_read() {
    let applied = |acts| Act::Applied { reason: "r".into(), by: "sam".into(), managed: Vec::new(), acts };
    let revoked = Act::TokenRevoked { name: "ada".into(), by: "sam".into() };
    let one = Entry::following(0, GENESIS, 1, applied(vec![SingleAct(revoked)]));
    assert_eq!(Entry::read(&one.canonical_bytes()), Some(one));
    let nested = Entry::following(0, GENESIS, 1, applied(vec![SingleAct(applied(Vec::new()))]));
    assert_eq!(Entry::read(&nested.canonical_bytes()), None);
}
