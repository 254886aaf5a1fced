//! Sources: which files a policy may name that comes in through a door.
//!
//! Promises that a server reads nothing for a policy from a door but a file that was uploaded with it, and what the policy file of the same
//! dataset, which its operator wrote, already names: somebody at a browser must not make the server read other files.

use std::collections::HashSet;
use std::error::Error;
use std::path::{Path, PathBuf};

use crate::engine::seal::read_public;
use crate::query::error::shown;
use crate::query::terms::policy::{Policy, PolicyError, PolicyFault, PublicRows, TableReading};
use crate::query::terms::source::{SourceLocation, SourceSpec};

/// A source that a policy from a door may not name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the source {source_name} is neither the uploaded file nor one that the policy file of this dataset on the server names; accepted are \
     the name of an uploaded file, and the sources of that policy file as they are written there"
)]
pub struct UnreadableSource {
    /// The source as the policy writes it, in quotes, or that it is a query.
    source_name: String,
}

/// What a policy may name, and where that is.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The uploaded file, to which a policy refers by its plain name.
    pub upload: Option<PathBuf>,
    /// The folder of the operator's policy file, which its paths are relative to.
    pub beside: Option<PathBuf>,
    /// What the operator's policy file names; `None` if everything may be named, because it was checked before.
    named: Option<NamedByOperator>,
}

/// What an operator's policy file names, by what it is named for: what holds rows of units must never become a public table.
#[derive(Debug, Clone, Default)]
struct NamedByOperator {
    private: Named,
    public: Named,
}

/// What a policy reads a source for.
#[derive(Clone, Copy)]
enum SourceUse {
    /// Rows of units, or the ids of those who withdrew.
    Private,
    /// A table that is published as it is.
    Public,
}

impl NamedByOperator {
    fn of(&self, purpose: SourceUse) -> &Named {
        match purpose {
            SourceUse::Private => &self.private,
            SourceUse::Public => &self.public,
        }
    }
}

/// Places of sources.
#[derive(Debug, Clone, Default)]
struct Named {
    paths: HashSet<PathBuf>,
    queries: HashSet<(String, String)>,
}

impl Named {
    fn has_any_of(&self, from: &SourceLocation) -> bool {
        match from {
            SourceLocation::Path(path) => self.paths.contains(path),
            SourceLocation::Files(paths) => paths.iter().any(|path| self.paths.contains(path)),
            SourceLocation::Postgres { connection, query } => {
                self.queries.contains(&(connection.clone(), query.clone()))
            }
        }
    }

    fn add(&mut self, from: &SourceLocation) {
        match from {
            SourceLocation::Path(path) => {
                self.paths.insert(path.clone());
            }
            SourceLocation::Files(paths) => self.paths.extend(paths.iter().cloned()),
            SourceLocation::Postgres { connection, query } => {
                self.queries.insert((connection.clone(), query.clone()));
            }
        }
    }
}

impl Sources {
    /// The sources of a policy that was checked: the uploaded file, and paths relative to a folder.
    #[must_use]
    pub fn checked(upload: Option<PathBuf>, beside: Option<PathBuf>) -> Self {
        Self { upload, beside, named: None }
    }

    /// What a policy may name whose dataset has this policy file of the operator's, if any, and that came with this uploaded file, if any.
    ///
    /// # Errors
    /// [`PolicyError`] if the operator's file is faulty, so that nobody knows what it names.
    pub fn allowed(operator: Option<&Path>, upload: Option<PathBuf>) -> Result<Self, PolicyError> {
        let Some(path) = operator else {
            return Ok(Self { upload, beside: None, named: Some(NamedByOperator::default()) });
        };
        let mut named = NamedByOperator::default();
        let policy = Policy::load_with(path, &mut |spec, columns| {
            named.public.add(&spec.from);
            read_public(spec, columns)
        })?;
        let tables = policy.tables.iter().map(|table| &table.source);
        let rows = policy.tables.is_empty().then_some(&policy.source);
        rows.into_iter().chain(tables).chain(&policy.joined).for_each(|spec| named.private.add(&spec.from));
        named.private.paths.extend(policy.exclude);
        let beside = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { upload, beside: Some(beside), named: Some(named) })
    }

    /// Checks the text of a policy, with its sources where they are.
    ///
    /// # Errors
    /// Every fault of the text, or the first source that it may not name.
    pub fn parse(&self, text: &str) -> Result<Result<Policy, UnreadableSource>, Vec<PolicyFault>> {
        let mut public = Named::default();
        let mut read = |spec: &SourceSpec, columns: &[String]| -> Result<PublicRows, Box<dyn Error>> {
            let spec = self.spec(spec.clone(), SourceUse::Public)?;
            public.add(&spec.from);
            read_public(&spec, columns)
        };
        Policy::parse_with(text, &mut read).map(|policy| self.located(policy, &public))
    }

    /// The policy with its sources where they are. None of them may be one of the `public` ones, which were read as public tables.
    fn located(&self, policy: Policy, public: &Named) -> Result<Policy, UnreadableSource> {
        let private = |spec: SourceSpec| {
            let spec = self.spec(spec, SourceUse::Private)?;
            if self.named.is_some() && public.has_any_of(&spec.from) {
                return Err(UnreadableSource {
                    source_name: "of a public table, which also holds rows of units,".to_owned(),
                });
            }
            Ok(spec)
        };
        let source = if policy.tables.is_empty() { private(policy.source)? } else { policy.source };
        let table = |table: TableReading| Ok(TableReading { source: private(table.source)?, ..table });
        Ok(Policy {
            source,
            tables: policy.tables.into_iter().map(table).collect::<Result<_, _>>()?,
            joined: policy.joined.into_iter().map(private).collect::<Result<_, _>>()?,
            exclude: policy.exclude.map(|path| self.path(path, SourceUse::Private)).transpose()?,
            ..policy
        })
    }

    fn spec(&self, spec: SourceSpec, purpose: SourceUse) -> Result<SourceSpec, UnreadableSource> {
        let from = match spec.from {
            SourceLocation::Path(path) => SourceLocation::Path(self.path(path, purpose)?),
            SourceLocation::Files(paths) => {
                SourceLocation::Files(paths.into_iter().map(|path| self.path(path, purpose)).collect::<Result<_, _>>()?)
            }
            SourceLocation::Postgres { connection, query } => {
                let asked = (connection, query);
                if self.named.as_ref().is_some_and(|named| !named.of(purpose).queries.contains(&asked)) {
                    return Err(UnreadableSource { source_name: "that is a query of a database".to_owned() });
                }
                SourceLocation::Postgres { connection: asked.0, query: asked.1 }
            }
        };
        Ok(SourceSpec { from, ..spec })
    }

    fn path(&self, path: PathBuf, purpose: SourceUse) -> Result<PathBuf, UnreadableSource> {
        let uploaded = self.upload.as_ref().filter(|upload| upload.file_name() == Some(path.as_os_str()));
        if let Some(uploaded) = uploaded {
            return Ok(uploaded.clone());
        }
        let whole = self.beside.as_ref().map_or_else(|| path.clone(), |beside| beside.join(&path));
        match &self.named {
            Some(named) if !named.of(purpose).paths.contains(&whole) => {
                Err(UnreadableSource { source_name: format!("\"{}\"", shown(&path.to_string_lossy())) })
            }
            Some(_) | None => Ok(whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::Sources;

    const COLUMN: &str = "[[column]]\nname = \"a\"\ntype = \"boolean\"\n";

    fn policy(source: &str, more: &str) -> String {
        format!(
            "[dataset]\nname = \"t\"\nsource = {source}\nprivacy_unit = \"u\"\nmax_rows_per_unit = 4\nmax_rows = 9\n\
             cap = {{ epsilon = \"1\", delta = \"1e-9\" }}\n{more}\n{COLUMN}"
        )
    }

    /// Whether a policy is accepted, and where its source is, or what is said against it.
    fn check(sources: &Sources, source: &str, more: &str) -> (bool, String) {
        match sources.parse(&policy(source, more)) {
            Ok(Ok(policy)) => (true, format!("{:?}", policy.source.from)),
            Ok(Err(fault)) => (false, fault.to_string()),
            Err(faults) => (false, faults[0].to_string()),
        }
    }

    #[test]
    fn only_uploads_and_what_the_operator_names_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let operators = folder.path().join("t.toml");
        let own = "{ files = [\"a.csv\", \"/data/b.csv\"] }";
        std::fs::write(&operators, policy(own, "exclude = \"gone.csv\"")).expect("a policy file");
        let upload = PathBuf::from("/state/uploads/u1/new.csv");
        let both = Sources::allowed(Some(&operators), Some(upload.clone())).expect("a policy");
        for accepted in ["\"new.csv\"", "\"a.csv\"", own] {
            let (is_accepted, said) = check(&both, accepted, "");
            assert!(is_accepted, "{accepted}: {said}");
        }
        assert!(check(&both, "\"new.csv\"", "").1.contains("/state/uploads/u1/new.csv"));
        assert!(check(&both, "\"a.csv\"", "exclude = \"gone.csv\"").0);
        for refused in [
            "\"/etc/passwd\"",
            "\"c.csv\"",
            "\"sub/../a.csv\"",
            "\"u1/new.csv\"",
            "\"../uploads/u1/new.csv\"",
            "\"*.csv\"",
            "\".\"",
            "{ files = [\"a.csv\", \"/etc/passwd\"] }",
            "{ postgresql = \"host=h dbname=d\", query = \"SELECT 1\" }",
        ] {
            let (is_accepted, said) = check(&both, refused, "");
            assert!(!is_accepted && said.contains("neither the uploaded file"), "{refused}: {said}");
        }
        let public = "[[public]]\nname = \"p\"\nsource = \"/etc/passwd\"\ncolumns = [\"x\"]\n";
        for others in ["exclude = \"/etc/passwd\"", public] {
            let (is_accepted, said) = check(&both, "\"a.csv\"", others);
            assert!(!is_accepted && said.contains("/etc/passwd") && said.contains("neither"), "{said}");
        }
        // What holds rows of units does not become public, whether the operator names it, or it was uploaded for both.
        for (source, table) in [("\"new.csv\"", "a.csv"), ("\"a.csv\"", "gone.csv")] {
            let public = format!("[[public]]\nname = \"p\"\nsource = \"{table}\"\ncolumns = [\"x\"]\n");
            let (is_accepted, said) = check(&both, source, &public);
            assert!(!is_accepted && said.contains("neither the uploaded file"), "{table}: {said}");
        }
        let alone = Sources::allowed(None, Some(upload)).expect("no policy");
        assert!(check(&alone, "\"new.csv\"", "").0 && !check(&alone, "\"a.csv\"", "").0);
        let nothing = Sources::allowed(None, None).expect("no policy");
        assert!(!check(&nothing, "\"new.csv\"", "").0);
        let checked = Sources::checked(None, Some(Path::new("/p").to_owned()));
        assert_eq!(check(&checked, "\"a.csv\"", ""), (true, "Path(\"/p/a.csv\")".to_owned()));
    }
}
