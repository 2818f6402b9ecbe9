//! Jobs: what became of their pods.

use serde_json::Value;

use super::{Code, Diagnosis, Walk, remedy};
use crate::object::{ObjectRef, condition_is, condition_says, is_owned_by, is_terminating, number};
use crate::readiness::readiness;

impl Walk<'_> {
    pub(super) fn job(&mut self, at: &ObjectRef, job: &Value) -> Diagnosis {
        let own = readiness(job);
        if own.is_ready() {
            return Diagnosis::healthy();
        }
        let pods: Vec<ObjectRef> = self
            .all("Pod", &at.namespace)
            .into_iter()
            .filter(|p| is_owned_by(p, job) && !is_terminating(p))
            .filter_map(ObjectRef::of)
            .collect();
        let none = pods.is_empty();
        let found = self.worst(pods);
        let failures = number(job, "/status/failed").unwrap_or(0);
        let says = own.reason().unwrap_or("is not completed").to_owned();
        if condition_is(job, "Failed", "True") {
            let evidence = condition_says(job, "Failed");
            let chain = if found.is_healthy() || found.code == Code::Starting {
                Diagnosis::root(at, Code::JobFailed, says, evidence).with(remedy::job_failed(at))
            } else {
                let generic = matches!(found.code, Code::Failed | Code::CrashLoop);
                let mut chain = found.behind(at, "has failed", evidence);
                if generic {
                    chain.code = Code::JobFailed;
                    chain.remedy = remedy::job_failed(at);
                }
                chain
            };
            return chain.terminal_if(true);
        }
        if found.is_healthy() {
            if none && let Some(refused) = self.refused(at) {
                return refused;
            }
            return Diagnosis::root(at, Code::Starting, says, "");
        }
        // Pods that are not restarted in place fail one after another: three are a loop.
        let loops = failures >= 3 && found.code == Code::Failed;
        let mut chain = found.behind(at, says, "");
        if loops {
            chain.code = Code::CrashLoop;
            chain.terminal = true;
        }
        chain
    }
}
