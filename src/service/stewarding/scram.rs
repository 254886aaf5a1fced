//! SCRAM-SHA-256 (RFC 5802, RFC 7677): what is kept of a token so that a server can check a proof of it, and the check itself.
//!
//! Promises that a proof is accepted only from somebody who has the token, and that what is kept does not give the token away. A token is
//! 256 random bits, so no list of likely passwords can be tried, and the fewest iterations that the RFC allows are enough. For the same
//! reason the salt may follow from the person's name: then all tokens of a person have one salt, and a name that nobody has looks like any
//! other. The module knows no protocol; the texts of the exchange are its callers'.

use std::num::NonZeroU32;

use ring::{digest, hmac, pbkdf2};

use crate::kernel::budget::entry::ScramVerifier;

/// The number of iterations of new verifiers: the fewest that RFC 7677 allows.
pub const ITERATIONS: u32 = 4_096;
/// What salts are derived for.
const SALTS: &str = "tacit scram salt 1";

/// A verifier that accepts no proof that anybody can make.
pub(crate) const NONE: ScramVerifier =
    ScramVerifier { salt: [0; 16], iterations: ITERATIONS, stored_key: [0; 32], server_key: [0; 32] };

/// The salt of all tokens of the person of this name, whether there is such a person or not.
#[must_use]
pub fn salt(holder: &str) -> [u8; 16] {
    let key = blake3::derive_key(SALTS, holder.as_bytes());
    let mut salt = [0; 16];
    salt.copy_from_slice(&key[..16]);
    salt
}

/// The verifier of a password under a salt.
#[must_use]
pub fn verifier(password: &str, salt: [u8; 16], iterations: u32) -> ScramVerifier {
    let rounds = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut salted);
    let stored_key = hashed(&signed(&salted, b"Client Key"));
    ScramVerifier { salt, iterations, stored_key, server_key: signed(&salted, b"Server Key") }
}

/// Checks a client's proof over the exchange so far, and returns the signature by which the client recognises the server. `None` if the
/// proof is not of the verifier's password.
#[must_use]
pub fn checked(verifier: &ScramVerifier, exchange: &[u8], proof: &[u8]) -> Option<[u8; 32]> {
    let proof: &[u8; 32] = proof.try_into().ok()?;
    let signature = signed(&verifier.stored_key, exchange);
    let mut key = [0; 32];
    key.iter_mut().zip(proof.iter().zip(&signature)).for_each(|(key, (proof, signature))| *key = proof ^ signature);
    let is_it = blake3::Hash::from(hashed(&key)) == blake3::Hash::from(verifier.stored_key);
    is_it.then(|| signed(&verifier.server_key, exchange))
}

fn signed(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref());
    out
}

fn hashed(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, section 3.
    #[test]
    fn the_exchange_of_the_rfc_is_accepted() {
        let bytes = |text: &str| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
        };
        let salt: [u8; 16] = bytes("W22ZaJ0SNY7soEsUEjb6gQ==").try_into().expect("16 bytes");
        let kept = verifier("pencil", salt, 4_096);
        let exchange = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let proof = bytes("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let signature = checked(&kept, exchange.as_bytes(), &proof).expect("the proof of the password");
        assert_eq!(signature.to_vec(), bytes("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert_eq!(checked(&kept, b"another exchange", &proof), None);
        assert_eq!(checked(&verifier("pencils", salt, 4_096), exchange.as_bytes(), &proof), None);
        assert_eq!(checked(&kept, exchange.as_bytes(), &proof[1..]), None);
        assert_eq!(checked(&NONE, exchange.as_bytes(), &proof), None);
    }

    #[test]
    fn salts_follow_from_names() {
        assert_eq!(salt("ada"), salt("ada"));
        assert_ne!(salt("ada"), salt("bob"));
    }
}
