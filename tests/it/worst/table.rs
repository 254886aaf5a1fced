//! A dataset with long lists and many columns, and queries about it that make a planner do the most work per byte.
//!
//! [`policy`] and [`csv`] make the dataset, [`questions`] the queries. The module depends on nothing else, so that benches can ask the
//! same.

#[path = "texts.rs"]
pub mod texts;

use tacit::query::parse::TEXT_BYTES_MAX;

/// Number of values of a long category: as many as a policy allows.
pub const VALUES: usize = 10_000;
/// Number of columns of each numeric kind.
pub const NUMBERS: usize = 120;
/// Number of categories with two values.
pub const SMALL: usize = 8;

/// The policy of a dataset `visits` over `visits.csv`; `budget` holds the lines of accountant, cap and query limit.
pub fn policy(budget: &str) -> String {
    let list = |name: &str, more: &str, label: &dyn Fn(usize) -> String, count: usize| {
        let labels: Vec<String> = (0..count).map(|at| format!("\"{}\"", label(at))).collect();
        format!("[[column]]\nname = \"{name}\"\ntype = \"category\"\n{more}values = [{}]\n", labels.join(","))
    };
    let mut text = format!(
        "[dataset]\nname = \"visits\"\nsource = \"visits.csv\"\nprivacy_unit = \"patient_id\"\n\
         max_rows_per_unit = 4\nmax_rows = 1_000_000\n{budget}\n"
    );
    for name in ["code", "other", "third"] {
        text.push_str(&list(name, "nullable = true\n", &value, VALUES));
    }
    text.push_str(&list("place", "", &place, 2_000));
    text.push_str(&list("fixed", "per_unit = true\n", &|at| format!("f{at:03}"), 300));
    text.push_str(&list("half", "", &|at| format!("h{at:03}"), 300));
    for at in 0..SMALL {
        text.push_str(&list(&format!("s{at}"), "", &|at| format!("s{at}"), 2));
    }
    text.push_str("[[column]]\nname = \"flag\"\ntype = \"boolean\"\nnullable = true\n");
    text.push_str("[[column]]\nname = \"day\"\ntype = \"date\"\nmin = 2020-01-01\nmax = 2025-12-31\n");
    for at in 0..NUMBERS {
        text.push_str(&format!(
            "[[column]]\nname = \"{}\"\ntype = \"decimal\"\nmin = \"0\"\nmax = \"{}\"\nstep = \"0.01\"\nnullable = true\n",
            number(at),
            1_000 + at
        ));
    }
    text
}

/// The dataset's source: rows of a few people.
pub fn csv() -> String {
    let numbers: Vec<String> = (0..NUMBERS).map(number).collect();
    let small: Vec<String> = (0..SMALL).map(|at| format!("s{at}")).collect();
    let mut text =
        format!("patient_id,code,other,third,place,fixed,half,flag,day,{},{}\n", small.join(","), numbers.join(","));
    for patient in 0..20 {
        let values: Vec<String> = (0..NUMBERS).map(|at| ((patient * 37 + at) % 900).to_string()).collect();
        text.push_str(&format!(
            "p{patient},{},{},{},{},f{:03},h{:03},true,2023-03-0{},{},{}\n",
            value(patient),
            value(patient * 7),
            value(patient * 31),
            place(patient),
            patient,
            patient * 2,
            1 + patient % 9,
            vec![format!("s{}", patient % 2); SMALL].join(","),
            values.join(",")
        ));
    }
    text
}

fn value(at: usize) -> String {
    format!("v{at:04}")
}

fn place(at: usize) -> String {
    format!("a place with a long name of which there are many others like number {at:04} here")
}

fn number(at: usize) -> String {
    format!("n{at}")
}

/// The queries, each within the size limit of a query.
pub fn questions() -> Vec<String> {
    let all = texts::all();
    for sql in &all {
        assert!(sql.len() <= TEXT_BYTES_MAX, "{} bytes: {}", sql.len(), sql.chars().take(80).collect::<String>());
    }
    all
}
