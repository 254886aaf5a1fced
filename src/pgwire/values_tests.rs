//! Tests of values on the wire.

use super::*;

#[test]
fn values_are_written_as_postgresql_writes_them() {
    let noon = 20_000 * DAY_MICROS + DAY_MICROS / 2 + 1_500;
    for (cell, of, written) in [
        (Cell::Bool(true), Type::Bool, "t"),
        (Cell::Int(-5), Type::Int8, "-5"),
        (Cell::Int(114), Type::Char, "r"),
        (Cell::Float(1.5), Type::Float8, "1.5"),
        (Cell::Float(1e20), Type::Float8, "1e+20"),
        (Cell::Float(-2.5e-7), Type::Float8, "-2.5e-07"),
        (Cell::Float(100.0), Type::Float8, "100"),
        (Cell::Float(f64::NAN), Type::Float8, "NaN"),
        (Cell::Date(0), Type::Date, "1970-01-01"),
        (Cell::Moment(noon), Type::Timestamp, "2024-10-04 12:00:00.0015"),
        (Cell::Moment(0), Type::Timestamptz, "1970-01-01 00:00:00+00"),
        (Cell::List(vec![Cell::Int(1), Cell::Int(2)]), Type::Int2Vector, "1 2"),
        (
            Cell::List(vec![Cell::Text("a b".into()), Cell::Null, Cell::Text("c".into())]),
            Type::TextArray,
            "{\"a b\",NULL,c}",
        ),
    ] {
        assert_eq!(text(&cell, of), written);
    }
}

#[test]
fn values_have_a_binary_form() {
    let written = |cell: Cell, of| {
        let mut out = BytesMut::new();
        write(&cell, of, Format::Binary, &mut out).expect("a value");
        out.to_vec()
    };
    assert_eq!(written(Cell::Null, Type::Int8), [255; 4]);
    assert_eq!(written(Cell::Int(7), Type::Int4), [0, 0, 0, 4, 0, 0, 0, 7]);
    assert_eq!(written(Cell::Date(10_957), Type::Date), [0, 0, 0, 4, 0, 0, 0, 0]);
    assert_eq!(written(Cell::Text("ab".into()), Type::Text), [0, 0, 0, 2, b'a', b'b']);
    assert_eq!(written(Cell::Bool(true), Type::Bool), [0, 0, 0, 1, 1]);
    let array = written(Cell::List(vec![Cell::Int(1)]), Type::Int4Array);
    assert_eq!(array[4..], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]);
    let mut out = BytesMut::new();
    assert!(write(&Cell::Text("x".into()), Type::Int8, Format::Binary, &mut out).is_err());
}
