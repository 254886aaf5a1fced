//! The names in identities of functions of texts and of days.

use crate::query::term::patterns::PatternKind;
use crate::query::term::spans::Span;
use crate::query::term::words::WordFunction;

pub(super) fn function(function: WordFunction) -> &'static str {
    match function {
        WordFunction::Lower => "lower",
        WordFunction::Upper => "upper",
        WordFunction::Initcap => "initcap",
        WordFunction::Left => "left",
        WordFunction::Right => "right",
        WordFunction::Substring => "substring",
        WordFunction::Btrim => "btrim",
        WordFunction::Ltrim => "ltrim",
        WordFunction::Rtrim => "rtrim",
        WordFunction::Concat => "concat",
        WordFunction::Joined => "joined",
        WordFunction::Replace => "replace",
        WordFunction::Length => "length",
        WordFunction::Strpos => "strpos",
        WordFunction::SplitPart => "split_part",
        WordFunction::Reverse => "reverse",
        WordFunction::ConcatWs => "concat_ws",
        WordFunction::Translate => "translate",
        WordFunction::RegexpReplace => "regexp_replace",
        WordFunction::Lpad => "lpad",
        WordFunction::Rpad => "rpad",
        WordFunction::Repeat => "repeat",
    }
}

pub(super) fn span(span: Span) -> &'static str {
    match span {
        Span::Year => "year",
        Span::Quarter => "quarter",
        Span::Month => "month",
        Span::Week => "week",
        Span::AgeYears => "age_years",
        Span::AgeMonths => "age_months",
    }
}

pub(super) fn pattern(kind: PatternKind) -> &'static str {
    match kind {
        PatternKind::Like => "like",
        PatternKind::CaselessLike => "caseless_like",
        PatternKind::Similar => "similar",
        PatternKind::Expression => "expression",
        PatternKind::CaselessExpression => "caseless_expression",
    }
}
