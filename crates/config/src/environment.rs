//! What Landfall takes from the environment, read once at the start.

use std::path::{Path, PathBuf};

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    En,
    Ko,
}

/// The environment as plain data, so that everything below can be tested without one.
#[derive(Debug, Clone)]
pub struct Environment {
    pub home: PathBuf,
    /// `$LANDFALL_CACHE`, else `$XDG_CACHE_HOME/landfall`, else `~/.cache/landfall`.
    pub cache: PathBuf,
    /// `$LANDFALL_STATE`, else `/var/lib/landfall`.
    pub state: PathBuf,
    /// First existing file of `$KUBECONFIG`, or `~/.kube/config` where it exists.
    pub kubeconfig: Option<PathBuf>,
    /// From `$LC_ALL`, `$LC_MESSAGES`, `$LANG`: Korean where it begins with `ko`.
    pub language: Language,
    pub no_color: bool,
    pub ci: bool,
    /// Where Helm keeps what it remembers.
    pub helm: HelmPlaces,
    /// GnuPG's keyring as Helm finds it: `pubring.gpg` in `$GNUPGHOME` or `~/.gnupg`, or `pubring.kbx` where only that
    /// is there.
    pub keyring: PathBuf,
    /// `$SOURCE_DATE_EPOCH`: the time that reproducible files get, in seconds since 1970.
    pub source_date_epoch: Option<u64>,
}

/// Helm's own files, found as Helm finds them: `$HELM_REPOSITORY_CONFIG` and its like, else below
/// `$HELM_CONFIG_HOME` and `$HELM_CACHE_HOME`, else below the XDG folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmPlaces {
    pub repositories: PathBuf,
    pub registries: PathBuf,
    pub indices: PathBuf,
    pub content: PathBuf,
}

impl HelmPlaces {
    fn from(get: &impl Fn(&str) -> Option<String>, home: &Path) -> Self {
        let folder = |own: &str, xdg: &str, below: &str| {
            let of_xdg = || get(xdg).map_or_else(|| home.join(below), PathBuf::from).join("helm");
            get(own).map_or_else(of_xdg, PathBuf::from)
        };
        let config = folder("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", ".config");
        let cache = folder("HELM_CACHE_HOME", "XDG_CACHE_HOME", ".cache");
        let place = |name: &str, otherwise: PathBuf| get(name).map_or(otherwise, PathBuf::from);
        Self {
            repositories: place("HELM_REPOSITORY_CONFIG", config.join("repositories.yaml")),
            registries: place("HELM_REGISTRY_CONFIG", config.join("registry/config.json")),
            indices: place("HELM_REPOSITORY_CACHE", cache.join("repository")),
            content: place("HELM_CONTENT_CACHE", cache.join("content")),
        }
    }
}

impl Environment {
    /// Reads the process's environment.
    pub fn read() -> Self {
        Self::from(|name| std::env::var(name).ok().filter(|value| !value.is_empty()), Path::exists)
    }

    fn from(get: impl Fn(&str) -> Option<String>, exists: impl Fn(&Path) -> bool) -> Self {
        let home = PathBuf::from(get("HOME").unwrap_or_else(|| "/root".to_owned()));
        let cache = get("LANDFALL_CACHE").map_or_else(
            || get("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from).join("landfall"),
            PathBuf::from,
        );
        let kubeconfig = match get("KUBECONFIG") {
            // A path that is given but absent stays, so that the error can name it.
            Some(list) => {
                let paths: Vec<PathBuf> = std::env::split_paths(&list).collect();
                paths.iter().find(|path| exists(path)).or(paths.first()).cloned()
            }
            None => Some(home.join(".kube/config")).filter(|path| exists(path)),
        };
        let gnupg = get("GNUPGHOME").map_or_else(|| home.join(".gnupg"), PathBuf::from);
        let (packets, keybox) = (gnupg.join("pubring.gpg"), gnupg.join("pubring.kbx"));
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(&get).unwrap_or_default();
        Self {
            cache,
            state: get("LANDFALL_STATE").map_or_else(|| PathBuf::from("/var/lib/landfall"), PathBuf::from),
            kubeconfig,
            language: if locale.starts_with("ko") { Language::Ko } else { Language::En },
            no_color: get("NO_COLOR").is_some(),
            ci: get("CI").is_some(),
            helm: HelmPlaces::from(&get, &home),
            keyring: if !exists(&packets) && exists(&keybox) { keybox } else { packets },
            source_date_epoch: get("SOURCE_DATE_EPOCH").and_then(|text| text.parse().ok()),
            home,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)], files: &[&str]) -> Environment {
        Environment::from(
            |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
            |path| files.iter().any(|file| Path::new(file) == path),
        )
    }

    #[test]
    fn helms_files_are_where_helm_has_them() {
        let plain = read(&[("HOME", "/h")], &[]).helm;
        assert_eq!(plain.repositories, Path::new("/h/.config/helm/repositories.yaml"));
        assert_eq!(plain.content, Path::new("/h/.cache/helm/content"));
        let given = [("HELM_CACHE_HOME", "/c"), ("XDG_CONFIG_HOME", "/x"), ("HELM_REPOSITORY_CACHE", "/r")];
        let moved = read(&given, &[]).helm;
        assert_eq!(moved.registries, Path::new("/x/helm/registry/config.json"));
        assert_eq!(
            (moved.indices.as_path(), moved.content.as_path()),
            (Path::new("/r"), Path::new("/c/content"))
        );
    }

    #[test]
    fn the_keyring_is_gnupgs_older_one_before_its_keybox() {
        let given = [("HOME", "/h"), ("GNUPGHOME", "/g")];
        assert_eq!(read(&given, &["/g/pubring.kbx"]).keyring, Path::new("/g/pubring.kbx"));
        assert_eq!(read(&given, &["/g/pubring.kbx", "/g/pubring.gpg"]).keyring, Path::new("/g/pubring.gpg"));
        assert_eq!(read(&given[..1], &[]).keyring, Path::new("/h/.gnupg/pubring.gpg"));
    }

    #[test]
    fn the_kubeconfig_given_wins_over_the_one_at_home() {
        let both = ["/etc/admin.conf", "/home/u/.kube/config"];
        let given = read(&[("HOME", "/home/u"), ("KUBECONFIG", "/gone:/etc/admin.conf")], &both);
        assert_eq!(given.kubeconfig.as_deref(), Some(Path::new("/etc/admin.conf")));
        let home = read(&[("HOME", "/home/u")], &both);
        assert_eq!(home.kubeconfig.as_deref(), Some(Path::new("/home/u/.kube/config")));
        assert_eq!(read(&[("HOME", "/home/u")], &[]).kubeconfig, None);
    }

    #[test]
    fn a_korean_locale_speaks_korean() {
        assert_eq!(read(&[("LANG", "ko_KR.UTF-8")], &[]).language, Language::Ko);
        assert_eq!(read(&[("LC_ALL", "C"), ("LANG", "ko_KR.UTF-8")], &[]).language, Language::En);
    }

    #[test]
    fn the_cache_follows_the_variable_then_xdg_then_home() {
        assert_eq!(read(&[("HOME", "/h")], &[]).cache, Path::new("/h/.cache/landfall"));
        assert_eq!(read(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")], &[]).cache, Path::new("/c/landfall"));
        assert_eq!(read(&[("LANDFALL_CACHE", "/l")], &[]).cache, Path::new("/l"));
    }
}
