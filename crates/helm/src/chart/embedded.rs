//! Charts that are part of the program.

use include_dir::{Dir, DirEntry};

use super::File;
use super::contents::shared;
use super::ignore::Rules;
use super::load::Tree;
use crate::HelmError;

/// A folder of an embedded folder of charts.
#[derive(Debug)]
pub struct Embedded<'a> {
    charts: &'a Dir<'a>,
    path: String,
}

impl<'a> Embedded<'a> {
    pub fn new(charts: &'a Dir<'a>, name: &str) -> Result<Self, HelmError> {
        if find(charts, name).is_some() {
            return Ok(Self { charts, path: name.to_owned() });
        }
        let mut known: Vec<String> = charts.dirs().map(|dir| dir.path().display().to_string()).collect();
        known.sort();
        let hint = format!("there are {}", known.join(", "));
        Err(HelmError::chart_hint(name, "no such chart in this program", hint))
    }
}

fn find<'a>(charts: &'a Dir<'a>, path: &str) -> Option<&'a Dir<'a>> {
    charts.get_dir(charts.path().join(path)).or_else(|| charts.get_dir(path))
}

impl Tree for Embedded<'_> {
    fn label(&self) -> String {
        self.path.clone()
    }

    fn files(&self) -> Result<Vec<File>, HelmError> {
        let Some(folder) = find(self.charts, &self.path) else { return Ok(Vec::new()) };
        let rules = match folder.get_file(folder.path().join(".helmignore")) {
            Some(file) => Rules::parse(file.contents_utf8().unwrap_or(""))
                .map_err(|message| HelmError::chart(self.label(), format!(".helmignore: {message}")))?,
            None => Rules::default(),
        };
        let rules = rules.with_defaults();
        let mut files = Vec::new();
        collect(folder, folder, &rules, &mut files);
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    fn beside(&self, relative: &str) -> Option<Box<dyn Tree + '_>> {
        let mut parts: Vec<&str> = self.path.split('/').collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                name => parts.push(name),
            }
        }
        let path = parts.join("/");
        find(self.charts, &path)?;
        Some(Box::new(Embedded { charts: self.charts, path }))
    }
}

fn collect(folder: &Dir<'_>, root: &Dir<'_>, rules: &Rules, files: &mut Vec<File>) {
    for entry in folder.entries() {
        let Ok(inner) = entry.path().strip_prefix(root.path()) else { continue };
        let Some(name) = inner.to_str() else { continue };
        match entry {
            DirEntry::Dir(dir) => {
                if !rules.ignores(name, true) {
                    collect(dir, root, rules, files);
                }
            }
            DirEntry::File(file) => {
                if !rules.ignores(name, false) {
                    files.push(File { name: name.to_owned(), data: shared(file.contents()) });
                }
            }
        }
    }
}
