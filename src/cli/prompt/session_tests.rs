//! The prompt read by lines, without a terminal or a server.

use super::*;

const COUNT: &str = "SELECT COUNT(*) AS n FROM visits";

fn question(sql: &str, accuracy: AskedAccuracy) -> PromptQuestion {
    PromptQuestion { sql: sql.to_owned(), accuracy: Some(accuracy), purpose: None }
}

fn epsilon(text: &str) -> AskedAccuracy {
    AskedAccuracy::Epsilon(text.to_owned())
}

fn session() -> PromptSession {
    PromptSession::new(Some(epsilon("0.1")), true, None)
}

/// What the last of some lines leads to.
fn after(session: &mut PromptSession, lines: &[&str]) -> Vec<PromptAction> {
    lines.iter().fold(Vec::new(), |_, line| session.read(line))
}

fn said(actions: &[PromptAction]) -> String {
    let text = |action: &PromptAction| match action {
        PromptAction::Say(text) => text.clone(),
        other => format!("{other:?}"),
    };
    actions.iter().map(text).collect()
}

#[test]
fn a_question_may_take_several_lines() {
    let mut session = session();
    assert_eq!(after(&mut session, &["SELECT COUNT(*) AS n"]), []);
    assert_eq!(session.prompt(), "   ... ");
    let asked = question("SELECT COUNT(*) AS n\nFROM visits", epsilon("0.1"));
    assert_eq!(session.read("FROM visits;"), [PromptAction::Quote { question: asked, is_all: false }]);
    assert_eq!(session.prompt(), "tacit> ");
    assert_eq!(after(&mut session, &["SELECT x", "\\c", ";"]), []);
}

#[test]
fn nothing_is_asked_before_its_price_was_confirmed() {
    let asked = question(COUNT, epsilon("0.1"));
    let priced = |confirms: bool, is_free: bool| {
        let mut session = PromptSession::new(Some(epsilon("0.1")), confirms, None);
        let shown = session.read(&format!("{COUNT};"));
        assert_eq!(shown, [PromptAction::Quote { question: asked.clone(), is_all: false }]);
        let next = session.quoted(asked.clone(), is_free);
        (session, next)
    };
    for yes in ["y", "Yes ", "YES"] {
        let (mut session, next) = priced(true, false);
        assert_eq!((next, session.prompt()), (None, "Pay this? [y/N] "));
        assert_eq!(session.read(yes), [PromptAction::Ask(asked.clone())]);
        assert_eq!(session.prompt(), "tacit> ");
    }
    for no in ["", "n", "no", "yes please", "j", "0"] {
        let (mut session, _) = priced(true, false);
        let actions = session.read(no);
        assert!(!actions.contains(&PromptAction::Ask(asked.clone())), "{no}");
        assert!(said(&actions).contains("nothing spent"), "{no}");
        assert!(!session.is_confirming());
    }
    let (mut session, _) = priced(true, false);
    assert!(said(&session.interrupted()).contains("nothing spent") && !session.is_confirming());
    let (mut session, _) = priced(true, false);
    assert_eq!(session.read("\\q")[1], PromptAction::Quit, "another line than yes is read as usual");
    assert_eq!(priced(true, true).1, Some(PromptAction::Ask(asked.clone())), "what costs nothing is not confirmed");
    assert_eq!(priced(false, false).1, Some(PromptAction::Ask(asked.clone())), "confirmation is off");
}

#[test]
fn what_is_free_needs_no_accuracy_and_no_price() {
    let mut session = PromptSession::new(None, true, None);
    let free = PromptQuestion { sql: "SELECT DISTINCT region FROM visits".to_owned(), accuracy: None, purpose: None };
    assert_eq!(session.read("SELECT DISTINCT region FROM visits;"), [PromptAction::Ask(free)]);
    let unsaid = session.read(&format!("{COUNT};"));
    assert!(said(&unsaid).starts_with("say how accurate"), "{unsaid:?}");
    let asked = question(COUNT, AskedAccuracy::Margin("25".to_owned()));
    assert_eq!(session.read("\\m 25"), [PromptAction::Quote { question: asked, is_all: false }], "it waited for that");
    assert_eq!(session.read("\\e 0.2"), []);
    assert_eq!(said(&session.read("\\e")), "questions spend at most epsilon 0.2");
}

#[test]
fn commands_do_what_they_say() {
    let check = |line: &str, expected: PromptAction| assert_eq!(session().read(line), [expected], "{line}");
    check("\\d", PromptAction::Describe(None));
    check("\\d visits;", PromptAction::Describe(Some("visits".to_owned())));
    check("\\?", PromptAction::Commands);
    check("help", PromptAction::Commands);
    check("\\budget", PromptAction::Budget);
    check("\\history", PromptAction::Past);
    check("\\statistics", PromptAction::Statistics);
    check("\\q", PromptAction::Quit);
    check("exit", PromptAction::Quit);
    check("\\buget", say("there is no command \\buget; did you mean \\budget?"));
    let asked = question(COUNT, epsilon("0.1"));
    check(&format!("\\quote {COUNT};"), PromptAction::Quote { question: asked.clone(), is_all: true });
    let mut session = session();
    assert_eq!(
        after(&mut session, &[&format!("{COUNT};"), "\\quote"]),
        [PromptAction::Quote { question: asked, is_all: true }]
    );
    session.read("\\timing");
    assert!(session.shows_time());
    assert!(said(&session.read("\\confirm off")).contains("without a confirmation"));
    session.read("\\purpose a study");
    let PromptAction::Quote { question, .. } = &session.read(&format!("{COUNT};"))[0] else { panic!("a quote") };
    assert_eq!(question.purpose.as_deref(), Some("a study"));
}
