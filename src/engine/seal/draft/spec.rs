//! Finds out how a file is written where its name does not say: separator, decimal sign, and encoding.
//!
//! Promises to propose only what a reader has read to the end without an error.

use super::seen::Seen;
use crate::engine::seal::source::{DecimalMark, Encoding, Source, SourceError, SourceLocation, SourceSpec};

/// The separators tried for files whose names promise commas.
const SEPARATORS: [u8; 3] = [b';', b'\t', b'|'];

/// Opens a source as specified. If that fails, or if it yields only one column, tries the
/// other usual separators and encodings and takes the first that reads the whole file.
pub(super) fn opened(spec: &SourceSpec) -> Result<(SourceSpec, Source), SourceError> {
    let first = match Source::open(spec) {
        Ok(source) if source.columns().len() > 1 || !source.is_text() || spec.separator.is_some() => {
            return Ok(match decoded(spec) {
                Some(other) if !is_whole(&source) => other,
                _ => (spec.clone(), source),
            });
        }
        other => other,
    };
    if matches!(spec.from, SourceLocation::Postgres { .. }) {
        return first.map(|source| (spec.clone(), source));
    }
    let encodings = [spec.encoding, Some(Encoding::Windows1252)];
    for encoding in encodings {
        for separator in [spec.separator].into_iter().chain(SEPARATORS.map(Some)) {
            let other = SourceSpec { separator, encoding, ..spec.clone() };
            if let Ok(source) = Source::open(&other)
                && source.columns().len() > 1
                && is_whole(&source)
            {
                return Ok((other, source));
            }
        }
    }
    first.map(|source| (spec.clone(), source))
}

/// Opens the source as Windows-1252; `None` if it cannot be read that way.
fn decoded(spec: &SourceSpec) -> Option<(SourceSpec, Source)> {
    if spec.encoding.is_some() || matches!(spec.from, SourceLocation::Postgres { .. }) {
        return None;
    }
    let other = SourceSpec { encoding: Some(Encoding::Windows1252), ..spec.clone() };
    let source = Source::open(&other).ok().filter(Source::is_text)?;
    is_whole(&source).then_some((other, source))
}

/// Whether every row can be read. Sources that are not text are read once, by the draft itself.
fn is_whole(source: &Source) -> bool {
    if !source.is_text() {
        return true;
    }
    let wanted: Vec<_> = (0..source.columns().len()).map(|index| (index, true)).collect();
    source.batches::<SourceError>(&wanted, |_| Ok(())).is_ok()
}

/// Makes the comma the decimal sign if that turns a column into numbers and the separator is not a comma.
pub(super) fn with_decimal(spec: SourceSpec, seen: &mut [Seen]) -> SourceSpec {
    let is_free = spec.separator.is_some_and(|separator| separator != b',');
    if !is_free || !seen.iter().any(Seen::has_decimal_commas) || seen.iter().any(Seen::has_decimal_points) {
        return spec;
    }
    seen.iter_mut().for_each(Seen::take_commas);
    SourceSpec { decimal: DecimalMark::Comma, ..spec }
}
