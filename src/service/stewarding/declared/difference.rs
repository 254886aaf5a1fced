//! The difference between what files declare and the ledger's state, found act by act.
//!
//! Each act is checked by the rules of single acts, against the state that the acts before it leave. Acts that give budget back
//! come before acts that take it. The module knows no TOML, draws no tokens and prices nothing.

use std::collections::{BTreeSet, HashMap};

use super::fault::{AllocationFault, DeclaredFault};
use super::file::{Allocation, Declared, DeclaredPerson};
use super::names::{Named, change};
use crate::kernel::budget::entry::{AccountKind, Act, Digest, IssuedToken, ScramVerifier, VerifiedToken};
use crate::kernel::budget::people::FIRST_TOKEN;
use crate::kernel::budget::people::Role;
use crate::kernel::budget::state::LedgerState;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::service::stewarding::grants::{self, Grant, Holder};
use crate::service::stewarding::people::Token;
use crate::service::stewarding::roles::{is_last_steward, seen_as_viewer};
use crate::service::stewarding::scram;

/// What is declared, with everything that takes time or randomness prepared.
pub(super) struct PreparedFiles {
    /// The people and allocations that the files declare.
    pub(super) declared: Declared,
    /// The price equivalent of each ε, by dataset.
    pub(super) amounts: HashMap<(String, Epsilon), Price>,
    /// Digests and verifiers of new tokens, by person; `None` for a plan, which creates no tokens.
    pub(super) tokens: Option<HashMap<String, (Digest, ScramVerifier)>>,
    /// The reason for all changes; a grant may have a reason of its own.
    pub(super) reason: String,
    /// The name of the steward who applies the files.
    pub(super) by: String,
    /// The time of the change, in milliseconds since 1970 in UTC.
    pub(super) now_ms: u64,
}

/// The difference that was found.
#[derive(Default)]
pub(super) struct Difference {
    /// The changes in words, in the order in which they are applied.
    pub(super) changes: Vec<String>,
    /// The changes as acts; taking something under the files' management needs no act.
    pub(super) acts: Vec<Act>,
    /// The effect on each dataset's cap.
    pub(super) shares: Vec<Share>,
}

/// What allocations take of one dataset's cap, before and after.
pub(super) struct Share {
    /// The name of the dataset.
    pub(super) dataset: String,
    /// The ε of its lifetime cap.
    pub(super) epsilon: Epsilon,
    /// The dataset's accountant, which converts amounts to ε.
    pub(super) accountant: Accountant,
    /// Sum of the allocations directly below the dataset before the changes.
    pub(super) before: Price,
    /// Sum of the allocations directly below the dataset after the changes.
    pub(super) after: Price,
}

/// Finds the difference from `book` (the ledger's state), which stays as it is.
///
/// # Errors
/// The first refusal, with its place in the files.
pub(super) fn between(book: &LedgerState, given: &PreparedFiles) -> Result<Difference, DeclaredFault> {
    let mut walk = Walk { given, managed: book.managed(), sketch: book.sketch(), found: Difference::default() };
    let gone: Vec<&String> = book.managed().iter().filter(|name| !given.declared.names.contains_key(*name)).collect();
    let is_lowered = |wanted: &&Allocation| {
        let now = wanted.named().held(book);
        now.is_some_and(|now| now.gives_back(&wanted.allotment()))
    };
    let (lowered, others): (Vec<_>, Vec<_>) = given.declared.allocations.iter().partition(is_lowered);
    // Who is a steward and is to be none comes last, so that another one may be declared anywhere in the files.
    let is_demoted = |person: &&DeclaredPerson| {
        person.role != Role::Steward && book.person(&person.name).is_some_and(|(held, _)| held == Role::Steward)
    };
    let (demoted, people): (Vec<_>, Vec<_>) = given.declared.people.iter().partition(is_demoted);
    people.into_iter().chain(demoted).try_for_each(|person| walk.add(person))?;
    lowered.into_iter().try_for_each(|wanted| walk.allocate(wanted))?;
    gone.iter().try_for_each(|name| walk.withdraw(name))?;
    others.into_iter().try_for_each(|wanted| walk.allocate(wanted))?;
    gone.iter().try_for_each(|name| walk.revoke(name))?;
    walk.found.shares = walk.shares(book);
    Ok(walk.found)
}

struct Walk<'a> {
    given: &'a PreparedFiles,
    /// Names of everything that files declared before.
    managed: &'a BTreeSet<String>,
    /// A copy of the ledger's state, with the acts so far applied.
    sketch: LedgerState,
    found: Difference,
}

impl Walk<'_> {
    fn take(&mut self, words: String, act: Act) -> Result<(), DeclaredFault> {
        self.sketch.try_act(&act, self.given.now_ms)?;
        self.found.changes.push(words);
        self.found.acts.push(act);
        Ok(())
    }

    /// Notes that files manage from now on what exists already.
    fn adopt(&mut self, named: &str) {
        if !self.managed.contains(named) {
            self.found.changes.push(format!("manage {named} by files from now on"));
        }
    }

    /// Notes that files no longer manage something that leaves nothing to withdraw.
    fn forget(&mut self, named: &str) {
        self.found.changes.push(format!("no longer manage {named} by files"));
    }

    fn add(&mut self, person: &DeclaredPerson) -> Result<(), DeclaredFault> {
        let given = self.given;
        let DeclaredPerson { at: _, name, role, datasets } = person;
        self.check_datasets(person)?;
        self.set_role(person)?;
        let words = match self.sketch.person(name) {
            Some((_, true)) => {
                self.adopt(&Named::Person(name).to_string());
                return self.let_see(person);
            }
            Some((_, false)) => format!("give {name}, who is a {role}, a new token"),
            None => format!("add person {name} as {role}"),
        };
        let (token, verifier) = match &given.tokens {
            // A plan's digest and verifier are never used: its state is a copy that is thrown away.
            None => (Token::digest(name), scram::NONE),
            Some(tokens) => tokens.get(name).cloned().ok_or(DeclaredFault::TokenChanged { name: name.clone() })?,
        };
        let words = match datasets {
            None => words,
            Some(datasets) => format!("{words} of {}", listed(datasets)),
        };
        let (name, role, by, datasets) = (name.clone(), *role, given.by.clone(), datasets.clone());
        let (token_name, expires_at_ms) = (FIRST_TOKEN.to_owned(), None);
        let issued = IssuedToken { name, role, datasets, token_name, token, expires_at_ms, by };
        self.take(words, Act::TokenIssuedWithVerifier(Box::new(VerifiedToken { issued, verifier })))
    }

    /// Gives somebody who exists with another role the declared one. The last steward who may come in keeps theirs.
    fn set_role(&mut self, person: &DeclaredPerson) -> Result<(), DeclaredFault> {
        let Some((held, _)) = self.sketch.person(&person.name).filter(|(held, _)| *held != person.role) else {
            return Ok(());
        };
        let (name, role) = (person.name.clone(), person.role);
        if is_last_steward(&self.sketch, &name, self.given.now_ms) {
            let place = self.given.declared.place(person.at);
            return Err(DeclaredFault::LastStewardChanged { place, name, role });
        }
        let given = || person.datasets.clone().unwrap_or_else(|| seen_as_viewer(&self.sketch, &name));
        let datasets = (role == Role::Viewer).then(given);
        let of = datasets.as_deref().map_or_else(String::new, |datasets| format!(" of {}", listed(datasets)));
        let words = format!("make {name}, who is a {held}, a {role}{of}");
        self.take(words, Act::RoleSet { name, role, datasets, by: self.given.by.clone() })
    }

    /// Gives an existing viewer the datasets that files name; if they name none, the viewer's datasets stay as they are.
    fn let_see(&mut self, person: &DeclaredPerson) -> Result<(), DeclaredFault> {
        let Some(datasets) = &person.datasets else { return Ok(()) };
        let is_so = self.sketch.viewing(&person.name).is_some_and(|known| known.iter().eq(datasets));
        if is_so {
            return Ok(());
        }
        let (name, datasets, by) = (person.name.clone(), datasets.clone(), self.given.by.clone());
        self.take(format!("let {name} see {}", listed(&datasets)), Act::ViewingSet { name, datasets, by })
    }

    fn check_datasets(&self, person: &DeclaredPerson) -> Result<(), DeclaredFault> {
        let named = person.datasets.iter().flatten();
        match named.into_iter().find(|dataset| self.sketch.dataset(dataset).is_none()) {
            None => Ok(()),
            Some(unknown) => {
                let (dataset, viewer) = (unknown.clone(), person.name.clone());
                Err(DeclaredFault::UnknownDataset { place: self.given.declared.place(person.at), dataset, viewer })
            }
        }
    }

    fn allocate(&mut self, wanted: &Allocation) -> Result<(), DeclaredFault> {
        if wanted.stands(&self.sketch) {
            self.adopt(&wanted.named().to_string());
            return Ok(());
        }
        let now = wanted.named().held(&self.sketch);
        let words = change(&wanted.named(), now.as_ref(), &wanted.allotment());
        let act = self.act(wanted).map_err(|fault| {
            let (place, change) = (self.given.declared.place(wanted.at), words.clone());
            DeclaredFault::Allocation { place, change, fault }
        })?;
        self.take(words, act)
    }

    /// The act of an allocation, by the rules of a single grant.
    fn act(&self, wanted: &Allocation) -> Result<Act, AllocationFault> {
        let Allocation { to, dataset, epsilon, reason, .. } = wanted;
        let whole = self.sketch.dataset(dataset);
        let whole = whole.ok_or_else(|| AllocationFault::UnknownDataset { dataset: dataset.clone() })?;
        let below = wanted.named().held(&self.sketch).and_then(|now| now.project);
        if let (Some(project), Holder::Researcher { project: None, .. }) = (below, to) {
            return Err(AllocationFault::BelowProject { project: project.to_owned() });
        }
        let is_whole = self.sketch.account(whole.account).epsilon == *epsilon;
        let amount = self.given.amounts.get(&(dataset.clone(), *epsilon)).copied();
        let amount = match (is_whole, amount) {
            (true, _) => None,
            (false, Some(amount)) => Some(amount),
            (false, None) => return Err(AllocationFault::AccountsChanged { dataset: dataset.clone() }),
        };
        let reason = reason.clone().unwrap_or_else(|| self.given.reason.clone());
        let (to, dataset, epsilon, by) = (to.clone(), dataset.clone(), *epsilon, self.given.by.clone());
        let grant = Grant { to, dataset, epsilon, reason, by };
        Ok(grants::act_of(&self.sketch, whole.cap.accountant, &grant, amount, self.given.now_ms)?)
    }

    /// Lowers an allocation that is no longer declared to zero; what was spent of it stays spent.
    fn withdraw(&mut self, named: &str) -> Result<(), DeclaredFault> {
        let Some(Named::Account { kind, dataset, name }) = Named::read(named) else { return Ok(()) };
        let account = Named::Account { kind, dataset, name };
        let held = account.held(&self.sketch).filter(|held| held.epsilon.nanos() > 0);
        let Some(held) = held else {
            self.forget(named);
            return Ok(());
        };
        let words =
            format!("lower {} from epsilon {} to 0, as it is no longer declared", account.whose(), held.epsilon);
        let (project, period_days) = (held.project.map(str::to_owned), held.period_days);
        let (name, dataset) = (name.to_owned(), dataset.to_owned());
        let (epsilon, amount) = (Epsilon::from_nanos(0), Price::ZERO);
        let (reason, by) = (self.given.reason.clone(), self.given.by.clone());
        let act = match kind {
            AccountKind::Project => Act::ProjectGranted { project: name, dataset, epsilon, amount, reason, by },
            AccountKind::Researcher => {
                Act::Granted { researcher: name, dataset, project, epsilon, amount, period_days, reason, by }
            }
            AccountKind::Statistics => Act::StatisticsGranted { dataset, epsilon, amount, period_days, reason, by },
            AccountKind::Dataset => return Err(DeclaredFault::CapNotRaised { dataset }),
        };
        self.take(words, act)
    }

    /// Revokes the token of a person who is no longer declared, unless that would leave no steward.
    fn revoke(&mut self, named: &str) -> Result<(), DeclaredFault> {
        let Some(Named::Person(name)) = Named::read(named) else { return Ok(()) };
        let Some((role, true)) = self.sketch.person(name) else {
            self.forget(named);
            return Ok(());
        };
        let is_steward = |(_, role, is_active): &(&String, Role, bool)| *role == Role::Steward && *is_active;
        if role == Role::Steward && self.sketch.people().filter(is_steward).count() <= 1 {
            return Err(DeclaredFault::LastSteward { name: name.to_owned() });
        }
        let (name, by) = (name.to_owned(), self.given.by.clone());
        self.take(format!("revoke the token of {name}, who is no longer declared"), Act::TokenRevoked { name, by })
    }

    fn shares(&self, book: &LedgerState) -> Vec<Share> {
        let names = self.managed.iter().chain(self.given.declared.names.keys());
        let named: BTreeSet<&str> = names.filter_map(|name| Named::read(name)?.dataset()).collect();
        let now_ms = self.given.now_ms;
        let datasets = book.datasets().filter(|(name, _)| named.contains(name.as_str()));
        let shares = datasets.map(|(name, whole)| Share {
            dataset: name.clone(),
            epsilon: book.account(whole.account).epsilon,
            accountant: whole.cap.accountant,
            before: book.shares_below(whole.account, None, now_ms),
            after: self.sketch.shares_below(whole.account, None, now_ms),
        });
        shares.collect()
    }
}

/// Describes the statistics that a viewer of these datasets may see.
fn listed(datasets: &[String]) -> String {
    if datasets.is_empty() {
        "public statistics alone".to_owned()
    } else {
        format!("the statistics of {}", datasets.join(", "))
    }
}
