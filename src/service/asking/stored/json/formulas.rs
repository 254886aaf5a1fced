//! Formulas in the JSON of the first version.

use super::terms::{constant, term};
use super::value::Json;
use crate::query::answer::formula::{CentredSum, Formula, HavingCondition, Products, Quantile, RunningSum, Squares};
use crate::query::syntax::{ArithmeticOperator, Comparison, Pair, Spread};

pub(super) fn formula(of: Json<'_>) -> Option<Formula> {
    let (name, of) = of.variant()?;
    let boxed = |of: Json<'_>| formula(of).map(Box::new);
    let item = |place: usize| of.item(place);
    Some(match name {
        "number" => Formula::Number(of.read()?),
        "count" => Formula::Count(of.read()?),
        "sum" => Formula::Sum(centred(of)?),
        "mean" => Formula::Mean(centred(item(0)?)?, item(1)?.read()?),
        "spread" => Formula::Spread(spread(item(0)?)?, Box::new(squares(item(1)?)?)),
        "pair" => Formula::Pair(pair(item(0)?)?, Box::new(products(item(1)?)?)),
        "quantile" => Formula::Quantile(Box::new(quantile(of)?)),
        "run" => Formula::Run(Box::new(run(of)?)),
        "negative" => Formula::Negative(boxed(of)?),
        "arithmetic" => Formula::Arithmetic(boxed(item(0)?)?, operator(item(1)?)?, boxed(item(2)?)?),
        "absolute" => Formula::Absolute(boxed(of)?),
        "root" => Formula::Root(boxed(of)?),
        "round" => Formula::Round(boxed(item(0)?)?, item(1)?.read()?),
        "nullif" => Formula::NullIf(boxed(item(0)?)?, boxed(item(1)?)?),
        _ => return None,
    })
}

fn centred(of: Json<'_>) -> Option<CentredSum> {
    Some(CentredSum { sum: of.get("sum")?, count: of.optional("count", Json::read)?, grid: of.get("grid")? })
}

fn squares(of: Json<'_>) -> Option<Squares> {
    Some(Squares {
        count: of.get("count")?,
        sum: centred(of.at("sum")?)?,
        squares: centred(of.at("squares")?)?,
        of: term(of.at("of")?)?,
    })
}

fn products(of: Json<'_>) -> Option<Products> {
    let two = |name: &str| of.at(name).and_then(|two| Some((two.item(0)?, two.item(1)?)));
    let ((y, y_squared), (x, x_squared)) = (two("y")?, two("x")?);
    let (centres, terms) = (two("centres")?, two("of")?);
    Some(Products {
        count: of.get("count")?,
        y: (centred(y)?, centred(y_squared)?),
        x: (centred(x)?, centred(x_squared)?),
        products: centred(of.at("products")?)?,
        centres: (constant(centres.0)?, constant(centres.1)?),
        of: (term(terms.0)?, term(terms.1)?),
    })
}

fn quantile(of: Json<'_>) -> Option<Quantile> {
    Some(Quantile {
        fraction: of.get("fraction")?,
        levels: of.get("levels")?,
        bins: of.get("bins")?,
        branches: of.get("branches")?,
        low: of.get("low")?,
        width: of.get("width")?,
        grid: of.get("grid")?,
    })
}

pub(super) fn run(of: Json<'_>) -> Option<RunningSum> {
    Some(RunningSum {
        vector: of.get("vector")?,
        groups: of.get("groups")?,
        stride: of.get("stride")?,
        is_rooted: of.get("is_rooted")?,
        is_step: of.get("is_step")?,
    })
}

pub(super) fn shown(of: Json<'_>) -> Option<HavingCondition> {
    let (name, of) = of.variant()?;
    let item = |place: usize| of.item(place);
    Some(match name {
        "compare" => HavingCondition::Compare(formula(item(0)?)?, comparison(item(1)?)?, formula(item(2)?)?),
        "missing" => HavingCondition::Missing(formula(of)?),
        "not" => HavingCondition::Not(Box::new(shown(of)?)),
        "all" => HavingCondition::All(of.list(shown)?),
        "any" => HavingCondition::Any(of.list(shown)?),
        _ => return None,
    })
}

fn operator(of: Json<'_>) -> Option<ArithmeticOperator> {
    Some(match of.0.as_str()? {
        "plus" => ArithmeticOperator::Plus,
        "minus" => ArithmeticOperator::Minus,
        "times" => ArithmeticOperator::Times,
        "over" => ArithmeticOperator::Over,
        _ => return None,
    })
}

fn spread(of: Json<'_>) -> Option<Spread> {
    Some(match of.0.as_str()? {
        "varsamp" => Spread::VarSamp,
        "varpop" => Spread::VarPop,
        "stddevsamp" => Spread::StddevSamp,
        "stddevpop" => Spread::StddevPop,
        _ => return None,
    })
}

fn pair(of: Json<'_>) -> Option<Pair> {
    Some(match of.0.as_str()? {
        "corr" => Pair::Corr,
        "covarsamp" => Pair::CovarSamp,
        "covarpop" => Pair::CovarPop,
        "regrslope" => Pair::RegrSlope,
        "regrintercept" => Pair::RegrIntercept,
        _ => return None,
    })
}

fn comparison(of: Json<'_>) -> Option<Comparison> {
    Some(match of.0.as_str()? {
        "equal" => Comparison::Equal,
        "notequal" => Comparison::NotEqual,
        "less" => Comparison::Less,
        "lessorequal" => Comparison::LessOrEqual,
        "greater" => Comparison::Greater,
        "greaterorequal" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}
