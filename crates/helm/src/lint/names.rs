//! What Kubernetes demands of the names of objects, in its words.

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SERVICE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
    alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
    validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// What is wrong with the name of an object of this kind.
pub fn complaints(kind: &str, name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut bounded = |fits: bool, longest: usize, words: &str| {
        if name.len() > longest {
            wrong.push(format!("must be no more than {longest} characters"));
        }
        if !fits {
            wrong.push(words.to_owned());
        }
    };
    match kind.to_lowercase().as_str() {
        "service" => {
            let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
            bounded(begins && is_label(name), 63, SERVICE);
        }
        "namespace" => bounded(is_label(name), 63, LABEL),
        "certificatesigningrequest" => {}
        "role" | "clusterrole" | "rolebinding" | "clusterrolebinding" => {
            if name == "." || name == ".." {
                wrong.push(format!("may not be '{name}'"));
            } else {
                for part in ["/", "%"] {
                    if name.contains(part) {
                        wrong.push(format!("may not contain '{part}'"));
                    }
                }
            }
        }
        _ => bounded(name.split('.').all(is_label), 253, SUBDOMAIN),
    }
    wrong
}

fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|b| inner(*b) || *b == b'-')
        && bytes.first().is_some_and(|b| inner(*b))
        && bytes.last().is_some_and(|b| inner(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_rule() {
        for (kind, name, wrong) in [
            ("Deployment", "a.b-c", 0),
            ("Deployment", "A", 1),
            ("Service", "1a", 1),
            ("Namespace", "a.b", 1),
            ("ClusterRole", "system:a", 0),
            ("Role", "a/b%", 2),
            ("Deployment", "", 1),
        ] {
            assert_eq!(complaints(kind, name).len(), wrong, "{kind} {name}");
        }
        assert_eq!(complaints("Service", &"a".repeat(64)), ["must be no more than 63 characters"]);
    }
}
