//! Parts of a file by byte range (RFC 9110, section 14), so that readers of Parquet and Arrow take only what they need.
//!
//! Promises that a range that cannot be read, or that is about other bytes than these (`If-Range`), is passed over, and that one beyond the
//! end is told how long the file is. Which bytes are asked for tells a reader nothing that the whole does not.

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// The largest number of ranges that are sent at once; for more of them, the whole is sent.
const RANGES_MAX: usize = 16;
/// The largest number of bytes that several ranges are copied together from; for more, the whole is sent.
const TOGETHER_BYTES_MAX: usize = 8 << 20;

/// The part of a file that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedPart {
    /// The whole file.
    Whole,
    /// One range of its bytes.
    One(Range<usize>),
    /// Several ranges, in the order in which they were asked for.
    Several(Vec<Range<usize>>),
    /// Nothing but what lies beyond the end.
    Beyond,
}

/// The part of `len` bytes that a request asks for. `etag` and `last_modified` name the bytes that there are.
pub fn wanted(headers: &HeaderMap, (etag, last_modified): (&str, &str), len: usize) -> WantedPart {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|held| held != etag && held != last_modified) {
        return WantedPart::Whole;
    }
    let Some(asked) = text(header::RANGE).and_then(|value| ranges(value, len)) else { return WantedPart::Whole };
    let mut found: Vec<_> = asked.into_iter().filter(|range| range.start < range.end).collect();
    let bytes = found.iter().fold(0_usize, |all, range| all.saturating_add(range.len()));
    match found.len() {
        0 => WantedPart::Beyond,
        1 => WantedPart::One(found.remove(0)),
        2..=RANGES_MAX if bytes < len && bytes <= TOGETHER_BYTES_MAX => WantedPart::Several(found),
        _ => WantedPart::Whole,
    }
}

/// The ranges of a header's value, cut to `len` bytes: empty for what lies beyond the end. `None` if the value is not valid.
fn ranges(value: &str, len: usize) -> Option<Vec<Range<usize>>> {
    let (unit, all) = value.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let range = |one: &str| {
        let (first, last) = one.trim().split_once('-')?;
        Some(match (first, last) {
            ("", last) => len.saturating_sub(number(last)?)..len,
            (first, "") => number(first)?..len,
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                // The last byte is not before the first.
                (first <= last).then_some(first..last.saturating_add(1).min(len))?
            }
        })
    };
    all.split(',').map(range).collect()
}

/// A number of bytes in digits; one that is too large for a computer is as large as can be.
fn number(digits: &str) -> Option<usize> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_plain.then(|| digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(header::HeaderName, &str)], len: usize) -> WantedPart {
        let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value")));
        wanted(&pairs.collect(), ("\"e\"", "Mon"), len)
    }

    #[test]
    fn ranges_are_cut_to_the_file_and_what_is_malformed_is_the_whole() {
        let range = |value| of(&[(header::RANGE, value)], 100);
        for (value, found) in [
            ("bytes=0-3", 0..4),
            ("Bytes=90-", 90..100),
            ("bytes=-8", 92..100),
            ("bytes=-800", 0..100),
            ("bytes=90-999", 90..100),
            ("bytes=90-99999999999999999999", 90..100),
            ("bytes=5-6,100-", 5..7),
        ] {
            assert_eq!(range(value), WantedPart::One(found), "{value}");
        }
        for beyond in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999-", "bytes=100-,200-300"] {
            assert_eq!(range(beyond), WantedPart::Beyond, "{beyond}");
        }
        for whole in ["bytes=5-4", "bytes=+1-3", "rows=0-3", "bytes=-", "bytes=", "bytes=0-3,x", "bytes=1-2-3", "x"] {
            assert_eq!(range(whole), WantedPart::Whole, "{whole}");
        }
        assert_eq!(of(&[], 100), WantedPart::Whole);
        assert_eq!(of(&[(header::RANGE, "bytes=0-0")], 0), WantedPart::Beyond, "an empty file has no first byte");
    }

    #[test]
    fn several_ranges_are_sent_together_while_they_are_fewer_than_the_whole() {
        let range = |value| of(&[(header::RANGE, value)], 100);
        assert_eq!(range("bytes=0-3, 5-6,-1"), WantedPart::Several(vec![0..4, 5..7, 99..100]));
        assert_eq!(range("bytes=0-60,30-90"), WantedPart::Whole, "as much as the whole");
        let many = (0..=RANGES_MAX).map(|at| format!("{at}-{at}")).collect::<Vec<_>>().join(",");
        assert_eq!(range(&format!("bytes={many}")), WantedPart::Whole);
        let (far, len) = (TOGETHER_BYTES_MAX, 4 * TOGETHER_BYTES_MAX);
        assert_eq!(of(&[(header::RANGE, &format!("bytes=0-{far},{}-{}", far + 2, far + 9))], len), WantedPart::Whole);
    }

    #[test]
    fn a_range_of_other_bytes_is_the_whole() {
        for (held, found) in [
            ("\"e\"", WantedPart::One(0..4)),
            ("Mon", WantedPart::One(0..4)),
            ("\"f\"", WantedPart::Whole),
            ("W/\"e\"", WantedPart::Whole),
        ] {
            assert_eq!(of(&[(header::RANGE, "bytes=0-3"), (header::IF_RANGE, held)], 100), found, "{held}");
        }
    }
}
