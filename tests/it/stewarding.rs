//! A steward's acts give the same results on a state directory and through a running server.

use std::sync::Arc;

use serde_json::{Value, json};
use tacit::audit::throwaway;
use tacit::client::stewarding::{NewGrant, NewPerson, StateDirectory, Stewarding, StewardingError};
use tacit::kernel::budget::people::Role;
use tacit::kernel::privacy::amounts::Epsilon;
use tacit::ledger::SqliteLedger;
use tacit::service::stewarding::declared::DeclaredFile;
use tacit::service::stewarding::entries::SearchText;
use tacit::service::stewarding::grants::{self, Grant, Holder};
use tacit::service::stewarding::requests::{self, Decision};

use crate::support::{GAUSSIAN, Lab, StoppedClock, policy};

/// A lab whose only request, of `ada` for a total of 2, has this number.
fn lab() -> (Lab, u64) {
    let lab = Lab::gaussian();
    let ledger = lab.service.ledger();
    let to = Holder::Researcher { name: "ada".into(), project: None, period_days: None };
    let (dataset, reason, by) = ("visits".to_owned(), "less than before".to_owned(), "sam".to_owned());
    grants::grant(ledger, Grant { to, dataset, epsilon: epsilon("1"), reason, by }, 0).expect("a grant");
    let number = requests::file(ledger, "ada", "visits", epsilon("2"), "a second study", 0).expect("a request");
    (lab, number)
}

fn epsilon(text: &str) -> Epsilon {
    Epsilon::parse(text).expect("an ε")
}

fn said<T>(result: Result<T, StewardingError>) -> String {
    let error = result.err().map(|error| error.to_string()).unwrap_or_default();
    // A server says the code first, and a hint after the reason.
    error.rsplit(": ").next().unwrap_or_default().to_owned()
}

/// Does every act once, and returns what each of them and each list said, without what depends on chance or on the time.
fn all_acts(steward: &dyn Stewarding, number: u64) -> Vec<Value> {
    let vic = NewPerson { name: "val".into(), role: Role::Viewer, datasets: Some(vec!["visits".into()]) };
    let added = steward.add_person(&vic).expect("a person");
    assert!(added.token.starts_with("tct_"), "a token");
    let again = said(steward.add_person(&vic));
    steward.set_viewing("val", &[]).expect("no datasets");
    let nobody = said(steward.set_viewing("nobody", &[]));
    let given = steward.issue_token("val", "laptop", Some("2099-12-31")).expect("a token");
    assert!(given.token.starts_with("tct_"), "a token");
    let held: Vec<_> =
        steward.tokens("val").expect("tokens").into_iter().map(|one| (one.name, one.expires, one.active)).collect();
    let held_twice = said(steward.issue_token("val", "laptop", None));
    let over = said(steward.issue_token("val", "old", Some("1999-12-31")));
    steward.revoke_token("val", Some("laptop")).expect("revoked");
    let unknown = said(steward.revoke_token("val", Some("laptop")));
    steward.revoke_token("val", None).expect("revoked");

    let heart = NewGrant {
        to: Holder::Project { name: "heart".into() },
        dataset: "visits".into(),
        epsilon: epsilon("0.5"),
        reason: "a study".into(),
    };
    steward.grant(&heart).expect("a grant");
    let large = said(steward.grant(&NewGrant { epsilon: epsilon("100"), ..heart }));
    steward.set_frozen("visits", true, "an audit").expect("frozen");
    let frozen = said(steward.set_frozen("visits", true, "an audit"));
    steward.set_frozen("visits", false, "it is over").expect("unfrozen");

    let decided = steward.decide(number, Decision::Grant { epsilon: None }, "a good plan").expect("decided");
    let twice = said(steward.decide(number, Decision::Decline, "no"));
    let text = "[[person]]\nname = \"bob\"\nrole = \"researcher\"\n".to_owned();
    let files = [DeclaredFile { name: "people.toml".into(), text }];
    let planned = steward.plan(&files).expect("a plan");
    let applied = steward.apply(&files, "a new term").expect("applied");
    assert_eq!((planned.tokens.len(), applied.tokens.len()), (0, 1), "tokens are made by applying alone");
    let unchanged = steward.apply(&files, "once more").expect("applied").changes;

    let acts: Vec<Value> = steward
        .entries(&SearchText::default(), number, 100)
        .expect("entries")
        .iter()
        .map(|one| one["act"].clone())
        .collect();
    let accounts: Vec<_> =
        steward.accounts().expect("accounts").iter().map(|one| (one.id(), one.account.clone())).collect();
    let requests: Vec<_> =
        steward.requests().expect("requests").into_iter().map(|one| (one.number, one.status)).collect();
    vec![
        json!([added.name, added.role, added.datasets]),
        json!([again, nobody, large, frozen, twice, held_twice, over, unknown]),
        json!([given.expires, held]),
        json!([decided.number, decided.status, decided.decision_reason]),
        json!([planned.changes, planned.caps, applied.changes, applied.caps, unchanged]),
        json!([acts, accounts, requests]),
    ]
}

#[test]
fn acts_are_the_same_at_a_directory_and_at_a_server() {
    let (served, number) = lab();
    let at_server = throwaway::with(served.service.clone(), &served.steward, |client| all_acts(client, number));
    let at_server = at_server.unwrap_or_else(|error| panic!("{error}"));

    let (Lab { dir, service, router, .. }, number) = lab();
    drop((service, router));
    let ledger = SqliteLedger::open(&dir.path().join("state"), 0).unwrap_or_else(|error| panic!("{error}"));
    let at_directory = all_acts(&StateDirectory::new(ledger), number);

    assert_eq!(at_server, at_directory);
    let refusals = at_directory[1].as_array().expect("refusals").iter().map(|said| said.as_str().unwrap_or_default());
    assert!(
        refusals.clone().all(|said| !said.is_empty()),
        "every refusal says why: {:?}",
        refusals.collect::<Vec<_>>()
    );
}

const OLDER: &str = "-- title: Older people\n-- epsilon: 0.1\nSELECT COUNT(*) AS n FROM visits WHERE age > 50";

/// Checks two query files and publishes one of them, and returns what was said, without the release that only a server draws.
fn all_publishing(steward: &dyn Stewarding) -> Value {
    let file = |name: &str, text: &str| DeclaredFile { name: name.into(), text: text.into() };
    let files = [file("older.sql", OLDER), file("broken.sql", &OLDER.replace("age", "ages"))];
    let checked = steward.check_statistics(&files).expect("checked");
    assert!(checked[0].estimate.is_some() && checked[1].fault.is_some(), "{checked:?}");
    let dear = said(steward.publish_statistic("older", Some(epsilon("0.05"))));
    assert!(dear.contains("0.05"), "{dear}");
    let published = steward.publish_statistic("older", Some(epsilon("0.1"))).expect("published");
    let standing = steward.check_statistics(&files[..1]).expect("checked")[0].estimate.as_ref().map(|one| one.standing);
    json!([checked, dear, published.name, published.epsilon, published.standing, standing])
}

#[test]
fn statistics_are_published_alike_at_a_directory_and_at_a_server() {
    let lab = || Lab::waiting(&policy(GAUSSIAN), &[("older", OLDER)], "1", Arc::new(StoppedClock));
    let served = lab();
    let at_server = throwaway::with(served.service.clone(), &served.steward, |client| all_publishing(client));
    let at_server = at_server.unwrap_or_else(|error| panic!("{error}"));

    let Lab { dir, service, router, .. } = lab();
    drop((service, router));
    std::fs::write(dir.path().join("older.sql"), OLDER).expect("a query file");
    let ledger = SqliteLedger::open(&dir.path().join("state"), 0).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(at_server, all_publishing(&StateDirectory::new(ledger).with_queries(Some(dir.path()))));
}
