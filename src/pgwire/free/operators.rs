//! Operators, and the forms of SQL that are written like none of them.

use sqlparser::ast::{BinaryOperator, CeilFloorKind, Expr, Spanned, TrimWhereField};

use super::error::FreeError;
use super::kind::{Base, Kind};
use super::literals::{Open, Typed, quoted};
use super::scope::Scope;
use super::translate::{Translator, wider};

/// What a comparison or a match becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    /// An operator of SQLite's own.
    Plain(&'static str),
    /// A function of two texts, whether it ignores case, and whether it is negated.
    Match(&'static str, bool, bool),
}

fn test(op: &BinaryOperator) -> Option<Test> {
    Some(match op {
        BinaryOperator::Eq => Test::Plain("="),
        BinaryOperator::NotEq => Test::Plain("<>"),
        BinaryOperator::Lt => Test::Plain("<"),
        BinaryOperator::LtEq => Test::Plain("<="),
        BinaryOperator::Gt => Test::Plain(">"),
        BinaryOperator::GtEq => Test::Plain(">="),
        BinaryOperator::PGRegexMatch => Test::Match("pg_match", false, false),
        BinaryOperator::PGRegexIMatch => Test::Match("pg_match", true, false),
        BinaryOperator::PGRegexNotMatch => Test::Match("pg_match", false, true),
        BinaryOperator::PGRegexNotIMatch => Test::Match("pg_match", true, true),
        BinaryOperator::PGLikeMatch => Test::Match("pg_like", false, false),
        BinaryOperator::PGILikeMatch => Test::Match("pg_like", true, false),
        BinaryOperator::PGNotLikeMatch => Test::Match("pg_like", false, true),
        BinaryOperator::PGNotILikeMatch => Test::Match("pg_like", true, true),
        _ => return None,
    })
}

/// `OPERATOR(pg_catalog.~)` as the operator that it names.
fn plain(op: &BinaryOperator) -> BinaryOperator {
    let BinaryOperator::PGCustomBinaryOperator(name) = op else { return op.clone() };
    match name.last().map_or("", String::as_str) {
        "=" => BinaryOperator::Eq,
        "<>" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "~~*" => BinaryOperator::PGILikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "!~~*" => BinaryOperator::PGNotILikeMatch,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "||" => BinaryOperator::StringConcat,
        _ => op.clone(),
    }
}

impl Translator<'_> {
    /// Two expressions with an operator between them.
    pub(super) fn binary(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, FreeError> {
        let op = plain(op);
        match op {
            BinaryOperator::And => {
                return Ok(Typed::truth(format!("({} AND {})", self.truth(left, scope)?, self.truth(right, scope)?)));
            }
            BinaryOperator::Or => {
                return Ok(Typed::truth(format!("({} OR {})", self.truth(left, scope)?, self.truth(right, scope)?)));
            }
            _ => {}
        }
        if let Expr::Interval(interval) = right {
            return self.later(left, &op, &interval.value, scope);
        }
        let at = left.span().start;
        let (left, right) = (self.expr(left, scope)?, self.expr(right, scope)?);
        if let Some(test) = test(&op) {
            return self.compared(left, test, right);
        }
        if op == BinaryOperator::StringConcat {
            return self.concatenated(left, right);
        }
        self.computed(left, &op, right).map_err(|error| error.at(at))
    }

    fn compared(&mut self, left: Typed, test: Test, right: Typed) -> Result<Typed, FreeError> {
        Ok(match test {
            Test::Plain(word) => {
                let (left, right) = self.pair(left, right)?;
                Typed::truth(format!("({} {word} {})", left.sql, right.sql))
            }
            Test::Match(function, ignores_case, negated) => {
                let left = self.cast(left, Kind::TEXT)?;
                let right = self.cast(right, Kind::TEXT)?;
                let not = if negated { "NOT " } else { "" };
                Typed::truth(format!("({not}{function}({}, {}, {}))", left.sql, right.sql, u8::from(ignores_case)))
            }
        })
    }

    fn concatenated(&mut self, left: Typed, right: Typed) -> Result<Typed, FreeError> {
        if let Some(kind) = [left.kind, right.kind].into_iter().find(|kind| kind.is_array) {
            let is_element = |one: &Typed| !one.kind.is_array && !one.kind.is_unknown();
            let wrapped = |one: Typed| if is_element(&one) { format!("json_array({})", one.sql) } else { one.sql };
            let left = self.fit(left, kind)?;
            let right = self.fit(right, kind)?;
            return Ok(Typed::new(format!("f_array_cat({}, {})", wrapped(left), wrapped(right)), kind));
        }
        let (left, right) = (self.cast(left, Kind::TEXT)?, self.cast(right, Kind::TEXT)?);
        Ok(Typed::new(format!("f_joined({}, {})", left.sql, right.sql), Kind::TEXT))
    }

    fn computed(&mut self, left: Typed, op: &BinaryOperator, right: Typed) -> Result<Typed, FreeError> {
        let (left, right) = self.pair(left, right)?;
        let (one, other) = (left.kind.base, right.kind.base);
        let (left, right, both) = (left.sql, right.sql, wider(left.kind, right.kind));
        let is_whole = |base: Base| matches!(base, Base::Int2 | Base::Int4 | Base::Int8) || base.is_oid();
        let wholes = is_whole(one) && is_whole(other);
        let days = matches!((one, other), (Base::Date, base) if is_whole(base));
        let kind = if days {
            Kind::of(Base::Date)
        } else if both.base.is_oid() {
            Kind::INT8
        } else {
            both
        };
        let word = match op {
            BinaryOperator::Minus if one == Base::Date && other == Base::Date => {
                return Ok(Typed::new(format!("({left} - {right})"), Kind::INT4));
            }
            BinaryOperator::Divide if wholes => {
                return Ok(Typed::new(format!("f_divide_whole({left}, {right})"), kind));
            }
            BinaryOperator::Divide if one.is_number() && other.is_number() => {
                return Ok(Typed::new(format!("f_divide({left}, {right})"), kind));
            }
            BinaryOperator::Modulo => return Ok(Typed::new(format!("f_mod({left}, {right})"), kind)),
            BinaryOperator::PGExp => return Ok(Typed::new(format!("f_power({left}, {right})"), Kind::FLOAT8)),
            BinaryOperator::Plus => "+",
            BinaryOperator::Minus => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::BitwiseAnd => "&",
            BinaryOperator::BitwiseOr => "|",
            BinaryOperator::PGBitwiseShiftLeft => "<<",
            BinaryOperator::PGBitwiseShiftRight => ">>",
            other => return Err(FreeError::unsupported(format!("the operator {other}"))),
        };
        let is_number = |base: Base| base.is_number() || base.is_oid();
        if !(days || (is_number(one) && is_number(other))) {
            let message = format!("operator does not exist: {} {word} {}", one.name(), other.name());
            return Err(FreeError::new("42883", message));
        }
        Ok(Typed::new(format!("({left} {word} {right})"), kind))
    }

    /// A moment and an interval.
    fn later(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        interval: &Expr,
        scope: &Scope<'_>,
    ) -> Result<Typed, FreeError> {
        let sign = match op {
            BinaryOperator::Plus => 1,
            BinaryOperator::Minus => -1,
            other => return Err(FreeError::unsupported(format!("the operator {other} before an interval"))),
        };
        let left = self.expr(left, scope)?;
        let kind = if left.kind.base == Base::Timestamptz { left.kind } else { Kind::of(Base::Timestamp) };
        let left = self.cast(left, kind)?;
        let interval = self.expr(interval, scope)?;
        let interval = self.fit(interval, Kind::TEXT)?;
        Ok(Typed::new(format!("f_later({}, {}, {sign})", left.sql, interval.sql), kind))
    }

    /// Forms with words of their own.
    pub(super) fn special(&mut self, expr: &Expr, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        Ok(match expr {
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated, scope)?,
            Expr::InSubquery { expr, subquery, negated } => {
                let left = self.expr(expr, scope)?;
                let made = self.query(subquery, Some(scope))?;
                let kind = made.fields.first().map_or(Kind::TEXT, |field| field.kind);
                let left = self.fit(left, kind)?;
                Typed::truth(format!("({} {}IN ({}))", left.sql, not(*negated), made.sql))
            }
            Expr::Between { expr, negated, low, high } => {
                let value = self.expr(expr, scope)?;
                let (low, high) = (self.expr(low, scope)?, self.expr(high, scope)?);
                let (value, low) = self.pair(value, low)?;
                let (value, high) = self.pair(value, high)?;
                Typed::truth(format!("({} {}BETWEEN {} AND {})", value.sql, not(*negated), low.sql, high.sql))
            }
            Expr::IsDistinctFrom(left, right) => self.distinct(left, "IS NOT", right, scope)?,
            Expr::IsNotDistinctFrom(left, right) => self.distinct(left, "IS", right, scope)?,
            Expr::Like { negated, expr, pattern, any: false, .. } => {
                let (left, right) = (self.expr(expr, scope)?, self.expr(pattern, scope)?);
                self.compared(left, Test::Match("pg_like", false, *negated), right)?
            }
            Expr::ILike { negated, expr, pattern, any: false, .. } => {
                let (left, right) = (self.expr(expr, scope)?, self.expr(pattern, scope)?);
                self.compared(left, Test::Match("pg_like", true, *negated), right)?
            }
            Expr::AnyOp { left, compare_op, right, .. } => self.any(left, &plain(compare_op), right, true, scope)?,
            Expr::AllOp { left, compare_op, right } => self.any(left, &plain(compare_op), right, false, scope)?,
            Expr::Extract { field, expr: inner, .. } => {
                let moment = self.moment(inner, scope)?;
                let part = quoted(&field.to_string().to_lowercase());
                Typed::new(format!("f_date_part({part}, {moment})"), Kind::NUMERIC)
            }
            Expr::Ceil {
                expr: inner,
                field: CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime),
            } => self.call("ceil", std::slice::from_ref(inner), scope, inner.span().start)?,
            Expr::Floor {
                expr: inner,
                field: CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime),
            } => self.call("floor", std::slice::from_ref(inner), scope, inner.span().start)?,
            Expr::Position { expr: part, r#in } => {
                self.call("strpos", &[(**r#in).clone(), (**part).clone()], scope, part.span().start)?
            }
            Expr::Substring { expr: whole, substring_from, substring_for, .. } => {
                let first = substring_from.as_deref().cloned().unwrap_or_else(|| number(1));
                let rest = substring_for.as_deref().cloned();
                let arguments: Vec<Expr> = [(**whole).clone(), first].into_iter().chain(rest).collect();
                self.call("substr", &arguments, scope, whole.span().start)?
            }
            Expr::Trim { expr: whole, trim_where, trim_what, trim_characters } => {
                let name = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    Some(TrimWhereField::Both) | None => "btrim",
                };
                let what = trim_what.as_deref().cloned().or_else(|| trim_characters.as_ref()?.first().cloned());
                let arguments: Vec<Expr> = std::iter::once((**whole).clone()).chain(what).collect();
                self.call(name, &arguments, scope, whole.span().start)?
            }
            Expr::AtTimeZone { timestamp, .. } => {
                let typed = self.expr(timestamp, scope)?;
                self.cast(typed, Kind::of(Base::Timestamp))?
            }
            other => return Err(FreeError::unsupported(format!("{other}")).at(other.span().start)),
        })
    }

    /// A day or a moment as a moment.
    fn moment(&mut self, inner: &Expr, scope: &Scope<'_>) -> Result<String, FreeError> {
        let typed = self.expr(inner, scope)?;
        Ok(self.cast(typed, Kind::of(Base::Timestamp))?.sql)
    }

    fn distinct(&mut self, left: &Expr, word: &str, right: &Expr, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        let (left, right) = (self.expr(left, scope)?, self.expr(right, scope)?);
        let (left, right) = self.pair(left, right)?;
        Ok(Typed::truth(format!("({} {word} {})", left.sql, right.sql)))
    }

    fn in_list(&mut self, expr: &Expr, list: &[Expr], negated: bool, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        let left = self.expr(expr, scope)?;
        let list = self.all(list, scope)?;
        let kind = list.iter().map(|one| one.kind).fold(left.kind, wider);
        let left = self.fit(left, kind)?;
        let mut sql = Vec::new();
        for one in list {
            sql.push(self.fit(one, left.kind)?.sql);
        }
        Ok(Typed::truth(format!("({} {}IN ({}))", left.sql, not(negated), sql.join(", "))))
    }

    /// `= ANY (…)` and its kin, over an array or a query.
    fn any(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        is_any: bool,
        scope: &Scope<'_>,
    ) -> Result<Typed, FreeError> {
        let test = test(op).ok_or_else(|| FreeError::unsupported(format!("{op} ANY")))?;
        let left = self.expr(left, scope)?;
        let (rows, column, kind) = match right {
            Expr::Subquery(query) => {
                let made = self.query(query, Some(scope))?;
                let kind = made.fields.first().map_or(Kind::TEXT, |field| field.kind);
                (format!("({})", made.sql), "c0", kind)
            }
            right => {
                let array = self.expr(right, scope)?;
                let wanted = if left.open == Open::No { Kind::array(left.kind.base) } else { Kind::array(Base::Text) };
                let array = self.fit(array, wanted)?;
                let element = array
                    .kind
                    .element()
                    .ok_or_else(|| FreeError::new("42809", "op ANY/ALL (array) requires array on right side"))?;
                (format!("json_each({})", array.sql), "value", element)
            }
        };
        let left = self.fit(left, kind)?;
        match (test, is_any) {
            (Test::Plain("="), true) => {
                return Ok(Typed::truth(format!("({} IN (SELECT {column} FROM {rows}))", left.sql)));
            }
            (Test::Plain("<>"), false) => {
                return Ok(Typed::truth(format!("({} NOT IN (SELECT {column} FROM {rows}))", left.sql)));
            }
            _ => {}
        }
        let one = self.compared(left, test, Typed::new(format!("each.{column}"), kind))?;
        let (word, empty) = if is_any { ("max", 0) } else { ("min", 1) };
        Ok(Typed::truth(format!("(SELECT coalesce({word}({}), {empty}) FROM {rows} AS each)", one.sql)))
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn number(number: u32) -> Expr {
    use sqlparser::ast::{Value, ValueWithSpan};
    use sqlparser::tokenizer::Span;
    Expr::Value(ValueWithSpan { value: Value::Number(number.to_string(), false), span: Span::empty() })
}
