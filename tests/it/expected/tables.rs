//! The tables whose expected errors are compared with those shown.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal, Normal};

use crate::support::{policy, repository_file};

/// A table, with the questions that are asked of it.
pub struct Table {
    pub name: &'static str,
    pub policy: String,
    /// What a steward could state of its columns, in round numbers.
    pub stated: &'static [(&'static str, &'static str)],
    pub csv: String,
    /// Each a key and the question's outputs, by kind.
    pub keys: Vec<&'static str>,
    pub outputs: Vec<(&'static str, &'static str)>,
}

const DIAGNOSES: [(&str, f64, f64); 9] = [
    ("asthma", 8.0, 0.9),
    ("back pain", 12.0, 0.8),
    ("copd", 2.0, 1.6),
    ("depression", 9.0, 1.0),
    ("diabetes", 5.0, 1.2),
    ("hypertension", 9.0, 0.7),
    ("infection", 20.0, 0.8),
    ("injury", 14.0, 1.9),
    ("check-up", 20.0, 0.5),
];

/// Visits with the skews of the demo's clinic.
pub fn clinic() -> Table {
    let mut rng = StdRng::seed_from_u64(2020);
    let (cost, level) = (LogNormal::new(4.3, 0.8).expect("a law"), Normal::new(5.9, 0.9).expect("a law"));
    let mut csv = String::from("patient_id,region,diagnosis,smoker,age,cost,visited,emergency,hba1c\n");
    let total: f64 = DIAGNOSES.iter().map(|(_, weight, _)| weight).sum();
    for patient in 0..9_000 {
        let region = ["north", "east", "south", "west"][[0, 0, 1, 2, 2, 2, 3][patient % 7]];
        let age = (95.0 * rng.random::<f64>().powf(1.2)) as u32;
        for _ in 0..rng.random_range(1..7) {
            let mut left = rng.random::<f64>() * total;
            let (diagnosis, _, factor) = DIAGNOSES
                .iter()
                .find(|(_, weight, _)| {
                    left -= weight;
                    left <= 0.0
                })
                .unwrap_or(&DIAGNOSES[0]);
            let emergency = rng.random::<f64>() < 0.1;
            let cost = (cost.sample(&mut rng) * factor * 100.0).round() / 100.0;
            let level = (level.sample(&mut rng) * 10.0_f64).round() / 10.0;
            csv.push_str(&format!("p{patient},{region},{diagnosis},,{age},{cost},2024-01-01,{emergency},{level}\n"));
        }
    }
    Table {
        name: "visits",
        policy: clinic_policy(),
        stated: &[
            ("cost", "{ low = \"35\", middle = \"60\", high = \"115\", mean = \"95\", deviation = \"110\" }"),
            ("hba1c", "{ mean = \"5.9\", deviation = \"0.9\" }"),
            ("age", "{ low = \"18\", middle = \"40\", high = \"65\" }"),
        ],
        csv,
        keys: vec!["diagnosis", "region", "diagnosis, region"],
        outputs: vec![
            ("count", "COUNT(*)"),
            ("sum", "SUM(cost)"),
            ("mean", "AVG(cost)"),
            ("mean", "AVG(hba1c)"),
            ("mean", "AVG(age)"),
            ("share", "AVG(CASE WHEN cost > 100 THEN 1 ELSE 0 END)"),
            ("share", "COUNT(*) FILTER (WHERE emergency) / COUNT(*)"),
            ("median", "MEDIAN(cost)"),
            ("median", "MEDIAN(hba1c)"),
            ("deviation", "STDDEV_SAMP(cost)"),
            ("deviation", "STDDEV_SAMP(hba1c)"),
            ("correlation", "CORR(hba1c, age)"),
        ],
    }
}

/// The policy of the visits: that of the other tests, with more diagnoses and two more columns.
fn clinic_policy() -> String {
    let names: Vec<_> = DIAGNOSES.iter().map(|(name, ..)| format!("{name:?}")).collect();
    let budget =
        "accountant = \"gaussian\"\ncap = { epsilon = \"90\", delta = \"1e-9\" }\nmax_epsilon_per_query = \"40\"";
    let policy =
        policy(budget).replace("visits.csv", "source.csv").replace("max_rows_per_unit = 4", "max_rows_per_unit = 6");
    let policy = policy.replace("[\"asthma\", \"copd\", \"flu\"]\nnullable = true", &format!("[{}]", names.join(", ")));
    let level = "name = \"hba1c\"\ntype = \"decimal\"\nmin = \"3\"\nmax = \"18\"\nstep = \"0.1\"";
    let more = format!("[[column]]\nname = \"emergency\"\ntype = \"boolean\"\n[[column]]\n{level}\n");
    policy.replace("max = \"500\"", "max = \"2000\"") + &more
}

pub fn randhie() -> Table {
    let policy = repository_file("tests/data/randhie.toml").replace("randhie.csv", "source.csv");
    let policy = policy
        .replace("epsilon = \"8\"", "epsilon = \"90\"")
        .replace("max_epsilon_per_query = \"2\"", "max_epsilon_per_query = \"40\"");
    Table {
        name: "randhie",
        policy,
        stated: &[
            ("mdvis", "{ low = \"0\", middle = \"1\", high = \"4\", mean = \"2.9\", deviation = \"4.5\" }"),
            ("disea", "{ low = \"6.9\", middle = \"10.6\", high = \"13.7\", mean = \"11.2\", deviation = \"6.7\" }"),
            ("lpi", "{ mean = \"4.7\", deviation = \"2.7\" }"),
        ],
        csv: repository_file("tests/data/randhie.csv"),
        keys: vec!["idp", "hlthg", "hlthf", "idp, hlthg"],
        outputs: vec![
            ("count", "COUNT(*)"),
            ("sum", "SUM(mdvis)"),
            ("mean", "AVG(mdvis)"),
            ("mean", "AVG(disea)"),
            ("mean", "AVG(lpi)"),
            ("share", "AVG(CASE WHEN mdvis > 2 THEN 1 ELSE 0 END)"),
            ("share", "COUNT(*) FILTER (WHERE mdvis = 0) / COUNT(*)"),
            // Imputed values are repeated: half of the groups have their median at one of them.
            ("median of repeated values", "MEDIAN(disea)"),
            ("median", "MEDIAN(mdvis)"),
            ("deviation", "STDDEV_SAMP(ROUND(disea, 1))"),
            ("deviation", "STDDEV_SAMP(ROUND(lpi, 2))"),
            ("correlation", "CORR(ROUND(disea, 1), mdvis)"),
        ],
    }
}
