//! Calls: functions, aggregates, windows, and functions that return several rows.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    NamedWindowDefinition, NamedWindowExpr, OrderByExpr, Spanned, WindowFrameBound, WindowSpec, WindowType,
};
use sqlparser::tokenizer::Location;

use super::error::{FreeError, NO_FUNCTION};
use super::from::argument;
use super::functions;
use super::kind::{Base, Kind};
use super::literals::{Open, Typed};
use super::scope::{Scope, folded};
use super::titles::last;
use super::translate::{Translator, clause, direction};

/// Functions over a window alone, with the type of their value; none if it is the argument's.
const WINDOWS: [(&str, Option<Kind>); 11] = [
    ("row_number", Some(Kind::INT8)),
    ("rank", Some(Kind::INT8)),
    ("dense_rank", Some(Kind::INT8)),
    ("ntile", Some(Kind::INT4)),
    ("percent_rank", Some(Kind::FLOAT8)),
    ("cume_dist", Some(Kind::FLOAT8)),
    ("lag", None),
    ("lead", None),
    ("first_value", None),
    ("last_value", None),
    ("nth_value", None),
];

impl Translator<'_> {
    /// A call as it is written.
    pub(super) fn function(&mut self, function: &Function, scope: &Scope<'_>) -> Result<Typed, FreeError> {
        let (name, at) = (last(&function.name), function.name.span().start);
        if let FunctionArguments::Subquery(query) = &function.args {
            if name != "array" {
                return Err(FreeError::unsupported(format!("{name} of a query")).at(at));
            }
            let made = self.query(query, Some(scope))?;
            let kind = made.fields.first().map_or(Kind::TEXT, |field| super::translate::settled(field.kind));
            return Ok(Typed::new(
                format!("(SELECT json_group_array(c0) FROM ({}))", made.sql),
                Kind::array(kind.base),
            ));
        }
        if !function.within_group.is_empty() || function.null_treatment.is_some() {
            return Err(FreeError::unsupported(format!("this form of {name}")).at(at));
        }
        let (list, is_distinct, order) = written(function)?;
        let is_star = matches!(list, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
        let given: Vec<Expr> =
            if is_star { Vec::new() } else { list.iter().map(argument).collect::<Result<_, _>>()? };
        let aggregate = self.aggregate(&name, &given, is_star, (is_distinct, order), scope)?;
        let (typed, empty) = match aggregate {
            Some(found) => found,
            None if function.over.is_some() => (self.window(&name, &given, scope, at)?, None),
            None => return self.plain_call(&name, &given, scope, at),
        };
        let filter = match &function.filter {
            None => String::new(),
            Some(condition) => format!(" FILTER (WHERE {})", self.truth(condition, scope)?),
        };
        let over = match &function.over {
            None => String::new(),
            Some(WindowType::NamedWindow(name)) => format!(" OVER \"{}\"", folded(name).replace('"', "\"\"")),
            Some(WindowType::WindowSpec(spec)) => format!(" OVER ({})", self.window_spec(spec, scope)?),
        };
        let sql = format!("{}{filter}{over}", typed.sql);
        let sql = empty.map_or_else(|| sql.clone(), |empty: &str| format!("nullif({sql}, {empty})"));
        Ok(Typed::new(sql, typed.kind))
    }

    fn plain_call(&mut self, name: &str, given: &[Expr], scope: &Scope<'_>, at: Location) -> Result<Typed, FreeError> {
        if self.several.is_some()
            && let Some(rows) = self.several_rows(name, given, scope)?
        {
            let several = self.several.get_or_insert_default();
            several.push(rows.sql);
            let place = several.len() - 1;
            return Ok(Typed::new(format!("json_extract(several.value, '$[{place}]')"), rows.kind));
        }
        self.call(name, given, scope, at)
    }

    /// The rows of a function that returns several, as a JSON array, with the type of each; `None` if the function is another one.
    pub(super) fn several_rows(
        &mut self,
        name: &str,
        given: &[Expr],
        scope: &Scope<'_>,
    ) -> Result<Option<Typed>, FreeError> {
        if !matches!(name, "unnest" | "generate_subscripts" | "generate_series" | "_pg_expandarray") {
            return Ok(None);
        }
        // Arguments are no place for the rows of another such function.
        let several = self.several.take();
        let typed = self.all(given, scope);
        self.several = several;
        let mut typed = typed?;
        let first = typed.first().map_or(Kind::TEXT, |one| one.kind);
        let kind = match name {
            "unnest" => first.element().unwrap_or(Kind::TEXT),
            "_pg_expandarray" => Kind::of(Base::Record),
            "generate_subscripts" => Kind::INT4,
            _ if typed.iter().any(|one| one.kind == Kind::INT8) => Kind::INT8,
            _ => Kind::INT4,
        };
        if name == "generate_subscripts" {
            typed.truncate(2);
            typed.push(Typed::new(first.first_index().to_string(), Kind::INT4));
        }
        let to = if name == "generate_series" { Kind::INT8 } else { Kind::array(Base::Text) };
        let mut sql = Vec::new();
        for (place, one) in typed.into_iter().enumerate() {
            let to = if name == "generate_subscripts" && place > 0 { Kind::INT4 } else { to };
            sql.push(self.fit(one, to)?.sql);
        }
        Ok(Some(Typed::new(format!("f_rows_of_{name}({})", sql.join(", ")), kind)))
    }

    /// A call of a function that has one value.
    pub(super) fn call(
        &mut self,
        name: &str,
        given: &[Expr],
        scope: &Scope<'_>,
        at: Location,
    ) -> Result<Typed, FreeError> {
        let typed = self.all(given, scope)?;
        let listed = |typed: &[Typed]| typed.iter().map(|one| one.sql.clone()).collect::<Vec<_>>().join(", ");
        match name {
            "coalesce" | "greatest" | "least" => {
                let (typed, kind) = self.alike(typed)?;
                let sql = match (name, typed.as_slice()) {
                    (_, [one]) => one.sql.clone(),
                    ("coalesce", _) => format!("coalesce({})", listed(&typed)),
                    ("greatest", _) => format!("max({})", listed(&typed)),
                    _ => format!("min({})", listed(&typed)),
                };
                return Ok(Typed::new(sql, kind));
            }
            "nullif" => {
                let kind = typed.first().map_or(Kind::TEXT, |one| super::translate::settled(one.kind));
                let mut fitted = Vec::new();
                for one in typed {
                    fitted.push(self.fit(one, kind)?);
                }
                return Ok(Typed::new(format!("nullif({})", listed(&fitted)), kind));
            }
            "json_build_object" | "jsonb_build_object" | "json_build_array" | "jsonb_build_array" => {
                let mut fitted = Vec::new();
                for one in typed {
                    fitted.push(self.fit(one, Kind::TEXT)?);
                }
                let function = if name.ends_with("object") { "json_object" } else { "json_array" };
                return Ok(Typed::new(format!("{function}({})", listed(&fitted)), Kind::TEXT));
            }
            "regexp_replace" => {
                let mut fitted = Vec::new();
                for one in typed {
                    fitted.push(self.cast(one, Kind::TEXT)?);
                }
                return Ok(Typed::new(format!("f_regexp_replace({})", listed(&fitted)), Kind::TEXT));
            }
            _ => {}
        }
        let function = functions::function(name).filter(|function| function.takes(typed.len())).ok_or_else(|| {
            let kinds: Vec<String> = typed.iter().map(|one| one.kind.name()).collect();
            FreeError::new(NO_FUNCTION, format!("function {name}({}) does not exist", kinds.join(", "))).at(at)
        })?;
        let first = typed.first().map(|one| one.kind);
        let mut sql = Vec::new();
        for (place, one) in typed.into_iter().enumerate() {
            sql.push(match function.argument(place) {
                Some(kind) => self.cast(one, kind).map_err(|error| error.at(at))?.sql,
                None if one.open != Open::No => self.fit(one, Kind::TEXT)?.sql,
                None => self.readable(name, one)?.sql,
            });
        }
        Ok(Typed::new(format!("f_{}({})", function.name, sql.join(", ")), function.result(first)))
    }

    /// An argument of any type: the elements of an array that are shown as text are made text.
    fn readable(&mut self, name: &str, one: Typed) -> Result<Typed, FreeError> {
        let is_shown = name == "array_to_string" && one.kind.is_array && !one.kind.base.is_text();
        if is_shown { self.cast(one, Kind::array(Base::Text)) } else { Ok(one) }
    }

    /// An aggregate, and what it gives for no rows where that is NULL in PostgreSQL; `None` if it is no aggregate.
    fn aggregate(
        &mut self,
        name: &str,
        given: &[Expr],
        is_star: bool,
        (is_distinct, order): (bool, &[OrderByExpr]),
        scope: &Scope<'_>,
    ) -> Result<Option<(Typed, Option<&'static str>)>, FreeError> {
        let known = [
            "count",
            "sum",
            "avg",
            "min",
            "max",
            "array_agg",
            "string_agg",
            "bool_and",
            "bool_or",
            "every",
            "json_agg",
            "jsonb_agg",
        ];
        if !known.contains(&name) {
            return Ok(None);
        }
        if is_star {
            return Ok(Some((Typed::new("count(*)", Kind::INT8), None)));
        }
        let mut typed = Vec::new();
        for one in self.all(given, scope)? {
            typed.push(self.fit(one, Kind::TEXT)?);
        }
        let mut parts = Vec::new();
        for item in order {
            let sql = self.expr(&item.expr, scope)?.sql;
            parts.push(direction(&sql, item));
        }
        let first =
            typed.first().ok_or_else(|| FreeError::new(NO_FUNCTION, format!("function {name}() does not exist")))?;
        let kind = first.kind;
        let (function, result, empty) = match name {
            "count" => ("count", Kind::INT8, None),
            "sum" => ("sum", sum(kind), None),
            "avg" => ("avg", average(kind), None),
            "min" | "bool_and" | "every" => ("min", kind, None),
            "max" | "bool_or" => ("max", kind, None),
            "array_agg" => ("json_group_array", Kind::array(kind.base), Some("'[]'")),
            "json_agg" | "jsonb_agg" => ("json_group_array", Kind::TEXT, Some("'[]'")),
            _ => ("group_concat", Kind::TEXT, None),
        };
        let arguments: Vec<String> = typed.iter().map(|one| one.sql.clone()).collect();
        let distinct = if is_distinct { "DISTINCT " } else { "" };
        let sql = format!("{function}({distinct}{}{})", arguments.join(", "), clause(" ORDER BY ", &parts));
        Ok(Some((Typed::new(sql, result), empty)))
    }

    fn window(&mut self, name: &str, given: &[Expr], scope: &Scope<'_>, at: Location) -> Result<Typed, FreeError> {
        let found = WINDOWS.iter().find(|(known, _)| *known == name);
        let (_, kind) = found.ok_or_else(|| FreeError::unsupported(format!("{name} over a window")).at(at))?;
        let mut typed = Vec::new();
        for one in self.all(given, scope)? {
            typed.push(self.fit(one, Kind::TEXT)?);
        }
        let kind = kind.or_else(|| typed.first().map(|one| one.kind)).unwrap_or(Kind::INT8);
        let sql: Vec<String> = typed.into_iter().map(|one| one.sql).collect();
        Ok(Typed::new(format!("{name}({})", sql.join(", ")), kind))
    }

    /// One window of WINDOW.
    pub(super) fn named_window(
        &mut self,
        window: &NamedWindowDefinition,
        scope: &Scope<'_>,
    ) -> Result<String, FreeError> {
        let NamedWindowDefinition(name, NamedWindowExpr::WindowSpec(spec)) = window else {
            return Err(FreeError::unsupported(format!("{window}")));
        };
        Ok(format!("\"{}\" AS ({})", folded(name).replace('"', "\"\""), self.window_spec(spec, scope)?))
    }

    fn window_spec(&mut self, spec: &WindowSpec, scope: &Scope<'_>) -> Result<String, FreeError> {
        let (mut partition, mut order) = (Vec::new(), Vec::new());
        for expr in &spec.partition_by {
            partition.push(self.expr(expr, scope)?.sql);
        }
        for item in &spec.order_by {
            let sql = self.expr(&item.expr, scope)?.sql;
            order.push(direction(&sql, item));
        }
        let frame = match &spec.window_frame {
            None => String::new(),
            Some(frame) => {
                let start = bound(&frame.start_bound)?;
                let end = frame.end_bound.as_ref().map(bound).transpose()?;
                match end {
                    Some(end) => format!(" {} BETWEEN {start} AND {end}", frame.units),
                    None => format!(" {} {start}", frame.units),
                }
            }
        };
        let base = spec
            .window_name
            .as_ref()
            .map_or_else(String::new, |name| format!("\"{}\"", folded(name).replace('"', "\"\"")));
        Ok(format!("{base}{}{}{frame}", clause(" PARTITION BY ", &partition), clause(" ORDER BY ", &order)))
    }
}

fn bound(bound: &WindowFrameBound) -> Result<String, FreeError> {
    let rows = |expr: &Expr| super::literals::ordinal(expr).ok_or_else(|| FreeError::unsupported(format!("{bound}")));
    Ok(match bound {
        WindowFrameBound::CurrentRow => "CURRENT ROW".to_owned(),
        WindowFrameBound::Preceding(None) => "UNBOUNDED PRECEDING".to_owned(),
        WindowFrameBound::Following(None) => "UNBOUNDED FOLLOWING".to_owned(),
        WindowFrameBound::Preceding(Some(expr)) => format!("{} PRECEDING", rows(expr)?),
        WindowFrameBound::Following(Some(expr)) => format!("{} FOLLOWING", rows(expr)?),
    })
}

fn sum(of: Kind) -> Kind {
    match of.base {
        Base::Int2 | Base::Int4 => Kind::INT8,
        Base::Int8 | Base::Numeric => Kind::NUMERIC,
        _ => Kind::FLOAT8,
    }
}

fn average(of: Kind) -> Kind {
    if matches!(of.base, Base::Float4 | Base::Float8) { Kind::FLOAT8 } else { Kind::NUMERIC }
}

/// The arguments of a call, whether only different ones count, and their order.
fn written(function: &Function) -> Result<(&[FunctionArg], bool, &[OrderByExpr]), FreeError> {
    match &function.args {
        FunctionArguments::None => Ok((&[], false, &[])),
        FunctionArguments::Subquery(_) => Err(FreeError::unsupported("a query as an argument")),
        FunctionArguments::List(list) => {
            let order = match list.clauses.as_slice() {
                [] => &[][..],
                [FunctionArgumentClause::OrderBy(order)] => order,
                _ => return Err(FreeError::unsupported(format!("this form of {}", function.name))),
            };
            Ok((&list.args, list.duplicate_treatment == Some(DuplicateTreatment::Distinct), order))
        }
    }
}
