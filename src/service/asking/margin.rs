//! Converts the accuracy wanted of outputs into what each measurement has to be worth.
//!
//! To first order an output o is Σᵢ aₒᵢ·mᵢ of measurements with variance σᵢ², and a margin demands Σᵢ aₒᵢ²σᵢ² ≤ Tₒ =
//! (margin / 1.959964)². With precision pᵢ (`gaussian`) σᵢ² = Δ₂²/pᵢ, with ε pᵢ (`pure`) σᵢ² = 2Δ₁²/pᵢ². The least price Σpᵢ solves a
//! convex program. Its Lagrange conditions are pᵢ = (Σₒ λₒcₒᵢ)^(1/2) or ^(1/3) with cₒᵢ = aₒᵢ²Δ²/Tₒ. The multipliers λ are found
//! by raising those of outputs that miss their margin and lowering the others ([`least`]). A final factor makes the worst output
//! meet its margin exactly.
//!
//! * A count has a = 1. A sum S + c·N has 1 and c. A mean S/N of n rows about c has 1/n and θ/n, where |θ| ≤ R, the distance from
//!   the middle of the range to its ends; so a group of at least n rows meets the margin whatever its mean is.
//! * Any other output (a share, a percentile, a deviation, a correlation) demands a least price of each of its measurements
//!   ([`super::curved`]); a measurement that several outputs use gets the largest of them.
//! * An ε is spent so that the worst relative margin is least. Margins are relative to n for a count, to n times the largest
//!   value for a sum, and to R for a mean. A measurement that no such output uses gets as much as the average of the rest.

use std::collections::BTreeMap;

use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::certificate::{Accuracy, MeasurementSpec, NORMAL_975};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::query::answer::formula::Formula;
use crate::query::answer::{Output, OutputValue, SingleAnswer};
use crate::query::error::{Code, QueryError};
use crate::query::plan::Plan;

use super::ask::{Ask, Margin, RequestedAccuracy};
use super::curved::{self, question};
use super::shapes::Shapes;
use crate::service::{Dataset, ServiceError};

/// What an output demands of the measurements it is computed from: by index, since they are few among many.
type Demand = BTreeMap<usize, f64>;

/// Number of rows that a group is assumed to have, unless the asker says otherwise or more is known.
pub const GROUP_ROWS: u64 = 1_000;
/// Number of iterations that find the multipliers; the first ten come within a few per cent of the final price.
const ROUNDS: usize = 60;

/// The number of rows of a group that errors are expected for, if the question determines it: the asker says it, or names a margin that was
/// priced for groups of this size.
pub(crate) fn said_size(ask: &Ask, plan: &Plan) -> Option<u64> {
    let is_priced = match &ask.accuracy {
        Some(RequestedAccuracy::Margins(margins)) => {
            let is_named = |output: &Output| assumes_rows(output) && margins.contains_key(&output.name);
            estimates(&plan.layout.answers()).iter().any(|(_, output)| is_named(output))
        }
        Some(RequestedAccuracy::Epsilon(_) | RequestedAccuracy::Margin(_)) | None => false,
    };
    ask.group_size.or_else(|| is_priced.then_some(GROUP_ROWS))
}

/// An output of one of the answers that a question puts together.
type Selected<'a> = (&'a SingleAnswer<'a>, &'a Output);

/// The outputs of all answers that a question puts together.
fn outputs<'a>(answers: &'a [SingleAnswer<'a>]) -> Vec<Selected<'a>> {
    answers.iter().flat_map(|answer| answer.layout.outputs.iter().map(move |output| (answer, output))).collect()
}

/// The outputs that are estimates.
fn estimates<'a>(answers: &'a [SingleAnswer<'a>]) -> Vec<Selected<'a>> {
    let mut estimates = outputs(answers);
    estimates.retain(|(_, output)| !output.value.is_hidden() && output.value.formula().is_some());
    estimates
}

/// Whether the error of an output depends on how many rows a group has.
fn assumes_rows(output: &Output) -> bool {
    match &output.value {
        OutputValue::Mean { .. } => true,
        OutputValue::Formula { formula, .. } => !matches!(formula, Formula::Run(_)),
        OutputValue::Key { .. }
        | OutputValue::Grouping { .. }
        | OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Words(_)
        | OutputValue::Hidden(_) => false,
    }
}

/// Whether a question has a count, a sum or a running sum, which a margin without a name is for.
pub(crate) fn has_counts(plan: &Plan) -> bool {
    estimates(&plan.layout.answers()).iter().any(|(_, output)| !assumes_rows(output))
}

/// The margin that this noise gives the only estimate of a question without counts and sums, as it is priced: in a group of [`GROUP_ROWS`]
/// rows.
pub(in crate::service) fn of_only(plan: &Plan, laws: &[NoiseLaw], shapes: &Shapes) -> Option<f64> {
    let answers = plan.layout.answers();
    let estimates = estimates(&answers);
    let [(answer, only)] = &estimates[..] else { return None };
    if !assumes_rows(only) {
        return None;
    }
    match demand(only, answer, GROUP_ROWS as f64, 1.0) {
        Some(squares) => {
            let variance = squares.iter().map(|(at, square)| square * laws[*at].std_error().powi(2)).sum::<f64>();
            Some(NORMAL_975 * variance.sqrt())
        }
        None => curved::half_width(&question(plan, answer, laws), &only.name, GROUP_ROWS, shapes),
    }
}

/// What a question demands of its measurements.
#[derive(Default)]
struct Demands {
    /// Of outputs whose error is a weighted sum of noise.
    linear: Vec<Demand>,
    /// Least prices of measurements, by index, for all other outputs.
    least: BTreeMap<usize, f64>,
}

/// What each measurement of a plan has to be worth for the accuracy that is wanted, in groups of `group_size` rows.
pub(in crate::service) fn accuracy(
    wanted: &RequestedAccuracy,
    dataset: &Dataset,
    plan: &Plan,
    group_size: Option<u64>,
) -> Result<Accuracy, ServiceError> {
    let accountant = dataset.terms.accountant;
    let rows = group_size.unwrap_or(GROUP_ROWS);
    let answers = plan.layout.answers();
    let (size, outputs) = (rows as f64, outputs(&answers));
    let of_margin = |(answer, output): &Selected<'_>, margin: Margin| {
        demand(output, answer, size, (margin.width() / NORMAL_975).powi(2))
    };
    let demands = match wanted {
        RequestedAccuracy::Epsilon(epsilon) => {
            let demands = outputs.iter().filter_map(|one| demand_of(one, size));
            let weights = weights(&demands.collect::<Vec<_>>(), &plan.sought, accountant);
            return Ok(Accuracy::Weighted(*epsilon, weights));
        }
        RequestedAccuracy::Margin(margin) => {
            let counts_and_sums = outputs.iter().filter(|(_, output)| !assumes_rows(output));
            let linear = counts_and_sums.filter_map(|one| of_margin(one, *margin)).collect();
            Demands { linear, least: BTreeMap::new() }
        }
        RequestedAccuracy::Margins(margins) => {
            let shapes = Shapes::stated(dataset, plan);
            named(margins.iter().map(|(name, margin)| (name, *margin)), plan, accountant, (rows, &shapes))?
        }
    };
    if demands.linear.is_empty() && demands.least.is_empty() {
        let message = "margin is a half-width of counts and sums, and this query has neither";
        let error = QueryError::whole(Code::InvalidRequest, message);
        return Err(error
            .hint("ask with epsilon, name an output in margin, as {\"m\": \"5\"}, or add COUNT(*)")
            .into());
    }
    let mut prices = least(&demands.linear, &plan.sought, accountant);
    demands.least.iter().for_each(|(at, price)| prices[*at] = prices[*at].max(*price));
    Ok(Accuracy::StdErrors(errors(&prices, &plan.sought, accountant)))
}

/// The demands of outputs whose margins are named.
fn named<'a>(
    margins: impl Iterator<Item = (&'a String, Margin)>,
    plan: &Plan,
    accountant: Accountant,
    (rows, shapes): (u64, &Shapes),
) -> Result<Demands, ServiceError> {
    let squares: Vec<f64> = plan.sought.iter().map(|sought| size(sought, accountant).0).collect();
    let answers = plan.layout.answers();
    let outputs = outputs(&answers);
    let mut demands = Demands::default();
    for (name, margin) in margins {
        let variance = (margin.width() / NORMAL_975).powi(2);
        let before = (demands.linear.len(), demands.least.len());
        // In a union, each answer has an output of this name.
        for (answer, output) in outputs.iter().filter(|(_, output)| output.name == *name) {
            if let Some(linear) = demand(output, answer, rows as f64, variance) {
                demands.linear.push(linear);
                continue;
            }
            if output.value.formula().is_none() {
                continue;
            }
            let prices = curved::prices(plan, (answer, output), margin.width(), (rows, shapes), (accountant, &squares));
            for (at, price) in prices.ok_or_else(|| no_margin(name, plan))? {
                let least = demands.least.entry(at).or_insert(price);
                *least = least.max(price);
            }
        }
        if before == (demands.linear.len(), demands.least.len()) {
            return Err(no_margin(name, plan).into());
        }
    }
    Ok(demands)
}

fn no_margin(name: &str, plan: &Plan) -> QueryError {
    let shown = crate::query::error::shown(name);
    let answers = plan.layout.answers();
    let estimates = estimates(&answers);
    if estimates.iter().any(|(_, output)| output.name == name) {
        let message = format!("no price gives \"{shown}\" this margin");
        let hint = "it has no interval, or one that is wider whatever is paid, as the bins of a percentile are: ask with a wider margin or with epsilon";
        return QueryError::whole(Code::InvalidRequest, message).hint(hint);
    }
    let mut names: Vec<&str> = Vec::new();
    for (_, output) in &estimates {
        if !names.contains(&output.name.as_str()) {
            names.push(&output.name);
        }
    }
    let message = format!("margin names \"{shown}\", which is not an estimate of this query");
    QueryError::whole(Code::InvalidRequest, message).hint(format!("accepted are: {}", names.join(", ")))
}

/// The value that an output's relative margin is relative to.
fn relative(output: &Output, size: f64) -> f64 {
    match &output.value {
        OutputValue::Count { .. } | OutputValue::Formula { formula: Formula::Run(_), .. } => size,
        OutputValue::Sum { grid, .. } => {
            size * grid.low.unsigned_abs().max(grid.high.unsigned_abs()) as f64 * grid.step_value()
        }
        OutputValue::Mean { grid, .. } => grid.radius() as f64 * grid.step_value(),
        OutputValue::Key { .. }
        | OutputValue::Grouping { .. }
        | OutputValue::Formula { .. }
        | OutputValue::Words(_)
        | OutputValue::Hidden(_) => 1.0,
    }
}

fn demand_of((answer, output): &Selected<'_>, size: f64) -> Option<Demand> {
    demand(output, answer, size, relative(output, size).powi(2))
}

/// aᵢ²/T of an output for each measurement it is computed from, by index; `None` for outputs other than counts, sums, means and
/// running sums.
fn demand(output: &Output, answer: &SingleAnswer<'_>, size: f64, variance: f64) -> Option<Demand> {
    let mut demand = Demand::new();
    let mut add = |of: usize, square: f64| {
        // With several groupings, the margin applies to each measured table.
        let vectors = match &answer.layout.sets {
            None => vec![of],
            Some(sets) => sets.measured[of].tables.iter().map(|table| table.vector).collect(),
        };
        vectors.into_iter().for_each(|vector| *demand.entry(answer.place(vector)).or_default() += square / variance);
    };
    match &output.value {
        OutputValue::Count { count } => add(*count, 1.0),
        OutputValue::Sum { sum, count, grid } => {
            let unit = grid.step_value().powi(2);
            add(*sum, unit);
            if let Some(count) = count {
                add(*count, unit * (grid.centre() as f64).powi(2));
            }
        }
        OutputValue::Mean { sum, count, grid } => {
            let unit = (grid.step_value() / size).powi(2);
            add(*sum, unit);
            add(*count, unit * (grid.radius() as f64).powi(2));
        }
        OutputValue::Formula { formula: Formula::Run(run), .. } => add(run.vector, run.worst_variance()),
        OutputValue::Key { .. }
        | OutputValue::Grouping { .. }
        | OutputValue::Formula { .. }
        | OutputValue::Words(_)
        | OutputValue::Hidden(_) => return None,
    }
    Some(demand)
}

/// Δ² of a measurement in the norm that its noise is calibrated to, and the power of its price in the variance.
fn size(sought: &MeasurementSpec, accountant: Accountant) -> (f64, i32) {
    match accountant {
        Accountant::Gaussian { .. } => (sought.sensitivity.l2_squared() as f64, 1),
        Accountant::Pure => (2.0 * (sought.sensitivity.l1() as f64).powi(2), 2),
    }
}

/// The prices with the least sum, up to a fraction of a per cent, at which every demand is met. A measurement without a demand
/// has price zero.
fn least(demands: &[Demand], sought: &[MeasurementSpec], accountant: Accountant) -> Vec<f64> {
    let cost = |(at, one): (&usize, &f64)| (*at, one * size(&sought[*at], accountant).0);
    let costs: Vec<Demand> = demands.iter().map(|demand| demand.iter().map(cost).collect()).collect();
    let power = sought.first().map_or(1, |sought| size(sought, accountant).1);
    let root = 1.0 / f64::from(power + 1);
    let prices = |multipliers: &[f64]| -> Vec<f64> {
        let mut sums = vec![0.0; sought.len()];
        for (multiplier, cost) in multipliers.iter().zip(&costs) {
            cost.iter().for_each(|(at, cost)| sums[*at] += multiplier * cost);
        }
        sums.into_iter().map(|sum: f64| sum.powf(root)).collect()
    };
    let missed = |prices: &[f64]| -> Vec<f64> {
        let one = |cost: &Demand| {
            let terms = cost.iter().filter(|(_, cost)| **cost > 0.0);
            terms.map(|(at, cost)| cost / prices[*at].powi(power)).sum::<f64>()
        };
        costs.iter().map(one).collect()
    };
    let mut multipliers = vec![1.0; costs.len()];
    for _ in 0..if costs.len() == 1 { 1 } else { ROUNDS } {
        let missed = missed(&prices(&multipliers));
        multipliers.iter_mut().zip(missed).for_each(|(multiplier, missed)| *multiplier *= missed);
        let sum: f64 = multipliers.iter().sum();
        multipliers.iter_mut().for_each(|multiplier| *multiplier /= sum);
    }
    let prices = prices(&multipliers);
    let worst = missed(&prices).into_iter().fold(0.0, f64::max);
    prices.into_iter().map(|price| price * worst.powf(1.0 / f64::from(power))).collect()
}

/// Standard errors at these prices, in steps of the grid. A measurement without a demand is as exact, for its size, as the
/// average of the rest.
fn errors(prices: &[f64], sought: &[MeasurementSpec], accountant: Accountant) -> Vec<f64> {
    let filled = filled(prices);
    let error = |(price, sought): (&f64, &MeasurementSpec)| {
        let (square, power) = size(sought, accountant);
        (square / price.powi(power)).sqrt()
    };
    filled.iter().zip(sought).map(error).collect()
}

fn filled(prices: &[f64]) -> Vec<f64> {
    let paid: Vec<f64> = prices.iter().copied().filter(|price| *price > 0.0).collect();
    let average = if paid.is_empty() { 1.0 } else { paid.iter().sum::<f64>() / paid.len() as f64 };
    prices.iter().map(|price| if *price > 0.0 { *price } else { average }).collect()
}

/// The share of the whole price that each measurement gets.
fn weights(demands: &[Demand], sought: &[MeasurementSpec], accountant: Accountant) -> Vec<f64> {
    if demands.is_empty() {
        return vec![1.0; sought.len()];
    }
    filled(&least(demands, sought, accountant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::privacy::extent::Extent;
    use crate::kernel::privacy::sensitivity::{Aggregation, Sensitivity};

    fn count(rows: u32) -> MeasurementSpec {
        let extent = Extent::of(Aggregation::Count, 1_000).expect("bounded");
        MeasurementSpec { sensitivity: Sensitivity::of(Aggregation::Count, rows).expect("bounded"), cells: 1, extent }
    }

    /// Checks that every demand is met and that no nearby split is cheaper.
    #[test]
    fn the_price_is_least() {
        let gaussian =
            Accountant::Gaussian { delta: crate::kernel::privacy::amounts::Delta::parse("1e-6").expect("δ") };
        let sought = [count(1), count(3), count(2)];
        for accountant in [gaussian, Accountant::Pure] {
            let demands = [[0.01, 0.04, 0.0], [0.05, 0.0, 0.01], [0.001, 0.02, 0.03]];
            let demands = demands.map(|demand| demand.into_iter().enumerate().collect::<Demand>());
            let met = |prices: &[f64]| {
                demands.iter().all(|demand| {
                    let terms = demand.values().zip(prices).zip(&sought).map(|((one, price), sought)| {
                        let (square, power) = size(sought, accountant);
                        one * square / price.powi(power)
                    });
                    terms.sum::<f64>() <= 1.0 + 1e-9
                })
            };
            let prices = least(&demands, &sought, accountant);
            assert!(met(&prices), "{prices:?}");
            let whole: f64 = prices.iter().sum();
            for from in 0..3 {
                for to in 0..3 {
                    for step in [0.02, 0.1, 0.3] {
                        let mut other = prices.clone();
                        let moved = other[from] * step;
                        other[from] -= moved;
                        other[to] += moved;
                        let cheaper: Vec<f64> = other.iter().map(|price| price * 0.995).collect();
                        assert!(!met(&cheaper), "{accountant:?}: {cheaper:?} is cheaper than {prices:?} ({whole})");
                    }
                }
            }
        }
    }
}
