//! The canonical text that questions and measurements are identified by, written out by hand.
//!
//! An identity is the BLAKE3 digest of this text. What was paid for is found again under its identity, so the text of a question must never
//! change: every name in it is spelled here, and renaming a type, a variant or a field of the plan changes nothing. The text is JSON without
//! spaces, as the first version of the program wrote it, and it begins with `[`. A later version of the text has to begin with another byte.
//!
//! Two things besides the names are part of it: the order in which terms and conditions are sorted, which is that of their variants and
//! fields, and which optional parts are left out.

mod words;

use std::io::Write;

use crate::query::computation::relation::Relation;
use crate::query::computation::{Computation, Measure, PerUnitColumn, PerUnitTable, PlanKey, TextKey};
use crate::query::filter::Filter;
use crate::query::term::calendar::{DatePart, Period};
use crate::query::term::lower::Side;
use crate::query::term::real::RealFunction;
use crate::query::term::{Constant, Operation, Term};

/// The canonical text while it is being written.
#[derive(Default)]
pub(super) struct Text(Vec<u8>);

/// A field of an object by its name, with what writes it.
type Field<'a> = (&'a str, &'a dyn Fn(&mut Text));

impl Text {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Writes what is neither a string nor a value of the plan: brackets, commas, names of our own.
    pub(super) fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(super) fn string(&mut self, text: &str) {
        // Unwrap safety: writing a string into memory does not fail.
        serde_json::to_writer(&mut self.0, text).expect("a string is JSON");
    }

    pub(super) fn number(&mut self, number: impl Into<i128>) {
        // Unwrap safety: writing into memory does not fail.
        write!(self.0, "{}", number.into()).expect("memory takes what is written");
    }

    fn truth(&mut self, truth: bool) {
        self.raw(if truth { "true" } else { "false" });
    }

    fn place(&mut self, place: usize) {
        self.number(place as u64);
    }

    pub(super) fn places(&mut self, places: &[usize]) {
        self.list(places, |out, place| out.place(*place));
    }

    /// Writes a list, `[a,b,…]`.
    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.raw("[");
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.raw(",");
            }
            write(self, item);
        }
        self.raw("]");
    }

    pub(super) fn optional<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        match value {
            Some(value) => write(self, value),
            None => self.raw("null"),
        }
    }

    /// Writes an enum variant, `{"name":…}`, around its content.
    fn tagged(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        self.raw("{");
        self.field(name);
        write(self);
        self.raw("}");
    }

    /// Writes an object, `{"name":…,"name":…}`.
    fn object(&mut self, fields: &[Field<'_>]) {
        self.raw("{");
        for (name, write) in fields {
            self.field(name);
            write(self);
        }
        self.raw("}");
    }

    /// Writes an enum variant with named fields: [`Text::object`] within [`Text::tagged`].
    fn variant(&mut self, name: &str, fields: &[Field<'_>]) {
        self.tagged(name, |out| out.object(fields));
    }

    /// `"name":`, after a comma unless it is the first of its object: a string or a value never ends in an opening brace.
    fn field(&mut self, name: &str) {
        if self.0.last() != Some(&b'{') {
            self.raw(",");
        }
        self.raw("\"");
        self.raw(name);
        self.raw("\":");
    }

    pub(super) fn computation(&mut self, of: &Computation) {
        let Computation { rows_per_unit, filter, keys, measures, units, text, left, relation } = of;
        self.raw("{");
        self.field("rows_per_unit");
        self.number(*rows_per_unit);
        self.field("filter");
        self.optional(filter.as_ref(), Self::filter);
        self.field("keys");
        self.list(keys, Self::key);
        self.field("measures");
        self.list(measures, Self::measure);
        if let Some(units) = units {
            self.field("units");
            self.units(units);
        }
        if let Some(text) = text {
            self.field("text");
            self.text_key(text);
        }
        if !left.is_empty() {
            self.field("left");
            self.places(left);
        }
        if let Some(relation) = relation {
            self.field("relation");
            self.relation(relation);
        }
        self.raw("}");
    }

    /// Writes the digest of a unit-local table, whose encoding is pinned by the numbers of its variants.
    pub(super) fn relation(&mut self, relation: &Relation) {
        // Unwrap safety: writing plain data into memory does not fail.
        let bytes = borsh::to_vec(relation).expect("a relation is plain data");
        self.string(&hex::encode(blake3::hash(&bytes).as_bytes()));
    }

    pub(super) fn key(&mut self, PlanKey { column, low, codes, nullable, values }: &PlanKey) {
        self.raw("{");
        self.field("column");
        self.term(column);
        if *low != 0 {
            self.field("low");
            self.number(*low);
        }
        self.field("codes");
        self.number(*codes);
        self.field("nullable");
        self.truth(*nullable);
        if let Some(values) = values {
            self.field("values");
            self.list(values, |out, value| out.number(*value));
        }
        self.raw("}");
    }

    pub(super) fn text_key(&mut self, TextKey { column, groups_per_unit, groups_max }: &TextKey) {
        self.object(&[
            ("column", &|out| out.place(*column)),
            ("groups_per_unit", &|out| out.number(*groups_per_unit)),
            ("groups_max", &|out| out.number(*groups_max)),
        ]);
    }

    pub(super) fn measure(&mut self, measure: &Measure) {
        match measure {
            Measure::Rows => self.string("Rows"),
            Measure::NonNull { column } => self.variant("NonNull", &[("column", &|out| out.term(column))]),
            Measure::Sum { column } => self.variant("Sum", &[("column", &|out| out.term(column))]),
            Measure::Units => self.string("Units"),
            Measure::UnitsWhere { filter } => self.variant("UnitsWhere", &[("filter", &|out| out.filter(filter))]),
            Measure::Bins { column, low, width, count } => self.variant(
                "Bins",
                &[
                    ("column", &|out| out.term(column)),
                    ("low", &|out| out.number(*low)),
                    ("width", &|out| out.number(*width)),
                    ("count", &|out| out.number(*count)),
                ],
            ),
            Measure::PrefixSums { key, measure } => {
                self.variant("Rooted", &[("key", &|out| out.place(*key)), ("measure", &|out| out.measure(measure))]);
            }
            Measure::Over { keys, measure } => {
                self.variant("Over", &[("keys", &|out| out.places(keys)), ("measure", &|out| out.measure(measure))]);
            }
        }
    }

    pub(super) fn units(&mut self, PerUnitTable { filter, columns }: &PerUnitTable) {
        self.raw("{");
        if let Some(filter) = filter {
            self.field("filter");
            self.filter(filter);
        }
        self.field("columns");
        self.list(columns, Self::unit_column);
        self.raw("}");
    }

    fn unit_column(&mut self, column: &PerUnitColumn) {
        match column {
            PerUnitColumn::Own(place) => self.tagged("Own", |out| out.place(*place)),
            PerUnitColumn::Rows => self.string("Rows"),
            PerUnitColumn::Present(of) => self.tagged("Present", |out| out.term(of)),
            PerUnitColumn::Sum(of) => self.tagged("Sum", |out| out.term(of)),
            PerUnitColumn::Mean(of) => self.tagged("Mean", |out| out.term(of)),
            PerUnitColumn::Least(of) => self.tagged("Least", |out| out.term(of)),
            PerUnitColumn::Greatest(of) => self.tagged("Greatest", |out| out.term(of)),
            PerUnitColumn::Distinct(of) => self.tagged("Distinct", |out| out.term(of)),
            PerUnitColumn::Spread(spread, of) => self.tagged("Spread", |out| {
                out.raw("[");
                out.string(spread.into());
                out.raw(",");
                out.term(of);
                out.raw("]");
            }),
            PerUnitColumn::Percentile(fraction, of) => self.tagged("Percentile", |out| {
                out.raw("[");
                out.constant(fraction);
                out.raw(",");
                out.term(of);
                out.raw("]");
            }),
            PerUnitColumn::Any(filter) => self.tagged("Any", |out| out.filter(filter)),
            PerUnitColumn::Every(filter) => self.tagged("Every", |out| out.filter(filter)),
            PerUnitColumn::First { of, by, descending, filter } => self.variant(
                "First",
                &[
                    ("of", &|out| out.term(of)),
                    ("by", &|out| out.term(by)),
                    ("descending", &|out| out.truth(*descending)),
                    ("filter", &|out| out.optional(filter.as_ref(), Self::filter)),
                ],
            ),
        }
    }

    pub(super) fn filter(&mut self, filter: &Filter) {
        match filter {
            Filter::Range { column, low, high } => self.variant(
                "Range",
                &[
                    ("column", &|out| out.term(column)),
                    ("low", &|out| out.number(*low)),
                    ("high", &|out| out.number(*high)),
                ],
            ),
            Filter::Members { column, codes } => {
                let write = |out: &mut Self| out.list(codes, |out, code| out.number(*code));
                self.variant("Members", &[("column", &|out| out.term(column)), ("codes", &write)]);
            }
            Filter::Values { column, values } => {
                let write = |out: &mut Self| out.list(values, |out, value| out.number(*value));
                self.variant("Values", &[("column", &|out| out.term(column)), ("values", &write)]);
            }
            Filter::Missing { column } => self.variant("Missing", &[("column", &|out| out.term(column))]),
            Filter::Not(inner) => self.tagged("Not", |out| out.filter(inner)),
            Filter::All(parts) => self.tagged("All", |out| out.list(parts, Self::filter)),
            Filter::Any(parts) => self.tagged("Any", |out| out.list(parts, Self::filter)),
        }
    }

    /// Writes a column as its bare number.
    pub(super) fn term(&mut self, term: &Term) {
        match term {
            Term::Column(place) => self.place(*place),
            Term::Made(made) => self.made(made),
        }
    }

    fn made(&mut self, made: &Operation) {
        match made {
            Operation::Constant(constant) => self.tagged("Constant", |out| out.constant(constant)),
            Operation::Day(day) => self.tagged("Day", |out| out.number(*day)),
            Operation::Plus(parts) => self.tagged("Plus", |out| out.list(parts, Self::term)),
            Operation::Negative(of) => self.tagged("Negative", |out| out.term(of)),
            Operation::Times(parts) => self.tagged("Times", |out| out.list(parts, Self::term)),
            Operation::Over(of, by) => self.with("Over", of, |out| out.constant(by)),
            Operation::Absolute(of) => self.tagged("Absolute", |out| out.term(of)),
            Operation::Least(parts) => self.tagged("Least", |out| out.list(parts, Self::term)),
            Operation::Greatest(parts) => self.tagged("Greatest", |out| out.list(parts, Self::term)),
            Operation::Rounded(of, decimals) => self.with("Rounded", of, |out| out.number(*decimals)),
            Operation::Filled(of, with) => self.with("Filled", of, |out| out.term(with)),
            Operation::Case(whens, otherwise) => self.tagged("Case", |out| {
                out.raw("[");
                out.list(whens, |out, (filter, then)| out.when(filter, |out| out.term(then)));
                out.raw(",");
                out.optional(otherwise.as_ref(), Self::term);
                out.raw("]");
            }),
            Operation::Choice { whens, otherwise, labels } => {
                let when = |out: &mut Self, (filter, then): &(Filter, u32)| out.when(filter, |out| out.number(*then));
                let otherwise = |out: &mut Self| out.optional(otherwise.as_ref(), |out, label| out.number(*label));
                let labels = |out: &mut Self| out.list(labels, |out, label| out.string(label));
                let whens = |out: &mut Self| out.list(whens, when);
                self.variant("Choice", &[("whens", &whens), ("otherwise", &otherwise), ("labels", &labels)]);
            }
            Operation::Truth(filter) => self.tagged("Truth", |out| out.filter(filter)),
            Operation::Truncated(of, period) => self.with("Truncated", of, |out| out.string(period_word(*period))),
            Operation::Extracted(of, part) => self.with("Extracted", of, |out| out.string(part_word(*part))),
            Operation::Integer(of) => self.tagged("Integer", |out| out.term(of)),
            Operation::Decimal(of) => self.tagged("Decimal", |out| out.term(of)),
            Operation::Cut(of, side, decimals) => self.variant(
                "Cut",
                &[
                    ("of", &|out| out.term(of)),
                    ("side", &|out| out.string(side_word(*side))),
                    ("decimals", &|out| out.number(*decimals)),
                ],
            ),
            Operation::Remainder(of, by) => self.with("Remainder", of, |out| out.constant(by)),
            Operation::Sign(of) => self.tagged("Sign", |out| out.term(of)),
            Operation::Real(function, of) => self.with("Real", of, |out| out.real(function)),
            Operation::Coalesced(parts) => self.tagged("Coalesced", |out| out.list(parts, Self::term)),
            Operation::Bucket { of, low, high, count } => self.variant(
                "Bucket",
                &[
                    ("of", &|out| out.term(of)),
                    ("low", &|out| out.constant(low)),
                    ("high", &|out| out.constant(high)),
                    ("count", &|out| out.number(*count)),
                ],
            ),
            Operation::Text(text) => self.tagged("Text", |out| out.string(text)),
            Operation::Worded(function, operands) => self.named("Worded", words::function(*function), operands),
            Operation::Apart(one, other) => self.with("Apart", one, |out| out.term(other)),
            Operation::Formatted(of, format) => self.with("Formatted", of, |out| out.string(format)),
            Operation::Later(of, months) => self.with("Later", of, |out| out.number(*months)),
            Operation::Matched(of, kind, pattern) => self.with("Matched", of, |out| {
                out.string(words::pattern(*kind));
                out.raw(",");
                out.string(pattern);
            }),
            Operation::Elapsed(span, [from, to]) => {
                self.pair("Elapsed", from, to, |out| out.string(words::span(*span)))
            }
            Operation::Read(of, format) => self.with("Read", of, |out| out.string(format)),
            Operation::Made { year, month, day } => self.pair("Made", year, month, |out| out.term(day)),
        }
    }

    fn real(&mut self, function: &RealFunction) {
        match function {
            RealFunction::Root => self.string("Root"),
            RealFunction::Exponential => self.string("Exponential"),
            RealFunction::Natural => self.string("Natural"),
            RealFunction::Logarithm(base) => self.tagged("Logarithm", |out| out.constant(base)),
            RealFunction::Power(exponent) => self.tagged("Power", |out| out.constant(exponent)),
        }
    }

    /// `{"name":["word",[term,…]]}`
    fn named(&mut self, name: &str, word: &str, operands: &[Term]) {
        self.tagged(name, |out| {
            out.raw("[");
            out.string(word);
            out.raw(",");
            out.list(operands, Self::term);
            out.raw("]");
        });
    }

    /// `{"name":[term,…]}`
    fn with(&mut self, name: &str, of: &Term, write: impl FnOnce(&mut Self)) {
        self.tagged(name, |out| {
            out.raw("[");
            out.term(of);
            out.raw(",");
            write(out);
            out.raw("]");
        });
    }

    /// `{"name":[term,term,…]}`
    fn pair(&mut self, name: &str, one: &Term, other: &Term, write: impl FnOnce(&mut Self)) {
        self.with(name, one, |out| {
            out.term(other);
            out.raw(",");
            write(out);
        });
    }

    /// Writes the condition of a `CASE` arm as a list, `[condition,…]`.
    fn when(&mut self, filter: &Filter, write: impl FnOnce(&mut Self)) {
        self.raw("[");
        self.filter(filter);
        self.raw(",");
        write(self);
        self.raw("]");
    }

    fn constant(&mut self, Constant { digits, decimals }: &Constant) {
        self.object(&[("digits", &|out| out.number(*digits)), ("decimals", &|out| out.number(*decimals))]);
    }
}

fn period_word(period: Period) -> &'static str {
    match period {
        Period::Year => "year",
        Period::Quarter => "quarter",
        Period::Month => "month",
        Period::Week => "week",
        Period::Day => "day",
        Period::Decade => "decade",
        Period::Century => "century",
        Period::Millennium => "millennium",
    }
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Down => "down",
        Side::Up => "up",
        Side::Zero => "zero",
    }
}

fn part_word(part: DatePart) -> &'static str {
    match part {
        DatePart::Year => "year",
        DatePart::Quarter => "quarter",
        DatePart::Month => "month",
        DatePart::Day => "day",
        DatePart::Dow => "dow",
        DatePart::Isodow => "isodow",
        DatePart::Doy => "doy",
        DatePart::Week => "week",
        DatePart::Isoyear => "isoyear",
        DatePart::Decade => "decade",
        DatePart::Century => "century",
        DatePart::Millennium => "millennium",
    }
}
