//! What can go wrong, in words that say what was asked.

use landfall_cluster::api::ClusterError;

/// Longest piece of a command's output that an error shows.
const SHOWN: usize = 400;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Neither an operator nor a toolbox.
    #[error(
        "no Ceph is to be found in namespace {namespace}: neither Rook's operator nor a ready pod of rook-ceph-tools"
    )]
    Absent { namespace: String },
    /// An operator, but what is asked can only be seen by the command line.
    #[error("no ready pod of rook-ceph-tools in namespace {namespace}")]
    NoToolbox { namespace: String },
    #[error("`{command}` ended with {code}: {said}")]
    Command { command: String, code: i32, said: String },
    #[error("{what} is not what Ceph gives: {message}")]
    Answer { what: String, message: String },
    /// The operator says that it can not do it, or does not do it in time.
    #[error("{object}: {message}")]
    Resource { object: String, message: String },
    /// Too few of them run to answer, so that none was asked.
    #[error("Ceph answers nobody: of {total} monitors these do not run: {away}")]
    NoQuorum { total: usize, away: String },
    #[error("{object} names no monitor")]
    NoMonitors { object: String },
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn command(command: &str, code: i32, stdout: &str, stderr: &str) -> Self {
        let said = if stderr.trim().is_empty() { stdout } else { stderr };
        // The end of it tells why; what comes before are the steps up to there.
        let said = said.trim();
        let skip = said.chars().count().saturating_sub(SHOWN);
        Self::Command { command: command.to_owned(), code, said: said.chars().skip(skip).collect() }
    }

    /// Worth another try: daemons that start, elect or restart answer a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Cluster(error) => error.is_transient(),
            Self::NoToolbox { .. }
            | Self::Absent { .. }
            | Self::NoQuorum { .. }
            | Self::NoMonitors { .. } => true,
            // EAGAIN, ETIMEDOUT, and the client's own word for monitors that do not answer.
            Self::Command { code, said, .. } => {
                matches!(code, 11 | 110 | 124)
                    || said.contains("timed out")
                    || said.contains("error connecting")
            }
            Self::Answer { .. } | Self::Resource { .. } => false,
        }
    }
}
