//! Where a ledger's anchor is, and whether it vouches for the ledger.
//!
//! An anchor lies beside its ledger, or where the operator wants it, for example on another disk, where it detects that a whole state
//! directory was replaced by an older copy. Promises that such a place is remembered twice: by a file that names it, and by the ledger's
//! own header, which says that such a file exists. So a ledger whose anchor was moved away never mistakes a file that is still beside it
//! for its anchor, whatever is lost.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::anchor::{ANCHOR_FILE, Anchor, Depth, Said};
use super::error::OpenError;
use super::signing::Signer;
use crate::files;
use crate::kernel::budget::state::LedgerState;
use crate::ledger::error::unusable;
use crate::ledger::files::ANCHOR_PLACE_FILE;
use crate::ledger::sqlite::database::{Database, Stamp, fault};

/// The place that a state directory's file names; `None` if there is no such file.
pub(super) fn noted_place(state: &Path) -> Result<Option<PathBuf>, OpenError> {
    let note = state.join(ANCHOR_PLACE_FILE);
    match fs::read_to_string(&note) {
        Ok(text) => Ok(Some(text.trim_end().into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(&note, &error)),
    }
}

/// Where the anchor of a state directory was last, according to its files: at the place that is named, or else beside the ledger.
pub(super) fn last_place(state: &Path) -> Result<PathBuf, OpenError> {
    Ok(noted_place(state)?.unwrap_or_else(|| state.join(ANCHOR_FILE)))
}

/// The places where an anchor may be.
pub(super) struct AnchorPlaces {
    state: PathBuf,
    /// The place that the operator asks for, if any.
    pub(super) asked: Option<PathBuf>,
    /// The place where the ledger last had it; `None` if that is lost.
    pub(super) known: Option<PathBuf>,
    /// The stamp in the ledger's header.
    pub(super) stamp: Stamp,
}

impl AnchorPlaces {
    pub(super) fn of(state: &Path, asked: Option<&Path>, database: &Database) -> Result<Self, OpenError> {
        let stamp = database.read_stamp().map_err(|error| fault(&state.display().to_string(), &error))?;
        let known = match noted_place(state)? {
            None if stamp == Stamp::AnchoredElsewhere => None,
            None => Some(state.join(ANCHOR_FILE)),
            noted => noted,
        };
        Ok(Self { state: state.to_owned(), asked: asked.map(Path::to_owned), known, stamp })
    }

    /// Where the anchor is written from now on: as asked, or where it was, or beside the ledger.
    pub(super) fn chosen(&self) -> PathBuf {
        let chosen = self.asked.as_ref().or(self.known.as_ref());
        chosen.cloned().unwrap_or_else(|| self.state.join(ANCHOR_FILE))
    }

    /// The place where the ledger last had its anchor.
    ///
    /// # Errors
    /// [`OpenError::PlaceLost`] if the file that names it is gone.
    pub(super) fn known(&self) -> Result<&Path, OpenError> {
        let lost = || OpenError::PlaceLost { path: self.state.join(ANCHOR_PLACE_FILE).display().to_string() };
        self.known.as_deref().ok_or_else(lost)
    }

    /// Records the anchor's place, so that every later opening finds it; returns the stamp that the ledger's header must have.
    pub(super) fn remember(&self, place: &Path) -> Result<Stamp, OpenError> {
        let note = self.state.join(ANCHOR_PLACE_FILE);
        if self.known.as_deref() != Some(place) {
            let absolute = std::path::absolute(place).unwrap_or_else(|_| place.to_path_buf());
            let written = files::replace(&note, format!("{}\n", absolute.display()).as_bytes());
            written.map_err(|error| unusable(&note, &error))?;
        }
        Ok(if note.exists() { Stamp::AnchoredElsewhere } else { Stamp::InUse })
    }
}

/// A ledger whose chain was checked, with what its anchors are compared with.
pub(super) struct CheckedLedger<'a> {
    pub(super) database: &'a Database,
    pub(super) signer: &'a Signer,
    pub(super) book: &'a LedgerState,
}

impl CheckedLedger<'_> {
    /// Checks that no anchor contradicts the ledger and that one vouches for it: the known one or, if that is gone, the one asked for, if
    /// it holds the ledger's very head, as one does that was moved after a clean stop.
    ///
    /// If the anchor asked for does not exist, a new one is begun there, provided that a known one vouches and that this directory was in
    /// use before. If nothing shows that it was in use, it may be an older copy, for which its own anchor vouches while the latest one is
    /// lost.
    pub(super) fn vouched(&self, places: &AnchorPlaces) -> Result<(), OpenError> {
        let of_known = places.known().and_then(|known| self.anchor(known));
        let Some(asked) = places.asked.as_deref().filter(|asked| places.known.as_deref() != Some(asked)) else {
            return of_known.map(|_| ());
        };
        match (of_known, self.anchor(asked)) {
            (Ok(_), Ok(_)) => Ok(()),
            (Ok(_), Err(OpenError::AnchorMissing { path })) => match places.stamp {
                Stamp::InUse | Stamp::AnchoredElsewhere => Ok(()),
                Stamp::None | Stamp::Copy if self.book.head().0 == 0 => Ok(()),
                Stamp::None | Stamp::Copy => {
                    Err(OpenError::AnchorNotMoved { path, known: places.known()?.display().to_string() })
                }
            },
            (Err(OpenError::AnchorMissing { .. } | OpenError::PlaceLost { .. }), Ok(seq))
                if seq == self.book.head().0 =>
            {
                Ok(())
            }
            (Ok(_), Err(error)) | (Err(error), _) => Err(error),
        }
    }

    /// How far the ledger had come according to an anchor. The ledger must have come at least as far and have that entry in its chain.
    fn anchor(&self, path: &Path) -> Result<u64, OpenError> {
        let shown = path.display().to_string();
        let (ledger_seq, _) = self.book.head();
        if Anchor::is_copied(path).map_err(|error| unusable(path, &error))? {
            return Err(OpenError::AnchorCopied { path: shown });
        }
        match Anchor::read(path, Some(self.signer), Depth::LastLine).map_err(|error| unusable(path, &error))? {
            // Nothing was charged yet: this is a first opening, or one that a crash cut short.
            Said::Nothing if ledger_seq == 0 => Ok(0),
            Said::Nothing => Err(OpenError::AnchorMissing { path: shown }),
            Said::Forged { .. } => Err(OpenError::AnchorForged { path: shown }),
            Said::Line { seq, .. } if seq > ledger_seq => {
                Err(OpenError::SetBack { path: shown, anchor_seq: seq, ledger_seq })
            }
            Said::Line { seq: 0, .. } => Ok(0),
            Said::Line { seq, head, .. } => match self.database.hash_of(seq) {
                Ok(Some(hash)) if hash == head => Ok(seq),
                Ok(_) | Err(_) => Err(OpenError::SetBack { path: shown, anchor_seq: seq, ledger_seq }),
            },
        }
    }
}
