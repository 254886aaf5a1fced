//! Tokens as entries record them: who was given which, until when, and what lets a server recognise them again.
//!
//! Promises that no token can be computed from what is kept: a digest and a SCRAM verifier of 256 random bits.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::Serialize;

use super::people::Role;

/// A token as it was given to a person. Only its digest is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct IssuedToken {
    /// Name of the person.
    pub name: String,
    /// The person's role, which is the one that they had before unless they are new.
    pub role: Role,
    /// The datasets whose statistics a viewer may see from now on; `None` leaves that as it was.
    pub datasets: Option<Vec<String>>,
    /// Name of the token, unique among those that the person holds.
    pub token_name: String,
    /// Digest of the token.
    #[serde(serialize_with = "hex::serialize")]
    pub token: [u8; 32],
    /// From when on the token is refused, in milliseconds since 1970 in UTC; `None` if it does not expire.
    pub expires_at_ms: Option<u64>,
    /// The steward who gave it.
    pub by: String,
}

/// What a server keeps of a password to check proofs of SCRAM-SHA-256 (RFC 5802, RFC 7677). Neither the password nor a proof can be
/// computed from it; whoever has it can pose as this server.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ScramVerifier {
    /// The salt, which every client is told. All tokens of a person have the same, as a client cannot say which one it holds.
    pub salt: [u8; 16],
    /// The number of iterations, at least 4,096.
    pub iterations: u32,
    /// SHA-256 of the client key.
    pub stored_key: [u8; 32],
    /// The key that the server signs with.
    pub server_key: [u8; 32],
}

/// A token whose verifier is kept beside its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, BorshSerialize, BorshDeserialize)]
pub struct VerifiedToken {
    /// The token.
    #[serde(flatten)]
    pub issued: IssuedToken,
    /// What proofs of it are checked with. Not shown to anybody.
    #[serde(skip)]
    pub verifier: ScramVerifier,
}
