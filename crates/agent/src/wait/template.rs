//! `DEPENDENCY_CONFIG`: files that hold the pod's address or host name, written from their templates.

use std::path::Path;

/// Where the templates are mounted: `/configmaps/x.conf/x.conf`.
const TEMPLATES: &str = "/configmaps";

/// Writes the file from its template; an error is the clause to tell.
pub fn write(path: &str) -> Result<(), String> {
    let file =
        Path::new(path).file_name().and_then(|f| f.to_str()).ok_or_else(|| "names no file".to_owned())?;
    let template = format!("{TEMPLATES}/{file}/{file}");
    let text = std::fs::read_to_string(&template).map_err(|e| format!("{template}: {e}"))?;
    let hostname = nix::unistd::gethostname().map(|h| h.to_string_lossy().into_owned()).unwrap_or_default();
    let ip = address()?;
    let filled = fill(&text, &ip, &hostname);
    if let Some(dir) = Path::new(path).parent() {
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    std::fs::write(path, filled).map_err(|e| format!("{path}: {e}"))
}

/// The words that the original fills in; all else stays as it is.
fn fill(text: &str, ip: &str, hostname: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((word, tail)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        match word.trim_matches(|c: char| c.is_whitespace() || c == '-') {
            ".IP" => out.push_str(ip),
            ".IP_ERLANG" => out.push_str(&ip.replace('.', ",")),
            ".HOSTNAME" => out.push_str(hostname),
            _ => {
                out.push_str("{{");
                out.push_str(word);
                out.push_str("}}");
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// The address of INTERFACE_NAME, else POD_IP.
fn address() -> Result<String, String> {
    let wanted = crate::pod::var("INTERFACE_NAME").unwrap_or_else(|| "eth0".to_owned());
    let found = nix::ifaddrs::getifaddrs().map_err(|e| e.to_string())?.find_map(|i| {
        let ip = i.address?.as_sockaddr_in()?.ip();
        (i.interface_name == wanted).then(|| ip.to_string())
    });
    found
        .or_else(|| crate::pod::var("POD_IP"))
        .ok_or_else(|| format!("interface {wanted} has no address (INTERFACE_NAME)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_filled_in() {
        let text = "a={{ .IP }} b={{.HOSTNAME}} c={{ .IP_ERLANG }} d={{ .OTHER }} e={{ open";
        assert_eq!(fill(text, "10.0.0.7", "k1"), "a=10.0.0.7 b=k1 c=10,0,0,7 d={{ .OTHER }} e={{ open");
    }
}
