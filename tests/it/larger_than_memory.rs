//! A table that is four times as large as the memory that its worker may use.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tacit::engine::{Engine, Host, Launch, WorkerPool};
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::edition::index::Index;
use tacit::query::terms::edition::layout::{BLOCK_ROWS, Blocks, StoredType, TableLayout};
use tacit::query::terms::edition::{FORMAT_VERSION, Manifest, new_table_path};
use tacit::query::terms::policy::Policy;

use crate::support::launch;

const MEMORY_BYTES: u64 = 32 << 20;
const COLUMNS: usize = 8;

/// A group of processes that together may use [`MEMORY_BYTES`], the pages of files that they read included. It is removed when dropped.
struct MemoryGroup(PathBuf);

impl MemoryGroup {
    /// Makes a group within that of this process; `None` where the system does not allow it.
    fn new() -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let of = |mark: &str| groups.lines().find_map(|line| line.split_once(mark).map(|(_, path)| path.to_owned()));
        let first = of(":memory:").map(|path| (format!("/sys/fs/cgroup/memory{path}"), "memory.limit_in_bytes"));
        let (parent, limit) = first.or_else(|| Some((format!("/sys/fs/cgroup{}", of("0::")?), "memory.max")))?;
        let group = Self(Path::new(&parent).join(format!("tacit-test-{}", std::process::id())));
        fs::create_dir(&group.0).ok()?;
        fs::write(group.0.join(limit), MEMORY_BYTES.to_string()).ok()?;
        Some(group)
    }

    /// The most memory that was used at once, in bytes.
    fn peak(&self) -> Option<u64> {
        let names = ["memory.max_usage_in_bytes", "memory.peak"];
        names.iter().find_map(|name| fs::read_to_string(self.0.join(name)).ok()?.trim().parse().ok())
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // The kernel empties a group a moment after its last process ended.
        assert!((0..100_000).any(|_| fs::remove_dir(&self.0).is_ok()), "the group is left behind");
    }
}

/// A policy with wide columns, every row of which is a unit.
fn terms_of_wide_rows() -> Policy {
    let mut text = "[dataset]\nname = \"wide\"\nsource = \"wide.csv\"\nprivacy_unit = \"row\"\nmax_rows = 10_000_000\n\
                    accountant = \"pure\"\ncap = { epsilon = \"1\" }\n"
        .to_owned();
    for column in 0..COLUMNS {
        text += &format!("[[column]]\nname = \"c{column}\"\ntype = \"integer\"\nmin = \"0\"\nmax = \"9999999999\"\n");
    }
    Policy::parse(&text).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Writes a table of so many equal blocks; returns its manifest.
fn write(state: &Path, blocks: u64) -> Manifest {
    let terms = terms_of_wide_rows().terms;
    let ends: Vec<u64> = (1..=blocks).map(|block| block * BLOCK_ROWS as u64).collect();
    let layout = TableLayout::of(&terms, &ends).expect("a layout");
    assert!(layout.columns().iter().all(|column| column.kind == StoredType::I64 && !column.nullable));
    let edition = "ed_wide".to_owned();
    let dir = Manifest::dir(state, &edition);
    fs::create_dir_all(&dir).expect("a folder");
    let chunk: Vec<u8> = (0..BLOCK_ROWS as i64).flat_map(i64::to_le_bytes).collect();
    let digest = *blake3::hash(&chunk).as_bytes();
    let index = Index { chunks: vec![vec![digest; COLUMNS]; blocks as usize], texts: Vec::new() }.encoded();
    let mut file = File::create(new_table_path(&dir)).expect("a file");
    (0..blocks as usize * COLUMNS).for_each(|_| file.write_all(&chunk).expect("written"));
    let table = *blake3::hash(&index).as_bytes();
    let blocks = Blocks { ends, index_at: layout.blocks_end(), index_bytes: index.len() as u64 };
    file.write_all(&index).expect("written");
    file.set_len(blocks.file_bytes().expect("a length")).expect("a length");
    // Pages that were written count against whoever wrote them, until nobody keeps them.
    file.sync_all().expect("durable");
    let rows = blocks.ends.last().copied().unwrap_or(0);
    let (v, nonce, dataset) = (FORMAT_VERSION, [0; 32], "wide".to_owned());
    Manifest { v, edition, dataset, terms, rows, table, blocks: Some(blocks), nonce, tables: Vec::new() }
}

#[test]
fn a_table_four_times_as_large_as_memory_is_answered_from() {
    let dir = tempfile::tempdir().expect("a folder");
    let manifest = write(dir.path(), 16);
    let path = manifest.table_path(dir.path());
    assert!(fs::metadata(&path).expect("a table").len() >= 4 * MEMORY_BYTES);
    let Some(group) = MemoryGroup::new() else {
        println!("skipped: memory cannot be limited here (no memory controller, or not allowed)");
        return;
    };
    // Asks the system to forget the file's pages, so that the worker's group is charged for those that it reads.
    let forget = format!("dd of='{}' oflag=nocache conv=notrunc,fdatasync count=0 if=/dev/null", path.display());
    let forgotten = std::process::Command::new("sh").args(["-c", &forget]).output().expect("a shell");
    assert!(forgotten.status.success());
    let program = dir.path().join("worker");
    let binary = launch().program;
    let script =
        format!("#!/bin/sh\necho $$ > {}/cgroup.procs && exec {} \"$@\"\n", group.0.display(), binary.display());
    fs::write(&program, script).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("a mode");
    let mut pool = WorkerPool::new(Launch { program, workers: 1, ..launch() });
    pool.load(dir.path(), &manifest).expect("a worker");
    let sums: Vec<String> = (0..COLUMNS).map(|column| format!("SUM(c{column}) AS s{column}")).collect();
    let query = parse(&format!("SELECT {}, COUNT(*) AS n FROM wide WHERE c0 > 5", sums.join(", "))).expect("SQL");
    let computation = plan(&query, &manifest.terms, None).expect("a plan").computation;
    for _ in 0..2 {
        assert!(pool.prepare(&manifest.edition, &computation).is_ok());
        assert!(pool.evaluate(&manifest.edition, &computation).is_ok());
    }
    let peak = group.peak().expect("a peak");
    println!("a table of {} MB: {} MB of memory at most", 16 * COLUMNS, peak >> 20);
    assert!(peak <= MEMORY_BYTES);
    assert!(peak > MEMORY_BYTES / 2, "the pages that it read count");
    drop(pool);
}
