//! Answers as figures: a chart of what a table is about, and the table itself for people to read.
//!
//! Promises to show noisy values and their intervals as they are: nothing is clipped, smoothed or left out except for digits that the
//! interval makes meaningless, and where there is no value it says why.

use std::ops::Range;

use maud::{Markup, html};

use super::chart::{self, Chart, Figure, Placement, Point, Series, Shape};
use super::columns::float;
use super::reading::{self, key, number};
use crate::query::answer::{Cell, ColumnKind, Table};
use crate::query::terms::domain::date_days;

/// The largest number of charts below each other; a table has all columns.
const CHARTS_MAX: usize = 6;
/// The largest number of series that one chart can distinguish.
const SERIES_MAX: usize = 6;
/// The largest number of groups in a chart; a table has all of them.
const GROUPS_MAX: usize = 400;

/// The positions of an estimate in a row: its value and the ends of its interval.
struct Place<'a> {
    name: &'a str,
    value: usize,
    low: Option<usize>,
    high: Option<usize>,
}

fn at(table: &Table, name: &str) -> Option<usize> {
    table.names.iter().position(|known| known == name)
}

fn estimates(table: &Table) -> Vec<(ColumnKind, Place<'_>)> {
    let columns = table.columns.iter().filter(|column| !column.kind.is_key());
    let place = |name: &'_ str| {
        let end = |suffix: &str| at(table, &format!("{name}_{suffix}"));
        at(table, name).map(|value| (value, end("low"), end("high")))
    };
    columns
        .filter_map(|column| {
            let (value, low, high) = place(&column.name)?;
            Some((column.kind, Place { name: &column.name, value, low, high }))
        })
        .collect()
}

fn keys(table: &Table) -> Vec<usize> {
    table.columns.iter().filter(|column| column.kind.is_key()).filter_map(|column| at(table, &column.name)).collect()
}

fn point(table: &Table, row: &[Cell], place: &Place<'_>) -> Point {
    let end = |at: Option<usize>| at.and_then(|at| float(&row[at]));
    let code = table.null(place.name, row).or_else(|| table.note(place.name, row));
    let word = code.and_then(reading::why).map(str::to_owned);
    Point { value: float(&row[place.value]), low: end(place.low), high: end(place.high), word }
}

fn label(row: &[Cell], keys: &[usize]) -> String {
    let parts: Vec<_> = keys.iter().map(|place| key(&row[*place])).collect();
    if parts.is_empty() { "all".to_owned() } else { parts.join(" · ") }
}

/// The figure of a table: one chart for what is counted, and one for each sum, mean and formula, because what is measured differently
/// never shares an axis. Totals are left out where there is what they are totals of: they would crush it. If a chart shows a single estimate and there are several keys, the last key distinguishes the series. Returns
/// `None` if there is nothing to draw, or too much.
#[must_use]
pub fn figure(title: &str, unit: Option<&str>, shape: Shape, table: &Table) -> Option<Figure> {
    let parts = without_totals(table);
    let (table, has_totals) = (parts.as_ref().unwrap_or(table), parts.is_some());
    let (mut counts, mut others): (Vec<Place<'_>>, Vec<Vec<Place<'_>>>) = (Vec::new(), Vec::new());
    for (kind, place) in estimates(table) {
        match kind {
            ColumnKind::Count(_) => counts.push(place),
            _ => others.push(vec![place]),
        }
    }
    // What is asked about comes first; counts beside it say how much it rests on.
    others.extend(Some(counts).filter(|counts| !counts.is_empty()));
    // A chart that stays alone because the others are empty keeps the title of what it shows.
    let is_alone = others.len() == 1;
    // A chart that would be empty is left out, unless all would be.
    let has_value = |places: &[Place<'_>]| {
        places.iter().any(|place| table.rows.iter().any(|row| float(&row[place.value]).is_some()))
    };
    if others.iter().any(|places| has_value(places)) {
        others.retain(|places| has_value(places));
    }
    let is_drawn = |places: &[Place<'_>]| places.len() <= SERIES_MAX;
    if !(1..=CHARTS_MAX).contains(&others.len())
        || !others.iter().all(|places| is_drawn(places))
        || table.rows.is_empty()
        || table.rows.len() > GROUPS_MAX
    {
        return None;
    }
    let chart = |places: Vec<Place<'_>>| {
        let names: Vec<String> = places.iter().map(|place| place.name.replace('_', " ")).collect();
        let (labels, series) = drawn(table, &places);
        // Several estimates are told apart by a legend that names them; of several charts each has a heading that does.
        let is_named = !is_alone || places.len() > 1;
        Chart {
            measure: Some(names.join(", ")).filter(|_| !is_named),
            has_totals,
            over_days: labels.iter().all(|label| date_days(label).is_some()) && has_days(table),
            title: if is_alone { title.to_owned() } else { names.join(", ") },
            unit: unit.filter(|_| is_alone).map(str::to_owned),
            shape,
            labels,
            series,
        }
    };
    Some(Figure { title: title.to_owned(), charts: others.into_iter().map(chart).collect() })
}

/// The figure of an answer that nobody has published, and which therefore has no title and no chosen shape: days are drawn as a line.
#[must_use]
pub fn of_answer(table: &Table) -> Option<Figure> {
    let shape = if is_over_time(table) { Shape::Line } else { Shape::Bar };
    figure("Noisy values with 95 % intervals", None, shape, table)
}

/// Whether there are several rows, and all of their first cells are days.
fn is_over_time(table: &Table) -> bool {
    let first = |row: &Vec<Cell>| row.first().and_then(Cell::text);
    table.rows.len() > 2 && table.rows.iter().all(|row| first(row).is_some_and(|text| date_days(&text).is_some()))
}

/// The table without the rows that are totals over a key; `None` if it has no such row, or no other.
fn without_totals(table: &Table) -> Option<Table> {
    let is_total = |row: &&Vec<Cell>| row.contains(&Cell::Total);
    let parts = table.rows.iter().filter(|row| !is_total(row)).count();
    if parts == 0 || parts == table.rows.len() {
        return None;
    }
    // More than can be drawn need not be copied.
    let rows = table.rows.iter().filter(|row| !is_total(row)).take(GROUPS_MAX + 1).cloned().collect();
    let Table { columns, names, kinds, plain, .. } = table;
    Some(Table { columns: columns.clone(), names: names.clone(), kinds: kinds.clone(), rows, plain: *plain })
}

/// Whether the first key is a day in each row.
fn has_days(table: &Table) -> bool {
    let is_day = |row: &Vec<Cell>, key: usize| matches!(row.get(key), Some(Cell::Date(_)));
    keys(table).first().is_some_and(|key| table.rows.iter().all(|row| is_day(row, *key)))
}

/// The labels and the series of a chart of some estimates.
fn drawn(table: &Table, places: &[Place<'_>]) -> (Vec<String>, Vec<Series>) {
    let keys = keys(table);
    if let (Some((last, others)), [place]) = (keys.split_last().filter(|(_, others)| !others.is_empty()), places)
        && let Some(crossed) = crossed(table, others, *last, place)
    {
        return crossed;
    }
    let labels = table.rows.iter().map(|row| label(row, &keys)).collect();
    let series = places.iter().map(|place| Series {
        name: place.name.replace('_', " "),
        points: table.rows.iter().map(|row| point(table, row, place)).collect(),
    });
    (labels, series.collect())
}

/// The figure on a page, once for wide screens and once for phones; the style sheet shows one of them.
#[must_use]
pub fn on_page(figure: &Figure) -> Markup {
    html! {
        div.wide-only { div.scroll tabindex="0" role="region" aria-label="Chart" { (chart::svg(figure, Placement::Page)) } }
        div.phone-only { (chart::svg(figure, Placement::Phone)) }
    }
}

/// The estimates of a table that is a single row without keys, large; `None` for any other table.
#[must_use]
pub fn alone(table: &Table) -> Option<Markup> {
    let [row] = &table.rows[..] else { return None };
    if !keys(table).is_empty() {
        return None;
    }
    Some(html! {
        dl.alone {
            @for (_, place) in estimates(table) {
                @let point = point(table, row, &place);
                @let half_width = half_width(&point);
                div {
                    dt { (place.name.replace('_', " ")) }
                    dd {
                        @match (point.value, &point.word) {
                            (Some(value), _) => { data value=(value) { (number(value, half_width)) } }
                            (None, word) => { em { (word.as_deref().unwrap_or("–")) } }
                        }
                        @if let (Some(_), Some(word)) = (point.value, &point.word) { " " small { "(" (word) ")" } }
                        @if let Some((low, high)) = point.low.zip(point.high) {
                            small { "95 %: " (number(low, half_width)) " to " (number(high, half_width)) }
                        }
                    }
                }
            }
        }
    })
}

/// One series for each value of the last key; `None` if there are too many.
fn crossed(table: &Table, others: &[usize], last: usize, place: &Place<'_>) -> Option<(Vec<String>, Vec<Series>)> {
    let (mut labels, mut names): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for row in &table.rows {
        for (known, new) in [(&mut labels, label(row, others)), (&mut names, label(row, &[last]))] {
            if !known.contains(&new) {
                known.push(new);
            }
        }
    }
    if names.len() > SERIES_MAX {
        return None;
    }
    let series = names.iter().map(|name| {
        let of = |wanted: &String| {
            let row = table.rows.iter().find(|row| label(row, others) == *wanted && label(row, &[last]) == *name);
            let absent = || Point { value: None, low: None, high: None, word: Some("no row".to_owned()) };
            row.map_or_else(absent, |row| point(table, row, place))
        };
        Series { name: name.clone(), points: labels.iter().map(of).collect() }
    });
    let series = series.collect();
    Some((labels, series))
}

fn half_width(point: &Point) -> Option<f64> {
    reading::half_width(point.value, point.low, point.high)
}

/// The table of an answer for people to read, with each estimate beside its interval.
#[must_use]
pub fn table(table: &Table, caption: &str) -> Markup {
    rows(table, caption, 0..table.rows.len())
}

/// Some rows of the table of an answer; rows that it does not have are left out.
#[must_use]
pub fn rows(table: &Table, caption: &str, shown: Range<usize>) -> Markup {
    let (keys, estimates) = (keys(table), estimates(table));
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.answer {
                caption { (caption) }
                thead { tr {
                    @for place in &keys { th scope="col" { (table.names[*place].replace('_', " ")) } }
                    @for (_, place) in &estimates {
                        th.number scope="col" { (place.name.replace('_', " ")) br; small { "95 % interval" } }
                    }
                } }
                tbody {
                    @for row in table.rows.iter().take(shown.end).skip(shown.start) {
                        tr {
                            @for place in &keys { th scope="row" { (key(&row[*place])) } }
                            @for (_, place) in &estimates { (estimate(&point(table, row, place))) }
                        }
                    }
                }
            }
        }
    }
}

fn estimate(point: &Point) -> Markup {
    let half_width = half_width(point);
    html! {
        td.number {
            @match (point.value, &point.word) {
                (Some(value), _) => data value=(value) { (number(value, half_width)) },
                (None, Some(word)) => em { (word) },
                (None, None) => "–",
            }
            @if let (Some(_), Some(word)) = (point.value, &point.word) { " " small { "(" (word) ")" } }
            @if let Some((low, high)) = point.low.zip(point.high) {
                br;
                small { (number(low, half_width)) " to " (number(high, half_width)) }
            }
        }
    }
}
