//! Two kinds of patterns: `gobwas/glob` with `/` as separator (`.Files.Glob`) and Go's `filepath.Match`
//! (`.helmignore`). Neither touches the file system.

/// A compiled pattern of `.Files.Glob`: `*` stays within a folder, `**` does not, `?`, `[a-z]`,
/// `[!a]`, `{a,b}` and `\` as escape.
#[derive(Debug, Clone)]
pub struct Glob {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Literal(char),
    /// One character but `/`.
    Any,
    /// Characters but `/`.
    Star,
    /// Any characters.
    DoubleStar,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Alternatives(Vec<Vec<Part>>),
}

impl Glob {
    /// None where the pattern is broken.
    pub fn compile(pattern: &str) -> Option<Self> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut at = 0;
        let parts = compile_until(&chars, &mut at, 0)?;
        (at == chars.len()).then_some(Self { parts })
    }

    /// Whether a path with `/` matches.
    pub fn matches(&self, path: &str) -> bool {
        let chars: Vec<char> = path.chars().collect();
        matches_parts(&self.parts.iter().collect::<Vec<_>>(), &chars)
    }
}

fn compile_until(chars: &[char], at: &mut usize, depth: usize) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    while let Some(&c) = chars.get(*at) {
        match c {
            ',' | '}' if depth > 0 => return Some(parts),
            '*' => {
                *at += 1;
                if chars.get(*at) == Some(&'*') {
                    while chars.get(*at) == Some(&'*') {
                        *at += 1;
                    }
                    parts.push(Part::DoubleStar);
                } else {
                    parts.push(Part::Star);
                }
                continue;
            }
            '?' => parts.push(Part::Any),
            '\\' => {
                *at += 1;
                parts.push(Part::Literal(*chars.get(*at)?));
            }
            '[' => {
                parts.push(compile_class(chars, at)?);
                continue;
            }
            '{' => {
                if depth > 8 {
                    return None;
                }
                let mut alternatives = Vec::new();
                loop {
                    *at += 1;
                    alternatives.push(compile_until(chars, at, depth + 1)?);
                    match chars.get(*at) {
                        Some(',') => {}
                        Some('}') => break,
                        _ => return None,
                    }
                }
                parts.push(Part::Alternatives(alternatives));
            }
            c => parts.push(Part::Literal(c)),
        }
        *at += 1;
    }
    (depth == 0).then_some(parts)
}

fn compile_class(chars: &[char], at: &mut usize) -> Option<Part> {
    *at += 1;
    let negated = matches!(chars.get(*at), Some('!' | '^'));
    if negated {
        *at += 1;
    }
    let mut ranges = Vec::new();
    loop {
        let mut low = *chars.get(*at)?;
        if low == ']' && !ranges.is_empty() {
            *at += 1;
            return Some(Part::Class { negated, ranges });
        }
        if low == '\\' {
            *at += 1;
            low = *chars.get(*at)?;
        }
        *at += 1;
        let high = if chars.get(*at) == Some(&'-') && chars.get(*at + 1).is_some_and(|c| *c != ']') {
            *at += 2;
            *chars.get(*at - 1)?
        } else {
            low
        };
        ranges.push((low, high));
    }
}

fn matches_parts(parts: &[&Part], text: &[char]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    match part {
        Part::Literal(c) => text.first() == Some(c) && matches_parts(rest, &text[1..]),
        Part::Any => text.first().is_some_and(|c| *c != '/') && matches_parts(rest, &text[1..]),
        Part::Class { negated, ranges } => {
            text.first()
                .is_some_and(|c| ranges.iter().any(|(low, high)| (low..=high).contains(&c)) != *negated)
                && matches_parts(rest, &text[1..])
        }
        Part::Star => {
            let reach = text.iter().position(|c| *c == '/').unwrap_or(text.len());
            (0..=reach).any(|taken| matches_parts(rest, &text[taken..]))
        }
        Part::DoubleStar => (0..=text.len()).any(|taken| matches_parts(rest, &text[taken..])),
        Part::Alternatives(alternatives) => alternatives.iter().any(|alternative| {
            let whole: Vec<&Part> = alternative.iter().chain(rest.iter().copied()).collect();
            matches_parts(&whole, text)
        }),
    }
}

/// Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]`, `\`; `*` stays within a folder. None for a broken pattern.
pub fn path_match(pattern: &str, name: &str) -> Option<bool> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        match c {
            '*' => parts.push(Part::Star),
            '?' => parts.push(Part::Any),
            '\\' => {
                at += 1;
                parts.push(Part::Literal(*chars.get(at)?));
            }
            '[' => {
                parts.push(compile_class(&chars, &mut at)?);
                continue;
            }
            c => parts.push(Part::Literal(c)),
        }
        at += 1;
    }
    let name: Vec<char> = name.chars().collect();
    Some(matches_parts(&parts.iter().collect::<Vec<_>>(), &name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn globs_mind_folders() {
        let rows = [
            ("*", "a", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("conf/*.ini", "conf/a.ini", true),
            ("conf/**.ini", "conf/x/a.ini", true),
            ("{a,b*}/c", "bcd/c", true),
            ("[!a]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("a?c", "a/c", false),
        ];
        for (pattern, path, expected) in rows {
            assert_eq!(Glob::compile(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
        assert!(Glob::compile("{a").is_none());
        assert!(Glob::compile("[a").is_none());
    }

    #[test]
    fn path_match_is_gos() {
        assert_eq!(path_match("templates/.?*", "templates/.x"), Some(true));
        assert_eq!(path_match("*.swp", "a/b.swp"), Some(false));
        assert_eq!(path_match("[^a]*", "bcd"), Some(true));
        assert_eq!(path_match("[", "a"), None);
    }
}
