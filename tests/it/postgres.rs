//! The same answers as PostgreSQL's on the same table, before noise.
//!
//! A server of its own, on a socket in a temporary folder, ends with the test. Without PostgreSQL's programs the test says so and is
//! skipped; `.ci/run` installs them.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tacit::query::answer::{Cell, ColumnKind, Table};
use tacit::query::terms::policy::Policy;
use tempfile::TempDir;

use crate::differential::{csv, rows};
use crate::support::{Lab, NoNoise, PURE, block_on, policy, repository_file};

const SEED: u64 = 60;
const PEOPLE: usize = 150;

/// The newest PostgreSQL of Debian's, if there is one.
pub fn programs() -> Option<PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
    found.retain(|bin| bin.join("postgres").exists() && bin.join("initdb").exists());
    found.sort();
    found.pop()
}

/// Who runs the server: it refuses to be root.
fn account() -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let fields: Vec<_> = line.split(':').collect();
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

pub struct Server {
    bin: PathBuf,
    dir: TempDir,
    child: Child,
    password: Option<&'static str>,
}

impl Server {
    /// A server of its own, where its programs are.
    pub fn found() -> Option<Self> {
        programs().map(Self::start)
    }

    pub fn start(bin: PathBuf) -> Self {
        Self::start_with(bin, None)
    }

    /// A server that asks everybody for this password.
    pub fn start_with(bin: PathBuf, password: Option<&'static str>) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("a folder of ours");
        let home = dir.path().join("db");
        fs::create_dir(&home).expect("a folder");
        let who = account()
            .filter(|_| fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0));
        let command = |program: &str| {
            let mut command = Command::new(bin.join(program));
            if let Some((user, group)) = who {
                command.uid(user).gid(group);
            }
            command
                .current_dir("/")
                .env("TZ", "UTC")
                .env("LC_ALL", "C.UTF-8")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        if let Some((user, group)) = who {
            chown(&home, Some(user), Some(group)).expect("its own folder");
        }
        let secret = dir.path().join("password");
        fs::write(&secret, password.unwrap_or("none")).expect("a file");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("a file for everybody");
        let rule = if password.is_some() { "scram-sha-256" } else { "trust" };
        let made = command("initdb")
            .args(["-A", rule, "-U", "postgres", "--pwfile"])
            .arg(&secret)
            .arg("-D")
            .arg(home.join("data"))
            .status();
        assert!(made.is_ok_and(|status| status.success()), "initdb works");
        let child = command("postgres")
            .arg("-D")
            .arg(home.join("data"))
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(&home)
            .spawn()
            .expect("a server");
        let server = Self { bin, dir, child, password };
        while server.psql("SELECT 1").is_none() {
            std::thread::yield_now();
        }
        server
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("db")
    }

    /// What psql prints as CSV; nothing where it fails.
    pub fn psql(&self, sql: &str) -> Option<String> {
        let mut child = Command::new(self.bin.join("psql"))
            .args(["-X", "-q", "--csv", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-h"])
            .arg(self.socket())
            .args(["-f", "-", "postgres"])
            .env("PGPASSWORD", self.password.unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("psql");
        // A psql that finds no server yet ends without reading.
        let _ = child.stdin.take().expect("a pipe").write_all(sql.as_bytes());
        let output = child.wait_with_output().expect("psql ends");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("UTF-8"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn load(server: &Server, file: &Path) {
    let sql = format!(
        "CREATE TABLE visits (patient_id text, region text, diagnosis text, smoker boolean, age integer, cost numeric, visited date);
         SET client_min_messages = error;
         \\copy visits FROM '{}' WITH (FORMAT csv, HEADER true)\n",
        file.display()
    );
    server.psql(&sql).expect("a table");
}

/// One value as both would write it.
fn plain(text: &str, kind: ColumnKind) -> String {
    match (kind, text) {
        (ColumnKind::BooleanKey, "t") => "true".to_owned(),
        (ColumnKind::BooleanKey, "f") => "false".to_owned(),
        // A truncated date is a time in PostgreSQL.
        (ColumnKind::Key | ColumnKind::DateKey, text) => text.strip_suffix(" 00:00:00+00").unwrap_or(text).to_owned(),
        (_, text) => text.to_owned(),
    }
}

/// Whether two values are the same; fractions of several groupings are shown to the digits that rounding their cells to whole ones leaves.
fn same(ours: &str, theirs: &str, has_sets: bool) -> bool {
    match (ours.parse::<f64>(), theirs.parse::<f64>()) {
        (Ok(ours), Ok(theirs)) => {
            let share = if has_sets && theirs.fract() != 0.0 { 1e-4 } else { 1e-9 };
            (ours - theirs).abs() <= share * theirs.abs().max(1.0)
        }
        _ => ours == theirs,
    }
}

/// Rows by their keys: what PostgreSQL gives must be in our table, and what it does not give must be an empty group.
fn compare(sql: &str, table: &Table, theirs: &str) {
    let places: Vec<usize> = table
        .columns
        .iter()
        .map(|column| table.names.iter().position(|name| *name == column.name).expect("a column"))
        .collect();
    let is_key = |place: usize| table.kinds[place].is_key();
    let row_of =
        |row: &[Cell]| -> Vec<String> { places.iter().map(|place| row[*place].text().unwrap_or_default()).collect() };
    let ours: Vec<Vec<String>> = table.rows.iter().map(|row| row_of(row)).collect();
    let mut reader = csv::ReaderBuilder::new().from_reader(theirs.as_bytes());
    let theirs: Vec<Vec<String>> = reader
        .records()
        .map(|record| {
            record
                .expect("a record")
                .iter()
                .zip(&places)
                .map(|(text, place)| plain(text, table.kinds[*place]))
                .collect()
        })
        .collect();
    let key = |row: &[String]| -> Vec<String> {
        row.iter().zip(&places).filter(|(_, place)| is_key(**place)).map(|(text, _)| text.clone()).collect()
    };
    let mut left: HashMap<Vec<String>, &Vec<String>> = ours.iter().map(|row| (key(row), row)).collect();
    for row in &theirs {
        let own = left.remove(&key(row)).unwrap_or_else(|| panic!("{sql}\nwe have no {row:?}\n{ours:?}"));
        assert!(
            own.iter().zip(row).all(|(own, row)| same(own, row, sql.contains("GROUPING"))),
            "{sql}\nours {own:?}\ntheirs {row:?}"
        );
    }
    let is_empty = |row: &&Vec<String>| {
        let values = row.iter().zip(&places).filter(|(_, place)| !is_key(**place));
        values.clone().all(|(text, _)| text.is_empty() || text == "0")
    };
    assert!(left.values().all(is_empty), "{sql}\nPostgreSQL has no {left:?}");
    if sql.contains("ORDER BY") && !sql.contains("ARRAY_AGG") {
        let shared: Vec<_> = ours.iter().filter(|row| theirs.iter().any(|their| key(their) == key(row))).collect();
        assert!(shared.iter().zip(&theirs).all(|(own, their)| key(own) == key(their)), "{sql}: another order");
    }
}

#[test]
fn answers_before_noise_are_postgresqls() {
    let Some(bin) = programs() else {
        println!("skipped: there is no PostgreSQL here to compare with (Debian's package is postgresql)");
        return;
    };
    let policy = policy(PURE);
    let terms = Policy::parse(&policy).unwrap_or_else(|faults| panic!("{faults:?}")).terms;
    let source = csv(&terms, &rows(&mut StdRng::seed_from_u64(SEED), &terms, PEOPLE));
    let server = Server::start(bin);
    let file = server.dir.path().join("visits.csv");
    fs::write(&file, &source).expect("a file");
    load(&server, &file);
    let lab = Lab::new(&policy, &source, Arc::new(NoNoise), "100");
    let questions = repository_file("tests/data/same-as-postgresql.sql");
    let mut compared = 0;
    for sql in questions.lines().filter(|line| !line.starts_with("--")) {
        let theirs = server.psql(sql).unwrap_or_else(|| panic!("PostgreSQL refuses {sql}"));
        compare(sql, &block_on(lab.exact_table(sql)), &theirs);
        compared += 1;
    }
    assert!(compared >= 108, "{compared} questions");
    println!("{compared} questions answered as PostgreSQL answers them, before noise");
}
