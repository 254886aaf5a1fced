//! What is computed after the noise from aggregates and keys: CASE, functions, constants and conditions.
//!
//! Promises that everything here depends on noisy values and public labels alone: nothing is measured for it but its aggregates.

use super::outputs::OutputPlanner;
use super::planned::{OutputLookup, Planned, constant, refused};
use crate::query::answer::Label;
use crate::query::answer::formula::{Formula, HavingCondition, Words};
use crate::query::error::{Code, Position, QueryError, nearest, shown};
use crate::query::syntax::{
    ArithmeticOperator, Comparison, Condition, Expression, Having, Literal, Name, Numeric, OutputExpression, Scalar,
    ScalarFunction,
};
use crate::query::term::lower::Side;
use crate::query::term::{checker, coding};
use crate::query::terms::domain::{Domain, date_days};

/// What kind of label something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Date,
    Boolean,
    /// NULL, which is of any kind.
    Any,
}

impl OutputPlanner<'_> {
    /// The place of a key, by its expression.
    pub(super) fn key_place(&self, of: &Expression) -> Result<Option<usize>, QueryError> {
        if let (true, Scalar::Column(name)) = (self.is_text, &of.value) {
            let text = self.known.column(&name.text);
            return Ok(text.filter(|(_, column)| matches!(column.domain, Domain::Text { .. })).map(|_| 0));
        }
        let term = checker::expression(of, self.known)?;
        Ok(self.keys.iter().position(|key| key.column == term))
    }

    fn domain(&self, key: usize) -> Option<Domain> {
        self.keys.get(key).map(|key| self.known.facts(&key.column).domain.as_ref().clone())
    }

    pub(super) fn key(&self, place: usize) -> Planned {
        match self.domain(place) {
            Some(Domain::Number(_)) => Planned::Number(Formula::Key(place)),
            Some(Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. }) | None => {
                Planned::Words(Words::Key(place))
            }
        }
    }

    /// An expression of keys: a key itself, or what is computed from keys.
    pub(super) fn of_keys(&mut self, of: &Expression, named: OutputLookup<'_>) -> Result<Planned, QueryError> {
        let place = self.key_place(of);
        if let Ok(Some(place)) = place {
            return Ok(self.key(place));
        }
        self.known.steps().spend(1);
        let mut part = |one: &Expression| self.of_keys(one, named)?.number(one.at);
        let formula = match &of.value {
            Scalar::Column(name) => {
                let is_column = self.known.named(name).is_some();
                return named(name).filter(|_| !is_column).ok_or_else(|| not_grouped(name, self.keys.is_empty()));
            }
            Scalar::Constant(value) => return constant(&Literal { value: value.clone(), at: of.at }),
            Scalar::Negative(one) => Formula::Negative(Box::new(part(one)?)),
            Scalar::Arithmetic(left, operator, right) => {
                let (one, other) = (Box::new(part(left)?), Box::new(part(right)?));
                let is_whole = *operator == ArithmeticOperator::Over && is_whole(&one) && is_whole(&other);
                let result = Formula::Arithmetic(one, *operator, other);
                if is_whole {
                    // As PostgreSQL divides whole numbers.
                    Formula::Call(ScalarFunction::Trunc, vec![result])
                } else {
                    result
                }
            }
            Scalar::Absolute(one) => Formula::Absolute(Box::new(part(one)?)),
            Scalar::Round(one, decimals) => Formula::Round(Box::new(part(one)?), *decimals),
            Scalar::Least(parts) | Scalar::Greatest(parts) => {
                let function = match &of.value {
                    Scalar::Least(_) => ScalarFunction::Least,
                    _ => ScalarFunction::Greatest,
                };
                Formula::Call(function, parts.iter().map(part).collect::<Result<_, _>>()?)
            }
            Scalar::Coalesce(one, other) => {
                let parts = vec![self.of_keys(one, named)?, self.of_keys(other, named)?];
                return self.coalesced(parts, of.at);
            }
            Scalar::Case(arms, otherwise) => {
                let mut all = Vec::with_capacity(arms.len());
                for (when, then) in arms {
                    all.push((self.key_condition(when, of.at, named)?, self.of_keys(then, named)?));
                }
                let otherwise = otherwise.as_ref().map(|one| self.of_keys(one, named)).transpose()?;
                return case(all, otherwise, of.at);
            }
            Scalar::Truth(condition) => {
                return Ok(Planned::Words(truth(self.key_condition(condition, of.at, named)?)));
            }
            Scalar::Numeric(Numeric::Cast(_), parts) if parts.len() == 1 => return self.of_keys(&parts[0], named),
            Scalar::Numeric(call, parts) if let Some(function) = after_noise(call) => {
                let mut parts = parts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
                if let Numeric::Cut(Side::Zero, decimals) = call {
                    parts.push(Formula::Number(decimals.to_string()));
                }
                Formula::Call(function, parts)
            }
            _ => {
                place?;
                if let Some(found) = self.relabelled(of)? {
                    return Ok(found);
                }
                let message = "this is computed from rows, and is no key";
                return Err(QueryError::at(Code::NotAnAggregate, of.at, message));
            }
        };
        Ok(Planned::Number(formula))
    }

    /// A condition on keys.
    fn key_condition(
        &mut self,
        condition: &Condition,
        at: Position,
        named: OutputLookup<'_>,
    ) -> Result<HavingCondition, QueryError> {
        let mut all = |parts: &[Condition]| {
            parts.iter().map(|part| self.key_condition(part, at, named)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match condition {
            Condition::All(parts) => HavingCondition::All(all(parts)?),
            Condition::Any(parts) => HavingCondition::Any(all(parts)?),
            Condition::Not(inner) => HavingCondition::Not(Box::new(self.key_condition(inner, at, named)?)),
            Condition::Compare(left, how, right) => {
                let (one, other) = (self.of_keys(left, named)?, self.of_keys(right, named)?);
                self.compared(one, *how, other, left.at)?
            }
            Condition::Between(of, low, high) => {
                let of_value = self.of_keys(of, named)?;
                let (low, high) = (self.of_keys(low, named)?, self.of_keys(high, named)?);
                let least = self.compared(of_value.clone(), Comparison::GreaterOrEqual, low, of.at)?;
                HavingCondition::All(vec![least, self.compared(of_value, Comparison::LessOrEqual, high, of.at)?])
            }
            Condition::In(of, list) => {
                let value = self.of_keys(of, named)?;
                let one = |item: &Literal| self.compared(value.clone(), Comparison::Equal, constant(item)?, item.at);
                HavingCondition::Any(list.iter().map(one).collect::<Result<_, _>>()?)
            }
            Condition::IsNull(of) => missing(self.of_keys(of, named)?),
            Condition::Is(of) => {
                let value = self.of_keys(of, named)?;
                self.is_true(value, of.at)?
            }
            Condition::InRows(..) | Condition::Exists(_) => {
                let message = "a query inside of a condition is about rows, and this condition is about groups";
                return Err(QueryError::at(Code::UnsupportedSql, at, message));
            }
        })
    }

    /// The truth of a boolean label.
    fn is_true(&self, value: Planned, at: Position) -> Result<HavingCondition, QueryError> {
        self.compared(value, Comparison::Equal, Planned::Words(Words::Label(Label::Boolean(true))), at)
    }

    fn kind(&self, words: &Words) -> Kind {
        match words {
            Words::Label(Label::Missing) => Kind::Any,
            Words::Label(Label::Boolean(_)) => Kind::Boolean,
            // A constant day is a text until it is compared with a day, as in PostgreSQL.
            Words::Label(Label::Integer(_) | Label::Decimal(_) | Label::Text(_) | Label::Date(_)) => Kind::Text,
            Words::Key(place) => match self.domain(*place) {
                Some(Domain::Boolean) => Kind::Boolean,
                Some(Domain::Date { .. }) => Kind::Date,
                Some(Domain::Category(_) | Domain::Text { .. } | Domain::Number(_)) | None => Kind::Text,
            },
            Words::Case(arms, otherwise) => {
                let mut kinds = arms.iter().map(|(_, then)| then).chain([&**otherwise]).map(|branch| self.kind(branch));
                kinds.rfind(|kind| *kind != Kind::Any).unwrap_or(Kind::Any)
            }
        }
    }

    /// A comparison of two numbers or of two labels.
    fn compared(
        &self,
        left: Planned,
        how: Comparison,
        right: Planned,
        at: Position,
    ) -> Result<HavingCondition, QueryError> {
        let (left, right) = match (left, right) {
            (Planned::Number(left), Planned::Number(right)) => return Ok(HavingCondition::Compare(left, how, right)),
            (Planned::Words(left), Planned::Words(right)) => (left, right),
            (Planned::Number(_), Planned::Words(_)) | (Planned::Words(_), Planned::Number(_)) => {
                let message = "a number is compared with a text, a date or a truth value";
                return Err(QueryError::at(Code::UnsupportedSql, at, message));
            }
        };
        let is_equality = matches!(how, Comparison::Equal | Comparison::NotEqual);
        match (self.kind(&left), self.kind(&right)) {
            // A date is compared with its text, as it is in PostgreSQL.
            (Kind::Date, Kind::Date | Kind::Text) | (Kind::Text, Kind::Date) => {
                for side in [&left, &right] {
                    if let Words::Label(Label::Text(text)) = side
                        && date_days(text).is_none()
                    {
                        let message = format!("\"{}\" is no day", shown(text));
                        return Err(refused(at, message, "a day is written as '2024-02-29'"));
                    }
                }
            }
            (Kind::Any, _) | (_, Kind::Any) | (Kind::Boolean, Kind::Boolean) => {}
            (Kind::Text, Kind::Text) if is_equality => {
                self.check_label(&left, &right, at)?;
                self.check_label(&right, &left, at)?;
            }
            (Kind::Text, Kind::Text) => {
                return Err(refused(at, "labels have no order here", "write … IN (…) with the labels that are meant"));
            }
            (Kind::Boolean, _) | (_, Kind::Boolean) => {
                let message = "a truth value is compared with something else";
                return Err(QueryError::at(Code::UnsupportedSql, at, message));
            }
        }
        Ok(HavingCondition::Labels(left, how, right))
    }

    /// Checks that a constant is one of the labels of the key that it is compared with.
    fn check_label(&self, key: &Words, constant: &Words, at: Position) -> Result<(), QueryError> {
        let (Words::Key(place), Words::Label(constant)) = (key, constant) else { return Ok(()) };
        let (Some(key), Some(text)) = (self.keys.get(*place), constant.as_text()) else { return Ok(()) };
        let labels = coding::labels(key, self.known);
        if labels.iter().any(|label| label.as_text().is_some_and(|known| known == text)) {
            return Ok(());
        }
        let message = format!("'{}' is no value of this key", shown(&text));
        Err(QueryError::at(Code::OutOfDomain, at, message))
    }

    fn coalesced(&self, parts: Vec<Planned>, at: Position) -> Result<Planned, QueryError> {
        if parts.iter().all(|part| matches!(part, Planned::Number(_))) {
            let numbers = parts.into_iter().map(|part| part.number(at)).collect::<Result<_, _>>()?;
            return Ok(Planned::Number(Formula::Call(ScalarFunction::Coalesce, numbers)));
        }
        let arm = |part: Planned| (HavingCondition::Not(Box::new(missing(part.clone()))), part);
        let mut arms: Vec<_> = parts.into_iter().map(arm).collect();
        let last = arms.pop().map(|(_, last)| last);
        case(arms, last, at)
    }

    /// What is computed after the noise, as a number or as a label.
    pub(super) fn planned(
        &mut self,
        output: &OutputExpression,
        named: OutputLookup<'_>,
    ) -> Result<Planned, QueryError> {
        match output {
            OutputExpression::Label(literal) => constant(literal),
            OutputExpression::Key(of) => self.of_keys(of, named),
            OutputExpression::Named(name) => {
                let of = Expression::column(name.clone());
                if self.known.column(&name.text).is_some()
                    && let Ok(Some(place)) = self.key_place(&of)
                {
                    return Ok(self.key(place));
                }
                named(name).ok_or_else(|| {
                    let message = format!("\"{}\" is neither a key nor an output", shown(&name.text));
                    let error = QueryError::at(Code::UnsupportedSql, name.at, message);
                    if self.known.named(name).is_some() {
                        return error.hint("write WHERE for conditions on columns");
                    }
                    match nearest(&name.text, self.names.iter().map(String::as_str)) {
                        Some(near) => error.hint(format!("did you mean \"{near}\"?")),
                        None => error,
                    }
                })
            }
            OutputExpression::Truth(having) => Ok(Planned::Words(truth(self.condition(having, named)?))),
            OutputExpression::Case(arms, otherwise) => {
                let mut all = Vec::with_capacity(arms.len());
                for (when, then) in arms {
                    all.push((self.condition(when, named)?, self.planned(then, named)?));
                }
                let otherwise = otherwise.as_ref().map(|one| self.planned(one, named)).transpose()?;
                case(all, otherwise, self.at)
            }
            OutputExpression::Call(ScalarFunction::Coalesce, parts) => {
                let parts = parts.iter().map(|part| self.planned(part, named)).collect::<Result<Vec<_>, _>>()?;
                self.coalesced(parts, self.at)
            }
            OutputExpression::Aggregate(_)
            | OutputExpression::Number(_)
            | OutputExpression::Negative(_)
            | OutputExpression::Arithmetic(..)
            | OutputExpression::Absolute(_)
            | OutputExpression::Root(_)
            | OutputExpression::Round(..)
            | OutputExpression::NullIf(..)
            | OutputExpression::Running { .. }
            | OutputExpression::Missing
            | OutputExpression::Grouping(_)
            | OutputExpression::Call(..)
            | OutputExpression::Window(_) => self.formula(output, named).map(Planned::Number),
        }
    }

    /// A condition on estimates and keys.
    pub(super) fn condition(
        &mut self,
        having: &Having,
        named: OutputLookup<'_>,
    ) -> Result<HavingCondition, QueryError> {
        let mut all = |parts: &[Having]| parts.iter().map(|part| self.condition(part, named)).collect::<Result<_, _>>();
        match having {
            Having::All(parts) => Ok(HavingCondition::All(all(parts)?)),
            Having::Any(parts) => Ok(HavingCondition::Any(all(parts)?)),
            Having::Not(inner) => Ok(HavingCondition::Not(Box::new(self.condition(inner, named)?))),
            Having::Compare(left, how, right) => {
                let (left, right) = (self.planned(left, named)?, self.planned(right, named)?);
                self.compared(left, *how, right, self.at)
            }
            Having::IsNull(of) => Ok(missing(self.planned(of, named)?)),
            Having::Is(of) => {
                let value = self.planned(of, named)?;
                self.is_true(value, self.at)
            }
        }
    }
}

/// Whether a formula of keys is a whole number: a key, or a constant without decimals.
fn is_whole(formula: &Formula) -> bool {
    match formula {
        Formula::Key(_) => true,
        Formula::Number(text) => !text.contains(['.', 'e', 'E']),
        Formula::Call(ScalarFunction::Trunc, parts) => parts.len() == 1,
        Formula::Negative(of) | Formula::Absolute(of) => is_whole(of),
        Formula::Arithmetic(left, operator, right) => {
            *operator != ArithmeticOperator::Over && is_whole(left) && is_whole(right)
        }
        _ => false,
    }
}

/// A condition that is true where there is no value.
fn missing(of: Planned) -> HavingCondition {
    match of {
        Planned::Number(formula) => HavingCondition::Missing(formula),
        Planned::Words(words) => HavingCondition::NoLabel(words),
    }
}

/// A condition as a label.
fn truth(condition: HavingCondition) -> Words {
    let label = |truth: bool| Words::Label(Label::Boolean(truth));
    let not = HavingCondition::Not(Box::new(condition.clone()));
    Words::Case(vec![(condition, label(true)), (not, label(false))], Box::new(Words::Label(Label::Missing)))
}

/// A CASE whose branches are all numbers, or all labels.
fn case(
    arms: Vec<(HavingCondition, Planned)>,
    otherwise: Option<Planned>,
    at: Position,
) -> Result<Planned, QueryError> {
    let otherwise = otherwise.unwrap_or(Planned::Number(Formula::Missing));
    let is_words = arms.iter().map(|(_, then)| then).chain([&otherwise]).any(|one| matches!(one, Planned::Words(_)));
    if !is_words {
        let arm = |(when, then): (HavingCondition, Planned)| Ok((when, then.number(at)?));
        let arms = arms.into_iter().map(arm).collect::<Result<_, QueryError>>()?;
        return Ok(Planned::Number(Formula::Case(arms, Box::new(otherwise.number(at)?))));
    }
    let words = |one: Planned| match one {
        Planned::Words(words) => Ok(words),
        Planned::Number(Formula::Missing) => Ok(Words::Label(Label::Missing)),
        Planned::Number(_) => {
            Err(QueryError::at(Code::UnsupportedSql, at, "the branches of a CASE are labels and numbers"))
        }
    };
    let arms = arms.into_iter().map(|(when, then)| Ok((when, words(then)?))).collect::<Result<_, QueryError>>()?;
    Ok(Planned::Words(Words::Case(arms, Box::new(words(otherwise)?))))
}

fn not_grouped(name: &Name, is_first: bool) -> QueryError {
    let name_shown = shown(&name.text);
    let message = format!("\"{name_shown}\" is neither aggregated nor grouped by");
    let others = if is_first { "" } else { "…, " };
    let hint = format!("write GROUP BY {others}{name_shown} for one row of each of its values");
    QueryError::at(Code::NotAnAggregate, name.at, message).hint(hint)
}

/// The function that a function of one row is after the noise; `None` if there is none.
fn after_noise(call: &Numeric) -> Option<ScalarFunction> {
    Some(match call {
        Numeric::Cut(Side::Down, 0) => ScalarFunction::Floor,
        Numeric::Cut(Side::Up, 0) => ScalarFunction::Ceil,
        Numeric::Cut(Side::Zero, _) => ScalarFunction::Trunc,
        Numeric::Remainder => ScalarFunction::Mod,
        Numeric::Sign => ScalarFunction::Sign,
        Numeric::Exponential => ScalarFunction::Exp,
        Numeric::Natural => ScalarFunction::Ln,
        Numeric::Logarithm => ScalarFunction::Log,
        Numeric::Power => ScalarFunction::Power,
        Numeric::Cast(_) | Numeric::Cut(..) | Numeric::Root | Numeric::NullIf | Numeric::Null => return None,
    })
}
