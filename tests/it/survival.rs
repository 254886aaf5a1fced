//! Coverage of the bands of survival curves: how often they contain the curve of the population that people were drawn from.

use dashu::integer::IBig;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tacit::kernel::privacy::accountant::Accountant;
use tacit::kernel::privacy::amounts::{Delta, Epsilon};
use tacit::kernel::privacy::certificate::{Accuracy, Subject, certify, prices};
use tacit::kernel::vault::noise::{NoiseSource, OpenDp};
use tacit::kernel::vault::release::NoisyVector;
use tacit::query::answer::{Cell, tabulate};
use tacit::query::computation::Measure;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::policy::Policy;

const PEOPLE: usize = 2_000;
/// Times at which people leave, from 1.
const TIMES: usize = 12;
/// Studies that are drawn, each with people and noise of its own.
const STUDIES: usize = 1_500;
/// Of those at risk at a time, the share that has the event then.
const HAZARD: f64 = 0.06;
/// Of those without an event at a time, the share that is not seen any more.
const LOSS: f64 = 0.04;

const SQL: &str = "SELECT time, KAPLAN_MEIER(COUNT(*) FILTER (WHERE died), COUNT(*)) OVER (ORDER BY time) AS alive, \
                   CUMULATIVE_INCIDENCE(COUNT(*) FILTER (WHERE died), COUNT(*)) OVER (ORDER BY time) AS dead \
                   FROM people GROUP BY time ORDER BY time";

fn policy(budget: &str) -> Policy {
    let text = format!(
        "[dataset]\nname = \"people\"\nsource = \"people.csv\"\nprivacy_unit = \"person\"\nmax_rows_per_unit = 1\nmax_rows = 100_000\n{budget}\n\
         [[column]]\nname = \"time\"\ntype = \"integer\"\nmin = \"1\"\nmax = \"{TIMES}\"\n\
         [[column]]\nname = \"died\"\ntype = \"boolean\"\n"
    );
    Policy::parse(&text).expect("a policy")
}

/// Events and exits at each time of one study; whoever is left leaves at the last time.
fn study(rng: &mut StdRng) -> [Vec<i64>; 2] {
    let (mut events, mut exits) = (vec![0; TIMES], vec![0; TIMES]);
    for _ in 0..PEOPLE {
        let mut at = 0;
        loop {
            let died = rng.random_bool(HAZARD);
            if died || at + 1 == TIMES || rng.random_bool(LOSS) {
                events[at] += i64::from(died);
                exits[at] += 1;
                break;
            }
            at += 1;
        }
    }
    [events, exits]
}

/// For the curve and for its complement, the share of bands that hold the truth, and the share of times without a band.
fn coverage(accountant: Accountant, budget: &str, epsilon: &str) -> [(f64, f64); 2] {
    let terms = policy(budget).terms;
    let plan = parse(SQL).and_then(|query| plan(&query, &terms, None)).expect("a plan");
    // Whoever leaves is counted by rows, whoever has an event under a condition.
    let of_exits: Vec<bool> = plan.computation.measures.iter().map(|measure| *measure == Measure::Rows).collect();
    assert_eq!(of_exits.iter().filter(|is_exits| **is_exits).count(), 1, "{:?}", plan.computation.measures);
    assert_eq!(of_exits.len(), 2, "{:?}", plan.computation.measures);
    let accuracy = Accuracy::Epsilon(Epsilon::parse(epsilon).expect("ε"));
    let subject = Subject { dataset: "people".into(), edition: "ed".into() };
    let shares = prices(accountant, &plan.sought, &accuracy);
    let certificate = certify(accountant, subject, &plan.sought, &shares).expect("a certificate");
    let mut rng = StdRng::seed_from_u64(12);
    let (mut held, mut shown, mut all) = ([0_u32; 2], [0_u32; 2], 0_u32);
    for _ in 0..STUDIES {
        let [events, exits] = study(&mut rng);
        let vectors: Vec<NoisyVector> = (certificate.measurements().iter().zip(&of_exits))
            .map(|(one, is_exits)| {
                let exact = if *is_exits { &exits } else { &events };
                let noise = OpenDp.draw(&one.law, TIMES).expect("noise");
                let noisy = |(exact, noise): (&i64, IBig)| (IBig::from(*exact) << one.law.fine_bits as usize) + noise;
                let cells = exact.iter().zip(noise).map(noisy).collect();
                NoisyVector { law: one.law, price: one.price, cells }
            })
            .collect();
        let table = tabulate(&plan.layout, &vectors);
        assert_eq!(table.rows.len(), TIMES);
        let mut alive = 1.0;
        for row in &table.rows {
            let number = |cell: &Cell| cell.text().and_then(|text| text.parse::<f64>().ok());
            alive *= 1.0 - HAZARD;
            all += 1;
            // Of each output come the value, both ends, and the standard error.
            for (output, (first, truth)) in [(1, alive), (5, 1.0 - alive)].into_iter().enumerate() {
                let (Some(low), Some(high)) = (number(&row[first + 1]), number(&row[first + 2])) else { continue };
                shown[output] += 1;
                held[output] += u32::from(low <= truth && truth <= high);
            }
        }
    }
    [0, 1].map(|output| {
        let share = f64::from(held[output]) / f64::from(shown[output]);
        (share, 1.0 - f64::from(shown[output]) / f64::from(all))
    })
}

#[test]
fn bands_of_survival_hold_the_curve_of_the_population_as_often_as_they_claim() {
    let gaussian = Accountant::Gaussian { delta: Delta::parse("1e-9").expect("δ") };
    let budgets = [
        (gaussian, "accountant = \"gaussian\"\ncap = { epsilon = \"10\", delta = \"1e-9\" }", ["5", "0.5", "0.2"]),
        (Accountant::Pure, "accountant = \"pure\"\ncap = { epsilon = \"10\" }", ["2", "0.2", "0.1"]),
    ];
    for (accountant, budget, epsilons) in budgets {
        for epsilon in epsilons {
            for (output, (share, missing)) in ["alive", "dead"].into_iter().zip(coverage(accountant, budget, epsilon)) {
                println!(
                    "{output} {} at {epsilon}: {share:.3} of bands hold the truth, {missing:.3} have none",
                    accountant.name()
                );
                // 18,000 bands, which are correlated within a study: a share of 95 % does not leave this range by chance.
                assert!((0.925..=0.975).contains(&share), "{output} at {epsilon}: {share}");
                assert!(missing < 0.1, "{output} at {epsilon}: {missing}");
            }
        }
    }
}
