//! Hexadecimal text of digests and other bytes, as it appears on pages, in JSON and in ids.

use std::fmt::Write;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Encodes bytes as lower-case hexadecimal, two digits per byte.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Decodes a 32-byte digest from exactly 64 hexadecimal digits; `None` for any other text.
#[must_use]
pub fn decode(text: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(text).ok().map(|hash| *hash.as_bytes())
}

/// Decodes hexadecimal text of any length, two digits per byte; `None` for an odd number of digits or any other character.
#[must_use]
pub fn decode_bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

/// Serializes a digest as 64 hexadecimal digits, for `#[serde(with = "crate::hex")]`.
///
/// # Errors
/// Only what the serializer itself returns.
pub fn serialize<S: Serializer>(digest: &[u8; 32], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&encode(digest))
}

/// Deserializes a digest from 64 hexadecimal digits, for `#[serde(with = "crate::hex")]`.
///
/// # Errors
/// An error of the deserializer for text that is not 64 hexadecimal digits.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(from)?;
    decode(&text).ok_or_else(|| D::Error::custom("64 hexadecimal digits are wanted"))
}
