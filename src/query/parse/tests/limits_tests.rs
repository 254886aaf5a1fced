//! The limits: nothing explodes, and no text overflows the stack.

use super::super::{TEXT_BYTES_MAX, asked, parse};
use super::refused;

/// The stack that threads have.
const STACK_BYTES: usize = 8 << 20;

#[test]
fn names_of_with_cannot_explode() {
    // Each name uses the one before it twice.
    let chain = |length: usize| {
        let mut sql = "WITH a0 AS (SELECT u FROM visits)".to_owned();
        for at in 1..length {
            sql.push_str(&format!(", a{at} AS (SELECT x.u FROM a{} x, a{} y)", at - 1, at - 1));
        }
        format!("{sql} SELECT COUNT(*) FROM a{}", length - 1)
    };
    assert!(parse(&chain(6)).is_ok());
    assert!(refused(&chain(12)).message.contains("1000 parts"));
    // Each name uses the one before it once.
    let tower = |length: usize| {
        let mut sql = "WITH a0 AS (SELECT u FROM visits)".to_owned();
        (1..length).for_each(|at| sql.push_str(&format!(", a{at} AS (SELECT u FROM a{})", at - 1)));
        format!("{sql} SELECT COUNT(*) FROM a{}", length - 1)
    };
    assert!(parse(&tower(32)).is_ok());
    assert!(refused(&tower(33)).message.contains("32 levels"));
    // Definitions that are not used count together.
    let wide: Vec<_> = (0..60).map(|at| format!("b{at} AS (SELECT u FROM a x, a y, a z)")).collect();
    let long = (0..120).map(|at| format!("u > {at}")).collect::<Vec<_>>().join(" OR ");
    let sql = format!("WITH a AS (SELECT u FROM v WHERE {long}), {} SELECT COUNT(*) FROM v", wide.join(", "));
    assert!(refused(&sql).message.contains("16000 parts"));
    // The same for windows.
    let keys: Vec<_> = (0..100).map(|at| format!("ABS(u{at})")).collect();
    let uses = vec!["SUM(a) OVER w"; 20].join(", ");
    let sql = format!("SELECT COUNT(*) FROM (SELECT {uses} FROM v WINDOW w AS (PARTITION BY {})) t", keys.join(", "));
    assert!(refused(&sql).message.contains("1000 parts"));
}

#[test]
fn many_tables_and_unions_are_refused_before_they_are_deep() {
    let tables = |count: usize| vec!["a"; count].join(", ");
    assert!(parse(&format!("SELECT COUNT(*) FROM {}", tables(33))).is_ok());
    assert!(refused(&format!("SELECT COUNT(*) FROM {}", tables(34))).message.contains("32 levels"));
    let union = |count: usize| format!("SELECT COUNT(*) FROM ({}) t", vec!["SELECT u FROM a"; count].join(" UNION "));
    assert!(parse(&union(30)).is_ok());
    assert!(refused(&union(40)).message.contains("32 levels"));
}

/// The depth of chains is known before they are parsed: of each text it is at least that of its tree, and not much more.
#[test]
fn chains_are_measured() {
    use sqlparser::dialect::PostgreSqlDialect;
    use sqlparser::tokenizer::Tokenizer;
    for (text, depth) in [
        ("SELECT a", 0),
        ("SELECT a + a - a, a * a FROM b WHERE a", 2),
        ("a > 1 OR a > 2 AND a > 3", 3),
        ("a + a OR a + a + a", 3),
        ("(a + a + a) + a", 3),
        ("a IN (-1, -2, -3)", 2),
        ("a + CASE WHEN a + a > 1 THEN b END + a", 4),
        ("a + PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY b) + a + a", 3),
        ("a IS DISTINCT FROM b OR a + a", 2),
        ("SELECT a + a WHERE a UNION SELECT a UNION SELECT a", 3),
        ("a::b::c IS NULL[1]", 4),
        ("CASE (CASE a + a) + a)) END END +", 3),
    ] {
        let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location().expect("tokens");
        assert_eq!(super::super::chains::depth(&tokens).chains, depth, "{text}");
    }
    let nested = |count: usize| format!("{}a{}", "SELECT u FROM (".repeat(count), ") t".repeat(count));
    for text in [nested(5), format!("{} UNION {}", nested(5), nested(4))] {
        let tokens = Tokenizer::new(&PostgreSqlDialect {}, &text).tokenize_with_location().expect("tokens");
        assert_eq!(super::super::chains::depth(&tokens).queries, 5, "{text}");
    }
}

/// The longest chains and the deepest nesting that a text can hold end in an answer, or in a refusal, on the stack that threads have.
#[test]
fn no_text_overflows_the_stack() {
    for (unit, head, tail) in [
        ("1+", "SELECT COUNT(*) FROM a WHERE x > ", "1"),
        ("1-", "SELECT COUNT(*) FROM a WHERE x > ", "1"),
        ("a+", "SELECT SUM(", "a) FROM a"),
        ("a OR ", "SELECT COUNT(*) FROM a WHERE ", "a"),
        ("NOT ", "SELECT COUNT(*) FROM a WHERE ", "a"),
        ("- ", "SELECT SUM(", "a) FROM a"),
        ("(", "SELECT COUNT(*) FROM ", ""),
        ("(SELECT u FROM ", "SELECT COUNT(*) FROM ", ""),
        ("u IN (SELECT u FROM a WHERE ", "SELECT COUNT(*) FROM a WHERE ", ""),
        ("SELECT u FROM a UNION ", "SELECT COUNT(*) FROM (", "SELECT u FROM a) t"),
        ("a,", "SELECT COUNT(*) FROM ", "a"),
        ("a CROSS JOIN ", "SELECT COUNT(*) FROM ", "a"),
        ("CASE WHEN a THEN ", "SELECT SUM(", ""),
        ("a.", "SELECT SUM(", "a) FROM a"),
        ("::int", "SELECT SUM(a", ") FROM a"),
        ("a[", "SELECT SUM(", ""),
        ("[1]", "SELECT COUNT(*) FROM a WHERE a", ""),
        ("IS NULL ", "SELECT COUNT(*) FROM a WHERE a ", ""),
        ("COLLATE c ", "SELECT COUNT(*) FROM a WHERE a ", ""),
        ("AT TIME ZONE c ", "SELECT COUNT(*) FROM a WHERE a ", ""),
        ("LIKE a ", "SELECT COUNT(*) FROM a WHERE a ", ""),
        ("IS DISTINCT FROM a ", "SELECT COUNT(*) FROM a WHERE a ", ""),
        ("1+", "SELECT ABS(FLOOR(", "SUM(a))) FROM a"),
        ("1+", "SELECT SUM(a) OVER (ORDER BY ", "1) FROM a"),
        ("1+", "SELECT COUNT(*) FROM (SELECT ", "a LIKE 'x' FROM a) t"),
        ("1+", "SELECT u FROM (SELECT ", "COUNT(*) AS u FROM a) t"),
        ("u+", "SELECT ", "u FROM (SELECT COUNT(*) AS u FROM a) t"),
        ("SELECT COUNT(*) AS u FROM a UNION ", "SELECT u FROM (", "SELECT COUNT(*) FROM a) t"),
        ("SELECT COUNT(*) AS u FROM a UNION ALL ", "SELECT u FROM (", "SELECT COUNT(*) FROM a) t"),
        ("SELECT COUNT(*) AS u FROM a UNION ALL ", "", "SELECT COUNT(*) FROM a"),
        ("SELECT COUNT(*) AS u FROM a UNION ALL (", "", "SELECT COUNT(*) FROM a"),
        ("(SELECT COUNT(*) AS u FROM a) UNION ALL ", "", "SELECT COUNT(*) FROM a"),
        ("(SELECT COUNT(*) FROM a)+", "SELECT ", "(SELECT COUNT(*) FROM b)"),
        ("(SELECT COUNT(*) FROM a),(SELECT COUNT(*) FROM b),", "SELECT ", "(SELECT COUNT(*) FROM b)"),
        ("(SELECT u+u AS u FROM ", "SELECT u FROM ", "(SELECT COUNT(*) AS u FROM a) t"),
    ] {
        let most = (16_384 - head.len() - tail.len()) / unit.len();
        for count in [most, super::super::chains::CHAIN_MAX - 30, 60] {
            let sql = format!("{head}{}{tail}", unit.repeat(count.min(most)));
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            let asked = thread.spawn(move || drop(asked(&sql))).expect("a thread");
            asked.join().expect("an answer, or a refusal");
        }
    }
}

/// Queries over answers are written anew at each level, which must not take longer with each of them than the text is long.
#[test]
fn answers_within_answers_cannot_explode() {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(answers_within_answers).expect("a thread").join().expect("answers, and refusals");
}

fn answers_within_answers() {
    let nested = |outer: &str, count: usize| {
        let inner = "SELECT a, COUNT(*) AS n FROM v GROUP BY a".to_owned();
        (0..count).fold(inner, |inner, _| outer.replace('_', &inner))
    };
    for outer in [
        "SELECT a, n FROM (_) t",
        "SELECT a, SUM(n) AS n FROM (_) t GROUP BY a",
        "SELECT a, n FROM (SELECT a, MAX(n) AS n FROM (_) t GROUP BY a) u WHERE n > 3",
    ] {
        let levels = if outer.contains("MAX") { 14 } else { 30 };
        assert!(parse(&nested(outer, levels)).is_ok(), "{outer}");
    }
    // Each level adds an answer to a union.
    for outer in [
        "SELECT a, n FROM (SELECT a, n FROM v GROUP BY a, n UNION ALL _) t",
        "(SELECT a, COUNT(*) FROM v GROUP BY a) UNION ALL (_)",
    ] {
        let begun = std::time::Instant::now();
        assert!(parse(&nested(outer, 14)).is_ok(), "{outer}");
        assert!(begun.elapsed().as_secs() < 5, "{outer}: {:?}", begun.elapsed());
    }
    let doubled = nested("SELECT a, n FROM (_ UNION ALL _) t", 5);
    assert_eq!(parse(&doubled).map(|query| query.together.map_or(0, |together| together.arms().len())), Ok(32));
    // Each level doubles what a name stands for.
    assert!(parse(&nested("SELECT a, n + n AS n FROM (_) t", 6)).is_ok());
    assert!(refused(&nested("SELECT a, n + n AS n FROM (_) t", 12)).message.contains("1000 parts"));
    let chain = (1..20).fold("WITH c0 AS (SELECT a, COUNT(*) AS n FROM v GROUP BY a)".to_owned(), |sql, at| {
        format!("{sql}, c{at} AS (SELECT x.a, x.n FROM c{} x JOIN c{} y ON x.a = y.a)", at - 1, at - 1)
    });
    let error = refused(&format!("{chain} SELECT a, n FROM c19"));
    assert!(error.message.contains("parts") || error.message.contains("levels"), "{}", error.message);
}

/// Names and spellings that stand for each other are refused before they are written out, whatever they would have doubled to.
#[test]
fn what_would_grow_without_bound_when_written_out_is_refused() {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(texts_that_would_grow).expect("a thread").join().expect("refusals");
}

fn texts_that_would_grow() {
    fn deep(levels: usize, of: impl Fn(String) -> String, innermost: &str) -> String {
        (0..levels).fold(innermost.to_owned(), |inner, _| of(inner))
    }
    let period = |inner: String| format!("CASE WHEN ({inner}, b) OVERLAPS (c, d) THEN a END");
    let array = |inner: String| format!("CASE WHEN 1 = ANY (ARRAY_AGG({inner})) THEN 1 END");
    let wide = format!("COALESCE({})", vec!["SUM(a)"; 300].join(", "));
    let few = format!("COALESCE({})", vec!["SUM(a)"; 40].join(", "));
    let names = vec!["n"; 100].join(", ");
    let named = vec!["n IS NULL"; 400].join(" OR ");
    let filtered = format!("GREATEST({})", vec!["COUNT(*)"; 400].join(", "));
    let condition = format!("COALESCE({names}) > 1");
    for (sql, words) in [
        (format!("SELECT COUNT(*) FROM t WHERE {} IS NULL", deep(12, period, "a")), ["nested more", "written out"]),
        (
            format!("SELECT COUNT(*) FROM (SELECT u, {} AS x FROM t GROUP BY u) AS p", deep(24, array, "a")),
            ["nested more", "written out"],
        ),
        (format!("SELECT g, {wide} AS n FROM t GROUP BY g QUALIFY {named}"), ["written out", "written out"]),
        (
            format!(
                "SELECT g, m FROM (SELECT g, {few} AS n, 1 AS m FROM t GROUP BY g HAVING GREATEST({names}) > 1) AS x"
            ),
            ["more than", "more than"],
        ),
    ] {
        assert!(sql.len() <= TEXT_BYTES_MAX, "{}", sql.len());
        let message = parse(&sql).err().map_or_else(String::new, |error| error.message);
        assert!(words.iter().any(|word| message.contains(word)), "{message:?}: {}", &sql[..60]);
    }
    // A total beside an aggregate has its WHERE in each of its own aggregates; written out, this one would have 40,000 parts.
    let total = format!("SELECT (SELECT {filtered} FROM t WHERE {condition}) AS x, COUNT(*) AS y FROM t");
    assert!(format!("{:?}", parse(&total)).len() < 500_000, "it is read as something else, which planning refuses");
}
