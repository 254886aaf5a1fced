//! How a row's cells are packed while they wait to be sorted.

use crate::engine::seal::encode::{NULL, by_value};
use std::collections::HashMap;

/// The keyed digests of a row: one of its unit's id, and one of id and values. If rows are units, nothing is cut, and the digest of the
/// row's number spreads equal rows over the parts.
pub(super) fn digests(key: &[u8; 32], id: Option<&str>, number: u64, values: &[i64]) -> (u128, u64) {
    let unit = match id {
        Some(id) => first_u128(blake3::keyed_hash(key, id.as_bytes()).as_bytes()),
        None => return (first_u128(blake3::keyed_hash(key, &number.to_le_bytes()).as_bytes()), 0),
    };
    (unit, order(key, unit, values))
}

/// Number of low bits of a unit's digest that tell spellings of one number apart.
pub(super) const SPELLING_BITS: u32 = 32;

/// The keyed digests of a row of one of several tables. Ids that are the same number have the same digest but for its low bits, so that
/// they follow one another in the order of digests.
pub(super) fn shared_digests(key: &[u8; 32], id: &str, values: &[i64]) -> (u128, u64) {
    let of = |text: &str| first_u128(blake3::keyed_hash(key, text.as_bytes()).as_bytes());
    let low = (1 << SPELLING_BITS) - 1;
    let unit = of(by_value(id).as_ref()) & !low | of(id) & low;
    (unit, order(key, unit, values))
}

/// The digest that orders a unit's rows.
fn order(key: &[u8; 32], unit: u128, values: &[i64]) -> u64 {
    // The unit, and every value in as few bytes as it needs, all but the last byte with the top bit set: no two rows have the same bytes.
    let mut bytes = [0; ROW_BYTES];
    bytes[..16].copy_from_slice(&unit.to_le_bytes());
    let mut hasher = blake3::Hasher::new_keyed(key);
    let mut end = 16;
    for value in values {
        let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
        while rest > 0x7f {
            bytes[end] = rest as u8 | 0x80;
            (rest, end) = (rest >> 7, end + 1);
        }
        bytes[end] = rest as u8;
        end += 1;
        if end > ROW_BYTES - VALUE_BYTES_MAX {
            hasher.update(&bytes[..end]);
            end = 0;
        }
    }
    hasher.update(&bytes[..end]);
    first_u128(hasher.finalize().as_bytes()) as u64
}

/// The number of bytes of a row that are digested at once; [`VALUE_BYTES_MAX`] is the largest number for one value.
pub(super) const ROW_BYTES: usize = 512;
pub(super) const VALUE_BYTES_MAX: usize = 10;

pub(super) fn first_u128(bytes: &[u8; 32]) -> u128 {
    u128::from_le_bytes(std::array::from_fn(|at| bytes[at]))
}

/// Converts a stored integer, with `None` for a missing value.
pub(super) fn present(value: i64) -> Option<i64> {
    (value != NULL).then_some(value)
}

/// The texts of each column, by the integers that stand for them; empty for columns of other types.
pub(super) type Texts = Vec<HashMap<i64, String>>;
