//! Carrying out single steps. Each looks at what is there before it acts, so that doing it twice, or
//! after a dead run did half of it, ends the same.

mod apply;
mod ceph;
mod ensure;
mod hook;
mod wait;

use std::sync::Arc;

use landfall_catalog::blueprint::Secrets;
use landfall_cluster::api::{Cluster, ClusterError};
use landfall_plan::model::{Action, Change, Object, RenderedRelease, Step};
use tokio_util::sync::CancellationToken;

use crate::emit::Emit;
use crate::error::EngineError;
use crate::event::Failure;
use crate::observe::Observer;
use crate::records::Records;
use crate::run::Limits;

pub(crate) use apply::is_kept;
pub(crate) use wait::Scope;

/// What all steps of a run share.
pub(crate) struct Shared {
    pub cluster: Arc<dyn Cluster>,
    pub releases: Vec<RenderedRelease>,
    pub secrets: Secrets,
    pub records: Arc<dyn Records>,
    pub observer: Observer,
    pub emit: Emit,
    pub cancel: CancellationToken,
    pub limits: Limits,
}

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Done {
        changed: bool,
    },
    Failed(Box<Failure>),
    /// What it waits for can not come; the step that brings it tells why.
    Skipped(String),
    /// The run was stopped while the step waited.
    Cancelled,
}

/// Early return from an action.
pub(crate) enum Stop {
    Failed(Box<Failure>),
    Skipped(String),
    Cancelled,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

pub(crate) type Acted<T = bool> = Result<T, Stop>;

impl Shared {
    pub fn release(&self, name: &str, namespace: &str) -> Option<&RenderedRelease> {
        self.releases.iter().find(|r| r.name == name && r.namespace == namespace)
    }

    /// Carries out a step of any kind but a check, whose outcome is more than an end.
    pub async fn carry_out(&self, step: &Step) -> Ended {
        let unknown = || Ended::Skipped("its release is not in this run".to_owned());
        let of = |release, namespace| self.release(release, namespace);
        match &step.action {
            Action::Ensure { .. } | Action::Apply { .. } | Action::Hook { .. }
                if step.change == Change::None =>
            {
                Ended::Done { changed: false }
            }
            Action::Ensure { prerequisite } => self.ensure(&step.id, prerequisite).await.into(),
            Action::Apply { release, namespace } => {
                let Some(release) = of(release, namespace) else { return unknown() };
                self.apply(release).await.into()
            }
            Action::Hook { release, namespace, kind, name } => {
                let Some(release) = of(release, namespace) else { return unknown() };
                let is_meant = |object: &Object| {
                    object["kind"] == kind.as_str() && object["metadata"]["name"] == name.as_str()
                };
                match release.hooks.iter().find(|hook| is_meant(&hook.object)) {
                    Some(hook) => self.hook(&step.id, release, hook).await.into(),
                    None => unknown(),
                }
            }
            Action::Ready { release, namespace } => {
                let Some(release) = of(release, namespace) else { return unknown() };
                let targets = Self::workloads(release);
                self.until_ready(&step.id, &targets, Scope::Own).await.map(|()| false).into()
            }
            Action::Check { .. } => Ended::Done { changed: false },
        }
    }
}

impl From<Acted> for Ended {
    fn from(acted: Acted) -> Self {
        match acted {
            Ok(changed) => Self::Done { changed },
            Err(Stop::Failed(failure)) => Self::Failed(failure),
            Err(Stop::Skipped(because)) => Self::Skipped(because),
            Err(Stop::Cancelled) => Self::Cancelled,
        }
    }
}

/// `object` is what was worked on.
pub(crate) fn refused(object: &str) -> impl Fn(ClusterError) -> Stop + '_ {
    move |error| crate::failure::of_cluster(&error, object).into()
}

pub(crate) fn unrecorded(release: &RenderedRelease) -> impl Fn(EngineError) -> Stop + '_ {
    move |error| match error {
        EngineError::Cluster(error) => {
            crate::failure::of_cluster(&error, &format!("release {}", release.name)).into()
        }
        other => crate::failure::plain(
            "record",
            &format!("release {}", release.name),
            other.to_string(),
            "run `landfall up` again; if it stays so, `landfall down` of this service removes the records",
            "`landfall up`을 다시 실행하세요. 계속되면 이 서비스를 `landfall down` 하면 기록이 제거됩니다",
        )
        .into(),
    }
}
