//! `.helmignore`: which files of a folder are not part of the chart.

use crate::glob::Glob;

/// The rules of a `.helmignore`, and Helm's own.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// None for what is no pattern without the slash at its end: it matches nothing.
    pattern: Option<Glob>,
    negated: bool,
    folders_only: bool,
    /// Matched against the last part of the path only.
    by_name: bool,
}

impl Rules {
    /// Reads the text of a `.helmignore`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Self::default();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            rules.add(line).map_err(|message| format!("line {}: {message}", index + 1))?;
        }
        Ok(rules)
    }

    /// Hidden files in `templates/` never count.
    pub fn with_defaults(mut self) -> Self {
        self.rules.push(Rule {
            pattern: Glob::compile_path("templates/.?*"),
            negated: false,
            folders_only: false,
            by_name: false,
        });
        self
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let rule = line.trim();
        if rule.is_empty() || rule.starts_with('#') {
            return Ok(());
        }
        if rule.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        if Glob::compile_path(rule).is_none() {
            return Err(format!("syntax error in pattern {rule:?}"));
        }
        let (negated, rule) = rule.strip_prefix('!').map_or((false, rule), |rest| (true, rest));
        let (folders_only, rule) = rule.strip_suffix('/').map_or((false, rule), |rest| (true, rest));
        let rooted = rule.strip_prefix('/');
        self.rules.push(Rule {
            pattern: Glob::compile_path(rooted.unwrap_or(rule)),
            negated,
            folders_only,
            by_name: rooted.is_none() && !rule.contains('/'),
        });
        Ok(())
    }

    /// Whether a path of the chart (with `/`) is left out.
    pub fn ignores(&self, path: &str, is_folder: bool) -> bool {
        if path.is_empty() || path == "." {
            return false;
        }
        let last = path.bytes().rposition(|byte| byte == b'/').map_or(path, |slash| &path[slash + 1..]);
        for rule in &self.rules {
            let name = if rule.by_name { last } else { path };
            let matches = rule.pattern.as_ref().is_some_and(|pattern| pattern.matches(name));
            if rule.negated {
                if (rule.folders_only && !is_folder) || !matches {
                    return true;
                }
            } else if matches && (is_folder || !rule.folders_only) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rules_leave_out_what_they_name() {
        let rules = Rules::parse("# no\n*.swp\n.git/\n/docs\nci/*.yaml\n").unwrap().with_defaults();
        assert!(rules.ignores("templates/a.swp", false));
        assert!(rules.ignores(".git", true));
        assert!(!rules.ignores(".git", false));
        assert!(rules.ignores("docs", true));
        assert!(!rules.ignores("x/docs", true));
        assert!(rules.ignores("ci/a.yaml", false));
        assert!(rules.ignores("templates/.hidden", false));
        assert!(!rules.ignores("templates/a.yaml", false));
        assert!(Rules::parse("a/**\n").is_err());
    }
}
