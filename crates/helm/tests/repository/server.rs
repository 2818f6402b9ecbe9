//! A small HTTP server on the loopback address: it gives what it was told, to whom it was told.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What lies at a path: its type and its bytes.
pub type Files = BTreeMap<String, (String, Vec<u8>)>;

/// A running server; its thread ends with the test's process.
pub struct Server {
    pub address: String,
    files: Arc<Mutex<Files>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves to everybody, or to those who say this name and password.
    pub fn start(login: Option<(&str, &str)>) -> Self {
        Self::with(login, None)
    }

    /// With TLS; gives the PEM of the authority to trust too.
    pub fn start_tls() -> (Self, String) {
        let made =
            rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        (Self::with(None, Some(Arc::new(config))), made.cert.pem())
    }

    fn with(login: Option<(&str, &str)>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let token = login.map(|(user, password)| {
            let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
            format!("basic {}", encode(format!("{user}:{password}"))).to_lowercase()
        });
        let server = Self { address, files: Arc::new(Mutex::default()), asked: Arc::new(Mutex::default()) };
        let (files, asked) = (Arc::clone(&server.files), Arc::clone(&server.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (files, asked, token, tls) = (files.clone(), asked.clone(), token.clone(), tls.clone());
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    match tls {
                        None => answer(stream, &files, &asked, token.as_deref()),
                        Some(config) => {
                            let session = ServerConnection::new(config).unwrap();
                            answer(StreamOwned::new(session, stream), &files, &asked, token.as_deref());
                        }
                    }
                });
            }
        });
        server
    }

    pub fn put(&self, path: &str, kind: &str, bytes: impl Into<Vec<u8>>) {
        self.files.lock().unwrap().insert(path.to_owned(), (kind.to_owned(), bytes.into()));
    }

    /// The paths that were asked for, with `+login` where somebody logged in.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request a connection.
fn answer(stream: impl Read + Write, files: &Mutex<Files>, asked: &Mutex<Vec<String>>, token: Option<&str>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).is_err() {
        return;
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let head_only = line.starts_with("HEAD");
    let mut login = None;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header).is_err() || header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("authorization:") {
            login = Some(value.trim().to_owned());
        }
    }
    let mark = if login.is_some() { "+login" } else { "" };
    asked.lock().unwrap().push(format!("{path}{mark}"));
    let plain = path.split('?').next().unwrap_or_default();
    let found = files.lock().unwrap().get(plain).cloned();
    let (status, kind, body) = match (token.is_none() || token == login.as_deref(), found) {
        (false, _) => ("401 Unauthorized", "text/plain".to_owned(), Vec::new()),
        (true, None) => ("404 Not Found", "text/plain".to_owned(), Vec::new()),
        (true, Some((kind, body))) => ("200 OK", kind, body),
    };
    let challenge = if status.starts_with("401") { "WWW-Authenticate: Basic realm=\"test\"\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{challenge}Connection: close\r\n\r\n",
        body.len()
    );
    let mut stream = reader.into_inner();
    let _ = stream.write_all(head.as_bytes());
    if !head_only {
        let _ = stream.write_all(&body);
    }
    let _ = stream.flush();
}
