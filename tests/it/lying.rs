//! A lying worker: values that no table within its policy can have are never released, and cost as much as any failure.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tacit::engine::{Engine, EngineFault};
use tacit::kernel::vault::noise::OpenDp;
use tacit::kernel::vault::private::{Exact, Private};
use tacit::query::computation::Computation;

use crate::support::{GAUSSIAN, Lab, block_on, policy, visits};

/// Number of rows that the policy declares.
const ROWS: i64 = 1_000_000;
/// Radius of ages from 0 to 110, about 55.
const RADIUS: i64 = 55;

/// Engine that answers with whatever vectors it was given.
#[derive(Default)]
struct Liar {
    vectors: Mutex<Vec<Vec<i64>>>,
    labels: Mutex<Option<Vec<Option<String>>>>,
}

impl Engine for Liar {
    fn evaluate(&self, _: &str, _: &Computation) -> Result<Private<Exact>, EngineFault> {
        let (vectors, labels) =
            (self.vectors.lock().expect("a lie").clone(), self.labels.lock().expect("a lie").clone());
        Ok(Private::new(Exact { vectors, labels }))
    }

    fn is_ready(&self, _: &str) -> bool {
        true
    }
}

struct Court {
    lab: Lab,
    liar: Arc<Liar>,
    asked: u32,
}

impl Court {
    fn over(policy: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("visits.csv"), visits(20)).expect("a source");
        let liar = Arc::new(Liar::default());
        let engine = Arc::clone(&liar);
        let lab = Lab::wrapped(dir, policy, Arc::new(OpenDp), "4", |_| engine);
        Self { lab, liar, asked: 0 }
    }

    /// Asks a new variant of `sql`, which the worker answers with these vectors.
    async fn ask(&mut self, sql: &str, vectors: &[Vec<i64>]) -> (StatusCode, String) {
        *self.liar.vectors.lock().expect("a lie") = vectors.to_vec();
        self.asked += 1;
        let sql = format!("{sql} WHERE cost < {}", 100 + self.asked);
        // A question's keys follow its condition.
        let (sql, by) = sql.split_once(" GROUP BY ").map_or((sql.clone(), String::new()), |(head, tail)| {
            let (keys, condition) = tail.split_once(" WHERE ").expect("a condition");
            (format!("{head} WHERE {condition}"), format!(" GROUP BY {keys}"))
        });
        let reply = self.lab.sql(&format!("{sql}{by}"), "0.001").await;
        (reply.status, reply.code())
    }

    async fn spent(&self) -> String {
        let all = self.lab.get("/v1/accounts", &self.lab.steward).await.json();
        let of = |one: &&Value| one["kind"] == "dataset";
        all.as_array().expect("accounts").iter().find(of).expect("the dataset")["fraction_spent"].to_string()
    }

    async fn pardon(&self) {
        let reply = self.lab.act("/v1/datasets/visits/unfreeze", &json!({"reason": "the worker was looked at"})).await;
        assert_eq!(reply.status, StatusCode::OK);
    }
}

/// A question, with the vectors of tables at the declared capacity whose rows all lie at one end, and with vectors that go one step
/// further.
type Case = (&'static str, Vec<Vec<Vec<i64>>>, Vec<Vec<Vec<i64>>>);

fn cases() -> Vec<Case> {
    let four = |first: i64, second: i64| vec![first, second, 0, 0];
    let sums = |sum: Vec<i64>| vec![vec![ROWS], sum];
    vec![
        (
            "SELECT COUNT(*) AS n FROM visits",
            vec![vec![vec![0]], vec![vec![ROWS]]],
            vec![vec![vec![-1]], vec![vec![ROWS + 1]], vec![vec![i64::MAX]], vec![vec![i64::MIN]], vec![vec![1 << 50]]],
        ),
        (
            "SELECT region, COUNT(*) AS n FROM visits GROUP BY region",
            vec![vec![four(ROWS, 0)], vec![four(ROWS - 7, 7)]],
            vec![vec![four(ROWS, 1)], vec![four(ROWS + 1, -1)], vec![four(i64::MAX, i64::MAX)]],
        ),
        (
            "SELECT region, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY region",
            vec![vec![four(ROWS / 2, ROWS / 2)]],
            vec![vec![four(ROWS / 2, ROWS / 2 + 1)], vec![four(-3, 3)]],
        ),
        (
            "SELECT SUM(age) AS s FROM visits",
            vec![sums(vec![ROWS * RADIUS]), sums(vec![-ROWS * RADIUS])],
            vec![sums(vec![ROWS * RADIUS + 1]), sums(vec![-ROWS * RADIUS - 1]), sums(vec![i64::MIN])],
        ),
        (
            "SELECT MEDIAN(CASE WHEN smoker THEN 1 ELSE 0 END) AS m FROM visits",
            vec![vec![vec![ROWS, 0]], vec![vec![1, ROWS - 1]]],
            vec![vec![vec![ROWS, 1]], vec![vec![-1, 2]]],
        ),
        (
            "SELECT EXTRACT(YEAR FROM visited) AS y, SUM(COUNT(*)) OVER (ORDER BY EXTRACT(YEAR FROM visited)) AS r \
             FROM visits GROUP BY EXTRACT(YEAR FROM visited)",
            vec![vec![vec![ROWS << 20, ROWS << 19, 0, 0, 0, 0]]],
            vec![vec![vec![(ROWS << 20) + 1, 0, 0, 0, 0, 0]], vec![vec![ROWS << 20; 6]], vec![vec![-1, 0, 0, 0, 0, 0]]],
        ),
        (
            "SELECT COUNT(*) AS n FROM visits GROUP BY GROUPING SETS ((region), (smoker))",
            vec![vec![vec![0, ROWS, 0, 0], vec![ROWS, 0, 0]]],
            vec![vec![vec![0, ROWS, 0, 0], vec![ROWS, 0, 1]]],
        ),
    ]
}

#[test]
fn what_no_table_can_have_is_burnt_and_all_else_is_believed() {
    block_on(async {
        let mut court = Court::over(&policy(GAUSSIAN));
        for (sql, honest, lies) in cases() {
            for vectors in honest {
                let (status, code) = court.ask(sql, &vectors).await;
                assert_eq!(status, StatusCode::OK, "{sql}: {vectors:?}: {code}");
            }
            for vectors in lies {
                let before = court.spent().await;
                let (status, code) = court.ask(sql, &vectors).await;
                let wanted = (StatusCode::INTERNAL_SERVER_ERROR, "unanswered".to_owned());
                assert_eq!((status, code), wanted, "{sql}: {vectors:?}");
                assert_ne!(court.spent().await, before, "the charge stands: {sql}");
                court.pardon().await;
            }
        }
        court.lab.verified();
    });
}

#[test]
fn the_third_lie_freezes_the_dataset() {
    block_on(async {
        let mut court = Court::over(&policy(GAUSSIAN));
        let count = "SELECT COUNT(*) AS n FROM visits";
        for lie in [-1, ROWS + 1, i64::MAX] {
            assert_eq!(court.ask(count, &[vec![lie]]).await.1, "unanswered");
        }
        let head = court.lab.head();
        assert_eq!(court.ask(count, &[vec![7]]).await, (StatusCode::FORBIDDEN, "frozen".to_owned()));
        assert_eq!(court.lab.head(), head, "nothing is charged any more");
        court.pardon().await;
        assert_eq!(court.ask(count, &[vec![7]]).await.0, StatusCode::OK);
    });
}

/// Groups without a public list must be distinct and in the order of their texts.
#[test]
fn groups_that_are_found_stand_once_and_in_order() {
    block_on(async {
        let text = "[[column]]\nname = \"diagnosis\"\ntype = \"text\"\nmax_values = 10\nnullable = true\n";
        let listed = "[[column]]\nname = \"diagnosis\"\ntype = \"category\"\nvalues = [\"asthma\", \"copd\", \"flu\"]\nnullable = true\n";
        let policy = policy(&format!("{GAUSSIAN}\nthreshold_delta = \"1e-10\""));
        assert!(policy.contains(listed));
        let mut court = Court::over(&policy.replace(listed, text));
        let sql = "SELECT diagnosis, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY diagnosis";
        let label = |text: &str| Some(text.to_owned());
        for (labels, is_honest) in [
            (vec![None, label("a"), label("b")], true),
            (vec![label("a"), label("a"), label("b")], false),
            (vec![label("b"), label("a"), label("c")], false),
            (vec![label("a"), label("b"), None], false),
        ] {
            *court.liar.labels.lock().expect("a lie") = Some(labels.clone());
            let (status, _) = court.ask(sql, &[vec![3, 2, 1]]).await;
            assert_eq!(status == StatusCode::OK, is_honest, "{labels:?}");
            if !is_honest {
                court.pardon().await;
            }
        }
    });
}

/// A table with as many rows as declared, all at the ends of their ranges: the largest vectors of an honest worker are accepted.
#[test]
fn a_table_at_its_capacity_is_answered() {
    const UNITS: usize = 9;
    let mut csv = String::from("patient_id,region,diagnosis,smoker,age,cost,visited\n");
    for unit in 0..UNITS {
        for _ in 0..4 {
            csv.push_str(&format!("p{unit},north,flu,true,9999,-7,2099-01-01\n"));
        }
    }
    let capacity = format!("max_rows = {}", UNITS * 4);
    block_on(async {
        let lab = Lab::new(&policy(GAUSSIAN).replace("max_rows = 1_000_000", &capacity), &csv, Arc::new(OpenDp), "4");
        for sql in [
            "SELECT region, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS d, SUM(age) AS s, AVG(cost) AS a FROM visits GROUP BY region",
            "SELECT MEDIAN(age) AS m, VAR_SAMP(cost) AS v, CORR(age, cost) AS c FROM visits",
            "SELECT SUM(age * 100 - cost) AS s, SUM(CASE WHEN smoker THEN -500 ELSE 9 END) AS k FROM visits",
            "SELECT visited, SUM(COUNT(*)) OVER (ORDER BY visited) AS r FROM visits WHERE visited >= DATE '2025-12-01' GROUP BY visited",
            "SELECT COUNT(*) AS n, AVG(age) AS a, COUNT(DISTINCT patient_id) AS d FROM visits GROUP BY CUBE (region, diagnosis, smoker)",
            "SELECT COUNT(*) AS n, SUM(s) AS t, AVG(m) AS a FROM \
             (SELECT patient_id, SUM(age) AS s, AVG(cost) AS m FROM visits GROUP BY patient_id) AS u",
        ] {
            let reply = lab.sql(sql, "0.05").await;
            assert_eq!(reply.status, StatusCode::OK, "{sql}: {}", String::from_utf8_lossy(&reply.bytes));
        }
        lab.verified();
    });
}
