//! Coverage of the intervals: 95 % is claimed, and at least 93 % is required for means of groups of 100 and more.

use dashu::integer::IBig;
use tacit::kernel::privacy::accountant::Accountant;
use tacit::kernel::privacy::amounts::{Delta, Epsilon};
use tacit::kernel::privacy::certificate::{Accuracy, MeasurementSpec, Subject, certify, prices};
use tacit::kernel::privacy::extent::Extent;
use tacit::kernel::privacy::sensitivity::{Aggregation, Sensitivity};
use tacit::kernel::vault::noise::{NoiseSource, OpenDp};
use tacit::kernel::vault::release::{NoisyVector, Release};
use tacit::query::answer::{Cell, Label, Layout, Limit, Output, OutputValue, ShownGroups, tabulate};
use tacit::query::terms::domain::Grid;

const GROUPS: usize = 4_000;

fn grid() -> Grid {
    Grid::new(true, 0, 100_000_000_000, 1_000_000_000).expect("a grid")
}

/// Shares of groups whose interval contains the true value: for the count, the sum and the mean.
fn coverage(accountant: Accountant, epsilon: &str, people: i64, mean: i64) -> [f64; 3] {
    let grid = grid();
    let sought = [Aggregation::Count, Aggregation::Sum { radius: grid.radius() }].map(|statistic| MeasurementSpec {
        sensitivity: Sensitivity::of(statistic, 1).expect("bounded"),
        cells: GROUPS as u64,
        extent: Extent::of(statistic, 1 << 32).expect("bounded"),
    });
    let subject = Subject { dataset: "t".into(), edition: "ed".into() };
    let accuracy = Accuracy::Epsilon(Epsilon::parse(epsilon).expect("ε"));
    let certificate =
        certify(accountant, subject.clone(), &sought, &prices(accountant, &sought, &accuracy)).expect("a certificate");
    let exact = [people, people * (mean - grid.centre())];
    let measurements = certificate.measurements().iter().zip(exact).map(|(one, exact)| NoisyVector {
        law: one.law,
        price: one.price,
        cells: OpenDp
            .draw(&one.law, GROUPS)
            .expect("noise")
            .into_iter()
            .map(|noise| (IBig::from(exact) << one.law.fine_bits as usize) + noise)
            .collect(),
    });
    let release = Release {
        v: 1,
        id: "rel_test".into(),
        subject,
        mechanism: certificate.mechanism(),
        measurements: measurements.collect(),
        price: certificate.price(),
        groups: None,
    };
    let output = |name: &str, value| Output { name: name.into(), value };
    let layout = Layout {
        keys: vec![(0..GROUPS).map(|group| Label::Text(group.to_string())).collect()],
        outputs: vec![
            output("n", OutputValue::Count { count: 0 }),
            output("s", OutputValue::Sum { sum: 1, count: Some(0), grid }),
            output("m", OutputValue::Mean { sum: 1, count: 0, grid }),
        ],
        sets: None,
        shown: ShownGroups::default(),
        small: None,
        order: vec![],
        limit: Limit::All,
        arms: vec![],
    };
    let table = tabulate(&layout, &release.measurements);
    let value = |cell: &Cell| cell.text().expect("a value").parse::<f64>().expect("a number");
    [(1, people), (4, people * mean), (7, mean)].map(|(low, truth)| {
        let holds = |row: &&Vec<Cell>| value(&row[low]) <= truth as f64 && truth as f64 <= value(&row[low + 1]);
        table.rows.iter().filter(holds).count() as f64 / GROUPS as f64
    })
}

#[test]
fn intervals_cover_as_often_as_they_claim() {
    let gaussian = Accountant::Gaussian { delta: Delta::parse("1e-6").expect("δ") };
    for (accountant, epsilon, people, mean) in [
        (gaussian, "1", 100, 30),
        (gaussian, "1", 100, 97),
        (gaussian, "0.3", 100, 50),
        (gaussian, "0.1", 1_000, 20),
        (gaussian, "2", 10_000, 1),
        (Accountant::Pure, "0.5", 100, 30),
        (Accountant::Pure, "0.05", 1_000, 80),
    ] {
        let [count, sum, mean_coverage] = coverage(accountant, epsilon, people, mean);
        println!(
            "{} at {epsilon}, groups of {people}: count {count}, sum {sum}, mean {mean_coverage}",
            accountant.name()
        );
        // Four standard errors of a share of 4,000 are 1.4 %, so a coverage of 95 % does not fall below 93 % by chance.
        assert!(count >= 0.93 && sum >= 0.93 && mean_coverage >= 0.93, "{count} {sum} {mean_coverage}");
        assert!(sum <= 0.975, "the interval of a sum is too wide: {sum}");
    }
}
