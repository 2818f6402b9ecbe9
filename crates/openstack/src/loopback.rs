//! A tiny server on loopback that answers from a script.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::keystone::Token;

/// A token of nobody's, with this catalog.
pub(crate) fn token(id: &str, catalog: Vec<(String, String, String, String, String)>) -> Token {
    Token {
        id: id.to_owned(),
        expires: String::new(),
        user: String::new(),
        project: String::new(),
        roles: Vec::new(),
        catalog,
    }
}

/// Serves each connection with `answer(request text)`; one request a connection.
pub(crate) async fn serve(
    answer: impl Fn(&str) -> (u16, &'static str, String) + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut piece = [0u8; 4096];
            loop {
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
                let Some(head) = text.find("\r\n\r\n") else { continue };
                if text[..head].contains("transfer-encoding: chunked") {
                    if text.ends_with("0\r\n\r\n") {
                        break;
                    }
                    continue;
                }
                let length: usize = text
                    .lines()
                    .find_map(|l| l.strip_prefix("content-length: "))
                    .map_or(0, |n| n.trim().parse().unwrap());
                if read == 0 || request.len() >= head + 4 + length {
                    break;
                }
            }
            let (status, header, body) = answer(&String::from_utf8_lossy(&request));
            let text = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{header}\r\n{body}",
                body.len()
            );
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    });
    address
}
