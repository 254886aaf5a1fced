//! What stewards may upload, as `tacit.toml` says it.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::fault::ConfigFault;
use crate::service::publishing::uploads::UploadLimits;

/// The largest size of a file that can be allowed, in bytes (1 TiB).
const BYTES_MAX: i64 = 1 << 40;
/// The largest number of files that can be kept.
const COUNT_MAX: i64 = 1_000;
/// The largest number of days for which files can be kept.
const DAYS_MAX: i64 = 3_650;

/// The serde shape of `[uploads]`, before anything in it is checked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadsFile {
    /// The largest size of a file in bytes; by default 1 GiB, and 0 allows none.
    #[schemars(with = "Option<i64>", range(min = 0, max = BYTES_MAX))]
    bytes_max: Option<Spanned<i64>>,
    /// The largest number of files that are kept; by default 20.
    #[schemars(with = "Option<i64>", range(min = 1, max = COUNT_MAX))]
    count_max: Option<Spanned<i64>>,
    /// The number of days after which a file is removed; by default 7.
    #[schemars(with = "Option<i64>", range(min = 1, max = DAYS_MAX))]
    days_max: Option<Spanned<i64>>,
}

/// Checks the limits of uploads.
pub(super) fn take(file: &UploadsFile) -> Result<UploadLimits, ConfigFault> {
    let default = UploadLimits::default();
    let count = |name, given, (least, most), default: u32| {
        within(name, given, least, most)
            .map(|value| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default))
    };
    let bytes_max = within("bytes_max", &file.bytes_max, 0, BYTES_MAX)?;
    Ok(UploadLimits {
        bytes_max: bytes_max.map_or(default.bytes_max, i64::unsigned_abs),
        count_max: count("count_max", &file.count_max, (1, COUNT_MAX), default.count_max)?,
        days_max: count("days_max", &file.days_max, (1, DAYS_MAX), default.days_max)?,
    })
}

fn within(name: &str, given: &Option<Spanned<i64>>, least: i64, most: i64) -> Result<Option<i64>, ConfigFault> {
    let Some(given) = given else { return Ok(None) };
    let value = *given.get_ref();
    if (least..=most).contains(&value) {
        return Ok(Some(value));
    }
    Err((given.span().start, format!("{name} is {value}; accepted is {least} to {most}")))
}
