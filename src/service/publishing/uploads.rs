//! Files that stewards upload, to draft a policy from and to seal: each in a folder of its own below the state directory.
//!
//! Promises that an upload is there as a whole or not at all, that only the server's own user can read it, that there are never more than
//! the limits allow, and that it goes when it is old. A file holds rows of people: it is read by a process of its own and by sealing, and
//! nothing of it is shown to anybody but stewards.

mod drafted;
mod fault;
mod kept;
mod store;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::drafted::Drafts;
pub use self::drafted::{DraftOutcome, DraftReceiver};
pub use self::fault::UploadFault;
pub use self::store::{UploadWriter, safe_name};
use crate::engine::drafting::Drafter;
use crate::engine::seal::source::SourceFormat;
pub use crate::ledger::UPLOADS;

/// How much may be uploaded, and for how long it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadLimits {
    /// The largest size of a file, in bytes; 0 allows no uploads.
    pub bytes_max: u64,
    /// The largest number of files that are kept.
    pub count_max: u32,
    /// The number of days after which a file is removed.
    pub days_max: u32,
}

impl Default for UploadLimits {
    fn default() -> Self {
        Self { bytes_max: 1 << 30, count_max: 20, days_max: 7 }
    }
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Random id by which forms refer to the upload.
    pub id: String,
    /// The file's name, made safe.
    pub name: String,
    /// The file's size, in bytes.
    pub bytes: u64,
    /// When it arrived, in milliseconds since 1970 in UTC.
    pub at_ms: u64,
}

/// The uploads of a server.
pub struct Uploads {
    state: PathBuf,
    limits: UploadLimits,
    drafts: Drafts,
}

/// The path of an uploaded file in a state directory; `None` if the id is not one, or there is no such upload (any more).
#[must_use]
pub fn path(state_dir: &Path, id: &str) -> Option<PathBuf> {
    if !store::is_id(id) {
        return None;
    }
    let mut files = fs::read_dir(state_dir.join(UPLOADS).join(id)).ok()?.flatten();
    let file = files.next()?.path();
    (files.next().is_none() && file.is_file()).then_some(file)
}

impl Uploads {
    /// Keeps uploads below a state directory. Their drafts are made by processes of `drafter`.
    #[must_use]
    pub fn new(state: &Path, drafter: Drafter, limits: UploadLimits) -> Self {
        // A process that drafts has another current directory.
        let state = std::path::absolute(state).unwrap_or_else(|_| state.to_owned());
        Self { state, limits, drafts: Drafts::new(drafter) }
    }

    /// The limits of uploads.
    #[must_use]
    pub fn limits(&self) -> UploadLimits {
        self.limits
    }

    /// The uploads that are kept, the latest first. Blocks.
    #[must_use]
    pub fn all(&self) -> Vec<Upload> {
        let entries = fs::read_dir(self.state.join(UPLOADS)).into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut all: Vec<Upload> = ids.filter_map(|id| self.one(&id)).collect();
        all.sort_by(|one, other| other.at_ms.cmp(&one.at_ms).then_with(|| one.id.cmp(&other.id)));
        all
    }

    /// The upload with this id, if it is kept. Blocks.
    #[must_use]
    pub fn one(&self, id: &str) -> Option<Upload> {
        let file = path(&self.state, id)?;
        let meta = fs::metadata(&file).ok()?;
        let name = file.file_name()?.to_str()?.to_owned();
        Some(Upload { id: id.to_owned(), name, bytes: meta.len(), at_ms: store::modified_ms(&meta) })
    }

    /// Begins to take a file of this name. Old uploads are removed first. Blocks.
    ///
    /// # Errors
    /// [`UploadFault`].
    pub fn begin(&self, name: &str, now_ms: u64) -> Result<UploadWriter, UploadFault> {
        let (name, UploadLimits { bytes_max, count_max, .. }) = (safe_name(name), self.limits);
        if bytes_max == 0 {
            return Err(UploadFault::NoPlace);
        }
        if SourceFormat::of(Path::new(&name)).is_none() {
            return Err(UploadFault::Format { name });
        }
        self.clear_old(now_ms);
        if self.all().len() >= count_max as usize {
            return Err(UploadFault::Full { count_max });
        }
        UploadWriter::create(&self.state.join(UPLOADS), &name, bytes_max, now_ms)
    }

    /// Removes an upload and its draft. An id that is not there changes nothing. Blocks.
    ///
    /// # Errors
    /// [`UploadFault::Storage`] if the file cannot be removed.
    pub fn remove(&self, id: &str) -> Result<(), UploadFault> {
        self.drafts.forget(id);
        if !store::is_id(id) {
            return Ok(());
        }
        match fs::remove_dir_all(self.state.join(UPLOADS).join(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes uploads that are older than the limit, and what was left of those that never arrived. Blocks.
    pub fn clear_old(&self, now_ms: u64) {
        const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
        let kept_ms = u64::from(self.limits.days_max).saturating_mul(DAY_MS);
        for upload in self.all().iter().filter(|upload| now_ms.saturating_sub(upload.at_ms) > kept_ms) {
            if let Err(error) = self.remove(&upload.id) {
                tracing::warn!(%error, "an old upload could not be removed");
            }
        }
        store::clear_partial(&self.state.join(UPLOADS), now_ms.saturating_sub(DAY_MS));
    }

    /// The draft of a policy for an upload, which is made when it is first asked for; `None` if there is no such upload. Blocks only to look
    /// for the file.
    #[must_use]
    pub fn draft(&self, id: &str) -> Option<DraftReceiver> {
        let file = path(&self.state, id)?;
        Some(self.drafts.of(id, file))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn uploads(state: &Path, limits: UploadLimits) -> Uploads {
        Uploads::new(state, Drafter::new("/bin/false".into()), limits)
    }

    fn sent(uploads: &Uploads, name: &str, bytes: &[u8], now_ms: u64) -> Result<String, UploadFault> {
        let mut writer = uploads.begin(name, now_ms)?;
        writer.write(bytes)?;
        writer.finish()
    }

    #[test]
    fn an_upload_is_there_as_a_whole_and_private() {
        let dir = tempfile::tempdir().expect("a folder");
        let limits = UploadLimits { bytes_max: 10, count_max: 2, days_max: 1 };
        let all = uploads(dir.path(), limits);
        let id = sent(&all, "../a visit.csv", b"a,b\n1,2\n", 5_000).expect("taken");
        let file = path(dir.path(), &id).expect("a file");
        assert_eq!(file.file_name().expect("a name"), "a_visit.csv");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
        assert_eq!(fs::read(&file).expect("read"), b"a,b\n1,2\n");
        let known = Upload { id: id.clone(), name: "a_visit.csv".to_owned(), bytes: 8, at_ms: 5_000 };
        assert_eq!((all.all(), all.one(&id)), (vec![known.clone()], Some(known)));
        assert_eq!(sent(&all, "b.csv", b"a,b\n1,2\n1,2\n", 6_000), Err(UploadFault::TooLarge { bytes_max: 10 }));
        drop(all.begin("c.csv", 6_000).expect("begun"));
        let left = fs::read_dir(dir.path().join(UPLOADS)).expect("a folder").count();
        assert_eq!(left, 1, "what did not arrive leaves nothing");
        sent(&all, "d.parquet", b"x", 7_000).expect("taken");
        assert_eq!(sent(&all, "e.csv", b"x", 8_000), Err(UploadFault::Full { count_max: 2 }));
        assert!(matches!(sent(&all, "e.exe", b"x", 8_000), Err(UploadFault::Format { .. })));
        assert_eq!(sent(&all, "", b"", 8_000), Err(UploadFault::Format { name: "upload".to_owned() }));
        all.remove(&id).expect("removed");
        assert_eq!((path(dir.path(), &id), all.all().len()), (None, 1));
    }

    #[test]
    fn an_old_upload_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let all = uploads(dir.path(), UploadLimits { days_max: 1, ..UploadLimits::default() });
        sent(&all, "a.csv", b"x", 0).expect("taken");
        let later = sent(&all, "b.csv", b"x", 80_000_000).expect("taken");
        all.clear_old(86_400_000);
        assert_eq!(all.all().len(), 2, "a day is not over");
        all.clear_old(86_400_001);
        assert_eq!(all.all().iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [later]);
    }

    #[test]
    fn an_id_is_no_path() {
        let dir = tempfile::tempdir().expect("a folder");
        let secret = dir.path().join("ledger");
        fs::create_dir(&secret).expect("a folder");
        fs::File::create(secret.join("key")).and_then(|mut file| file.write_all(b"x")).expect("a file");
        for id in ["", ".", "..", "../ledger", "up_..%2fledger", "/etc", "up_00112233445566778899aabbccddeef/"] {
            assert_eq!(path(dir.path(), id), None, "{id}");
        }
        let all = uploads(dir.path(), UploadLimits::default());
        all.remove("../ledger").expect("nothing to remove");
        assert!(secret.join("key").exists());
    }
}
