//! One container of a pod: its image, its start, its crashes, its probes.

use serde_json::Value;

use super::logs::{self, Trouble};
use super::{Code, Diagnosis, Walk, event_message, remedy};
use crate::object::{ObjectRef, field, list, number, says, text};

impl Walk<'_> {
    /// What holds a container up, or none where it merely takes its turn.
    pub(super) fn container(
        &mut self,
        at: &ObjectRef,
        pod: &Value,
        status: &Value,
        init: bool,
    ) -> Option<Diagnosis> {
        let name = text(status, "/name");
        let who = if init { format!("init container {name}") } else { format!("container {name}") };
        let restarts = number(status, "/restartCount").unwrap_or(0);
        if let Some(waiting) = field(status, "/state/waiting") {
            let (reason, message) = (text(waiting, "/reason"), text(waiting, "/message"));
            return match reason {
                "ErrImagePull"
                | "ImagePullBackOff"
                | "ErrImageNeverPull"
                | "InvalidImageName"
                | "RegistryUnavailable"
                | "ImageInspectError"
                | "SignatureValidationFailed" => Some(self.image(at, status, &who, reason, message)),
                "CrashLoopBackOff" => Some(self.crash(at, pod, status, &who, restarts, restarts >= 2)),
                "CreateContainerConfigError" => Some(self.config_error(at, &who, message)),
                "CreateContainerError" | "RunContainerError" | "PostStartHookError" => {
                    Some(cannot_start(at, &who, &says(reason, message), restarts))
                }
                _ => None,
            };
        }
        if let Some(ended) = field(status, "/state/terminated") {
            if ended.get("exitCode").and_then(Value::as_i64) == Some(0) {
                return None;
            }
            if matches!(text(ended, "/reason"), "StartError" | "ContainerCannotRun") {
                return Some(cannot_start(at, &who, text(ended, "/message"), restarts));
            }
            let gone = text(pod, "/spec/restartPolicy") == "Never"
                && text(pod, "/status/phase") == "Failed"
                && !owned_by_job(pod);
            return Some(self.crash(at, pod, status, &who, restarts, restarts >= 2 || gone));
        }
        field(status, "/state/running")?;
        Some(self.running(at, pod, status, &who, restarts))
    }

    fn image(&mut self, at: &ObjectRef, status: &Value, who: &str, reason: &str, message: &str) -> Diagnosis {
        let image = text(status, "/image");
        let told = if message.contains("rpc error") || message.contains(':') && reason != "ImagePullBackOff" {
            message.to_owned()
        } else {
            // The back-off alone does not say why; the event of the pull does.
            let event = self
                .events(at)
                .into_iter()
                .map(event_message)
                .find(|m| m.starts_with("Failed to pull image"));
            event.unwrap_or(message).to_owned()
        };
        let never =
            matches!(reason, "ErrImageNeverPull" | "InvalidImageName") || no_registry_has(image, &told);
        let code = if never { Code::ImageMissing } else { Code::ImageUnreachable };
        let verb = match reason {
            "ErrImageNeverPull" => "is not on the node, and may not be pulled",
            "InvalidImageName" => "has a name that is none",
            _ if never => "is not there",
            _ => "could not be pulled",
        };
        Diagnosis::root(at, code, format!("image {image} of {who} {verb}"), told)
            .terminal_if(never)
            .with(remedy::image(image, never))
    }

    fn config_error(&mut self, at: &ObjectRef, who: &str, message: &str) -> Diagnosis {
        let tries = self
            .events(at)
            .into_iter()
            .filter(|e| event_message(e).contains(message))
            .map(super::event_count)
            .max()
            .unwrap_or(1);
        self.missing_config(at, message, tries).unwrap_or_else(|| {
            // E.g. runAsNonRoot with an image of root: no later try changes it.
            Diagnosis::root(at, Code::ContainerCannotStart, format!("{who} cannot be made"), message)
                .terminal_if(message.contains("runAsNonRoot") || message.contains("non-numeric user"))
        })
    }

    fn crash(
        &mut self,
        at: &ObjectRef,
        pod: &Value,
        status: &Value,
        who: &str,
        restarts: i64,
        again: bool,
    ) -> Diagnosis {
        let ended = ["/state/terminated", "/lastState/terminated"].iter().find_map(|p| field(status, p));
        let code = ended.and_then(|e| e.get("exitCode")).and_then(Value::as_i64).unwrap_or(0);
        let reason = ended.map(|e| text(e, "/reason")).unwrap_or_default();
        let name = text(status, "/name");
        if reason == "OOMKilled" {
            let limit = memory_limit(pod, name);
            return Diagnosis::root(
                at,
                Code::OutOfMemory,
                format!("{who} was killed: out of memory{}", limit_in_words(limit)),
                times(restarts),
            )
            .terminal_if(restarts >= 2)
            .with(remedy::out_of_memory(name, limit));
        }
        let log = self.log(at, name, field(status, "/state/running").is_some()).unwrap_or_default();
        let message = ended.map(|e| text(e, "/message")).unwrap_or_default();
        let spoken = if log.trim().is_empty() { message } else { log };
        if let Some(found) = self.trouble(at, pod, name, who, spoken, true) {
            return found;
        }
        let evidence = match (logs::tail(spoken, 4), times(restarts)) {
            (tail, _) if !tail.is_empty() => tail,
            (_, times) => times,
        };
        let why = if reason.is_empty() || reason == "Error" {
            format!("code {code}")
        } else {
            format!("code {code}, {reason}")
        };
        let code = if again { Code::CrashLoop } else { Code::Failed };
        let says = match restarts {
            0 => format!("{who} ended ({why})"),
            1 => format!("{who} ended twice ({why})"),
            n => format!("{who} ends again and again ({why}, {n} restarts)"),
        };
        Diagnosis::root(at, code, says, evidence).terminal_if(again).with(remedy::crash(at, name))
    }

    /// Running, but not ready.
    fn running(
        &mut self,
        at: &ObjectRef,
        pod: &Value,
        status: &Value,
        who: &str,
        restarts: i64,
    ) -> Diagnosis {
        let name = text(status, "/name");
        if field(status, "/lastState/terminated/reason").and_then(Value::as_str) == Some("OOMKilled")
            && restarts >= 1
        {
            return self.crash(at, pod, status, who, restarts, false);
        }
        let failing = self
            .events(at)
            .into_iter()
            .find(|e| text(e, "/reason") == "Unhealthy" && event_message(e).contains(" probe "));
        let log = self.log(at, name, false).unwrap_or_default();
        if let Some(found) = self.trouble(at, pod, name, who, log, false) {
            return found;
        }
        if let Some(event) = failing {
            let message = event_message(event);
            let probe = message.split_whitespace().next().unwrap_or("Readiness").to_lowercase();
            return Diagnosis::root(
                at,
                Code::ProbeFailing,
                format!("{who}: its {probe} probe fails"),
                join(message, &logs::tail(log, 2)),
            )
            .with(remedy::probe(at, name));
        }
        if restarts > 0 {
            return self.crash(at, pod, status, who, restarts, false);
        }
        Diagnosis::root(at, Code::Starting, format!("{who} is running but not ready"), logs::tail(log, 1))
    }

    /// What the log gives away. A service that does not answer leads on to that service.
    fn trouble(
        &mut self,
        at: &ObjectRef,
        pod: &Value,
        name: &str,
        who: &str,
        log: &str,
        ended: bool,
    ) -> Option<Diagnosis> {
        let (trouble, line) = logs::recognise(log)?;
        match trouble {
            Trouble::DatabaseDenied { user } => Some(
                Diagnosis::root(
                    at,
                    Code::DatabaseAccessDenied,
                    format!("{who}: the database refuses user {user}"),
                    line,
                )
                .terminal_if(ended)
                .with(remedy::database_denied(&user)),
            ),
            Trouble::QueueRefused => Some(
                Diagnosis::root(
                    at,
                    Code::QueueAccessRefused,
                    format!("{who}: RabbitMQ refuses its user"),
                    line,
                )
                .terminal_if(ended)
                .with(remedy::queue_refused()),
            ),
            Trouble::DiskFull => Some(
                Diagnosis::root(at, Code::DiskFull, format!("{who}: no space is left on its disk"), line)
                    .terminal_if(ended),
            ),
            // The kernel takes the largest process of a container at its limit, not the container.
            Trouble::WorkersKilled { times } => {
                let limit = memory_limit(pod, name);
                Some(
                    Diagnosis::root(
                        at,
                        Code::OutOfMemory,
                        format!(
                            "{who}: its workers are killed, as they are when memory runs out{}",
                            limit_in_words(limit)
                        ),
                        line,
                    )
                    .terminal_if(limit.is_some() && times >= 2)
                    .with(remedy::out_of_memory(name, limit)),
                )
            }
            Trouble::Unreachable { host } => {
                let mut labels = host.split('.');
                let (name, namespace) = (labels.next()?, labels.next().unwrap_or(&at.namespace));
                let service = ObjectRef::new("Service", namespace, name);
                self.world.get(&service)?;
                let found = self.visit(&service);
                (!found.is_healthy())
                    .then(|| found.behind(at, format!("{who}: {host} does not answer"), line))
            }
        }
    }
}

fn owned_by_job(pod: &Value) -> bool {
    list(pod, "/metadata/ownerReferences").iter().any(|o| text(o, "/kind") == "Job")
}

fn cannot_start(at: &ObjectRef, who: &str, message: &str, restarts: i64) -> Diagnosis {
    let hopeless =
        ["no such file or directory", "executable file not found", "permission denied", "exec format error"];
    Diagnosis::root(at, Code::ContainerCannotStart, format!("{who} cannot be started"), message)
        .terminal_if(restarts >= 2 || hopeless.iter().any(|h| message.contains(h)))
}

/// Registries say in many ways that they have no such image; some troubles pass.
fn no_registry_has(image: &str, message: &str) -> bool {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| message.contains(w));
    if says(&[
        "not found",
        "notfound",
        "manifest unknown",
        "name unknown",
        "does not exist",
        "no match for platform",
    ]) && !says(&["no such host"])
    {
        return true;
    }
    if says(&[
        "pull access denied",
        "insufficient_scope",
        "unauthorized",
        "401",
        "403 forbidden",
        "authorization failed",
    ]) {
        return true;
    }
    // Our own images live on the nodes: nothing ever serves them.
    image.starts_with("localhost/")
        && says(&[
            "connection refused",
            "failed to resolve",
            "failed to do request",
            "http response to https",
        ])
}

fn memory_limit<'a>(pod: &'a Value, container: &str) -> Option<&'a str> {
    ["/spec/containers", "/spec/initContainers"]
        .iter()
        .find_map(|p| super::pod::container_spec(pod, p, container))
        .and_then(|c| field(c, "/resources/limits/memory"))
        .and_then(Value::as_str)
}

fn limit_in_words(limit: Option<&str>) -> String {
    limit.map(|l| format!(" (limit {l})")).unwrap_or_default()
}

fn times(restarts: i64) -> String {
    format!("{restarts} restarts")
}

fn join(a: &str, b: &str) -> String {
    if b.is_empty() { a.to_owned() } else { format!("{a}\n{b}") }
}

#[cfg(test)]
mod tests {
    use super::no_registry_has;

    #[test]
    fn what_a_registry_never_has_is_told_from_what_may_pass() {
        for (image, message, never) in [
            (
                "docker.io/x:1",
                "rpc error: code = NotFound desc = failed to pull and unpack image \"docker.io/x:1\": not found",
                true,
            ),
            (
                "quay.io/x:1",
                "pull access denied, repository does not exist or may require authorization",
                true,
            ),
            (
                "localhost/landfall/keystone:x",
                "failed to resolve reference: dial tcp 127.0.0.1:443: connect: connection refused",
                true,
            ),
            ("quay.io/x:1", "dial tcp 1.2.3.4:443: i/o timeout", false),
            ("quay.io/x:1", "dial tcp: lookup quay.io: no such host", false),
            ("quay.io/x:1", "toomanyrequests: rate limit", false),
            ("registry.lan/x:1", "dial tcp 10.0.0.1:443: connect: connection refused", false),
        ] {
            assert_eq!(no_registry_has(image, message), never, "{message}");
        }
    }
}
