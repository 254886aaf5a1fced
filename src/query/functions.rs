//! The functions that are offered where questions are written: the editor's completion and the prompt's. More are answered than stand here.

/// Aggregates and functions, each with what it is for, the most used first.
pub const FUNCTIONS: [(&str, &str); 32] = [
    ("COUNT(*)", "how many rows"),
    ("COUNT", "how many rows with a value; of DISTINCT units: how many of those who are protected"),
    ("SUM", "sum of a number"),
    ("AVG", "mean of a number"),
    ("MEDIAN", "middle value of a number"),
    ("PERCENTILE_CONT", "percentiles: PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY cost)"),
    ("STDDEV", "standard deviation"),
    ("STDDEV_SAMP", "standard deviation"),
    ("VARIANCE", "variance"),
    ("VAR_SAMP", "variance"),
    ("CORR", "correlation of two numbers"),
    ("COVAR_SAMP", "covariance of two numbers"),
    ("COVAR_POP", "covariance of two numbers, of all rows instead of a sample"),
    ("REGR_SLOPE", "slope of a regression of the first on the second"),
    ("REGR_INTERCEPT", "intercept of a regression of the first on the second"),
    ("DATE_TRUNC", "beginning of a period: DATE_TRUNC('month', visited)"),
    ("EXTRACT", "part of a day: EXTRACT(YEAR FROM visited)"),
    ("WIDTH_BUCKET", "number of a bucket: WIDTH_BUCKET(age, 0, 100, 10)"),
    ("LEAST", "the smallest of several values"),
    ("GREATEST", "the largest of several values"),
    ("COALESCE", "the first value that is not missing"),
    ("ROUND", "rounds a number"),
    ("FLOOR", "the whole number below a number"),
    ("ABS", "size of a number without its sign"),
    ("SQRT", "square root"),
    ("LN", "natural logarithm"),
    ("EXP", "power of e"),
    ("RANK", "place of a group among the groups: RANK() OVER (ORDER BY n DESC)"),
    ("ROW_NUMBER", "number of a row in an order: ROW_NUMBER() OVER (ORDER BY n DESC)"),
    ("LAG", "value of the row before: LAG(n) OVER (ORDER BY month)"),
    ("UPPER", "text in capital letters"),
    ("LOWER", "text in small letters"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::FUNCTIONS;
    use crate::query::parse::parse;

    /// What is offered is understood: as an aggregate, or as a function of a key.
    #[test]
    fn every_function_that_is_offered_is_read() {
        let names: BTreeSet<_> = FUNCTIONS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), FUNCTIONS.len(), "each once");
        for (name, _) in FUNCTIONS {
            let forms = [
                format!("SELECT {name} FROM t"),
                format!("SELECT {name}(a) FROM t"),
                format!("SELECT {name}(a, b) FROM t"),
                format!("SELECT {name}(0.5) WITHIN GROUP (ORDER BY a) FROM t"),
                format!("SELECT SUM({name}(a)) FROM t"),
                format!("SELECT SUM({name}(a, b)) FROM t"),
                format!("SELECT SUM({name}(a, 0, 100, 10)) FROM t"),
                format!("SELECT {name}('month', a), COUNT(*) FROM t GROUP BY 1"),
                format!("SELECT {name}(YEAR FROM a), COUNT(*) FROM t GROUP BY 1"),
                format!("SELECT {name}(SUM(a)) FROM t"),
                format!("SELECT {name}(a), COUNT(*) FROM t GROUP BY 1"),
                format!("SELECT a, COUNT(*) AS n, {name}() OVER (ORDER BY COUNT(*)) FROM t GROUP BY a"),
                format!("SELECT a, COUNT(*) AS n, {name}(COUNT(*)) OVER (ORDER BY a) FROM t GROUP BY a"),
            ];
            assert!(forms.iter().skip(usize::from(!name.contains('('))).any(|sql| parse(sql).is_ok()), "{name}");
        }
    }
}
