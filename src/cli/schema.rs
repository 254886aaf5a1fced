//! `tacit schema`: JSON Schemas of the files that people write, for editors and for checks before a file is used.
//!
//! Every file that is accepted fits its schema. What a schema cannot express is checked by the readers of the files: `tacit
//! policy check`, `tacit plan`, `tacit serve`.

mod parts;
mod policy;
mod query;

use clap::{Args, ValueEnum};
use serde_json::Value;
use strum::VariantArray;

use self::parts::derived;
use super::CommandFailure;
use crate::config::ConfigFile;
use crate::service::stewarding::declared::DeclaringTables;
use crate::terminal::say;

/// The kinds of files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, strum::Display, VariantArray)]
#[strum(serialize_all = "lowercase")]
enum Name {
    /// The server's configuration, tacit.toml.
    Config,
    /// The policy of a dataset.
    Policy,
    /// Files that declare people, projects, grants and statistics, for tacit plan and tacit apply.
    Declared,
    /// The headers of a query file, each as a text.
    Query,
}

impl Name {
    fn schema(self) -> Value {
        match self {
            Self::Config => derived::<ConfigFile>("config"),
            Self::Policy => policy::schema(),
            Self::Declared => derived::<DeclaringTables>("declared"),
            Self::Query => query::schema(),
        }
    }
}

#[derive(Args)]
pub(super) struct SchemaOptions {
    /// The schema to print. By default all schemas are printed, in one object.
    #[arg(value_enum)]
    name: Option<Name>,
}

pub(super) fn run(options: &SchemaOptions) -> Result<(), CommandFailure> {
    let shown = match options.name {
        Some(name) => name.schema(),
        None => Name::VARIANTS.iter().map(|name| (name.to_string(), name.schema())).collect(),
    };
    say(format!("{shown:#}"));
    Ok(())
}

#[cfg(test)]
#[path = "schema/schema_tests.rs"]
mod tests;
