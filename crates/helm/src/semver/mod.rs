//! Versions as Masterminds/semver reads them: `v1.2` is a version too, and constraints have their own
//! rules for ranges, wildcards and prereleases. Follows version 3.5.0, that Helm 4.3.1 builds on.

mod constraint;

use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

pub use constraint::Constraints;

const LONGEST: usize = 256;

static LOOSE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?",
        r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?",
        r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?$"
    ))
    .ok()
});

/// Why a version or a constraint could not be read; the text is Masterminds'.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SemverError {
    #[error("invalid semantic version")]
    Version,
    #[error("version string is too long (max {LONGEST} bytes)")]
    TooLong,
    #[error("error parsing version segment: strconv.ParseUint: parsing {0:?}: value out of range")]
    Segment(String),
    #[error("version segment starts with 0")]
    LeadingZero,
    #[error("invalid prerelease string")]
    Prerelease,
    #[error("improper constraint: {0:?}")]
    Constraint(String),
    #[error("constraint string is too long (max 512 bytes)")]
    ConstraintTooLong,
    #[error("too many constraint groups (max 32)")]
    TooManyGroups,
    #[error("constraint parser error")]
    ConstraintParser,
}

/// A semantic version; missing parts are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub major: u64,
    pub minor: u64,
    pub patch: u64,
    pub prerelease: String,
    pub metadata: String,
    /// As it was written, `v` and all.
    pub original: String,
}

impl Version {
    /// Reads a version, leniently.
    pub fn parse(text: &str) -> Result<Self, SemverError> {
        if text.len() > LONGEST {
            return Err(SemverError::TooLong);
        }
        let found = LOOSE.as_ref().and_then(|regex| regex.captures(text)).ok_or(SemverError::Version)?;
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let number = |at: usize| -> Result<u64, SemverError> {
            let digits = part(at).trim_start_matches('.');
            if digits.is_empty() {
                return Ok(0);
            }
            digits.parse().map_err(|_| SemverError::Segment(digits.to_owned()))
        };
        let prerelease = part(5);
        for piece in prerelease.split('.').filter(|piece| piece.len() > 1) {
            if piece.starts_with('0') && piece.bytes().all(|b| b.is_ascii_digit()) {
                return Err(SemverError::LeadingZero);
            }
        }
        Ok(Self {
            major: number(1)?,
            minor: number(2)?,
            patch: number(3)?,
            prerelease: prerelease.to_owned(),
            metadata: part(8).to_owned(),
            original: text.to_owned(),
        })
    }

    /// Order by precedence; build metadata does not count.
    pub fn compare(&self, other: &Self) -> Ordering {
        self.major
            .cmp(&other.major)
            .then(self.minor.cmp(&other.minor))
            .then(self.patch.cmp(&other.patch))
            .then_with(|| compare_prerelease(&self.prerelease, &other.prerelease))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

/// Whether a version satisfies a constraint; false where either cannot be read.
pub fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Version::parse(version), Constraints::parse(constraint)) {
        (Ok(version), Ok(constraints)) => constraints.check(&version),
        _ => false,
    }
}

fn compare_prerelease(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => compare_part(a, b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

fn compare_part(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_are_read_leniently_and_ordered() {
        let order = ["1", "v1.0.1-alpha.1", "1.0.1-alpha.beta", "1.0.1-rc.9", "1.0.1-rc.10", "1.0.1", "1.2"];
        for pair in order.windows(2) {
            let (a, b) = (Version::parse(pair[0]).unwrap(), Version::parse(pair[1]).unwrap());
            assert_eq!(a.compare(&b), Ordering::Less, "{pair:?}");
        }
        assert_eq!(Version::parse("v1.2").unwrap().to_string(), "1.2.0");
        for bad in ["", "1.2.3.4", "a", "1.2-", "1.2.3-01"] {
            assert!(Version::parse(bad).is_err(), "{bad}");
        }
    }
}
