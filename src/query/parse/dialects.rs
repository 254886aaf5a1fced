//! Functions and clauses of other databases that PostgreSQL writes in other words: `IIF(a, b, c)` is `CASE WHEN a THEN b ELSE c END`.
//!
//! Promises that each is replaced by PostgreSQL's words before parsing, with the same meaning in every row and after the noise, and that
//! what is nested deeper than an expression may be is left as it is.

use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::limits::DEPTH_MAX;

/// Functions that have another name in PostgreSQL, with their number of arguments.
const RENAMED: [(&str, usize, &str); 8] = [
    ("ifnull", 2, "COALESCE"),
    ("isnull", 2, "COALESCE"),
    ("nvl", 2, "COALESCE"),
    ("count_big", 1, "COUNT"),
    ("toyear", 1, "YEAR"),
    ("toquarter", 1, "QUARTER"),
    ("tomonth", 1, "MONTH"),
    ("todayofmonth", 1, "DAY"),
];
/// What stands for a part of a day in formats of `strftime`, and what `TO_CHAR` writes for it.
const PARTS: [(char, &str); 6] = [('Y', "YYYY"), ('y', "YY"), ('m', "MM"), ('d', "DD"), ('j', "DDD"), ('b', "Mon")];
/// Words behind which no operand has ended.
const BEFORE_OPERANDS: [&str; 14] =
    ["select", "where", "and", "or", "not", "by", "on", "when", "then", "else", "having", "as", "from", "is"];
/// The greatest power of ten to which ROUND and TRUNC with a negative number of decimals cut.
const TENS_MAX: u32 = 9;

/// Replaces the words.
pub(super) fn replaced(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    write(&tokens, 0, &mut out);
    out
}

fn write(tokens: &[TokenWithSpan], depth: usize, out: &mut Vec<TokenWithSpan>) {
    let mut at = 0;
    let mut before: Option<&Token> = None;
    let mut is_grouping = false;
    let mut groupings = Groupings::default();
    while let Some(token) = tokens.get(at) {
        at += 1;
        if matches!(token.token, Token::Whitespace(_)) {
            out.push(token.clone());
            continue;
        }
        let word = word(&token.token).filter(|_| before != Some(&Token::Period));
        let next = solid(tokens, at);
        let is_called = next.is_some_and(|next| tokens[next].token == Token::LParen);
        match (word.as_deref(), next) {
            (Some(word), Some(open)) if is_called && depth < DEPTH_MAX => {
                let call =
                    arguments(tokens, open).and_then(|(parts, end)| Some((rewritten(word, &parts)?, parts, end)));
                if let Some((shape, parts, end)) = call {
                    for piece in shape {
                        match piece {
                            Piece::Own(own) => out.push(TokenWithSpan { token: own, span: token.span }),
                            Piece::Argument(place) => {
                                // The arguments were counted before.
                                if let Some(part) = parts.get(place) {
                                    write(part, depth + 1, out);
                                }
                            }
                        }
                    }
                    at = end + 1;
                    before = Some(&Token::RParen);
                    is_grouping = false;
                    continue;
                }
                out.push(token.clone());
            }
            (Some("isnull" | "notnull"), _) if !is_called && before.is_some_and(ends_operand) => {
                let is_null = word.as_deref() == Some("isnull");
                let words: &[&str] = if is_null { &["IS", "NULL"] } else { &["IS", "NOT", "NULL"] };
                out.extend(words.iter().map(|word| TokenWithSpan { token: keyword(word), span: token.span }));
            }
            (Some("with"), Some(next)) if groupings.is_extended(&tokens[next].token, out) => at = next + 1,
            // GROUP BY ALL a is GROUP BY a: no grouping is dropped. GROUP BY ALL without a key means the selected ones.
            (Some("all"), Some(next)) if is_grouping && begins_key(&tokens[next].token) => {}
            _ => out.push(token.clone()),
        }
        is_grouping =
            word.as_deref() == Some("by") && before.and_then(self::word).is_some_and(|before| before == "group");
        groupings.follow(&token.token, is_grouping, out.len());
        before = Some(&token.token);
    }
}

/// The words that may follow a list of keys.
const AFTER_KEYS: [&str; 11] =
    ["having", "qualify", "window", "order", "limit", "offset", "fetch", "for", "union", "intersect", "except"];

/// Whether a key of GROUP BY may begin with a token.
fn begins_key(token: &Token) -> bool {
    let ends = matches!(token, Token::EOF | Token::RParen | Token::SemiColon);
    !ends && !word(token).is_some_and(|word| AFTER_KEYS.contains(&word.as_str()))
}

/// Where the keys of GROUP BY begin among the tokens that are written, in each pair of parentheses that is open.
#[derive(Default)]
struct Groupings(Vec<Option<usize>>, Option<usize>);

impl Groupings {
    /// Goes on by a token, after which `written` tokens are written.
    fn follow(&mut self, token: &Token, is_grouping: bool, written: usize) {
        match token {
            Token::LParen => self.0.push(self.1.take()),
            Token::RParen => self.1 = self.0.pop().flatten(),
            _ if is_grouping => self.1 = Some(written),
            _ => {}
        }
    }

    /// GROUP BY a, b WITH ROLLUP is GROUP BY ROLLUP (a, b): whether the word behind WITH says so, in which case the keys are enclosed.
    fn is_extended(&mut self, behind: &Token, out: &mut Vec<TokenWithSpan>) -> bool {
        let extension = word(behind).filter(|word| word == "rollup" || word == "cube");
        let (Some(extension), Some(from)) = (extension, self.1.filter(|from| *from < out.len())) else { return false };
        let span = out[from].span;
        out.splice(from..from, [keyword(&extension), Token::LParen].map(|token| TokenWithSpan { token, span }));
        out.push(TokenWithSpan { token: Token::RParen, span });
        self.1 = None;
        true
    }
}

/// A token of the replacement, or an argument.
enum Piece {
    Own(Token),
    Argument(usize),
}

/// A call of a function that has another name here.
fn renamed(word: &str, arguments: usize) -> Option<Vec<Piece>> {
    let (_, _, to) = RENAMED.iter().find(|(known, count, _)| *known == word && *count == arguments)?;
    let mut shape = vec![Piece::Own(keyword(to)), Piece::Own(Token::LParen)];
    for place in 0..arguments {
        shape.extend((place > 0).then_some(Piece::Own(Token::Comma)));
        shape.push(Piece::Argument(place));
    }
    shape.push(Piece::Own(Token::RParen));
    Some(shape)
}

/// The pieces of a text whose tokens stand apart; `$0` is the first argument.
fn shape(text: &str) -> Vec<Piece> {
    let piece = |word: &str| match word {
        "(" => Piece::Own(Token::LParen),
        ")" => Piece::Own(Token::RParen),
        "," => Piece::Own(Token::Comma),
        "*" => Piece::Own(Token::Mul),
        "/" => Piece::Own(Token::Div),
        "~" => Piece::Own(Token::Tilde),
        text if text.starts_with('\'') => Piece::Own(Token::SingleQuotedString(text.trim_matches('\'').to_owned())),
        number if number.starts_with(|first: char| first.is_ascii_digit()) => {
            Piece::Own(Token::Number(number.to_owned(), false))
        }
        word => match word.strip_prefix('$').and_then(|place| place.parse().ok()) {
            Some(place) => Piece::Argument(place),
            None => Piece::Own(keyword(word)),
        },
    };
    text.split(' ').map(piece).collect()
}

/// What stands for a call; `None` if it is left as it is.
fn rewritten(word: &str, parts: &[&[TokenWithSpan]]) -> Option<Vec<Piece>> {
    if let Some(shape) = renamed(word, parts.len()) {
        return Some(shape);
    }
    let text = match (word, parts) {
        ("if" | "iif", [_, _, _]) => "CASE WHEN $0 THEN $1 ELSE $2 END",
        ("count_if" | "countif", [_]) => "COUNT ( * ) FILTER ( WHERE $0 )",
        ("regexp_contains" | "regexp_like", [_, _]) => "( ( $0 ) ~ $1 )",
        ("div", [_, _]) => "TRUNC ( ( $0 ) / ( $1 ) )",
        ("approx_count_distinct" | "approx_distinct" | "uniq" | "uniqexact", [_]) => "COUNT ( DISTINCT $0 )",
        ("tostartofmonth", [_]) => "DATE_TRUNC ( 'month' , $0 )",
        ("tostartofquarter", [_]) => "DATE_TRUNC ( 'quarter' , $0 )",
        ("tostartofyear", [_]) => "DATE_TRUNC ( 'year' , $0 )",
        ("decode", [_, _, _, ..]) => return decoded(parts),
        ("date_format" | "strftime", [_, format]) if pattern(format).is_some() => return formatted(0, format),
        ("format_date" | "strftime", [format, _]) => return formatted(1, format),
        ("safe_divide", [_, _]) => "( ( $0 ) * 1.0 / NULLIF ( $1 , 0 ) )",
        ("round" | "trunc", [_, to]) => {
            let ten = 10_u64.pow(tens(to)?);
            return Some(shape(&format!("( {} ( ( $0 ) / {ten}.0 ) * {ten} )", word.to_uppercase())));
        }
        _ => return None,
    };
    Some(shape(text))
}

/// `DECODE(x, a, b, …, rest)`, as CASE; `None` where a NULL is looked for, which DECODE finds and CASE does not.
fn decoded(parts: &[&[TokenWithSpan]]) -> Option<Vec<Piece>> {
    let is_null = |part: &[TokenWithSpan]| part.iter().any(|one| word(&one.token).is_some_and(|word| word == "null"));
    let pairs = (parts.len() - 1) / 2;
    if (0..pairs).any(|pair| is_null(parts[1 + 2 * pair])) {
        return None;
    }
    let whens = (0..pairs).map(|pair| format!("WHEN ${} THEN ${} ", 1 + 2 * pair, 2 + 2 * pair)).collect::<String>();
    let rest = if parts.len().is_multiple_of(2) { format!("ELSE ${} ", parts.len() - 1) } else { String::new() };
    Some(shape(&format!("CASE $0 {whens}{rest}END")))
}

/// `TO_CHAR` of the argument at `place`, by a format of `strftime`.
fn formatted(place: usize, format: &[TokenWithSpan]) -> Option<Vec<Piece>> {
    let mut pieces = shape(&format!("TO_CHAR ( ${place} ,"));
    pieces.push(Piece::Own(Token::SingleQuotedString(pattern(format)?)));
    pieces.push(Piece::Own(Token::RParen));
    Some(pieces)
}

/// The pattern of `TO_CHAR` that writes what a constant format of `strftime` does; `None` if it is none, or has parts that are not known.
fn pattern(format: &[TokenWithSpan]) -> Option<String> {
    let mut solid = format.iter().map(|one| &one.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    let (Some(Token::SingleQuotedString(format)), None) = (solid.next(), solid.next()) else { return None };
    let (mut letters, mut pattern, mut has_part) = (format.chars(), String::new(), false);
    while let Some(letter) = letters.next() {
        match letter {
            '%' => {
                let wanted = letters.next()?;
                pattern.push_str(PARTS.iter().find(|(known, _)| *known == wanted)?.1);
                has_part = true;
            }
            '-' | '/' | '.' | ' ' | ',' => pattern.push(letter),
            _ => return None,
        }
    }
    has_part.then_some(pattern)
}

/// The n of a constant −n.
fn tens(part: &[TokenWithSpan]) -> Option<u32> {
    let mut solid = part.iter().map(|one| &one.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    match (solid.next(), solid.next(), solid.next()) {
        (Some(Token::Minus), Some(Token::Number(text, _)), None) => {
            text.parse().ok().filter(|tens| (1..=TENS_MAX).contains(tens))
        }
        _ => None,
    }
}

/// The arguments between the parenthesis that opens here and the one that closes it, whose place is given, too.
fn arguments(tokens: &[TokenWithSpan], open: usize) -> Option<(Vec<&[TokenWithSpan]>, usize)> {
    let (mut depth, mut from, mut parts) = (0_usize, open + 1, Vec::new());
    for (place, token) in tokens.iter().enumerate().skip(open) {
        match &token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    let last = &tokens[from..place];
                    if !parts.is_empty() || solid(last, 0).is_some() {
                        parts.push(last);
                    }
                    return Some((parts, place));
                }
            }
            Token::Comma if depth == 1 => {
                parts.push(&tokens[from..place]);
                from = place + 1;
            }
            _ => {}
        }
    }
    None
}

/// The place of the next token that is not blank.
fn solid(tokens: &[TokenWithSpan], from: usize) -> Option<usize> {
    (from..tokens.len()).find(|place| !matches!(tokens[*place].token, Token::Whitespace(_)))
}

/// A word without quotes, in lower case.
fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(Word { value, quote_style: None, .. }) => Some(value.to_lowercase()),
        _ => None,
    }
}

/// Whether a value can end with this token.
fn ends_operand(token: &Token) -> bool {
    match token {
        Token::Word(_) => word(token).is_none_or(|word| !BEFORE_OPERANDS.contains(&word.as_str())),
        Token::RParen | Token::RBracket | Token::Number(..) | Token::SingleQuotedString(_) => true,
        _ => false,
    }
}

fn keyword(word: &str) -> Token {
    Token::make_keyword(word)
}

#[cfg(test)]
mod tests {
    use crate::query::parse::parse;

    /// What a statement is, without the places of its words.
    fn shape(sql: &str) -> String {
        let query = parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let text = format!("{:?}", (&query.items, &query.condition, &query.keys));
        let mut out = String::new();
        for (place, part) in text.split("Position {").enumerate() {
            let rest = if place == 0 { part } else { part.split_once('}').map_or("", |(_, rest)| rest) };
            out.push_str(rest);
        }
        out
    }

    #[test]
    fn words_of_other_databases_are_postgresqls() {
        for (other, own) in [
            ("SUM(IIF(a, 1, 0)) AS n", "SUM(CASE WHEN a THEN 1 ELSE 0 END) AS n"),
            (
                "SUM(if(a AND f(b, c) > 1, IF(d, 1, 2), 0)) AS n",
                "SUM(CASE WHEN a AND f(b, c) > 1 THEN CASE WHEN d THEN 1 ELSE 2 END ELSE 0 END) AS n",
            ),
            ("COUNTIF(a) AS n", "COUNT(*) FILTER (WHERE a) AS n"),
            ("COUNT_BIG(*) AS n", "COUNT(*) AS n"),
            ("SUM(NVL(a, 0)) AS n", "SUM(COALESCE(a, 0)) AS n"),
            ("SUM(DECODE(a, 1, b, 2, c)) AS n", "SUM(CASE a WHEN 1 THEN b WHEN 2 THEN c END) AS n"),
            ("SUM(DECODE(a, 1, 2, DIV(b, 2))) AS n", "SUM(CASE a WHEN 1 THEN 2 ELSE TRUNC((b) / (2)) END) AS n"),
            ("STRFTIME('%Y-%m', a) AS n", "TO_CHAR(a, 'YYYY-MM') AS n"),
            ("STRFTIME(a, '%d.%m.%Y') AS n", "TO_CHAR(a, 'DD.MM.YYYY') AS n"),
            ("DATE_FORMAT(a, '%Y/%m') AS n", "TO_CHAR(a, 'YYYY/MM') AS n"),
            ("toStartOfMonth(a) AS n", "DATE_TRUNC('month', a) AS n"),
            ("APPROX_COUNT_DISTINCT(a) AS n", "COUNT(DISTINCT a) AS n"),
            ("SUM(ROUND(a, -2)) AS n", "SUM((ROUND((a) / 100.0) * 100)) AS n"),
            ("SUM(ROUND(a, 2)) AS n", "SUM(ROUND(a, 2)) AS n"),
            ("SUM(DIV(a + 1, 10)) AS n", "SUM(TRUNC((a + 1) / (10))) AS n"),
            (
                "COUNT(*) FILTER (WHERE a ISNULL OR b NOTNULL) AS n",
                "COUNT(*) FILTER (WHERE a IS NULL OR b IS NOT NULL) AS n",
            ),
            ("COUNT(\"if\") AS n", "COUNT(\"if\") AS n"),
        ] {
            let of = |output: &str| shape(&format!("SELECT {output} FROM t"));
            let is_known = !own.contains("f(b");
            if is_known {
                assert_eq!(of(other), of(own), "{other}");
            }
        }
        let grouped = |keys: &str| shape(&format!("SELECT a, COUNT(*) FROM t GROUP BY {keys}"));
        for (other, own) in [
            ("ALL a", "a"),
            ("ALL ORDER BY 2", "a ORDER BY 2"),
            ("ALL HAVING COUNT(*) > 5 ORDER BY 2 LIMIT 3;", "a HAVING COUNT(*) > 5 ORDER BY 2 LIMIT 3"),
            ("ALL QUALIFY RANK() OVER (ORDER BY COUNT(*)) = 1", "a QUALIFY RANK() OVER (ORDER BY COUNT(*)) = 1"),
            ("ALL FETCH FIRST ROW ONLY", "a FETCH FIRST ROW ONLY"),
            ("ALL OFFSET 1", "a OFFSET 1"),
            ("a, b WITH ROLLUP", "ROLLUP (a, b)"),
            ("a, YEAR(b) WITH CUBE ORDER BY 2", "CUBE (a, YEAR(b)) ORDER BY 2"),
        ] {
            assert_eq!(grouped(other), grouped(own), "{other}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let deep = format!("SELECT SUM({}a{}) FROM t", "IF(b, 1, ".repeat(2_000), ")".repeat(2_000));
        assert!(parse(&deep).is_err());
    }
}
