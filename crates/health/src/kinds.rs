//! What people call the kinds of Kubernetes: `deploy`, `deployment`, `deployments`.

/// Kind, and its short names in kubectl; singular and plural are derived.
const KINDS: [(&str, &[&str]); 19] = [
    ("Pod", &["po"]),
    ("Deployment", &["deploy"]),
    ("ReplicaSet", &["rs"]),
    ("StatefulSet", &["sts"]),
    ("DaemonSet", &["ds"]),
    ("Job", &[]),
    ("CronJob", &["cj"]),
    ("Service", &["svc"]),
    ("Ingress", &["ing"]),
    ("PersistentVolumeClaim", &["pvc"]),
    ("PersistentVolume", &["pv"]),
    ("StorageClass", &["sc"]),
    ("IngressClass", &[]),
    ("Node", &["no"]),
    ("Namespace", &["ns"]),
    ("ConfigMap", &["cm"]),
    ("Secret", &[]),
    ("ServiceAccount", &["sa"]),
    ("ResourceQuota", &["quota"]),
];

/// The kind that a word means, in whatever case; none for a word that means none.
pub fn kind(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    KINDS
        .iter()
        .find(|(kind, short)| {
            let single = kind.to_lowercase();
            // Ingress, StorageClass: -es.
            let plural = if single.ends_with('s') { format!("{single}es") } else { format!("{single}s") };
            word == single || word == plural || short.contains(&word.as_str())
        })
        .map(|(kind, _)| *kind)
}

/// Kinds that no namespace holds.
pub fn is_cluster_wide(kind: &str) -> bool {
    matches!(kind, "Node" | "Namespace" | "PersistentVolume" | "StorageClass" | "IngressClass")
}

/// All that [`kind`] knows, as one writes them.
pub fn known() -> Vec<String> {
    KINDS.iter().map(|(kind, _)| kind.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_all_that_people_call_them() {
        for word in ["deploy", "deployment", "Deployments", "DEPLOYMENT"] {
            assert_eq!(kind(word), Some("Deployment"), "{word}");
        }
        assert_eq!(kind("ingresses"), Some("Ingress"));
        assert_eq!(kind("storageclasses"), Some("StorageClass"));
        assert_eq!(kind("keystone"), None);
        assert_eq!(kind(""), None);
    }

    #[test]
    fn every_kind_is_known_by_the_name_that_is_shown() {
        for (index, name) in known().iter().enumerate() {
            assert_eq!(kind(name), Some(KINDS[index].0));
        }
    }
}
