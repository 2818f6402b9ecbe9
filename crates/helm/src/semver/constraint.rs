//! Constraints: `>=1.2 <2`, `~1.2`, `^0.3`, `1.x || 2.0 - 3.0`.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;

use super::{SemverError, Version, compare_prerelease};

const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
const VERSION: &str = concat!(
    r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?",
    r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
    r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
);

struct Patterns {
    one: Regex,
    range: Regex,
    find: Regex,
    valid: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        one: Regex::new(&format!(r"^\s*({OPERATORS})\s*({VERSION})\s*$")).ok()?,
        range: Regex::new(&format!(r"\s*({VERSION})\s+-\s+({VERSION})\s*")).ok()?,
        find: Regex::new(&format!(r"({OPERATORS})\s*({VERSION})")).ok()?,
        valid: Regex::new(&format!(
            r"^(\s*({OPERATORS})\s*({VERSION})\s*)((?:\s+|,\s*)({OPERATORS})\s*({VERSION})\s*)*$"
        ))
        .ok()?,
    })
});

/// Alternatives of conjunctions.
#[derive(Debug, Clone)]
pub struct Constraints {
    groups: Vec<Group>,
}

#[derive(Debug, Clone)]
struct Group {
    constraints: Vec<Constraint>,
    /// Prereleases count only where the constraint itself names one.
    with_prerelease: bool,
}

#[derive(Debug, Clone)]
struct Constraint {
    operator: String,
    version: Version,
    /// Some part was left out or is a wildcard.
    dirty: bool,
    minor_dirty: bool,
    patch_dirty: bool,
}

impl Constraints {
    /// Reads a constraint.
    pub fn parse(text: &str) -> Result<Self, SemverError> {
        if text.len() > 512 {
            return Err(SemverError::ConstraintTooLong);
        }
        let patterns = PATTERNS.as_ref().ok_or(SemverError::ConstraintParser)?;
        let text = rewrite_ranges(patterns, text);
        let alternatives: Vec<&str> = text.split("||").collect();
        if alternatives.len() > 32 {
            return Err(SemverError::TooManyGroups);
        }
        let mut groups = Vec::new();
        for alternative in alternatives {
            if !patterns.valid.is_match(alternative) {
                return Err(SemverError::Constraint(alternative.to_owned()));
            }
            let mut constraints = Vec::new();
            for found in patterns.find.find_iter(alternative) {
                constraints.push(Constraint::parse(patterns, found.as_str())?);
            }
            let with_prerelease = constraints.iter().any(|c| !c.version.prerelease.is_empty());
            groups.push(Group { constraints, with_prerelease });
        }
        Ok(Self { groups })
    }

    /// Whether the version satisfies one of the alternatives.
    pub fn check(&self, version: &Version) -> bool {
        self.groups
            .iter()
            .any(|group| group.constraints.iter().all(|c| c.check(version, group.with_prerelease)))
    }
}

/// `1.2 - 1.4` stands for `>= 1.2, <= 1.4`.
fn rewrite_ranges(patterns: &Patterns, text: &str) -> String {
    let mut rewritten = text.to_owned();
    for found in patterns.range.captures_iter(text) {
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let replacement = format!(">= {}, <= {} ", part(1), part(11));
        rewritten = rewritten.replacen(part(0), &replacement, 1);
    }
    rewritten
}

fn is_wildcard(text: &str) -> bool {
    matches!(text, "x" | "X" | "*")
}

impl Constraint {
    fn parse(patterns: &Patterns, text: &str) -> Result<Self, SemverError> {
        let found = patterns.one.captures(text).ok_or_else(|| SemverError::Constraint(text.to_owned()))?;
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let open = |at: usize| {
            let text = part(at).trim_start_matches('.');
            text.is_empty() || is_wildcard(text)
        };
        let (mut dirty, mut minor_dirty, mut patch_dirty) = (false, false, false);
        let text = if open(3) {
            dirty = true;
            format!("0.0.0{}", part(6))
        } else if open(4) {
            dirty = true;
            minor_dirty = true;
            format!("{}.0.0{}", part(3), part(6))
        } else if open(5) {
            dirty = true;
            patch_dirty = true;
            format!("{}{}.0{}", part(3), part(4), part(6))
        } else {
            part(2).to_owned()
        };
        let version = Version::parse(&text).map_err(|_| SemverError::ConstraintParser)?;
        Ok(Self { operator: part(1).to_owned(), version, dirty, minor_dirty, patch_dirty })
    }

    fn check(&self, v: &Version, with_prerelease: bool) -> bool {
        if !v.prerelease.is_empty() && !with_prerelease {
            return false;
        }
        let order = v.compare(&self.version);
        match self.operator.as_str() {
            "" | "=" => {
                if self.dirty {
                    self.tilde(v, order)
                } else {
                    order == Ordering::Equal
                }
            }
            "!=" => self.not_equal(v, order),
            ">" => self.greater(v, order),
            "<" => order == Ordering::Less,
            ">=" | "=>" => order != Ordering::Less,
            "<=" | "=<" => self.at_most(v, order),
            "~" | "~>" => self.tilde(v, order),
            "^" => self.caret(v, order),
            _ => false,
        }
    }

    fn not_equal(&self, v: &Version, order: Ordering) -> bool {
        if self.dirty {
            let c = &self.version;
            if c.major != v.major || (c.minor != v.minor && !self.minor_dirty) {
                return true;
            }
            if self.minor_dirty {
                return false;
            }
            if c.patch != v.patch && !self.patch_dirty {
                return true;
            }
            if self.patch_dirty {
                return (!v.prerelease.is_empty() || !c.prerelease.is_empty())
                    && compare_prerelease(&v.prerelease, &c.prerelease) != Ordering::Equal;
            }
        }
        order != Ordering::Equal
    }

    fn greater(&self, v: &Version, order: Ordering) -> bool {
        if !self.dirty || v.major != self.version.major {
            return if self.dirty { v.major > self.version.major } else { order == Ordering::Greater };
        }
        if self.minor_dirty {
            false
        } else if self.patch_dirty {
            v.minor > self.version.minor
        } else {
            order == Ordering::Greater
        }
    }

    fn at_most(&self, v: &Version, order: Ordering) -> bool {
        if !self.dirty {
            return order != Ordering::Greater;
        }
        let c = &self.version;
        v.major <= c.major && !(v.major == c.major && v.minor > c.minor && !self.minor_dirty)
    }

    fn tilde(&self, v: &Version, order: Ordering) -> bool {
        let c = &self.version;
        if order == Ordering::Less {
            return false;
        }
        // `*` and `0.0.0` match everything.
        if c.major == 0 && c.minor == 0 && c.patch == 0 && !self.minor_dirty && !self.patch_dirty {
            return true;
        }
        v.major == c.major && (v.minor == c.minor || self.minor_dirty)
    }

    fn caret(&self, v: &Version, order: Ordering) -> bool {
        let c = &self.version;
        if order == Ordering::Less {
            return false;
        }
        if c.major > 0 || self.minor_dirty {
            return v.major == c.major;
        }
        if v.major > 0 {
            return false;
        }
        if c.minor > 0 || self.patch_dirty {
            return v.minor == c.minor;
        }
        v.minor == 0 && c.patch == v.patch
    }
}

#[cfg(test)]
mod tests {
    use crate::semver::is_compatible;

    #[test]
    fn constraints_follow_masterminds() {
        let rows = [
            ("*", "1.2.3", true),
            ("", "1.2.3", false),
            (">=1.2", "1.2.0", true),
            (">= 1.19.0-0", "1.30.1-gke.5", true),
            (">= 1.19.0", "1.30.1-gke.5", false),
            ("^1.2", "1.9.9", true),
            ("^1.2", "2.0.0", false),
            ("^0.2.3", "0.3.0", false),
            ("^0.0.3", "0.0.4", false),
            ("~1.2.3", "1.2.9", true),
            ("~1.2.3", "1.3.0", false),
            ("~1", "1.9.0", true),
            ("1.x", "1.4.2", true),
            ("1.2 - 1.4", "1.4.0", true),
            ("1.2 - 1.4", "1.5.0", false),
            (">1", "2.0.0", true),
            (">1", "1.5.0", false),
            ("<=1.4", "1.4.9", true),
            ("!=1.2", "1.2.3", false),
            (">=1.2 <1.4 || 2.x", "2.7.0", true),
            (">=1.2, <1.4", "1.4.0", false),
            ("=1.2.3", "v1.2.3", true),
            ("not", "1.2.3", false),
        ];
        for (constraint, version, expected) in rows {
            assert_eq!(is_compatible(constraint, version), expected, "{constraint} {version}");
        }
    }
}
