//! Programs built of Go modules: which there are, the key of each, and their build.
//! A program is kept in `bin/<key>/`; another key is another folder.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use include_dir::{Dir, DirEntry, include_dir};
use serde::{Deserialize, Serialize};

use crate::digest::Sha256;
use crate::error::{Error, IoContext, Result};
use crate::{command, files};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../embedded");

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub name: String,
    pub module: String,
    pub package: String,
    #[serde(default)]
    pub ldflags: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub group: Group,
    /// Further names that the program answers to.
    #[serde(default)]
    pub applets: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Runs on a node of the embedded cluster.
    Node,
    /// Goes into an image.
    Image,
    /// What tests and benchmarks compare with.
    Oracle,
}

#[derive(Debug, Deserialize)]
struct PartsFile {
    binary: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Toolchain {
    version: String,
    arch: String,
}

/// Beside a built program: of what it was built, for machines that have no Go.
#[derive(Debug, Serialize, Deserialize)]
struct Built {
    name: String,
    source: String,
    go: String,
}

#[derive(Debug)]
pub struct Parts {
    entries: Vec<Part>,
    /// `bin/` of the cache.
    bin: PathBuf,
    /// Where modules are unpacked for `go build`.
    sources: PathBuf,
    toolchain: OnceLock<Option<Toolchain>>,
    /// `go build` uses all cores by itself.
    one_at_a_time: Mutex<()>,
}

impl Parts {
    pub fn bundled(cache: &Path) -> Result<Self> {
        let text = EMBEDDED.get_file("parts.toml").and_then(|f| f.contents_utf8()).unwrap_or_default();
        let bad = |reason: String| Error::Recipe { file: "embedded/parts.toml".to_owned(), reason };
        let file: PartsFile = toml::from_str(text).map_err(|e| bad(e.to_string()))?;
        for part in &file.binary {
            if EMBEDDED.get_file(format!("{}/go.mod", part.module)).is_none() {
                return Err(bad(format!("`{}`: there is no module `{}`", part.name, part.module)));
            }
        }
        Ok(Self {
            entries: file.binary,
            bin: cache.join("bin"),
            sources: cache.join("src"),
            toolchain: OnceLock::new(),
            one_at_a_time: Mutex::new(()),
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Part> {
        self.entries.iter()
    }

    pub fn get(&self, name: &str) -> Option<&Part> {
        self.entries.iter().find(|part| part.name == name)
    }

    fn toolchain(&self) -> Option<&Toolchain> {
        self.toolchain
            .get_or_init(|| {
                let said = command::answer("go", &["env", "GOVERSION", "GOARCH"])?;
                let (version, arch) = said.trim().split_once('\n')?;
                Some(Toolchain { version: version.to_owned(), arch: arch.to_owned() })
            })
            .as_ref()
    }

    /// Key of a part: of its module's files, its entry and the Go version. Without Go,
    /// that of an earlier build of the same source, if there is one.
    pub fn key(&self, part: &Part) -> Result<String> {
        let source = source_key(part);
        if let Some(go) = self.toolchain() {
            let mut hash = Sha256::new();
            hash.field(&source);
            hash.field(&go.version);
            hash.field(&go.arch);
            return Ok(hash.hex());
        }
        self.built_of(part, &source).ok_or(Error::NoProgram {
            program: "go",
            remedy: "install Go from https://go.dev/dl/ (the Kubernetes programs are built of their Go modules)",
        })
    }

    fn built_of(&self, part: &Part, source: &str) -> Option<String> {
        std::fs::read_dir(&self.bin).ok()?.flatten().find_map(|entry| {
            let text = std::fs::read(entry.path().join("part.json")).ok()?;
            let built: Built = serde_json::from_slice(&text).ok()?;
            (built.name == part.name && built.source == source)
                .then(|| entry.file_name().to_string_lossy().into_owned())
        })
    }

    /// Where the program is, or will be.
    pub fn path(&self, part: &Part) -> Result<PathBuf> {
        Ok(self.bin.join(self.key(part)?).join(&part.name))
    }

    /// Builds a part unless it is there. `stage` sees the package that is being compiled.
    pub fn build(&self, part: &Part, log: &Path, stage: &mut dyn FnMut(&str)) -> Result<PathBuf> {
        let path = self.path(part)?;
        if path.exists() {
            return Ok(path);
        }
        // A poisoned lock only means that another build failed.
        let _turn = self.one_at_a_time.lock();
        let Some(go) = self.toolchain() else {
            return Err(Error::NoProgram { program: "go", remedy: "install Go from https://go.dev/dl/" });
        };
        check_version(part, &go.version)?;
        let source = source_key(part);
        let module = self.unpack(part, &source)?;

        let made = files::TempDir::beside(path.parent().unwrap_or(&self.bin))?;
        let mut build = Command::new("go");
        build
            .current_dir(&module)
            .args(["build", "-v", "-trimpath", "-mod=readonly", "-tags", &part.tags.join(",")])
            .arg("-ldflags")
            .arg(format!("-s -w {}", part.ldflags))
            .arg("-o")
            .arg(made.path().join(&part.name))
            .arg(&part.package)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "")
            .env("GOWORK", "off")
            // A build that fetches another compiler would not be what the key says.
            .env("GOTOOLCHAIN", "local");
        command::run(&format!("go build of {}", part.name), build, log, stage)?;
        for applet in &part.applets {
            let link = made.path().join(applet);
            std::os::unix::fs::symlink(&part.name, &link).on("make", &link)?;
        }
        let built = Built { name: part.name.clone(), source, go: go.version.clone() };
        files::write_json(&made.path().join("part.json"), &built)?;
        made.keep()?;
        Ok(path)
    }

    /// The module's files in the cache; left there, since `go build` of the next part of the module wants them too.
    fn unpack(&self, part: &Part, source: &str) -> Result<PathBuf> {
        let target = self.sources.join(source);
        if target.exists() {
            return Ok(target);
        }
        let made = files::TempDir::beside(&target)?;
        for file in module_files(&part.module) {
            let path = file.path().strip_prefix(&part.module).unwrap_or(file.path());
            let path = made.path().join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).on("make", parent)?;
            }
            std::fs::write(&path, file.contents()).on("write", &path)?;
        }
        made.keep()?;
        Ok(target)
    }
}

fn module_files(module: &str) -> Vec<&'static include_dir::File<'static>> {
    fn collect(dir: &'static Dir<'static>, into: &mut Vec<&'static include_dir::File<'static>>) {
        for entry in dir.entries() {
            match entry {
                DirEntry::Dir(dir) => collect(dir, into),
                // Tests change without changing the program.
                DirEntry::File(file) if file.path().to_string_lossy().ends_with("_test.go") => {}
                DirEntry::File(file) => into.push(file),
            }
        }
    }
    let mut files = Vec::new();
    if let Some(dir) = EMBEDDED.get_dir(module) {
        collect(dir, &mut files);
    }
    files.sort_by_key(|file| file.path());
    files
}

fn source_key(part: &Part) -> String {
    let mut hash = Sha256::new();
    for file in module_files(&part.module) {
        hash.field(file.path().to_string_lossy().as_bytes());
        hash.field(file.contents());
    }
    for field in [&part.name, &part.package, &part.ldflags] {
        hash.field(field);
    }
    hash.field(part.tags.join(","));
    hash.field(part.applets.join(","));
    hash.hex()
}

/// The module's `go` line against the compiler at hand.
fn check_version(part: &Part, found: &str) -> Result<()> {
    let text = EMBEDDED
        .get_file(format!("{}/go.mod", part.module))
        .and_then(|f| f.contents_utf8())
        .unwrap_or_default();
    let Some(needs) = text.lines().find_map(|line| line.strip_prefix("go ")) else { return Ok(()) };
    if numbers(found.trim_start_matches("go")) < numbers(needs) {
        return Err(Error::OldGo {
            found: found.to_owned(),
            needs: needs.trim().to_owned(),
            module: part.module.clone(),
        });
    }
    Ok(())
}

fn numbers(version: &str) -> Vec<u32> {
    let plain = version.trim().split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default();
    plain.split('.').filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_bundled_parts_are_good() {
        let dir = tempfile::tempdir().unwrap();
        let parts = Parts::bundled(dir.path()).unwrap();
        for name in
            ["landfall-kube", "containerd", "containerd-shim-runc-v2", "coredns", "landfall-addons", "pause"]
        {
            assert!(parts.get(name).is_some(), "{name}");
        }
        assert_eq!(parts.get("helm").unwrap().group, Group::Oracle);
    }

    #[test]
    fn a_key_depends_on_the_entry() {
        let dir = tempfile::tempdir().unwrap();
        let parts = Parts::bundled(dir.path()).unwrap();
        let part = parts.get("pause").unwrap().clone();
        let other = Part { ldflags: "-X a.b=c".to_owned(), ..part.clone() };
        assert_eq!(source_key(&part), source_key(&part.clone()));
        assert_ne!(source_key(&part), source_key(&other));
    }

    #[test]
    fn versions_compare_by_numbers() {
        assert!(numbers("1.9") < numbers("1.26.0"));
        assert!(numbers("1.26.8") > numbers("1.26.0"));
        assert_eq!(numbers("1.26rc1"), numbers("1.26"));
    }
}
