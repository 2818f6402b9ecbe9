//! The objects of a release: read from its manifest, put there, taken away.

use std::collections::BTreeSet;

use landfall_cluster::api::{Cascade, ClusterError, Gvk};
use landfall_helm::release::Record;
use landfall_helm::{adopt, flatten, uninstall_rank};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{Actions, Error, Result};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// The objects of a manifest, those of lists one by one.
pub(crate) fn parsed(release: &str, manifest: &str) -> Result<Vec<Value>> {
    let documents = landfall_helm::yaml::parse_documents(manifest)
        .map_err(|error| Error::Record { name: release.to_owned(), why: error.to_string() })?;
    let mut all = Vec::new();
    for document in documents {
        flatten(document, &mut all);
    }
    all.retain(|object| object["kind"].is_string());
    Ok(all)
}

/// The objects of a revision, as `Kind name` or `Kind namespace/name`; without hooks.
///
/// # Errors
/// Where its manifest is no YAML.
pub fn objects(record: &Record) -> Result<Vec<String>> {
    Ok(parsed(&record.name, &record.manifest)?.iter().map(shown).collect())
}

pub(crate) fn kind(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

/// `Kind namespace/name`, for people.
pub(crate) fn shown(object: &Value) -> String {
    let word = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match word("/metadata/namespace") {
        "" => format!("{} {}", word("/kind"), word("/metadata/name")),
        namespace => format!("{} {namespace}/{}", word("/kind"), word("/metadata/name")),
    }
}

/// Where an object is: what must not be in a release twice, and what is gone when another revision lacks it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    group: String,
    kind: String,
    pub namespace: String,
    pub name: String,
}

impl Actions {
    pub(crate) fn place(&self, object: &Value) -> Place {
        let word = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let namespace = match word("/metadata/namespace") {
            "" => self.namespace.as_str(),
            own => own,
        };
        Place {
            // Another version of the same kind is the same object.
            group: word("/apiVersion")
                .rsplit_once('/')
                .map(|(group, _)| group)
                .unwrap_or_default()
                .to_owned(),
            kind: word("/kind").to_owned(),
            namespace: namespace.to_owned(),
            name: word("/metadata/name").to_owned(),
        }
    }

    /// The live object. The namespace is left out by the cluster where the kind has none.
    pub(crate) async fn live(&self, object: &Value) -> std::result::Result<Option<Value>, ClusterError> {
        let Some(gvk) = Gvk::of(object) else { return Ok(None) };
        let place = self.place(object);
        match self.cluster.get(&gvk, Some(&place.namespace), &place.name).await {
            // Its definition may be gone, and it with that.
            Err(ClusterError::UnknownKind(_)) => Ok(None),
            answer => answer,
        }
    }

    /// None of the objects that are to be made may be another's: asked before anything is written. True where some are
    /// there that no former revision had.
    pub(crate) async fn ours_or_new(&self, record: &Record, former: &[Value]) -> Result<bool> {
        let release = record.name.as_str();
        let objects = parsed(release, &record.manifest)?;
        let known: BTreeSet<Place> = former.iter().map(|object| self.place(object)).collect();
        let mut adopted = false;
        for object in objects.iter().filter(|object| !known.contains(&self.place(object))) {
            let live = self.live(object).await;
            let live = live.map_err(|source| Error::Refused { object: shown(object), source })?;
            let Some(live) = live else { continue };
            if !self.options.take_ownership
                && let Some(why) = foreign(&live, release, &self.namespace)
            {
                return Err(Error::NotOurs { object: shown(object), release: release.to_owned(), why });
            }
            adopted = true;
        }
        Ok(adopted)
    }

    /// Deletes objects, in Helm's order of kinds, but for those that ask to be kept. Gives those.
    pub(crate) async fn take_away(
        &self,
        mut objects: Vec<Value>,
        cascade: Cascade,
        wait: bool,
    ) -> Result<Vec<String>> {
        objects.sort_by(|a, b| uninstall_rank(kind(a)).cmp(&uninstall_rank(kind(b))));
        let mut kept = Vec::new();
        for object in &objects {
            if object["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" {
                kept.push(shown(object));
                continue;
            }
            let Some(gvk) = Gvk::of(object) else { continue };
            let place = self.place(object);
            let gone = self.cluster.delete_by(&gvk, Some(&place.namespace), &place.name, cascade, wait);
            self.in_time(object, gone).await?;
        }
        Ok(kept)
    }

    /// A deletion, which finalizers may hold up for ever.
    pub(crate) async fn in_time(
        &self,
        object: &Value,
        gone: impl Future<Output = std::result::Result<bool, ClusterError>>,
    ) -> Result<()> {
        match timeout(self.options.timeout, gone).await {
            // What its kind has gone with is gone.
            Ok(Ok(_) | Err(ClusterError::UnknownKind(_))) => Ok(()),
            Ok(Err(source)) => Err(Error::Refused { object: shown(object), source }),
            Err(_) => {
                let seconds = self.options.timeout.as_secs();
                Err(Error::NotGone { object: shown(object), seconds })
            }
        }
    }

    /// With a namespace, and the marks by which Helm knows its own.
    pub(crate) fn owned(&self, object: &Value, release: &str) -> Value {
        let mut object = self.placed(object);
        adopt(&mut object, release, &self.namespace);
        object
    }

    /// With a namespace; the cluster leaves it out where the kind has none.
    pub(crate) fn placed(&self, object: &Value) -> Value {
        let mut object = object.clone();
        object["metadata"]["namespace"] = json!(self.place(&object).namespace);
        object
    }
}

/// Why an object is not of this release; none where it is.
fn foreign(live: &Value, release: &str, namespace: &str) -> Option<String> {
    let metadata = &live["metadata"];
    let mut wrong = Vec::new();
    for (what, key, wanted) in [
        ("label", MANAGED_BY, "Helm"),
        ("annotation", RELEASE_NAME, release),
        ("annotation", RELEASE_NAMESPACE, namespace),
    ] {
        match metadata[format!("{what}s")][key].as_str() {
            Some(found) if found == wanted => {}
            Some(found) => wrong.push(format!("{what} {key} is {found:?}, not {wanted:?}")),
            None => wrong.push(format!("it lacks the {what} {key}")),
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_of_a_release_by_its_three_marks() {
        let live = json!({"metadata": {"labels": {MANAGED_BY: "Helm"},
            "annotations": {RELEASE_NAME: "web", RELEASE_NAMESPACE: "shop"}}});
        assert_eq!(foreign(&live, "web", "shop"), None);
        let why = foreign(&live, "other", "shop").unwrap_or_default();
        assert!(why.contains("is \"web\", not \"other\""), "{why}");
        let why = foreign(&json!({"metadata": {}}), "web", "shop").unwrap_or_default();
        assert_eq!(why.matches("it lacks the").count(), 3, "{why}");
    }

    #[test]
    fn lists_are_taken_apart() -> Result<()> {
        let text = "apiVersion: v1\nkind: List\nitems:\n- kind: A\n- kind: B\n---\nkind: C\n---\n# nothing\n";
        let kinds: Vec<Value> = parsed("web", text)?.iter().map(|object| object["kind"].clone()).collect();
        assert_eq!(kinds, ["A", "B", "C"]);
        Ok(())
    }
}
