//! The manual as pages: the list of its topics, and one topic with its contents.
//!
//! Promises plain HTML with an anchor at every heading, and no HTML that a text brings along itself. Links between topics, which name
//! files in the source, lead to pages. Whatever may be wider than the page scrolls by itself and can be reached by keyboard.

use std::collections::HashSet;

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::manual::{TOPICS, Topic};

/// The list of topics.
#[must_use]
pub fn list() -> Markup {
    html! {
        h1 { "Manual" }
        p.lead { "How to ask, to set budgets, to publish and to operate, and what is promised to the people in the data." }
        dl.facts {
            @for topic in TOPICS {
                dt { a href={ "/manual/" (topic.name) } { (topic.title()) } }
                dd { (topic.about) "." }
            }
        }
        p.muted { "The same text is printed by " code { "tacit manual" } ". Programs read " a href="/openapi.json" { "the API's document" } "." }
    }
}

/// One topic: links to the others, its title, its contents, and its text.
#[must_use]
pub fn one(topic: &Topic) -> Markup {
    let page = Page::of(topic.text);
    html! {
        nav.pages aria-label="Topics of the manual" {
            @for other in TOPICS {
                a href={ "/manual/" (other.name) } aria-current=[(other.name == topic.name).then_some("page")] { (other.name) }
            }
        }
        h1 { (topic.title()) }
        nav.contents aria-label="On this page" {
            ul { @for (id, words) in &page.contents { li { a href={ "#" (id) } { (words) } } } }
        }
        article { (PreEscaped(page.body)) }
    }
}

/// A text as HTML.
#[derive(Default)]
struct Page {
    /// Anchor and words of each heading of level 2.
    contents: Vec<(String, String)>,
    /// The HTML below the title.
    body: String,
}

impl Page {
    fn of(text: &str) -> Self {
        let events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
        let (mut page, mut taken, mut section) = (Self::default(), HashSet::new(), String::new());
        let mut shown = Vec::with_capacity(events.len());
        for (at, event) in events.iter().enumerate().skip(after_title(&events)) {
            match event {
                Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                    section = words(&events[at..]);
                    let id = anchor(&section, &mut taken);
                    if *level == HeadingLevel::H2 {
                        page.contents.push((id.clone(), section.clone()));
                    }
                    let (level, classes, attrs) = (*level, classes.clone(), attrs.clone());
                    shown.push(Event::Start(Tag::Heading { level, id: Some(id.into()), classes, attrs }));
                }
                Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                    let (link_type, title, id) = (*link_type, title.clone(), id.clone());
                    shown.push(Event::Start(Tag::Link { link_type, dest_url: address(dest_url).into(), title, id }));
                }
                Event::Start(Tag::Table(_)) => {
                    let label = html! { (section) }.into_string();
                    let open = format!("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">");
                    shown.extend([Event::Html(open.into()), event.clone()]);
                }
                Event::End(TagEnd::Table) => shown.extend([event.clone(), Event::Html("</div>\n".into())]),
                Event::Start(Tag::CodeBlock(_)) => shown.push(Event::Html("<pre tabindex=\"0\"><code>".into())),
                Event::End(TagEnd::CodeBlock) => shown.push(Event::Html("</code></pre>\n".into())),
                Event::Html(_) | Event::InlineHtml(_) => {}
                other => shown.push(other.clone()),
            }
        }
        pulldown_cmark::html::push_html(&mut page.body, shown.into_iter());
        page
    }
}

/// Where the text goes on after its title, which the page shows by itself.
fn after_title(events: &[Event<'_>]) -> usize {
    let end = events.iter().position(|event| matches!(event, Event::End(TagEnd::Heading(HeadingLevel::H1))));
    end.map_or(0, |end| end + 1)
}

/// The words of the heading that the events begin with.
fn words(events: &[Event<'_>]) -> String {
    let within = events.iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    within
        .filter_map(|event| if let Event::Text(text) | Event::Code(text) = event { Some(text.as_ref()) } else { None })
        .collect()
}

/// The anchor of a heading, as GitHub and rustdoc make it: lower case, hyphens for spaces, and a number where it stands twice.
fn anchor(words: &str, taken: &mut HashSet<String>) -> String {
    let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    let slug: String = kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
    let mut candidates = std::iter::once(slug.clone()).chain((1_u32..).map(|number| format!("{slug}-{number}")));
    // The page itself has one anchor, for its content.
    let free = candidates.find(|candidate| candidate != "main" && taken.insert(candidate.clone()));
    free.unwrap_or(slug)
}

/// Where a link leads: another topic's file is that topic's page.
fn address(link: &CowStr<'_>) -> String {
    let (file, anchor) = link.split_once('#').map_or((link.as_ref(), ""), |(file, anchor)| (file, anchor));
    let hash = if anchor.is_empty() { "" } else { "#" };
    match file.strip_suffix(".md").and_then(Topic::find) {
        Some(topic) => format!("/manual/{}{hash}{anchor}", topic.name),
        None => link.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Title\n\nAbout `x < y`.\n\n## One & more\n\nSee [asking] and [below](#one--more-1).\n\n\
                        | a | b |\n|---|---|\n| 1 | 2 |\n\n## One & more\n\n```sh\ntacit ask '<&>'\n```\n\n<script>alert(1)</script>\n\n\
                        [asking]: asking.md#accuracy\n";

    #[test]
    fn headings_have_anchors_and_links_lead_to_pages() {
        let page = Page::of(TEXT);
        let expected = [("one--more", "One & more"), ("one--more-1", "One & more")];
        assert_eq!(page.contents, expected.map(|(id, words)| (id.to_owned(), words.to_owned())));
        for part in [
            "<h2 id=\"one--more\">One &amp; more</h2>",
            "<a href=\"/manual/asking#accuracy\">asking</a>",
            "<a href=\"#one--more-1\">below</a>",
            "aria-label=\"One &amp; more\"><table>",
            "<pre tabindex=\"0\"><code>tacit ask '&lt;&amp;&gt;'\n</code></pre>",
            "<code>x &lt; y</code>",
        ] {
            assert!(page.body.contains(part), "{part} is not in {}", page.body);
        }
        assert!(!page.body.contains("Title") && !page.body.contains("<script"), "{}", page.body);
    }

    /// Every link of every topic leads to a topic and, where it names one, to a heading of it.
    #[test]
    fn links_between_topics_lead_somewhere() {
        for topic in TOPICS {
            let page = Page::of(topic.text);
            for link in page.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target =
                    if path.is_empty() { Some(*topic) } else { path.strip_prefix("/manual/").and_then(Topic::find) };
                let target = target.unwrap_or_else(|| panic!("{}: {link} leads nowhere", topic.name));
                let is_there = anchor.is_empty() || Page::of(target.text).body.contains(&format!(" id=\"{anchor}\""));
                assert!(is_there, "{}: {link} names no heading", topic.name);
            }
        }
    }
}
