//! Paths with `/`, as Go's `path` package has them, and URLs.

use std::borrow::Cow;

use gotmpl::{FuncMap, Signature, Type, Value};

use super::text_arg;

const ONE: Signature = Signature::fixed(&[Type::String]);

pub fn add(f: &mut FuncMap) {
    for prefix in ["", "os"] {
        let name = |plain: &str| {
            if prefix.is_empty() {
                plain.to_owned()
            } else {
                format!("{prefix}{}{}", plain[..1].to_uppercase(), &plain[1..])
            }
        };
        f.add(&name("base"), ONE, |_, a| Ok(Value::from(base(&text_arg(a, 0)))));
        f.add(&name("dir"), ONE, |_, a| {
            let path = text_arg(a, 0);
            Ok(Value::from(clean(path.rfind('/').map_or("", |at| &path[..=at]))))
        });
        f.add(&name("clean"), ONE, |_, a| Ok(Value::from(clean(&text_arg(a, 0)))));
        f.add(&name("ext"), ONE, |_, a| {
            let path = text_arg(a, 0);
            let name = path.rsplit('/').next().unwrap_or("");
            Ok(Value::from(name.rfind('.').map_or("", |at| &name[at..])))
        });
        f.add(&name("isAbs"), ONE, |_, a| Ok(Value::Bool(text_arg(a, 0).starts_with('/'))));
    }
    // Names are not looked up: a chart must render alike everywhere.
    f.add("getHostByName", ONE, |_, _| Ok(Value::from("")));
}

/// `path.Base`
pub fn base(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None => "/".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// `path.Clean`
pub fn clean(path: &str) -> Cow<'_, str> {
    // Most paths are clean.
    let begins_clean = |at: usize| !matches!(path.as_bytes().get(at), None | Some(b'/' | b'.'));
    if begins_clean(0) && memchr::memchr_iter(b'/', path.as_bytes()).all(|slash| begins_clean(slash + 1)) {
        return Cow::Borrowed(path);
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if rooted {
        Cow::Owned(format!("/{joined}"))
    } else if joined.is_empty() {
        Cow::Owned(".".to_owned())
    } else {
        Cow::Owned(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_go() {
        for (path, expected) in [("", "."), ("/", "/"), ("a/b/", "b"), ("a", "a")] {
            assert_eq!(base(path), expected);
        }
        for (path, expected) in
            [("", "."), ("a//b/../c", "a/c"), ("/../a", "/a"), ("../a/..", ".."), ("./", ".")]
        {
            assert_eq!(clean(path), expected);
        }
    }
}
