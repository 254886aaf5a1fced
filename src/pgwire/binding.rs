//! The hash of a server's certificate that SCRAM binds to a channel: `tls-server-end-point` (RFC 5929).
//!
//! Promises a hash for certificates that are signed with RSA or ECDSA, by the hash of their signature, and none for others, for which the RFC
//! defines none. It reads of a certificate where the name of its signature stands, and nothing else.

use ring::digest::{self, Algorithm};

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
const SEQUENCE: u8 = 0x30;
const NAME: u8 = 0x06;

/// The hash of a certificate, in DER, that clients bind their channel to; `None` if none is defined for it.
pub(super) fn of_certificate(certificate: &[u8]) -> Option<Vec<u8>> {
    Some(digest::digest(algorithm(certificate)?, certificate).as_ref().to_vec())
}

fn algorithm(certificate: &[u8]) -> Option<&'static Algorithm> {
    let (whole, _) = element(certificate, SEQUENCE)?;
    let (_, behind) = element(whole, SEQUENCE)?;
    let (signature, _) = element(behind, SEQUENCE)?;
    let (name, _) = element(signature, NAME)?;
    let (last, kind) = name.split_last()?;
    match (kind, last) {
        // MD5 and SHA-1 are replaced by SHA-256.
        (RSA, 4 | 5 | 11) | (ECDSA, 2) => Some(&digest::SHA256),
        (RSA, 12) | (ECDSA, 3) => Some(&digest::SHA384),
        (RSA, 13) | (ECDSA, 4) => Some(&digest::SHA512),
        _ => None,
    }
}

/// The content of the first element, which is of this kind, and what follows it.
fn element(bytes: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ ..0x80 => (short, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long & 0x7f)?;
            let length = digits
                .iter()
                .try_fold(0_usize, |length, digit| length.checked_mul(256)?.checked_add(usize::from(*digit)))?;
            (length, rest)
        }
    };
    (*found == kind).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate that has nothing but a signature with this name.
    fn certificate(name: &[u8]) -> Vec<u8> {
        let of = |kind: u8, content: Vec<u8>| [vec![kind, content.len() as u8], content].concat();
        let inside = [of(SEQUENCE, vec![2, 1, 0]), of(SEQUENCE, of(NAME, name.to_vec()))].concat();
        of(SEQUENCE, inside)
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        for (kind, last, bytes) in [
            (RSA, 11, Some(32)),
            (RSA, 5, Some(32)),
            (ECDSA, 3, Some(48)),
            (RSA, 13, Some(64)),
            (ECDSA, 9, None),
            (RSA, 10, None),
        ] {
            let certificate = certificate(&[kind, &[last]].concat());
            assert_eq!(of_certificate(&certificate).map(|hash| hash.len()), bytes);
        }
        for cut in [&[][..], &[0x30], &[0x30, 0x84, 1], &[0x30, 0x02, 0x30], &[0x31, 0]] {
            assert_eq!(of_certificate(cut), None);
        }
    }
}
