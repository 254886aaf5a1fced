//! Tests of what is read of small text files, and of the words in which they are refused.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::engine::seal::source::WantedColumn;
use crate::engine::seal::source::open::Source;
use crate::engine::seal::source::tests::{Whole, read, written};

type Change = fn(&mut SourceSpec);

fn plain(_: &mut SourceSpec) {}

fn semicolon(spec: &mut SourceSpec) {
    spec.separator = Some(b';');
}

fn headless(spec: &mut SourceSpec) {
    spec.header = false;
}

fn unquoted(spec: &mut SourceSpec) {
    spec.quoted = false;
}

fn in_latin1(spec: &mut SourceSpec) {
    spec.encoding = Some(Encoding::Latin1);
}

fn in_windows1252(spec: &mut SourceSpec) {
    spec.encoding = Some(Encoding::Windows1252);
}

fn in_utf8(spec: &mut SourceSpec) {
    spec.encoding = Some(Encoding::Utf8);
}

fn in_utf16(spec: &mut SourceSpec) {
    spec.encoding = Some(Encoding::Utf16);
}

fn with_notes(spec: &mut SourceSpec) {
    spec.multiline = vec!["note".to_owned()];
}

/// All that was read, as one line per row: first the row's place, and `-` for a missing value.
fn shown(whole: &Whole) -> String {
    let rows = whole.rows.iter().map(|(place, row)| {
        let texts: Vec<_> = row.iter().map(|text| text.as_deref().unwrap_or("-")).collect();
        format!("{place}: {}", texts.join(" / "))
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn check(name: &str, bytes: &[u8], change: Change, expected: &str) {
    let (_dir, mut spec) = written(name, bytes);
    change(&mut spec);
    match read(&spec) {
        Ok(whole) => assert_eq!(shown(&whole), expected, "{name} {}", bytes.escape_ascii()),
        Err(error) => panic!("{name} {}: {error}", bytes.escape_ascii()),
    }
}

fn refuse(name: &str, bytes: &[u8], change: Change, expected: &str) {
    let (_dir, mut spec) = written(name, bytes);
    change(&mut spec);
    let error = read(&spec).expect_err(&format!("{name} {} is refused", bytes.escape_ascii())).to_string();
    let said = error.rsplit_once(name).expect("the file's name").1.trim_start_matches([',', ':']).trim_start();
    assert!(said.starts_with(expected), "{name} {}: {said}", bytes.escape_ascii());
    assert!(!error.contains("SECRET"), "{error}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("written")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("packed")
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn records_are_read_as_they_are_written() {
    for (bytes, change, expected) in [
        (&b"a,b\n1,2\n"[..], plain as Change, "line 2: 1 / 2"),
        (b"a,b\r\n1,2\r\n", plain, "line 2: 1 / 2"),
        (b"a,b\n1,2", plain, "line 2: 1 / 2"),
        (b"a,b\n1,\n,2", plain, "line 2: 1 / -\nline 3: - / 2"),
        (b"a,b\n\"1\",\"\"\n", plain, "line 2: 1 / -"),
        (b"a,b\n\"1,5\",\"say \"\"x\"\"\"\n", plain, "line 2: 1,5 / say \"x\""),
        (b"a,b\n 1 , 2 \n", plain, "line 2:  1  /  2 "),
        (b"\xef\xbb\xbf\"a\",b\n1,2\n", plain, "line 2: 1 / 2"),
        (b"\n\na,b\n1,2\n\n  \n\t\n3,4\n\n", plain, "line 4: 1 / 2\nline 8: 3 / 4"),
        (b"a,b\r\n\r\n1,2\r\n \r\n", plain, "line 3: 1 / 2"),
        (b"a\n1\n\n  \n\"\"\n2", plain, "line 2: 1\nline 4:   \nline 5: -\nline 6: 2"),
        (b"a,b\n", plain, ""),
        (b"a,b", plain, ""),
        (b"a;b\n1,5;2\n", semicolon, "line 2: 1,5 / 2"),
        (b"1,2\n3,4\n", headless, "line 1: 1 / 2\nline 2: 3 / 4"),
        (b"a,b\n5\" nail,\"x\n", unquoted, "line 2: 5\" nail / \"x"),
        (b"a,note\n1,\"x\ny\r\nz\"\n2,w\n", with_notes, "line 2: 1 / x\ny\r\nz\nline 5: 2 / w"),
        (b"a,\"b\n(%)\"\n1,2\n", plain, "line 3: 1 / 2"),
        ("a,b\nM\u{fc}ller,\u{1f600}\n".as_bytes(), plain, "line 2: M\u{fc}ller / \u{1f600}"),
        (b"a,b\nM\xfcller,2\n", in_latin1, "line 2: M\u{fc}ller / 2"),
        (b"a,b\n\x80,\x93x\x94\n", in_windows1252, "line 2: \u{20ac} / \u{201c}x\u{201d}"),
        (b"a,,\n1,,\n", plain, "line 2: 1 / - / -"),
        (b"a\na\n", plain, "line 2: a"),
        (b"a,b\na,c\n", plain, "line 2: a / c"),
    ] {
        check("v.csv", bytes, change, expected);
    }
    check("v.tsv", b"a\tb\n1,5\t\n\t\n", plain, "line 2: 1,5 / -\nline 3: - / -");
    check("v.tab", b"a\tb\n1\t2\n", plain, "line 2: 1 / 2");
    check("v.txt", b"a|b\n1;2|3,4\n", plain, "line 2: 1;2 / 3,4");
    check("v.txt", b"\"a,a\";\"b\"\n1;2\n", plain, "line 2: 1 / 2");
    check("v.txt", b"a\n1;2\n", plain, "line 2: 1;2");
    refuse("v.txt", b"a;b,c\n1;2,3\n", plain, "its first line does not tell what separates columns");
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for (bytes, change, expected) in [
        (&b"a,b\n1\n"[..], plain as Change, "line 2: has 1 field, and the header has 2"),
        (b"a,b\n1,2\n3,4,SECRET\n", plain, "line 3: has 3 fields, and the header has 2"),
        (b"a,b\n1,2,\n", plain, "line 2: has 3 fields, and the header has 2; a separator stands at the line's end"),
        (b"\"a\",\"b\"\n\"1\",5,6\n", plain, "line 2: has 3 fields, and the header has 2; R's write.table"),
        (b"a\n1;2,3\n", plain, "line 2: has 2 fields, and the header has 1; is the separator another one?"),
        (b"a,b\n1,2\na,b\n", plain, "line 3: is the header once more"),
        (b"a,b\n1,2\n\xef\xbb\xbf\"a\",b\n", plain, "line 3: a quote stands inside a value without quotes"),
        (b"a,b\n1,2\n\xef\xbb\xbfa,b\n", plain, "line 3: is the header once more"),
        (b"a,b\n1,5\" nail\n", plain, "line 2: a quote stands inside a value without quotes"),
        (b"a,b\n1, \"2\"\n", plain, "line 2: a quote stands inside a value without quotes"),
        (b"a,b\n1,\"2\"SECRET\n", plain, "line 2: something stands behind the closing quote"),
        (b"a,b\n1,\"2\" \n", plain, "line 2: something stands behind the closing quote"),
        (b"a,b\n1,\"SECRET", plain, "line 2: a value opens with a quote that is never closed"),
        (b"a,b\n\n1,\"x\ny\"\n", plain, "line 3: the value of column 2 opens with a quote and holds a line end"),
        (b"a,b\n1,\"x\ry\"\n", plain, "line 2: the value of column 2 opens with a quote and holds a line end"),
        (b"a,note\n\"x\ny\",1\n", with_notes, "line 2: the value of column 1 opens with a quote"),
        (b"a,note\n1,\"x\ny\n", with_notes, "line 2: a value opens with a quote that is never closed"),
        (b"a,b\n1,2\n3,\x004\n", plain, "line 3: holds a NUL character"),
        (b"a,b\n1,\"\x00\"\n", plain, "line 2: holds a NUL character"),
        (b"a,b\r1,2\r", plain, "line 1: holds a carriage return without a line feed"),
        (b"a,b\n1,2\r", plain, "line 2: holds a carriage return without a line feed"),
        (b"a,b\n1,M\xfcller\n", plain, "line 2: holds bytes that are not utf-8; if it was written in another encoding"),
        (b"a,b\n1,2\n3,\xc3", plain, "line 3: holds bytes that are not utf-8"),
        (b"a,b\n1,\x93\n", in_latin1, "line 2: holds bytes that are not latin-1; if it was written on Windows"),
        (b"a,b\n1,\x81\n", in_windows1252, "line 2: holds bytes that are not windows-1252"),
        (
            b"\xef\xbb\xbfa,b\n",
            in_latin1,
            "begins with the byte-order mark of UTF-8, and the policy says encoding = \"latin-1\"",
        ),
        (b"\xff\xfea\0", in_utf8, "begins with the byte-order mark of UTF-16, and the policy says"),
        (b"\xff\xfe\0\0a\0\0\0", plain, "begins with the byte-order mark of UTF-32"),
        (b"", plain, "holds nothing, not even a header"),
        (b"\n \n\r\n", plain, "holds nothing, not even a header"),
        (b"\xef\xbb\xbf", plain, "holds nothing, not even a header"),
        (b"", headless, "holds nothing, not even a header"),
        (b"a,b\n1,2\n", |spec| spec.separator = Some(b'x'), "cannot be separated by \"x\""),
        (b"a,b\n1,2\n", |spec| spec.separator = Some(b'"'), "cannot be separated by"),
        (b"BZh91AY&SY", plain, "is packed in a way that is not read"),
        (b"PK\x03\x04", plain, "is packed in a way that is not read"),
    ] {
        refuse("v.csv", bytes, change, expected);
    }
}

#[test]
fn utf16_is_read_by_its_mark_or_its_zeros() {
    let text = "a,b\n1,M\u{fc}ller\u{1f600}\n";
    let expected = "line 2: 1 / M\u{fc}ller\u{1f600}";
    for big in [false, true] {
        check("v.csv", &utf16(&format!("\u{feff}{text}"), big), plain, expected);
        check("v.csv", &utf16(&format!("\u{feff}{text}"), big), in_utf16, expected);
        check("v.csv", &utf16(text, big), in_utf16, expected);
        refuse(
            "v.csv",
            &utf16(text, big),
            plain,
            "line 1: holds a NUL character; a file in UTF-16 without a byte-order mark",
        );
        let mut cut = utf16(&format!("\u{feff}{text}"), big);
        cut.pop();
        refuse("v.csv", &cut, plain, "line 2: holds bytes that are not utf-16");
    }
    let lone: Vec<u8> =
        [0xfeff, u16::from(b'a'), 10, 0xd800, 10].iter().flat_map(|unit: &u16| unit.to_le_bytes()).collect();
    refuse("v.csv", &lone, plain, "line 2: holds bytes that are not utf-16");
    refuse("v.csv", "\u{4e00}\u{4e01}".as_bytes(), in_utf16, "does not tell its byte order");
}

#[test]
fn packed_files_are_read_to_their_end() {
    let (one, two, three) = (&b"a,b\n1,"[..], &b"2\n3"[..], &b",4\n"[..]);
    let expected = "line 2: 1 / 2\nline 3: 3 / 4";
    let members = [gzip(one), gzip(b""), gzip(two), gzip(three)].concat();
    let frames = [zstd(one), zstd(b""), zstd(two), zstd(three)].concat();
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..], &frames].concat();
    check("v.csv.gz", &members, plain, expected);
    check("v.csv.gz", &[gzip(b""), members.clone()].concat(), plain, expected);
    check("v.csv.gz", &[members.as_slice(), &[0; 700_000]].concat(), plain, expected);
    check("v.csv.zst", &frames, plain, expected);
    check("v.csv.zst", &skipped, plain, expected);
    for rest in [&b"garbage"[..], b"\x1fgarbage-garbage", b"\x1f\x8bgarbage-garbage", b"\0\0x", b"\0\0\x1f\x8b"] {
        refuse("v.csv.gz", &[&members, rest].concat(), plain, "has garbage behind the gzip stream");
    }
    for rest in [&b"garbage"[..], b"\0\0\0\0"] {
        refuse("v.csv.zst", &[&frames, rest].concat(), plain, "is a zstd file that is damaged or cut short");
    }
    let one_member = gzip(b"a,b\n1,2\n3,4\n");
    for length in [3, 12, one_member.len() - 9, one_member.len() - 1] {
        refuse("v.csv.gz", &one_member[..length], plain, "is a gzip file that is damaged or cut short");
    }
    let mut spoilt = one_member.clone();
    let crc = spoilt.len() - 8;
    spoilt[crc] ^= 1;
    refuse("v.csv.gz", &spoilt, plain, "is a gzip file that is damaged or cut short");
    let frame = zstd(b"a,b\n1,2\n3,4\n");
    refuse("v.csv.zst", &frame[..frame.len() - 1], plain, "is a zstd file that is damaged or cut short");
    refuse("v.csv", &members, plain, "is packed by gzip, and its name does not say so");
    refuse("v.csv", &frames, plain, "is packed by zstd, and its name does not say so");
    refuse("v.csv.gz", &frames, plain, "is gzip by its name, and zstd by its bytes");
    refuse("v.csv.gz", b"a,b\n1,2\n", plain, "is gzip by its name, and plain by its bytes");
    refuse("v.csv.gz", b"", plain, "holds nothing, not even a header");
}

#[test]
fn what_was_read_is_counted() {
    let bytes = b"\na,note\n1,\"x\ny\"\n\n  \n2,z\n3,\"\n\"";
    let (_dir, mut spec) = written("v.csv", bytes);
    with_notes(&mut spec);
    let whole = read(&spec).expect("read");
    let digest = Some(blake3::hash(bytes).to_hex().to_string());
    let counted = Read { rows: 3, bytes: bytes.len() as u64, lines: 9, blank_lines: 3, multiline_values: 2, digest };
    assert_eq!(whole.read, counted);
    let packed = gzip(bytes);
    let (_dir, mut spec) = written("v.csv.gz", &packed);
    with_notes(&mut spec);
    let digest = Some(blake3::hash(&packed).to_hex().to_string());
    assert_eq!(read(&spec).expect("read").read, Read { bytes: packed.len() as u64, digest, ..counted });
}

/// Chunks end anywhere: within a quote, a character, a line end.
#[test]
fn nothing_depends_on_where_chunks_end() {
    let row = |number: usize| format!("{number},\"M\u{fc}ller \"\"{}\"\"\n\u{1f600}\"\r\n", "x".repeat(number % 97));
    let text: String = std::iter::once("a,note\r\n".to_owned()).chain((0..20_000).map(row)).collect();
    assert!(text.len() > 5 << 18);
    for shift in 0..7 {
        let text = format!("{}{text}", "\n".repeat(shift));
        for (bytes, encoding) in [(text.clone().into_bytes(), in_utf8 as Change), (utf16(&text, true), in_utf16)] {
            let (_dir, mut spec) = written("v.csv", &bytes);
            encoding(&mut spec);
            with_notes(&mut spec);
            let whole = read(&spec).expect("read");
            assert_eq!(whole.rows.len(), 20_000);
            for (number, (place, values)) in whole.rows.iter().enumerate() {
                assert_eq!(*place, format!("line {}", 2 + shift + 2 * number));
                let note = format!("M\u{fc}ller \"{}\"\n\u{1f600}", "x".repeat(number % 97));
                assert_eq!(values, &[Some(number.to_string()), Some(note)]);
            }
        }
    }
}

#[test]
fn a_row_that_is_too_long_is_refused_with_its_line() {
    let long = vec![b'x'; scan::RECORD_BYTES_MAX + 1];
    let fits = vec![b'x'; scan::RECORD_BYTES_MAX - 2];
    refuse("v.csv", &[b"a,b\n1,2\n3,", long.as_slice(), b"\n5,6\n"].concat(), plain, "line 3: is longer than 16 MiB");
    refuse("v.csv", &[b"a,note\n3,\"", long.as_slice()].concat(), with_notes, "line 2: is longer than 16 MiB");
    refuse("v.csv", &[long.as_slice(), b",b\n1,2\n"].concat(), plain, "line 1: is longer than 16 MiB");
    let (_dir, spec) = written("v.csv", &[b"a\n", fits.as_slice(), b"\n"].concat());
    assert_eq!(read(&spec).expect("it fits").read.rows, 1);
}

#[test]
fn a_first_line_is_shown_only_where_it_is_a_header() {
    let (_dir, spec) = written("v.csv", b"SECRET,Age,Sex\n1,2,3\n");
    let source = Source::open(&spec).expect("open");
    let named = |name| WantedColumn { name, source: None };
    let message = |wanted: &[&str]| {
        let wanted: Vec<_> = wanted.iter().map(|name| WantedColumn { name, source: None }).collect();
        let source = Source::open(&spec).expect("open");
        source.find_all(&wanted).expect_err("missing").to_string()
    };
    let unproven = "nor any other wanted one; its first line has 3 columns, and a file whose first line is no header needs header = false";
    assert!(message(&["bmi"]).ends_with(&format!("has no column \"bmi\", {unproven}")), "{}", message(&["bmi"]));
    assert!(message(&["bmi", "age"]).ends_with("has no column \"bmi\"; its columns are \"SECRET\", \"Age\", \"Sex\""));
    assert!(source.find(&named("bmi")).expect_err("missing").to_string().contains(unproven));
    assert_eq!(source.find(&named("age")), Ok(1));
    for (header, hint) in [
        ("id;age;sex\n", "one column that holds a semicolon; if that separates columns, write separator = \";\""),
        ("id\tage\n", "one column that holds a tab; if that separates columns, write separator = \"\\t\""),
        ("id|age\n", "one column that holds a vertical bar"),
    ] {
        let (_dir, spec) = written("v.csv", header.as_bytes());
        let source = Source::open(&spec).expect("open");
        let error = source.find(&named("age")).expect_err("missing").to_string();
        assert!(error.contains(hint), "{error}");
    }
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let (_dir, spec) = written("v.csv", b"id,hba1c,SECRET,SECRET\n1,2,3,4\n");
    let source = Source::open(&spec).expect("open");
    let named = |name| WantedColumn { name, source: None };
    let error = source.find(&named("SECRET")).expect_err("twice").to_string();
    assert!(error.ends_with("has two columns named \"SECRET\"; rename one of them"), "{error}");
    let error = source.find_all(&[named("id")]).expect_err("twice").to_string();
    assert!(error.ends_with("columns 3 and 4 have the same name; rename one of them"), "{error}");
    assert!(read(&spec).expect_err("twice").to_string().contains("columns 3 and 4"));
}

/// Files written by another program are read back, whatever their values hold.
#[test]
fn values_of_another_writer_are_read_back() {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    let mut rng = StdRng::seed_from_u64(1_313);
    let parts =
        ["", "a", "\"", "\"\"", ",", ";", "\t", "\n", "\r\n", " ", "\u{fc}", "\u{1f600}", "'", "\\", "0", "-1.5"];
    for table in 0..60 {
        let (separator, width) = ([b',', b';', b'\t', b'|'][table % 4], rng.random_range(1..5));
        let style = if table % 3 == 0 { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut text =
            |_| (0..rng.random_range(0..4)).map(|_| parts[rng.random_range(0..parts.len())]).collect::<String>();
        let names: Vec<String> = (0..width).map(|place| format!("{}{place}", text(0))).collect();
        let rows: Vec<Vec<String>> = (0..40).map(|_| (0..width).map(&mut text).collect()).collect();
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .quote_style(style)
            .terminator(if table % 2 == 0 { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        writer.write_record(&names).expect("written");
        rows.iter().for_each(|row| writer.write_record(row).expect("written"));
        let (_dir, mut spec) = written("v.csv", &writer.into_inner().expect("written"));
        (spec.separator, spec.multiline) = (Some(separator), names.clone());
        let whole = read(&spec).unwrap_or_else(|error| panic!("table {table}: {error}"));
        let found: Vec<Vec<String>> =
            whole.rows.into_iter().map(|(_, row)| row.into_iter().map(Option::unwrap_or_default).collect()).collect();
        assert_eq!(found, rows, "table {table}");
    }
}
