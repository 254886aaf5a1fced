//! Windows over the groups of an answer, as post-processing of its noisy values.
//!
//! Promises SQL's windows over the rows that HAVING leaves: they are cut by PARTITION BY, ordered, and a function reads some of them. Sums
//! and differences of cells have the exact law of their noise, which is independent from cell to cell. What is ordered by estimates is
//! ordered by what is shown; an order is never part of an interval, and ranks have none.
//!
//! **Hidden groups.** A sum, a mean or a count over several groups includes those that are too small to be shown, as a total of ROLLUP does:
//! all of them are noisy values that were paid for. A value that is read from one group alone (LAG, FIRST_VALUE, MIN, a rank) is hidden
//! with that group, or passes it over.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};

use super::Formula;
use super::absence::AbsenceReason;
use super::cell_values::CellValues;
use super::dual::Dual;
use super::estimate::IntervalEstimate;
use super::scalar::extreme;
use super::survival::{self, SurvivalPoint};
use crate::query::answer::row::SortValue;
use crate::query::computation::relation::ntile;
use crate::query::syntax::{GroupFunction, WindowBound, WindowFrame};

/// A window function over the groups.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct GroupWindow {
    /// Place of the window among those of its question.
    pub place: usize,
    /// What is computed.
    pub function: GroupFunction,
    /// The arguments: the value, and the default of LAG and LEAD.
    pub of: Vec<Formula>,
    /// The n of LAG, LEAD and NTH_VALUE; 1 for all others.
    pub step: u32,
    /// Indices of the keys of PARTITION BY.
    pub within: Vec<usize>,
    /// The sort keys, the most significant first.
    pub order: Vec<WindowOrder>,
    /// The frame, if one is written.
    pub frame: Option<WindowFrame>,
}

/// A sort key of a window.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct WindowOrder {
    /// What is sorted by.
    pub by: WindowOrderBy,
    /// Whether to sort from high to low.
    pub descending: bool,
    /// Whether missing values come before all others.
    pub nulls_first: bool,
}

/// What a window is sorted by.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum WindowOrderBy {
    /// A group key, by its index.
    Key(usize) = 0,
    /// An estimate, as it is shown.
    Formula(Formula) = 1,
}

impl GroupWindow {
    /// Whether the value is a weighted sum of measurements, whatever their noise.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        match self.function {
            GroupFunction::Sum
            | GroupFunction::Avg
            | GroupFunction::Lag
            | GroupFunction::Lead
            | GroupFunction::FirstValue
            | GroupFunction::LastValue
            | GroupFunction::NthValue
            | GroupFunction::Total => self.of.iter().all(Formula::is_linear),
            GroupFunction::Min
            | GroupFunction::Max
            | GroupFunction::Count
            | GroupFunction::RowNumber
            | GroupFunction::Rank
            | GroupFunction::DenseRank
            | GroupFunction::Ntile
            | GroupFunction::PercentRank
            | GroupFunction::CumeDist
            | GroupFunction::KaplanMeier
            | GroupFunction::CumulativeIncidence => false,
        }
    }

    /// Whether the value is a rank, which has no interval.
    #[must_use]
    pub fn is_rank(&self) -> bool {
        self.function.is_rank()
    }

    /// Whether the value is that of one group in the window, unchanged.
    #[must_use]
    pub fn is_of_one(&self) -> bool {
        matches!(
            self.function,
            GroupFunction::Lag
                | GroupFunction::Lead
                | GroupFunction::FirstValue
                | GroupFunction::LastValue
                | GroupFunction::NthValue
        )
    }

    /// Whether the value covers the group's own: a sum over a frame that the group is always part of.
    #[must_use]
    pub fn holds_own(&self) -> bool {
        let is_open = |frame: &WindowFrame| {
            matches!(frame.start, WindowBound::First | WindowBound::Before(_) | WindowBound::Current)
                && matches!(frame.end, WindowBound::Last | WindowBound::After(_) | WindowBound::Current)
        };
        match self.function {
            GroupFunction::Sum => self.frame.as_ref().is_none_or(is_open),
            GroupFunction::Total => true,
            _ => false,
        }
    }

    /// The formulas in it.
    #[must_use]
    pub fn formulas(&self) -> Vec<&Formula> {
        let by = self.order.iter().filter_map(|order| match &order.by {
            WindowOrderBy::Key(_) => None,
            WindowOrderBy::Formula(of) => Some(of),
        });
        self.of.iter().chain(by).collect()
    }

    /// The formulas in it, in the order of [`Self::formulas`].
    pub fn formulas_mut(&mut self) -> Vec<&mut Formula> {
        let by = self.order.iter_mut().filter_map(|order| match &mut order.by {
            WindowOrderBy::Key(_) => None,
            WindowOrderBy::Formula(of) => Some(of),
        });
        self.of.iter_mut().chain(by).collect()
    }

    /// The frame of the group at `place` of `count`, whose peers stand from `peers.0` to before `peers.1`.
    fn frame(&self, place: usize, count: usize, peers: (usize, usize)) -> (usize, usize) {
        let Some(frame) = &self.frame else {
            return if self.order.is_empty() { (0, count) } else { (0, peers.1) };
        };
        let far = |by: u64| usize::try_from(by).unwrap_or(usize::MAX);
        let (first, last) = if frame.by_rows { (place, place + 1) } else { peers };
        let start = match frame.start {
            WindowBound::First => 0,
            WindowBound::Before(by) => place.saturating_sub(far(by)),
            WindowBound::Current => first,
            WindowBound::After(by) => place.saturating_add(far(by)),
            WindowBound::Last => count,
        };
        let end = match frame.end {
            WindowBound::First => 0,
            WindowBound::Before(by) => (place + 1).saturating_sub(far(by)),
            WindowBound::Current => last,
            WindowBound::After(by) => (place + 1).saturating_add(far(by)),
            WindowBound::Last => count,
        };
        (start.min(count), end.min(count).max(start.min(count)))
    }
}

/// The rows of an answer as one window reads them.
#[derive(Debug)]
pub struct GroupRows {
    /// The cells of each part, in the window's order.
    parts: Vec<Vec<usize>>,
    /// The part of each cell and its place there; `None` for a row that HAVING removes.
    places: Vec<Option<(usize, usize)>>,
    /// From where to where the peers of each place stand, by part.
    peers: Vec<Vec<(usize, usize)>>,
    /// The values of each argument by cell, of hidden groups too.
    values: Vec<Vec<Result<Dual, AbsenceReason>>>,
    /// The estimates of each argument by cell.
    ends: Vec<Vec<Result<IntervalEstimate, AbsenceReason>>>,
    /// Whether what the window reads of a cell is hidden.
    hidden: Vec<bool>,
    /// The survival curve by cell, of the functions that have one.
    curve: Vec<Result<SurvivalPoint, AbsenceReason>>,
    /// The last sum, as neighbouring groups often read the same rows.
    last: RefCell<Option<KnownSum>>,
}

/// A sum over rows of a part: the part, the first row and the one after the last, and its value.
type KnownSum = ((usize, usize, usize), Result<Dual, AbsenceReason>);

/// A cell with what it is sorted by.
type SortedCell = (Vec<SortValue>, usize);

/// A cell of which nothing is hidden.
fn open<'a>(cell: &CellValues<'a>) -> CellValues<'a> {
    CellValues { hidden: &[], ..*cell }
}

impl GroupRows {
    /// Prepares a window over all cells; `shown` tells which rows HAVING leaves.
    pub(in crate::query::answer) fn new(window: &GroupWindow, cells: &[CellValues<'_>], shown: &[bool]) -> Self {
        let is_total = window.function == GroupFunction::Total;
        let left = (0..cells.len()).filter(|cell| is_total || shown[*cell]);
        let keys = |cell: usize| -> Vec<SortValue> {
            let by = |order: &WindowOrder| match &order.by {
                WindowOrderBy::Key(key) => match (cells[cell].label(*key), cells[cell].places.get(*key)) {
                    (Some(label), Some(Some(place))) => SortValue::of_key(label, *place),
                    _ => SortValue::Missing,
                },
                WindowOrderBy::Formula(of) => {
                    let value = of.value(cells[cell]).and_then(|value| of.shown(value));
                    value.map_or(SortValue::Missing, SortValue::Number)
                }
            };
            window.order.iter().map(by).collect()
        };
        let mut found: BTreeMap<Vec<Option<usize>>, Vec<SortedCell>> = BTreeMap::new();
        for cell in left {
            let part = window.within.iter().map(|key| cells[cell].places.get(*key).copied().flatten()).collect();
            found.entry(part).or_default().push((keys(cell), cell));
        }
        let order = |one: &[SortValue], other: &[SortValue]| {
            window.order.iter().zip(one.iter().zip(other)).fold(Ordering::Equal, |so_far, (order, (one, other))| {
                so_far.then_with(|| one.compare(other, order.descending, order.nulls_first))
            })
        };
        let mut parts: Vec<Vec<usize>> = Vec::new();
        let (mut peers, mut places) = (Vec::new(), vec![None; cells.len()]);
        for (part, mut rows) in found.into_values().enumerate() {
            rows.sort_by(|(one, _), (other, _)| order(one, other));
            rows.iter().enumerate().for_each(|(place, (_, cell))| places[*cell] = Some((part, place)));
            let mut spans = Vec::with_capacity(rows.len());
            for chunk in rows.chunk_by(|(one, _), (other, _)| order(one, other).is_eq()) {
                let first = spans.len();
                spans.extend(std::iter::repeat_n((first, first + chunk.len()), chunk.len()));
            }
            peers.push(spans);
            parts.push(rows.into_iter().map(|(_, cell)| cell).collect());
        }
        let values: Vec<Vec<_>> =
            window.of.iter().map(|of| cells.iter().map(|cell| of.dual(open(cell))).collect()).collect();
        let reads_one = window.is_of_one() || matches!(window.function, GroupFunction::Min | GroupFunction::Max);
        let of_one = window.of.iter().filter(|_| reads_one);
        let ends = of_one.map(|of| cells.iter().map(|cell| of.ends(open(cell))).collect()).collect();
        let is_hidden = |cell: &CellValues<'_>| {
            let is_any = |of: &Formula| of.value(*cell) == Err(AbsenceReason::Hidden);
            !cell.hidden.is_empty() && window.formulas().into_iter().any(is_any)
        };
        let mut curve = vec![Err(AbsenceReason::NoValue); cells.len()];
        if let (GroupFunction::KaplanMeier | GroupFunction::CumulativeIncidence, [events, exits, ..]) =
            (window.function, &values[..])
            && let Some(first) = cells.first()
        {
            for (part, peers) in parts.iter().zip(&peers) {
                survival::curve(part, peers, events, exits, *first, &mut curve);
            }
        }
        let hidden = cells.iter().map(is_hidden).collect();
        Self { parts, places, peers, values, ends, hidden, curve, last: RefCell::new(None) }
    }

    /// The value in a cell with its derivatives.
    pub(in crate::query::answer) fn dual(&self, window: &GroupWindow, cell: usize) -> Result<Dual, AbsenceReason> {
        let (part, place, frame) = self.of_cell(window, cell)?;
        match window.function {
            GroupFunction::Sum | GroupFunction::Avg | GroupFunction::Total => self.sum(window, part, frame),
            GroupFunction::Count => Ok(Dual::constant(self.present(part, frame)? as f64)),
            GroupFunction::Min | GroupFunction::Max => {
                let is_least = window.function == GroupFunction::Min;
                let mut best: Option<&Dual> = None;
                for cell in self.readable(part, frame) {
                    match &self.values[0][cell] {
                        Ok(one) if best.is_none_or(|best| (one.value < best.value) == is_least) => best = Some(one),
                        Ok(_) | Err(AbsenceReason::NoValue) => {}
                        Err(reason) => return Err(*reason),
                    }
                }
                best.cloned().ok_or(AbsenceReason::NoValue)
            }
            GroupFunction::Lag
            | GroupFunction::Lead
            | GroupFunction::FirstValue
            | GroupFunction::LastValue
            | GroupFunction::NthValue => match self.target(window, part, place, frame) {
                Some(cell) => self.read(&self.values[0], cell),
                None => self.values.get(1).map_or(Err(AbsenceReason::NoValue), |default| default[cell].clone()),
            },
            GroupFunction::RowNumber
            | GroupFunction::Rank
            | GroupFunction::DenseRank
            | GroupFunction::Ntile
            | GroupFunction::PercentRank
            | GroupFunction::CumeDist => self.rank(window, part, place, cell).map(Dual::constant),
            GroupFunction::KaplanMeier => Ok(self.curve[cell].clone()?.survival),
            GroupFunction::CumulativeIncidence => {
                let survival = self.curve[cell].clone()?.survival;
                Ok(survival.stretched(1.0 - survival.value, -1.0))
            }
        }
    }

    /// The estimate in a cell with its interval; `None` if the delta method is to give it.
    pub(in crate::query::answer) fn ends(
        &self,
        window: &GroupWindow,
        at: CellValues<'_>,
    ) -> Result<Option<IntervalEstimate>, AbsenceReason> {
        let (part, place, frame) = self.of_cell(window, at.cell)?;
        let exact = |value: f64| IntervalEstimate { value, low: value, high: value, std_error: 0.0 };
        Ok(match window.function {
            GroupFunction::Sum | GroupFunction::Avg | GroupFunction::Total => None,
            GroupFunction::Count => Some(exact(self.present(part, frame)? as f64)),
            GroupFunction::Min | GroupFunction::Max => {
                let mut all = Vec::new();
                for cell in self.readable(part, frame) {
                    match self.ends[0][cell] {
                        Ok(one) => all.push(one),
                        Err(AbsenceReason::NoValue) => {}
                        Err(reason) => return Err(reason),
                    }
                }
                Some(extreme(all, window.function == GroupFunction::Min).ok_or(AbsenceReason::NoValue)?)
            }
            GroupFunction::Lag
            | GroupFunction::Lead
            | GroupFunction::FirstValue
            | GroupFunction::LastValue
            | GroupFunction::NthValue => Some(match self.target(window, part, place, frame) {
                Some(cell) => self.read(&self.ends[0], cell)?,
                None => self.ends.get(1).map_or(Err(AbsenceReason::NoValue), |default| default[at.cell])?,
            }),
            GroupFunction::RowNumber
            | GroupFunction::Rank
            | GroupFunction::DenseRank
            | GroupFunction::Ntile
            | GroupFunction::PercentRank
            | GroupFunction::CumeDist => {
                let value = self.rank(window, part, place, at.cell)?;
                let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
                Some(IntervalEstimate { value, low, high, std_error: f64::NAN })
            }
            GroupFunction::KaplanMeier => Some(self.curve[at.cell].clone()?.band(at)),
            GroupFunction::CumulativeIncidence => {
                let band = self.curve[at.cell].clone()?.band(at);
                Some(IntervalEstimate { value: 1.0 - band.value, low: 1.0 - band.high, high: 1.0 - band.low, ..band })
            }
        })
    }

    /// The part of a cell, its place there and its frame.
    fn of_cell(&self, window: &GroupWindow, cell: usize) -> Result<(usize, usize, (usize, usize)), AbsenceReason> {
        let (part, place) = self.places.get(cell).copied().flatten().ok_or(AbsenceReason::NoValue)?;
        let frame = window.frame(place, self.parts[part].len(), self.peers[part][place]);
        Ok((part, place, frame))
    }

    /// The cells of a frame that are not hidden.
    fn readable(&self, part: usize, (start, end): (usize, usize)) -> impl Iterator<Item = usize> {
        self.parts[part][start..end].iter().copied().filter(|cell| !self.hidden[*cell])
    }

    fn read<T: Clone>(&self, of: &[Result<T, AbsenceReason>], cell: usize) -> Result<T, AbsenceReason> {
        if self.hidden[cell] { Err(AbsenceReason::Hidden) } else { of[cell].clone() }
    }

    /// Number of rows of a frame in which the argument is present; all of them if there is no argument.
    fn present(&self, part: usize, (start, end): (usize, usize)) -> Result<usize, AbsenceReason> {
        let cells = &self.parts[part][start..end];
        let Some(values) = self.values.first() else { return Ok(cells.len()) };
        if cells.iter().any(|cell| values[*cell] == Err(AbsenceReason::LostInNoise)) {
            return Err(AbsenceReason::LostInNoise);
        }
        Ok(cells.iter().filter(|cell| values[**cell].is_ok()).count())
    }

    /// The sum or the mean over a frame.
    fn sum(&self, window: &GroupWindow, part: usize, frame: (usize, usize)) -> Result<Dual, AbsenceReason> {
        let key = (part, frame.0, frame.1);
        if let Some((known, sum)) = &*self.last.borrow()
            && *known == key
        {
            return sum.clone();
        }
        let cells = &self.parts[part][frame.0..frame.1];
        let sum = self.summed(window, cells);
        *self.last.borrow_mut() = Some((key, sum.clone()));
        sum
    }

    fn summed(&self, window: &GroupWindow, cells: &[usize]) -> Result<Dual, AbsenceReason> {
        if !cells.is_empty() && cells.iter().all(|cell| self.hidden[*cell]) {
            return Err(AbsenceReason::Hidden);
        }
        let mut all = Vec::with_capacity(cells.len());
        for cell in cells {
            match &self.values[0][*cell] {
                Ok(one) => all.push(one),
                Err(AbsenceReason::NoValue) => {}
                Err(reason) => return Err(*reason),
            }
        }
        if all.is_empty() {
            return Err(AbsenceReason::NoValue);
        }
        let count = all.len() as f64;
        let sum = Dual::sum(all.into_iter());
        Ok(match window.function {
            GroupFunction::Avg => sum.stretched(sum.value / count, count.recip()),
            _ => sum,
        })
    }

    /// The cell that a function of one group reads.
    fn target(&self, window: &GroupWindow, part: usize, place: usize, (start, end): (usize, usize)) -> Option<usize> {
        let (step, cells) = (window.step as usize, &self.parts[part]);
        match window.function {
            GroupFunction::Lag => cells.get(place.checked_sub(step)?).copied(),
            GroupFunction::Lead => cells.get(place.checked_add(step)?).copied(),
            GroupFunction::LastValue => cells[start..end].last().copied(),
            _ => cells[start..end].get(step.checked_sub(1)?).copied(),
        }
    }

    fn rank(&self, window: &GroupWindow, part: usize, place: usize, cell: usize) -> Result<f64, AbsenceReason> {
        if self.hidden[cell] {
            return Err(AbsenceReason::Hidden);
        }
        let peers = &self.peers[part];
        let rows = peers.len();
        let rank = match window.function {
            GroupFunction::PercentRank => {
                return Ok(if rows > 1 { peers[place].0 as f64 / (rows - 1) as f64 } else { 0.0 });
            }
            GroupFunction::CumeDist => return Ok(peers[place].1 as f64 / rows as f64),
            GroupFunction::Ntile => ntile(place, rows, window.step as usize),
            GroupFunction::Rank => peers[place].0,
            GroupFunction::DenseRank => {
                let firsts = peers[..place].iter().enumerate().filter(|(at, span)| span.0 == *at);
                firsts.count() - usize::from(peers[place].0 < place)
            }
            _ => place,
        };
        Ok((rank + 1) as f64)
    }
}
