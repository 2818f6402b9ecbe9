//! The objects of a release: taken out of lists, and marked so that Helm knows them again.

use serde_json::{Map, Value};

/// Marks an object as a release's: the label `app.kubernetes.io/managed-by` and the annotations with
/// the release's name and namespace. The object's own namespace is left alone.
pub fn adopt(object: &mut Value, release_name: &str, release_namespace: &str) {
    let Value::Object(object) = object else { return };
    let metadata = table(object, "metadata");
    let labels = table(metadata, "labels");
    labels.insert("app.kubernetes.io/managed-by".to_owned(), Value::from("Helm"));
    let annotations = table(metadata, "annotations");
    annotations.insert("meta.helm.sh/release-name".to_owned(), Value::from(release_name));
    annotations.insert("meta.helm.sh/release-namespace".to_owned(), Value::from(release_namespace));
}

/// The items of a list are objects of their own; what is no object is left out.
pub fn flatten(object: Value, into: &mut Vec<Value>) {
    match (object["kind"].as_str(), object["items"].as_array()) {
        (Some(kind), Some(items)) if kind.ends_with("List") => {
            items.iter().cloned().for_each(|item| flatten(item, into));
        }
        _ if object.is_object() => into.push(object),
        _ => {}
    }
}

fn table<'a>(map: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let entry = map.entry(key.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    match entry {
        Value::Object(table) => table,
        // The line above made it one.
        _ => unreachable!(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_marked_and_keeps_the_rest() {
        let mut object =
            json!({"kind": "Job", "metadata": {"name": "j", "labels": {"a": "b"}, "annotations": null}});
        adopt(&mut object, "keystone", "openstack");
        assert_eq!(
            object,
            json!({"kind": "Job", "metadata": {"name": "j",
                "labels": {"a": "b", "app.kubernetes.io/managed-by": "Helm"},
                "annotations": {"meta.helm.sh/release-name": "keystone",
                    "meta.helm.sh/release-namespace": "openstack"}}})
        );
    }
}
