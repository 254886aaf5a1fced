//! `numeric` in binary: digits of base 10,000, as PostgreSQL sends and reads them.

use bytes::{Buf, BufMut, BytesMut};

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
/// Decimal digits of a digit of base 10,000.
const DIGITS: usize = 4;
/// Largest number of digits of base 10,000 that are read.
const DIGITS_MAX: usize = 64;

/// Writes decimal digits such as `-12.50`; `None` if the text is no plain decimal number.
pub(super) fn write(text: &str, out: &mut BytesMut) -> Option<()> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (0, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + part.len() == 0 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let groups = whole.len().div_ceil(DIGITS);
    let padded = format!(
        "{}{whole}{part}{}",
        "0".repeat(groups * DIGITS - whole.len()),
        "0".repeat(part.len().div_ceil(DIGITS) * DIGITS - part.len())
    );
    let all: Vec<u16> =
        padded.as_bytes().chunks(DIGITS).map(|four| four.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0'))).collect();
    let ahead = all.iter().take_while(|digit| **digit == 0).count();
    let behind = all[ahead..].iter().rev().take_while(|digit| **digit == 0).count();
    let kept = &all[ahead..all.len() - behind];
    out.put_i16(i16::try_from(kept.len()).ok()?);
    let weight = i16::try_from(groups).ok()? - i16::try_from(ahead).ok()? - 1;
    out.put_i16(if kept.is_empty() { 0 } else { weight });
    out.put_u16(if kept.is_empty() { 0 } else { sign });
    out.put_u16(u16::try_from(part.len()).ok()?);
    kept.iter().for_each(|digit| out.put_u16(*digit));
    Some(())
}

/// Reads a number as decimal digits; `None` if the bytes are no finite number.
pub(super) fn read(mut bytes: &[u8]) -> Option<String> {
    if bytes.len() < 8 {
        return None;
    }
    let (count, weight) = (usize::from(bytes.get_u16()), i32::from(bytes.get_i16()));
    let (sign, scale) = (bytes.get_u16(), usize::from(bytes.get_u16()));
    if sign >= NAN || count > DIGITS_MAX || bytes.len() != 2 * count || weight.abs() > 64 || scale > 4 * DIGITS_MAX {
        return None;
    }
    let digits: Vec<u16> = (0..count).map(|_| bytes.get_u16()).collect();
    let at = |place: i32| usize::try_from(weight - place).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0);
    let whole: String = (0..=weight.max(0)).rev().map(|place| format!("{:04}", at(place))).collect();
    let groups = i32::try_from(scale.div_ceil(DIGITS)).ok()?;
    let part: String = (1..=groups).map(|place| format!("{:04}", at(-place))).collect();
    let whole = whole.trim_start_matches('0');
    let sign = if sign == NEGATIVE { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(match part.get(..scale).unwrap_or("") {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_postgresql_writes_them() {
        for (text, bytes) in [
            ("0", vec![0, 0, 0, 0, 0, 0, 0, 0]),
            ("1", vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 1]),
            ("-12.50", vec![0, 2, 0, 0, 0x40, 0, 0, 2, 0, 12, 0x13, 0x88]),
            ("10000", vec![0, 1, 0, 1, 0, 0, 0, 0, 0, 1]),
            ("0.0001", vec![0, 1, 0xff, 0xff, 0, 0, 0, 4, 0, 1]),
        ] {
            let mut out = BytesMut::new();
            assert_eq!(write(text, &mut out), Some(()));
            assert_eq!(out.to_vec(), bytes, "{text}");
            assert_eq!(read(&bytes).as_deref(), Some(text));
        }
        for text in ["", "-", "1e5", "NaN", "1.2.3", "x"] {
            assert_eq!(write(text, &mut BytesMut::new()), None, "{text}");
        }
        for bytes in [&[0; 7][..], &[0, 1, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 0xc0, 0, 0, 0]] {
            assert_eq!(read(bytes), None);
        }
    }
}
