//! Chromium's driver and what is said to it: JSON by HTTP on loopback, as W3C's WebDriver has it. As much of it as a
//! test of pages needs, which is too little to want a crate for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// A page that was not there by then does not come, and an answer neither.
const PATIENCE: Duration = Duration::from_mins(2);
/// The key under which the standard hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What the driver answers instead of a value.
#[derive(Debug)]
pub enum Refusal {
    /// `no such element`, `stale element reference`, `element not interactable`: may be otherwise in a moment.
    NotYet(String),
    Other(String),
}

impl Refusal {
    pub fn text(self) -> String {
        match self {
            Self::NotYet(text) | Self::Other(text) => text,
        }
    }
}

type Answer<T> = Result<T, Refusal>;

/// A session with a browser, which ends with it.
pub struct Driver {
    child: Child,
    port: u16,
    session: String,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.ask("DELETE", "", None);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Driver {
    /// Chromium with these arguments.
    pub fn start(arguments: &[String]) -> Result<Self, String> {
        let (child, port) = driver()?;
        let mut driver = Self { child, port, session: String::new() };
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "timeouts": {"pageLoad": PATIENCE.as_millis() as u64},
        }}});
        let made = driver.send("POST", "/session", Some(&wanted)).map_err(Refusal::text)?;
        let session = made["sessionId"].as_str().ok_or_else(|| format!("no session: {made}"))?;
        session.clone_into(&mut driver.session);
        Ok(driver)
    }

    pub fn go(&self, url: &str) -> Answer<()> {
        self.ask("POST", "/url", Some(&json!({"url": url}))).map(drop)
    }

    pub fn refresh(&self) -> Answer<()> {
        self.ask("POST", "/refresh", Some(&json!({}))).map(drop)
    }

    pub fn url(&self) -> Answer<String> {
        Ok(word(&self.ask("GET", "/url", None)?))
    }

    /// The page as it is seen, as PNG in base64.
    pub fn screenshot(&self) -> Answer<String> {
        Ok(word(&self.ask("GET", "/screenshot", None)?))
    }

    /// The first element of a CSS selector.
    pub fn find(&self, css: &str) -> Answer<String> {
        let found = self.ask("POST", "/element", Some(&json!({"using": "css selector", "value": css})))?;
        Ok(word(&found[ELEMENT]))
    }

    pub fn text(&self, element: &str) -> Answer<String> {
        Ok(word(&self.ask("GET", &format!("/element/{element}/text"), None)?))
    }

    pub fn click(&self, element: &str) -> Answer<()> {
        self.ask("POST", &format!("/element/{element}/click"), Some(&json!({}))).map(drop)
    }

    /// Puts a text into a field, in the place of what is in it.
    pub fn fill(&self, element: &str, text: &str) -> Answer<()> {
        self.ask("POST", &format!("/element/{element}/clear"), Some(&json!({})))?;
        self.ask("POST", &format!("/element/{element}/value"), Some(&json!({"text": text}))).map(drop)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer<Value> {
        self.send(method, &format!("/session/{}{path}", self.session), body)
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer<Value> {
        let mut answer = exchange(self.port, method, path, body)
            .map_err(|error| Refusal::Other(format!("chromedriver: {method} {path}: {error}")))?;
        let value = answer["value"].take();
        let Some(error) = value["error"].as_str() else { return Ok(value) };
        let told = value["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
        let told = format!("{error}: {told}");
        Err(match error {
            "no such element"
            | "stale element reference"
            | "element not interactable"
            | "element click intercepted"
            | "invalid element state" => Refusal::NotYet(told),
            _ => Refusal::Other(told),
        })
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// One request and its answer; the driver closes after it.
fn exchange(port: u16, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<Value> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE + Duration::from_secs(10)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    for line in reader.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut text = vec![0; length];
    reader.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// The driver on a port of its own choice, which it says.
fn driver() -> Result<(Child, u16), String> {
    let mut command = Command::new("chromedriver");
    command.args(["--port=0", "--log-level=WARNING"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| {
        format!("chromedriver: {error}; `cargo xtask test long` installs Debian's chromium-driver")
    })?;
    let Some(output) = child.stdout.take() else { return Err("chromedriver has no output".to_owned()) };
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // It may go on talking: a pipe that nobody reads would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    port.map(|port| (child, port)).ok_or_else(|| "chromedriver named no port".to_owned())
}
