//! Bounds the depth of a text's chains of operators, and of its queries inside of each other, before it is parsed.
//!
//! Promises a number that no chain is deeper than: `a + a + …` is as many levels deep in sqlparser's tree as it has operators, and sqlparser asks
//! for places and drops such a tree by recursion. Other nesting has sqlparser's own limit, which is too high for queries, as those take most of
//! the stack.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Largest depth of chains: a tree that is so deep fits on the stack that threads have here, also without optimisation.
pub(super) const CHAIN_MAX: usize = 1_024;

/// What stands between two parentheses, or between CASE and END.
#[derive(Default)]
struct Level {
    is_case: bool,
    is_query: bool,
    /// UNION and its kin.
    sets: usize,
    /// AND and OR since the last comma or clause.
    connectives: usize,
    /// Other operators since the last connective, and the largest number of them between two.
    run: usize,
    longest: usize,
    /// The deepest parenthesis since the last comma or clause.
    inner: usize,
    /// The deepest part before that.
    deepest: usize,
}

impl Level {
    /// Ends a part, which the following one does not continue.
    fn separate(&mut self) {
        self.deepest = self.deepest.max(self.connectives + self.longest + self.inner);
        (self.connectives, self.run, self.longest, self.inner) = (0, 0, 0, 0);
    }

    fn depth(mut self) -> usize {
        self.separate();
        self.deepest + self.sets
    }
}

/// How deep a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChainDepth {
    /// The largest depth that its chains can have.
    pub(super) chains: usize,
    /// The largest number of queries inside of each other.
    pub(super) queries: usize,
}

/// The depth of a text of these tokens.
pub(super) fn depth(tokens: &[TokenWithSpan]) -> ChainDepth {
    let (mut outer, mut level) = (Vec::new(), Level::default());
    let (mut open, mut queries) = (0, 0);
    let mut before = Keyword::NoKeyword;
    for token in tokens {
        let token = &token.token;
        let keyword = match token {
            Token::Whitespace(_) => continue,
            Token::Word(word) => word.keyword,
            _ => Keyword::NoKeyword,
        };
        match (token, keyword) {
            (Token::LParen | Token::LBracket, _) | (_, Keyword::CASE) => {
                // A bracket behind an operand is an operator too.
                level.run += usize::from(*token == Token::LBracket);
                level.longest = level.longest.max(level.run);
                outer.push(std::mem::replace(
                    &mut level,
                    Level { is_case: keyword == Keyword::CASE, ..Level::default() },
                ));
            }
            (Token::RParen | Token::RBracket, _) => {
                while level.is_case && close(&mut level, &mut outer) {}
                open -= usize::from(level.is_query && !outer.is_empty());
                close(&mut level, &mut outer);
            }
            (_, Keyword::END) if level.is_case => {
                close(&mut level, &mut outer);
            }
            (_, Keyword::WHEN | Keyword::THEN | Keyword::ELSE) if level.is_case => level.separate(),
            (_, Keyword::FROM) if before == Keyword::DISTINCT => {}
            (_, Keyword::SELECT) if !level.is_case => {
                open += usize::from(!level.is_query);
                queries = queries.max(open);
                level.is_query = true;
                level.separate();
            }
            (Token::Comma, _) | (_, Keyword::FROM | Keyword::WHERE | Keyword::HAVING) => {
                level.separate();
            }
            (_, Keyword::UNION | Keyword::EXCEPT | Keyword::MINUS | Keyword::INTERSECT) => level.sets += 1,
            (_, Keyword::AND | Keyword::OR) => {
                level.connectives += 1;
                level.run = 0;
            }
            (token, keyword) if is_operator(token, keyword) => {
                level.run += 1;
                level.longest = level.longest.max(level.run);
            }
            _ => {}
        }
        before = keyword;
    }
    while close(&mut level, &mut outer) {}
    ChainDepth { chains: level.depth(), queries }
}

/// Returns to the level outside; `false` if there is none.
fn close(level: &mut Level, outer: &mut Vec<Level>) -> bool {
    let Some(outside) = outer.pop() else { return false };
    let depth = std::mem::replace(level, outside).depth();
    level.inner = level.inner.max(depth);
    true
}

/// Whether a token stands between two operands, or behind one.
fn is_operator(token: &Token, keyword: Keyword) -> bool {
    match token {
        Token::Word(_) => matches!(
            keyword,
            Keyword::XOR
                | Keyword::AT
                | Keyword::IS
                | Keyword::IN
                | Keyword::BETWEEN
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::RLIKE
                | Keyword::REGEXP
                | Keyword::MATCH
                | Keyword::GLOB
                | Keyword::SIMILAR
                | Keyword::MEMBER
                | Keyword::OVERLAPS
                | Keyword::OPERATOR
                | Keyword::DIV
                | Keyword::COLLATE
                | Keyword::NOTNULL
        ),
        Token::EOF | Token::Number(..) | Token::SingleQuotedString(_) | Token::Period | Token::SemiColon => false,
        // Every other sign is taken for an operator, as none is missed then.
        _ => true,
    }
}
