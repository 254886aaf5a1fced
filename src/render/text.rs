//! Shows answers and quotes as text for people to read.
//!
//! Promises that a terminal of any width shows every value with its interval: what does not fit is drawn smaller or written below each
//! other, and never cut.

mod bars;
mod cells;

use crate::render::budget::{self, Cost, balance, epsilon};
use crate::service::asking::body::{AnswerBody, OutputColumn, OutputRole, PriceBody, QuoteBody, RowValues};
use crate::service::views::AccountView;
use crate::terminal::{Screen, TextColumn, TextTable, Tone};

pub use cells::short_id;
use cells::{ErrorForm, Estimates, ReadRow, key_column, or_dash};

/// The narrowest picture of error bars that is drawn.
const BARS_MIN: usize = 16;
/// The widest picture of error bars.
const BARS_MAX: usize = 40;

/// An answer that was asked for, as text: each estimate with its interval, then what it cost and what is left.
#[must_use]
pub fn answer(answer: &AnswerBody<RowValues>, screen: &Screen) -> String {
    format!("{}\n{}", table(answer, screen).shown(screen), footer(answer, screen))
}

/// A stored answer or a statistic that was read, as text. Reading costs nothing, whatever the answer cost when it was drawn.
#[must_use]
pub fn stored(answer: &AnswerBody<RowValues>, screen: &Screen) -> String {
    let drawn = answer.at.as_deref().map_or_else(String::new, |at| format!(", drawn at {} UTC", minute(at)));
    let release =
        answer.release.as_deref().map_or_else(String::new, |release| format!(", release {}", short_id(release)));
    let cost = epsilon(&answer.price.epsilon);
    let told = format!("reading it costs nothing (it cost ε {cost}{drawn}{release})");
    let told = screen.paint(Tone::Faint, &screen.wrapped(&told));
    format!("{}\n{told}", table(answer, screen).shown(screen))
}

/// The minute of a moment in RFC 3339 text.
#[must_use]
pub fn minute(moment: &str) -> String {
    moment.chars().take(16).collect::<String>().replace('T', " ")
}

/// The rows of an answer in the richest form that fits: with error bars, with intervals, or with half-widths.
fn table(answer: &AnswerBody<RowValues>, screen: &Screen) -> TextTable {
    let (keys, estimates): (Vec<_>, Vec<_>) = answer.columns.iter().partition(|one| one.kind == OutputRole::Key);
    let rows: Vec<ReadRow<'_>> = answer.rows.iter().map(ReadRow).collect();
    let estimates: Vec<Estimates> = estimates.into_iter().map(|column| Estimates::read(column, &rows)).collect();
    let made = |form: ErrorForm| made(&keys, &estimates, &rows, (form, None), screen);
    let intervals = made(ErrorForm::Intervals);
    let Some(room) = screen.columns() else { return intervals };
    if !intervals.fits(screen) {
        let half_widths = made(ErrorForm::HalfWidths);
        return if half_widths.fits(screen) { half_widths } else { intervals };
    }
    let spare = room.saturating_sub(intervals.width() + 2).min(BARS_MAX);
    let drawn = estimates.iter().position(|one| !one.is_count()).or((!estimates.is_empty()).then_some(0));
    match drawn.filter(|_| spare >= BARS_MIN && rows.len() > 1) {
        Some(drawn) => self::made(&keys, &estimates, &rows, (ErrorForm::Intervals, Some((drawn, spare))), screen),
        None => intervals,
    }
}

/// The table in one form, with error bars of this width for one of the estimates.
fn made(
    keys: &[&OutputColumn],
    estimates: &[Estimates],
    rows: &[ReadRow<'_>],
    (form, bars): (ErrorForm, Option<(usize, usize)>),
    screen: &Screen,
) -> TextTable {
    let mut columns: Vec<TextColumn> = keys.iter().map(|key| key_column(&key.name, rows)).collect();
    let mut cells: Vec<Vec<String>> =
        rows.iter().map(|row| keys.iter().map(|key| row.key(&key.name)).collect()).collect();
    for estimate in estimates {
        columns.push(TextColumn::number(estimate.name()));
        columns.push(TextColumn::word(form.heading()).toned(Tone::Faint));
        for (row, added) in cells.iter_mut().zip(estimate.cells(form, screen)) {
            row.extend(added);
        }
    }
    if let Some((drawn, width)) = bars
        && let Some(picture) =
            bars::drawn(Some(estimates[drawn].name()).filter(|_| estimates.len() > 1), estimates[drawn].points(), width)
    {
        columns.push(TextColumn::word(&picture.axis).toned(Tone::Picture));
        for (row, bar) in cells.iter_mut().zip(picture.bars) {
            row.push(bar);
        }
    }
    TextTable::new(columns, cells)
}

fn footer(answer: &AnswerBody<RowValues>, screen: &Screen) -> String {
    let Some(release) = &answer.release else { return "it is public, so it cost nothing".to_owned() };
    let paid = paid(&answer.price, answer.account.as_ref());
    let cost = match (answer.replayed, answer.price.epsilon.as_str()) {
        (true, "0") => format!("it was stored, so it {paid}"),
        (true, _) => format!("it was stored: it {paid}; the dataset pays nothing"),
        (false, _) => paid,
    };
    let noise = format!("({} noise, release {})", or_dash(answer.mechanism.as_ref()), short_id(release));
    format!("{}\n{}", screen.wrapped(&cost), screen.paint(Tone::Faint, &screen.wrapped(&noise)))
}

/// What an answer costs, as a share of the account if it is shown.
fn paid(price: &PriceBody, account: Option<&AccountView>) -> String {
    match price.fraction.zip(account) {
        Some((fraction, after)) => budget::price(&Cost::new(fraction, &price.epsilon, after)),
        None => format!("costs ε {}", budget::epsilon(&price.epsilon)),
    }
}

/// A quote as text: the price, the errors, and what is left of the account.
#[must_use]
pub fn quote(quote: &QuoteBody, screen: &Screen) -> String {
    let margins = quote.columns.iter().filter(|column| column.kind == OutputRole::Estimate);
    let rows: Vec<_> = margins.map(|column| (column.name.clone(), cells::margin(column, screen))).collect();
    let has_size = rows.iter().any(|(_, [_, size])| !size.is_empty());
    let size = has_size.then(|| TextColumn::number("in a group of").toned(Tone::Faint));
    let columns = [TextColumn::word("output"), TextColumn::number("95 % margin")].into_iter().chain(size).collect();
    let rows = rows
        .into_iter()
        .map(|(name, [margin, size])| [name, margin].into_iter().chain(has_size.then_some(size)).collect());
    let account = &quote.account;
    let mut lines = vec![
        std::iter::once(TextTable::new(columns, rows).shown(screen))
            .chain(cells::groups(quote, screen))
            .collect::<Vec<_>>()
            .join("\n"),
        format!("price: epsilon {} at delta {} ({} noise)", quote.price.epsilon, quote.price.delta, quote.mechanism),
        format!("account: {} now; it {}", balance(&account.before), paid(&quote.price, Some(&account.after))),
    ];
    for warning in &quote.warnings {
        lines.push(screen.paint(Tone::Warning, &screen.wrapped(&format!("warning: {warning}"))));
    }
    if quote.replay {
        lines.push("nothing would be drawn: the answer is stored, or follows from stored ones".to_owned());
    } else if quote.legs.dataset != quote.legs.researcher {
        let dataset = epsilon(&quote.legs.dataset.to_string());
        lines.push(format!("it would take epsilon {dataset} of the dataset's cap: part of it is stored"));
    }
    if let Some(left) = quote.answers_left {
        lines.push(format!("{left} answers at this price would fit now"));
    }
    if !quote.answerable {
        let warning = format!(
            "not answerable: the largest epsilon that fits is {}, with a margin of {}",
            or_dash(quote.largest_epsilon),
            or_dash(quote.margin)
        );
        lines.push(screen.paint(Tone::Warning, &screen.wrapped(&warning)));
    }
    let told = lines.split_off(1).into_iter().map(|line| screen.wrapped(&line));
    lines.into_iter().chain(told).collect::<Vec<_>>().join("\n")
}
