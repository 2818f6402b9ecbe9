//! A failure that is undone: its causes are told before, while the objects are there that show them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use landfall_cluster::api::Cluster;
use landfall_config::Language;
use landfall_display::chain;
use landfall_engine::why::{Subject, explain};
use landfall_health::ObjectRef;
use landfall_release::{Error, Listener, Undoing};

use crate::Session;
use crate::exit::Failure;
use crate::terminal::tell;

/// Longest look for causes: undoing must not wait for it for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells people.
#[derive(Debug)]
pub(super) struct Told {
    cluster: Arc<dyn Cluster>,
    namespace: String,
    language: Language,
}

impl Told {
    pub(super) fn new(session: &Session, cluster: Arc<dyn Cluster>, namespace: &str) -> Self {
        Self { cluster, namespace: namespace.to_owned(), language: session.language() }
    }

    /// The chain of causes of what kept the release from being ready.
    async fn causes(&self, why: &Error) -> Vec<String> {
        let Some(at) = why.object().and_then(|object| object_of(object, &self.namespace)) else {
            return Vec::new();
        };
        let namespaces = BTreeSet::from([at.namespace.clone()]);
        let subject = Subject::Object(at);
        let looking = explain(&self.cluster, &namespaces, &subject);
        let found = tokio::time::timeout(PATIENCE, looking).await.unwrap_or_default();
        let ill = found.iter().filter(|one| !one.well);
        ill.flat_map(|one| {
            let head = format!("{} ({})", one.object, one.failure.code);
            chain(&head, &one.failure, self.language)
        })
        .collect()
    }
}

#[async_trait]
impl Listener for Told {
    async fn undoing(&self, what: Undoing<'_>) {
        let (why, en, ko) = match what {
            Undoing::Upgrade { name, revision, why } => (
                why,
                format!("going back to revision {revision} of release {name}"),
                format!("릴리스 {name}: 리비전 {revision}(으)로 되돌립니다"),
            ),
            Undoing::Installation { name, why } => (
                why,
                format!("removing what was made of release {name}"),
                format!("릴리스 {name}: 만든 것을 지웁니다"),
            ),
        };
        tell(&why.to_string());
        for line in self.causes(why).await {
            tell(&line);
        }
        tell(match self.language {
            Language::En => &en,
            Language::Ko => &ko,
        });
    }
}

/// `Kind name` or `Kind namespace/name`, as the errors of releases name it.
fn object_of(text: &str, namespace: &str) -> Option<ObjectRef> {
    let (kind, place) = text.split_once(' ')?;
    let (namespace, name) = place.split_once('/').unwrap_or((namespace, place));
    Some(ObjectRef::new(kind, namespace, name))
}

/// What failed first gives the code; what came of it is told with it.
pub(super) fn failure(error: Error) -> Failure {
    let (why, name, en, ko) = match error {
        Error::WentBack { name, revision, now, why } => {
            let en = format!("release {name} is what revision {revision} was again (as revision {now})");
            let ko = format!("릴리스 {name}: 리비전 {revision}의 상태로 되돌렸습니다 (리비전 {now})");
            (why, name, en, ko)
        }
        Error::Removed { name, why } => {
            let en = format!("what was made of release {name} is removed again");
            let ko = format!("릴리스 {name}: 만든 것을 다시 지웠습니다");
            let mut failure = Failure::from(*why);
            failure.hint = None;
            return with(failure, &en, &ko);
        }
        Error::NotUndone { name, why, undoing } => {
            let undoing = Failure::from(*undoing);
            let en = format!("undoing it for release {name} failed as well: {}", undoing.message.en);
            let ko = format!("릴리스 {name}: 되돌리기도 실패했습니다: {}", undoing.message.ko);
            (why, name, en, ko)
        }
        other => return Failure::from(other),
    };
    with(Failure::from(*why), &en, &ko).hint_command(&format!("landfall release history {name}"))
}

fn with(mut failure: Failure, en: &str, ko: &str) -> Failure {
    failure.message.en = format!("{}; {en}", failure.message.en);
    failure.message.ko = format!("{}; {ko}", failure.message.ko);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_failed_first_gives_the_code_and_comes_first() {
        let why = Error::Unwell { object: "Deployment web".into(), why: "it ends again and again".into() };
        assert_eq!(
            why.object().and_then(|one| object_of(one, "shop")),
            Some(ObjectRef::new("Deployment", "shop", "web"))
        );
        let told = failure(Error::WentBack { name: "web".into(), revision: 1, now: 3, why: Box::new(why) });
        assert_eq!(told.exit, Exit::StepFailed);
        assert!(told.message.en.starts_with("Deployment web: it ends"), "{}", told.message.en);
        assert!(told.message.en.contains("revision 1 was again (as revision 3)"), "{}", told.message.en);
        assert!(told.message.ko.contains("되돌렸습니다"), "{}", told.message.ko);
    }
}
