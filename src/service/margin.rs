//! From margins of outputs to standard errors of measurements.
//!
//! A count needs σ = margin / 1.959964. A sum S + c·N of variance V = σ_S² + c²σ_N² costs (kR)²/σ_S² + k²/σ_N² of precision; by
//! Lagrange the least price has σ_S² : c²σ_N² = R : |c|, so σ_S² = V·R/(R + |c|) and σ_N² = V/(|c|·(R + |c|)). A
//! measurement that no margin speaks of gets as much precision as the most precise other one.

use crate::privacy::accountant::Accountant;
use crate::privacy::certificate::{Accuracy, NORMAL_975, Sought};
use crate::query::answer::{Output, OutputValue};
use crate::query::error::{Code, QueryError};
use crate::query::plan::Plan;

use super::ServiceError;
use super::ask::{Margin, Wanted};

pub(super) fn accuracy(wanted: &Wanted, plan: &Plan, accountant: Accountant) -> Result<Accuracy, ServiceError> {
    let mut errors = vec![f64::INFINITY; plan.sought.len()];
    match wanted {
        Wanted::Epsilon(epsilon) => return Ok(Accuracy::Epsilon(*epsilon)),
        Wanted::Margin(margin) => {
            for output in &plan.layout.outputs {
                demand(output, *margin, &mut errors);
            }
            if errors.iter().all(|error| error.is_infinite()) {
                let message = "margin is a half-width of counts and sums, and this query has neither";
                let error = QueryError::whole(Code::InvalidRequest, message);
                return Err(error.hint("ask with epsilon, or add COUNT(*)").into());
            }
        }
        Wanted::Margins(margins) => {
            for (name, margin) in margins {
                let output = plan.layout.outputs.iter().find(|output| output.name == *name);
                if !output.is_some_and(|output| demand(output, *margin, &mut errors)) {
                    return Err(no_margin(name, plan).into());
                }
            }
        }
    }
    fill(&mut errors, &plan.sought, accountant);
    Ok(Accuracy::StdErrors(errors))
}

fn no_margin(name: &str, plan: &Plan) -> QueryError {
    let counts_and_sums = plan
        .layout
        .outputs
        .iter()
        .filter(|output| matches!(output.value, OutputValue::Count { .. } | OutputValue::Sum { .. }));
    let names: Vec<_> = counts_and_sums.map(|output| output.name.as_str()).collect();
    let message =
        format!("margin names \"{}\", which is no count or sum of this query", crate::query::error::shown(name));
    QueryError::whole(Code::InvalidRequest, message).hint(format!("accepted are: {}", names.join(", ")))
}

/// Lowers the standard errors that `output` needs; whether it is a count or a sum at all.
fn demand(output: &Output, margin: Margin, errors: &mut [f64]) -> bool {
    let error = margin.width() / NORMAL_975;
    let mut lower = |measure: usize, error: f64| errors[measure] = errors[measure].min(error);
    match &output.value {
        OutputValue::Count { count } => lower(*count, error),
        OutputValue::Sum { sum, count: None, grid } => lower(*sum, error / grid.step_value()),
        OutputValue::Sum { sum, count: Some(count), grid } => {
            let variance = (error / grid.step_value()).powi(2);
            let (radius, centre) = (grid.radius() as f64, grid.centre().unsigned_abs() as f64);
            lower(*sum, (variance * radius / (radius + centre)).sqrt());
            lower(*count, (variance / (centre * (radius + centre))).sqrt());
        }
        OutputValue::Key { .. } | OutputValue::Mean { .. } | OutputValue::Formula { .. } => return false,
    }
    true
}

fn fill(errors: &mut [f64], sought: &[Sought], accountant: Accountant) {
    let size = |sought: &Sought| match accountant {
        Accountant::Gaussian { .. } => (sought.sensitivity.l2_squared() as f64).sqrt(),
        Accountant::Pure => sought.sensitivity.l1() as f64,
    };
    let ratios = errors.iter().zip(sought).map(|(error, sought)| size(sought) / error);
    let sharpest = ratios.fold(0.0, f64::max);
    for (error, sought) in errors.iter_mut().zip(sought).filter(|(error, _)| error.is_infinite()) {
        *error = size(sought) / sharpest;
    }
}
