//! What every command needs of the pod it runs in: its environment, the API, a line to say, an error.

use std::io::Write;
use std::process::ExitCode;

use kube::Client;

/// Where the kubelet puts the pod's own namespace.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Why a command stopped, with what the user can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{variable} is not set: {hint}")]
    MissingVariable { variable: String, hint: &'static str },
    #[error("{variable}: `{value}` is not {wanted}")]
    BadVariable { variable: String, value: String, wanted: &'static str },
    #[error(
        "no Kubernetes API from here ({0}): the pod needs a service account token (automountServiceAccountToken)"
    )]
    NoApi(String),
    #[error("may not {verb} {what}: add that to the role of this pod's service account ({message})")]
    Forbidden { verb: &'static str, what: String, message: String },
    #[error("{what}: {source}")]
    Api { what: String, source: Box<kube::Error> },
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error("{0}")]
    Failed(String),
}

impl Error {
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::MissingVariable { .. } | Self::BadVariable { .. } => 2,
            _ => 1,
        }
    }

    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Names the verb and the object where permission is lacking.
    pub fn api(verb: &'static str, what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let what = what.into();
        move |source| match status_code(&source) {
            Some(403) => Self::Forbidden { verb, what, message: short(&source) },
            _ => Self::Api { what: format!("cannot {verb} {what}"), source: Box::new(source) },
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// The HTTP status of an API error.
pub fn status_code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// The API's own sentence.
pub fn short(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// A variable that is set and not empty.
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

/// The first of these that is set.
pub fn var_of(names: &[&str]) -> Option<String> {
    names.iter().find_map(|n| var(n))
}

pub fn parsed<T: std::str::FromStr>(name: &str, default: T, wanted: &'static str) -> Result<T> {
    match var(name) {
        None => Ok(default),
        Some(value) => {
            value.parse().map_err(|_| Error::BadVariable { variable: name.to_owned(), value, wanted })
        }
    }
}

/// A password from the file that `<name>_FILE` names, else from `<name>` itself.
pub fn secret(name: &str) -> Result<Option<String>> {
    match var(&format!("{name}_FILE")) {
        Some(path) => {
            let text = std::fs::read_to_string(&path).map_err(Error::io(format!("cannot read {path}")))?;
            Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()).filter(|t| !t.is_empty()))
        }
        None => Ok(var(name)),
    }
}

/// The namespace of this pod.
pub fn namespace() -> String {
    var_of(&["NAMESPACE", "POD_NAMESPACE", "KUBERNETES_NAMESPACE"])
        .or_else(|| std::fs::read_to_string(OWN_NAMESPACE).ok().map(|n| n.trim().to_owned()))
        .unwrap_or_else(|| "default".to_owned())
}

/// The name of this pod; the host name is the same unless the pod is on the host's network.
pub fn name() -> String {
    var("POD_NAME").unwrap_or_else(|| {
        nix::unistd::gethostname().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
    })
}

/// A client by the pod's service account; KUBECONFIG, where it is set, is for trying things out.
pub async fn client() -> Result<Client> {
    let config = if var("KUBECONFIG").is_some() {
        kube::Config::infer().await.map_err(|e| Error::NoApi(e.to_string()))?
    } else {
        kube::Config::incluster().map_err(|e| Error::NoApi(e.to_string()))?
    };
    Client::try_from(config).map_err(|e| Error::NoApi(e.to_string()))
}

/// One line to the log of the container.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

pub fn fail(line: &str, code: u8) -> ExitCode {
    say(&format!("error: {line}"));
    ExitCode::from(code)
}
