//! What `why` and `logs` are asked about: a service, or an object as kubectl names it.

use landfall_cluster::api::Cluster;
use landfall_config::Cloud;
use landfall_engine::why::Subject;
use landfall_health::{ObjectRef, kinds};

use crate::cloud::gvk;
use crate::exit::{Exit, Failure, Result};

/// The service that lives in a namespace of its own, where Rook may have made it: no label of ours there.
pub(crate) const CEPH: &str = "ceph";
/// Names that are shown where one is not there.
const SHOWN: usize = 6;

/// What was written, before the cluster is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    Service(String),
    Object { kind: &'static str, namespace: Option<String>, name: String },
}

/// `keystone`, `deploy/keystone-api`, `openstack/pod/mariadb-server-0`, `Pod/openstack/mariadb-server-0`.
///
/// # Errors
/// A word that is neither a service nor an object.
pub(crate) fn parse(text: &str) -> Result<Word> {
    let parts: Vec<&str> = text.split('/').collect();
    let object = |kind: &'static str, namespace: Option<&str>, name: &str| Word::Object {
        kind,
        namespace: namespace.filter(|name| !name.is_empty()).map(str::to_owned),
        name: name.to_owned(),
    };
    match parts[..] {
        [service] => {
            landfall_catalog::expand(&[service.to_owned()])?;
            Ok(Word::Service(service.to_owned()))
        }
        [kind, name] if !name.is_empty() => Ok(object(known(kind)?, None, name)),
        // As kubectl's users say it, and as Landfall's own messages write it.
        [namespace, kind, name] if !name.is_empty() && kinds::kind(kind).is_some() => {
            Ok(object(known(kind)?, Some(namespace), name))
        }
        [kind, namespace, name] if !name.is_empty() => Ok(object(known(kind)?, Some(namespace), name)),
        _ => Err(Failure::told(
            Exit::BadValue,
            format!("{text:?} is neither a service nor an object"),
            format!("{text:?}은(는) 서비스도 객체도 아닙니다"),
        )
        .hint(
            "as in: keystone, pod/mariadb-server-0, openstack/deployment/keystone-api",
            "예: keystone, pod/mariadb-server-0, openstack/deployment/keystone-api",
        )),
    }
}

fn known(kind: &str) -> Result<&'static str> {
    kinds::kind(kind).ok_or_else(|| {
        Failure::told(
            Exit::BadValue,
            format!("{kind:?} is no kind that is known here"),
            format!("{kind:?}은(는) 알려진 종류가 아닙니다"),
        )
        .hint(
            format!("known are {}", kinds::known().join(", ")),
            format!("있는 것: {}", kinds::known().join(", ")),
        )
    })
}

/// The object as it is found: in the namespace that was written, in `home`, or wherever its name is.
///
/// # Errors
/// One that is not there, with names that are.
pub(crate) async fn found(
    cluster: &dyn Cluster,
    home: &str,
    kind: &'static str,
    namespace: Option<&str>,
    name: &str,
) -> Result<ObjectRef> {
    let Some(api) = landfall_engine::why::api_of(kind) else {
        return Err(Failure::told(
            Exit::BadValue,
            format!("{kind} can not be asked for"),
            format!("{kind}은(는) 조회할 수 없습니다"),
        ));
    };
    let gvk = gvk(&api.group, &api.version, &api.kind);
    let all = match (kinds::is_cluster_wide(kind), namespace) {
        (true, _) => cluster.list(&gvk, None, "").await?,
        (false, Some(namespace)) => cluster.list(&gvk, Some(namespace), "").await?,
        (false, None) => {
            let mut all = cluster.list(&gvk, None, "").await?;
            all.sort_by_key(|object| object["metadata"]["namespace"] != home);
            all
        }
    };
    let reference = |object: &serde_json::Value| {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        ObjectRef::new(kind, text("namespace"), text("name"))
    };
    let all: Vec<ObjectRef> = all.iter().map(reference).collect();
    all.iter().find(|at| at.name == name).cloned().ok_or_else(|| missing(kind, namespace, name, &all))
}

fn missing(kind: &str, namespace: Option<&str>, name: &str, all: &[ObjectRef]) -> Failure {
    let kind = kind.to_lowercase();
    let place = namespace.map(|name| format!(" in namespace {name}")).unwrap_or_default();
    let failure = Failure::told(
        Exit::NotThere,
        format!("there is no {kind} {name}{place}"),
        format!(
            "{kind} {name}이(가) 없습니다{}",
            namespace.map(|name| format!(" (네임스페이스 {name})")).unwrap_or_default()
        ),
    );
    // Those that begin alike, else whatever there is.
    let stem = name.split('-').next().unwrap_or(name);
    let mut near: Vec<&str> = all.iter().map(|at| at.name.as_str()).filter(|n| n.starts_with(stem)).collect();
    if near.is_empty() {
        near = all.iter().map(|at| at.name.as_str()).collect();
    }
    if near.is_empty() {
        return failure;
    }
    near.truncate(SHOWN);
    let near = near.join(", ");
    failure.hint(format!("there are: {near}"), format!("있는 것: {near}"))
}

/// From what was written to what is looked at.
///
/// # Errors
/// See [`found`].
pub(crate) async fn resolve(cluster: &dyn Cluster, cloud: &Cloud, word: &Word) -> Result<Subject> {
    let home = &cloud.namespace;
    Ok(match word {
        Word::Service(service) if service == CEPH => Subject::Namespace(cloud.storage.ceph.namespace.clone()),
        Word::Service(service) => Subject::Service(service.clone()),
        Word::Object { kind, namespace, name } => {
            Subject::Object(found(cluster, home, kind, namespace.as_deref(), name).await?)
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn object(kind: &'static str, namespace: Option<&str>, name: &str) -> Word {
        Word::Object { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() }
    }

    #[test]
    fn services_and_objects_are_told_apart_by_their_slashes() {
        assert_eq!(parse("keystone").unwrap(), Word::Service("keystone".into()));
        assert_eq!(parse("deploy/keystone-api").unwrap(), object("Deployment", None, "keystone-api"));
        for text in ["openstack/pod/mariadb-server-0", "Pod/openstack/mariadb-server-0"] {
            assert_eq!(parse(text).unwrap(), object("Pod", Some("openstack"), "mariadb-server-0"), "{text}");
        }
        assert_eq!(parse("Node//k1").unwrap(), object("Node", None, "k1"));
    }

    #[test]
    fn what_is_neither_is_told_with_what_is() {
        assert_eq!(parse("keystoen").unwrap_err().exit, Exit::UnknownService);
        let unknown = parse("pot/x").unwrap_err();
        assert!(unknown.exit == Exit::BadValue && unknown.hint.unwrap().en.contains("pod, deployment"));
        for text in ["pod/", "a/b/c/d", "/"] {
            assert_eq!(parse(text).unwrap_err().exit, Exit::BadValue, "{text}");
        }
    }
}
