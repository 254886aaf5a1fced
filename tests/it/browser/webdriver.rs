//! A WebDriver session: the few commands of the W3C protocol that the tests send, as JSON over HTTP.
//!
//! A client library was tried. It brings an HTTP client, cookies and Unicode tables whose features change how a third of the dependencies
//! are built, so that `cargo test` built polars once more after `cargo run`.

use std::fmt::{Display, Formatter};

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// Largest reply in bytes: a screenshot of a long page.
const REPLY_BYTES_MAX: usize = 64 << 20;

/// The name under which the protocol passes the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How an element is found.
#[derive(Debug, Clone, Copy)]
pub enum Locator<'a> {
    Css(&'a str),
    XPath(&'a str),
    LinkText(&'a str),
}

impl Locator<'_> {
    fn body(self) -> Value {
        let (using, value) = match self {
            Self::Css(value) => ("css selector", value),
            Self::XPath(value) => ("xpath", value),
            Self::LinkText(value) => ("link text", value),
        };
        json!({ "using": using, "value": value })
    }
}

/// What the driver said instead of doing a command.
#[derive(Debug)]
pub struct CommandFailed(String);

impl Display for CommandFailed {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A session at a driver.
pub struct Session {
    client: Client<HttpConnector, Body>,
    url: String,
}

impl Session {
    /// Begins a session with these capabilities at the driver on this port.
    pub async fn begin(port: u16, capabilities: Value) -> Result<Self, CommandFailed> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let driver = Self { client, url: format!("http://127.0.0.1:{port}/session") };
        let begun = driver.send(Method::POST, "", json!({"capabilities": {"alwaysMatch": capabilities}})).await?;
        let id = begun["sessionId"].as_str().ok_or_else(|| CommandFailed(format!("no id: {begun}")))?;
        Ok(Self { url: format!("{}/{id}", driver.url), ..driver })
    }

    /// Sends a command, and returns the value of the reply.
    async fn send(&self, method: Method, path: &str, body: Value) -> Result<Value, CommandFailed> {
        let failed = |error: &dyn Display| CommandFailed(format!("{path}: {error}"));
        let body = if method == Method::POST { Body::from(body.to_string()) } else { Body::empty() };
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url)).body(body);
        let reply = self.client.request(request.map_err(|error| failed(&error))?).await;
        let reply = reply.map_err(|error| failed(&error))?;
        let is_done = reply.status().is_success();
        let bytes = to_bytes(Body::new(reply.into_body()), REPLY_BYTES_MAX).await.map_err(|error| failed(&error))?;
        let mut reply: Value = serde_json::from_slice(&bytes).map_err(|error| failed(&error))?;
        if is_done { Ok(reply["value"].take()) } else { Err(failed(&reply["value"]["message"])) }
    }

    /// Sends a command with a body.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, CommandFailed> {
        self.send(Method::POST, path, body).await
    }

    /// Asks for something that is a text.
    pub async fn text(&self, path: &str) -> Result<String, CommandFailed> {
        let value = self.send(Method::GET, path, Value::Null).await?;
        value.as_str().map(str::to_owned).ok_or_else(|| CommandFailed(format!("{path}: not a text: {value}")))
    }

    /// Ends the session, and the browser with it.
    pub async fn end(self) -> Result<(), CommandFailed> {
        self.send(Method::DELETE, "", Value::Null).await.map(|_| ())
    }

    /// Finds an element that is there at this moment.
    pub async fn find(&self, what: Locator<'_>) -> Result<Element<'_>, CommandFailed> {
        let found = self.post("/element", what.body()).await?;
        let id = found[ELEMENT].as_str().ok_or_else(|| CommandFailed(format!("not an element: {found}")))?;
        Ok(Element { session: self, path: format!("/element/{id}") })
    }

    /// Number of elements that are there at this moment.
    pub async fn count(&self, what: Locator<'_>) -> Result<usize, CommandFailed> {
        Ok(self.post("/elements", what.body()).await?.as_array().map_or(0, Vec::len))
    }
}

/// An element of the page.
pub struct Element<'a> {
    session: &'a Session,
    path: String,
}

impl Element<'_> {
    async fn post(&self, command: &str, body: Value) -> Result<(), CommandFailed> {
        self.session.post(&format!("{}/{command}", self.path), body).await.map(|_| ())
    }

    pub async fn click(&self) -> Result<(), CommandFailed> {
        self.post("click", json!({})).await
    }

    pub async fn clear(&self) -> Result<(), CommandFailed> {
        self.post("clear", json!({})).await
    }

    pub async fn send_keys(&self, text: &str) -> Result<(), CommandFailed> {
        self.post("value", json!({ "text": text })).await
    }

    pub async fn text(&self) -> Result<String, CommandFailed> {
        self.session.text(&format!("{}/text", self.path)).await
    }

    /// A property of the element that is a text, such as a field's value.
    pub async fn property(&self, name: &str) -> Result<String, CommandFailed> {
        self.session.text(&format!("{}/property/{name}", self.path)).await
    }
}
