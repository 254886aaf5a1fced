//! Which labels are written along the axis of a line, where not all of them have room.
//!
//! Promises regular steps that people count in: first days of months every 1, 2, 3, 6 or 12 months and so on, so that a year begins at a
//! label; days every 1, 2, 7 or 14 days, and then like months; whole numbers at multiples of 1, 2 or 5 times a power of ten; and whatever else
//! at every 1st, 2nd, 5th, 10th and so on. Texts never touch.

use super::words::{short, width};

/// The steps in months that people count in.
const MONTHS: [i64; 11] = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200];
/// The steps in days that are shorter than a month.
const DAYS: [usize; 4] = [1, 2, 7, 14];
/// The space between two labels.
const SPACE: f64 = 14.0;

/// The places of the labels to be written, if neighbouring ones are `gap` apart.
pub(super) fn written(labels: &[String], gap: f64) -> Vec<usize> {
    let wide = labels.iter().map(|label| width(&short(label))).fold(0.0, f64::max);
    let least = ((wide + SPACE) / gap).ceil().max(1.0) as usize;
    let dates: Option<Vec<Day>> = labels.iter().map(|label| Day::read(label)).collect();
    let numbers: Option<Vec<i64>> = labels.iter().map(|label| label.parse().ok()).collect();
    let by_meaning = match (dates, numbers) {
        (Some(days), _) if days.iter().all(|day| day.of_month == 1) => months(&days, least),
        (Some(days), _) => short_steps(&days, least).or_else(|| months(&days, least)),
        (None, Some(numbers)) => multiples(&numbers, least),
        (None, None) => None,
    };
    by_meaning.unwrap_or_else(|| (0..labels.len()).step_by(round_step(least)).collect())
}

/// A day, as months since the year 0 and as a day of its month.
#[derive(Clone, Copy)]
struct Day {
    months: i64,
    of_month: u8,
}

impl Day {
    /// Reads a day like `2024-03-01`; `None` for any other text.
    fn read(label: &str) -> Option<Self> {
        let mut parts = label.splitn(3, '-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let is_day = (year.len(), month.len(), day.len()) == (4, 2, 2);
        let months = year.parse::<i64>().ok()? * 12 + month.parse::<i64>().ok()? - 1;
        is_day.then_some(Self { months, of_month: day.parse().ok()? })
    }
}

/// The first days of months at the smallest step at which they fit; `None` if there are not two of them at any step.
fn months(days: &[Day], least: usize) -> Option<Vec<usize>> {
    let at_step = |step: i64| {
        let begins = |day: &Day| day.of_month == 1 && day.months % step == 0;
        days.iter().enumerate().filter(|(_, day)| begins(day)).map(|(at, _)| at).collect::<Vec<_>>()
    };
    MONTHS.into_iter().map(at_step).find(|places| fits(places, least)).filter(|places| places.len() > 1)
}

/// Days that follow each other, at a step of days that is shorter than a month.
fn short_steps(days: &[Day], least: usize) -> Option<Vec<usize>> {
    let follows = |pair: &[Day]| {
        let (one, next) = (pair[0], pair[1]);
        (next.months == one.months && next.of_month == one.of_month + 1)
            || (next.months == one.months + 1 && next.of_month == 1 && one.of_month >= 28)
    };
    let step = DAYS.into_iter().find(|step| *step >= least)?;
    days.windows(2).all(follows).then(|| (0..days.len()).step_by(step).collect())
}

/// Whole numbers at multiples of a round step; `None` if they do not follow each other at equal distances, or if there are not two of them.
fn multiples(numbers: &[i64], least: usize) -> Option<Vec<usize>> {
    let distance = numbers.get(1)?.checked_sub(*numbers.first()?).filter(|distance| *distance > 0)?;
    let is_even = numbers.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(distance));
    let step = i64::try_from(round_step(least)).ok()?.checked_mul(distance)?;
    let is_round = |number: &i64| number % step == 0;
    let places: Vec<usize> =
        numbers.iter().enumerate().filter(|(_, number)| is_round(number)).map(|(at, _)| at).collect();
    (is_even && places.len() > 1).then_some(places)
}

/// Whether places are at least so far apart.
fn fits(places: &[usize], least: usize) -> bool {
    places.windows(2).all(|pair| pair[1].saturating_sub(pair[0]) >= least)
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least this.
fn round_step(least: usize) -> usize {
    let powers = (0..10).map(|power| 10_usize.pow(power));
    let steps = powers.flat_map(|power| [1, 2, 5].map(|factor| factor * power));
    steps.into_iter().find(|step| *step >= least).unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(texts: impl Iterator<Item = String>) -> Vec<String> {
        texts.collect()
    }

    /// Months from January of 2019 on, after leaving out the first so many.
    fn from_month(first: usize, count: usize) -> Vec<String> {
        labels((first..first + count).map(|at| format!("{}-{:02}-01", 2019 + at / 12, at % 12 + 1)))
    }

    fn shown(labels: &[String], across: f64) -> Vec<&str> {
        let gap = across / labels.len().saturating_sub(1).max(1) as f64;
        written(labels, gap).into_iter().map(|at| labels[at].as_str()).collect()
    }

    #[test]
    fn months_are_labelled_where_years_begin() {
        assert_eq!(shown(&from_month(0, 6), 600.0).len(), 6);
        assert_eq!(
            shown(&from_month(0, 24), 600.0),
            ["2019-01-01", "2019-07-01", "2020-01-01", "2020-07-01"],
            "where every fourth would fit, every sixth is written"
        );
        assert_eq!(
            shown(&from_month(2, 73), 600.0),
            ["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01", "2024-01-01", "2025-01-01"]
        );
        // Quarters and years are first days of months, too.
        let quarters = labels((0..12).map(|at| format!("{}-{:02}-01", 2020 + at / 4, at % 4 * 3 + 1)));
        assert_eq!(
            shown(&quarters, 560.0),
            ["2020-01-01", "2020-07-01", "2021-01-01", "2021-07-01", "2022-01-01", "2022-07-01"]
        );
        let years = labels((1990..2026).map(|year| format!("{year}-01-01")));
        assert_eq!(shown(&years, 600.0), ["1990-01-01", "2000-01-01", "2010-01-01", "2020-01-01"]);
    }

    #[test]
    fn texts_never_touch_and_something_is_written() {
        for count in 1..400 {
            for across in [300.0, 600.0] {
                let gap = across / f64::from(count).max(2.0);
                let days = labels((0..count).map(|at| format!("2024-{:02}-{:02}", at / 28 % 12 + 1, at % 28 + 1)));
                let numbers = labels((0..count).map(|at| (18 + at).to_string()));
                let words = labels((0..count).map(|at| format!("group {at}")));
                for labels in [from_month(5, count as usize), days, numbers, words] {
                    let wide = labels.iter().map(|label| width(label)).fold(0.0, f64::max);
                    let places = written(&labels, gap);
                    assert!(!places.is_empty(), "{count} at {gap}");
                    let near = places.windows(2).any(|pair| (pair[1] - pair[0]) as f64 * gap < wide);
                    assert!(!near, "{count} at {gap}: {places:?}");
                }
            }
        }
    }

    #[test]
    fn numbers_are_labelled_at_multiples_and_days_by_weeks() {
        let ages = labels((18..91).map(|age| age.to_string()));
        assert_eq!(
            shown(&ages, 600.0),
            ["20", "25", "30", "35", "40", "45", "50", "55", "60", "65", "70", "75", "80", "85", "90"]
        );
        let uneven = labels([1, 2, 4, 8].into_iter().map(|number: i32| number.to_string()));
        assert_eq!(shown(&uneven, 600.0).len(), 4);
        let days = labels((1..31).map(|day| format!("2024-06-{day:02}")));
        assert_eq!(shown(&days, 600.0), ["2024-06-01", "2024-06-08", "2024-06-15", "2024-06-22", "2024-06-29"]);
    }
}
