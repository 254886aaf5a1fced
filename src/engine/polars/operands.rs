//! Values of adjacent rows, stored or computed, with the rows in which they are present; and loops over them.

use super::program::{Extreme, Lookup};
use super::stored::{Slice, Stored, typed};
use std::borrow::Cow;

/// Values of adjacent rows, with one byte a row that is 1 if it has a value; `None` if all have.
pub(super) type Operand<'a> = (Slice<'a>, Option<&'a [u8]>);

/// Computed integers.
pub(super) struct Values {
    pub(super) values: Vec<i64>,
    pub(super) present: Option<Vec<u8>>,
}

impl Values {
    pub(super) fn operand(&self) -> Operand<'_> {
        (Slice::I64(&self.values), self.present.as_deref())
    }

    /// Leaves out the rows in which another operand is missing.
    pub(super) fn require(&mut self, present: Option<&[u8]>) {
        let Some(present) = present else { return };
        match &mut self.present {
            None => self.present = Some(present.to_vec()),
            Some(own) => own.iter_mut().zip(present).for_each(|(own, other)| *own &= other),
        }
    }

    /// Takes over where another operand is present, in the rows in which it was chosen.
    pub(super) fn choose(&mut self, rows: &[u8], present: Option<&[u8]>) {
        match (&mut self.present, present) {
            (None, None) => {}
            (None, Some(present)) => {
                self.present = Some(rows.iter().zip(present).map(|(row, present)| row & present | (row ^ 1)).collect());
            }
            (Some(own), None) => own.iter_mut().zip(rows).for_each(|(own, row)| *own |= row),
            (Some(own), Some(present)) => {
                own.iter_mut().zip(rows.iter().zip(present)).for_each(|(own, (row, present))| {
                    *own = if *row == 1 { *present } else { *own };
                })
            }
        }
    }

    /// Replaces values by those of another operand in the rows in which that is the better one, or the only one.
    pub(super) fn choose_better(&mut self, other: &Self, extreme: Extreme) {
        for (row, best) in self.values.iter_mut().enumerate() {
            let (has_best, has_other) = (has(self.present.as_deref(), row), has(other.present.as_deref(), row));
            let value = other.values[row];
            let is_better = match extreme {
                Extreme::Least => value < *best,
                Extreme::Greatest => value > *best,
            };
            if has_other && (is_better || !has_best) {
                *best = value;
            }
        }
        self.present = match (self.present.take(), &other.present) {
            (Some(mut own), Some(other)) => {
                own.iter_mut().zip(other).for_each(|(own, other)| *own |= other);
                Some(own)
            }
            (Some(_) | None, _) => None,
        };
    }
}

/// The rows that are in both; `None` stands for all rows.
pub(super) fn required<'r>(rows: Option<Cow<'r, [u8]>>, others: Option<Cow<'r, [u8]>>) -> Option<Cow<'r, [u8]>> {
    match (rows, others) {
        (Some(rows), Some(others)) => Some(Cow::Owned(both(rows.into_owned(), Some(&others)))),
        (rows, None) => rows,
        (None, others) => others,
    }
}

fn has(present: Option<&[u8]>, row: usize) -> bool {
    present.is_none_or(|present| present[row] == 1)
}

/// The rows that are in both; all rows are in the second one if it is `None`.
pub(super) fn both(mut rows: Vec<u8>, others: Option<&[u8]>) -> Vec<u8> {
    if let Some(others) = others {
        rows.iter_mut().zip(others).for_each(|(row, other)| *row &= other);
    }
    rows
}

/// The rows whose value lies within the bounds, or outside of them; rows without a value are in neither. Values are compared in the type
/// in which they are stored.
pub(super) fn within((values, present): Operand<'_>, low: i64, high: i64, wanted: bool) -> Vec<u8> {
    fn compared<T: Stored>(values: &[T], low: i64, high: i64, wanted: bool) -> Vec<u8> {
        match T::narrowed(low, high) {
            None => vec![u8::from(!wanted); values.len()],
            Some((low, high)) => {
                values.iter().map(|value| u8::from((*value >= low) & (*value <= high)) ^ u8::from(!wanted)).collect()
            }
        }
    }
    both(typed!(values, values => compared(values, low, high, wanted)), present)
}

/// Looks up each row's value in a table.
pub(super) fn looked_up<T: Copy>((values, present): Operand<'_>, table: &Lookup<T>) -> Vec<T> {
    fn each<S: Stored, T: Copy>(values: &[S], present: Option<&[u8]>, table: &Lookup<T>) -> Vec<T> {
        let (low, entries) = (table.low, &table.entries[..]);
        let last = entries.len() - 1;
        let place = |value: &S| (value.wide().wrapping_sub(low) as usize).min(last);
        match present {
            None => values.iter().map(|value| entries[place(value)]).collect(),
            Some(present) => {
                let place = |(value, present): (&S, &u8)| if *present == 1 { place(value) } else { last };
                values.iter().zip(present).map(|row| entries[place(row)]).collect()
            }
        }
    }
    typed!(values, values => each(values, present, table))
}
