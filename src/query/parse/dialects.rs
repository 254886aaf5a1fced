//! Functions and clauses of other databases that PostgreSQL writes in other words: `IIF(a, b, c)` is `CASE WHEN a THEN b ELSE c END`.
//!
//! Promises that each is replaced by PostgreSQL's words before parsing, with the same meaning in every row and after the noise, and that
//! what is nested deeper than an expression may be is left as it is.

use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::limits::DEPTH_MAX;

/// Functions that have another name in PostgreSQL, with their number of arguments.
const RENAMED: [(&str, usize, &str); 4] =
    [("ifnull", 2, "COALESCE"), ("isnull", 2, "COALESCE"), ("nvl", 2, "COALESCE"), ("count_big", 1, "COUNT")];
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
            // GROUP BY ALL a is GROUP BY a: no grouping is dropped.
            (Some("all"), Some(next)) if is_grouping && !matches!(tokens[next].token, Token::EOF | Token::RParen) => {}
            _ => out.push(token.clone()),
        }
        is_grouping =
            word.as_deref() == Some("by") && before.and_then(self::word).is_some_and(|before| before == "group");
        before = Some(&token.token);
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

/// What stands for a call; `None` if it is left as it is.
fn rewritten(word: &str, parts: &[&[TokenWithSpan]]) -> Option<Vec<Piece>> {
    use Token::{Comma, Div, LParen, Mul, RParen};
    let own = |token: Token| Piece::Own(token);
    let key = |word: &str| Piece::Own(keyword(word));
    let number = |text: String| Piece::Own(Token::Number(text, false));
    if let Some(shape) = renamed(word, parts.len()) {
        return Some(shape);
    }
    let argument = Piece::Argument;
    Some(match (word, parts) {
        ("if" | "iif", [_, _, _]) => {
            vec![key("CASE"), key("WHEN"), argument(0), key("THEN"), argument(1), key("ELSE"), argument(2), key("END")]
        }
        ("count_if" | "countif", [_]) => vec![
            key("COUNT"),
            own(LParen),
            own(Mul),
            own(RParen),
            key("FILTER"),
            own(LParen),
            key("WHERE"),
            argument(0),
            own(RParen),
        ],
        ("regexp_contains" | "regexp_like", [_, _]) => {
            vec![own(LParen), own(LParen), argument(0), own(RParen), own(Token::Tilde), argument(1), own(RParen)]
        }
        ("div", [_, _]) => vec![
            key("TRUNC"),
            own(LParen),
            own(LParen),
            argument(0),
            own(RParen),
            own(Div),
            own(LParen),
            argument(1),
            own(RParen),
            own(RParen),
        ],
        ("safe_divide", [_, _]) => vec![
            own(LParen),
            own(LParen),
            argument(0),
            own(RParen),
            own(Mul),
            number("1.0".to_owned()),
            own(Div),
            key("NULLIF"),
            own(LParen),
            argument(1),
            own(Comma),
            number("0".to_owned()),
            own(RParen),
            own(RParen),
        ],
        ("round" | "trunc", [_, to]) => {
            let ten = 10_u64.pow(tens(to)?).to_string();
            vec![
                own(LParen),
                key(if word == "round" { "ROUND" } else { "TRUNC" }),
                own(LParen),
                own(LParen),
                argument(0),
                own(RParen),
                own(Div),
                number(format!("{ten}.0")),
                own(RParen),
                own(Mul),
                number(ten),
                own(RParen),
            ]
        }
        _ => return None,
    })
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
        assert_eq!(shape("SELECT a, COUNT(*) FROM t GROUP BY ALL a"), shape("SELECT a, COUNT(*) FROM t GROUP BY a"));
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let deep = format!("SELECT SUM({}a{}) FROM t", "IF(b, 1, ".repeat(2_000), ")".repeat(2_000));
        assert!(parse(&deep).is_err());
    }
}
