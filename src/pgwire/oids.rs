//! PostgreSQL 15's numbers and sizes of the types that this door sends and reads.

use super::table::Type;

/// Types, their OIDs and their sizes in bytes; -1 is a size that varies.
const TYPES: [(Type, u32, i16); 25] = [
    (Type::Bool, 16, 1),
    (Type::Char, 18, 1),
    (Type::Name, 19, 64),
    (Type::Int8, 20, 8),
    (Type::Int2, 21, 2),
    (Type::Int2Vector, 22, -1),
    (Type::Int4, 23, 4),
    (Type::Text, 25, -1),
    (Type::Oid, 26, 4),
    (Type::OidVector, 30, -1),
    (Type::Float4, 700, 4),
    (Type::Float8, 701, 8),
    (Type::CharArray, 1002, -1),
    (Type::NameArray, 1003, -1),
    (Type::Int2Array, 1005, -1),
    (Type::Int4Array, 1007, -1),
    (Type::TextArray, 1009, -1),
    (Type::OidArray, 1028, -1),
    (Type::Varchar, 1043, -1),
    (Type::Date, 1082, 4),
    (Type::Timestamp, 1114, 8),
    (Type::Timestamptz, 1184, 8),
    (Type::Interval, 1186, 16),
    (Type::Numeric, 1700, -1),
    (Type::Reg, 2206, 4),
];

/// `unknown`: a text whose type its place decides.
pub(super) const UNKNOWN: u32 = 705;

/// The OID and the size of a type.
pub(super) fn of(wanted: Type) -> (u32, i16) {
    TYPES.iter().find(|(known, ..)| *known == wanted).map_or((25, -1), |(_, oid, size)| (*oid, *size))
}

/// The type with this OID, if it is one that is read.
pub(super) fn known(oid: u32) -> Option<Type> {
    // `bpchar`, `uuid` and `json` are sent as texts.
    let oid = if matches!(oid, 1042 | 2950 | 114) { 25 } else { oid };
    // `regproc`, `regclass` and `regtype` are read as one.
    let oid = if matches!(oid, 24 | 2205) { 2206 } else { oid };
    TYPES.iter().find(|(_, known, _)| *known == oid).map(|(of, ..)| *of)
}

/// The type of an array's or a vector's items; `None` for other types.
pub(super) fn item(of: Type) -> Option<Type> {
    match of {
        Type::Int2Vector | Type::Int2Array => Some(Type::Int2),
        Type::OidVector | Type::OidArray => Some(Type::Oid),
        Type::Int4Array => Some(Type::Int4),
        Type::TextArray => Some(Type::Text),
        Type::NameArray => Some(Type::Name),
        Type::CharArray => Some(Type::Char),
        Type::Bool
        | Type::Int2
        | Type::Int4
        | Type::Int8
        | Type::Float4
        | Type::Float8
        | Type::Numeric
        | Type::Text
        | Type::Varchar
        | Type::Name
        | Type::Char
        | Type::Oid
        | Type::Reg
        | Type::Date
        | Type::Timestamp
        | Type::Timestamptz
        | Type::Interval => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_number_of_its_own() {
        for (of, oid, _) in TYPES {
            assert_eq!((known(oid), self::of(of).0), (Some(of), oid));
        }
        assert_eq!(known(UNKNOWN), None);
    }
}
