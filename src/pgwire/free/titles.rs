//! The names that PostgreSQL gives to columns without an alias.

use sqlparser::ast::{AccessExpr, Expr, FunctionArguments, ObjectName, ObjectNamePart, SelectItem, SetExpr, Subscript};

use super::scope::folded;
use super::types::kind_of;

/// The name of a column.
pub(super) fn title(of: &Expr) -> String {
    found(of).map_or_else(|| "?column?".to_owned(), |(name, _)| name)
}

/// The name with how much it says: a name of 2 stands before one of 1.
fn found(of: &Expr) -> Option<(String, u8)> {
    let strong = |name: String| Some((name, 2));
    let weak = |name: &str| Some((name.to_owned(), 1));
    match of {
        Expr::Identifier(name) => strong(folded(name)),
        Expr::CompoundIdentifier(names) => names.last().map(folded).and_then(strong),
        Expr::Function(function) if matches!(function.args, FunctionArguments::Subquery(_)) => weak("array"),
        Expr::Function(function) => strong(last(&function.name)),
        Expr::Cast { expr, data_type, .. } => match found(expr) {
            Some((name, 2)) => strong(name),
            _ => kind_of(data_type).ok().map(|kind| (kind.base.name().to_owned(), 1)),
        },
        Expr::TypedString(typed) => kind_of(&typed.data_type).ok().map(|kind| (kind.base.name().to_owned(), 1)),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => found(inner),
        Expr::CompoundFieldAccess { root, access_chain } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(name))) => strong(folded(name)),
            Some(AccessExpr::Subscript(Subscript::Index { .. } | Subscript::Slice { .. })) | None => found(root),
            Some(AccessExpr::Dot(_)) => None,
        },
        Expr::Case { else_result, .. } => match else_result.as_deref().and_then(found) {
            Some((name, 2)) => strong(name),
            _ => weak("case"),
        },
        Expr::Array(_) => weak("array"),
        Expr::Exists { negated: false, .. } => weak("exists"),
        Expr::Subquery(query) => match query.body.as_ref() {
            SetExpr::Select(select) => match select.projection.first()? {
                SelectItem::UnnamedExpr(inner) => found(inner),
                SelectItem::ExprWithAlias { alias, .. } => strong(folded(alias)),
                _ => None,
            },
            _ => None,
        },
        Expr::Extract { .. } => strong("extract".to_owned()),
        Expr::Ceil { .. } => strong("ceil".to_owned()),
        Expr::Floor { .. } => strong("floor".to_owned()),
        Expr::Position { .. } => strong("position".to_owned()),
        Expr::Substring { .. } => strong("substring".to_owned()),
        Expr::Trim { .. } => strong("btrim".to_owned()),
        Expr::AtTimeZone { .. } => strong("timezone".to_owned()),
        _ => None,
    }
}

/// The last part of a name.
pub(super) fn last(name: &ObjectName) -> String {
    parts(name).pop().unwrap_or_default()
}

/// All parts of a name.
pub(super) fn parts(name: &ObjectName) -> Vec<String> {
    let part = |part: &ObjectNamePart| match part {
        ObjectNamePart::Identifier(name) => folded(name),
        ObjectNamePart::Function(function) => folded(&function.name),
    };
    name.0.iter().map(part).collect()
}
