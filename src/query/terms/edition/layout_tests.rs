//! Where chunks lie: types as narrow as their ranges, no overlap, and no layout beyond all bounds.

use super::*;
use crate::query::terms::policy::Policy;

const POLICY: &str = r#"
[dataset]
name = "t"
source = "t.csv"
privacy_unit = "who"
max_rows_per_unit = 300
max_rows = 1_000
accountant = "pure"
cap = { epsilon = "1" }
[[column]]
name = "flag"
type = "boolean"
nullable = true
[[column]]
name = "cost"
type = "decimal"
min = "0"
max = "5000"
step = "0.01"
"#;

#[test]
fn types_are_as_narrow_as_their_ranges() {
    use StoredType::{I8, I16, I32, I64, U8, U16, U32};
    let cases = [
        ((0, 0), U8),
        ((0, 255), U8),
        ((0, 256), U16),
        ((-1, 0), I8),
        ((-128, 127), I8),
        ((-129, 0), I16),
        ((0, 65_535), U16),
        ((0, 65_536), U32),
        ((-32_768, 32_767), I16),
        ((-1, 32_768), I32),
        ((0, u32::MAX.into()), U32),
        ((0, i128::from(u32::MAX) + 1), I64),
        ((i64::MIN.into(), i64::MAX.into()), I64),
    ];
    for ((low, high), kind) in cases {
        assert_eq!(StoredType::of_range(low, high), kind, "{low} to {high}");
    }
}

#[test]
fn chunks_follow_one_another_without_overlap() {
    let terms = Policy::parse(POLICY).expect("a policy").terms;
    let layout = TableLayout::of(&terms, &[131_072, 131_075]).expect("a layout");
    let kinds: Vec<_> = layout.columns().iter().map(|column| (column.holds, column.kind, column.nullable)).collect();
    let expected = [
        (Holds::Unit, StoredType::U32, false),
        (Holds::Rank, StoredType::U16, false),
        (Holds::Declared(0), StoredType::U8, true),
        (Holds::Declared(1), StoredType::I32, false),
    ];
    assert_eq!(kinds, expected);
    let mut at = 0;
    for block in 0..2 {
        for column in 0..4 {
            let chunk = layout.chunk(block, column).expect("a chunk");
            assert_eq!((chunk.all.start, chunk.values_at), (at, at), "{block} {column}");
            assert!(
                chunk.all.end.is_multiple_of(ALIGNMENT)
                    && chunk.bitmap_at.is_none_or(|bitmap| bitmap.is_multiple_of(ALIGNMENT))
            );
            assert_eq!(chunk.bitmap_at.is_some(), column == 2);
            at = chunk.all.end;
        }
    }
    assert_eq!(at, layout.blocks_end());
    assert_eq!((layout.rows(1), layout.rows(2)), (131_072..131_075, 131_075..131_075));
    assert!(layout.chunk(2, 0).is_none() && layout.chunk(0, 4).is_none());
}

#[test]
fn ends_have_to_ascend_within_bounds() {
    let terms = Policy::parse(POLICY).expect("a policy").terms;
    for ends in [&[0][..], &[5, 5], &[5, 4], &[u64::MAX], &[1 << 62]] {
        assert!(TableLayout::of(&terms, ends).is_none(), "{ends:?}");
    }
    assert_eq!(TableLayout::of(&terms, &[]).map(|layout| layout.blocks_end()), Some(0));
    let blocks = |index_at| Blocks { ends: Vec::new(), index_at, index_bytes: 9 };
    assert_eq!((blocks(64).file_bytes(), blocks(u64::MAX - 9).file_bytes()), (Some(128), None));
}
