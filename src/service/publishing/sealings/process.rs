//! The process that seals beside a running server: this program itself, which reads the sources, writes the edition into a folder of its
//! own, and prints what happens as lines of JSON.
//!
//! Promises that it ends with the server that started it, and that it opens neither the ledger nor anything else of the state directory.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::sources::{Sources, UnreadableSource};
use crate::engine::seal::{SealError, seal};
use crate::files;
use crate::query::terms::policy::PolicyFault;

/// The policy's file in the folder of a sealing.
pub(super) const POLICY_FILE: &str = "policy.toml";
/// The shortest time between two lines about how many rows were read.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// A line that the process prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealingLine {
    /// So many rows have been read.
    Rows(u64),
    /// The edition is complete.
    Sealed {
        /// Random id of the edition that was written.
        edition: String,
        /// The commitment to its manifest.
        commitment: String,
    },
    /// Nothing was sealed, for this reason. It names no value of a source.
    Fault(String),
}

/// Starts the process for the policy in `folder`.
pub(super) fn start(program: &Path, folder: &Path, sources: &Sources) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg0("tacit").arg("seal").arg(folder.join(POLICY_FILE)).arg("--edition-only").arg(folder);
    if let Some(upload) = &sources.upload {
        command.arg("--upload").arg(upload);
    }
    // The folder of a file that is named without one is the process's own, too.
    if let Some(beside) = sources.beside.as_ref().filter(|folder| !folder.as_os_str().is_empty()) {
        command.arg("--beside").arg(beside);
    }
    // An interrupt from the terminal is for the server to handle. What it would say there is in its lines, too.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

/// Seals the policy in `folder` into that folder, and tells each line. Returns whether it was sealed.
pub fn seal_alone(folder: &Path, sources: &Sources, tell: &dyn Fn(&SealingLine)) -> bool {
    // Without it, the process would go on when its server is killed.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let last = sealed(folder, sources, tell).unwrap_or_else(|fault| SealingLine::Fault(fault.to_string()));
    tell(&last);
    matches!(last, SealingLine::Sealed { .. })
}

/// Why the process sealed nothing.
#[derive(Debug, thiserror::Error)]
enum Unsealed {
    #[error("the policy's file: {}", files::because(.0.kind()))]
    Unreadable(#[from] io::Error),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faulty(Vec<PolicyFault>),
    #[error(transparent)]
    Source(#[from] UnreadableSource),
    #[error(transparent)]
    Seal(#[from] SealError),
}

fn sealed(folder: &Path, sources: &Sources, tell: &dyn Fn(&SealingLine)) -> Result<SealingLine, Unsealed> {
    let text = files::text(&folder.join(POLICY_FILE))?;
    let policy = sources.parse(&text).map_err(Unsealed::Faulty)??;
    let told = Mutex::new(None::<Instant>);
    let progress = |rows: u64| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            *told = Some(Instant::now());
            tell(&SealingLine::Rows(rows));
        }
    };
    let (manifest, report) = seal(&policy, folder, &progress)?;
    tell(&SealingLine::Rows(report.rows_read));
    Ok(SealingLine::Sealed { edition: manifest.edition.clone(), commitment: manifest.commitment() })
}
