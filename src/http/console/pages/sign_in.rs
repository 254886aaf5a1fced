//! Pages for visitors without a session: signing in, and what went wrong.

use maud::{Markup, html};

/// The page that asks for a token. `next` is the path of the page that follows; `None` for the first page of the visitor's role.
#[must_use]
pub fn page(failed: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        h1 { "Statistics of private tables" }
        p.lead {
            "Researchers ask and get numbers with noise and error bars. A budget limits what all answers together can tell about any single "
            "one of those who are protected."
        }
        div.grid {
            section.card {
                h2 { "Sign in" }
                @if let Some(failed) = failed { p.note.bad role="alert" { (failed) } }
                form.stack method="post" action="/sign-in" {
                    // Browsers that store passwords want to know whose it is.
                    input type="text" name="username" value="tacit" autocomplete="username" hidden;
                    @if let Some(next) = next { input type="hidden" name="next" value=(next); }
                    label { "Token"
                        input type="password" name="token" required autocomplete="current-password" maxlength="256"
                            spellcheck="false";
                    }
                    button.primary type="submit" { "Sign in" }
                }
                @if next.is_some() { p.muted { "After signing in you go on to the page that you asked for." } }
                p.muted { "A steward gives you a token. It stays in this browser for eight hours, as a signed cookie." }
            }
            section.card {
                h2 { "Without a token" }
                ul {
                    li { a href="/statistics" { "Published statistics" } }
                    li { a href="/transparency" { "What is held here, who asks, and what for" } }
                    li { a href="/openapi.json" { "The API, for programs" } }
                }
            }
        }
    }
}

/// The page of a refusal or a fault.
#[must_use]
pub fn failure(title: &str, detail: &str, hint: Option<&str>) -> Markup {
    html! {
        h1 { (title) }
        p.note.bad role="alert" { (detail) }
        @if let Some(hint) = hint { p { (hint) } }
        p { a href="/" { "Back to the start" } }
    }
}
