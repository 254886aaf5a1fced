//! What a prompt makes of the lines that are typed: it remembers an unfinished question, the accuracy, and a price that waits for a yes.
//!
//! Promises that a question which costs something becomes [`PromptAction::Ask`] only after its price was shown and a line said yes, unless
//! confirmation is off. Nothing is read, printed or sent here.

use crate::query::error::nearest;
use crate::service::asking::free::is_free;

/// The commands of the prompt, with what they do.
const COMMANDS: [(&str, &str, &str); 13] = [
    ("d", "[TABLE]", "list what may be asked: datasets, or the columns of a table"),
    ("e", "EPSILON", "ask at this epsilon from now on"),
    ("m", "MARGIN", "ask at this 95 % margin from now on, whatever it costs"),
    ("quote", "[SQL]", "show the price of a question, or of the last one, and ask nothing"),
    ("budget", "", "show what is left of your budgets"),
    ("history", "", "list your last answers"),
    ("statistics", "", "list published statistics"),
    ("purpose", "[TEXT]", "state what the questions are for; the ledger keeps it, and the public sees it"),
    ("confirm", "on|off", "ask before anything is spent, or do not"),
    ("timing", "", "show how long answers take, or do not"),
    ("c", "", "drop the question that is being typed"),
    ("?", "", "show this list"),
    ("q", "", "leave; Ctrl-D does it, too"),
];

/// How accurate answers should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum AskedAccuracy {
    /// The ε to spend at most.
    Epsilon(String),
    /// The 95 % half-width to reach.
    Margin(String),
}

impl AskedAccuracy {
    /// The accuracy that options give.
    pub(in crate::cli) fn given(epsilon: Option<&str>, margin: Option<&str>) -> Option<Self> {
        let margin = margin.map(|margin| Self::Margin(margin.to_owned()));
        epsilon.map(|epsilon| Self::Epsilon(epsilon.to_owned())).or(margin)
    }
}

/// A question that was typed whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PromptQuestion {
    pub(super) sql: String,
    /// `None` for questions that are free.
    pub(super) accuracy: Option<AskedAccuracy>,
    pub(super) purpose: Option<String>,
}

/// What is to be done about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PromptAction {
    /// Print a text.
    Say(String),
    /// List the commands.
    Commands,
    /// Show what may be asked, or the columns of a table.
    Describe(Option<String>),
    /// Show accounts.
    Budget,
    /// List past answers.
    Past,
    /// List published statistics.
    Statistics,
    /// Show a question's price, and unless that is all, go on to the question.
    Quote { question: PromptQuestion, is_all: bool },
    /// Ask a question, and pay for it.
    Ask(PromptQuestion),
    /// Leave.
    Quit,
}

/// What a prompt remembers between lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PromptSession {
    typed: String,
    accuracy: Option<AskedAccuracy>,
    confirms: bool,
    purpose: Option<String>,
    shows_time: bool,
    /// The last question; `\quote` shows its price once more.
    last: Option<String>,
    /// A question that waits for an accuracy.
    unasked: Option<String>,
    /// A question whose price was shown and that waits for a yes.
    priced: Option<PromptQuestion>,
}

impl PromptSession {
    /// A session that has read nothing yet.
    pub(super) fn new(accuracy: Option<AskedAccuracy>, confirms: bool, purpose: Option<String>) -> Self {
        let (typed, last, unasked, priced) = (String::new(), None, None, None);
        Self { typed, accuracy, confirms, purpose, shows_time: false, last, unasked, priced }
    }

    /// The text before the next line.
    pub(super) fn prompt(&self) -> &'static str {
        match (&self.priced, self.typed.is_empty()) {
            (Some(_), _) => "Pay this? [y/N] ",
            (None, true) => "tacit> ",
            (None, false) => "   ... ",
        }
    }

    /// Whether the next line says yes or no.
    pub(super) fn is_confirming(&self) -> bool {
        self.priced.is_some()
    }

    /// Whether answers show how long they took.
    pub(super) fn shows_time(&self) -> bool {
        self.shows_time
    }

    /// What to do about a line.
    pub(super) fn read(&mut self, line: &str) -> Vec<PromptAction> {
        if let Some(question) = self.priced.take() {
            return match line.trim().to_lowercase().as_str() {
                "y" | "yes" => vec![PromptAction::Ask(question)],
                "" | "n" | "no" => vec![say("nothing was asked, and nothing spent")],
                _ => {
                    let mut actions = vec![say("that is no yes: nothing was asked, and nothing spent")];
                    actions.extend(self.read(line));
                    actions
                }
            };
        }
        let trimmed = line.trim();
        if self.typed.is_empty() {
            match trimmed {
                "" => return Vec::new(),
                "exit" | "quit" | "exit;" | "quit;" => return vec![PromptAction::Quit],
                "help" | "help;" => return vec![PromptAction::Commands],
                _ => {}
            }
        }
        if let Some(command) = trimmed.strip_prefix('\\') {
            let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
            return self.command(name, argument.trim().trim_end_matches(';').trim());
        }
        if !self.typed.is_empty() {
            self.typed.push('\n');
        }
        self.typed.push_str(line.trim_end());
        match self.typed.trim_end().ends_with(';') {
            true => {
                let typed = std::mem::take(&mut self.typed);
                self.question(typed.trim().trim_end_matches(';').trim()).into_iter().collect()
            }
            false => Vec::new(),
        }
    }

    /// What to do about Ctrl-C: whatever was begun is dropped.
    pub(super) fn interrupted(&mut self) -> Vec<PromptAction> {
        let was_priced = self.priced.take().is_some();
        self.typed.clear();
        if was_priced { vec![say("nothing was asked, and nothing spent")] } else { Vec::new() }
    }

    /// What follows a price that was shown: the question itself if nothing is to be confirmed.
    pub(super) fn quoted(&mut self, question: PromptQuestion, is_free: bool) -> Option<PromptAction> {
        if is_free || !self.confirms {
            return Some(PromptAction::Ask(question));
        }
        self.priced = Some(question);
        None
    }

    /// What to do about a question.
    fn question(&mut self, sql: &str) -> Option<PromptAction> {
        if sql.is_empty() {
            return None;
        }
        self.last = Some(sql.to_owned());
        let question = |accuracy| PromptQuestion { sql: sql.to_owned(), accuracy, purpose: self.purpose.clone() };
        if is_free(sql) {
            return Some(PromptAction::Ask(question(None)));
        }
        if self.accuracy.is_none() {
            self.unasked = Some(sql.to_owned());
            return Some(say(
                "say how accurate the answer should be: \\e 0.1 spends at most epsilon 0.1, \\m 25 reaches a margin of 25",
            ));
        }
        Some(PromptAction::Quote { question: question(self.accuracy.clone()), is_all: false })
    }

    fn command(&mut self, name: &str, argument: &str) -> Vec<PromptAction> {
        let given = Some(argument).filter(|argument| !argument.is_empty()).map(str::to_owned);
        let action = match (name, given) {
            ("d" | "dt" | "l", table) => PromptAction::Describe(table),
            ("budget", _) => PromptAction::Budget,
            ("history", _) => PromptAction::Past,
            ("statistics", _) => PromptAction::Statistics,
            ("q" | "quit", _) => PromptAction::Quit,
            ("?" | "h" | "help", _) => PromptAction::Commands,
            ("e" | "epsilon", Some(epsilon)) => return self.set(AskedAccuracy::Epsilon(epsilon)),
            ("m" | "margin", Some(margin)) => return self.set(AskedAccuracy::Margin(margin)),
            ("e" | "epsilon" | "m" | "margin", None) => say(&match &self.accuracy {
                None => "no accuracy is set: \\e 0.1, or \\m 25".to_owned(),
                Some(AskedAccuracy::Epsilon(epsilon)) => format!("questions spend at most epsilon {epsilon}"),
                Some(AskedAccuracy::Margin(margin)) => format!("questions reach a margin of {margin}"),
            }),
            ("quote", sql) => return self.price_of(sql).into_iter().collect(),
            ("purpose", purpose) => {
                self.purpose = purpose;
                say(if self.purpose.is_some() {
                    "the purpose of the next questions is noted"
                } else {
                    "no purpose is stated"
                })
            }
            ("confirm", state) => self.confirm(state.as_deref()),
            ("timing", _) => {
                self.shows_time = !self.shows_time;
                say(if self.shows_time { "answers show how long they took" } else { "times are not shown" })
            }
            ("c", _) => {
                self.typed.clear();
                return Vec::new();
            }
            (unknown, _) => say(&unknown_command(unknown)),
        };
        vec![action]
    }

    /// Sets the accuracy, and goes on to the question that waited for it.
    fn set(&mut self, accuracy: AskedAccuracy) -> Vec<PromptAction> {
        self.accuracy = Some(accuracy);
        match self.unasked.take() {
            Some(sql) => self.question(&sql).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The price of a question, or of the last one.
    fn price_of(&mut self, sql: Option<String>) -> Option<PromptAction> {
        let Some(sql) = sql.or_else(|| self.last.clone()) else {
            return Some(say("write the question after \\quote, on one line"));
        };
        match self.question(&sql) {
            Some(PromptAction::Quote { question, .. }) => Some(PromptAction::Quote { question, is_all: true }),
            Some(PromptAction::Ask(_)) => Some(say("this costs nothing")),
            other => other,
        }
    }

    fn confirm(&mut self, state: Option<&str>) -> PromptAction {
        match state {
            Some("on") => self.confirms = true,
            Some("off") => self.confirms = false,
            Some(_) => return say("write \\confirm on, or \\confirm off"),
            None => {}
        }
        say(if self.confirms {
            "each price is confirmed before it is paid"
        } else {
            "questions are paid for without a confirmation"
        })
    }
}

fn say(text: &str) -> PromptAction {
    PromptAction::Say(text.to_owned())
}

fn unknown_command(name: &str) -> String {
    let near = nearest(name, COMMANDS.iter().map(|(known, ..)| *known));
    let hint = near.map_or_else(|| "\\? lists them".to_owned(), |near| format!("did you mean \\{near}?"));
    format!("there is no command \\{name}; {hint}")
}

/// The commands of the prompt: each one's name, its argument, and what it does.
pub(super) fn commands() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    COMMANDS.into_iter()
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
