//! Tests of accumulators against sums that are written out.

use super::*;
use crate::engine::polars::stored::Slice;

/// Rows of two windows: cells (3 stands for none), values, whether they are present, and units.
const CELLS: [u32; 12] = [0, 0, 1, 3, 2, 2, 2, 0, 1, 3, 3, 2];
const VALUES: [i16; 12] = [5, -3, 7, 100, 1, 1, -30_000, 2, 9, 100, 100, 30_000];
const PRESENT: [u8; 12] = [1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1];
const UNITS: [u32; 12] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3];

fn windows() -> [std::ops::Range<usize>; 2] {
    [0..7, 7..12]
}

#[test]
fn cells_are_added_up() {
    for cells in [3, LANES_CELLS_MAX + 1] {
        let none = cells as u32;
        let rows = CELLS.map(|cell| if cell == 3 { none } else { cell });
        let (mut count, mut present, mut sum) = (Sums::of(cells), Sums::of(cells), Sums::of(cells));
        let (mut units, mut some) = (Units::of(cells), Units::of(cells));
        for window in windows() {
            let places = Places::Cells(&rows[window.clone()]);
            let (values, valid) = (Slice::I16(&VALUES).part(window.clone()), Some(&PRESENT[window.clone()]));
            count.count(places, None);
            present.count(places, valid);
            sum.sum(places, (values, valid));
            units.count(places, None, &UNITS[window.clone()]);
            some.count(places, valid, &UNITS[window]);
        }
        assert_eq!(count.finish()[..3], [3, 2, 4]);
        assert_eq!(present.finish()[..3], [3, 1, 4]);
        assert_eq!(sum.finish()[..3], [4, 9, 2]);
        assert_eq!(units.finish()[..3], [2, 2, 3]);
        assert_eq!(some.finish()[..3], [2, 1, 3]);
    }
}

#[test]
fn a_single_cell_is_added_up() {
    let kept = CELLS.map(|cell| u8::from(cell != 3));
    let mut found = Vec::new();
    for (has_mask, valid) in [(false, None), (false, Some(&PRESENT)), (true, None), (true, Some(&PRESENT))] {
        let (mut count, mut sum, mut units) = (Sums::of(1), Sums::of(1), Units::of(1));
        for window in windows() {
            let rows = &kept[window.clone()];
            let places = if has_mask { Places::Some(rows) } else { Places::All(rows.len()) };
            let valid = valid.map(|valid| &valid[window.clone()]);
            count.count(places, valid);
            sum.sum(places, (Slice::I16(&VALUES).part(window.clone()), valid));
            units.count(places, valid, &UNITS[window]);
        }
        found.push((count.finish(), sum.finish(), units.finish()));
    }
    let expected = [(12, 322, 4), (10, 215, 4), (9, 22, 4), (8, 15, 4)];
    assert_eq!(found, expected.map(|(count, sum, units)| (vec![count], vec![sum], vec![units])));
}

/// Partial sums beyond 64 bits do not matter, if the whole sum is within.
#[test]
fn partial_sums_wrap() {
    let values = [i64::MAX, i64::MAX, -i64::MAX, -i64::MAX, 41];
    let mut sum = Sums::of(1);
    sum.sum(Places::All(5), (Slice::I64(&values), None));
    assert_eq!(sum.finish(), [41]);
    let mut sum = Sums::of(2);
    sum.sum(Places::Cells(&[1; 5]), (Slice::I64(&values), None));
    assert_eq!(sum.finish(), [0, 41]);
}

#[test]
fn bins_are_cut_towards_zero() {
    let edges = [0, 1, 2, 3, 6, 7, 255, 256, 65_535, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, i64::MAX];
    for width in [1, 2, 3, 7, 10, 255, 1_000_003, u32::MAX.into(), 1 << 33, i64::MAX] {
        for low in [-5_i64, 0, 1_000] {
            let near = |edge: i64| (-2..=2).filter_map(move |by| edge.checked_mul(width.min(3))?.checked_add(by));
            let values: Vec<i64> =
                edges.into_iter().flat_map(near).filter_map(|above| low.checked_add(above)).collect();
            let bins = Binning { low, width, count: 9 }.bins(&values);
            for (value, bin) in values.iter().zip(bins) {
                let expected = u32::try_from((value - low) / width).unwrap_or(u32::MAX);
                assert_eq!(bin, expected, "{value} from {low} by {width}");
            }
        }
    }
}

#[test]
fn rows_outside_of_all_bins_do_not_count() {
    let binning = Binning { low: 10, width: 5, count: 2 };
    let values = [9_u8, 10, 14, 15, 19, 20, 0, 10];
    let of = |places| binning.cells(places, 2, (Slice::U8(&values), Some(&[1, 1, 1, 1, 1, 1, 1, 0])));
    assert_eq!(of(Places::Cells(&[0, 0, 1, 1, 2, 0, 0, 0])), [0, 0, 2, 3, 4, 4, 4, 4]);
    assert_eq!(of(Places::Some(&[1, 0, 1, 1, 1, 1, 1, 1])), [0, 4, 0, 1, 1, 4, 4, 4]);
    assert_eq!(binning.summed(&[1, 2, 3, 4], Binning { low: 10, width: 10, count: 1 }), [3, 7]);
}
