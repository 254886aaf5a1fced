//! A browser under test: its processes, its session, and the actions of a person. Every wait is bounded.

use std::env;
use std::io::{BufRead, BufReader, Error, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::interval;

use super::webdriver::{Element, Locator, Session};

/// Longest wait for anything; machines that run tests are busy.
const PATIENCE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(20);
/// Script that marks a page before an action that leads away from it.
const LEAVING: &str = "document.documentElement.setAttribute('data-leaving', '')";

/// Script that writes into the editor beside a field, if there is one, and says whether there is.
const WRITE: &str = "
    const editor = document.querySelector(arguments[0])?.parentElement?.querySelector('.editor');
    if (editor) { editor.write(arguments[1]); }
    return Boolean(editor);";

/// Arguments that keep Chromium from contacting other hosts. It runs as the user of the tests, who may be root in a container without
/// kernel namespaces.
const ARGUMENTS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A chromedriver on a port of its own.
pub struct Driver {
    child: Child,
    port: u16,
    /// Kept open for as long as the driver may write.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts Debian's chromedriver, or the first one in PATH; `None` if there is none.
    pub fn start() -> Option<Self> {
        let paths = env::var_os("PATH").unwrap_or_default();
        let all = [PathBuf::from("/usr/bin")].into_iter().chain(env::split_paths(&paths));
        let program = all.map(|folder| folder.join("chromedriver")).find(|program| program.is_file())?;
        let mut child = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(output.read_line(&mut line).expect("text") > 0, "chromedriver ended before it listened");
            let told = line.split_once("started successfully on port ").map(|(_, port)| port);
            if let Some(port) = told.and_then(|port| port.trim().trim_end_matches('.').parse().ok()) {
                break port;
            }
        };
        Some(Self { child, port, _output: output })
    }

    /// Asks the driver to shut down, which ends its browsers first.
    fn shut_down(&self) -> Result<(), Error> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut reply = [0; 12];
        stream.read_exact(&mut reply)?;
        if reply == *b"HTTP/1.1 200" { Ok(()) } else { Err(Error::other("it will not end")) }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A browser with a profile of its own, on one server.
pub struct Browser {
    session: Session,
    origin: String,
    // Both are dropped after the session: the browser first, then its folder.
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    pub async fn open(driver: Driver, origin: &str, has_scripts: bool) -> Self {
        let profile = tempfile::tempdir().expect("a folder");
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let mut options = json!({ "args": arguments });
        if !has_scripts {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": PATIENCE.as_millis() as u64},
        });
        let session = Session::begin(driver.port, capabilities).await;
        let session = session.unwrap_or_else(|error| panic!("no session: {error}"));
        Self { session, origin: origin.to_owned(), _driver: driver, _profile: profile }
    }

    pub async fn close(self) {
        self.session.end().await.expect("the session ends");
    }

    /// Opens a page of the server.
    pub async fn go(&self, path: &str) {
        let went = self.session.post("/url", json!({ "url": format!("{}{path}", self.origin) })).await;
        went.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// The current path, after the server's name.
    pub async fn place(&self) -> String {
        let url = self.session.text("/url").await.expect("an address");
        url.strip_prefix(&self.origin).unwrap_or(&url).to_owned()
    }

    /// Finds an element, waiting for it to appear.
    pub async fn find(&self, what: Locator<'_>) -> Element<'_> {
        let (until, mut glances) = (Instant::now() + PATIENCE, interval(GLANCE));
        while Instant::now() < until {
            glances.tick().await;
            // A page that is being left may fail with another error than a missing element.
            if let Ok(element) = self.session.find(what).await {
                return element;
            }
        }
        let (place, text) = (self.place().await, self.run("return document.body.innerText", vec![]).await);
        panic!("{place}: there is no {what:?} on\n{}", text.as_str().unwrap_or_default())
    }

    pub async fn css(&self, selector: &str) -> Element<'_> {
        self.find(Locator::Css(selector)).await
    }

    /// Number of matching elements at this moment.
    pub async fn count(&self, selector: &str) -> usize {
        self.session.count(Locator::Css(selector)).await.expect("a list")
    }

    /// Text of an element, waiting for it to appear.
    pub async fn text(&self, selector: &str) -> String {
        self.css(selector).await.text().await.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }

    /// Waits until the page contains these words; consecutive spaces count as one.
    pub async fn reads(&self, words: &str) {
        self.find(Locator::XPath(&format!("//main[contains(normalize-space(.), \"{words}\")]"))).await;
    }

    /// Replaces the text of a field; where the editor stands in its place, the editor's.
    pub async fn fill(&self, selector: &str, text: &str) {
        let field = self.css(selector).await;
        if self.run(WRITE, vec![json!(selector), json!(text)]).await == json!(true) {
            return;
        }
        field.clear().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
        field.send_keys(text).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Waits for an element, and leaves it alone.
    pub async fn find_css(&self, selector: &str) {
        self.css(selector).await;
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn type_keys(&self, keys: &str) {
        let each = keys.chars().flat_map(|key| ["keyDown", "keyUp"].map(|act| json!({"type": act, "value": key})));
        self.act_with_keys(each.collect()).await;
    }

    /// Presses a key while another one is held.
    pub async fn press_with(&self, held: &str, key: &str) {
        let acts = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)];
        self.act_with_keys(acts.map(|(act, key)| json!({"type": act, "value": key})).to_vec()).await;
    }

    async fn act_with_keys(&self, acts: Vec<Value>) {
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": acts}]});
        self.session.post("/actions", actions).await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Clicks something that leads to another page or reloads this one, and waits for that.
    pub async fn press(&self, selector: &str) {
        let target = self.css(selector).await;
        self.run(LEAVING, vec![]).await;
        target.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
        self.css("html:not([data-leaving])").await;
    }

    /// Opens the folded section with this heading.
    pub async fn unfold(&self, words: &str) {
        let summary = self.find(Locator::XPath(&format!("//summary[normalize-space(.)='{words}']"))).await;
        summary.click().await.unwrap_or_else(|error| panic!("{words}: {error}"));
    }

    /// Resends the form that led to this page, by reloading it.
    pub async fn resend(&self) {
        self.run(LEAVING, vec![]).await;
        self.session.post("/refresh", json!({})).await.expect("the page is loaded again");
        self.css("html:not([data-leaving])").await;
    }

    pub async fn back(&self) {
        self.session.post("/back", json!({})).await.expect("a page before this one");
    }

    /// Signs in, and returns the path of the page that follows.
    pub async fn sign_in(&self, token: &str) -> String {
        self.go("/sign-in").await;
        self.fill("main input[name=token]", token).await;
        self.press("main form[action='/sign-in'] button").await;
        self.place().await
    }

    pub async fn sign_out(&self) {
        self.press("header form[action='/sign-out'] button").await;
        assert_eq!(self.place().await, "/sign-in");
    }

    /// Runs a script of the test, which the page's policy does not restrict.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let sent = self.session.post("/execute/sync", json!({"script": script, "args": arguments})).await;
        sent.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs a script that calls its last argument when it is done.
    pub async fn run_until_done(&self, script: &str, arguments: Vec<Value>) -> Value {
        let sent = self.session.post("/execute/async", json!({"script": script, "args": arguments})).await;
        sent.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Sends a command of the developer tools.
    pub async fn tool(&self, command: &str, parameters: Value) {
        let body = json!({"cmd": command, "params": parameters});
        let sent = self.session.post("/goog/cdp/execute", body).await;
        sent.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// A screenshot of the visible part, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        let picture = self.session.text("/screenshot").await.expect("a picture");
        BASE64_STANDARD.decode(picture).expect("a picture in base64")
    }

    /// Messages in the browser's console since the last call: policy violations, errors, warnings, and answers of 4xx except the expected
    /// ones. Chromium's advice to authors of forms is left out.
    pub async fn complaints(&self, expected: &[u16]) -> Vec<String> {
        let log = self.session.post("/se/log", json!({"type": "browser"})).await;
        let log = log.unwrap_or_else(|error| panic!("{error}"));
        let entries = log.as_array().unwrap_or_else(|| panic!("no log: {log}"));
        let is_expected = |entry: &Value| {
            let message = entry["message"].as_str().unwrap_or_default();
            let is_told = |status: &u16| message.contains(&format!("responded with a status of {status} "));
            entry["source"] == "network" && expected.iter().any(is_told)
        };
        let counts = |entry: &&Value| entry["level"] != "DEBUG" && !is_expected(entry);
        entries.iter().filter(counts).map(Value::to_string).collect()
    }

    /// Checks that the browser's console is empty except for the expected answers.
    pub async fn is_quiet(&self, expected: &[u16]) {
        let complaints = self.complaints(expected).await;
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}
