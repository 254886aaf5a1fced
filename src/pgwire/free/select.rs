//! One SELECT: its list, its groups, its order.

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, OrderBy, OrderByExpr, Select, SelectItem, SelectItemQualifiedWildcardKind,
};

use super::error::{FreeError, NO_TABLE, TOO_MUCH};
use super::kind::Kind;
use super::literals::{Open, Typed, ordinal};
use super::scope::{Field, Item, Scope, folded};
use super::titles::{last, title};
use super::translate::{Made, Translator, clause, direction, ordered, within};

/// The largest number of columns of a SELECT, as PostgreSQL has it.
const COLUMNS_MAX: usize = 1_664;

/// A column of the list, before it is named.
struct Listed {
    name: String,
    typed: Typed,
    /// The expression it was written as; `None` for a column of `*`.
    written: Option<Expr>,
}

impl Translator<'_> {
    /// A SELECT with the order of its query.
    pub(super) fn select(
        &mut self,
        select: &Select,
        order: Option<&OrderBy>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Made, FreeError> {
        plain(select)?;
        let mut scope = Scope::inside(outer);
        let from = self.from(&select.from, &mut scope)?;
        let mut list = Vec::new();
        self.several = Some(Vec::new());
        for item in &select.projection {
            self.listed(item, &scope, &mut list)?;
            // A list of several `*` has all columns of the query inside several times.
            if list.len() > COLUMNS_MAX {
                let message = format!("a SELECT can have at most {COLUMNS_MAX} columns");
                return Err(FreeError::new(TOO_MUCH, message));
            }
        }
        let several = self.several.take().unwrap_or_default();
        let condition = match &select.selection {
            None => String::new(),
            Some(condition) => format!(" WHERE {}", self.truth(condition, &scope)?),
        };
        let groups = self.groups(&select.group_by, &list, &scope)?;
        if !several.is_empty() && !groups.is_empty() {
            return Err(FreeError::unsupported("a function that returns several rows beside GROUP BY"));
        }
        let having = match &select.having {
            None => String::new(),
            Some(condition) => format!(" HAVING {}", self.truth(condition, &scope)?),
        };
        let from = with_several(from, &several);
        let mut windows = Vec::new();
        for window in &select.named_window {
            windows.push(self.named_window(window, &scope)?);
        }
        let tail = format!("{from}{condition}{groups}{having}{}", clause(" WINDOW ", &windows));
        let fields = self.fields(&mut list)?;
        let shown: Vec<String> =
            list.iter().enumerate().map(|(place, listed)| format!("{} AS c{place}", listed.typed.sql)).collect();
        let shown = if shown.is_empty() { "NULL AS c0".to_owned() } else { shown.join(", ") };
        let order = self.order(ordered(order)?, &list, &scope)?;
        let sql = match &select.distinct {
            Some(Distinct::On(keys)) => self.distinct_on(keys, &list, &scope, (&shown, &tail, &order))?,
            Some(Distinct::Distinct) => format!("SELECT DISTINCT {shown}{tail}{}", clause(" ORDER BY ", &order)),
            Some(Distinct::All) | None => format!("SELECT {shown}{tail}{}", clause(" ORDER BY ", &order)),
        };
        Ok(Made { sql, fields })
    }

    fn listed(&mut self, item: &SelectItem, scope: &Scope<'_>, list: &mut Vec<Listed>) -> Result<(), FreeError> {
        let of_field =
            |field: Field| Listed { typed: Typed::new(field.sql, field.kind), name: field.name, written: None };
        match item {
            SelectItem::UnnamedExpr(expr) => {
                list.push(Listed { name: title(expr), typed: self.expr(expr, scope)?, written: Some(expr.clone()) });
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                list.push(Listed { name: folded(alias), typed: self.expr(expr, scope)?, written: Some(expr.clone()) });
            }
            SelectItem::Wildcard(_) => list.extend(scope.all().into_iter().map(of_field)),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let alias = last(name);
                let found: Option<&Item> = scope.items.iter().find(|item| item.alias == alias);
                let missing = || FreeError::new(NO_TABLE, format!("missing FROM-clause entry for table \"{alias}\""));
                list.extend(found.ok_or_else(missing)?.fields.iter().cloned().map(of_field));
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _)
            | SelectItem::ExprWithAliases { .. } => {
                return Err(FreeError::unsupported(format!("{item}")));
            }
        }
        Ok(())
    }

    /// Gives each column of the list a type.
    fn fields(&mut self, list: &mut [Listed]) -> Result<Vec<Field>, FreeError> {
        let mut fields = Vec::new();
        for (place, listed) in list.iter_mut().enumerate() {
            let open = listed.typed.open.clone();
            if matches!(open, Open::Parameter(_)) {
                listed.typed = self.fit(listed.typed.clone(), Kind::TEXT)?;
            }
            // A literal stays without a type, which a set of queries around may give it.
            fields.push(Field { name: listed.name.clone(), sql: format!("c{place}"), kind: listed.typed.kind });
        }
        Ok(fields)
    }

    fn groups(&mut self, groups: &GroupByExpr, list: &[Listed], scope: &Scope<'_>) -> Result<String, FreeError> {
        let GroupByExpr::Expressions(expressions, modifiers) = groups else {
            return Err(FreeError::unsupported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(FreeError::unsupported("this GROUP BY"));
        }
        let (mut parts, mut bytes) = (Vec::<String>::new(), 0);
        for expression in expressions {
            bytes += parts.last().map_or(0, String::len);
            within(bytes)?;
            let listed = ordinal(expression).and_then(|place| list.get(place.checked_sub(1)?));
            let listed = listed.or_else(|| named(expression, list).filter(|_| self.is_alias(expression, scope)));
            parts.push(match listed {
                Some(listed) => listed.typed.sql.clone(),
                None => self.expr(expression, scope)?.sql,
            });
        }
        Ok(clause(" GROUP BY ", &parts))
    }

    /// Whether a name is none of the columns of FROM.
    fn is_alias(&self, expression: &Expr, scope: &Scope<'_>) -> bool {
        match expression {
            Expr::Identifier(name) => scope.field(std::slice::from_ref(name)).is_err(),
            _ => false,
        }
    }

    fn order(&mut self, items: &[OrderByExpr], list: &[Listed], scope: &Scope<'_>) -> Result<Vec<String>, FreeError> {
        let mut parts = Vec::new();
        for item in items {
            let place = ordinal(&item.expr).and_then(|place| place.checked_sub(1)).filter(|place| *place < list.len());
            let place = place.or_else(|| match &item.expr {
                Expr::Identifier(name) => list.iter().position(|listed| listed.name == folded(name)),
                expr => list.iter().position(|listed| listed.written.as_ref() == Some(expr)),
            });
            let sql = match place {
                Some(place) => format!("c{place}"),
                None => self.expr(&item.expr, scope)?.sql,
            };
            parts.push(direction(&sql, item));
        }
        Ok(parts)
    }

    /// The first row of each group, in the order that is asked for.
    fn distinct_on(
        &mut self,
        keys: &[Expr],
        list: &[Listed],
        scope: &Scope<'_>,
        (shown, tail, order): (&str, &str, &[String]),
    ) -> Result<String, FreeError> {
        let mut parts = Vec::new();
        for key in keys {
            parts.push(match named(key, list) {
                Some(listed) => listed.typed.sql.clone(),
                None => self.expr(key, scope)?.sql,
            });
        }
        // Names of the list do not reach into a window.
        let expanded = |part: &String| {
            let place = part.strip_prefix('c').and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
            match place.and_then(|place| list.get(place)) {
                Some(listed) => part.replacen(part.split(' ').next().unwrap_or_default(), &listed.typed.sql, 1),
                None => part.clone(),
            }
        };
        let inner: Vec<String> = order.iter().map(expanded).collect();
        let columns = super::translate::columns(list.len());
        let first = format!("row_number() OVER (PARTITION BY {}{})", parts.join(", "), clause(" ORDER BY ", &inner));
        let ranks: Vec<String> = inner
            .iter()
            .enumerate()
            .map(|(place, part)| {
                let (value, _) = part.rsplit_once(" NULLS ").unwrap_or((part, ""));
                let value = value.trim_end_matches(" ASC").trim_end_matches(" DESC");
                format!(", {value} AS o{place}")
            })
            .collect();
        let outer: Vec<String> = inner
            .iter()
            .enumerate()
            .map(|(place, part)| {
                let (value, nulls) = part.rsplit_once(" NULLS ").unwrap_or((part, "LAST"));
                format!("o{place} {} NULLS {nulls}", if value.ends_with(" DESC") { "DESC" } else { "ASC" })
            })
            .collect();
        Ok(format!(
            "SELECT {columns} FROM (SELECT {shown}{}, {first} AS first{tail}) WHERE first = 1{}",
            ranks.concat(),
            clause(" ORDER BY ", &outer)
        ))
    }
}

/// The column of the list that a name means.
fn named<'l>(expression: &Expr, list: &'l [Listed]) -> Option<&'l Listed> {
    match expression {
        Expr::Identifier(name) => list.iter().find(|listed| listed.name == folded(name)),
        _ => None,
    }
}

/// FROM with the rows of the functions of the list.
fn with_several(from: String, several: &[String]) -> String {
    if several.is_empty() {
        return from;
    }
    let rows = format!("json_each(f_lockstep({})) AS several", several.join(", "));
    if from.is_empty() { format!(" FROM {rows}") } else { format!("{from} CROSS JOIN {rows}") }
}

fn plain(select: &Select) -> Result<(), FreeError> {
    let is_plain = select.top.is_none()
        && select.into.is_none()
        && select.lateral_views.is_empty()
        && select.prewhere.is_none()
        && select.connect_by.is_empty()
        && select.cluster_by.is_empty()
        && select.distribute_by.is_empty()
        && select.sort_by.is_empty()
        && select.qualify.is_none();
    if is_plain { Ok(()) } else { Err(FreeError::unsupported("a clause of this SELECT")) }
}
