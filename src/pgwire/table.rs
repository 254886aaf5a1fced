//! A table as this door sends it: named columns of PostgreSQL's types, and rows of values. It knows nothing of where the rows come from.

/// A column's type, one of PostgreSQL 15's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `int2`.
    Int2,
    /// `int4`.
    Int4,
    /// `int8`.
    Int8,
    /// `float4`.
    Float4,
    /// `float8`.
    Float8,
    /// `numeric`.
    Numeric,
    /// `text`.
    Text,
    /// `varchar`.
    Varchar,
    /// `name`: an identifier of at most 63 bytes.
    Name,
    /// `"char"`: one byte.
    Char,
    /// `oid`.
    Oid,
    /// `regproc`, `regclass` and their kin, which clients read as texts.
    Reg,
    /// `date`.
    Date,
    /// `timestamp`.
    Timestamp,
    /// `timestamptz`.
    Timestamptz,
    /// `interval`.
    Interval,
    /// `int2vector`: column numbers, as `pg_index` has them.
    Int2Vector,
    /// `oidvector`: types, as `pg_proc` has them.
    OidVector,
    /// An array of `int2`.
    Int2Array,
    /// An array of `int4`.
    Int4Array,
    /// An array of `oid`.
    OidArray,
    /// An array of `text`.
    TextArray,
    /// An array of `name`.
    NameArray,
    /// An array of `"char"`.
    CharArray,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// SQL's NULL.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer of any width, or an OID.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A text; also the digits of a `numeric`.
    Text(String),
    /// A date, in days since 1970-01-01.
    Date(i32),
    /// A moment, in microseconds since 1970-01-01T00:00:00 (UTC where the type has a time zone).
    Moment(i64),
    /// An array or a vector.
    List(Vec<Cell>),
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as it is sent.
    pub name: String,
    /// The type that clients are told.
    pub of: Type,
}

/// Columns, and rows with a value for each of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The columns, in the order in which they are sent.
    pub columns: Vec<Column>,
    /// The rows; each has as many values as there are columns.
    pub rows: Vec<Vec<Cell>>,
}
