//! Waiting by watches: says what it waits for whenever that changes, and ends at once where waiting
//! is in vain.

use std::collections::BTreeSet;
use std::time::Duration;

use landfall_cluster::api::Gvk;
use landfall_health::object::is_owned_by;
use landfall_health::{Code, Diagnosis, ObjectRef, Want, World, diagnose, readiness, wanted};
use landfall_plan::model::RenderedRelease;
use landfall_plan::object::{is_workload, kind, name, namespace};
use tokio::time::Instant;

use super::{Acted, Shared, Stop};
use crate::failure;

/// Rounds of fetching what a diagnosis wants; each answer may lead further.
const ROUNDS: usize = 3;
/// A change wakes every step that waits, and while a cloud starts they come in bursts: whether a wait is over is seen at
/// each, why it is not at most this often.
const PAUSE: Duration = Duration::from_millis(250);

/// Whose failures end the wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything on the way to the root.
    All,
    /// Only what belongs to the targets themselves: what they wait for has a step of its own.
    Own,
}

impl Shared {
    /// Workloads of a release, as targets.
    pub fn workloads(release: &RenderedRelease) -> Vec<ObjectRef> {
        let all = release.objects.iter().filter(|o| is_workload(kind(o)));
        all.map(|o| ObjectRef::new(kind(o), namespace(o, &release.namespace), name(o))).collect()
    }

    pub async fn until_ready(&self, step: &str, targets: &[ObjectRef], scope: Scope) -> Acted<()> {
        self.until(step, targets, scope, |world| {
            targets.iter().all(|at| world.get(at).is_some_and(|object| readiness(object).is_ready()))
        })
        .await
    }

    /// Returns when `met`; fails when a target's diagnosis is terminal, or when nothing moves for too long.
    pub async fn until(
        &self,
        step: &str,
        targets: &[ObjectRef],
        scope: Scope,
        met: impl Fn(&World) -> bool,
    ) -> Acted<()> {
        let mut changes = self.observer.changes();
        let mut asked: BTreeSet<Want> = BTreeSet::new();
        let mut hopeless: Option<(Code, Instant)> = None;
        let mut moved = (Vec::new(), Instant::now());
        let mut due = Instant::now();
        self.observer.settled().await;
        loop {
            if self.observer.read(&met) {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Stop::Cancelled),
                () = tokio::time::sleep_until(due) => due = Instant::now() + PAUSE,
                changed = changes.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Err(Stop::Cancelled),
                },
            }
            let found = self.diagnosed(targets, &mut asked).await;
            let fatal = found.iter().filter(|d| d.terminal && concerns(scope, d)).max_by_key(|d| rank(d));
            let causes =
                match (self.observer.trouble(), fatal.or_else(|| found.iter().max_by_key(|d| rank(d)))) {
                    (Some(trouble), _) => vec![trouble],
                    (None, Some(diagnosis)) => diagnosis.causes(),
                    (None, None) => Vec::new(),
                };
            if !causes.is_empty() {
                self.emit.waiting(step, causes.clone());
            }
            if moved.0 != causes {
                moved = (causes, Instant::now());
            }
            let mut wake = moved.1 + self.limits.patience;
            match fatal {
                None => hopeless = None,
                Some(found) => {
                    let since = match hopeless {
                        Some((code, since)) if code == found.code => since,
                        _ => Instant::now(),
                    };
                    if since.elapsed() >= self.limits.certainty {
                        if self.unstick(targets).await {
                            hopeless = None;
                            continue;
                        }
                        return Err(failure::of_diagnosis(found).into());
                    }
                    hopeless = Some((found.code, since));
                    wake = wake.min(since + self.limits.certainty);
                    // What was seen of it may have grown meanwhile (logs of the next crash).
                    asked.clear();
                    self.observer.forget_logs(found);
                }
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return Err(Stop::Cancelled) },
                () = tokio::time::sleep_until(wake) => {
                    if fatal.is_none() && moved.1.elapsed() >= self.limits.patience {
                        return Err(self.no_progress(targets).into());
                    }
                }
                () = self.cancel.cancelled() => return Err(Stop::Cancelled),
            }
        }
    }

    /// Diagnoses of the targets that are not well, with what they want fetched; each object is asked for once,
    /// a log whenever it was forgotten.
    async fn diagnosed(&self, targets: &[ObjectRef], asked: &mut BTreeSet<Want>) -> Vec<Diagnosis> {
        for _ in 0..ROUNDS {
            let wants: Vec<Want> = self.observer.read(|world| {
                let all = targets.iter().flat_map(|at| wanted(world, at));
                all.filter(|want| matches!(want, Want::Logs { .. }) || !asked.contains(want)).collect()
            });
            if wants.is_empty() {
                break;
            }
            self.observer.fetch(&wants).await;
            asked.extend(wants);
        }
        self.observer.read(|world| {
            targets.iter().map(|at| diagnose(world, at)).filter(|d| d.code != Code::Healthy).collect()
        })
    }

    /// A StatefulSet waits for its pods one after another, so that one which can not start under the
    /// former template holds back the corrected one for ever (Kubernetes leaves it to a person to delete
    /// it). True where such pods were deleted.
    async fn unstick(&self, targets: &[ObjectRef]) -> bool {
        let stuck: Vec<ObjectRef> = self.observer.read(|world| {
            let sets = targets.iter().filter(|at| at.kind == "StatefulSet").filter_map(|at| world.get(at));
            sets.flat_map(|set| held_back(world, set)).collect()
        });
        let gvk = Gvk::new("v1", "Pod");
        let mut any = false;
        for pod in stuck {
            let deleted = self.cluster.delete(&gvk, Some(&pod.namespace), &pod.name, true).await;
            any |= deleted.unwrap_or(false);
        }
        any
    }

    fn no_progress(&self, targets: &[ObjectRef]) -> crate::event::Failure {
        let found = self.observer.read(|world| targets.iter().map(|at| diagnose(world, at)).max_by_key(rank));
        let mut failure = found.map_or_else(
            || failure::plain("no-progress", "", "nothing moved", "", ""),
            |diagnosis| failure::of_diagnosis(&diagnosis),
        );
        "no-progress".clone_into(&mut failure.code);
        failure
    }
}

/// Pods of a former template that can not start.
fn held_back(world: &World, set: &serde_json::Value) -> Vec<ObjectRef> {
    let (Some(generation), Some(update)) =
        (set["metadata"]["generation"].as_i64(), set["status"]["updateRevision"].as_str())
    else {
        return Vec::new();
    };
    if set["status"]["observedGeneration"].as_i64().is_none_or(|seen| seen < generation) {
        return Vec::new();
    }
    let home = set["metadata"]["namespace"].as_str().unwrap_or_default();
    let pods = world.of_kind("Pod", home).filter(|pod| is_owned_by(pod, set));
    pods.filter(|pod| {
        pod["metadata"]["labels"]["controller-revision-hash"].as_str().is_some_and(|own| own != update)
    })
    .filter_map(ObjectRef::of)
    .filter(|pod| diagnose(world, pod).terminal)
    .collect()
}

/// A terminal one tells most, then a longer chain.
fn rank(diagnosis: &Diagnosis) -> (bool, bool, usize) {
    (diagnosis.terminal, diagnosis.code != Code::Starting, diagnosis.links.len())
}

fn concerns(scope: Scope, diagnosis: &Diagnosis) -> bool {
    match scope {
        Scope::All => true,
        // Beyond a Service, Job or DaemonSet that is not the beginning it is another's.
        Scope::Own => {
            !diagnosis.links.iter().skip(1).any(|link| {
                ["Service/", "Job/", "DaemonSet/"].iter().any(|kind| link.object.starts_with(kind))
            })
        }
    }
}
