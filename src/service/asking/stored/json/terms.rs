//! Terms and conditions in the JSON of the first version.

use super::value::Json;
use crate::query::filter::Filter;
use crate::query::term::calendar::{DatePart, Period};
use crate::query::term::{Constant, Operation, Term};

/// A column was written as its bare number.
pub(super) fn term(of: Json<'_>) -> Option<Term> {
    match of.read() {
        Some(column) => Some(Term::Column(column)),
        None => operation(of).map(Term::of),
    }
}

fn operation(of: Json<'_>) -> Option<Operation> {
    let (name, of) = of.variant()?;
    let item = |place: usize| of.item(place);
    Some(match name {
        "Constant" => Operation::Constant(constant(of)?),
        "Day" => Operation::Day(of.read()?),
        "Plus" => Operation::Plus(of.list(term)?),
        "Negative" => Operation::Negative(term(of)?),
        "Times" => Operation::Times(of.list(term)?),
        "Over" => Operation::Over(term(item(0)?)?, constant(item(1)?)?),
        "Absolute" => Operation::Absolute(term(of)?),
        "Least" => Operation::Least(of.list(term)?),
        "Greatest" => Operation::Greatest(of.list(term)?),
        "Rounded" => Operation::Rounded(term(item(0)?)?, item(1)?.read()?),
        "Filled" => Operation::Filled(term(item(0)?)?, term(item(1)?)?),
        "Case" => {
            let when = |when: Json<'_>| Some((filter(when.item(0)?)?, term(when.item(1)?)?));
            let otherwise = item(1)?;
            let otherwise = if otherwise.0.is_null() { None } else { Some(term(otherwise)?) };
            Operation::Case(item(0)?.list(when)?, otherwise)
        }
        "Choice" => {
            let when = |when: Json<'_>| Some((filter(when.item(0)?)?, when.item(1)?.read()?));
            let (whens, otherwise) = (of.at("whens")?.list(when)?, of.optional("otherwise", Json::read)?);
            Operation::Choice { whens, otherwise, labels: of.get("labels")? }
        }
        "Truth" => Operation::Truth(filter(of)?),
        "Truncated" => Operation::Truncated(term(item(0)?)?, period(item(1)?)?),
        "Extracted" => Operation::Extracted(term(item(0)?)?, part(item(1)?)?),
        "Bucket" => {
            let (low, high) = (constant(of.at("low")?)?, constant(of.at("high")?)?);
            Operation::Bucket { of: term(of.at("of")?)?, low, high, count: of.get("count")? }
        }
        _ => return None,
    })
}

fn filter(of: Json<'_>) -> Option<Filter> {
    let (name, of) = of.variant()?;
    let column = || term(of.at("column")?);
    Some(match name {
        "Range" => Filter::Range { column: column()?, low: of.get("low")?, high: of.get("high")? },
        "Members" => Filter::Members { column: column()?, codes: of.get("codes")? },
        "Values" => Filter::Values { column: column()?, values: of.get("values")? },
        "Missing" => Filter::Missing { column: column()? },
        "Not" => Filter::Not(Box::new(filter(of)?)),
        "All" => Filter::All(of.list(filter)?),
        "Any" => Filter::Any(of.list(filter)?),
        _ => return None,
    })
}

pub(super) fn constant(of: Json<'_>) -> Option<Constant> {
    Some(Constant { digits: of.get("digits")?, decimals: of.get("decimals")? })
}

fn period(of: Json<'_>) -> Option<Period> {
    Some(match of.0.as_str()? {
        "year" => Period::Year,
        "quarter" => Period::Quarter,
        "month" => Period::Month,
        "week" => Period::Week,
        "day" => Period::Day,
        _ => return None,
    })
}

fn part(of: Json<'_>) -> Option<DatePart> {
    Some(match of.0.as_str()? {
        "year" => DatePart::Year,
        "quarter" => DatePart::Quarter,
        "month" => DatePart::Month,
        "day" => DatePart::Day,
        "dow" => DatePart::Dow,
        "isodow" => DatePart::Isodow,
        "doy" => DatePart::Doy,
        _ => return None,
    })
}
