//! Drafts of policies for uploads: made once each, one after the other, and kept in memory until the upload goes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::engine::drafting::{DraftFault, Drafter};

/// A draft, or why there is none.
pub type DraftOutcome = Result<Arc<str>, DraftFault>;

/// Where a draft will be: `None` until it is made.
pub type DraftReceiver = watch::Receiver<Option<DraftOutcome>>;

/// The drafts of all uploads.
pub(super) struct Drafts {
    drafter: Drafter,
    made: Mutex<BTreeMap<String, DraftReceiver>>,
    /// Held by the thread whose process reads a file: there is one at a time, whose memory is bounded.
    turn: Arc<Mutex<()>>,
}

impl Drafts {
    pub(super) fn new(drafter: Drafter) -> Self {
        Self { drafter, made: Mutex::default(), turn: Arc::default() }
    }

    /// The draft of an upload; it is begun if nobody asked for it before. There are as many threads that wait as uploads without a draft,
    /// and these are bounded.
    pub(super) fn of(&self, id: &str, file: PathBuf) -> DraftReceiver {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        // One that ended without a word, because the system could start no thread, is begun again.
        if let Some(known) = made.get(id).filter(|known| known.borrow().is_some() || known.has_changed().is_ok()) {
            return known.clone();
        }
        let (tell, told) = watch::channel(None);
        made.insert(id.to_owned(), told.clone());
        drop(made);
        let (drafter, turn) = (self.drafter.clone(), Arc::clone(&self.turn));
        let work = move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let drafted = drafter.draft(&file).map(Arc::from);
            tell.send_replace(Some(drafted));
        };
        if let Err(error) = std::thread::Builder::new().name("draft".to_owned()).spawn(work) {
            tracing::error!(kind = ?error.kind(), "the system could not start a thread");
        }
        told
    }

    pub(super) fn forget(&self, id: &str) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}
