//! Queries that make a planner do the most work per byte, by the kind of work.

use tacit::query::parse::TEXT_BYTES_MAX;

use super::{NUMBERS, SMALL, VALUES, number, place, value};

/// Maximum number of members of a list.
const LIST: usize = 1_000;
/// Maximum depth of nested calls that is accepted.
const DEPTH: usize = 28;
/// Maximum depth if each call adds two levels, because it contains parentheses or an operator of its own.
const HALF: usize = 14;

/// All queries.
pub fn all() -> Vec<String> {
    let of_rows = [lists(), conditions(), expressions(), cases()].concat();
    [of_rows, outputs(), copies(), groupings(), subqueries(), broken()].concat()
}

/// Joins as many of the parts with `by` as fit into a query between `head` and `tail`, at most `most`.
fn filled(head: &str, parts: impl Iterator<Item = String>, by: &str, most: usize, tail: &str) -> String {
    let mut text = head.to_owned();
    for (at, part) in parts.take(most).enumerate() {
        if text.len() + by.len() + part.len() + tail.len() > TEXT_BYTES_MAX {
            break;
        }
        if at > 0 {
            text.push_str(by);
        }
        text.push_str(&part);
    }
    text + tail
}

/// `name IN (…)` with `count` values, starting with number `from`.
fn list(name: &str, from: usize, count: usize) -> String {
    let values: Vec<String> = (from..from + count).map(|at| format!("'{}'", value(at % VALUES))).collect();
    format!("{name} IN ({})", values.join(","))
}

fn lists() -> Vec<String> {
    let count = "SELECT COUNT(*) FROM visits WHERE ";
    let numbers = |text: &'static str| (0..LIST).map(move |at| format!("{}{text}", at + 1));
    let days = (0..LIST).map(|at| format!("DATE '2021-{:02}-{:02}'", 1 + at / 28 % 12, 1 + at % 28));
    let many = |each: usize| (0..).map(move |at| list("code", at * each, each));
    vec![
        format!("{count}{}", list("code", 0, LIST)),
        format!("{count}{} AND {}", list("code", 5_000, 900), list("other", 9_000, 900)),
        format!("{count}NOT ({}) OR NOT ({})", list("code", 0, 900), list("other", 0, 900)),
        format!("{count}{} AND {} AND NOT {}", list("code", 0, 800), list("code", 400, 800), list("code", 700, 300)),
        // Lists that have nothing in common, and lists that overlap.
        filled(count, many(8), " AND ", 60, ""),
        filled(count, many(8).map(|one| format!("NOT ({one})")), " OR ", 60, ""),
        filled(count, many(8).map(|one| format!("({one} OR flag)")), " AND ", 40, ""),
        filled(&format!("{count}n0 IN ("), numbers("e-700"), ",", LIST, ")"),
        filled(&format!("{count}n0 IN ("), numbers(".123456789"), ",", LIST, ")"),
        filled(&format!("{count}n0 IN ("), (0..LIST).map(|at| format!("{at}{}", "7".repeat(9))), ",", LIST, ")"),
        filled(&format!("{count}day NOT IN ("), days, ",", LIST, ")"),
        filled(
            &format!("{count}CASE WHEN {} THEN n1 ELSE n2 END IN (", list("code", 0, 500)),
            numbers(""),
            ",",
            LIST,
            ")",
        ),
        format!(
            "{count}{} > 3 AND {} IN ({})",
            nested("ABS(", "n0", ")"),
            nested("-", "n1", ""),
            (0..LIST).map(|at| at.to_string()).collect::<Vec<_>>().join(",")
        ),
    ]
}

fn conditions() -> Vec<String> {
    let count = "SELECT COUNT(*) FROM visits WHERE ";
    let equal = |how: &'static str| (0..).map(move |at| format!("code {how} '{}'", value(at * 3)));
    let between = (0..).map(|at| format!("{} BETWEEN {at} AND {}", number(at % NUMBERS), at + 900));
    let columns = (0..).map(|at| format!("{} > {}", number(at % NUMBERS), number((at + 1) % NUMBERS)));
    let mut nots = format!("{} AND n0 > 3", list("code", 0, 700));
    for at in 0..HALF - 3 {
        nots = format!("NOT ({nots} {} n{at} < {at})", ["OR", "AND"][at % 2]);
    }
    vec![
        filled(count, equal("="), " OR ", 80, ""),
        filled(count, equal("="), " AND ", 80, ""),
        filled(count, equal("<>"), " AND ", 80, ""),
        filled(count, equal("<>"), " OR ", 80, ""),
        filled(count, between, " AND ", 80, ""),
        filled(count, columns, " OR ", 80, ""),
        format!("{count}{nots}"),
        format!("{count}{}", nested("NOT (", "flag", ")")),
    ]
}

/// Nests an expression in itself, as deep as is accepted.
fn nested(before: &str, inner: &str, after: &str) -> String {
    let depth = if before.ends_with('(') && !before.contains(' ') { DEPTH } else { HALF };
    format!("{}{inner}{}", format!("{before} ").repeat(depth), after.repeat(depth))
}

fn expressions() -> Vec<String> {
    let constants = || (0..).map(|at| format!("0.{at:09}"));
    let whole = || (0..).map(|at: usize| at.to_string());
    let buckets = || (0..).map(|at| format!("WIDTH_BUCKET({}, 0, {}, 1000)", number(at % NUMBERS), 7 + at));
    // Buckets of numbers on a grid that has no short decimal step.
    let odd = (0..)
        .map(|at| format!("WIDTH_BUCKET({} / 0.123456787 / 0.987654323 / 0.{}, 0, 7, 1000)", number(at), 1 + 2 * at));
    let deep = (1..).map(|at| format!("SUM({})", nested("ABS(1 + ", &number(at % NUMBERS), ")")));
    vec![
        filled("SELECT SUM(LEAST(n0,", constants(), ",", 2_000, ")) FROM visits"),
        filled(
            &format!("SELECT SUM({}LEAST(n0,", "ABS(".repeat(DEPTH)),
            whole(),
            ",",
            3_000,
            &format!("){}) FROM visits", ")".repeat(DEPTH)),
        ),
        filled("SELECT SUM(GREATEST(", (0..NUMBERS).map(number).cycle(), ",", 600, ")) FROM visits"),
        filled("SELECT SUM(LEAST(", buckets(), ",", 100, ")) FROM visits"),
        filled("SELECT COUNT(*) FROM visits WHERE ", buckets().map(|one| format!("{one} = 3")), " OR ", 60, ""),
        filled("SELECT COUNT(*) FROM visits GROUP BY ", buckets(), ", ", 100, ""),
        filled("SELECT ", deep, ", ", 14, " FROM visits"),
        filled("SELECT SUM(LEAST(", odd, ",", 30, ")) FROM visits"),
        format!("SELECT SUM({}) FROM visits", nested("COALESCE(n1 +", "n0", ", 0.5)")),
        format!("SELECT SUM({}) FROM visits", nested("ROUND(n1 *", "n0", ", 9)")),
        format!("SELECT AVG({}) FROM visits", nested("LEAST(n1, n2, 7, 0.5,", "n0", ")")),
        filled(
            "SELECT SUM(",
            (0..NUMBERS).map(|at| format!("{} / 0.00{}", number(at), 1 + at)),
            " + ",
            DEPTH,
            ") FROM visits",
        ),
    ]
}

fn cases() -> Vec<String> {
    let when = |each: usize| move |at: usize| format!("WHEN {} THEN 'l{at}'", list("code", at * each, each));
    let numbers = |at: usize| format!("WHEN {} > {at} THEN {}", number(at % NUMBERS), number((at + 1) % NUMBERS));
    let (mut deep, mut choice) = ("n0".to_owned(), "code = 'v0001'".to_owned());
    for at in 0..HALF {
        deep = format!("CASE WHEN {deep} > {at} THEN n{at} ELSE 0.5 END");
        choice = format!("CASE WHEN {choice} THEN 'a' ELSE 'b{at}' END = 'a'");
    }
    let listed = format!("CASE WHEN {} THEN n1 ELSE {} END", list("code", 0, 900), nested("ABS(", "n0", ")"));
    vec![
        filled("SELECT CASE ", (0..).map(when(20)), " ", 70, " ELSE 'x' END AS k, COUNT(*) FROM visits GROUP BY 1"),
        filled("SELECT CASE ", (0..).map(when(1)), " ", 80, " END AS k, COUNT(*) FROM visits GROUP BY 1"),
        filled("SELECT SUM(CASE ", (0..).map(numbers), " ", 80, " END) FROM visits"),
        format!("SELECT SUM({deep}), AVG({deep}) FROM visits"),
        format!("SELECT COUNT(*) FROM visits WHERE {choice}"),
        format!("SELECT COUNT(*) FROM visits WHERE {listed} > 3 AND {listed} < 9"),
        format!("SELECT CORR({listed}, n5), COUNT(*) FROM visits"),
    ]
}

/// Items of a select list, each with a name of its own.
fn named(items: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    items.enumerate().map(|(at, text)| format!("{text} AS o{at}"))
}

fn of_numbers(word: &'static str, more: &'static str) -> impl Iterator<Item = String> {
    named((0..NUMBERS).map(move |at| format!("{word}({}{more}", number(at))))
}

fn outputs() -> Vec<String> {
    let counts = || (0..).map(|at| format!("COUNT(*) AS c{at}"));
    let filtered = |word: &'static str| {
        (0..).map(move |at| format!("{word}({}) FILTER (WHERE code = '{}')", number(at % NUMBERS), value(at)))
    };
    let pairs = (0..NUMBERS).map(|at| format!("CORR({}, {})", number(at), number((at + 1) % NUMBERS)));
    let running = (0..40).map(|at| format!("SUM(COUNT(*) FILTER (WHERE half = 'h{at:03}')) OVER (ORDER BY day)"));
    let listed = format!(" FROM visits WHERE {}", list("other", 0, LIST));
    let ordered = (0..).map(|at| ["a", "b DESC", "COUNT(*)"][at % 3].to_owned());
    vec![
        filled("SELECT fixed, half, ", counts(), ", ", 120, " FROM visits GROUP BY fixed, half"),
        filled("SELECT code, ", counts(), ", ", 120, " FROM visits GROUP BY code"),
        filled("SELECT code, ", counts(), ", ", 60, " FROM visits GROUP BY code"),
        filled("SELECT ", of_numbers("SUM", ")"), ", ", 80, " FROM visits"),
        filled("SELECT ", of_numbers("AVG", ")"), ", ", 80, &listed),
        filled("SELECT ", of_numbers("MEDIAN", ")"), ", ", 80, &listed),
        filled("SELECT ", of_numbers("MEDIAN", ") FILTER (WHERE flag)"), ", ", 16, &listed),
        filled("SELECT ", of_numbers("MEDIAN(WIDTH_BUCKET", ", 0, 900, 60))"), ", ", 80, &listed),
        filled("SELECT ", named(filtered("VAR_SAMP")), ", ", 40, " FROM visits"),
        filled("SELECT ", named(filtered("SUM")), ", ", 60, " FROM visits GROUP BY half"),
        filled("SELECT ", named(pairs), ", ", 60, " FROM visits"),
        filled("SELECT day, ", named(running), ", ", 22, " FROM visits WHERE day < DATE '2020-06-01' GROUP BY day"),
        filled("SELECT fixed AS a, COUNT(*) AS b FROM visits GROUP BY fixed ORDER BY ", ordered, ", ", 150, ""),
        filled("SELECT DISTINCT ", (0..).map(|at| format!("code AS k{at}")), ", ", 250, " FROM visits"),
        filled("EXPLAIN SELECT fixed, half, ", counts(), ", ", 120, " FROM visits GROUP BY fixed, half"),
        format!("SELECT DISTINCT code FROM visits WHERE {}", list("other", 0, LIST)),
    ]
}

/// One long condition that is repeated in many places once the query is written out.
fn copies() -> Vec<String> {
    let filter = format!(" FILTER (WHERE {})", list("code", 0, LIST));
    let longer = format!(" FILTER (WHERE {} OR {})", list("code", 0, 900), list("other", 0, 900));
    let percentiles = |fractions: &mut dyn Iterator<Item = String>, most, filter: &str| {
        let tail = format!("]) WITHIN GROUP (ORDER BY n0){filter} FROM visits");
        filled("SELECT PERCENTILE_CONT(ARRAY[", fractions, ",", most, &tail)
    };
    let having = |of: String, each: &'static str, by| {
        let parts = (0..).map(|at| each.replace('#', &at.to_string()));
        filled(&format!("SELECT {of} AS v FROM visits HAVING "), parts, by, 60, "")
    };
    vec![
        percentiles(&mut (0..).map(|at| format!("0.{at:04}")), 900, &filter),
        percentiles(&mut (0..).map(|at| (at % 2).to_string()), 8_000, ""),
        percentiles(&mut (0..).map(|at| format!("0.{at:02}")), 40, &filter),
        percentiles(&mut (0..).map(|at| format!("0.{at:02}")), 7, &filter),
        having(format!("VAR_SAMP(n1){filter}"), "v > #", " AND "),
        having(format!("VAR_SAMP(n1){filter}"), "v > # - v", " OR "),
        too_long(),
        format!("SELECT VAR_SAMP(n1){longer}, COUNT(*) FROM visits"),
        format!("SELECT REGR_SLOPE(n1, n2){longer}, COUNT(*) FROM visits"),
    ]
}

/// A query that takes more steps to plan than are allowed.
pub fn too_long() -> String {
    let pair = format!("CORR(n1, n2) FILTER (WHERE {} OR {})", list("code", 0, 900), list("other", 0, 900));
    let parts = (0..).map(|at| format!("v>{at}"));
    filled(&format!("SELECT {pair} AS v FROM visits HAVING "), parts, " OR ", 75, "")
}

fn groupings() -> Vec<String> {
    let names = || (0..NUMBERS).map(number);
    let unknown = || (0..).map(|at| format!("a{at}"));
    let small = |name: &'static str| (0..SMALL).map(move |at| format!("{name}{at}")).collect::<Vec<_>>().join(", ");
    let cube = |name: &'static str| format!("CUBE ({})", small(name));
    let units = (0..).map(|at| format!("COUNT(DISTINCT patient_id) FILTER (WHERE half = 'h{at:03}') AS u{at}"));
    let sets = (0..).map(|at| {
        format!("({}, {}, {})", number(at % NUMBERS), number((at / 3) % NUMBERS), number((at / 7) % NUMBERS))
    });
    vec![
        filled("SELECT COUNT(*) FROM visits GROUP BY ROLLUP (", unknown(), ", ", 900, ")"),
        filled("SELECT COUNT(*) FROM visits GROUP BY CUBE (", unknown(), ", ", 900, ")"),
        filled("SELECT COUNT(*) FROM visits GROUP BY ", unknown(), ", ", 900, ", ROLLUP (flag, half)"),
        filled(&format!("SELECT COUNT(*) FROM visits GROUP BY {}, ", cube("s")), names(), ", ", 400, ""),
        format!("SELECT COUNT(*) FROM visits GROUP BY {}, {}", cube("s"), cube("s")),
        format!("SELECT COUNT(*), SUM(n1), AVG(n2) FROM visits GROUP BY {}", cube("s")),
        filled("SELECT ", units, ", ", 30, &format!(" FROM visits GROUP BY {}", cube("s"))),
        filled("SELECT COUNT(*) FROM visits GROUP BY GROUPING SETS (", sets, ", ", 200, ")"),
        "SELECT COUNT(*) FROM visits GROUP BY code, other, third, place, fixed, half, flag, day".to_owned(),
        "SELECT COUNT(*) FROM visits GROUP BY GROUPING SETS ((code), (other), (third), (place), (fixed), (half), ())"
            .to_owned(),
        format!("SELECT {} FROM visits GROUP BY 1, 2, 3, 4, 5, 6, 7", nested_keys()),
        "SELECT code, COUNT(*), SUM(n0), AVG(n1) FROM visits GROUP BY code ORDER BY 2 DESC".to_owned(),
        "SELECT day, DATE_TRUNC('month', day), EXTRACT(dow FROM day), COUNT(*) FROM visits WHERE day < DATE '2020-02-01' GROUP BY 1, 2, 3".to_owned(),
        format!("SELECT code, MEDIAN(n0) FROM visits WHERE {} GROUP BY code", list("third", 0, LIST)),
    ]
}

fn nested_keys() -> String {
    (0..7).map(|at| format!("({} > {at}) AS k{at}", nested("ABS(", &number(at), ")"))).collect::<Vec<_>>().join(", ")
}

fn subqueries() -> Vec<String> {
    let inner = |at: usize| format!("SUM({}) FILTER (WHERE code = '{}') AS s{at}", number(at % NUMBERS), value(at));
    let any = |at: usize| format!("BOOL_OR({}) FILTER (WHERE n{at} > 3) AS b{at}", list("code", at * 50, 50));
    let used = |word: &str, letter: &str, count: usize| {
        (0..count).map(|at| format!("{word}({letter}{at}) AS o{at}")).collect::<Vec<_>>().join(", ")
    };
    let tail = " FROM visits GROUP BY patient_id) AS u";
    vec![
        filled(
            &format!("SELECT {} FROM (SELECT patient_id, ", used("AVG", "s", 12)),
            (0..12).map(inner),
            ", ",
            12,
            tail,
        ),
        filled(
            &format!("SELECT {} FROM (SELECT patient_id, ", used("COUNT", "b", 12)),
            (0..12).map(any),
            ", ",
            12,
            tail,
        ),
        filled("SELECT COUNT(*) FROM (SELECT patient_id, ", (0..).map(inner), ", ", 80, tail),
        format!(
            "SELECT fixed, COUNT(*) FROM (SELECT patient_id, fixed, MAX(n1) AS m FROM visits WHERE {} GROUP BY patient_id, fixed) AS u WHERE m > 3 GROUP BY fixed",
            list("code", 0, LIST)
        ),
    ]
}

/// Queries with a fault at their end, so that everything before it is examined.
fn broken() -> Vec<String> {
    let count = "SELECT COUNT(*) FROM visits WHERE ";
    let missed = format!("{}, 'v0o0')", list("code", 0, LIST - 1).trim_end_matches(')'));
    let words = |word: &str| format!("SELECT {}$ FROM visits", format!("{word}(").repeat(120));
    let brackets = |word: &str| format!("SELECT COUNT(*) FROM {}{word}{}", "(".repeat(120), ")".repeat(120));
    vec![
        format!("{count}{missed}"),
        format!("{count}place = '{}'", place(77).replace("number", "nmuber")),
        format!("{count}place = '{}'", "a place with a name ".repeat(12)),
        format!("{count}place = '{}'", "é".repeat(255)),
        format!("{count}code = '{}'", "v".repeat(15_000)),
        format!("{count}n{} > 3", "9".repeat(60)),
        format!("{count}{} > 3", "n".repeat(15_000)),
        format!("SELECT COUNT(*) FROM visits JOIN {} USING (patient_id)", "p".repeat(15_000)),
        format!("SELECT {}(n0) FROM visits", "percentile_cnt".repeat(1_000)),
        words("FLOOR"),
        words("CASE WHEN "),
        words("POSITION"),
        words("TRIM"),
        words("CAST"),
        words("x IN ("),
        words("ABS"),
        brackets("visits"),
        brackets("SELECT 1"),
        format!("{count}{}", "n0 IN ((SELECT n0 FROM visits WHERE ".repeat(60)),
        format!("SELECT {}", "(".repeat(16_000)),
        format!("{count}{}1", "- ".repeat(7_000)),
        format!("SELECT {}", "1,".repeat(8_000)),
        format!("SELECT {}1", "1 + ".repeat(4_000)),
        "SELECT ".to_owned() + &"é".repeat(8_000),
    ]
}
