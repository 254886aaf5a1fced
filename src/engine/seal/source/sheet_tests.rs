//! Tests of what is read of small workbooks, and of the words in which they are refused.

use std::path::PathBuf;

use crate::engine::seal::source::open::Source;
use crate::engine::seal::source::tests::{read, written};
use crate::engine::seal::source::{SourceSpec, WantedColumn};

/// An uncompressed ZIP file.
fn zip(files: &[(String, String)]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    let fields = |out: &mut Vec<u8>, fields: &[(u64, usize)]| {
        fields.iter().for_each(|(value, length)| out.extend(&value.to_le_bytes()[..*length]));
    };
    for (name, text) in files {
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let (offset, length) = (bytes.len() as u64, text.len() as u64);
        let shared = [(20, 2), (0, 2), (0, 2), (0, 2), (33, 2), (u64::from(crc.sum()), 4), (length, 4), (length, 4)];
        fields(&mut bytes, &[(0x0403_4b50, 4)]);
        fields(&mut bytes, &shared);
        fields(&mut bytes, &[(name.len() as u64, 2), (0, 2)]);
        bytes.extend(name.as_bytes());
        bytes.extend(text.as_bytes());
        fields(&mut directory, &[(0x0201_4b50, 4), (20, 2)]);
        fields(&mut directory, &shared);
        fields(&mut directory, &[(name.len() as u64, 2), (0, 2), (0, 2), (0, 2), (0, 2), (0, 4), (offset, 4)]);
        directory.extend(name.as_bytes());
    }
    let (count, offset) = (files.len() as u64, bytes.len() as u64);
    let length = directory.len() as u64;
    bytes.extend(directory);
    fields(&mut bytes, &[(0x0605_4b50, 4), (0, 4), (count, 2), (count, 2), (length, 4), (offset, 4), (0, 2)]);
    bytes
}

/// A workbook of these sheets: each has a name, a state, the contents of `sheetData`, and what follows it.
fn workbook(calendar: &str, sheets: &[(&str, &str, &str, &str)]) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let packages = "http://schemas.openxmlformats.org/package/2006/relationships";
    let listed = sheets.iter().enumerate().map(|(at, (name, state, ..))| {
        format!("<sheet name=\"{name}\" sheetId=\"{0}\" state=\"{state}\" r:id=\"r{0}\"/>", at + 1)
    });
    let related = (1..=sheets.len()).map(|at| {
        format!("<Relationship Id=\"r{at}\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>")
    });
    // Styles 0 to 3: plain, a date, a date with time, a duration.
    let styles = "<numFmts count=\"2\"><numFmt numFmtId=\"170\" formatCode=\"yyyy\\-mm\\-dd\\ hh:mm:ss\"/>\
        <numFmt numFmtId=\"171\" formatCode=\"[h]:mm:ss\"/></numFmts>\
        <cellXfs count=\"4\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"170\"/><xf numFmtId=\"171\"/></cellXfs>";
    let mut files = vec![
        (
            "_rels/.rels".to_owned(),
            format!(
                "<Relationships xmlns=\"{packages}\"><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" \
                 Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml".to_owned(),
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><workbookPr {calendar}/><sheets>{}</sheets></workbook>",
                listed.collect::<String>()
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!("<Relationships xmlns=\"{packages}\">{}</Relationships>", related.collect::<String>()),
        ),
        ("xl/styles.xml".to_owned(), format!("<styleSheet xmlns=\"{main}\">{styles}</styleSheet>")),
    ];
    for (at, (_, _, rows, behind)) in sheets.iter().enumerate() {
        let text = format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData>{behind}</worksheet>");
        files.push((format!("xl/worksheets/sheet{}.xml", at + 1), text));
    }
    zip(&files)
}

/// A row of cells: `=x` is a text, `!x` is raw XML, an empty text is no cell, and anything else is a number.
fn row(number: u32, cells: &[&str]) -> String {
    let cell = |(at, text): (usize, &&str)| {
        let place = format!("r=\"{}{number}\"", char::from(b'A' + u8::try_from(at).expect("a column")));
        match text.split_at_checked(1) {
            Some(("=", text)) => {
                format!("<c {place} t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>")
            }
            Some(("!", xml)) => format!("<c {place} {xml}</c>"),
            Some(_) => format!("<c {place}><v>{text}</v></c>"),
            None => String::new(),
        }
    };
    format!("<row r=\"{number}\">{}</row>", cells.iter().enumerate().map(cell).collect::<String>())
}

fn one_sheet(rows: &[String]) -> Vec<u8> {
    workbook("", &[("People", "visible", &rows.concat(), "")])
}

fn check(bytes: &[u8], change: fn(&mut SourceSpec), expected: &[&str]) {
    let (_dir, mut spec) = written("v.xlsx", bytes);
    change(&mut spec);
    let whole = read(&spec).unwrap_or_else(|error| panic!("{error}"));
    let row = |(place, values): &(String, Vec<Option<String>>)| {
        let values: Vec<_> = values.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
        format!("{place}: {}", values.join(" / "))
    };
    assert_eq!(whole.rows.iter().map(row).collect::<Vec<_>>(), expected);
    assert_eq!(whole.read.rows, expected.len() as u64);
    assert_eq!(whole.read.digest, Some(blake3::hash(bytes).to_hex().to_string()));
}

fn refuse(bytes: &[u8], change: fn(&mut SourceSpec), expected: &str) {
    let (_dir, mut spec) = written("v.xlsx", bytes);
    change(&mut spec);
    let error = read(&spec).expect_err("refused").to_string();
    let said = error.rsplit_once("v.xlsx").expect("the file").1.trim_start_matches([',', ':', ' ']);
    assert!(said.starts_with(expected), "{said}");
    assert!(!error.contains("SECRET"), "{error}");
}

#[test]
fn cells_become_texts_as_csv_would_hold_them() {
    let rows = [
        row(2, &["", "=id", "=Age", "=visited"]),
        row(3, &["", "=p1", "30", "!s=\"1\"><v>43831</v>"]),
        row(5, &["", "17", "6.5", "!s=\"2\"><v>43831.5</v>"]),
        row(6, &["", "", "=  ", ""]),
        row(7, &["", "=p\n3", "!t=\"b\"><v>1</v>", "!s=\"3\"><v>1.5</v>"]),
        row(8, &["", "!t=\"str\"><f>A1</f><v>x</v>", "!t=\"e\"><v>#N/A</v>"]),
        row(9, &["", "=p5", "", "!t=\"d\"><v>2020-01-01</v>"]),
    ];
    let expected = [
        "sheet \"People\", row 3: p1 / 30 / 2020-01-01",
        "sheet \"People\", row 5: 17 / 6.5 / 2020-01-01 12:00:00",
        "sheet \"People\", row 7: p\n3 / true / 36:00:00",
        "sheet \"People\", row 8: x / #N/A / -",
        "sheet \"People\", row 9: p5 / - / 2020-01-01",
    ];
    check(&one_sheet(&rows), |_| {}, &expected);
    let (_dir, spec) = written("v.xlsx", &one_sheet(&rows));
    let source = Source::open(&spec).expect("open");
    assert_eq!(source.find(&WantedColumn { name: "age", source: None }), Ok(1));
    let rows = [row(1, &["=p1", "30"]), row(2, &["", "31"])];
    let expected = ["sheet \"People\", row 1: p1 / 30", "sheet \"People\", row 2: - / 31"];
    check(&one_sheet(&rows), |spec| spec.header = false, &expected);
    check(&one_sheet(&rows[..1]), |_| {}, &[]);
    let since_1904 = workbook(
        "date1904=\"1\"",
        &[("x", "visible", &[row(1, &["=d"]), row(2, &["!s=\"1\"><v>42369</v>"])].concat(), "")],
    );
    check(&since_1904, |_| {}, &["sheet \"x\", row 2: 2020-01-01"]);
}

#[test]
fn one_sheet_is_meant() {
    let (people, visits) = ([row(1, &["=id"]), row(2, &["=p"])].concat(), [row(1, &["=id"]), row(2, &["=v"])].concat());
    let two = workbook("", &[("People", "visible", &people, ""), ("Visits", "visible", &visits, "")]);
    refuse(&two, |_| {}, "has 2 sheets that are not empty; write sheet = \"…\"");
    check(&two, |spec| spec.sheet = Some("Visits".to_owned()), &["sheet \"Visits\", row 2: v"]);
    refuse(&two, |spec| spec.sheet = Some("visits".to_owned()), "has no sheet \"visits\"");
    let hidden = workbook("", &[("A", "visible", "", ""), ("B", "hidden", &people, ""), ("C", "visible", &visits, "")]);
    check(&hidden, |_| {}, &["sheet \"C\", row 2: v"]);
    check(&hidden, |spec| spec.sheet = Some("B".to_owned()), &["sheet \"B\", row 2: p"]);
    refuse(&hidden, |spec| spec.sheet = Some("A".to_owned()), "holds nothing, not even a header");
    refuse(&workbook("", &[("A", "visible", "", "")]), |_| {}, "holds nothing, not even a header");
}

#[test]
fn what_a_sheet_does_not_hold_is_refused() {
    let header = row(1, &["=id", "=age"]);
    let with = |cells: &[&str]| one_sheet(&[header.clone(), row(2, &["=p1", "1"]), row(7, cells)]);
    for (cells, expected) in [
        (
            &["=p", "1", "=SECRET"][..],
            "sheet \"People\", row 7: a cell holds a value in column C, for which the first row",
        ),
        (&["=p", "12345678901234567"], "sheet \"People\", row 7: column B holds a number of more than 15 digits"),
        (&["=p", "!><f>A1</f>"], "sheet \"People\", row 7: column B holds a formula without its result"),
    ] {
        refuse(&with(cells), |_| {}, expected);
    }
    let merged = "<mergeCells count=\"1\"><mergeCell ref=\"A2:A3\"/></mergeCells>";
    let rows = [header.clone(), row(2, &["=p", "1"]), row(3, &["", "2"])].concat();
    let merged = workbook("", &[("People", "visible", &rows, merged)]);
    refuse(&merged, |_| {}, "sheet \"People\", row 2: cells of the table are merged");
    let heading = "<mergeCells count=\"1\"><mergeCell ref=\"A1:B1\"/></mergeCells>";
    let heading = workbook("", &[("People", "visible", &[row(1, &["=id", ""]), row(2, &["=p"])].concat(), heading)]);
    check(&heading, |_| {}, &["sheet \"People\", row 2: p"]);
    for rows in [
        [header.clone(), row(3, &["=p"]), row(2, &["=q"])].concat(),
        [header.clone(), row(2, &["=p"]), row(2, &["=q"])].concat(),
        format!("{header}<row r=\"2\"><c r=\"A2\"><v>1</v></c><c r=\"A2\"><v>2</v></c></row>"),
        format!("{header}<row r=\"2\"><c r=\"ZZZZ2\"><v>1</v></c></row>"),
        format!("{header}<row r=\"2\"><c r=\"A2\" t=\"s\"><v>1</v></c></row>"),
    ] {
        refuse(&workbook("", &[("People", "visible", &rows, "")]), |_| {}, "is not a readable Excel file");
    }
    let whole = one_sheet(&[header]);
    for bytes in [&whole[..whole.len() / 2], b"", b"PK\x03\x04", b"id,age\n1,2\n"] {
        refuse(bytes, |_| {}, "is not a readable Excel file");
    }
    refuse(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0], |_| {}, "is encrypted or of an older format");
}

/// A column that nobody wants may contain anything.
#[test]
fn what_nobody_wants_is_not_looked_at() {
    let rows = [row(1, &["=id", "=note"]), row(2, &["=p", "12345678901234567"])];
    let (_dir, spec) = written("v.xlsx", &one_sheet(&rows));
    let read = Source::open(&spec).expect("open").batches(&[(0, false)], |_| Ok::<(), super::SourceError>(()));
    assert_eq!(read.expect("read").rows, 1);
}

/// Written by openpyxl: shared texts, dates, empty cells, and a second, empty sheet.
#[test]
fn a_workbook_of_another_program_is_read() {
    let spec = SourceSpec::file(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sources/people.xlsx"));
    let whole = read(&spec).expect("read");
    let row = |(place, values): &(String, Vec<Option<String>>)| {
        let values: Vec<_> = values.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
        format!("{place}: {}", values.join(" / "))
    };
    assert_eq!(
        whole.rows.iter().map(row).collect::<Vec<_>>(),
        [
            "sheet \"Sheet\", row 2: p1 / 1980-02-29 / 6.5 / true",
            "sheet \"Sheet\", row 3: p2 / 2020-01-01 23:30:00 / 7 / false",
            "sheet \"Sheet\", row 5: M\u{fc}ller / - / - / -",
        ]
    );
}
