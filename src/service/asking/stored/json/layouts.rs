//! Layouts in the JSON of the first version.

use super::formulas;
use super::value::Json;
use super::vectors::noisy;
use crate::query::answer::formula::Range;
use crate::query::answer::grouping_sets::{
    GroupingSets, IndependentNoise, MeasuredTable, MeasuredTables, SourceTable, SourceVector,
};
use crate::query::answer::{
    CountSource, Label, Layout, Limit, Output, OutputValue, PartSuppression, ShownGroups, SortKey, Suppression,
};

pub(super) fn layout(of: Json<'_>) -> Option<Layout> {
    Some(Layout {
        keys: of.at("keys")?.list(|labels| labels.list(label).map(Into::into))?,
        sets: of.optional("sets", sets)?,
        outputs: of.at("outputs")?.list(output)?,
        shown: ShownGroups::having(of.optional("having", formulas::shown)?),
        small: of.optional("small", small)?,
        order: of.at("order")?.list(sort)?,
        limit: Limit::new(of.optional("limit", Json::read)?, 0),
        arms: Vec::new(),
    })
}

/// A label was written as its bare value, without the name of its kind.
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

pub(super) fn sort(of: Json<'_>) -> Option<SortKey> {
    let (output, descending, nulls_first) = (of.get("output")?, of.get("descending")?, of.get("nulls_first")?);
    Some(SortKey { output, descending, nulls_first })
}

pub(super) fn small(of: Json<'_>) -> Option<Suppression> {
    Some(Suppression {
        below: of.get("below")?,
        counts: of.get("counts")?,
        steps: of.list_or_none("steps", formulas::run)?,
        parts: of.list_or_none("parts", part)?,
    })
}

fn part(of: Json<'_>) -> Option<PartSuppression> {
    Some(PartSuppression { counted: counted(of.at("counted")?)?, of: of.get("of")? })
}

fn counted(of: Json<'_>) -> Option<CountSource> {
    let (name, of) = of.variant()?;
    Some(match name {
        "measured" => CountSource::Measured(of.read()?),
        "step" => CountSource::Step(Box::new(formulas::run(of)?)),
        "bins" => CountSource::Bins { vector: of.get("vector")?, bins: of.get("bins")? },
        _ => return None,
    })
}

pub(super) fn sets(of: Json<'_>) -> Option<GroupingSets> {
    Some(GroupingSets { shown: of.get("shown")?, measured: of.at("measured")?.list(tables)? })
}

fn tables(of: Json<'_>) -> Option<MeasuredTables> {
    Some(MeasuredTables {
        adds_up: of.get("adds_up")?,
        tables: of.at("tables")?.list(table)?,
        sources: of.list_or_none("sources", source)?,
    })
}

fn table(of: Json<'_>) -> Option<MeasuredTable> {
    Some(MeasuredTable { keys: of.get("keys")?, vector: of.get("vector")? })
}

fn source(of: Json<'_>) -> Option<IndependentNoise> {
    Some(IndependentNoise { tables: of.at("tables")?.list(source_table)? })
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
