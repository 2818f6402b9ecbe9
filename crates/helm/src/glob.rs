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

    /// Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]`, `\`; `*` stays within a folder. None where the pattern is broken.
    pub fn compile_path(pattern: &str) -> Option<Self> {
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
        Some(Self { parts })
    }

    /// Whether a path with `/` matches.
    pub fn matches(&self, path: &str) -> bool {
        matches_parts(&self.parts, None, path)
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

/// What has to match after an alternative.
struct Then<'a> {
    parts: &'a [Part],
    then: Option<&'a Then<'a>>,
}

fn matches_parts(parts: &[Part], then: Option<&Then<'_>>, text: &str) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return then.map_or(text.is_empty(), |next| matches_parts(next.parts, next.then, text));
    };
    let one = |fits: &dyn Fn(char) -> bool| {
        let mut chars = text.chars();
        chars.next().is_some_and(fits) && matches_parts(rest, then, chars.as_str())
    };
    // The part takes none, one, … of the first `reach` bytes.
    let many = |reach: usize| {
        // Most patterns end with a star and what a name ends with.
        if then.is_none() && rest.iter().all(|part| matches!(part, Part::Literal(_))) {
            let mut chars = text.chars();
            let ends = rest
                .iter()
                .rev()
                .all(|part| matches!(part, Part::Literal(c) if chars.next_back() == Some(*c)));
            return ends && chars.as_str().len() <= reach;
        }
        let mut ends = text[..reach].char_indices().map(|(at, _)| at).chain([reach]);
        ends.any(|end| matches_parts(rest, then, &text[end..]))
    };
    match part {
        Part::Literal(c) => one(&|found| found == *c),
        Part::Any => one(&|found| found != '/'),
        Part::Class { negated, ranges } => {
            one(&|found| ranges.iter().any(|(low, high)| (low..=high).contains(&&found)) != *negated)
        }
        Part::Star => many(text.find('/').unwrap_or(text.len())),
        Part::DoubleStar => many(text.len()),
        Part::Alternatives(alternatives) => {
            let then = Then { parts: rest, then };
            alternatives.iter().any(|alternative| matches_parts(alternative, Some(&then), text))
        }
    }
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
    fn paths_match_as_in_gos_filepath() {
        let path_match =
            |pattern: &str, name: &str| Glob::compile_path(pattern).map(|glob| glob.matches(name));
        assert_eq!(path_match("templates/.?*", "templates/.x"), Some(true));
        assert_eq!(path_match("*.swp", "a/b.swp"), Some(false));
        assert_eq!(path_match("[^a]*", "bcd"), Some(true));
        assert_eq!(path_match("[", "a"), None);
    }
}
