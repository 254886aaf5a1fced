//! Where the lines of a prompt come from: an editor with history and completion on a terminal, or standard input as it is.

use std::io::{BufRead, stdin};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::{env, fs};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::completion::Completions;
use crate::cli::CommandFailure;
use crate::terminal::is_conversation;

/// Number of lines that the history keeps.
const LINES_MAX: usize = 1_000;

/// What came from the terminal when a line was asked for.
pub(super) enum ReadLine {
    /// A line, without its end.
    Line(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the end of the input.
    End,
}

/// Reads the lines of a prompt.
pub(super) struct LineReader {
    source: LineSource,
    token: Option<String>,
}

enum LineSource {
    Terminal { editor: Box<Editor<Completing, FileHistory>>, history: Option<PathBuf> },
    Pipe,
}

impl LineReader {
    /// A reader of standard input; lines that contain `token` are not kept.
    pub(super) fn new(completions: Completions, token: Option<&str>) -> Result<Self, CommandFailure> {
        let token = token.map(str::to_owned);
        if !is_conversation() {
            return Ok(Self { source: LineSource::Pipe, token });
        }
        let unusable = |_| CommandFailure::Could("the terminal cannot be used for typing".to_owned());
        let config = Config::builder().completion_type(CompletionType::List).max_history_size(LINES_MAX);
        let config = config.map_err(unusable)?.history_ignore_space(true).build();
        let mut editor = Editor::with_config(config).map_err(unusable)?;
        editor.set_helper(Some(Completing(completions)));
        let history = history_path(|name| env::var_os(name).map(PathBuf::from)).filter(|path| is_usable(path));
        if let Some(path) = &history {
            // A history that cannot be read is one less convenience.
            let _ = editor.load_history(path);
        }
        Ok(Self { source: LineSource::Terminal { editor: Box::new(editor), history }, token })
    }

    /// The next line. A confirmation is not kept in the history.
    pub(super) fn read(&mut self, prompt: &str, is_confirmation: bool) -> ReadLine {
        match &mut self.source {
            LineSource::Pipe => {
                let mut line = String::new();
                match stdin().lock().read_line(&mut line) {
                    Ok(1..) => ReadLine::Line(line.trim_end_matches(['\n', '\r']).to_owned()),
                    Ok(0) | Err(_) => ReadLine::End,
                }
            }
            LineSource::Terminal { editor, history } => match editor.readline(prompt) {
                Ok(line) => {
                    if !is_confirmation && is_kept(&line, self.token.as_deref()) {
                        let _ = editor.add_history_entry(line.as_str());
                        if let Some(path) = history {
                            let _ = editor.append_history(path);
                        }
                    }
                    ReadLine::Line(line)
                }
                Err(ReadlineError::Interrupted) => ReadLine::Interrupted,
                Err(_) => ReadLine::End,
            },
        }
    }
}

/// Whether a line is kept in the history: not if it holds the token, or anything that looks like one.
fn is_kept(line: &str, token: Option<&str>) -> bool {
    let is_secret = |word: &str| word.len() >= 32 && word.chars().all(|letter| letter.is_ascii_alphanumeric());
    let mut words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
    !line.trim().is_empty()
        && token.is_none_or(|token| token.is_empty() || !line.contains(token))
        && !words.any(is_secret)
}

/// The history's file in the user's data directory.
fn history_path(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| path.is_absolute());
    let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local").join("share")))?;
    Some(data.join("tacit").join("history"))
}

/// Makes the history's folder, for its owner alone.
fn is_usable(path: &Path) -> bool {
    path.parent().is_some_and(|folder| fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).is_ok())
}

/// Completion for the editor of lines.
struct Completing(Completions);

impl Completer for Completing {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.0.candidates(line.get(..at).unwrap_or(line)))
    }
}

impl Hinter for Completing {
    type Hint = String;
}

impl Highlighter for Completing {}

impl Validator for Completing {}

impl Helper for Completing {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_kept() {
        let token = Some("5f1c2a");
        assert!(is_kept("SELECT COUNT(*) FROM visits;", token));
        assert!(!is_kept("\\token 5f1c2a", token));
        assert!(!is_kept("tacit --token 0123456789abcdef0123456789abcdef", None));
        assert!(!is_kept("  ", None));
    }

    #[test]
    fn the_history_is_in_the_users_data_directory() {
        let path = |variables: &[(&str, &str)]| {
            history_path(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, path)| PathBuf::from(path)))
        };
        let expected = |text: &str| Some(PathBuf::from(text));
        assert_eq!(path(&[("XDG_DATA_HOME", "/data"), ("HOME", "/home/ada")]), expected("/data/tacit/history"));
        assert_eq!(path(&[("HOME", "/home/ada")]), expected("/home/ada/.local/share/tacit/history"));
        assert_eq!(path(&[]), None);
    }
}
