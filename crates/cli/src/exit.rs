//! Exit codes, documented in `docs/exit-codes.md`, and the failures that carry them.

use std::process::ExitCode;

use landfall_cluster::api::ClusterError;
use landfall_cluster::lease::LockError;
use landfall_config::{ConfigError, ErrorKind};
use landfall_engine::{EngineError, ExitKind};

/// Why the program ends. The number is the exit code and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Unexpected = 1,
    StepFailed = 10,
    CheckFailed = 11,
    UnknownService = 20,
    BrokenYaml = 21,
    UnknownField = 22,
    WrongType = 23,
    BadValue = 24,
    Unreadable = 25,
    Chart = 26,
    Unreachable = 30,
    Forbidden = 31,
    AnotherRun = 32,
    NotThere = 33,
    HostUnfit = 40,
    TooLittleMemory = 41,
    TooLittleDisk = 42,
    Bundle = 43,
    NotConfirmed = 50,
    Stopped = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A message for people, with what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// Shown already (by the view of a run): only the code is left to give.
    pub(crate) silent: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, silent: false }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn silent(exit: Exit) -> Self {
        Self { exit, message: String::new(), hint: None, silent: true }
    }
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// The code of a run that has ended; `None` when all went well.
pub(crate) fn of_run(kind: ExitKind) -> Option<Exit> {
    match kind {
        ExitKind::Ok => None,
        ExitKind::StepFailed => Some(Exit::StepFailed),
        ExitKind::CheckFailed => Some(Exit::CheckFailed),
        ExitKind::Cancelled => Some(Exit::Stopped),
        ExitKind::Cluster => Some(Exit::Unreachable),
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let exit = match error.kind {
            ErrorKind::Unreadable => Exit::Unreadable,
            ErrorKind::Syntax => Exit::BrokenYaml,
            ErrorKind::UnknownField => Exit::UnknownField,
            ErrorKind::WrongType => Exit::WrongType,
            ErrorKind::Value => Exit::BadValue,
        };
        // The error shows its hint itself, under the source line.
        Self::new(exit, error.to_string())
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        let (exit, hint) = match &error {
            ClusterError::Unreachable { .. } => (
                Exit::Unreachable,
                "check that the cluster runs and that this kubeconfig is its own; `landfall local status` \
                 shows the embedded one",
            ),
            ClusterError::Forbidden { .. } => {
                (Exit::Forbidden, "ask the cluster's administrator for this right, or use another context")
            }
            ClusterError::Unauthorized { .. } => (
                Exit::Forbidden,
                "the cluster does not know these credentials: renew the kubeconfig, or use another context",
            ),
            ClusterError::NotFound { .. } | ClusterError::UnknownKind(_) => (Exit::NotThere, ""),
            ClusterError::Conflict { .. }
            | ClusterError::Invalid { .. }
            | ClusterError::Exists { .. }
            | ClusterError::Stale { .. }
            | ClusterError::Other(_) => (Exit::Unexpected, ""),
        };
        let failure = Self::new(exit, error.to_string());
        if hint.is_empty() { failure } else { failure.hint(hint) }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Cluster(error) | EngineError::Lock(LockError::Cluster(error)) => error.into(),
            EngineError::Lock(LockError::Held { .. }) => Self::new(Exit::AnotherRun, error.to_string()),
            EngineError::Permissions { .. } => Self::new(Exit::Forbidden, error.to_string())
                .hint("ask the cluster's administrator for these rights, or use another context"),
            EngineError::Render { .. } | EngineError::Plan(_) => Self::new(Exit::Chart, error.to_string()),
            EngineError::Cancelled => Self::new(Exit::Stopped, error.to_string()),
            EngineError::Record { .. } | EngineError::Random(_) => {
                Self::new(Exit::Unexpected, error.to_string())
            }
        }
    }
}
