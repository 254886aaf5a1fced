//! The texts of SCRAM-SHA-256 and -PLUS between a client and this server (RFC 5802, RFC 7677, RFC 5929).
//!
//! Promises that a name that nobody has is answered as one that somebody has, that a proof is of one of the person's tokens, and that with
//! channel binding nobody stands in between. Names in these texts are passed over, as PostgreSQL does: the connection said who comes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::kernel::random::{self, NoRandomness};

/// The mechanism without channel binding.
pub(super) const PLAIN: &str = "SCRAM-SHA-256";
/// The mechanism with channel binding.
pub(super) const PLUS: &str = "SCRAM-SHA-256-PLUS";
const BINDING: &str = "p=tls-server-end-point";

/// Why an exchange ends without a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScramFault {
    /// A message is none of the exchange.
    #[error("malformed SCRAM message")]
    Malformed,
    /// The client asks for a mechanism that was not offered.
    #[error("the client chose a mechanism that was not offered")]
    NotOffered,
    /// Somebody between client and server has taken channel binding off the offer.
    #[error("the client supports SCRAM channel binding but thinks the server does not; the server does")]
    Downgraded,
    /// The channel that the client sees is not the server's.
    #[error("SCRAM channel binding check failed")]
    OtherChannel,
    /// The system has no randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// An exchange after the server's first message.
#[derive(Debug)]
pub(super) struct Exchange {
    /// What the client has to repeat in base64: its header, and the channel.
    channel: Vec<u8>,
    nonce: String,
    client_first: String,
    server_first: String,
}

/// A client's proof, and the exchange that it is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// The messages of the exchange.
    pub(super) exchange: String,
    /// The client's proof that it knows the token, which is not sent itself.
    pub(super) proof: Vec<u8>,
}

/// Takes a client's first message, and gives the exchange and the server's first message. `binding` is the hash of the server's certificate
/// if channel binding was offered.
pub(super) fn begun(
    mechanism: &str,
    message: &[u8],
    (salt, iterations): ([u8; 16], u32),
    binding: Option<&[u8]>,
) -> Result<(Exchange, String), ScramFault> {
    let nonce = STANDARD.encode(random::bytes::<18>()?);
    begun_with(mechanism, message, (salt, iterations), binding, &nonce)
}

fn begun_with(
    mechanism: &str,
    message: &[u8],
    (salt, iterations): ([u8; 16], u32),
    binding: Option<&[u8]>,
    own_nonce: &str,
) -> Result<(Exchange, String), ScramFault> {
    let message = std::str::from_utf8(message).map_err(|_| ScramFault::Malformed)?;
    let (flag, rest) = message.split_once(',').ok_or(ScramFault::Malformed)?;
    let (authorization, bare) = rest.split_once(',').ok_or(ScramFault::Malformed)?;
    if !authorization.is_empty() {
        return Err(ScramFault::Malformed);
    }
    let mut channel = format!("{flag},,").into_bytes();
    match (mechanism, flag, binding) {
        (PLAIN, "n", _) | (PLAIN, "y", None) => {}
        (PLAIN, "y", Some(_)) => return Err(ScramFault::Downgraded),
        (PLUS, BINDING, Some(binding)) => channel.extend_from_slice(binding),
        (PLAIN | PLUS, _, _) => return Err(ScramFault::Malformed),
        _ => return Err(ScramFault::NotOffered),
    }
    let mut attributes = bare.split(',');
    let (Some(name), Some(nonce)) = (attributes.next(), attributes.next()) else { return Err(ScramFault::Malformed) };
    let nonce = nonce.strip_prefix("r=").filter(|nonce| !nonce.is_empty()).ok_or(ScramFault::Malformed)?;
    if !name.starts_with("n=") {
        return Err(ScramFault::Malformed);
    }
    let nonce = format!("{nonce}{own_nonce}");
    let server_first = format!("r={nonce},s={},i={iterations}", STANDARD.encode(salt));
    let (client_first, said) = (bare.to_owned(), server_first.clone());
    Ok((Exchange { channel, nonce, client_first, server_first }, said))
}

impl Exchange {
    /// Takes a client's last message, which has its proof.
    pub(super) fn proof(&self, message: &[u8]) -> Result<Proof, ScramFault> {
        let message = std::str::from_utf8(message).map_err(|_| ScramFault::Malformed)?;
        let (without, proof) = message.rsplit_once(",p=").ok_or(ScramFault::Malformed)?;
        let mut attributes = without.split(',');
        let channel = attributes.next().and_then(|channel| channel.strip_prefix("c=")).ok_or(ScramFault::Malformed)?;
        let nonce = attributes.next().and_then(|nonce| nonce.strip_prefix("r=")).ok_or(ScramFault::Malformed)?;
        if STANDARD.decode(channel).map_err(|_| ScramFault::Malformed)? != self.channel {
            return Err(ScramFault::OtherChannel);
        }
        if nonce != self.nonce {
            return Err(ScramFault::Malformed);
        }
        let proof = STANDARD.decode(proof).map_err(|_| ScramFault::Malformed)?;
        Ok(Proof { exchange: format!("{},{},{without}", self.client_first, self.server_first), proof })
    }
}

/// The server's last message, by which the client recognises it.
pub(super) fn ended(signature: [u8; 32]) -> String {
    format!("v={}", STANDARD.encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: ([u8; 16], u32) = ([0x5b; 16], 4_096);

    #[test]
    fn an_exchange_repeats_what_was_said() {
        let (exchange, first) = begun_with(PLAIN, b"n,,n=,r=abc", SALT, None, "def").expect("an exchange");
        assert_eq!(first, "r=abcdef,s=W1tbW1tbW1tbW1tbW1tbWw==,i=4096");
        let proof = exchange.proof(b"c=biws,r=abcdef,p=AAEC").expect("a proof");
        assert_eq!(proof.exchange, format!("n=,r=abc,{first},c=biws,r=abcdef"));
        assert_eq!(proof.proof, [0, 1, 2]);
        for (message, fault) in [
            (&b"c=biws,r=abcde,p=AAEC"[..], ScramFault::Malformed),
            (b"c=eSws,r=abcdef,p=AAEC", ScramFault::OtherChannel),
            (b"c=biws,r=abcdef", ScramFault::Malformed),
            (b"c=biws,r=abcdef,p=?", ScramFault::Malformed),
            (b"\xff", ScramFault::Malformed),
        ] {
            assert_eq!(exchange.proof(message), Err(fault));
        }
    }

    #[test]
    fn the_channel_is_bound_and_nobody_takes_that_away() {
        let begun = |mechanism, message: &str, binding| {
            begun_with(mechanism, message.as_bytes(), SALT, binding, "x").map(|(one, _)| one)
        };
        let channel: &[u8] = &[1, 2];
        let bound = begun(PLUS, "p=tls-server-end-point,,n=,r=a", Some(channel)).expect("an exchange");
        assert_eq!(bound.channel, b"p=tls-server-end-point,,\x01\x02");
        let fault = |mechanism, message, binding| begun(mechanism, message, binding).expect_err("a fault");
        assert_eq!(fault(PLAIN, "y,,n=,r=a", Some(channel)), ScramFault::Downgraded);
        assert!(begun(PLAIN, "y,,n=,r=a", None).is_ok() && begun(PLAIN, "n,,n=,r=a", Some(channel)).is_ok());
        assert_eq!(fault(PLUS, "n,,n=,r=a", Some(channel)), ScramFault::Malformed);
        assert_eq!(fault(PLUS, "p=tls-server-end-point,,n=,r=a", None), ScramFault::Malformed);
        assert_eq!(fault("GSSAPI", "n,,n=,r=a", None), ScramFault::NotOffered);
        for text in ["", "n", "n,", "n,,", "n,a=x,n=,r=a", "n,,n=", "n,,n=,r=", "n,,x=,r=a"] {
            assert_eq!(fault(PLAIN, text, None), ScramFault::Malformed, "{text}");
        }
    }
}
