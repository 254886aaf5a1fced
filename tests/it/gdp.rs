//! The exact conversion against reference values; `tests/data/gdp/README.md` says how they were computed.

use std::str::FromStr;

use dashu::base::Abs;
use dashu::rational::RBig;
use proptest::prelude::*;
use tacit::kernel::privacy::accountant::Accountant;
use tacit::kernel::privacy::amounts::{Delta, Epsilon, Price};
use tacit::kernel::privacy::gdp;

use crate::support::repository_file;

fn records(file: &str) -> Vec<Vec<String>> {
    let text = repository_file(&format!("tests/data/gdp/{file}"));
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Converts a decimal number, with or without an exponent, to an exact fraction.
fn fraction(text: &str) -> RBig {
    let decimal = dashu::float::DBig::from_str(text).unwrap_or_else(|_| panic!("{text} is no decimal"));
    RBig::try_from(decimal).expect("a finite decimal")
}

fn check_deltas(file: &str, digits: i32, rows_min: usize) {
    let records = records(file);
    assert!(records.len() >= rows_min, "{} rows in {file}", records.len());
    for record in records {
        let epsilon = Epsilon::parse(&record[0]).expect("an epsilon");
        let precision = Price::from_quanta(record[1].parse().expect("units"));
        let (ours, reference) = (fraction(&gdp::delta_text(epsilon, precision)), fraction(&record[2]));
        // The tolerance is relative to the reference's digits, plus an absolute one of about the evaluation's 2⁻¹⁸⁰.
        let near = &reference * fraction(&format!("1e-{digits}")) + fraction("1e-53");
        let apart = (ours - &reference).abs();
        assert!(apart < near, "δ at {record:?}");
    }
}

#[test]
fn deltas_agree_with_sixty_digit_references() {
    check_deltas("delta_grid.csv", 40, 30);
}

#[test]
fn deltas_agree_with_twelve_values_by_quadrature() {
    check_deltas("twelve.csv", 23, 12);
}

#[test]
fn caps_agree_with_references_to_the_unit() {
    let records = records("caps.csv");
    assert!(records.len() >= 40);
    for record in records {
        let (epsilon, delta) = (Epsilon::parse(&record[0]).expect("ε"), Delta::parse(&record[1]).expect("δ"));
        let reference: u64 = record[2].parse().expect("units");
        assert_eq!(gdp::cap(epsilon, delta).quanta(), reference, "{record:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// The largest price of a query never exceeds the exact cap for its ε, and is less than 1e-8 below it.
    #[test]
    fn prices_stay_below_exact_caps(nanos in 1_000..20_000_000_000_u64, power in 3..18_i32) {
        let delta = Delta::parse(&format!("1e-{power}")).expect("δ");
        let (accountant, epsilon) = (Accountant::Gaussian { delta }, Epsilon::from_nanos(nanos));
        let (price, cap) = (accountant.price(epsilon).quanta(), accountant.cap(epsilon).quanta());
        prop_assert!(price <= cap, "{price} > {cap}");
        prop_assert!((cap - price) as f64 <= 1e-8 * cap as f64 + 3.0, "{price} is far below {cap}");
    }

    /// The amount shown as remaining can be spent, and the amount shown as spent covers what was spent.
    #[test]
    fn shown_amounts_are_on_the_safe_side(units in 1..10_000_000_000_000_000_u64, power in 3..18_i32) {
        let accountant = Accountant::Gaussian { delta: Delta::parse(&format!("1e-{power}")).expect("δ") };
        let amount = Price::from_quanta(units);
        let (within, spent) = (accountant.epsilon_within(amount), accountant.epsilon_spent(amount));
        prop_assert!(within.nanos() == 0 || accountant.price(within) <= amount);
        prop_assert!(accountant.price(spent) >= amount);
        prop_assert!(within <= spent);
    }
}
