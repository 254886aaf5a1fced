//! The frame around every page: its head, its navigation, and its footer.

use maud::{DOCTYPE, Markup, html};

use super::assets;
use crate::kernel::budget::people::{Person, Role};

/// The configuration of htmx: no styles of its own, and no history.
const HTMX_CONFIG: &str = r#"{"includeIndicatorCSS":false,"history":false}"#;

/// Who is looking at a page, and where.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// The title of the page.
    pub title: &'a str,
    /// The person who is signed in; `None` for a visitor without a session.
    pub person: Option<&'a Person>,
    /// The secret that forms must carry; empty without a session.
    pub csrf: &'a str,
    /// The path of the page, for the navigation.
    pub path: &'a str,
    /// Whether the page loads the editor, which is larger than everything else.
    pub has_editor: bool,
}

/// The navigation's entries for a role, as paths and words.
fn places(role: Option<Role>) -> &'static [(&'static str, &'static str)] {
    match role {
        Some(Role::Steward) => &[
            ("/", "Home"),
            ("/datasets", "Datasets"),
            ("/policy", "Policies"),
            ("/accounts", "Accounts"),
            ("/what-if", "What would it buy?"),
            ("/requests", "Requests"),
            ("/people", "People"),
            ("/statistics", "Statistics"),
            ("/ledger", "Ledger"),
        ],
        Some(Role::Researcher) => &[
            ("/", "Home"),
            ("/ask", "Ask"),
            ("/history", "History"),
            ("/accounts", "Budget"),
            ("/datasets", "Datasets"),
            ("/statistics", "Statistics"),
        ],
        Some(Role::Viewer) => &[("/statistics", "Statistics"), ("/datasets", "Datasets")],
        None => &[("/statistics", "Statistics"), ("/transparency", "Transparency"), ("/sign-in", "Sign in")],
    }
}

/// The scripts that a page loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scripts {
    /// None: the page stands on other sites.
    None,
    /// htmx.
    Live,
    /// htmx and the editor.
    Editor,
}

/// The number of seconds after which a page that shows progress is fetched again.
const REFRESH_SECONDS: u32 = 2;

/// Whether a browser fetches a page again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refreshed {
    Never,
    WithoutScripts,
}

fn head(title: &str, scripts: Scripts, refreshed: Refreshed) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · Tacit" }
            @if refreshed == Refreshed::WithoutScripts {
                noscript { meta http-equiv="refresh" content=(REFRESH_SECONDS); }
            }
            link rel="icon" type="image/svg+xml" href=(assets::path("icon.svg"));
            link rel="stylesheet" href=(assets::path("console.css"));
            @if scripts != Scripts::None {
                meta name="htmx-config" content=(HTMX_CONFIG);
                script src=(assets::path("htmx.min.js")) defer {}
            }
            @if scripts == Scripts::Editor { script src=(assets::path("editor.min.js")) defer {} }
        }
    }
}

/// A complete page.
#[must_use]
pub fn page(frame: &Frame<'_>, body: &Markup) -> String {
    whole(frame, body, Refreshed::Never)
}

/// A complete page that shows progress: a browser without scripts fetches it again few seconds. With scripts, the body fetches
/// its own parts.
#[must_use]
pub fn refreshing_page(frame: &Frame<'_>, body: &Markup) -> String {
    whole(frame, body, Refreshed::WithoutScripts)
}

fn whole(frame: &Frame<'_>, body: &Markup, refreshed: Refreshed) -> String {
    let is_here = |place: &str| frame.path == place || frame.path.starts_with(&format!("{place}/"));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(frame.title, if frame.has_editor { Scripts::Editor } else { Scripts::Live }, refreshed))
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/" { "Tacit" }
                    nav.main aria-label="Main" {
                        @for (place, words) in places(frame.person.map(|person| person.role)) {
                            a href=(place) aria-current=[is_here(place).then_some("page")] { (words) }
                        }
                    }
                    @if let Some(person) = frame.person {
                        form.inline method="post" action="/sign-out" {
                            (csrf(frame.csrf))
                            span.muted { (person.name) " · " (person.role) }
                            button type="submit" { "Sign out" }
                        }
                    }
                }
                main #main { (body) }
                footer {
                    a href="/transparency" { "What is held here, and who asks" }
                    " · "
                    a href="/manual" { "Manual" }
                    " · "
                    a href="/openapi.json" { "API" }
                    " · answers are noisy on purpose: every estimate comes with its 95 % interval"
                }
            }
        }
    };
    markup.into_string()
}

/// A page for everybody that may be kept by caches and shown on other sites: its navigation is that of nobody in particular, and leads out of
/// the frame that it is shown in.
#[must_use]
pub fn public(title: &str, body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, Scripts::None, Refreshed::Never))
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    a.brand href="/" target="_top" { "Tacit" }
                    nav.main aria-label="Main" {
                        @for (place, words) in places(None) { a href=(place) target="_top" { (words) } }
                    }
                }
                main #main { p { a href="/statistics" target="_top" { "All statistics" } } (body) }
            }
        }
    };
    markup.into_string()
}

/// A page for embedding on other sites, without navigation and scripts.
#[must_use]
pub fn embedded(title: &str, body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" { (head(title, Scripts::None, Refreshed::Never)) body.embedded { main #main { (body) } } }
    };
    markup.into_string()
}

/// The hidden field that every form carries.
#[must_use]
pub fn csrf(token: &str) -> Markup {
    html! { input type="hidden" name="csrf" value=(token); }
}
