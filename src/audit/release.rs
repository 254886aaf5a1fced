//! The audit of single releases of one kind.

use super::finding::{AuditError, Finding, Scope};
use crate::audit::claims::{Claim, Law};
use crate::audit::history::{Earlier, History};
use crate::audit::kinds::Kind;
use crate::audit::sampling::Sampled;
use crate::audit::tables::{CAP, Neighbours};
use crate::client::Client;
use serde_json::Value;

/// Audits kinds of measurements of a server's audit datasets, as the researcher whose token `client` holds. Findings made before
/// an error are kept in `findings`.
///
/// # Errors
/// [`AuditError`] if the server cannot be asked. A broken claim is a finding, not an error.
pub fn run(client: &Client, scope: Scope, kinds: &[Kind], findings: &mut Vec<Finding>) -> Result<(), AuditError> {
    let mut asked = Vec::new();
    for neighbours in Neighbours::ALL {
        let of_them: Vec<Kind> = kinds.iter().copied().filter(|kind| kind.neighbours() == *neighbours).collect();
        if !of_them.is_empty() {
            asked.extend(affordable(client, scope, *neighbours, &of_them)?);
        }
    }
    for kind in asked {
        findings.push(one(client, scope, kind)?);
    }
    Ok(())
}

/// Those of the kinds that have noise of their own under the law of two datasets, if the allocations suffice for all of them.
fn affordable(client: &Client, scope: Scope, neighbours: Neighbours, kinds: &[Kind]) -> Result<Vec<Kind>, AuditError> {
    let law = law(client, neighbours)?;
    let kinds: Vec<Kind> = kinds.iter().copied().filter(|kind| law.has(*kind)).collect();
    let share = |kind: &Kind| Claim::new(law, scope.epsilon, *kind).fraction() * questions(scope, *kind) as f64;
    let planned: f64 = kinds.iter().map(share).sum();
    let spent = spent(client, neighbours)?;
    let left = 1.0 - spent[0].max(spent[1]);
    if planned > left {
        let message = format!(
            "the audit would take {planned:.3} of its allocations, and {left:.3} is left; ask for fewer --samples or a smaller \
             --epsilon, or audit a server whose audit tables are new"
        );
        return Err(AuditError::Unusable(message));
    }
    Ok(kinds)
}

/// Number of questions that a kind takes; at least two, so that repeated noise is noticed.
pub(super) fn questions(scope: Scope, kind: Kind) -> u64 {
    scope.samples.div_ceil(kind.samples_per_query()).max(2)
}

/// The noise law that both datasets declare; they must be as [`Neighbours::prepare`] wrote them.
fn law(client: &Client, neighbours: Neighbours) -> Result<Law, AuditError> {
    let of = |name: &str| {
        let dataset = client.get(&format!("/v1/datasets/{name}"))?;
        let text = |path: &str| dataset.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let law = match text("/accountant").as_str() {
            "pure" => Some(Law::Laplace),
            "gaussian" => text("/cap/delta").parse().ok().map(|delta| Law::Gaussian { delta }),
            _ => None,
        };
        let is_prepared =
            dataset.get("max_rows_per_unit").and_then(Value::as_u64) == Some(neighbours.rows_per_unit().into());
        let unusable = || AuditError::Unusable(format!("dataset \"{name}\" is not one that audit --prepare wrote"));
        law.filter(|_| is_prepared).ok_or_else(unusable)
    };
    let (with, without) = (of(neighbours.with())?, of(neighbours.without())?);
    if with == without {
        Ok(with)
    } else {
        Err(AuditError::Unusable("the two datasets have different accountants".to_owned()))
    }
}

/// Audits one kind of measurement.
///
/// # Errors
/// The errors of [`run`].
pub fn one(client: &Client, scope: Scope, kind: Kind) -> Result<Finding, AuditError> {
    audited(client, None, scope, kind)
}

/// Audits one kind of measurement with Gaussian noise whose answers are made of what a colleague and the auditor asked earlier.
///
/// # Errors
/// The errors of [`run`].
pub fn one_after(
    client: &Client,
    (colleague, history): (&Client, History),
    scope: Scope,
    kind: Kind,
) -> Result<Finding, AuditError> {
    let finding = audited(client, Some(Earlier { colleague, history }), scope, kind)?;
    Ok(Finding { mechanism: format!("{}, {}", finding.mechanism, history.name()), ..finding })
}

fn audited(client: &Client, earlier: Option<Earlier<'_>>, scope: Scope, kind: Kind) -> Result<Finding, AuditError> {
    let neighbours = kind.neighbours();
    let claim = Claim::new(law(client, neighbours)?, scope.epsilon, kind);
    let events = claim.events();
    let questions = questions(scope, kind);
    let before = spent(client, neighbours)?;
    let side = |dataset: &'static str| {
        let (client, events) = (client.clone(), &events);
        move || Sampled::new(&client, earlier, (dataset, kind, scope.epsilon), questions, events)
    };
    let (with, without) = std::thread::scope(|scope| {
        let with = scope.spawn(side(neighbours.with()));
        let without = side(neighbours.without())();
        (with.join(), without)
    });
    let cut_off = |_| AuditError::Unusable("the audit was cut off".to_owned());
    let (with, without) = (with.map_err(cut_off)??, without?);
    let due = claim.fraction() * questions as f64;
    let after = spent(client, neighbours)?;
    let charged = ((after[0] - before[0]) / due).min((after[1] - before[1]) / due);
    claim.finding(&events, (&with, &without), charged, due)
}

/// What the auditing researcher has spent of each of two datasets, as a fraction of the allocation.
fn spent(client: &Client, neighbours: Neighbours) -> Result<[f64; 2], AuditError> {
    let accounts = client.get("/v1/accounts")?;
    let of = |name: &str| {
        let mine = accounts.as_array().into_iter().flatten().find(|account| {
            let text = |key: &str| account.get(key).and_then(Value::as_str);
            text("dataset") == Some(name) && text("kind") == Some("researcher")
        });
        let number = |key: &str| mine?.get(key)?.as_str()?.parse::<f64>().ok();
        number("fraction_spent").filter(|_| number("epsilon_cap") == Some(CAP))
    };
    if let (Some(with), Some(without)) = (of(neighbours.with()), of(neighbours.without())) {
        return Ok([with, without]);
    }
    let message = format!("the auditing researcher needs an allocation of epsilon {} of both audit datasets", CAP);
    Err(AuditError::Unusable(message))
}
