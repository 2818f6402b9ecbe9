//! The console's URL: its page, and behind it the server's own screen, which greets in the words of VNC (RFC 6143).

use std::time::Duration;

use landfall_openstack::Web;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{RealCloud, known, text, told};

/// Of a connection, and of a greeting.
const LIMIT: Duration = Duration::from_secs(20);
const GREETING: &str = "RFB 003.";

impl RealCloud {
    pub(super) async fn console_url(&self) -> Result<String, String> {
        let server = known(&self.facts.first)?;
        let body = json!({"remote_console": {"protocol": "vnc", "type": "novnc"}});
        let path = format!("/servers/{}/remote-consoles", server.id);
        let made = self.member()?.compute()?.post(&path, &body).await.map_err(told)?;
        let url = text(&made["remote_console"]["url"]);
        // The URL lets its bearer in, and is not shown.
        let Some((host, page, token)) = parts(&url) else {
            return Err("Nova gave no URL of a console with a token in it".to_owned());
        };
        let web = Web::behind(&host, self.setting.address).map_err(told)?;
        let answer = web.get(&page).await.map_err(told)?;
        if answer.status != 200 || !answer.body.to_ascii_lowercase().contains("<html") {
            return Err(format!("GET http://{host}{page} answered {}", answer.status));
        }
        let greeting = timeout(LIMIT, self.greeting(&host, &token))
            .await
            .map_err(|_| format!("http://{host}: no greeting of the screen in {} s", LIMIT.as_secs()))??;
        Ok(format!("http://{host}{page} answers 200, and its screen greets with {greeting}"))
    }

    /// A WebSocket (RFC 6455), as far as the first words of the other side.
    async fn greeting(&self, host: &str, token: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("http://{host}: {error}");
        let mut stream = TcpStream::connect(self.setting.address).await.map_err(failed)?;
        // The key is anything of 16 bytes: what the answer makes of it is of no interest here.
        let request = format!(
            "GET /websockify?token={token} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGFuZGZhbGwgbGFuZGZhbA==\r\n\
             Sec-WebSocket-Protocol: binary\r\nCookie: token={token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut seen = Vec::new();
        let mut piece = [0u8; 1024];
        loop {
            let read = stream.read(&mut piece).await.map_err(failed)?;
            seen.extend_from_slice(&piece[..read]);
            if let Some(found) = greeting(&seen) {
                return found.map_err(|status| format!("http://{host}/websockify: {status}"));
            }
            if read == 0 {
                return Err(format!("http://{host}/websockify closed the connection without a greeting"));
            }
        }
    }
}

/// Host, path of the page, token.
fn parts(url: &str) -> Option<(String, String, String)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.split_once('/')?;
    let host = host.split(':').next()?.to_owned();
    let page = path.split('?').next()?;
    // The token is in the query, or in a path that is a part of the query and escaped once more.
    let plain = path.replace("%3D", "=").replace("%3d", "=").replace("%3F", "?").replace("%3f", "?");
    let token: String = plain
        .split("token=")
        .nth(1)?
        .chars()
        .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '-')
        .collect();
    (!token.is_empty()).then(|| (host, format!("/{page}"), token))
}

/// None while more must be read; an error is the status line of who does not switch to the protocol.
fn greeting(seen: &[u8]) -> Option<Result<String, String>> {
    let head = seen.windows(4).position(|four| four == b"\r\n\r\n")?;
    let status = String::from_utf8_lossy(&seen[..head]).lines().next().unwrap_or_default().to_owned();
    if !status.contains(" 101 ") {
        return Some(Err(status));
    }
    let text = String::from_utf8_lossy(&seen[head + 4..]).into_owned();
    let at = text.find(GREETING)?;
    let line = text[at..].lines().next()?;
    (line.len() >= "RFB 003.008".len()).then(|| Ok(line.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_token_is_found_in_either_place() {
        let (host, page, token) =
            parts("http://novncproxy.x.test/vnc_auto.html?path=%3Ftoken%3D5f2a-1b").unwrap();
        assert_eq!(
            (host.as_str(), page.as_str(), token.as_str()),
            ("novncproxy.x.test", "/vnc_auto.html", "5f2a-1b")
        );
        let (host, page, token) = parts("http://novncproxy.x.test:80/vnc_lite.html?token=ab&x=y").unwrap();
        assert_eq!(
            (host.as_str(), page.as_str(), token.as_str()),
            ("novncproxy.x.test", "/vnc_lite.html", "ab")
        );
        assert_eq!(parts("http://novncproxy.x.test/vnc_auto.html"), None);
        assert_eq!(parts(""), None);
    }

    #[test]
    fn the_greeting_is_in_the_first_frame() {
        assert_eq!(greeting(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket"), None);
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        assert_eq!(greeting(head), None);
        let whole = [head.as_slice(), b"\x82\x0cRFB 003.008\n"].concat();
        assert_eq!(greeting(&whole), Some(Ok("RFB 003.008".to_owned())));
        let refused = b"HTTP/1.1 403 Forbidden\r\n\r\n";
        assert_eq!(greeting(refused), Some(Err("HTTP/1.1 403 Forbidden".to_owned())));
    }
}
