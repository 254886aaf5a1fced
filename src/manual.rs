//! The manual: one text in Markdown for the people who ask, steward, publish and operate, and for those who write clients.
//!
//! Promises that every reader sees the same words: the modules below hold the text for rustdoc, the console serves it at `/manual`, and
//! `tacit manual` prints it. It knows nothing of how the text is shown.

/// One topic of the manual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// The topic's name in addresses and on the command line, such as `asking`.
    pub name: &'static str,
    /// What the topic is for, in one line without a full stop.
    pub about: &'static str,
    /// The text in Markdown; its first line is a heading of level 1.
    pub text: &'static str,
}

impl Topic {
    /// Finds a topic by its name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        TOPICS.iter().copied().find(|topic| topic.name == name)
    }

    /// The heading at the top of the text.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.text.lines().next().unwrap_or(self.name).trim_start_matches('#').trim()
    }
}

/// Declares the topics: a list for programs, and one module each for rustdoc.
///
/// In the files, a link to another topic names its file, as `[asking]: asking.md` does at the end. A definition that stands earlier
/// wins, so the lines before each text turn these links into links between modules.
macro_rules! topics {
    ($($name:ident: $about:literal,)*) => {
        /// Every topic, in the order in which a newcomer would read them.
        pub const TOPICS: &[Topic] = &[$(
            Topic {
                name: stringify!($name),
                about: $about,
                text: include_str!(concat!("manual/", stringify!($name), ".md")),
            },
        )*];

        $(
            #[doc = "[asking]: crate::manual::asking"]
            #[doc = "[stewarding]: crate::manual::stewarding"]
            #[doc = "[publishing]: crate::manual::publishing"]
            #[doc = "[operating]: crate::manual::operating"]
            #[doc = "[privacy]: crate::manual::privacy"]
            #[doc = "[formats]: crate::manual::formats"]
            #[doc = "[clients]: crate::manual::clients"]
            #[doc = "[postgresql]: crate::manual::postgresql"]
            #[doc = "[achilles]: crate::manual::achilles"]
            #[doc = "[changelog]: crate::manual::changelog"]
            #[doc = ""]
            #[doc = include_str!(concat!("manual/", stringify!($name), ".md"))]
            pub mod $name {}
        )*
    };
}

topics! {
    asking: "the SQL that is answered, accuracy and its price, error bars, and what is free",
    stewarding: "policies, sealing, people, budgets, requests, and the same from files in Git",
    publishing: "statistics with a schedule, their addresses and pages, and who sees them",
    operating: "configuration, TLS, metrics, logs, webhooks, backups, and how to look after the ledger",
    privacy: "what is promised and what is not, how it is enforced, and how to test it",
    clients: "the HTTP API from curl, Python, R and dashboards, and the command line",
    postgresql: "psql, drivers, notebooks and dashboards: coming in, accuracy and its price, and what is free",
    formats: "what is written to disk, what each format number means, and what may change",
    achilles: "what OHDSI's Achilles asks, in one statement each, and what of it is not asked",
    changelog: "what has changed, and what to do about it",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_opens_with_its_title_and_ends_with_the_same_links() {
        for topic in TOPICS {
            assert!(topic.text.starts_with("# ") && !topic.title().is_empty(), "{}", topic.name);
            for other in TOPICS {
                let link = format!("\n[{0}]: {0}.md\n", other.name);
                assert!(topic.text.contains(&link), "{} does not define the link{link}", topic.name);
            }
            assert_eq!(Topic::find(topic.name), Some(*topic));
        }
        assert_eq!(Topic::find("asks"), None);
    }
}
