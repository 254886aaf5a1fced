//! The tour: asks every published query as a researcher would, and finally one question too many.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::error::DemoError;
use crate::client::{Client, ClientError};
use crate::files;
use crate::query::file::QueryFile;
use crate::render::text;
use crate::terminal::{Screen, Tone, say};

/// The last question, which costs more than the tour's account holds by then.
const LAST: &str = "SELECT COUNT(*) AS visits FROM visits WHERE emergency";

/// Asks every query file of `queries` and prints the answers.
///
/// # Errors
/// [`DemoError`] if a query is not answered, or if the last question is answered.
pub(super) fn run(client: &Client, queries: &Path) -> Result<(), DemoError> {
    let mut paths: Vec<_> =
        fs::read_dir(queries)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
    paths.sort();
    for path in paths {
        let file = QueryFile::parse(&files::text(&path)?)?;
        let screen = Screen::of_stdout();
        say(format!("\n{}\n{}", screen.paint(Tone::Strong, &file.title), screen.paint(Tone::Faint, &file.sql)));
        let body = json!({"sql": file.sql, "epsilon": file.epsilon, "margin": file.margin, "purpose": "tour"});
        say(text::answer(&client.post_as("/v1/queries", &body)?, &screen));
    }
    refuse(client)
}

fn refuse(client: &Client) -> Result<(), DemoError> {
    say(format!("\nOne question too many: epsilon 1 for\n{LAST}"));
    match client.post("/v1/queries", &json!({"sql": LAST, "epsilon": "1"})) {
        Err(ClientError::Problem { problem }) if problem["code"] == "budget-exhausted" => {
            say(format!("{}", ClientError::Problem { problem }));
            Ok(())
        }
        Err(other) => Err(other.into()),
        Ok(_) => Err(DemoError("the last question should have been refused".to_owned())),
    }
}
