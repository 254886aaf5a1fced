//! The eighteen questions, each in SQL for Tacit and as a lazy query for plain polars.
//!
//! Each has a constant of its own in `WHERE`, another one each time it is asked, so that no stored answer is used. Plain polars is asked
//! with the same constant. Where polars lacks a feature in this build (`temporal`, `cov`), its query does the same work by other means.

use polars::prelude::*;

use super::table::Plain;

/// A question in both languages.
#[derive(Debug)]
pub struct Question {
    /// The name by which it is asked alone.
    pub key: &'static str,
    /// What it asks, for the table.
    pub what: &'static str,
    /// The columns of the table that plain polars reads.
    pub columns: &'static [&'static str],
    /// Whether it joins the table of patients.
    pub is_joined: bool,
    /// The outputs, with `FROM`, and what follows `WHERE cost >= constant`.
    sql: (&'static str, &'static str),
    plain: fn(&Plain, LazyFrame) -> LazyFrame,
}

impl Question {
    /// The SQL with a constant, in hundredths.
    pub fn sql(&self, constant: u64) -> String {
        let (select, rest) = self.sql;
        format!("{select} WHERE cost >= {}.{:02} {rest}", constant / 100, constant % 100)
    }

    /// The query of plain polars with a constant, in hundredths.
    pub fn plain(&self, plain: &Plain, constant: u64) -> LazyFrame {
        let kept = plain.visits.clone().lazy().filter(col("cost").gt_eq(lit(constant as f64 / 100.0)));
        (self.plain)(plain, kept)
    }
}

/// The question of this name.
pub fn named(key: &str) -> Option<&'static Question> {
    ALL.iter().find(|question| question.key == key)
}

pub const ALL: [Question; 18] = [
    Question {
        key: "filter",
        what: "count and mean by 9 diagnoses, with a filter",
        columns: &["diagnosis", "age", "cost"],
        is_joined: false,
        sql: ("SELECT diagnosis, COUNT(*) AS n, AVG(cost) AS mean FROM visits", "AND age >= 40 GROUP BY diagnosis"),
        plain: |_, kept| {
            kept.filter(col("age").gt_eq(lit(40))).group_by([col("diagnosis")]).agg([n(), col("cost").mean()])
        },
    },
    Question {
        key: "two-keys",
        what: "count and mean by two keys, in a range of dates",
        columns: &["region", "sex", "visited", "cost"],
        is_joined: false,
        sql: (
            "SELECT region, sex, COUNT(*) AS n, AVG(cost) AS mean FROM visits",
            "AND visited BETWEEN DATE '2022-01-01' AND DATE '2024-12-31' GROUP BY region, sex",
        ),
        plain: |_, kept| {
            let kept = kept.filter(col("visited").gt_eq(day(18_993)).and(col("visited").lt_eq(day(20_088))));
            kept.group_by([col("region"), col("sex")]).agg([n(), col("cost").mean()])
        },
    },
    Question {
        key: "people",
        what: "distinct people by 4 regions",
        columns: &["region", "patient_id", "cost"],
        is_joined: false,
        sql: ("SELECT region, COUNT(DISTINCT patient_id) AS people FROM visits", "GROUP BY region"),
        plain: |_, kept| kept.group_by([col("region")]).agg([col("patient_id").n_unique()]),
    },
    Question {
        key: "months",
        what: "count by 72 months",
        columns: &["visited", "cost"],
        is_joined: false,
        sql: ("SELECT DATE_TRUNC('month', visited) AS month, COUNT(*) AS n FROM visits", "GROUP BY month"),
        plain: |_, kept| kept.group_by([month()]).agg([n()]),
    },
    Question {
        key: "bands",
        what: "count and mean by 3 bands of age",
        columns: &["age", "cost"],
        is_joined: false,
        sql: (
            "SELECT CASE WHEN age < 18 THEN 'minor' WHEN age < 65 THEN 'adult' ELSE 'senior' END AS band, \
             COUNT(*) AS n, AVG(cost) AS mean FROM visits",
            "GROUP BY band",
        ),
        plain: |plain, kept| {
            let label = |text: &str, code: u32| match plain.form {
                super::table::Form::Text => lit(text.to_owned()),
                super::table::Form::Codes => lit(code),
            };
            let band = when(col("age").lt(lit(18))).then(label("minor", 0));
            let band = band.when(col("age").lt(lit(65))).then(label("adult", 1)).otherwise(label("senior", 2));
            kept.group_by([band.alias("band")]).agg([n(), col("cost").mean()])
        },
    },
    Question {
        key: "count",
        what: "a bare count",
        columns: &["cost"],
        is_joined: false,
        sql: ("SELECT COUNT(*) AS n FROM visits", ""),
        plain: |_, kept| kept.select([n()]),
    },
    Question {
        key: "median",
        what: "a median",
        columns: &["cost"],
        is_joined: false,
        sql: ("SELECT MEDIAN(cost) AS median FROM visits", ""),
        plain: |_, kept| kept.select([col("cost").median()]),
    },
    Question {
        key: "sums",
        what: "means of sums and counts per person",
        columns: &["patient_id", "cost"],
        is_joined: false,
        sql: (
            "SELECT AVG(total) AS total, AVG(n) AS n FROM \
             (SELECT patient_id, SUM(cost) AS total, COUNT(*) AS n FROM visits",
            "GROUP BY patient_id) AS p",
        ),
        plain: |_, kept| {
            let persons = kept.group_by([col("patient_id")]).agg([col("cost").sum(), n()]);
            persons.select([col("cost").mean(), col("n").mean()])
        },
    },
    Question {
        key: "filters",
        what: "ten outputs with a FILTER each, by 9 diagnoses",
        columns: &["diagnosis", "emergency", "sex", "age", "hba1c", "cost"],
        is_joined: false,
        sql: (
            "SELECT diagnosis, COUNT(*) FILTER (WHERE emergency) AS a, COUNT(*) FILTER (WHERE age >= 65) AS b, \
             COUNT(*) FILTER (WHERE sex = 'female') AS c, COUNT(*) FILTER (WHERE hba1c > 7) AS d, \
             COUNT(*) FILTER (WHERE cost > 2000 AND emergency) AS e, AVG(cost) FILTER (WHERE emergency) AS f, \
             AVG(cost) FILTER (WHERE age >= 65) AS g, AVG(cost) FILTER (WHERE sex = 'female') AS h, \
             AVG(age) FILTER (WHERE hba1c > 7) AS i, AVG(hba1c) FILTER (WHERE age < 18) AS j FROM visits",
            "GROUP BY diagnosis",
        ),
        plain: |plain, kept| {
            let (emergency, old, high) = (col("emergency"), col("age").gt_eq(lit(65)), col("hba1c").gt(lit(7.0)));
            let female = col("sex").eq(plain.form.literal("sex", "female"));
            let dear = col("cost").gt(lit(2_000.0)).and(emergency.clone());
            let counts = [&emergency, &old, &female, &high, &dear].map(|one| one.clone().sum());
            let means = [("cost", emergency), ("cost", old), ("cost", female), ("age", high)];
            let means = means.into_iter().chain([("hba1c", col("age").lt(lit(18)))]);
            let means = means.map(|(of, one)| col(of).filter(one).mean());
            let outputs = counts.into_iter().chain(means).zip('a'..);
            let outputs: Vec<_> = outputs.map(|(output, name)| output.alias(name.to_string())).collect();
            kept.group_by([col("diagnosis")]).agg(outputs)
        },
    },
    Question {
        key: "rollup",
        what: "ROLLUP of three keys (plain polars: one group-by of the three)",
        columns: &["region", "sex", "diagnosis", "cost"],
        is_joined: false,
        sql: (
            "SELECT region, sex, diagnosis, COUNT(*) AS n, SUM(cost) AS sum FROM visits",
            "GROUP BY ROLLUP (region, sex, diagnosis)",
        ),
        plain: |_, kept| kept.group_by([col("region"), col("sex"), col("diagnosis")]).agg([n(), col("cost").sum()]),
    },
    Question {
        key: "days",
        what: "count and sum by 2,192 days",
        columns: &["visited", "cost"],
        is_joined: false,
        sql: ("SELECT visited, COUNT(*) AS n, SUM(cost) AS sum FROM visits", "GROUP BY visited"),
        plain: |_, kept| kept.group_by([col("visited")]).agg([n(), col("cost").sum()]),
    },
    Question {
        key: "percentiles",
        what: "three percentiles of each of three columns",
        columns: &["age", "hba1c", "cost"],
        is_joined: false,
        sql: (
            "SELECT PERCENTILE_CONT(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY cost) AS cost, \
             PERCENTILE_CONT(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY age) AS age, \
             PERCENTILE_CONT(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY hba1c) AS hba1c FROM visits",
            "",
        ),
        plain: |_, kept| {
            let of =
                |name: &str, q: f64| col(name).quantile(lit(q), QuantileMethod::Linear).alias(format!("{name} {q}"));
            let each = ["cost", "age", "hba1c"].into_iter().flat_map(|name| [0.25, 0.5, 0.75].map(|q| of(name, q)));
            kept.select(each.collect::<Vec<_>>())
        },
    },
    Question {
        key: "regression",
        what: "slope and intercept of a regression, by sex",
        columns: &["sex", "age", "hba1c", "cost"],
        is_joined: false,
        sql: (
            "SELECT sex, REGR_SLOPE(hba1c, age) AS slope, REGR_INTERCEPT(hba1c, age) AS start FROM visits",
            "GROUP BY sex",
        ),
        plain: |_, kept| {
            let (x, y) = (col("age").cast(DataType::Float64), col("hba1c"));
            let sums = [
                n(),
                x.clone().sum().alias("x"),
                y.clone().sum().alias("y"),
                (x.clone() * y).sum().alias("xy"),
                (x.clone() * x).sum().alias("xx"),
            ];
            let slope = (col("n") * col("xy") - col("x") * col("y")) / (col("n") * col("xx") - col("x") * col("x"));
            kept.group_by([col("sex")]).agg(sums).with_columns([slope.alias("slope")])
        },
    },
    Question {
        key: "features",
        what: "five features per person, by region",
        columns: &["patient_id", "region", "diagnosis", "visited", "age", "cost"],
        is_joined: false,
        sql: (
            "SELECT region, AVG(total) AS total, AVG(n) AS visits, AVG(oldest) AS oldest, \
             COUNT(*) FILTER (WHERE asthma) AS asthma, COUNT(*) FILTER (WHERE first >= DATE '2024-01-01') AS recent \
             FROM (SELECT patient_id, region, SUM(cost) AS total, COUNT(*) AS n, MIN(visited) AS first, \
             MAX(age) AS oldest, BOOL_OR(diagnosis = 'asthma') AS asthma FROM visits",
            "GROUP BY patient_id, region) AS p GROUP BY region",
        ),
        plain: |plain, kept| {
            let asthma = col("diagnosis").eq(plain.form.literal("diagnosis", "asthma"));
            let features =
                [col("cost").sum(), n(), col("visited").min(), col("age").max(), asthma.any(true).alias("asthma")];
            let persons = kept.group_by([col("patient_id"), col("region")]).agg(features);
            let recent = col("visited").gt_eq(day(19_723)).sum();
            let means = ["cost", "n", "age"].map(|name| col(name).mean());
            persons
                .group_by([col("region")])
                .agg(means.into_iter().chain([col("asthma").sum(), recent]).collect::<Vec<_>>())
        },
    },
    Question {
        key: "texts",
        what: "distinct people by a text without a list of values (1,000 drugs)",
        columns: &["drug", "patient_id", "cost"],
        is_joined: false,
        sql: ("SELECT drug, COUNT(DISTINCT patient_id) AS people FROM visits", "GROUP BY drug"),
        plain: |_, kept| kept.group_by([col("drug")]).agg([col("patient_id").n_unique()]),
    },
    Question {
        key: "join",
        what: "count and mean by a column of a joined table",
        columns: &["patient_id", "cost"],
        is_joined: true,
        sql: (
            "SELECT insurer, COUNT(*) AS n, AVG(cost) AS mean FROM visits JOIN patients USING (patient_id)",
            "GROUP BY insurer",
        ),
        plain: |plain, kept| {
            let patients = plain.patients.clone().expect("the table of patients").lazy();
            let joined = kept.join(patients, [col("patient_id")], [col("patient_id")], JoinArgs::new(JoinType::Inner));
            joined.group_by([col("insurer")]).agg([n(), col("cost").mean()])
        },
    },
    Question {
        key: "running",
        what: "count by month and up to each month, by region",
        columns: &["region", "visited", "cost"],
        is_joined: false,
        sql: (
            "SELECT region, DATE_TRUNC('month', visited) AS month, COUNT(*) AS n, SUM(COUNT(*)) OVER \
             (PARTITION BY region ORDER BY DATE_TRUNC('month', visited)) AS so_far FROM visits",
            "GROUP BY region, DATE_TRUNC('month', visited)",
        ),
        plain: |_, kept| kept.group_by([col("region"), month()]).agg([n()]),
    },
    Question {
        key: "spread",
        what: "mean of a capped cost and standard deviation, by two keys",
        columns: &["sex", "diagnosis", "hba1c", "cost"],
        is_joined: false,
        sql: (
            "SELECT sex, diagnosis, AVG(LEAST(cost, 2000)) AS mean, STDDEV_SAMP(hba1c) AS deviation FROM visits",
            "GROUP BY sex, diagnosis",
        ),
        plain: |_, kept| {
            let capped = when(col("cost").gt(lit(2_000.0))).then(lit(2_000.0)).otherwise(col("cost"));
            let outputs = [capped.mean().alias("mean"), col("hba1c").std(1)];
            kept.group_by([col("sex"), col("diagnosis")]).agg(outputs)
        },
    },
];

fn n() -> Expr {
    len().alias("n")
}

/// A day, by its days since 1970.
fn day(days: i32) -> Expr {
    lit(days).cast(DataType::Date)
}

/// The month of a visit, counted from the year 0: what `dt.truncate("1mo")` tells apart. Without polars' feature `temporal`, a function
/// over the days works it out.
fn month() -> Expr {
    let months = |column: Column| {
        let days = column.cast(&DataType::Int32)?;
        Ok(days.i32()?.apply_values(month_of).into_column())
    };
    col("visited").map(months, |_, field| Ok(Field::new(field.name().clone(), DataType::Int32)))
}

/// The month, counted from the year 0, of a day since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn month_of(days: i32) -> i32 {
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    // Counted from March, so that the leap day is a year's last.
    let from_march = (5 * of_year + 2) / 153;
    (era * 400 + year) * 12 + from_march + 2
}
