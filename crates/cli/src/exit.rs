//! Exit codes, documented in `docs/exit-codes.md`, and the failures that carry them.

use std::process::ExitCode;

use landfall_catalog::UnknownService;
use landfall_catalog::blueprint::Text;
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
    DoctorProblem = 12,
    UnknownService = 20,
    BrokenYaml = 21,
    UnknownField = 22,
    WrongType = 23,
    BadValue = 24,
    Unreadable = 25,
    Chart = 26,
    Unverified = 27,
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
    pub(crate) message: Text,
    pub(crate) hint: Option<Text>,
    /// Shown already (by the view of a run): only the code is left to give.
    pub(crate) silent: bool,
}

impl Failure {
    /// In the words of the library that failed, which has them in English.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::told(exit, message.clone(), message)
    }

    pub(crate) fn told(exit: Exit, en: impl Into<String>, ko: impl Into<String>) -> Self {
        Self { exit, message: Text::new(en, ko), hint: None, silent: false }
    }

    pub(crate) fn hint(mut self, en: impl Into<String>, ko: impl Into<String>) -> Self {
        self.hint = Some(Text::new(en, ko));
        self
    }

    /// A hint that is a command: the same in every language.
    pub(crate) fn hint_command(self, command: &str) -> Self {
        self.hint(command, command)
    }

    pub(crate) fn silent(exit: Exit) -> Self {
        Self { silent: true, ..Self::new(exit, "") }
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
        let en = error.to_string();
        match &error {
            ClusterError::Unreachable { cluster, source_text } => Self::told(
                Exit::Unreachable,
                en,
                format!("클러스터 {cluster}: 응답이 없습니다: {source_text}"),
            )
            .hint(
                "check that the cluster runs and that this kubeconfig is its own; `landfall local status` \
                 shows the embedded one",
                "클러스터가 동작 중인지, kubeconfig가 그 클러스터의 것인지 확인하세요. 내장 클러스터는 \
                 `landfall local status`로 확인합니다",
            ),
            ClusterError::Forbidden { verb, resource, namespace, .. } => {
                let place =
                    namespace.as_ref().map(|name| format!(" (네임스페이스 {name})")).unwrap_or_default();
                Self::told(Exit::Forbidden, en, format!("권한이 없습니다: {verb} {resource}{place}")).hint(
                    "ask the cluster's administrator for this right, or use another context",
                    "클러스터 관리자에게 이 권한을 요청하거나 다른 컨텍스트를 사용하세요",
                )
            }
            ClusterError::Unauthorized { cluster, message } => Self::told(
                Exit::Forbidden,
                en,
                format!("클러스터 {cluster}: 인증 정보를 받아들이지 않습니다: {message}"),
            )
            .hint(
                "the cluster does not know these credentials: renew the kubeconfig, or use another context",
                "kubeconfig를 새로 받거나 다른 컨텍스트를 사용하세요",
            ),
            ClusterError::NotFound { .. } | ClusterError::UnknownKind(_) => Self::new(Exit::NotThere, en),
            ClusterError::Conflict { .. }
            | ClusterError::Invalid { .. }
            | ClusterError::Exists { .. }
            | ClusterError::Stale { .. }
            | ClusterError::Other(_) => Self::new(Exit::Unexpected, en),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let en = error.to_string();
        match error {
            EngineError::Cluster(error) | EngineError::Lock(LockError::Cluster(error)) => error.into(),
            EngineError::Lock(LockError::Held { holder, since, ttl }) => Self::told(
                Exit::AnotherRun,
                en,
                format!(
                    "이 클라우드에서 다른 실행이 진행 중입니다: {holder} ({since}부터). 끝나기를 기다리거나 그 실행을 \
                     멈추세요 (죽은 실행은 마지막 신호로부터 {ttl}초 뒤에 넘겨받습니다)"
                ),
            ),
            EngineError::Permissions { missing } => Self::told(
                Exit::Forbidden,
                en,
                format!("클라우드에 필요한 권한이 이 사용자에게 없습니다: {}", missing.join("; ")),
            )
            .hint(
                "ask the cluster's administrator for these rights, or use another context",
                "클러스터 관리자에게 이 권한들을 요청하거나 다른 컨텍스트를 사용하세요",
            ),
            EngineError::Render { .. } | EngineError::Plan(_) => Self::new(Exit::Chart, en),
            EngineError::Cancelled => Self::told(Exit::Stopped, en, "아무것도 바꾸기 전에 멈췄습니다"),
            EngineError::Record { .. } | EngineError::Random(_) => Self::new(Exit::Unexpected, en),
        }
    }
}

impl From<UnknownService> for Failure {
    fn from(error: UnknownService) -> Self {
        let known: Vec<&str> = landfall_catalog::services().iter().map(|service| service.name).collect();
        let nearest = error.nearest.map(|name| format!(". {name}이(가) 맞나요?")).unwrap_or_default();
        let ko = format!("{}: 그런 서비스가 없습니다{nearest} (있는 것: {})", error.name, known.join(", "));
        Self::told(Exit::UnknownService, error.to_string(), ko)
    }
}
