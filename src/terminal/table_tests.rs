//! Tables at several widths: what is wrapped, what is left out, and what is never broken.

use super::*;

fn accounts() -> TextTable {
    let columns = vec![
        TextColumn::word("name"),
        TextColumn::number("left"),
        TextColumn::text("note").optional(1),
        TextColumn::number("answers of this price left").optional(2),
    ];
    let row = |name: &str, left: &str, note: &str, more: &str| [name, left, note, more].map(str::to_owned).to_vec();
    let rows = [
        row("researcher", "93.7 %", "of project asthma, this period, from 2026-11-01 to 2026-12-01", "1\u{202f}560"),
        row("ada", "0 %", "", "0"),
    ];
    TextTable::new(columns, rows)
}

fn check(width: usize, expected: &str) {
    let shown = accounts().shown(&Screen::terminal(width));
    assert_eq!(shown, expected.trim_start_matches('\n').trim_end(), "\n{shown}\n");
    assert!(shown.lines().all(|line| text_width(line) <= width), "{shown}");
}

#[test]
fn a_table_fits_its_screen() {
    check(
        120,
        "
name          left  note                                                           answers of this price left
──────────  ──────  ─────────────────────────────────────────────────────────────  ──────────────────────────
researcher  93.7 %  of project asthma, this period, from 2026-11-01 to 2026-12-01                       1\u{202f}560
ada            0 %                                                                                          0",
    );
    check(
        60,
        "
name          left  note                          answers of
                                                  this price
                                                        left
──────────  ──────  ────────────────────────  ──────────────
researcher  93.7 %  of project asthma, this            1\u{202f}560
                    period, from 2026-11-01
                    to 2026-12-01
ada            0 %                                         0",
    );
    check(
        36,
        "
name          left  note
──────────  ──────  ────────────────
researcher  93.7 %  of project
                    asthma, this
                    period, from
                    2026-11-01 to
                    2026-12-01
ada            0 %
(no room for: answers of this price
left; a wider terminal or --json
shows them)",
    );
}

#[test]
fn columns_that_cannot_be_narrower_become_records() {
    let columns = vec![TextColumn::word("name"), TextColumn::number("a long heading"), TextColumn::number("n")];
    let row = vec!["a\u{1b}[31m name of letters".to_owned(), "123456789012345".to_owned(), "1".to_owned()];
    let shown = TextTable::new(columns, [row]).shown(&Screen::terminal(34));
    let expected = "
── 1 ─────────────────────────────
name            a [31m name of
                letters
a long heading  123456789012345
n               1";
    assert_eq!(shown, expected.trim_start(), "\n{shown}");
}

#[test]
fn a_column_without_values_takes_no_room() {
    let table =
        || TextTable::new(vec![TextColumn::word("a"), TextColumn::text("b")], [vec!["x".to_owned(), String::new()]]);
    assert_eq!(table().shown(&Screen::terminal(40)), "a\n─\nx");
    assert_eq!(table().shown(&Screen::plain()), "a  b\nx", "programs find the columns that they know");
}

#[test]
fn programs_get_every_column_on_one_line() {
    let shown = accounts().shown(&Screen::plain());
    assert_eq!(shown.lines().count(), 3);
    assert!(shown.contains("of project asthma, this period, from 2026-11-01 to 2026-12-01"), "{shown}");
}

#[test]
fn texts_are_broken_at_spaces_and_only_long_words_within() {
    assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    assert_eq!(wrapped("onetwothree", 4), ["onet", "woth", "ree"]);
    assert_eq!(wrapped("日本語", 4), ["日本", "語"]);
    assert_eq!(wrapped("0  …  5", 9), ["0  …  5"]);
    assert_eq!(wrapped("", 9), [""]);
    assert_eq!(wrapped("about 93.7 % left", 11), ["about", "93.7 % left"]);
    assert_eq!(wrapped("it costs ε 0.3", 11), ["it costs", "ε 0.3"]);
    assert_eq!(head_lines("lower_quartile of all", 9), ["lower_", "quartile", "of all"]);
}
