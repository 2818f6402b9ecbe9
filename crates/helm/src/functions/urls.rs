//! `urlParse` and `urlJoin`: URLs as Go's `net/url` takes them apart and puts them together. Not a URL
//! library: texts stay bytes, and nothing is normalised.

use gotmpl::{FuncError, FuncMap, Map, Signature, Str, Type, Value};

use super::{Outcome, bytes_arg};

pub fn add(f: &mut FuncMap) {
    f.add("urlParse", Signature::fixed(&[Type::String]), |_, a| {
        let text = bytes_arg(a, 0);
        let url = Url::parse(text.as_bytes())
            .map_err(|error| FuncError::new(format!("unable to parse url: {error}")))?;
        let user = url.user.as_ref().map(User::text).unwrap_or_default();
        Ok(Value::map([
            ("scheme", Value::string(url.scheme)),
            ("hostname", Value::string(hostname(&url.host))),
            ("host", Value::string(url.host)),
            ("path", Value::string(url.path)),
            ("query", Value::string(url.query)),
            ("opaque", Value::string(url.opaque)),
            ("fragment", Value::string(url.fragment)),
            ("userinfo", Value::string(user)),
        ]))
    });
    f.add("urlJoin", Signature::fixed(&[Type::Map]), |_, a| join(a));
}

fn join(args: &[Value]) -> Outcome {
    let parts = args.first().and_then(Value::as_map).cloned().unwrap_or_default();
    let mut url = Url {
        scheme: part(&parts, "scheme")?,
        host: part(&parts, "host")?,
        path: part(&parts, "path")?,
        query: part(&parts, "query")?,
        opaque: part(&parts, "opaque")?,
        fragment: part(&parts, "fragment")?,
        user: None,
    };
    let user = part(&parts, "userinfo")?;
    if !user.is_empty() {
        let whole = [b"proto://", &user[..], b"@host"].concat();
        url.user = Url::parse(&whole)
            .map_err(|error| FuncError::new(format!("unable to parse userinfo in dict: {error}")))?
            .user;
    }
    Ok(Value::string(url.text()))
}

fn part(parts: &Map, key: &str) -> Result<Vec<u8>, FuncError> {
    match parts.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(text.as_bytes().to_vec()),
        Some(Value::Nil) => {
            Err(FuncError::new("runtime error: invalid memory address or nil pointer dereference"))
        }
        Some(other) => Err(FuncError::new(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind().name()
        ))),
    }
}

#[derive(Debug, Default)]
struct Url {
    scheme: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    opaque: Vec<u8>,
    fragment: Vec<u8>,
}

#[derive(Debug)]
struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl User {
    fn text(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Place::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Place::User));
        }
        out
    }
}

/// The part of a URL that a text stands in: it decides which bytes are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

impl Place {
    fn leaves(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'~')
            || match self {
                Place::Path => b"$&+,/:;=@".contains(&byte),
                Place::Host | Place::Zone => b"!$&'()*+,;=:[]<>\"".contains(&byte),
                Place::User => b"$&+,;=".contains(&byte),
                Place::Fragment => b"$&+,/:;=@?!()*".contains(&byte),
            }
    }
}

fn quoted(text: &[u8]) -> String {
    String::from_utf8_lossy(&gotmpl::sprintf(b"%q", &[Value::string(text)])).into_owned()
}

fn escape(text: &[u8], place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if place.leaves(*byte) {
            out.push(*byte);
        } else {
            out.extend(format!("%{byte:02X}").bytes());
        }
    }
    out
}

fn unescape(text: &[u8], place: Place) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let in_host = matches!(place, Place::Host | Place::Zone);
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte != b'%' {
            if in_host && byte < 0x80 && !place.leaves(byte) {
                return Err(format!("invalid character {} in host name", quoted(&[byte])));
            }
            out.push(byte);
            at += 1;
            continue;
        }
        let wrong = || format!("invalid URL escape {}", quoted(&text[at..text.len().min(at + 3)]));
        let digit = |at: usize| text.get(at).and_then(|b| char::from(*b).to_digit(16));
        let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else { return Err(wrong()) };
        let value = (high << 4 | low) as u8;
        let is_percent = value == b'%';
        let refused = match place {
            // Hosts may only escape what is no ASCII, and zones only what hosts may hold.
            Place::Host => high < 8 && !is_percent,
            Place::Zone => !is_percent && value != b' ' && !Place::Host.leaves(value),
            _ => false,
        };
        if refused {
            return Err(wrong());
        }
        out.push(value);
        at += 3;
    }
    Ok(out)
}

/// Both sides of the first such byte; the second is None where there is none.
fn cut(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|b| *b == byte) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

impl Url {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let (before, fragment) = cut(text, b'#');
        let mut url =
            Self::before_fragment(before).map_err(|error| format!("parse {}: {error}", quoted(before)))?;
        if let Some(fragment) = fragment {
            url.fragment = unescape(fragment, Place::Fragment)
                .map_err(|error| format!("parse {}: {error}", quoted(text)))?;
        }
        Ok(url)
    }

    fn before_fragment(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(|b| *b < b' ' || *b == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Self::default();
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = cut(rest, b'?');
        url.query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let mut path = rest;
        if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
            let authority = &rest[2..];
            let end = authority.iter().position(|b| *b == b'/').unwrap_or(authority.len());
            path = &authority[end..];
            url.authority(&authority[..end])?;
        }
        url.path = unescape(path, Place::Path)?;
        Ok(url)
    }

    fn authority(&mut self, authority: &[u8]) -> Result<(), String> {
        let at = authority.iter().rposition(|b| *b == b'@');
        self.host = host(&self.scheme, at.map_or(authority, |at| &authority[at + 1..]))?;
        let Some(at) = at else { return Ok(()) };
        let info = &authority[..at];
        if !info.iter().all(|b| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(b)) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        let (name, password) = cut(info, b':');
        let password = password.map(|password| unescape(password, Place::User));
        self.user = Some(User { name: unescape(name, Place::User)?, password: password.transpose()? });
        Ok(())
    }

    fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            let named = !self.host.is_empty() || self.user.is_some();
            if named || !self.scheme.is_empty() && !self.path.is_empty() {
                out.extend_from_slice(b"//");
            }
            if let Some(user) = &self.user {
                out.extend(user.text());
                out.push(b'@');
            }
            out.extend(escape(&self.host, Place::Host));
            let path = if self.path == b"*" { self.path.clone() } else { escape(&self.path, Place::Path) };
            if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
                out.push(b'/');
            }
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend_from_slice(b"./");
            }
            out.extend(path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Place::Fragment));
        }
        out
    }
}

fn scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok((&[], text))
}

fn is_port(text: &[u8]) -> bool {
    match text.split_first() {
        None => true,
        Some((colon, digits)) => *colon == b':' && digits.iter().all(u8::is_ascii_digit),
    }
}

fn host(scheme: &[u8], text: &[u8]) -> Result<Vec<u8>, String> {
    let bad_port = |port: &[u8]| format!("invalid port {} after host", quoted(port));
    match text.iter().rposition(|b| *b == b'[') {
        Some(0) => {}
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {
            if let Some(first) = text.iter().position(|b| *b == b':') {
                let last = text.iter().rposition(|b| *b == b':').unwrap_or(first);
                let strict = matches!(scheme, b"http" | b"https");
                let port = &text[if strict { first } else { last }..];
                if !is_port(port) {
                    return Err(bad_port(port));
                }
            }
            return unescape(text, Place::Host);
        }
    }
    let end = text.iter().rposition(|b| *b == b']').ok_or("missing ']' in host")?;
    let (inner, port) = (&text[1..end], &text[end + 1..]);
    if !is_port(port) {
        return Err(bad_port(port));
    }
    let zone = inner.windows(3).position(|window| window == b"%25");
    let mut name = unescape(&inner[..zone.unwrap_or(inner.len())], Place::Host)?;
    let address = String::from_utf8_lossy(&name).into_owned();
    if let Some(zone) = zone {
        name.extend(unescape(&inner[zone..], Place::Zone)?);
    }
    if address.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("invalid IP-literal".to_owned());
    }
    if address.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(format!("invalid host: ParseAddr({}): unable to parse IP", quoted(&name)));
    }
    Ok([b"[", &name[..], b"]", port].concat())
}

/// The host without its port and brackets.
fn hostname(host: &[u8]) -> Str {
    let name = match host.iter().rposition(|b| *b == b':') {
        Some(colon) if is_port(&host[colon..]) => &host[..colon],
        _ => host,
    };
    Str::from(name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(name))
}
