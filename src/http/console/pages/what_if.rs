//! What a budget would buy: the error of each kind of question, computed from public bounds alone, and how much of it the questions of the
//! last month would take.
//!
//! Promises that nothing here depends on a row: a count's error is that of its noise, and a mean's follows from its bounds and an assumed
//! group size. n equal questions share a budget's precision: with Gaussian noise each gets μ²/n, and with pure differential privacy ε/n.

use maud::{Markup, html};

use crate::kernel::budget::entry::AccountKind;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::kernel::privacy::certificate::NORMAL_975;
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::Terms;
use crate::render::budget::epsilon;
use crate::render::budget::percent;
use crate::render::chart::{Chart, Point, Series, Shape};
use crate::render::figure;
use crate::render::reading::number;
use crate::service::shares::AccountShare;
use crate::service::stewarding::month::{MONTH_DAYS, MonthView};
use crate::service::views::Fraction;

/// The budget and the questions to calculate with.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The budget, as ε.
    pub epsilon: Epsilon,
    /// The number of questions that share the budget.
    pub questions: u64,
    /// The assumed number of rows in a group, for means.
    pub group_size: u64,
    /// The number of rows of each unit that count.
    pub rows_per_unit: u32,
}

/// The half-width of one kind of question's error, at its share of the budget.
struct Row {
    name: String,
    half_width: f64,
}

/// The σ of a measurement with ℓ₂ sensitivity `sensitivity` that gets one of `questions`
/// equal shares of `price`. Only one cell moves, so this is also its ℓ₁ sensitivity.
fn sigma(accountant: Accountant, price: Price, questions: u64, sensitivity: f64) -> f64 {
    let share = price.quanta() as f64 / questions.max(1) as f64;
    match accountant {
        Accountant::Gaussian { .. } => sensitivity / (share * 1e-15).sqrt(),
        Accountant::Pure => 2_f64.sqrt() * sensitivity / (share * 1e-9),
    }
}

/// The half-widths of a count of rows, of a count of units, and of the mean of each numeric column. A question for a mean pays for two
/// measurements, so each gets half of its share; σ² of a mean of n rows about its middle is at worst (σ_S² + R²σ_N²)/n².
fn rows(terms: &Terms, wish: &Wish) -> Vec<Row> {
    // The price that questions may share. This fast computation is below the cap by at most one part in a billion.
    let price = terms.accountant.price(wish.epsilon);
    let k = f64::from(wish.rows_per_unit);
    let of = |sensitivity: f64, parts: u64| {
        sigma(terms.accountant, price, wish.questions.saturating_mul(parts), sensitivity)
    };
    let unit = terms.unit.name();
    let mut rows = vec![
        Row { name: "a count of rows".to_owned(), half_width: NORMAL_975 * of(k, 1) },
        Row {
            name: format!("a count of different {unit} (for columns with one value per unit)"),
            half_width: NORMAL_975 * of(1.0, 1),
        },
    ];
    let of_tables = terms.tables.iter().flat_map(|table| table.columns.iter());
    for column in terms.own().iter().chain(of_tables) {
        let Domain::Number(grid) = &column.domain else { continue };
        let radius = grid.radius() as f64 * grid.step_value();
        let (sum, count) = (of(k * radius, 2), of(k, 2));
        let sigma = (sum * sum + radius * radius * count * count).sqrt() / wish.group_size.max(1) as f64;
        let name = format!("the mean of {} in a group of {} rows", column.name, wish.group_size);
        rows.push(Row { name, half_width: NORMAL_975 * sigma });
    }
    rows
}

/// The values of ε in the chart: from a sixteenth of the wish to four times it.
fn budgets(epsilon: Epsilon) -> Vec<Epsilon> {
    (0..13).map(|step| epsilon.nanos() as f64 / 16.0 * 2_f64.powf(f64::from(step) / 2.0)).map(rounded).collect()
}

fn rounded(nanos: f64) -> Epsilon {
    let quantum = 10_f64.powf(nanos.max(1.0).log10().floor() - 1.0);
    Epsilon::from_nanos(((nanos / quantum).round() * quantum).clamp(1.0, Epsilon::NANOS_MAX as f64) as u64)
}

fn chart_of(terms: &Terms, wish: &Wish) -> Chart {
    let budgets = budgets(wish.epsilon);
    let point = |epsilon: &Epsilon| {
        let rows = rows(terms, &Wish { epsilon: *epsilon, ..wish.clone() });
        Point { value: rows.first().map(|row| row.half_width), low: None, high: None, word: None }
    };
    Chart {
        has_totals: false,
        over_days: false,
        title: format!("95 % half-width of each of {} counts, by the budget they share", wish.questions),
        measure: None,
        unit: Some("rows".to_owned()),
        shape: Shape::Line,
        labels: budgets.iter().map(|epsilon| format!("ε {epsilon}")).collect(),
        series: vec![Series { name: "count of rows".to_owned(), points: budgets.iter().map(point).collect() }],
    }
}

/// The budget and each question as shares of the dataset's cap.
fn shares(terms: &Terms, wish: &Wish) -> String {
    let cap = terms.accountant.cap(terms.cap);
    let of_cap = |price| AccountShare::spent(price, cap);
    let budget = terms.accountant.cap(wish.epsilon);
    let each = of_cap(Price::from_quanta(budget.quanta().div_ceil(wish.questions.max(1))));
    format!(
        "ε {} is {} of the dataset's cap of ε {}. Each question takes {} of the cap.",
        epsilon(&wish.epsilon.to_string()),
        of_cap(budget).per_cent(2),
        epsilon(&terms.cap.to_string()),
        each.per_cent(each.decimals())
    )
}

/// The contents of the page.
pub struct WhatIfPage<'a> {
    /// The names of the datasets to choose from.
    pub datasets: &'a [&'a str],
    /// The name of the chosen dataset.
    pub dataset: &'a str,
    /// The terms of the chosen dataset.
    pub terms: &'a Terms,
    /// The budget and the questions to calculate with.
    pub wish: &'a Wish,
    /// What was asked of the dataset in the last month, its own account first.
    pub month: &'a [MonthView],
    /// What is wrong with the form, if anything is.
    pub wrong: Option<&'a str>,
}

/// The page that shows what a budget would buy.
#[must_use]
pub fn page(page: &WhatIfPage<'_>) -> Markup {
    let WhatIfPage { datasets, dataset, terms, wish, month, wrong } = page;
    html! {
        h1 { "What would this budget buy?" }
        p.lead { "From the policy's public bounds and the ledger alone: no question is asked and no row is looked at." }
        @if let Some(wrong) = wrong { p.note.bad role="alert" { (wrong) } }
        form.inline method="get" action="/what-if" {
            label { "Dataset"
                select name="dataset" {
                    @for name in *datasets { option value=(name) selected[name == dataset] { (name) } }
                }
            }
            label { "Budget, as epsilon" input type="text" name="epsilon" value=(wish.epsilon) inputmode="decimal"; }
            label { "Questions" input type="text" name="questions" value=(wish.questions) inputmode="numeric"; }
            label { "Rows in a group" input type="text" name="group" value=(wish.group_size) inputmode="numeric"; }
            label { "Rows of each " (terms.unit.name()) " that count" input type="text" name="rows" value=(wish.rows_per_unit) inputmode="numeric"; }
            button.primary type="submit" { "Show" }
        }
        p { (shares(terms, wish)) }
        (errors(terms, wish))
        (figure::on_page(&chart_of(terms, wish).into()))
        (last_month(month, terms.accountant, wish.epsilon))
        p.muted {
            "A question with several groups costs what one with a single group costs, where each " code { (terms.unit.name()) } " is in one of them. "
            "Asking again what was answered is free, and answers that others paid for cost the dataset nothing."
        }
    }
}

/// The errors of a hundred equal questions that share the cap of these terms.
#[must_use]
pub fn of_cap(terms: &Terms) -> Markup {
    let wish = Wish { epsilon: terms.cap, questions: 100, group_size: 1_000, rows_per_unit: terms.max_rows_per_unit };
    errors(terms, &wish)
}

fn errors(terms: &Terms, wish: &Wish) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Errors" {
            table {
                caption { "Each of " (wish.questions) " equal questions, in 95 of 100 answers, is off by at most" }
                thead { tr { th scope="col" { "Question" } th.number scope="col" { "Half-width" } } }
                tbody {
                    @for row in rows(terms, wish) {
                        tr { th scope="row" { (row.name) } td.number { "± " (number(row.half_width, Some(row.half_width))) } }
                    }
                }
            }
        }
    }
}

/// The largest number of accounts in the table of the last month.
const ACCOUNTS_SHOWN: usize = 50;

/// What the questions of the last month took, and what they would take again.
fn last_month(month: &[MonthView], accountant: Accountant, budget: Epsilon) -> Markup {
    let whole = month.first().filter(|view| view.kind == AccountKind::Dataset);
    html! {
        section {
            h2 { "If the last month came again" }
            @match whole {
                None => { p.note { "Nothing was asked in the last " (MONTH_DAYS) " days." } }
                Some(whole) => {
                    p {
                        "In the last " (MONTH_DAYS) " days, " (whole.questions)
                        @if whole.questions == 1 { " question" } @else { " questions" }
                        " took " strong { (percent(whole.of_account.to_f64())) } " of the dataset's cap. If as much were asked again, that would be "
                        strong { (percent(Fraction::of(whole.paid, accountant.price(budget)).to_f64())) }
                        " of a budget of epsilon " (budget) "."
                    }
                    (accounts(month))
                }
            }
        }
    }
}

fn accounts(month: &[MonthView]) -> Markup {
    let named = |view: &MonthView| match view.kind {
        AccountKind::Dataset => format!("{} (the cap)", view.name),
        AccountKind::Project => format!("project {}", view.name),
        AccountKind::Researcher => view.name.clone(),
        AccountKind::Statistics => "published statistics".to_owned(),
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Accounts" {
            table {
                caption { "Each account on which something was asked, and how often as much again would fit into what is left" }
                thead { tr {
                    th scope="col" { "Account" } th.number scope="col" { "Questions" } th.number scope="col" { "Share of the account" }
                    th.number scope="col" { "More months like it" }
                } }
                tbody {
                    @for view in month.iter().take(ACCOUNTS_SHOWN) {
                        tr {
                            th scope="row" { (named(view)) }
                            td.number { (view.questions) }
                            td.number { (percent(view.of_account.to_f64())) }
                            td.number { @match view.months_left { Some(months) => { (months) } None => { "any number" } } }
                        }
                    }
                }
            }
        }
        @if month.len() > ACCOUNTS_SHOWN { p.muted { (month.len() - ACCOUNTS_SHOWN) " accounts that paid less are not shown." } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::privacy::amounts::Delta;

    #[test]
    fn a_share_of_precision_has_the_error_that_a_quote_says() {
        let accountant = Accountant::Gaussian { delta: Delta::parse("1e-9").expect("δ") };
        let price = accountant.cap(Epsilon::parse("1").expect("ε"));
        let alone = sigma(accountant, price, 1, 4.0);
        assert!((sigma(accountant, price, 100, 4.0) / alone - 10.0).abs() < 1e-9, "precision is additive");
        assert!((alone - 4.0 / (price.quanta() as f64 * 1e-15).sqrt()).abs() < 1e-9);
        let pure = sigma(Accountant::Pure, Accountant::Pure.cap(Epsilon::parse("1").expect("ε")), 10, 1.0);
        assert!((pure - 10.0 * 2_f64.sqrt()).abs() < 1e-9, "Laplace noise of scale 10");
    }
}
