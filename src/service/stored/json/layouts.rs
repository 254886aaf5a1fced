//! Layouts in the JSON of the first version.

use super::{Json, formulas, noisy};
use crate::query::answer::{Counted, Label, Layout, Output, OutputValue, Part, Small, Sort};
use crate::query::formula::Range;
use crate::query::tables::{Sets, Source, SourceTable, SourceVector, Table, Tables};

pub(super) fn layout(of: Json<'_>) -> Option<Layout> {
    Some(Layout {
        keys: of.at("keys")?.list(|labels| labels.list(label).map(Into::into))?,
        sets: of.optional("sets", sets)?,
        outputs: of.at("outputs")?.list(output)?,
        having: of.optional("having", formulas::shown)?,
        small: of.optional("small", small)?,
        order: of.at("order")?.list(sort)?,
        limit: of.optional("limit", Json::read)?,
    })
}

/// A label is its value alone.
fn label(of: Json<'_>) -> Option<Label> {
    let truth = || of.read().map(Label::Boolean);
    let integer = || of.read().map(Label::Integer);
    let text = || of.read().map(Label::Text);
    truth().or_else(integer).or_else(text).or_else(|| of.0.is_null().then_some(Label::Missing))
}

pub(super) fn output(of: Json<'_>) -> Option<Output> {
    Some(Output { name: of.get("name")?, value: value(of.at("value")?)? })
}

fn value(of: Json<'_>) -> Option<OutputValue> {
    let (name, of) = of.variant()?;
    Some(match name {
        "key" => OutputValue::Key { index: of.get("index")? },
        "grouping" => OutputValue::Grouping { index: of.get("index")? },
        "count" => OutputValue::Count { count: of.get("count")? },
        "sum" => OutputValue::Sum { sum: of.get("sum")?, count: of.get("count")?, grid: of.get("grid")? },
        "mean" => OutputValue::Mean { sum: of.get("sum")?, count: of.get("count")?, grid: of.get("grid")? },
        "formula" => {
            let range = of.optional("range", range)?.unwrap_or_default();
            OutputValue::Formula { formula: formulas::formula(of.at("formula")?)?, range }
        }
        _ => return None,
    })
}

fn range(of: Json<'_>) -> Option<Range> {
    Some(Range { low: of.optional("low", Json::read)?, high: of.optional("high", Json::read)? })
}

pub(super) fn sort(of: Json<'_>) -> Option<Sort> {
    let (output, descending, nulls_first) = (of.get("output")?, of.get("descending")?, of.get("nulls_first")?);
    Some(Sort { output, descending, nulls_first })
}

pub(super) fn small(of: Json<'_>) -> Option<Small> {
    Some(Small {
        below: of.get("below")?,
        counts: of.get("counts")?,
        steps: of.list_or_none("steps", formulas::run)?,
        parts: of.list_or_none("parts", part)?,
    })
}

fn part(of: Json<'_>) -> Option<Part> {
    Some(Part { counted: counted(of.at("counted")?)?, of: of.get("of")? })
}

fn counted(of: Json<'_>) -> Option<Counted> {
    let (name, of) = of.variant()?;
    Some(match name {
        "measured" => Counted::Measured(of.read()?),
        "step" => Counted::Step(Box::new(formulas::run(of)?)),
        "bins" => Counted::Bins { vector: of.get("vector")?, bins: of.get("bins")? },
        _ => return None,
    })
}

pub(super) fn sets(of: Json<'_>) -> Option<Sets> {
    Some(Sets { shown: of.get("shown")?, measured: of.at("measured")?.list(tables)? })
}

fn tables(of: Json<'_>) -> Option<Tables> {
    Some(Tables {
        adds_up: of.get("adds_up")?,
        tables: of.at("tables")?.list(table)?,
        sources: of.list_or_none("sources", source)?,
    })
}

fn table(of: Json<'_>) -> Option<Table> {
    Some(Table { keys: of.get("keys")?, vector: of.get("vector")? })
}

fn source(of: Json<'_>) -> Option<Source> {
    Some(Source { tables: of.at("tables")?.list(source_table)? })
}

fn source_table(of: Json<'_>) -> Option<SourceTable> {
    let (name, vector) = of.at("vector")?.variant()?;
    let vector = match name {
        "measured" => SourceVector::Measured(vector.read()?),
        "part" => SourceVector::Part(noisy(vector)?),
        _ => return None,
    };
    Some(SourceTable { keys: of.get("keys")?, vector })
}
