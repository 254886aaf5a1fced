//! The largest values that a policy may declare. The readers of policies and their JSON Schema share them.

/// The largest number of rows in a table, `max_rows`.
pub const ROWS_MAX: i64 = 4_000_000_000;
/// The largest number of a unit's rows that count, `max_rows_per_unit`.
pub const ROWS_PER_UNIT_MAX: i64 = 65_535;
/// The largest quantum that answers are padded to, `pad_ms`, in milliseconds.
pub const PAD_MS_MAX: i64 = 60_000;
/// The largest threshold below which counts are not shown, `min_cell`.
pub const MIN_CELL_MAX: i64 = 1_000_000;
/// The largest number of columns of one table.
pub const COLUMNS_MAX: usize = 512;
/// The largest number of values of a category.
pub const VALUES_MAX: usize = 10_000;
/// The largest number of characters in a value of a category.
pub const VALUE_CHARS_MAX: usize = 256;
/// The largest number of different texts of a column without a list, `max_values`.
pub const TEXTS_MAX: i64 = 99_999;
/// The largest number of tables of a dataset, `[[table]]`, and of its public tables, `[[public]]`.
pub const TABLES_MAX: usize = 64;
/// The largest number of rows of a public table.
pub const PUBLIC_ROWS_MAX: usize = 1_000_000;
/// The largest number of columns of a public table.
pub const PUBLIC_COLUMNS_MAX: usize = 16;
/// The largest size of all public tables together, in bytes: of the different texts of their categories, and of eight bytes for each value.
pub const PUBLIC_BYTES_MAX: usize = 128 << 20;
/// The largest number of values of a category whose list is a column of a public table.
pub const PUBLIC_VALUES_MAX: usize = 500_000;
