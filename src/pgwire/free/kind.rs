//! Types of expressions, finer than the types that are sent: literals that have none yet, and the aliases of `oid`.

use crate::pgwire::table::Type;

/// What one value of an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Base {
    /// A quoted literal, a parameter or a NULL whose type follows from where it stands.
    Unknown,
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Varchar,
    Name,
    Char,
    Oid,
    RegClass,
    RegType,
    RegProc,
    RegNamespace,
    RegRole,
    Date,
    Timestamp,
    Timestamptz,
    Interval,
    Int2Vector,
    OidVector,
    Record,
}

/// The type of an expression: one value, or an array of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Kind {
    /// What each value is.
    pub(crate) base: Base,
    /// Whether it is an array of such values.
    pub(crate) is_array: bool,
}

/// PostgreSQL's names of types, the one that is shown first. What is not here is sent as text.
const NAMES: [(&str, Base); 58] = [
    ("bool", Base::Bool),
    ("boolean", Base::Bool),
    ("int2", Base::Int2),
    ("smallint", Base::Int2),
    ("int4", Base::Int4),
    ("int", Base::Int4),
    ("integer", Base::Int4),
    ("cardinal_number", Base::Int4),
    ("int8", Base::Int8),
    ("bigint", Base::Int8),
    ("float4", Base::Float4),
    ("real", Base::Float4),
    ("float8", Base::Float8),
    ("double precision", Base::Float8),
    ("double", Base::Float8),
    ("float", Base::Float8),
    ("numeric", Base::Numeric),
    ("decimal", Base::Numeric),
    ("dec", Base::Numeric),
    ("text", Base::Text),
    ("string", Base::Text),
    ("json", Base::Text),
    ("jsonb", Base::Text),
    ("xid", Base::Text),
    ("pg_node_tree", Base::Text),
    ("aclitem", Base::Text),
    ("uuid", Base::Text),
    ("bytea", Base::Text),
    ("varchar", Base::Varchar),
    ("character varying", Base::Varchar),
    ("char varying", Base::Varchar),
    ("bpchar", Base::Varchar),
    ("character", Base::Varchar),
    ("character_data", Base::Varchar),
    ("yes_or_no", Base::Varchar),
    ("name", Base::Name),
    ("sql_identifier", Base::Name),
    ("char", Base::Char),
    ("oid", Base::Oid),
    ("regclass", Base::RegClass),
    ("regtype", Base::RegType),
    ("regproc", Base::RegProc),
    ("regprocedure", Base::RegProc),
    ("regnamespace", Base::RegNamespace),
    ("regrole", Base::RegRole),
    ("date", Base::Date),
    ("timestamp", Base::Timestamp),
    ("timestamp without time zone", Base::Timestamp),
    ("datetime", Base::Timestamp),
    ("timestamptz", Base::Timestamptz),
    ("timestamp with time zone", Base::Timestamptz),
    ("time_stamp", Base::Timestamptz),
    ("interval", Base::Interval),
    ("int2vector", Base::Int2Vector),
    ("oidvector", Base::OidVector),
    ("record", Base::Record),
    ("unknown", Base::Unknown),
    ("anyarray", Base::Text),
];

impl Base {
    /// The type's name in PostgreSQL's catalogue.
    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, base)| *base == self).map_or("text", |(name, _)| name)
    }

    /// Whether values are stored as integers and compare as such.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8 | Self::Date | Self::Timestamp | Self::Timestamptz)
            || self.is_oid()
    }

    /// Whether values are object ids. A `regproc` is not: it is stored as a name.
    pub(crate) fn is_oid(self) -> bool {
        matches!(self, Self::Oid | Self::RegClass | Self::RegType | Self::RegNamespace | Self::RegRole)
    }

    /// Whether values are stored as the text that they are shown as.
    pub(crate) fn is_text(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Varchar | Self::Name | Self::Char | Self::Interval | Self::Record | Self::Unknown
        )
    }

    /// Whether values are numbers.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8 | Self::Float4 | Self::Float8 | Self::Numeric)
    }
}

impl Kind {
    pub(crate) const UNKNOWN: Self = Self::of(Base::Unknown);
    pub(crate) const BOOL: Self = Self::of(Base::Bool);
    pub(crate) const INT4: Self = Self::of(Base::Int4);
    pub(crate) const INT8: Self = Self::of(Base::Int8);
    pub(crate) const FLOAT8: Self = Self::of(Base::Float8);
    pub(crate) const NUMERIC: Self = Self::of(Base::Numeric);
    pub(crate) const TEXT: Self = Self::of(Base::Text);
    pub(crate) const OID: Self = Self::of(Base::Oid);

    /// One value of a base.
    pub(crate) const fn of(base: Base) -> Self {
        Self { base, is_array: false }
    }

    /// An array of values of a base.
    pub(crate) const fn array(base: Base) -> Self {
        Self { base, is_array: true }
    }

    /// The type of a name as PostgreSQL's catalogue has it, where `_text` is an array; `None` if the name is not known.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name == "anyarray" {
            return Some(Self::array(Base::Text));
        }
        let (name, is_array) = name.strip_prefix('_').map_or((name, false), |name| (name, true));
        let base = NAMES.iter().find(|(known, _)| *known == name)?.1;
        Some(Self { base, is_array })
    }

    /// The name of the type, from which [`Kind::named`] makes it again.
    pub(crate) fn name(self) -> String {
        format!("{}{}", if self.is_array { "_" } else { "" }, self.base.name())
    }

    /// What an element is, of an array or a vector; `None` for anything else.
    pub(crate) fn element(self) -> Option<Self> {
        match (self.is_array, self.base) {
            (true, base) => Some(Self::of(base)),
            (false, Base::Int2Vector) => Some(Self::of(Base::Int2)),
            (false, Base::OidVector) => Some(Self::OID),
            (false, _) => None,
        }
    }

    /// The number of the first element: vectors begin at 0.
    pub(crate) fn first_index(self) -> i64 {
        i64::from(self.is_array)
    }

    /// Whether it has no type yet.
    pub(crate) fn is_unknown(self) -> bool {
        self == Self::UNKNOWN
    }

    /// The type that is sent.
    pub(crate) fn sent(self) -> Type {
        if self.is_array {
            return match self.base {
                Base::Int2 => Type::Int2Array,
                Base::Int4 => Type::Int4Array,
                Base::Oid | Base::RegClass => Type::OidArray,
                Base::Name => Type::NameArray,
                Base::Char => Type::CharArray,
                _ => Type::TextArray,
            };
        }
        match self.base {
            Base::Bool => Type::Bool,
            Base::Int2 => Type::Int2,
            Base::Int4 => Type::Int4,
            Base::Int8 => Type::Int8,
            Base::Float4 => Type::Float4,
            Base::Float8 => Type::Float8,
            Base::Numeric => Type::Numeric,
            Base::Unknown | Base::Text | Base::Record => Type::Text,
            Base::Varchar => Type::Varchar,
            Base::Name => Type::Name,
            Base::Char => Type::Char,
            Base::Oid => Type::Oid,
            Base::RegClass | Base::RegType | Base::RegProc | Base::RegNamespace | Base::RegRole => Type::Reg,
            Base::Date => Type::Date,
            Base::Timestamp => Type::Timestamp,
            Base::Timestamptz => Type::Timestamptz,
            Base::Interval => Type::Interval,
            Base::Int2Vector => Type::Int2Vector,
            Base::OidVector => Type::OidVector,
        }
    }
}

impl From<Type> for Kind {
    fn from(of: Type) -> Self {
        let base = match of {
            Type::Bool => Base::Bool,
            Type::Int2 | Type::Int2Array => Base::Int2,
            Type::Int4 | Type::Int4Array => Base::Int4,
            Type::Int8 => Base::Int8,
            Type::Float4 => Base::Float4,
            Type::Float8 => Base::Float8,
            Type::Numeric => Base::Numeric,
            Type::Text | Type::TextArray => Base::Text,
            Type::Varchar => Base::Varchar,
            Type::Name | Type::NameArray => Base::Name,
            Type::Char | Type::CharArray => Base::Char,
            Type::Oid | Type::OidArray => Base::Oid,
            Type::Reg => Base::RegClass,
            Type::Date => Base::Date,
            Type::Timestamp => Base::Timestamp,
            Type::Timestamptz => Base::Timestamptz,
            Type::Interval => Base::Interval,
            Type::Int2Vector => Base::Int2Vector,
            Type::OidVector => Base::OidVector,
        };
        let is_array = matches!(
            of,
            Type::Int2Array | Type::Int4Array | Type::OidArray | Type::TextArray | Type::NameArray | Type::CharArray
        );
        Self { base, is_array }
    }
}
