//! Parts of a file by byte range (RFC 9110, section 14), so that readers of Parquet and Arrow take only what they need.
//!
//! Promises one range or the whole: a range that is malformed, that lies beyond the end, or that is about other bytes than these (`If-Range`)
//! is passed over, and so are several at once. Which bytes are asked for tells a reader nothing that the whole does not.

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// The range of `len` bytes that a request asks for; `None` for the whole. `etag` and `last_modified` name the bytes that there are.
pub fn wanted(headers: &HeaderMap, (etag, last_modified): (&str, &str), len: usize) -> Option<Range<usize>> {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|held| held != etag && held != last_modified) {
        return None;
    }
    let (first, last) = text(header::RANGE)?.strip_prefix("bytes=")?.split_once('-')?;
    let number = |digits: &str| {
        let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse::<usize>().ok().filter(|_| is_plain)
    };
    let range = match (first, last) {
        ("", last) => len.saturating_sub(number(last)?)..len,
        (first, "") => number(first)?..len,
        (first, last) => number(first)?..number(last)?.saturating_add(1).min(len),
    };
    (range.start < range.end).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_taken_and_everything_else_is_the_whole() {
        let of = |pairs: &[(header::HeaderName, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value")));
            wanted(&pairs.collect(), ("\"e\"", "Mon"), 100)
        };
        let range = |value| of(&[(header::RANGE, value)]);
        assert_eq!(range("bytes=0-3"), Some(0..4));
        assert_eq!(range("bytes=90-"), Some(90..100));
        assert_eq!(range("bytes=-8"), Some(92..100));
        assert_eq!(range("bytes=-800"), Some(0..100));
        assert_eq!(range("bytes=90-999"), Some(90..100));
        for whole in ["bytes=100-", "bytes=5-4", "bytes=-0", "bytes=0-3,5-6", "bytes=+1-3", "rows=0-3", "bytes=-", "x"]
        {
            assert_eq!(range(whole), None, "{whole}");
        }
        assert_eq!(of(&[]), None);
        for (held, found) in [("\"e\"", Some(0..4)), ("Mon", Some(0..4)), ("\"f\"", None), ("W/\"e\"", None)] {
            assert_eq!(of(&[(header::RANGE, "bytes=0-3"), (header::IF_RANGE, held)]), found, "{held}");
        }
    }
}
