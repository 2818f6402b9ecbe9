//! Addresses of mail and of the web, as far as a linter judges them: nothing is asked of anybody.

/// One `@`, a name before it, a host with a dot behind it.
pub fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    let fits = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let quoted = name.len() > 1 && name.starts_with('"') && name.ends_with('"');
    !name.is_empty()
        && (quoted
            || name.chars().all(fits)
                && !name.starts_with('.')
                && !name.ends_with('.')
                && !name.contains(".."))
        && host.contains('.')
        && is_host(host)
}

/// What a browser takes: the scheme may be left out.
pub fn is_url(text: &str) -> bool {
    if text.is_empty() || text.len() >= 2083 || text.starts_with('.') || text.contains(char::is_whitespace) {
        return false;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if ["ftp", "tcp", "udp", "ws", "wss", "http", "https"].contains(&scheme) => rest,
        Some(_) => return false,
        None => text,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let known = host == "localhost" || host.contains('.') || text.contains("://");
    known && is_host(host) && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit())
}

/// What Go's `url.ParseRequestURI` takes and that has a scheme.
pub fn is_request_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let scheme = begins && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let controls = text.bytes().any(|b| b < b' ' || b == 0x7f);
    let Some(rest) = rest.strip_prefix('/') else { return false };
    let Some(rest) = rest.strip_prefix('/') else { return scheme && !controls };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let port = host.rsplit_once(':').map_or("", |(_, port)| port.rsplit(']').next().unwrap_or_default());
    let escapes = rest.match_indices('%').all(|(at, _)| {
        rest.as_bytes().get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    });
    scheme && !controls && escapes && !host.contains(' ') && port.bytes().all(|b| b.is_ascii_digit())
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.split('.').all(|part| {
            !part.is_empty()
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for good in ["https://a.example/x?y#z", "http://localhost:8080", "a.example"] {
            assert!(is_url(good), "{good}");
        }
        for bad in ["", "a b", "gopher://a.example", "https://"] {
            assert!(!is_url(bad), "{bad}");
        }
        assert!(is_email("a.b+c@d.example") && !is_email("a.example") && !is_email("a@b"));
        for (text, fits) in [
            ("https://a.example/x.svg", true),
            ("file:///x.png", true),
            ("a.example/x.svg", false),
            ("https://a.example:port/", false),
            ("mailto:a@b.example", false),
            ("https://a.example/%zz", false),
        ] {
            assert_eq!(is_request_url(text), fits, "{text}");
        }
    }
}
