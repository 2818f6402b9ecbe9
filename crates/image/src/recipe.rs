//! A recipe: one TOML file that says what an image is made of. Only its shape and
//! its own consistency; how recipes stand on one another is in `recipes`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A container image.
    #[default]
    Image,
    /// A layer that other recipes stand on; not an image of its own.
    Layer,
    /// A folder: the root of a node of the embedded cluster.
    Tree,
    /// Kernel, initrd and disk of a server that proves a cloud.
    Guest,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub name: String,
    #[serde(default)]
    pub kind: Kind,
    /// Tag of the image: a version that does not change with each build.
    #[serde(default = "latest")]
    pub tag: String,
    pub description: String,
    /// The recipe that this one stands on, or `scratch`.
    pub from: String,
    /// Images of OpenStack-Helm's values that this one stands in for.
    #[serde(default)]
    pub upstream: Vec<String>,
    /// Debian packages, installed without their recommendations.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Paths (with `*`) that packages must not unpack, here and in all that stands on it.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Exceptions to `exclude`.
    #[serde(default)]
    pub include: Vec<String>,
    /// Paths (with `*` in a component) removed after the packages are installed.
    #[serde(default)]
    pub remove: Vec<String>,
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
    #[serde(default, rename = "directory")]
    pub directories: Vec<Directory>,
    #[serde(default, rename = "file")]
    pub files: Vec<File>,
    #[serde(default, rename = "symlink")]
    pub symlinks: Vec<Symlink>,
    #[serde(default, rename = "binary")]
    pub binaries: Vec<Binary>,
    #[serde(default)]
    pub run: Run,
    /// Of a guest only.
    #[serde(default)]
    pub guest: Initrd,
    /// Commands that must succeed inside the finished image.
    #[serde(default)]
    pub check: Vec<Vec<String>>,
}

fn latest() -> String {
    "latest".to_owned()
}

/// A user with a fixed number, made before the packages are installed, so that they find it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    pub name: String,
    pub uid: u32,
    /// The same as `uid` unless given; the group has the user's name.
    pub gid: Option<u32>,
    #[serde(default = "nowhere")]
    pub home: String,
    #[serde(default = "nologin")]
    pub shell: String,
    /// Debian's base has it already: only its number is told here.
    #[serde(default)]
    pub existing: bool,
}

impl User {
    pub fn gid(&self) -> u32 {
        self.gid.unwrap_or(self.uid)
    }
}

fn nowhere() -> String {
    "/nonexistent".to_owned()
}

fn nologin() -> String {
    "/usr/sbin/nologin".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    pub path: String,
    #[serde(default = "root")]
    pub owner: String,
    #[serde(default = "mode_directory")]
    pub mode: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub path: String,
    pub content: String,
    #[serde(default = "root")]
    pub owner: String,
    #[serde(default = "mode_file")]
    pub mode: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    pub path: String,
    pub to: String,
}

/// A program that Landfall itself builds: of a Go module in `embedded/`, or `landfall-agent`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binary {
    pub name: String,
    pub path: String,
}

fn root() -> String {
    "root".to_owned()
}

fn mode_directory() -> String {
    "0755".to_owned()
}

fn mode_file() -> String {
    "0644".to_owned()
}

/// How a container of the image runs, unless a pod says otherwise.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// A user of the recipe, or `uid:gid`; root unless given.
    pub user: Option<String>,
    #[serde(default)]
    pub entrypoint: Vec<String>,
    #[serde(default)]
    pub command: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    pub workdir: Option<String>,
}

/// What a guest's initrd has beside busybox and the recipe's files below `/guest`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Initrd {
    /// Of the kernel, by name, in the order in which they are loaded.
    #[serde(default)]
    pub modules: Vec<String>,
}

impl Recipe {
    /// `file` is only for messages.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let bad = |reason: String| Error::Recipe { file: file.to_owned(), reason };
        let recipe: Self = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        recipe.validate().map_err(bad)?;
        Ok(recipe)
    }

    fn validate(&self) -> std::result::Result<(), String> {
        let word = |s: &str| {
            !s.is_empty()
                && s.starts_with(|c: char| c.is_ascii_alphanumeric())
                && s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c))
        };
        if !word(&self.name) {
            return Err(format!("name `{}` must be lower-case letters, digits, `-`, `.` and `_`", self.name));
        }
        if !word(&self.tag) {
            return Err(format!("tag `{}` must be lower-case letters, digits, `-`, `.` and `_`", self.tag));
        }
        if self.from == "scratch" && !self.packages.is_empty() && self.kind != Kind::Layer {
            return Err("packages on `scratch` are for a `layer`, which others stand on".to_owned());
        }
        if self.kind != Kind::Image && !(self.run.entrypoint.is_empty() && self.run.command.is_empty()) {
            return Err("only an image has a `run` section".to_owned());
        }
        if self.kind == Kind::Guest && !self.check.is_empty() {
            return Err("a guest is no container: `check` has nothing to run in".to_owned());
        }
        let paths = (self.directories.iter().map(|d| &d.path))
            .chain(self.files.iter().map(|f| &f.path))
            .chain(self.symlinks.iter().map(|s| &s.path))
            .chain(self.binaries.iter().map(|b| &b.path))
            .chain(&self.remove)
            .chain(&self.exclude)
            .chain(&self.include);
        for path in paths {
            if !path.starts_with('/') || path.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")) {
                return Err(format!("path `{path}` must be absolute and plain"));
            }
        }
        for mode in self.directories.iter().map(|d| &d.mode).chain(self.files.iter().map(|f| &f.mode)) {
            if parse_mode(mode).is_none() {
                return Err(format!("mode `{mode}` must be octal digits, as \"0750\""));
            }
        }
        for owner in self.directories.iter().map(|d| &d.owner).chain(self.files.iter().map(|f| &f.owner)) {
            if self.ids_of(owner).is_none() {
                return Err(format!("owner `{owner}` is not among the recipe's users"));
            }
        }
        if let Some(user) = &self.run.user
            && self.ids_of(user).is_none()
        {
            return Err(format!("run.user `{user}` is not among the recipe's users, nor `uid:gid`"));
        }
        for user in &self.users {
            if [&user.name, &user.home, &user.shell].iter().any(|s| s.is_empty() || s.contains([':', '\n'])) {
                return Err(format!("user `{}` has a field that /etc/passwd cannot hold", user.name));
            }
        }
        Ok(())
    }

    /// Numbers of a user named in the recipe, or written as `uid:gid`.
    pub fn ids_of(&self, owner: &str) -> Option<(u32, u32)> {
        if owner == "root" {
            return Some((0, 0));
        }
        if let Some(user) = self.users.iter().find(|u| u.name == owner) {
            return Some((user.uid, user.gid()));
        }
        let (uid, gid) = owner.split_once(':')?;
        Some((uid.parse().ok()?, gid.parse().ok()?))
    }
}

pub(crate) fn parse_mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEAD: &str = "name = \"x\"\ndescription = \"d\"\nfrom = \"base\"\n";

    fn reason(tail: &str) -> String {
        Recipe::parse("x.toml", &format!("{HEAD}{tail}")).unwrap_err().to_string()
    }

    #[test]
    fn says_what_is_wrong_with_a_recipe() {
        assert!(reason("packges = []").contains("unknown field `packges`"));
        assert!(reason("remove = [\"etc/x\"]").contains("`etc/x` must be absolute"));
        assert!(reason("remove = [\"/etc/../x\"]").contains("must be absolute and plain"));
        assert!(reason("[run]\nuser = \"nova\"").contains("run.user `nova`"));
        assert!(reason("[[directory]]\npath = \"/a\"\nmode = \"rwx\"").contains("mode `rwx`"));
        assert!(reason("[[directory]]\npath = \"/a\"\nowner = \"nova\"").contains("owner `nova`"));
        assert!(reason("[[user]]\nname = \"a:b\"\nuid = 1").contains("`a:b`"));
    }

    #[test]
    fn a_users_group_has_its_number_unless_told() {
        let text =
            format!("{HEAD}[[user]]\nname = \"a\"\nuid = 7\n[[user]]\nname = \"b\"\nuid = 8\ngid = 9\n");
        let recipe = Recipe::parse("x.toml", &text).unwrap();
        assert_eq!(recipe.ids_of("a"), Some((7, 7)));
        assert_eq!(recipe.ids_of("b"), Some((8, 9)));
        assert_eq!(recipe.ids_of("10:11"), Some((10, 11)));
        assert_eq!(recipe.ids_of("c"), None);
    }
}
