//! `tacit manual`: the manual as text, one topic at a time. Paging is left to the caller.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::manual::{TOPICS, Topic};
use crate::terminal::say;

#[derive(Args)]
pub(super) struct ManualOptions {
    /// The topic to print; without one, the topics are listed.
    #[arg(value_parser = PossibleValuesParser::new(TOPICS.iter().map(|topic| topic.name)))]
    topic: Option<String>,
}

pub(super) fn run(options: &ManualOptions) {
    match options.topic.as_deref().and_then(Topic::find) {
        Some(topic) => say(topic.text.trim_end()),
        None => TOPICS.iter().for_each(|topic| say(format!("{:<11}{}", topic.name, topic.about))),
    }
}
