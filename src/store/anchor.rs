//! The anchor: a file beside the ledger, or on another disk, that says how far the ledger had come.
//!
//! Promises that a line is on disk before an answer leaves, so that a ledger that was set back to an older copy is noticed. A line
//! is JSON and a signature; its balances are those that changed since the line before, and the first line of an opening has
//! all. A last line that a crash cut short says nothing, for no answer left with it. Whoever can set back the anchor together with
//! the ledger is noticed by nobody, which is why the anchor's place can be configured.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::signing::Signer;
use crate::budget::entry::{Balance, Digest, Kind};
use crate::budget::keeper::Mark;
use crate::hex;

/// The anchor's file in a state directory, unless another is named.
pub const ANCHOR_FILE: &str = "anchor.log";
/// Above this the file is begun anew with its next line, which then has all balances.
const BYTES_MAX: u64 = 4 << 20;
const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    v: u32,
    pub(super) seq: u64,
    #[serde(with = "hex")]
    pub(super) head: Digest,
    pub(super) at_ms: u64,
    pub(super) balances: Vec<Balance>,
}

/// What an anchor says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// There is no such file, or nobody has finished its first line.
    Nothing,
    /// The file holds a line that is not this ledger's, or was changed.
    Forged,
    /// The last line, with the last known balance of every account.
    Line { seq: u64, head: Digest, balances: Vec<Balance> },
}

/// How much of an anchor is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// How far the ledger had come.
    LastLine,
    /// And the last known balance of every account.
    EveryLine,
}

/// The anchor, open to be appended to.
pub(super) struct Anchor {
    path: PathBuf,
    file: File,
    /// Whether the last append may have left half a line.
    torn: bool,
    length: u64,
}

impl Anchor {
    /// What the anchor at `path` says. The last line is checked, and with `depth` every other one, whose balances count then.
    pub(super) fn read(path: &Path, signer: &Signer, depth: Depth) -> io::Result<Said> {
        let mut text = Vec::new();
        match File::open(path) {
            Ok(mut file) => file.read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Said::Nothing),
            Err(error) => return Err(error),
        };
        // What stands after the last end of line was cut short by a crash.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut balances = BTreeMap::new();
        let mut last = None;
        let lines: Vec<_> = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        let skipped = match depth {
            Depth::LastLine => lines.len().saturating_sub(1),
            Depth::EveryLine => 0,
        };
        for line in lines.into_iter().skip(skipped) {
            let Some(line) = read_line(line, signer) else { return Ok(Said::Forged) };
            for balance in line.balances {
                let key: (String, Kind, String) = (balance.dataset.clone(), balance.kind, balance.name.clone());
                balances.insert(key, balance);
            }
            last = Some((line.seq, line.head));
        }
        Ok(match last {
            Some((seq, head)) => Said::Line { seq, head, balances: balances.into_values().collect() },
            None => Said::Nothing,
        })
    }

    /// Opens the anchor to append; what a crash cut short is cut off, and a file that has grown long is begun anew with its
    /// next line.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir)?;
        }
        let open = File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
        let mut file = open?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1) as u64;
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { path: path.to_owned(), file, torn: false, length: whole })
    }

    /// Whether it has grown long.
    pub(super) fn is_long(&self) -> bool {
        self.length > BYTES_MAX
    }

    /// Appends a line; when it returns, it is on disk.
    pub(super) fn append(&mut self, mark: &Mark, signer: &Signer) -> io::Result<()> {
        let line = write_line(mark, signer);
        if mark.is_whole && self.is_long() {
            return self.begin_anew(&line);
        }
        if self.torn {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
        }
        self.torn = true;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.torn = false;
        self.length += line.len() as u64;
        Ok(())
    }

    fn begin_anew(&mut self, line: &[u8]) -> io::Result<()> {
        self.file = replace(&self.path, line)?;
        (self.length, self.torn) = (line.len() as u64, false);
        Ok(())
    }

    /// Puts the old anchor aside and begins a new one with this mark.
    pub(super) fn begin(path: &Path, mark: &Mark, signer: &Signer) -> io::Result<()> {
        if path.exists() {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".before-recovery");
            std::fs::copy(path, PathBuf::from(aside))?;
        }
        replace(path, &write_line(mark, signer)).map(|_| ())
    }
}

/// A new file with one line takes the place of the old one.
fn replace(path: &Path, line: &[u8]) -> io::Result<File> {
    let partial = path.with_extension("partial");
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&partial)?;
    file.write_all(line)?;
    file.sync_all()?;
    std::fs::rename(&partial, path)?;
    sync_dir(path)?;
    Ok(file)
}

/// Makes the name of a new file durable.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

fn write_line(mark: &Mark, signer: &Signer) -> Vec<u8> {
    let line = Line { v: VERSION, seq: mark.seq, head: mark.head, at_ms: mark.at_ms, balances: mark.balances.clone() };
    // Unwrap safety: a line is plain data with string keys.
    let mut bytes = serde_json::to_vec(&line).expect("a line is plain data");
    let signature = signer.sign_line(&bytes);
    bytes.push(b'\t');
    bytes.extend(hex::encode(&signature).into_bytes());
    bytes.push(b'\n');
    bytes
}

fn read_line(text: &[u8], signer: &Signer) -> Option<Line> {
    let tab = text.iter().rposition(|byte| *byte == b'\t')?;
    let signature = hex::decode_bytes(std::str::from_utf8(&text[tab + 1..]).ok()?)?;
    if !signer.has_signed_line(&text[..tab], &signature) {
        return None;
    }
    serde_json::from_slice::<Line>(&text[..tab]).ok().filter(|line| line.v == VERSION)
}
