//! The anchor: a file beside the ledger, or on another disk, that records how far the ledger has come.
//!
//! Promises that a line is on disk before an answer leaves, so that a ledger that was replaced by an older copy is noticed. A line is JSON
//! and a signature. Its balances are those that changed since the previous line; the first line after an opening has all of them. A
//! dataset's balance also says whether the dataset is frozen, except in lines of older versions. A last line that a crash cut short is
//! ignored, because no answer left with it. Replacing the anchor together with the ledger cannot be detected, which is why the anchor's
//! place can be configured. The copy of an anchor in a backup begins with a line of its own, so that it vouches for no ledger, whatever it
//! is renamed to.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::signing::Signer;
use crate::files;
use crate::kernel::budget::entry::{AccountKind, Balance, Digest, Freeze};
use crate::kernel::budget::writer::AnchorMark;

/// Name of the anchor's file in a state directory, unless another place is configured.
pub const ANCHOR_FILE: &str = "anchor.log";
/// Above this size in bytes the file is rewritten with its next line, which then holds all balances.
const BYTES_MAX: u64 = 1 << 20;
const VERSION: u32 = 1;
/// The first line of a copied anchor. It is not a line of an anchor, and no signature covers it.
pub(super) const COPIED: &[u8] = b"# copied by tacit backup; it does not know what was spent since\n";

/// One line of the anchor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnchorLine {
    v: u32,
    pub(super) seq: u64,
    #[serde(with = "hex")]
    pub(super) head: Digest,
    pub(super) at_ms: u64,
    /// Whether it holds all balances, so that no earlier line is needed.
    whole: bool,
    pub(super) balances: Vec<KnownBalance>,
}

/// What an anchor knows about an account: its balance and, for a dataset's account, whether the dataset is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownBalance {
    #[serde(flatten)]
    pub(super) balance: Balance,
    /// `None` in lines of older versions, and for accounts that are not a dataset's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frozen: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incidents: Option<u32>,
}

impl KnownBalance {
    fn of(balance: &Balance, mark: &AnchorMark) -> Self {
        let is_of = |freeze: &&Freeze| balance.kind == AccountKind::Dataset && freeze.dataset == balance.dataset;
        let freeze = mark.freezes.iter().find(is_of);
        let (frozen, incidents) = (freeze.map(|one| one.is_frozen), freeze.map(|one| one.incidents));
        Self { balance: balance.clone(), frozen, incidents }
    }

    /// Merges what another anchor knows about the same account: the higher balance, and the stricter freeze if both anchors record one.
    pub(super) fn raise(&mut self, other: &Self) {
        let (own, its) = (&mut self.balance, &other.balance);
        own.spent = own.spent.max(its.spent);
        own.cells = own.cells.max(its.cells);
        own.threshold_delta = own.threshold_delta.max(its.threshold_delta);
        self.frozen = self.frozen.zip(other.frozen).map(|(own, its)| own || its);
        self.incidents = self.incidents.zip(other.incidents).map(|(own, its)| own.max(its));
    }

    /// Whether the dataset is frozen; `None` if the account is not a dataset's or the anchor does not say.
    pub(super) fn freeze(&self) -> Option<Freeze> {
        let (is_frozen, incidents) = (self.frozen?, self.incidents?);
        Some(Freeze { dataset: self.balance.dataset.clone(), is_frozen, incidents })
    }
}

/// What was read from an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// There is no such file, or its first line was never completed.
    Nothing,
    /// No line of the file is signed by this ledger; `balances` are what it claims, which may be taken as lower bounds.
    Forged { balances: Vec<KnownBalance> },
    /// The last valid line, the last known balance of every account, and whether any other line was changed.
    Line { seq: u64, head: Digest, balances: Vec<KnownBalance>, is_changed: bool },
}

/// How much of an anchor is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The last line only: how far the ledger had come.
    LastLine,
    /// Every line, for the last known balance of every account.
    EveryLine,
}

/// The anchor, open for appending.
pub(super) struct Anchor {
    path: PathBuf,
    file: File,
    /// Whether the last append may have left half a line.
    torn: bool,
    length: u64,
    /// Size in bytes of the last line that had all balances.
    whole_bytes: u64,
}

impl Anchor {
    /// Reads the anchor at `path`. The last line is checked and, if `depth` says so, every other line, whose balances then count too.
    /// Without a key every line is only a claim.
    pub(super) fn read(path: &Path, signer: Option<&Signer>, depth: Depth) -> io::Result<Said> {
        let mut text = Vec::new();
        match File::open(path) {
            Ok(mut file) => file.read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Said::Nothing),
            Err(error) => return Err(error),
        };
        // Anything after the last line end was cut short by a crash.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let own = text[..whole].strip_prefix(COPIED).unwrap_or(&text[..whole]);
        let lines: Vec<_> = own.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        if lines.is_empty() {
            return Ok(Said::Nothing);
        }
        // An unsigned last line is one that a crash left incomplete: whoever could change it could just as well remove it.
        let mut valid = lines.iter().enumerate().rev().filter_map(|(at, line)| Some((at, read_line(line, signer)?)));
        let Some((last_at, last)) = valid.next() else {
            let claimed = lines.iter().filter_map(|line| parse_line(line).map(|(line, _)| line));
            return Ok(Said::Forged { balances: latest(claimed.flat_map(|line| line.balances)) });
        };
        if depth == Depth::LastLine {
            return Ok(Said::Line { seq: last.seq, head: last.head, balances: Vec::new(), is_changed: false });
        }
        let (mut recent, mut is_changed, mut is_whole) = (vec![last], false, false);
        for line in lines[..last_at].iter().rev().map(|line| read_line(line, signer)) {
            is_changed |= line.is_none();
            is_whole = is_whole || recent.last().is_some_and(|line| line.whole);
            recent.extend(line.filter(|_| !is_whole));
        }
        let (seq, head) = (recent[0].seq, recent[0].head);
        let balances = latest(recent.into_iter().rev().flat_map(|line| line.balances));
        Ok(Said::Line { seq, head, balances, is_changed })
    }

    /// Whether the file is the copy of an anchor that a backup holds.
    pub(super) fn is_copied(path: &Path) -> io::Result<bool> {
        let mut text = Vec::new();
        match File::open(path) {
            Ok(file) => file.take(COPIED.len() as u64).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        Ok(text == COPIED)
    }

    /// Opens the file and locks it, so that nobody else writes it meanwhile; `None` if it does not exist.
    ///
    /// # Errors
    /// `ResourceBusy` if another process writes it.
    pub(super) fn hold(path: &Path) -> io::Result<Option<File>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
            // On a disk without locks, nobody else can hold one.
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => Ok(Some(file)),
        }
    }

    /// Opens the anchor for appending. Whatever a crash cut short is truncated, and a file that has grown long is rewritten with its next
    /// line. No other process may have it open.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        make_folder(path)?;
        let is_new = !path.exists();
        let open = File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(path);
        let mut file = open?;
        make_private(&file);
        file.try_lock().map_err(|_| io::Error::from(io::ErrorKind::ResourceBusy))?;
        if is_new {
            files::sync_folder_of(path)?;
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1) as u64;
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { path: path.to_owned(), file, torn: false, length: whole, whole_bytes: 0 })
    }

    /// Whether the file has grown so long that it should be rewritten.
    pub(super) fn is_long(&self) -> bool {
        self.length > BYTES_MAX.max(4 * self.whole_bytes)
    }

    /// Whether the path still leads to the open file, so that nobody moved it or put another in its place.
    fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let (named, open) = (std::fs::metadata(&self.path), self.file.metadata());
        matches!((named, open), (Ok(named), Ok(open)) if (named.dev(), named.ino()) == (open.dev(), open.ino()))
    }

    /// Appends a line; when this returns, the line is on disk.
    pub(super) fn append(&mut self, mark: &AnchorMark, signer: &Signer) -> io::Result<()> {
        let line = write_line(mark, signer);
        if mark.is_whole {
            self.whole_bytes = line.len() as u64;
        }
        match (self.is_in_place(), mark.is_whole) {
            (true, false) => {}
            (true, true) if !self.is_long() => {}
            (_, true) => return self.begin_anew(&line),
            // The next line has all balances and begins a new file at this path.
            (false, false) => return Err(io::ErrorKind::NotFound.into()),
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
        self.file = files::replace(&self.path, line)?;
        self.file.try_lock().map_err(|_| io::Error::from(io::ErrorKind::ResourceBusy))?;
        (self.length, self.torn) = (line.len() as u64, false);
        Ok(())
    }

    /// Moves the old anchor aside and begins a new one with this mark.
    pub(super) fn begin(path: &Path, mark: &AnchorMark, signer: &Signer) -> io::Result<()> {
        if path.exists() {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".before-recovery");
            files::replace(&PathBuf::from(aside), &std::fs::read(path)?)?;
        }
        files::replace(path, &write_line(mark, signer)).map(|_| ())
    }
}

/// Makes a file accessible to its owner only. Failure is ignored, because an anchor may be on a file system without such permissions.
fn make_private(file: &File) {
    let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
}

fn write_line(mark: &AnchorMark, signer: &Signer) -> Vec<u8> {
    let line = AnchorLine {
        v: VERSION,
        seq: mark.seq,
        head: mark.head,
        at_ms: mark.at_ms,
        whole: mark.is_whole,
        balances: mark.balances.iter().map(|balance| KnownBalance::of(balance, mark)).collect(),
    };
    // Unwrap safety: a line is plain data with string keys.
    let mut bytes = serde_json::to_vec(&line).expect("a line is plain data");
    let signature = signer.sign_line(&bytes);
    bytes.push(b'\t');
    bytes.extend(hex::encode(signature).into_bytes());
    bytes.push(b'\n');
    bytes
}

fn read_line(text: &[u8], signer: Option<&Signer>) -> Option<AnchorLine> {
    let (line, signature) = parse_line(text)?;
    let tab = text.iter().rposition(|byte| *byte == b'\t')?;
    signer?.has_signed_line(&text[..tab], &signature).then_some(line)
}

/// Parses a line and its signature, without checking the signature.
fn parse_line(text: &[u8]) -> Option<(AnchorLine, Vec<u8>)> {
    let tab = text.iter().rposition(|byte| *byte == b'\t')?;
    let signature = hex::decode(&text[tab + 1..]).ok()?;
    let line = serde_json::from_slice::<AnchorLine>(&text[..tab]).ok().filter(|line| line.v == VERSION)?;
    Some((line, signature))
}

/// The last value that is known of each account.
fn latest(all: impl Iterator<Item = KnownBalance>) -> Vec<KnownBalance> {
    let key = |balance: &Balance| (balance.dataset.clone(), balance.kind, balance.name.clone());
    let latest: BTreeMap<(String, AccountKind, String), KnownBalance> =
        all.map(|known| (key(&known.balance), known)).collect();
    latest.into_values().collect()
}

/// Creates the directory that a file will be in, with mode 700 if it is new.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir),
        None => Ok(()),
    }
}
