//! Writer of terms and filters as SQL.

use super::joins::written;
use super::words;
use crate::query::computation::{PerUnitColumn, PerUnitTable};
use crate::query::filter::{Filter, stored_bounds};
use crate::query::parse::IN_ITEMS_MAX;
use crate::query::term::context::TermContext;
use crate::query::term::lower::ValueKind;
use crate::query::term::patterns::PatternKind;
use crate::query::term::real::RealFunction;
use crate::query::term::spans::Span;
use crate::query::term::words::WordFunction;
use crate::query::term::{Constant, Operation, Term};
use crate::query::terms::domain::{Domain, date_text};
use crate::query::terms::policy::{Terms, is_identifier};

/// Writes one term as SQL.
#[must_use]
pub fn term(term: &Term, terms: &Terms) -> String {
    TermWriter { known: &TermContext::of(terms) }.term(term)
}

/// Writes row-local expressions, with names and domains from the public terms.
pub(super) struct TermWriter<'a> {
    pub(super) known: &'a TermContext<'a>,
}

impl TermWriter<'_> {
    /// Writes a term that stands alone.
    pub(super) fn term(&self, term: &Term) -> String {
        match term {
            Term::Column(index) => identifier(&self.known.columns[*index].name),
            Term::Made(made) => self.made(made),
        }
    }

    /// Writes a term as an operand, in parentheses if it needs them.
    pub(super) fn atom(&self, term: &Term) -> String {
        let is_bare = match term {
            Term::Column(_) => true,
            Term::Made(made) => match &**made {
                Operation::Constant(constant) => constant.digits >= 0,
                Operation::Plus(_)
                | Operation::Negative(_)
                | Operation::Times(_)
                | Operation::Over(..)
                | Operation::Case(..)
                | Operation::Apart(..)
                | Operation::Matched(..)
                | Operation::Later(..)
                | Operation::Worded(WordFunction::Joined, _)
                | Operation::Choice { .. } => false,
                // These forms have their own parentheses or need none.
                Operation::Truth(_)
                | Operation::Day(_)
                | Operation::Absolute(_)
                | Operation::Least(_)
                | Operation::Greatest(_)
                | Operation::Rounded(..)
                | Operation::Filled(..)
                | Operation::Truncated(..)
                | Operation::Extracted(..)
                | Operation::Integer(_)
                | Operation::Decimal(_)
                | Operation::Cut(..)
                | Operation::Remainder(..)
                | Operation::Sign(_)
                | Operation::Real(..)
                | Operation::Coalesced(_)
                | Operation::Text(_)
                | Operation::Worded(..)
                | Operation::Formatted(..)
                | Operation::Elapsed(..)
                | Operation::Read(..)
                | Operation::Made { .. }
                | Operation::Bucket { .. } => true,
            },
        };
        if is_bare { self.term(term) } else { format!("({})", self.term(term)) }
    }

    fn made(&self, made: &Operation) -> String {
        let list = |parts: &[Term]| parts.iter().map(|part| self.term(part)).collect::<Vec<_>>().join(", ");
        match made {
            Operation::Constant(constant) => number(*constant),
            Operation::Day(day) => format!("DATE {}", quoted(&date_text(*day))),
            Operation::Plus(parts) => self.sum(parts),
            Operation::Negative(of) => format!("-{}", self.atom(of)),
            Operation::Times(parts) => parts.iter().map(|part| self.atom(part)).collect::<Vec<_>>().join(" * "),
            Operation::Over(of, divisor) => {
                // Operators of equal precedence associate to the left.
                let is_product =
                    matches!(of, Term::Made(made) if matches!(**made, Operation::Times(_) | Operation::Over(..)));
                let above = if is_product { self.term(of) } else { self.atom(of) };
                format!("{above} / {}", number(*divisor))
            }
            Operation::Absolute(of) => format!("ABS({})", self.term(of)),
            Operation::Least(parts) => format!("LEAST({})", list(parts)),
            Operation::Greatest(parts) => format!("GREATEST({})", list(parts)),
            Operation::Rounded(of, 0) => format!("ROUND({})", self.term(of)),
            Operation::Rounded(of, decimals) => format!("ROUND({}, {decimals})", self.term(of)),
            Operation::Filled(of, with) => format!("COALESCE({}, {})", self.term(of), self.term(with)),
            Operation::Case(whens, None) if whens.is_empty() => "NULL".to_owned(),
            Operation::Case(whens, otherwise) => {
                let arms = whens.iter().map(|(when, then)| (when, self.term(then)));
                self.case(arms, otherwise.as_ref().map(|otherwise| self.term(otherwise)))
            }
            Operation::Choice { whens, otherwise, labels } => {
                let label = |code: u32| quoted(&labels[code as usize]);
                self.case(whens.iter().map(|(when, code)| (when, label(*code))), otherwise.map(label))
            }
            Operation::Truth(filter) => format!("({})", self.filter(filter, false)),
            Operation::Truncated(of, period) => format!("DATE_TRUNC({}, {})", quoted(period.word()), self.term(of)),
            Operation::Extracted(of, part) => format!("EXTRACT({} FROM {})", part.word().to_uppercase(), self.term(of)),
            Operation::Integer(of) => format!("CAST({} AS INTEGER)", self.term(of)),
            Operation::Decimal(of) => format!("CAST({} AS NUMERIC)", self.term(of)),
            Operation::Cut(of, side, 0) => format!("{}({})", side.word(), self.term(of)),
            Operation::Cut(of, side, decimals) => format!("{}({}, {decimals})", side.word(), self.term(of)),
            Operation::Remainder(of, by) => format!("MOD({}, {})", self.term(of), number(*by)),
            Operation::Sign(of) => format!("SIGN({})", self.term(of)),
            Operation::Real(function, of) => {
                let of = self.term(of);
                match function {
                    RealFunction::Root => format!("SQRT({of})"),
                    RealFunction::Exponential => format!("EXP({of})"),
                    RealFunction::Natural => format!("LN({of})"),
                    RealFunction::Logarithm(base) => format!("LOG({}, {of})", number(*base)),
                    RealFunction::Power(exponent) => format!("POWER({of}, {})", number(*exponent)),
                }
            }
            Operation::Coalesced(parts) => format!("COALESCE({})", list(parts)),
            Operation::Bucket { of, low, high, count } => {
                format!("WIDTH_BUCKET({}, {}, {}, {count})", self.term(of), number(*low), number(*high))
            }
            Operation::Text(text) => quoted(text),
            Operation::Worded(WordFunction::Joined, parts) => {
                parts.iter().map(|part| self.atom(part)).collect::<Vec<_>>().join(" || ")
            }
            Operation::Worded(function, parts) => format!("{}({})", function.word().to_uppercase(), list(parts)),
            Operation::Apart(one, other) => format!("{} <> {}", self.atom(one), self.atom(other)),
            Operation::Formatted(of, format) => format!("TO_CHAR({}, {})", self.term(of), quoted(format)),
            Operation::Later(of, months) => format!("{} + INTERVAL '{months} months'", self.atom(of)),
            Operation::Matched(of, kind, pattern) => self.matched(of, *kind, pattern, true),
            Operation::Elapsed(span, [from, to]) => self.elapsed(*span, from, to),
            Operation::Read(of, format) => format!("TO_DATE({}, {})", self.term(of), quoted(format)),
            Operation::Made { year, month, day } => {
                format!("MAKE_DATE({}, {}, {})", self.term(year), self.term(month), self.term(day))
            }
        }
    }

    fn elapsed(&self, span: Span, from: &Term, to: &Term) -> String {
        let (from, to) = (self.term(from), self.term(to));
        match span {
            Span::Year | Span::Quarter | Span::Month | Span::Week => format!("DATEDIFF({}, {from}, {to})", span.word()),
            Span::AgeYears => format!("EXTRACT(YEAR FROM AGE({to}, {from}))"),
            Span::AgeMonths => format!("EXTRACT(MONTH FROM AGE({to}, {from}))"),
        }
    }

    fn matched(&self, of: &Term, kind: PatternKind, pattern: &str, is: bool) -> String {
        let text = format!("{} {} {}", self.atom(of), kind.word(), quoted(pattern));
        if is { text } else { format!("NOT ({text})") }
    }

    /// Writes that two values are equal, or that they are not; `None` for any other condition.
    fn alike(&self, column: &Term, is: bool) -> Option<String> {
        match column {
            Term::Made(made) => match &**made {
                Operation::Apart(one, other) => {
                    Some(format!("{} {} {}", self.atom(one), if is { "=" } else { "<>" }, self.atom(other)))
                }
                _ => None,
            },
            Term::Column(_) => None,
        }
    }

    /// Writes a sum; negative parts are written with a minus.
    fn sum(&self, parts: &[Term]) -> String {
        let mut text = String::new();
        for part in self.readable(parts) {
            let (sign, part) = match part {
                Term::Made(made) => match &**made {
                    Operation::Negative(of) => ("-", self.atom(of)),
                    Operation::Constant(constant) if constant.digits < 0 => {
                        ("-", number(Constant { digits: -constant.digits, ..*constant }))
                    }
                    _ => ("+", self.atom(part)),
                },
                Term::Column(_) => ("+", self.atom(part)),
            };
            match (text.is_empty(), sign) {
                (true, "+") => text = part,
                (true, _) => text = format!("-{part}"),
                (false, sign) => text.push_str(&format!(" {sign} {part}")),
            }
        }
        text
    }

    /// The parts of a sum in an order in which they can be read from left to right. Every beginning of a sum is a sum itself, so the dates in
    /// it are a day or cancel out, and nothing but whole days is added to a day. The order of the term is kept if it fulfils this.
    fn readable<'t>(&self, parts: &'t [Term]) -> Vec<&'t Term> {
        let is_date = |part: &Term| self.known.lower(part).is_ok_and(|lowered| lowered.kind == ValueKind::Date);
        let is_less = |part: &Term| matches!(part, Term::Made(made) if matches!(**made, Operation::Negative(_)));
        let (dates, others): (Vec<&Term>, Vec<&Term>) = parts.iter().partition(|part| is_date(part));
        if dates.is_empty() {
            return others;
        }
        let (less, more): (Vec<&Term>, Vec<&Term>) = dates.into_iter().partition(|part| is_less(part));
        let mut days = 0;
        let is_readable = parts.iter().all(|part| {
            days += i32::from(more.contains(&part)) - i32::from(less.contains(&part));
            (0..=1).contains(&days)
        });
        let is_whole = |part: &&Term| self.known.lower(part).is_ok_and(|lowered| lowered.kind == ValueKind::Integer);
        if is_readable && others.iter().all(is_whole) {
            return parts.iter().collect();
        }
        let mut less = less.into_iter();
        let dates = more.into_iter().flat_map(|date| std::iter::once(date).chain(less.next())).collect::<Vec<_>>();
        dates.into_iter().chain(others).collect()
    }

    fn case<'f>(&self, arms: impl Iterator<Item = (&'f Filter, String)>, otherwise: Option<String>) -> String {
        let arms: Vec<_> = arms.map(|(when, then)| format!("WHEN {} THEN {then}", self.filter(when, false))).collect();
        let otherwise = otherwise.map(|otherwise| format!(" ELSE {otherwise}")).unwrap_or_default();
        format!("CASE {}{otherwise} END", arms.join(" "))
    }

    pub(super) fn filter(&self, filter: &Filter, nested: bool) -> String {
        match filter {
            Filter::Range { column, low, high } => {
                self.alike(column, true).unwrap_or_else(|| self.range(column, *low, *high))
            }
            Filter::Members { column, codes } => self.members(column, codes, true),
            Filter::Values { column, values } => {
                format!("{} IN ({})", self.atom(column), self.values(column, values))
            }
            Filter::Missing { column } => format!("{} IS NULL", self.atom(column)),
            Filter::Not(inner) => match inner.as_ref() {
                Filter::Missing { column } => format!("{} IS NOT NULL", self.atom(column)),
                Filter::Members { column, codes } => self.members(column, codes, false),
                Filter::Values { column, values } => {
                    format!("{} NOT IN ({})", self.atom(column), self.values(column, values))
                }
                Filter::Range { column, low, high } if low == high => {
                    if let Some(text) = self.alike(column, false) {
                        return text;
                    }
                    format!("{} <> {}", self.atom(column), value(&self.known.facts(column).domain, *low))
                }
                other => format!("NOT ({})", self.filter(other, false)),
            },
            Filter::All(parts) if parts.is_empty() => "TRUE".to_owned(),
            Filter::Any(parts) if parts.is_empty() => "FALSE".to_owned(),
            Filter::All(parts) => self.chain(parts, " AND ", nested),
            Filter::Any(parts) => self.chain(parts, " OR ", nested),
        }
    }

    fn chain(&self, parts: &[Filter], connective: &str, nested: bool) -> String {
        let parts: Vec<_> = parts.iter().map(|part| self.filter(part, true)).collect();
        let text = parts.join(connective);
        if nested { format!("({text})") } else { text }
    }

    /// Writes stored integers of an ordered column as literals.
    fn values(&self, of: &Term, stored: &[i64]) -> String {
        let facts = self.known.facts(of);
        stored.iter().map(|stored| value(&facts.domain, *stored)).collect::<Vec<_>>().join(", ")
    }

    fn range(&self, of: &Term, low: i64, high: i64) -> String {
        let facts = self.known.facts(of);
        let (least, greatest) = stored_bounds(&facts.domain);
        let name = self.atom(of);
        let value = |stored: i64| value(&facts.domain, stored);
        if low > high {
            format!("{name} < {}", value(least))
        } else if low == high {
            format!("{name} = {}", value(low))
        } else if low == least && high < greatest {
            format!("{name} <= {}", value(high))
        } else if high == greatest && low > least {
            format!("{name} >= {}", value(low))
        } else {
            format!("{name} BETWEEN {} AND {}", value(low), value(high))
        }
    }

    fn members(&self, of: &Term, codes: &[u32], is: bool) -> String {
        if let (Term::Made(made), [code]) = (of, codes)
            && let Operation::Matched(inner, kind, pattern) = &**made
        {
            return self.matched(inner, *kind, pattern, (*code == 1) == is);
        }
        let facts = self.known.facts(of);
        let labels = facts.domain.labels();
        let boolean = *facts.domain == Domain::Boolean;
        let label = |code: &u32| {
            let label = labels.as_ref().and_then(|labels| labels.get(*code as usize)).map_or("", String::as_str);
            if boolean { label.to_uppercase() } else { quoted(label) }
        };
        match codes {
            // True of no value, and unknown if the value is missing.
            [] => format!("{0} {1} {0}", self.atom(of), if is { "<>" } else { "=" }),
            [one] => format!("{} {} {}", self.atom(of), if is { "=" } else { "<>" }, label(one)),
            all if all.len() > IN_ITEMS_MAX && labels.as_ref().is_some_and(|labels| labels.len() == all.len()) => {
                format!("{0} {1} {0}", self.atom(of), if is { "=" } else { "<>" })
            }
            many => {
                let list: Vec<_> = many.iter().map(label).collect();
                format!("{} {} ({})", self.atom(of), if is { "IN" } else { "NOT IN" }, list.join(", "))
            }
        }
    }
}

/// Writes a stored integer of an ordered domain as a literal.
fn value(domain: &Domain, stored: i64) -> String {
    match domain {
        Domain::Number(grid) => grid.text(i128::from(stored) + i128::from(grid.centre())),
        Domain::Date { .. } => format!("DATE {}", quoted(&date_text(i32::try_from(stored).unwrap_or_default()))),
        Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => stored.to_string(),
    }
}

/// Writes the subquery that makes one row per unit; its columns have the names of `seen`.
pub(super) fn subquery(dataset: &str, units: &PerUnitTable, seen: &Terms, rows: &TermWriter<'_>) -> String {
    let unit = identifier(rows.known.unit_column().unwrap_or("row"));
    let (mut items, mut keys) = (vec![unit.clone()], vec![unit]);
    for (column, named) in units.columns.iter().zip(&seen.columns) {
        let text = match column {
            PerUnitColumn::Own(index) => {
                let own = identifier(&rows.known.columns[*index].name);
                keys.push(own.clone());
                if rows.known.columns[*index].name == named.name {
                    items.push(own);
                    continue;
                }
                own
            }
            PerUnitColumn::Rows => "COUNT(*)".to_owned(),
            PerUnitColumn::Present(term) => format!("COUNT({})", rows.term(term)),
            PerUnitColumn::Sum(term) => format!("SUM({})", rows.term(term)),
            PerUnitColumn::Mean(term) => format!("AVG({})", rows.term(term)),
            PerUnitColumn::Least(term) => format!("MIN({})", rows.term(term)),
            PerUnitColumn::Greatest(term) => format!("MAX({})", rows.term(term)),
            PerUnitColumn::Distinct(term) => format!("COUNT(DISTINCT {})", rows.term(term)),
            PerUnitColumn::Spread(spread, term) => {
                let word: &str = spread.into();
                format!("{}({})", word.to_uppercase(), rows.term(term))
            }
            PerUnitColumn::Percentile(fraction, term) => {
                format!("PERCENTILE_CONT({}) WITHIN GROUP (ORDER BY {})", number(*fraction), rows.term(term))
            }
            PerUnitColumn::Any(filter) => format!("BOOL_OR({})", rows.filter(filter, false)),
            PerUnitColumn::Every(filter) => format!("BOOL_AND({})", rows.filter(filter, false)),
            PerUnitColumn::First { of, by, descending, filter } => {
                let direction = if *descending { " DESC" } else { "" };
                let filter = filter.as_ref().map(|filter| format!(" FILTER (WHERE {})", rows.filter(filter, false)));
                let call = format!("ARRAY_AGG({} ORDER BY {}{direction})", rows.term(of), rows.term(by));
                format!("({call}{})[1]", filter.unwrap_or_default())
            }
        };
        items.push(format!("{text} AS {}", identifier(&named.name)));
    }
    let filter = units.filter.as_ref().and_then(|filter| written(filter, rows.known));
    let condition = filter.map(|filter| format!(" WHERE {}", rows.filter(&filter, false)));
    let condition = condition.unwrap_or_default();
    keys.dedup();
    format!("(SELECT {} FROM {dataset}{condition} GROUP BY {}) AS units", items.join(", "), keys.join(", "))
}

fn number(constant: Constant) -> String {
    let digits = constant.digits.unsigned_abs().to_string();
    let decimals = constant.decimals as usize;
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    let sign = if constant.digits < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

pub(super) fn identifier(name: &str) -> String {
    if is_identifier(name) && !words::RESERVED.contains(&name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
