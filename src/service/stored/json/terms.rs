//! Terms and conditions in the JSON of the first version.

use super::Json;
use crate::query::filter::Filter;
use crate::query::term::calendar::{Part, Period};
use crate::query::term::{Constant, Made, Term};

/// A column is its number alone.
pub(super) fn term(of: Json<'_>) -> Option<Term> {
    match of.read() {
        Some(column) => Some(Term::Column(column)),
        None => made(of).map(Term::of),
    }
}

fn made(of: Json<'_>) -> Option<Made> {
    let (name, of) = of.variant()?;
    let item = |place: usize| of.item(place);
    Some(match name {
        "Constant" => Made::Constant(constant(of)?),
        "Day" => Made::Day(of.read()?),
        "Plus" => Made::Plus(of.list(term)?),
        "Negative" => Made::Negative(term(of)?),
        "Times" => Made::Times(of.list(term)?),
        "Over" => Made::Over(term(item(0)?)?, constant(item(1)?)?),
        "Absolute" => Made::Absolute(term(of)?),
        "Least" => Made::Least(of.list(term)?),
        "Greatest" => Made::Greatest(of.list(term)?),
        "Rounded" => Made::Rounded(term(item(0)?)?, item(1)?.read()?),
        "Filled" => Made::Filled(term(item(0)?)?, term(item(1)?)?),
        "Case" => {
            let when = |when: Json<'_>| Some((filter(when.item(0)?)?, term(when.item(1)?)?));
            let otherwise = item(1)?;
            let otherwise = if otherwise.0.is_null() { None } else { Some(term(otherwise)?) };
            Made::Case(item(0)?.list(when)?, otherwise)
        }
        "Choice" => {
            let when = |when: Json<'_>| Some((filter(when.item(0)?)?, when.item(1)?.read()?));
            let (whens, otherwise) = (of.at("whens")?.list(when)?, of.optional("otherwise", Json::read)?);
            Made::Choice { whens, otherwise, labels: of.get("labels")? }
        }
        "Truth" => Made::Truth(filter(of)?),
        "Truncated" => Made::Truncated(term(item(0)?)?, period(item(1)?)?),
        "Extracted" => Made::Extracted(term(item(0)?)?, part(item(1)?)?),
        "Bucket" => {
            let (low, high) = (constant(of.at("low")?)?, constant(of.at("high")?)?);
            Made::Bucket { of: term(of.at("of")?)?, low, high, count: of.get("count")? }
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

fn part(of: Json<'_>) -> Option<Part> {
    Some(match of.0.as_str()? {
        "year" => Part::Year,
        "quarter" => Part::Quarter,
        "month" => Part::Month,
        "day" => Part::Day,
        "dow" => Part::Dow,
        "isodow" => Part::Isodow,
        "doy" => Part::Doy,
        _ => return None,
    })
}
