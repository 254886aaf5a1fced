//! People and their tokens: who holds which, under which name, and until when.
//!
//! Promises that a token is good for nothing once it is revoked or its time is over, and that a person's tokens are told apart by name. The
//! first token of a person, and every token of ledgers that are older than names of tokens, is called [`FIRST_TOKEN`] and does not expire.

use super::LedgerState;
use super::fault::FoldFault;
use super::fold::FoldResult;
use super::token_records::{PersonRecord, TokenHolder, TokenRecord};
use crate::kernel::budget::entry::{Digest, IssuedToken, ScramVerifier};
use crate::kernel::budget::people::{FIRST_TOKEN, Person, Role, TokenRefused};

impl LedgerState {
    /// Whether somebody else than this person is a steward with a token that is good.
    #[must_use]
    pub fn has_other_steward(&self, name: &str, now_ms: u64) -> bool {
        let is_other = |(other, role, _): (&String, Role, bool)| {
            role == Role::Steward && other != name && self.may_come_in(other, now_ms)
        };
        self.people().any(is_other)
    }

    /// All people, ordered by name, each with their role and whether they hold a token that was not revoked; it may have expired.
    pub fn people(&self) -> impl Iterator<Item = (&String, Role, bool)> {
        self.people.iter().map(|(name, person)| (name, person.role, !person.tokens.is_empty()))
    }

    /// The role of a person and whether they hold a token that was not revoked; it may have expired.
    #[must_use]
    pub fn person(&self, name: &str) -> Option<(Role, bool)> {
        self.people.get(name).map(|person| (person.role, !person.tokens.is_empty()))
    }

    /// The tokens of a person that were not revoked, in the order in which they were issued; empty if there is no such person.
    #[must_use]
    pub fn tokens_of(&self, name: &str) -> &[TokenRecord] {
        self.people.get(name).map(|person| person.tokens.as_slice()).unwrap_or_default()
    }

    /// Whether a person holds a token with which they may come in.
    #[must_use]
    pub fn may_come_in(&self, name: &str, now_ms: u64) -> bool {
        self.tokens_of(name).iter().any(|token| !token.has_expired(now_ms))
    }

    /// The person whose token has this digest.
    ///
    /// # Errors
    /// [`TokenRefused`] if nobody holds it or its time is over.
    pub fn bearer(&self, token: &Digest, now_ms: u64) -> Result<Person, TokenRefused> {
        let holder = self.tokens.get(token).ok_or(TokenRefused::Unknown)?;
        match holder.expires_ms {
            Some(at_ms) if at_ms <= now_ms => return Err(TokenRefused::Expired { at_ms }),
            Some(_) | None => {}
        }
        let person = self.people.get(&holder.name).ok_or(TokenRefused::Unknown)?;
        Ok(Person { name: holder.name.clone(), role: person.role })
    }

    /// Adds a person, or gives the first token to one who holds none.
    pub(super) fn add_person(&mut self, holder: &str, role: Role, token: Digest, at_ms: u64) -> FoldResult {
        let person = self.people.entry(holder.to_owned()).or_insert(PersonRecord { role, tokens: Vec::new() });
        person.role = role;
        person.tokens.retain(|known| known.name != FIRST_TOKEN);
        let (name, issued_ms) = (FIRST_TOKEN.to_owned(), at_ms);
        let record = TokenRecord { name, digest: token, issued_ms, expires_ms: None, verifier: None };
        self.keep_token(holder, record)
    }

    /// Gives a person another token, and adds them if they are new.
    pub(super) fn issue_token(
        &mut self,
        issued: &IssuedToken,
        verifier: Option<&ScramVerifier>,
        at_ms: u64,
    ) -> FoldResult {
        let IssuedToken { name, role, datasets, token_name, token, expires_at_ms, by: _ } = issued;
        if let Some(datasets) = datasets {
            self.set_viewing(name, datasets)?;
        }
        let person = self.people.entry(name.clone()).or_insert(PersonRecord { role: *role, tokens: Vec::new() });
        if person.role != *role {
            return Err(FoldFault::OtherRole);
        }
        if person.tokens.iter().any(|known| known.name == *token_name) {
            return Err(FoldFault::TokenNameHeld);
        }
        let (token_name, digest, expires_ms) = (token_name.clone(), *token, *expires_at_ms);
        let verifier = verifier.cloned();
        self.keep_token(name, TokenRecord { name: token_name, digest, issued_ms: at_ms, expires_ms, verifier })
    }

    /// Gives a person another role; their tokens, and what they may see as a viewer, are otherwise as before.
    pub(super) fn set_role(&mut self, name: &str, role: Role, datasets: Option<&[String]>) -> FoldResult {
        if let Some(datasets) = datasets {
            self.set_viewing(name, datasets)?;
        }
        self.people.get_mut(name).ok_or(FoldFault::UnknownPerson)?.role = role;
        Ok(())
    }

    fn keep_token(&mut self, holder: &str, record: TokenRecord) -> FoldResult {
        let person = self.people.get_mut(holder).ok_or(FoldFault::UnknownPerson)?;
        self.tokens.insert(record.digest, TokenHolder { name: holder.to_owned(), expires_ms: record.expires_ms });
        person.tokens.push(record);
        Ok(())
    }

    /// Revokes the token of this name; all tokens of the person if `token_name` is `None`.
    pub(super) fn revoke(&mut self, name: &str, token_name: Option<&str>) -> FoldResult {
        let person = self.people.get_mut(name).ok_or(FoldFault::UnknownPerson)?;
        let is_it = |token: &TokenRecord| token_name.is_none_or(|wanted| wanted == token.name);
        if token_name.is_some() && !person.tokens.iter().any(is_it) {
            return Err(FoldFault::UnknownToken);
        }
        for token in person.tokens.extract_if(.., |token| is_it(token)) {
            self.tokens.remove(&token.digest);
        }
        Ok(())
    }
}
