//! Every page of every role, on a desktop and on a phone, in light and in dark mode: the browser reports no problems, nothing is wider than
//! the page, and the rules of accessibility hold.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::{Value, json};

use super::driven::Browser;
use super::visit;

const WIDTHS: [u32; 3] = [1280, 768, 390];
const HEIGHT: u32 = 844;
const SCHEMES: [&str; 2] = ["light", "dark"];
/// Largest size of a first page with everything that it loads, in bytes.
const FIRST_BYTES_MAX: u64 = 150_000;
/// Largest size of the page with the editor, in bytes.
const EDITOR_BYTES_MAX: u64 = 400_000;

/// Script that waits until the page has the wanted width and colour scheme, and says whether it has.
const SETTLED: &str = "
    const [width, dark, done] = arguments;
    const look = () => {
        const is_dark = matchMedia('(prefers-color-scheme: dark)').matches;
        if (innerWidth === width && is_dark === dark) { done(true); } else { requestAnimationFrame(look); }
    };
    look();";

/// Script that finds what makes the page scroll sideways: the innermost elements that extend beyond its edge and that none of their boxes
/// scrolls or cuts.
const TOO_WIDE: &str = "
    const page = document.documentElement;
    if (page.scrollWidth <= page.clientWidth) { return []; }
    const is_cut = (element) => {
        for (let box = element; box && box !== document.body; box = box.parentElement) {
            if (getComputedStyle(box).overflowX !== 'visible') { return true; }
        }
        return false;
    };
    const is_beyond = (element) => {
        const {left, right} = element.getBoundingClientRect();
        return Math.max(right, left + element.scrollWidth) > page.clientWidth + 0.5;
    };
    const found = [...document.body.querySelectorAll('*')].filter((one) => is_beyond(one) && !is_cut(one));
    const innermost = found.filter((one) => !found.some((other) => other !== one && one.contains(other)));
    const told = innermost.slice(0, 3).map((one) => one.outerHTML.slice(0, 120));
    return [`${page.scrollWidth} of ${page.clientWidth} pixels`, ...told];";

/// Script that lists violations of axe-core's rules. The region that the policy's editor scrolls is none: the text in it is an editing host,
/// which the Tab key reaches and axe-core does not count.
const BREACHES: &str = "
    const done = arguments[arguments.length - 1];
    const is_one = (id) => (node) => id !== 'scrollable-region-focusable' || !node.html.includes('cm-scroller');
    const told = ({id, impact, nodes}) => ({id, impact, nodes: nodes.filter(is_one(id)).map((node) => node.html)});
    const broken = (violations) => violations.map(told).filter(({nodes}) => nodes.length > 0);
    const all = ({passes, violations}) => ({kept: passes.length, broken: broken(violations)});
    axe.run(document).then((found) => done(all(found)), (error) => done({error: String(error)}));";

/// Script that lists the sizes of the page and of everything it has loaded, as transferred without headers.
const LOADED: &str = "
    const sized = performance.getEntries().filter((entry) => entry.encodedBodySize !== undefined);
    return sized.map((entry) => [new URL(entry.name).pathname, entry.encodedBodySize]);";

/// Checks of pages, and the problems found.
struct Looks<'a> {
    browser: &'a Browser,
    role: &'static str,
    axe: Option<String>,
    shots: Option<PathBuf>,
    pages: usize,
    wrong: Vec<String>,
}

impl<'a> Looks<'a> {
    fn with(browser: &'a Browser) -> Self {
        let read =
            |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|error| panic!("TACIT_AXE {path:?}: {error}"));
        let axe = env::var_os("TACIT_AXE").map(PathBuf::from).map(read);
        if axe.is_none() {
            println!("TACIT_AXE names no axe.min.js: rules of accessibility are not looked at");
        }
        let shots = env::var_os("TACIT_SHOTS").map(PathBuf::from);
        if let Some(folder) = &shots {
            fs::create_dir_all(folder).expect("a folder for pictures");
        }
        Self { browser, role: "nobody", axe, shots, pages: 0, wrong: Vec::new() }
    }

    async fn sign_in(&mut self, role: &'static str, token: &str) {
        self.browser.sign_in(token).await;
        assert!(self.browser.complaints(&[]).await.is_empty());
        self.role = role;
    }

    /// Opens a page and checks it.
    async fn go(&mut self, path: &str) {
        self.browser.go(path).await;
        let here = self.browser.place().await;
        assert_eq!(here, path, "{} is shown another page", self.role);
        self.at(path, &[]).await;
    }

    /// Checks the current page with all of its folded sections open.
    async fn at(&mut self, name: &str, expected: &[u16]) {
        let name = if name == "/" { "start".to_owned() } else { name.trim_matches('/').replace('/', "-") };
        let page = format!("{}-{name}", self.role);
        let unfold = "document.querySelectorAll('details').forEach((one) => { one.open = true; })";
        self.browser.run(unfold, vec![]).await;
        for width in WIDTHS {
            for scheme in SCHEMES {
                self.set(width, HEIGHT, scheme).await;
                let wide = self.browser.run(TOO_WIDE, vec![]).await;
                let wide = wide.as_array().expect("a list").iter().filter_map(Value::as_str);
                self.wrong.extend(wide.map(|what| format!("{page} at {width}: too wide: {what}")));
                let breaches = self.breaches().await;
                self.wrong.extend(breaches.into_iter().map(|what| format!("{page} at {width} in {scheme}: {what}")));
                self.shoot(&page, width, scheme).await;
            }
        }
        let complaints = self.browser.complaints(expected).await;
        self.wrong.extend(complaints.into_iter().map(|what| format!("{page}: {what}")));
        self.pages += 1;
    }

    async fn set(&self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.browser.tool("Emulation.setDeviceMetricsOverride", size).await;
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.browser.tool("Emulation.setEmulatedMedia", features).await;
        self.browser.run_until_done(SETTLED, vec![json!(width), json!(scheme == "dark")]).await;
    }

    /// Serious and critical violations, with the elements concerned.
    async fn breaches(&self) -> Vec<String> {
        let Some(axe) = &self.axe else { return Vec::new() };
        if self.browser.run("return typeof axe", vec![]).await == "undefined" {
            self.browser.run(axe, vec![]).await;
        }
        let found = self.browser.run_until_done(BREACHES, vec![]).await;
        assert!(found["kept"].as_u64().is_some_and(|kept| kept > 5), "axe looks at nothing: {found}");
        let broken = found["broken"].as_array().expect("a list");
        let is_grave = |one: &&Value| one["impact"] == "serious" || one["impact"] == "critical";
        broken
            .iter()
            .filter(is_grave)
            .map(|one| format!("{} ({}): {}", one["id"], one["impact"], one["nodes"]))
            .collect()
    }

    /// Saves a screenshot of the whole page, if screenshots are wanted.
    async fn shoot(&self, page: &str, width: u32, scheme: &str) {
        let Some(folder) = &self.shots else { return };
        let height = self.browser.run("return document.documentElement.scrollHeight", vec![]).await;
        let height = height.as_u64().expect("a height") as u32;
        self.set(width, height.max(HEIGHT), scheme).await;
        let picture = self.browser.picture().await;
        fs::write(folder.join(format!("{page}-{width}-{scheme}.png")), picture).expect("a picture");
    }
}

#[test]
fn pages_are_accessible_and_quiet() {
    visit(true, async |site, browser| {
        let mut looks = Looks::with(browser);
        nobody(&mut looks).await;
        looks.sign_in("viewer", &site.lab.viewer).await;
        for path in ["/statistics", "/datasets", "/datasets/visits", "/s/older"] {
            looks.go(path).await;
        }
        browser.go("/people").await;
        looks.at("refused", &[403]).await;
        looks.sign_in("researcher", &site.lab.researcher).await;
        researcher(&mut looks).await;
        looks.sign_in("steward", &site.lab.steward).await;
        steward(&mut looks).await;
        println!("{} pages looked at, {} findings", looks.pages, looks.wrong.len());
        assert!(looks.wrong.is_empty(), "{}", looks.wrong.join("\n"));
    });
}

async fn nobody(looks: &mut Looks<'_>) {
    for path in ["/", "/sign-in", "/statistics", "/transparency", "/transparency/visits"] {
        looks.go(path).await;
    }
    for path in ["/s/regions", "/s/months", "/s/costs", "/manual"] {
        looks.go(path).await;
    }
    for topic in tacit::manual::TOPICS {
        looks.go(&format!("/manual/{}", topic.name)).await;
    }
    looks.browser.sign_in("tct_of_nobody").await;
    looks.at("not-signed-in", &[401]).await;
}

async fn researcher(looks: &mut Looks<'_>) {
    let browser = looks.browser;
    for path in ["/", "/ask/build", "/ask"] {
        looks.go(path).await;
    }
    browser.fill("textarea[name=sql]", "SELECT COUNT(*) AS n FROM visits WHERE region = 'nowhere'").await;
    price(browser, "#price .note.bad[data-line]").await;
    looks.at("ask-mistaken", &[]).await;
    let question = "SELECT smoker, diagnosis, COUNT(*) AS n FROM visits GROUP BY smoker, diagnosis";
    browser.fill("textarea[name=sql]", question).await;
    browser.fill("#epsilon", "1.5").await;
    price(browser, "#price .price .note.bad").await;
    looks.at("ask-too-dear", &[]).await;
    browser.fill("#epsilon", "0.3").await;
    browser.fill("input[name=purpose]", "a study of lungs").await;
    price(browser, "#price .price input[name=quoted][value='0.3']").await;
    looks.at("ask-priced", &[]).await;
    browser.press("button[value=pay]").await;
    assert_eq!(browser.text("h1").await, "Answer");
    looks.at("ask-answered", &[]).await;
    browser.go("/ask").await;
    browser.unfold("Save this question").await;
    browser.fill("input[name=name]", "How many smoke, by diagnosis?").await;
    browser.press("button[value=save]").await;
    looks.at("ask-saved", &[]).await;
    looks.go("/").await;
    looks.go("/history").await;
    browser.press("main tbody a").await;
    looks.at("history-one", &[]).await;
    for path in ["/accounts", "/datasets", "/datasets/visits", "/statistics"] {
        looks.go(path).await;
    }
}

/// Asks for the price, which loads no page, and waits for what the box with the price shows.
async fn price(browser: &Browser, shown: &str) {
    browser.css("button[value=price]").await.click().await.expect("a click");
    browser.find_css(shown).await;
}

async fn steward(looks: &mut Looks<'_>) {
    let browser = looks.browser;
    for path in ["/", "/datasets", "/datasets/visits", "/accounts", "/what-if", "/requests", "/statistics", "/ledger"] {
        looks.go(path).await;
    }
    for path in ["/statistics/older/draw", "/statistics/smokers/draw"] {
        looks.go(path).await;
    }
    looks.go("/people").await;
    browser.fill("form[method=post][action='/people'] input[name=name]", "bob").await;
    browser.press("form[method=post][action='/people'] button").await;
    browser.css("p.token").await;
    looks.at("people-added", &[]).await;
    looks.go("/people/ada").await;
    looks.go("/sealings").await;
    looks.go("/ledger?person=ada&act=charged&from=2020-01-01&to=2099-12-31").await;
    browser.go("/policy").await;
    browser.fill("textarea[name=text]", "[dataset]\nname = \"visits\"").await;
    browser.press("#policy button.primary").await;
    looks.at("policy-checked", &[]).await;
    looks.go("/policy").await;
    looks.go("/policy?dataset=visits").await;
    browser.press("button[name=edit][value='column.0']").await;
    looks.at("policy-column", &[]).await;
    browser.go("/requests").await;
    browser.fill("main form input[name=reason]", "it is sound").await;
    browser.press("button[value=grant]").await;
    looks.at("requests-decided", &[]).await;
    browser.go("/accounts").await;
    browser.unfold("Freeze").await;
    browser.fill("form[action='/datasets/visits/freeze'] input[name=reason]", "somebody looks").await;
    browser.press("form[action='/datasets/visits/freeze'] button").await;
    looks.at("accounts-frozen", &[]).await;
    browser.go("/accounts?find=nobody").await;
    looks.at("accounts-found", &[]).await;
}

/// The size of everything that a first page loads, without a cache.
#[test]
fn the_first_page_is_small() {
    visit(true, async |site, browser| {
        let (researcher, steward) = (Some(&site.lab.researcher), Some(&site.lab.steward));
        for (path, token, bytes_max) in [
            ("/sign-in", None, FIRST_BYTES_MAX),
            ("/", researcher, FIRST_BYTES_MAX),
            ("/ask", researcher, EDITOR_BYTES_MAX),
            ("/statistics", researcher, FIRST_BYTES_MAX),
            ("/", steward, FIRST_BYTES_MAX),
            ("/accounts", steward, FIRST_BYTES_MAX),
        ] {
            if let Some(token) = token {
                browser.sign_in(token).await;
            }
            browser.go(path).await;
            let loaded = browser.run(LOADED, vec![]).await;
            let loaded = loaded.as_array().expect("a list");
            let bytes: u64 = loaded.iter().map(|one| one[1].as_u64().expect("a size")).sum();
            println!("{path}: {bytes} bytes, {loaded:?}");
            assert!(loaded.len() > 2 && bytes > 10_000, "{path}: sizes of the page and of what it loads");
            assert!(bytes <= bytes_max, "{path}: {bytes} bytes");
        }
    });
}
