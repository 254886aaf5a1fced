//! Invalid files: policies, configurations and sources. Each is refused by a command in our own words, and nothing is left behind.

use std::path::Path;
use std::process::{Command, Output};

use polars::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tacit::engine::seal::seal;
use tacit::query::terms::policy::Policy;

use crate::support::{PURE, policy, visits};

fn tacit(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tacit")).current_dir(dir).args(arguments).output().expect("the binary")
}

/// Runs a command that must fail with this code and these words, without a panic and without a library's error text.
fn check(dir: &Path, arguments: &[&str], code: i32, words: &str) {
    let output = tacit(dir, arguments);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.contains(words), "{arguments:?} says no {words:?}: {said}");
    assert!(!said.contains("panicked") && !said.to_lowercase().contains("polars"), "{arguments:?}: {said}");
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[test]
fn policies_and_configurations_that_are_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).expect("a file");
    let good = policy(PURE);
    write("empty.toml", b"");
    write("nul.toml", b"[dataset]\nname = \"a\0b\"\n");
    write("latin.toml", b"[dataset]\ntitle = \"caf\xe9\"\n");
    write("half.toml", &good.as_bytes()[..good.len() / 2]);
    write("binary.toml", &[0x7f, b'E', b'L', b'F', 0, 0xff]);
    write("deep.toml", format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000)).as_bytes());
    write("doubled.toml", good.replacen("max_rows = 1_000_000", "max_rows = 1\nmax_rows = 2", 1).as_bytes());
    write("large.toml", &vec![b'#'; 17 << 20]);
    std::fs::create_dir(dir.join("folder.toml")).expect("a folder");
    pipe(&dir.join("pipe.toml"));
    std::os::unix::fs::symlink("loop.toml", dir.join("loop.toml")).expect("a link");
    std::os::unix::fs::symlink("/dev/zero", dir.join("zero.toml")).expect("a link");
    for (name, code, words) in [
        ("empty.toml", 1, "missing field"),
        ("nul.toml", 1, "line 2"),
        ("latin.toml", 3, "cannot be read"),
        ("half.toml", 1, "line"),
        ("binary.toml", 3, "cannot be read"),
        ("deep.toml", 1, "line 1"),
        ("doubled.toml", 1, "duplicate"),
        ("large.toml", 1, "a policy has at most"),
        ("folder.toml", 3, "cannot be read"),
        ("pipe.toml", 3, "cannot be read"),
        ("loop.toml", 3, "cannot be read"),
        ("zero.toml", 3, "cannot be read"),
        ("gone.toml", 3, "cannot be read"),
    ] {
        check(dir, &["policy", "check", name], code, words);
        check(dir, &["serve", "--config", name], 3, name);
        check(dir, &["seal", name, "--state", "state"], if code == 1 { 1 } else { 3 }, name);
        if code == 3 {
            check(dir, &["ask", "--file", name, "--epsilon", "0.1"], 3, name);
        }
    }
    assert!(!dir.join("state/editions").exists(), "nothing was sealed");
}

/// Writes a Parquet file of some size, and its policy.
fn parquet(dir: &Path) -> (Vec<u8>, Policy) {
    let options = CsvReadOptions::default()
        .with_infer_schema_length(Some(1000))
        .map_parse_options(|parse| parse.with_try_parse_dates(true));
    let csv = std::io::Cursor::new(visits(3_000).into_bytes());
    let mut frame = CsvReader::new(csv).with_options(options).finish().expect("a frame");
    let path = dir.join("visits.parquet");
    let writer = ParquetWriter::new(std::fs::File::create(&path).expect("a file"));
    writer.with_compression(ParquetCompression::Uncompressed).finish(&mut frame).expect("Parquet");
    std::fs::write(dir.join("policy.toml"), policy(PURE).replace("visits.csv", "visits.parquet")).expect("a policy");
    (std::fs::read(&path).expect("bytes"), Policy::load(&dir.join("policy.toml")).expect("a policy"))
}

fn left_behind(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("state/editions")).map_or(0, Iterator::count)
}

#[test]
fn parquet_that_is_cut_short_at_every_kibibyte() {
    let dir = tempfile::tempdir().expect("a folder");
    let (whole, policy) = parquet(dir.path());
    assert!(whole.len() > 40 << 10, "{} bytes", whole.len());
    for length in (0..whole.len()).step_by(1 << 10) {
        std::fs::write(dir.path().join("visits.parquet"), &whole[..length]).expect("a shorter file");
        let error = seal(&policy, &dir.path().join("state"), &|_| {}).expect_err("cut short").to_string();
        assert!(error.contains("is not a readable Parquet file"), "{length}: {error}");
        assert_eq!(left_behind(dir.path()), 0, "{length}");
    }
}

/// Footers with false lengths, offsets and counts. A file that can still be read is sealed, any other is refused, and nothing ends the
/// process.
#[test]
fn parquet_whose_footer_lies() {
    let dir = tempfile::tempdir().expect("a folder");
    let (whole, policy) = parquet(dir.path());
    let footer = u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().expect("four bytes")) as usize;
    let mut rng = StdRng::seed_from_u64(11);
    let (mut refused, mut taken) = (0, 0);
    for case in 0..400 {
        let mut bytes = whole.clone();
        let end = bytes.len();
        match case {
            0..8 => {
                let length =
                    [0, 1, footer as u32 - 1, footer as u32 + 1, u32::MAX, u32::MAX / 2, end as u32, end as u32 - 8]
                        [case];
                bytes[end - 8..end - 4].copy_from_slice(&length.to_le_bytes());
            }
            _ => {
                for _ in 0..rng.random_range(1..6) {
                    let at = end - 8 - rng.random_range(1..=footer);
                    bytes[at] = if rng.random_bool(0.5) { 0xff } else { rng.random() };
                }
            }
        }
        std::fs::write(dir.path().join("visits.parquet"), &bytes).expect("a file");
        match seal(&policy, &dir.path().join("state"), &|_| {}) {
            Ok((manifest, _)) => {
                taken += 1;
                std::fs::remove_dir_all(dir.path().join("state/editions").join(manifest.edition)).expect("an edition");
            }
            Err(error) => {
                refused += 1;
                let said = error.to_string();
                assert!(said.contains("visits.parquet: ") && said.len() < 2_000, "{said}");
                assert_eq!(left_behind(dir.path()), 0, "{said}");
            }
        }
    }
    println!("400 lying footers: {refused} refused, {taken} told no lie that matters");
    assert!(refused > 100 && taken > 10, "both kinds occur");
}

#[test]
fn sources_that_are_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let csv = visits(30);
    let header = csv.lines().next().expect("a header").to_owned();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).expect("a file");
    write("empty.csv", b"");
    write("long.csv", &[header.as_bytes(), b"\n", &vec![b'x'; 17 << 20]].concat());
    write("renamed.csv", csv.replacen("diagnosis", "diagnose", 1).as_bytes());
    write("retyped.csv", csv.replace(",20", ",twenty").as_bytes());
    write("ragged.csv", format!("{csv}p1,north\n").as_bytes());
    write("overfull.csv", format!("{csv}p1,north,flu,true,1,1,2023-01-01,more,and,more\n").as_bytes());
    write("quoted.csv", format!("{csv}\"p1,north\n").as_bytes());
    write("latin.csv", &[csv.as_bytes(), b"p1,n\xe9rth,flu,true,1,1,2023-01-01\n"].concat());
    write("wrong.parquet", csv.as_bytes());
    write("visits.dat", csv.as_bytes());
    write("wrong.arrow", csv.as_bytes());
    write("wrong.csv.gz", csv.as_bytes());
    write("packed.csv", &[0x28, 0xb5, 0x2f, 0xfd, 4, 0, 1, 2, 3]);
    write("damaged.csv.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 4]);
    pipe(&dir.join("pipe.csv"));
    std::os::unix::fs::symlink("/dev/zero", dir.join("zero.csv")).expect("a link");
    std::os::unix::fs::symlink("loop.csv", dir.join("loop.csv")).expect("a link");
    std::fs::create_dir(dir.join("folder.csv")).expect("a folder");
    for (name, words) in [
        ("empty.csv", "holds nothing, not even a header"),
        ("long.csv", "line 2: is longer than 16 MiB"),
        ("renamed.csv", "has no column \"diagnosis\""),
        ("retyped.csv", "not of type integer"),
        ("ragged.csv", "has 2 fields, and the header has 7"),
        ("overfull.csv", "has 10 fields, and the header has 7"),
        ("quoted.csv", "quoted.csv"),
        ("latin.csv", "holds bytes that are not utf-8"),
        ("wrong.parquet", "is not a readable Parquet file"),
        ("wrong.arrow", "is not a readable Arrow IPC file"),
        ("packed.csv", "is packed by zstd, and its name does not say so"),
        ("wrong.csv.gz", "is gzip by its name, and plain by its bytes"),
        ("damaged.csv.gz", "is a gzip file that is damaged or cut short"),
        ("pipe.csv", "cannot be read"),
        ("zero.csv", "cannot be read"),
        ("loop.csv", "cannot be read"),
        ("folder.csv", "is a folder that holds no file"),
        ("gone.csv", "cannot be read"),
        ("/dev/null", "tells no known format"),
        ("visits.dat", "tells no known format"),
    ] {
        std::fs::write(dir.join("policy.toml"), policy(PURE).replace("visits.csv", name)).expect("a policy");
        let output = tacit(dir, &["seal", "policy.toml", "--state", "state"]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(matches!(output.status.code(), Some(1 | 3)), "{name}: {:?} {said}", output.status.code());
        assert!(said.contains(words) && !said.contains("panicked"), "{name}: {said}");
        assert_eq!(left_behind(dir), 0, "{name}");
        let draft = tacit(dir, &["policy", "draft", name]);
        assert!(matches!(draft.status.code(), Some(0 | 1 | 3)), "{name}: {:?}", draft.status.code());
    }
    // The order of columns does not matter.
    let reordered: String =
        csv.lines().map(|line| line.split(',').rev().collect::<Vec<_>>().join(",") + "\n").collect();
    write("reordered.csv", reordered.as_bytes());
    std::fs::write(dir.join("policy.toml"), policy(PURE).replace("visits.csv", "reordered.csv")).expect("a policy");
    assert!(tacit(dir, &["seal", "policy.toml", "--state", "state"]).status.success());
}
