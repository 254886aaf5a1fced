//! Sealed editions as datasets: what a server serves of an edition and the tables that are joined with it.
//!
//! A policy that was sealed through a server is kept with its edition ([`KeptPolicy`]), in one file of the edition's folder, so that both are
//! there or neither.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::seal::Report;
use crate::files;
use crate::query::terms::edition::{EditionError, Manifest, of_table};
use crate::query::terms::policy::{Policy, Terms};
use crate::query::terms::stated::StatedColumn;
use crate::service::Dataset;

/// The file of a kept policy in the folder of its edition.
const KEPT: &str = "policy.json";
/// The version of its format.
const KEPT_VERSION: u32 = 1;

/// A policy as it was sealed through a server, which holds for its edition whatever file the server was started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptPolicy {
    v: u32,
    /// The text of the policy, as it was handed over.
    pub text: String,
    /// A title for people, as [`Policy::title`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The padding in milliseconds, as [`Policy::pad_ms`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_ms: Option<u32>,
    /// The public statement of size in rows, as [`Policy::about_rows`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about_rows: Option<u64>,
}

impl KeptPolicy {
    /// What is kept of a policy with this text.
    #[must_use]
    pub fn new(policy: &Policy, text: &str) -> Self {
        let Policy { title, pad_ms, about_rows, .. } = policy;
        let (title, pad_ms, about_rows) = (title.clone(), *pad_ms, *about_rows);
        Self { v: KEPT_VERSION, text: text.to_owned(), title, pad_ms, about_rows }
    }

    /// Writes it into the folder of an edition, with mode 600.
    ///
    /// # Errors
    /// Fails if the file system does.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let mut file = files::create_private(&dir.join(KEPT))?;
        // Unwrap safety: a kept policy is plain data with string keys.
        file.write_all(&serde_json::to_vec(self).expect("a kept policy is plain data"))?;
        file.sync_all()
    }

    /// The policy that is kept with an edition; `None` if none is, or if it cannot be read.
    #[must_use]
    pub fn read(state: &Path, edition: &str) -> Option<Self> {
        let bytes = fs::read(Manifest::dir(state, edition).join(KEPT)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|kept: &Self| kept.v == KEPT_VERSION)
    }
}

/// What a policy says about a dataset as it is served.
pub struct ServedPolicy {
    /// The dataset's name.
    pub name: String,
    /// What can change without sealing anew.
    pub kept: KeptPolicy,
    /// The terms under which the edition was sealed.
    pub terms: Terms,
}

impl ServedPolicy {
    /// What a checked policy says.
    #[must_use]
    pub fn of(policy: Policy) -> Self {
        let kept = KeptPolicy::new(&policy, &policy.text);
        Self { name: policy.name, kept, terms: policy.terms }
    }

    /// The datasets that an edition is served as: its own table, and the tables that it is joined with. `report` is for stewards alone.
    #[must_use]
    pub fn datasets(self, edition: &str, report: Option<Report>) -> Vec<Dataset> {
        let Self { name, kept: KeptPolicy { title, pad_ms, about_rows, text, .. }, terms } = self;
        let stated: Arc<[StatedColumn]> = Policy::parse(&text).map(|policy| policy.stated()).unwrap_or_default().into();
        let joined = |join: &crate::query::terms::policy::JoinedTable| Dataset {
            name: join.name.clone(),
            lineage: name.clone(),
            title: None,
            pad_ms,
            about_rows: None,
            stated: Arc::clone(&stated),
            terms: terms.of_table(join),
            edition: of_table(edition, &join.name),
            policy: None,
            report: None,
        };
        let joined: Vec<Dataset> = terms.joins.iter().map(joined).collect();
        let (lineage, edition) = (name.clone(), edition.to_owned());
        let (policy, stated) = ((!text.is_empty()).then(|| text.into()), Arc::clone(&stated));
        let own = Dataset { name, lineage, title, pad_ms, about_rows, stated, terms, edition, policy, report };
        std::iter::once(own).chain(joined).collect()
    }
}

/// The manifests of an edition, its own first, and those of the tables that it is joined with, each checked against its commitment.
///
/// # Errors
/// [`EditionError`] if a file differs from what was sealed.
pub fn manifests(state: &Path, own: Manifest) -> Result<Vec<Manifest>, EditionError> {
    let joined = own.tables.iter().map(|(table, commitment)| {
        let edition = of_table(&own.edition, table);
        Manifest::open(state, &edition, commitment)
    });
    let joined: Vec<Manifest> = joined.collect::<Result<_, _>>()?;
    Ok(std::iter::once(own).chain(joined).collect())
}
