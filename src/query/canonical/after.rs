//! Writer of what is computed after the noise: labels, CASE and windows over the groups.

use super::statement::{Writer, nulls};
use super::terms::quoted;
use crate::kernel::privacy::amounts::unscaled;
use crate::query::answer::Label;
use crate::query::answer::formula::window::WindowOrderBy;
use crate::query::answer::formula::{GroupWindow, HavingCondition, WindowOrder, Words};
use crate::query::syntax::{GroupFunction, WindowBound, WindowFrame};
use crate::query::terms::domain::{DECIMALS, date_days, date_text};

impl Writer<'_> {
    /// Writes a label, or how it is chosen.
    pub(super) fn words(&self, words: &Words) -> String {
        match words {
            Words::Label(Label::Boolean(truth)) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
            Words::Label(Label::Integer(value)) => value.to_string(),
            Words::Label(Label::Decimal(nanos)) => unscaled(*nanos, DECIMALS),
            Words::Label(Label::Text(one)) if date_days(one).is_some() => format!("DATE {}", quoted(one)),
            Words::Label(Label::Text(one)) => quoted(one),
            Words::Label(Label::Date(days)) => format!("DATE {}", quoted(&date_text(*days))),
            Words::Label(Label::Missing) => "NULL".to_owned(),
            Words::Key(key) => self.rows.term(&self.key(*key)),
            // A condition as a value is written as it was, so that its windows are read back once.
            Words::Case(..) if let Some(condition) = words.truth() => format!("({})", self.shown(condition, false)),
            Words::Case(arms, otherwise) => {
                let arms = arms.iter().map(|(when, then)| (when, self.words(then))).collect();
                self.case(arms, &self.words(otherwise))
            }
        }
    }

    /// Writes a CASE.
    pub(super) fn case(&self, arms: Vec<(&HavingCondition, String)>, otherwise: &str) -> String {
        let arm = |(when, then): (&HavingCondition, String)| format!("WHEN {} THEN {then}", self.shown(when, false));
        let arms: Vec<_> = arms.into_iter().map(arm).collect();
        let otherwise = if otherwise == "NULL" { String::new() } else { format!(" ELSE {otherwise}") };
        format!("CASE {}{otherwise} END", arms.join(" "))
    }

    /// Writes a window over the groups.
    pub(super) fn window(&self, window: &GroupWindow) -> String {
        let of: Vec<_> = window.of.iter().map(|of| self.formula(of)).collect();
        if window.function == GroupFunction::Total {
            return format!("(SELECT {} {})", of.concat(), self.table);
        }
        let arguments = match (window.function, &of[..]) {
            (GroupFunction::Count, []) => "*".to_owned(),
            (GroupFunction::Lag | GroupFunction::Lead, [one]) if window.step != 1 => format!("{one}, {}", window.step),
            (GroupFunction::Lag | GroupFunction::Lead, [one, other]) => format!("{one}, {}, {other}", window.step),
            (GroupFunction::NthValue, [one]) => format!("{one}, {}", window.step),
            (GroupFunction::Ntile, []) => window.step.to_string(),
            (_, of) => of.join(", "),
        };
        let mut parts = Vec::new();
        if !window.within.is_empty() {
            let keys: Vec<_> = window.within.iter().map(|key| self.rows.term(&self.key(*key))).collect();
            parts.push(format!("PARTITION BY {}", keys.join(", ")));
        }
        if !window.order.is_empty() {
            let by = |order: &WindowOrder| {
                let by = match &order.by {
                    WindowOrderBy::Key(key) => self.rows.term(&self.key(*key)),
                    WindowOrderBy::Formula(of) => self.formula(of),
                };
                let direction = if order.descending { " DESC" } else { "" };
                format!("{by}{direction}{}", nulls(order.nulls_first, order.descending))
            };
            let keys: Vec<_> = window.order.iter().map(by).collect();
            parts.push(format!("ORDER BY {}", keys.join(", ")));
        }
        parts.extend(window.frame.as_ref().map(frame));
        format!("{}({arguments}) OVER ({})", window.function.word().to_uppercase(), parts.join(" "))
    }
}

fn frame(frame: &WindowFrame) -> String {
    let bound = |bound: &WindowBound| match bound {
        WindowBound::First => "UNBOUNDED PRECEDING".to_owned(),
        WindowBound::Before(by) => format!("{by} PRECEDING"),
        WindowBound::Current => "CURRENT ROW".to_owned(),
        WindowBound::After(by) => format!("{by} FOLLOWING"),
        WindowBound::Last => "UNBOUNDED FOLLOWING".to_owned(),
    };
    let units = if frame.by_rows { "ROWS" } else { "RANGE" };
    format!("{units} BETWEEN {} AND {}", bound(&frame.start), bound(&frame.end))
}
