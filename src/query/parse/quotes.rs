//! Names between backquotes and between brackets, as other databases quote them.
//!
//! Promises that such a name becomes the same name between double quotes, at the same place, and that nothing inside of texts and comments
//! is changed. PostgreSQL gives no meaning to a backquote, and none to a bracket where a value begins.

use std::borrow::Cow;

use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// Words behind which a name may begin.
const BEFORE_NAMES: [&str; 22] = [
    "select", "where", "and", "or", "not", "by", "on", "when", "then", "else", "having", "as", "from", "is", "join",
    "distinct", "in", "between", "case", "like", "all", "using",
];

/// The text with each name between backquotes between double quotes.
pub(super) fn without_backquotes(sql: &str) -> Cow<'_, str> {
    if !sql.contains('`') {
        return Cow::Borrowed(sql);
    }
    let (mut out, mut rest) = (String::with_capacity(sql.len()), sql);
    while let Some(letter) = rest.chars().next() {
        let length = match letter {
            '\'' => closed(rest, 1, "'", is_escaping(&out)),
            '"' => closed(rest, 1, "\"", false),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest),
            '$' => dollars(rest).unwrap_or(1),
            '`' => match rest[1..].split_once('`') {
                Some((name, _)) if !name.is_empty() && !name.contains(['"', '\n']) => {
                    out.push_str(&format!("\"{name}\""));
                    rest = &rest[name.len() + 2..];
                    continue;
                }
                Some(_) | None => 1,
            },
            letter => letter.len_utf8(),
        };
        let (same, behind) = rest.split_at(length);
        out.push_str(same);
        rest = behind;
    }
    Cow::Owned(out)
}

/// Whether a text that begins behind this one has escapes, as `E'…'` has.
fn is_escaping(before: &str) -> bool {
    let word = before.strip_suffix(['e', 'E']);
    word.is_some_and(|rest| !rest.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_'))
}

/// The length of a text up to its closing quote; a doubled quote is inside, and so is one behind a backslash if those escape.
fn closed(text: &str, from: usize, quote: &str, escapes: bool) -> usize {
    let mut at = from;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        if escapes && letter == '\\' {
            at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
        } else if let Some(behind) = rest.strip_prefix(quote) {
            if !behind.starts_with(quote) {
                return at + quote.len();
            }
            at += 2 * quote.len();
        } else {
            at += letter.len_utf8();
        }
    }
    text.len()
}

/// The length of a comment, which may have others inside.
fn comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if rest.starts_with("*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a text between `$tag$` and `$tag$`; `None` if none begins here.
fn dollars(text: &str) -> Option<usize> {
    let end = text[1..].find('$')? + 2;
    let tag = &text[..end];
    let is_tag = tag[1..end - 1].chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && !tag[1..].starts_with(|letter: char| letter.is_ascii_digit());
    text[end..].find(tag).filter(|_| is_tag).map(|inner| end + inner + tag.len())
}

/// The tokens with each name between brackets as a quoted name. Brackets behind a value choose one of its elements and are left as they are.
pub(super) fn without_brackets(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|token| token.token == Token::LBracket) {
        return tokens;
    }
    let (mut out, mut at): (Vec<TokenWithSpan>, usize) = (Vec::with_capacity(tokens.len()), 0);
    let (mut begins, mut is_top) = (true, false);
    while let Some(token) = tokens.get(at) {
        if let Some((name, length)) = bracketed(&tokens, at).filter(|_| begins) {
            let word = Token::make_word(&name, Some('"'));
            out.push(TokenWithSpan { token: word, span: token.span });
            (at, is_top) = (at + length, false);
            continue;
        }
        match &token.token {
            Token::Whitespace(_) => {}
            Token::Word(Word { value, quote_style: None, .. }) => {
                let word = value.to_lowercase();
                (begins, is_top) = (BEFORE_NAMES.contains(&word.as_str()), word == "top");
            }
            // The number of TOP stands before the first name.
            Token::Number(..) => begins = is_top,
            Token::LParen => begins = true,
            Token::Word(_) | Token::RBracket | Token::LBracket | Token::SingleQuotedString(_) => begins = false,
            _ => (begins, is_top) = (true, false),
        }
        out.push(token.clone());
        at += 1;
    }
    out
}

/// The name between brackets that opens here, with its number of tokens.
fn bracketed(tokens: &[TokenWithSpan], open: usize) -> Option<(String, usize)> {
    if tokens.get(open)?.token != Token::LBracket {
        return None;
    }
    let mut name = String::new();
    for (place, token) in tokens.iter().enumerate().skip(open + 1) {
        match &token.token {
            Token::RBracket if !name.is_empty() => return Some((name, place + 1 - open)),
            Token::Word(Word { value, quote_style: None, .. }) => name.push_str(value),
            Token::Whitespace(_) | Token::Number(..) if !name.is_empty() => name.push_str(&token.token.to_string()),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parse::parse;

    #[test]
    fn backquotes_are_double_quotes() {
        for (sql, wanted) in [
            ("SELECT `a` FROM `t`", "SELECT \"a\" FROM \"t\""),
            ("SELECT '`a`', E'\\'`a`' FROM `t`", "SELECT '`a`', E'\\'`a`' FROM \"t\""),
            ("SELECT 'it''s `a`' -- `b`\n, `c`", "SELECT 'it''s `a`' -- `b`\n, \"c\""),
            ("/* /* `a` */ `b` */ `c`", "/* /* `a` */ `b` */ \"c\""),
            ("$x$ `a` $x$ `b`", "$x$ `a` $x$ \"b\""),
            ("\"`a`\" `ü b`", "\"`a`\" \"ü b\""),
            ("`a", "`a"),
            ("'`", "'`"),
            ("/* `a`", "/* `a`"),
        ] {
            assert_eq!(without_backquotes(sql), wanted, "{sql}");
        }
    }

    #[test]
    fn names_between_brackets_are_names() {
        for (sql, other) in [
            (
                "SELECT [a], COUNT(*) AS [n] FROM [t] GROUP BY [a]",
                "SELECT \"a\", COUNT(*) AS \"n\" FROM \"t\" GROUP BY \"a\"",
            ),
            ("SELECT TOP 2 [a], COUNT(*) [n] FROM [t] [u]", "SELECT TOP 2 \"a\", COUNT(*) \"n\" FROM \"t\" \"u\""),
            ("SELECT TOP (2) [a], COUNT(*) AS n FROM t", "SELECT TOP (2) \"a\", COUNT(*) AS n FROM t"),
            (
                "SELECT COUNT(*) AS n FROM t WHERE [my a] = 1 AND [t].[b] > 2",
                "SELECT COUNT(*) AS n FROM t WHERE \"my a\" = 1 AND \"t\".\"b\" > 2",
            ),
        ] {
            assert_eq!(parse(sql), parse(other), "{sql}");
            assert!(parse(sql).is_ok(), "{sql}");
        }
        for sql in ["SELECT a[b], COUNT(*) AS n FROM t GROUP BY 1", "SELECT COUNT(*)[1] AS n FROM t"] {
            assert!(parse(sql).is_err(), "{sql}");
        }
    }
}
