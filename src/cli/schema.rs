//! `tacit schema`: JSON Schemas of the files that people write, for editors and for checks before a file is used.
//!
//! Every file that is accepted fits its schema. What a schema cannot express is checked by the readers of the files: `tacit
//! policy check`, `tacit plan`, `tacit serve`.

mod query;

use clap::{Args, ValueEnum};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;
use strum::VariantArray;

use super::CommandFailure;
use crate::config::ConfigFile;
use crate::query::terms::policy::PolicyFile;
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
            Self::Config => derived::<ConfigFile>(self),
            Self::Policy => derived::<PolicyFile>(self),
            Self::Declared => derived::<DeclaringTables>(self),
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

/// The schema of a file, as the types that read it declare it.
fn derived<T: JsonSchema>(name: Name) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let generator = settings.with_transform(RecursiveTransform(without_null)).into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), format!("urn:tacit:schema:{name}").into());
    schema.to_value()
}

/// An optional key is left out if it has no value, as TOML has no null.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if types.len() == 1 {
            let kind = types.remove(0);
            schema.insert("type".to_owned(), kind);
        }
    }
}

#[cfg(test)]
#[path = "schema/schema_tests.rs"]
mod tests;
