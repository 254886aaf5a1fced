//! Dashboards: several statistics on one page, and the list of dashboards in the gallery.

use maud::{Markup, PreEscaped, html};

use crate::service::publishing::dashboards::Dashboard;

/// One statistic of a dashboard.
pub enum DashboardPanel {
    /// The statistic as it was rendered.
    Shown(String),
    /// A statistic that has nothing to show yet, by its title, with the reason.
    Empty(String, String),
}

/// The page of a dashboard.
#[must_use]
pub fn page(dashboard: &Dashboard, panels: &[DashboardPanel]) -> Markup {
    html! {
        h1 { (dashboard.title) }
        @if let Some(description) = &dashboard.description { p.lead { (description) } }
        p.muted { "Noise protects everybody in the data: each number stands with its 95 % interval. Reading costs nothing." }
        div.board {
            @for panel in panels {
                @match panel {
                    DashboardPanel::Shown(body) => { (PreEscaped(body)) }
                    DashboardPanel::Empty(title, why) => { article.panel { h2 { (title) } p.note { (why) } } }
                }
            }
        }
        p { a href="/statistics" { "All published statistics" } }
    }
}

/// Links to dashboards; nothing if there are none.
#[must_use]
pub fn list(dashboards: &[&Dashboard]) -> Markup {
    html! {
        @if !dashboards.is_empty() {
            section {
                h2 { "Dashboards" }
                ul {
                    @for one in dashboards {
                        li {
                            a href={ "/d/" (one.name) } { (one.title) }
                            @if let Some(description) = &one.description { ": " (description) }
                        }
                    }
                }
            }
        }
    }
}
