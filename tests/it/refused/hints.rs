//! What a hint proposes, and whether it leads to what was meant.
//!
//! A hint proposes a form with the words `write …`, `did you mean …?` or `leave … out`, and more than one answer with `ask …`. Any other
//! hint says what is known, as in "its columns are region and age". `…` and `<name>` stand for anything, and so do a few short names.

use tacit::query::error::Position;

/// One form that a hint proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposal {
    /// `write X`: what is meant contains X, and the question does not.
    Written(String),
    /// `did you mean X?`: what is meant has X where the fault is.
    Instead(String),
    /// `leave X out`: what is meant is the question without X.
    Left(String),
    /// `ask for X first`, `at a time`: what is meant takes several questions.
    Asked(String),
    /// Anything else that tells people to do something, which leads nowhere.
    Prose(String),
}

/// Words that begin a proposal.
const VERBS: [&str; 20] = [
    "add", "ask", "choose", "clamp", "compare", "compute", "count", "give", "group", "instead", "join", "let", "list",
    "name", "order", "put", "round", "select", "take", "use",
];
/// Names that stand for anything in a form.
const PLACEHOLDERS: [&str; 8] = ["a", "b", "c", "d", "low", "high", "t", "table"];
/// Words that end a form.
const PROSE: [&str; 17] = [
    "alone", "and", "as", "behind", "beside", "first", "for", "if", "in", "into", "of", "on", "that", "to", "where",
    "which", "with",
];

/// What a hint proposes.
pub fn proposals(hint: &str) -> Vec<Proposal> {
    let mut found = Vec::new();
    for clause in hint.split("; ") {
        let mut before = "";
        for part in clause.split(", or ") {
            let verb = part.split(' ').next().unwrap_or_default();
            if let Some(form) = part.strip_prefix("did you mean ") {
                found.push(Proposal::Instead(form.trim_end_matches('?').to_owned()));
            } else if let Some(form) = part.strip_prefix("leave ").and_then(|rest| rest.split_once(" out")) {
                found.push(Proposal::Left(form.0.to_owned()));
            } else if let Some(form) = part.strip_prefix("write ") {
                found.push(written(form));
            } else if verb == "ask" {
                found.push(Proposal::Asked(part.to_owned()));
            } else if VERBS.contains(&verb) {
                found.push(Proposal::Prose(part.to_owned()));
            } else if before == "write" {
                found.push(written(part));
            }
            before = if before.is_empty() || ["write", "ask"].contains(&verb) { verb } else { before };
        }
    }
    found
}

/// The form in what follows `write`: up to the words around it, or behind a colon if words alone stand before that.
fn written(text: &str) -> Proposal {
    let has_form = |text: &str| text.chars().any(|c| c.is_uppercase() || "()=<-'…".contains(c));
    let form = match text.split_once(": ") {
        Some((words, form)) if !has_form(words) => form,
        Some((form, _)) => form,
        None => text,
    };
    let words: Vec<&str> = form.split(' ').take_while(|word| !PROSE.contains(word)).collect();
    let form = words.join(" ").trim_end_matches(',').to_owned();
    if has_form(&form) { Proposal::Written(form) } else { Proposal::Prose(text.to_owned()) }
}

/// Words, numbers, texts and signs of SQL.
pub fn tokens(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            '\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            '<' if rest[1..].starts_with(|c: char| c.is_lowercase()) => rest.find('>').map_or(1, |end| end + 1),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        tokens.push(if rest[..length].len() > 1 && first == '<' {
            "…".to_owned()
        } else {
            rest[..length].to_owned()
        });
        rest = rest[length..].trim_start();
    }
    tokens
}

/// How often SQL contains a form.
fn count(sql: &[String], form: &[String]) -> usize {
    (0..sql.len()).filter(|from| begins(&sql[*from..], form)).count()
}

/// Whether SQL begins with a form.
fn begins(sql: &[String], form: &[String]) -> bool {
    let [first, rest @ ..] = form else { return true };
    let is_any = |token: &String| token == "…" || PLACEHOLDERS.contains(&token.as_str());
    match sql {
        [] => false,
        [token, others @ ..] if !is_any(first) || token == first => {
            token.eq_ignore_ascii_case(first) && begins(others, rest)
        }
        _ => (1..=sql.len()).any(|taken| begins(&sql[taken..], rest)),
    }
}

/// The parts of a form in square brackets may be missing.
fn without_options(form: &str) -> String {
    let mut text = form.to_owned();
    while let Some((from, to)) = text.find(" [").and_then(|from| Some((from, text[from..].find(']')?))) {
        text.replace_range(from..=from + to, "");
    }
    text
}

/// The question with another word at a place.
pub fn replaced(sql: &str, at: Position, word: &str) -> String {
    let line =
        sql.split_inclusive('\n').take(usize::try_from(at.line - 1).expect("few lines")).map(str::len).sum::<usize>();
    let column = sql[line..]
        .chars()
        .take(usize::try_from(at.column - 1).expect("few columns"))
        .map(char::len_utf8)
        .sum::<usize>();
    let (before, rest) = sql.split_at(line + column);
    let first = tokens(rest).into_iter().next().unwrap_or_default();
    format!("{before}{word}{}", &rest[first.len()..])
}

/// Whether a form that is written, or left out, leads from a question to what is meant.
pub fn leads(proposal: &Proposal, asked: &str, meant: &str) -> bool {
    let (asked, meant) = (tokens(asked), tokens(meant));
    match proposal {
        Proposal::Written(form) => {
            let form = tokens(&without_options(form));
            count(&meant, &form) > count(&asked, &form)
        }
        Proposal::Left(words) => {
            let words = tokens(words);
            let Some(length) = asked.len().checked_sub(meant.len()) else { return false };
            (0..=meant.len()).any(|from| {
                let left = &asked[from..from + length];
                let is_it =
                    words.first().is_some_and(|first| first.starts_with(char::is_lowercase)) || count(left, &words) > 0;
                is_it && asked[..from] == meant[..from] && asked[from + length..] == meant[from..]
            })
        }
        Proposal::Instead(_) | Proposal::Asked(_) | Proposal::Prose(_) => false,
    }
}

#[test]
fn what_a_hint_proposes_is_found() {
    let check = |hint: &str, expected: &[Proposal]| assert_eq!(proposals(hint), expected, "{hint}");
    let written = |form: &str| Proposal::Written(form.to_owned());
    check("write GROUP BY age for one row of each of its values", &[written("GROUP BY age")]);
    check("write IS NULL, or IS NOT NULL", &[written("IS NULL"), written("IS NOT NULL")]);
    check("write the names of the columns: SELECT a, b FROM …", &[written("SELECT a, b FROM …")]);
    check("did you mean 'north'?", &[Proposal::Instead("'north'".to_owned())]);
    check("leave FOR UPDATE out", &[Proposal::Left("FOR UPDATE".to_owned())]);
    check("ask for one grouping at a time", &[Proposal::Asked("ask for one grouping at a time".to_owned())]);
    check("its columns are region and age", &[]);
    check("give it another name", &[Proposal::Prose("give it another name".to_owned())]);
    check("write another name", &[Proposal::Prose("another name".to_owned())]);
}

#[test]
fn a_form_that_means_something_else_leads_nowhere() {
    let asked = "SELECT age, COUNT(*) FROM visits";
    let write = |form: &str| Proposal::Written(form.to_owned());
    for (proposal, asked, meant, expected) in [
        (write("GROUP BY age"), asked, "SELECT age, COUNT(*) FROM visits GROUP BY age", true),
        (write("GROUP BY region"), asked, "SELECT age, COUNT(*) FROM visits GROUP BY age", false),
        (write("GROUP BY …, sex"), asked, "SELECT age, COUNT(*) FROM visits GROUP BY age, sex", true),
        (write("SELECT … FROM <dataset> [WHERE …]"), "SELEC COUNT(*) FROM visits", "SELECT COUNT(*) FROM visits", true),
        (write("SUM(a + b)"), asked, "SELECT SUM(cost + age) FROM visits", true),
        (write("SUM(a * b)"), asked, "SELECT SUM(cost + age) FROM visits", false),
        // The question has the form already.
        (write("COUNT(*)"), asked, "SELECT COUNT(*) FROM visits", false),
        (Proposal::Left("age".to_owned()), asked, "SELECT COUNT(*) FROM visits", true),
        (Proposal::Left("FROM".to_owned()), asked, "SELECT age, COUNT(*) FROM visits LIMIT 1", false),
        (Proposal::Left("DISTINCT".to_owned()), "SELECT DISTINCT a FROM t", "SELECT a FROM t", true),
        (Proposal::Left("DISTINCT".to_owned()), "SELECT DISTINCT a FROM t", "SELECT DISTINCT FROM t", false),
    ] {
        assert_eq!(leads(&proposal, asked, meant), expected, "{proposal:?} from {asked} to {meant}");
    }
    let at = Position { line: 2, column: 7 };
    assert_eq!(replaced("SELECT a\nWHERE 'nort' = b", at, "'north'"), "SELECT a\nWHERE 'north' = b");
}
