//! Functions of days.

use super::*;

#[test]
fn days_become_texts() {
    let day = [("visited", "2024-03-05")];
    check("TO_CHAR(visited, 'YYYY-MM')", &day, "2024-03");
    check("TO_CHAR(visited, 'YYYY')", &day, "2024");
    check("TO_CHAR(visited, 'YYYY-MM-DD')", &day, "2024-03-05");
    check("TO_CHAR(visited, 'Mon')", &day, "Mar");
    check("TO_CHAR(visited, 'Q')", &day, "1");
    check("TO_CHAR(visited, 'IYYY-IW')", &[("visited", "2024-12-30")], "2025-01");
    check("TO_CHAR(visited, 'YYYY-MM')", &[], "NULL");
    check("MONTHNAME(visited)", &day, "March");
    same("TO_CHAR(visited, 'YYYY-MM') = '2024-03'", "visited BETWEEN DATE '2024-03-01' AND DATE '2024-03-31'");
    same("TO_CHAR(visited, 'YYYY') IN ('2023', '2024')", "visited BETWEEN DATE '2023-01-01' AND DATE '2024-12-31'");
    holds("TO_CHAR(visited, 'YYYY') IN ('2021', '2023')", &day, Some(false));
    holds("TO_CHAR(visited, 'YYYY') IN ('2021', '2024') OR TO_CHAR(visited, 'YYYY') = '2022'", &day, Some(true));
    same("TO_CHAR(visited, 'YYYY-MM') >= '2024-03'", "visited >= DATE '2024-03-01'");
    same(
        "TO_CHAR(visited, 'YYYY') BETWEEN '2021' AND '2022'",
        "visited BETWEEN DATE '2021-01-01' AND DATE '2022-12-31'",
    );
    holds("TO_CHAR(visited, 'YYYY') < '2020'", &day, Some(false));
    refused("SELECT COUNT(*) FROM d WHERE TO_CHAR(visited, 'Mon') > 'Feb'", "has no order", "");
    holds("TO_CHAR(visited, 'MM') = '03'", &day, Some(true));
    holds("TO_CHAR(visited, 'MM') = '04'", &day, Some(false));
    let terms = terms();
    let of = "SELECT TO_CHAR(visited, 'YYYY-MM') AS m, COUNT(*) FROM d WHERE visited >= DATE '2025-01-01' GROUP BY 1";
    let plan = planned(of, &terms).expect("a plan");
    let labels = coding::labels(&plan.computation.keys[0], &TermContext::of(&terms));
    assert_eq!((labels.len(), text_of(&labels[0]), text_of(&labels[11])), (12, "2025-01".into(), "2025-12".into()));
    refused("SELECT TO_CHAR(visited, 'HH24'), COUNT(*) FROM d GROUP BY 1", "does not know the pattern", "YYYY");
    refused("SELECT TO_CHAR(age, 'YYYY'), COUNT(*) FROM d GROUP BY 1", "wants a date", "");
}

#[test]
fn parts_of_days_have_many_spellings() {
    let day = [("visited", "2024-12-30")];
    for (expression, wanted) in [
        ("DATE_PART('year', visited)", "2024"),
        ("DATE_PART('week', visited)", "1"),
        ("EXTRACT(WEEK FROM visited)", "1"),
        ("EXTRACT(ISOYEAR FROM visited)", "2025"),
        ("EXTRACT(DECADE FROM visited)", "202"),
        ("EXTRACT(CENTURY FROM visited)", "21"),
        ("EXTRACT(MILLENNIUM FROM visited)", "3"),
        ("EXTRACT(HOUR FROM visited)", "0"),
        ("EXTRACT(YEAR FROM MAKE_DATE(EXTRACT(YEAR FROM visited), 2, 28))", "2024"),
        ("EXTRACT(JULIAN FROM visited) - 2460000", "675"),
        ("EXTRACT(DOW FROM visited)", "1"),
        ("YEAR(visited)", "2024"),
        ("QUARTER(visited)", "4"),
        ("MONTH(visited)", "12"),
        ("DAY(visited)", "30"),
        ("WEEKDAY(visited)", "0"),
        ("DAYOFWEEK(visited)", "2"),
        ("DATEPART(month, visited)", "12"),
        ("DAYNAME(visited)", "Monday"),
    ] {
        check(expression, &day, wanted);
    }
    same("YEAR(visited) = 2024", "EXTRACT(YEAR FROM visited) = 2024");
    refused("SELECT COUNT(*) FROM d WHERE WEEK(visited) = 3", "differently", "EXTRACT(WEEK");
    refused("SELECT COUNT(*) FROM d WHERE EXTRACT(DAY FROM visited - entered) > 3", "number of days already", "a - b");
}

#[test]
fn intervals_move_days() {
    let leap = [("visited", "2024-02-29"), ("entered", "2000-01-31")];
    for (expression, wanted) in [
        ("visited + INTERVAL '1 year'", "2025-02-28"),
        ("visited - INTERVAL '1 year'", "2023-02-28"),
        ("visited + INTERVAL '1 month'", "2024-03-29"),
        ("INTERVAL '1 month' + visited", "2024-03-29"),
        ("visited + INTERVAL '1 year 1 month 3 days'", "2025-04-01"),
        ("visited + INTERVAL '2' MONTH", "2024-04-29"),
        ("visited + INTERVAL 30 DAY", "2024-03-30"),
        ("visited + 30", "2024-03-30"),
        ("visited - INTERVAL '2 weeks'", "2024-02-15"),
        ("DATEADD(day, 1, visited)", "2024-03-01"),
        ("DATEADD(month, -1, visited)", "2024-01-29"),
        ("DATE_ADD(visited, INTERVAL 1 DAY)", "2024-03-01"),
        ("DATE_SUB(visited, INTERVAL 1 MONTH)", "2024-01-29"),
        ("LAST_DAY(visited)", "2024-02-29"),
        ("ADD_MONTHS(visited, 12)", "2025-02-28"),
    ] {
        check(expression, &leap, wanted);
    }
    same("visited > DATE '2025-12-31' - 90", "visited > DATE '2025-10-02'");
    same("visited > DATE '2025-12-31' - INTERVAL '90 days'", "visited > DATE '2025-10-02'");
    same("visited >= DATE '2024-02-29' + INTERVAL '1 year'", "visited >= DATE '2025-02-28'");
    same("visited = MAKE_DATE(2024, 2, 29)", "visited = DATE '2024-02-29'");
    same("visited = TO_DATE('29.02.2024', 'DD.MM.YYYY')", "visited = DATE '2024-02-29'");
    holds("visited < entered + INTERVAL '25 years'", &leap, Some(true));
    holds("visited < entered + INTERVAL '24 years'", &leap, Some(false));
    refused("SELECT COUNT(*) FROM d WHERE visited > entered + INTERVAL '3 hours'", "whole years", "1 year");
    refused("SELECT COUNT(*) FROM d WHERE MAKE_DATE(2023, 2, 29) < visited", "is no day", "DATE");
    refused("SELECT COUNT(*) FROM d WHERE age + INTERVAL '1 year' > 3", "added to a day", "");
}

#[test]
fn distances_are_counted_as_asked() {
    let days = [("entered", "2000-12-31"), ("visited", "2024-01-01")];
    for (expression, wanted) in [
        ("DATEDIFF(day, entered, visited)", "8401"),
        ("DATEDIFF('day', entered, visited)", "8401"),
        ("DATE_DIFF(visited, entered, DAY)", "8401"),
        ("DATEDIFF(visited, entered)", "8401"),
        ("DATEDIFF(month, entered, visited)", "277"),
        ("DATEDIFF(year, entered, visited)", "24"),
        ("DATEDIFF(quarter, entered, visited)", "93"),
        ("EXTRACT(YEAR FROM AGE(visited, entered))", "23"),
        ("DATE_PART('year', AGE(visited, entered))", "23"),
        ("EXTRACT(MONTH FROM AGE(visited, entered))", "0"),
        ("EXTRACT(YEAR FROM AGE(entered, visited))", "-23"),
        ("EXTRACT(YEAR FROM AGE('2024-12-31', entered))", "24"),
        ("EXTRACT(YEAR FROM AGE(DATE '2024-12-30', entered))", "23"),
        ("TIMESTAMPDIFF(YEAR, entered, visited)", "23"),
    ] {
        // Differences have many values: look at few of them.
        let terms = terms();
        let sql = format!("SELECT COUNT(*) FROM d WHERE {expression} = {wanted}");
        let plan = planned(&sql, &terms).unwrap_or_else(|error| panic!("{expression}: {error}, {:?}", error.hint));
        let known = TermContext::of(&terms);
        let row = days.into_iter().collect();
        let found = plan.computation.filter.as_ref().and_then(|filter| truth(filter, &known, &row));
        assert_eq!(found, Some(true), "{expression}");
    }
    same("DATEDIFF(day, entered, visited) > 30", "visited - entered > 30");
    refused("SELECT COUNT(*) FROM d WHERE AGE(visited, entered) > 3", "no number", "EXTRACT(YEAR FROM AGE");
    refused("SELECT COUNT(*) FROM d WHERE EXTRACT(YEAR FROM AGE(visited)) > 3", "two days", "CURRENT_DATE");
    refused("SELECT COUNT(*) FROM d WHERE DATE_DIFF('month', entered, visited) > 3", "borders", "DATEDIFF(month");
}
