//! The formats in which commands print answers.

use clap::ValueEnum;

use super::CommandFailure;
use crate::client::Client;
use crate::service::asking::body::{AnswerBody, RowValues};
use crate::terminal::{Screen, say, say_bytes};

/// The format of a printed answer.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PrintFormat {
    Table,
    Json,
    Csv,
    Arrow,
}

impl PrintFormat {
    /// The media type that a server is asked for.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Table | Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    /// Prints an answer that a server sent as [`PrintFormat::media_type`], a table as `shown` shows it.
    pub(super) fn print(
        self,
        client: &Client,
        bytes: &[u8],
        shown: impl Fn(&AnswerBody<RowValues>, &Screen) -> String,
    ) -> Result<(), CommandFailure> {
        match self {
            Self::Table => say(shown(&client.json(bytes)?, &Screen::of_stdout())),
            Self::Json => say(String::from_utf8_lossy(bytes)),
            Self::Csv | Self::Arrow => say_bytes(bytes),
        }
        Ok(())
    }
}
