//! What charts may know of the cluster: `.Capabilities`. Without one, what Helm 4.3.1 assumes.

use std::any::Any;
use std::borrow::Cow;

use gotmpl::{Context, FuncError, Kind, List, Object, Signature, Type, Value};

/// The version of Helm whose behaviour this is.
pub const HELM_VERSION: &str = "v4.3.1";
/// The Kubernetes version that Helm assumes without a cluster.
pub const DEFAULT_KUBE_VERSION: &str = "v1.37.0";
const GO_VERSION: &str = "go1.26.8";
const KUBE_CLIENT_VERSION: &str = "v1.37";

const DEFAULT_API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// The cluster as charts see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    pub kube_version: KubeVersion,
    pub api_versions: Vec<String>,
}

impl Default for Capabilities {
    fn default() -> Self {
        let version = DEFAULT_KUBE_VERSION.to_owned();
        Self {
            kube_version: KubeVersion {
                normalized: version.clone(),
                version,
                major: "1".to_owned(),
                minor: "37".to_owned(),
            },
            api_versions: DEFAULT_API_VERSIONS.iter().map(|&version| version.to_owned()).collect(),
        }
    }
}

impl Capabilities {
    pub(crate) fn to_value(&self) -> Value {
        Value::object(CapabilitiesObject(self.clone()))
    }
}

/// A Kubernetes version, as it was given and without suffixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    pub version: String,
    pub normalized: String,
    pub major: String,
    pub minor: String,
}

impl KubeVersion {
    /// Reads `1.36`, `v1.36.3` or `v1.33.4-gke.1245000`. None where there are not two numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches('v');
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
        let parts: Vec<&str> = digits[..end].trim_end_matches('.').split('.').collect();
        if parts.len() < 2 || parts.iter().any(|part| part.parse::<u64>().is_err()) {
            return None;
        }
        let patch = parts.get(2).copied().unwrap_or("0");
        let version = if text.starts_with('v') { text.to_owned() } else { format!("v{text}") };
        Some(Self {
            version,
            normalized: format!("v{}.{}.{patch}", parts[0], parts[1]),
            major: parts[0].to_owned(),
            minor: parts[1].to_owned(),
        })
    }

    /// 36 of v1.36.3.
    pub fn minor(&self) -> u32 {
        self.minor.parse().unwrap_or(0)
    }
}

#[derive(Debug)]
struct CapabilitiesObject(Capabilities);

impl Object for CapabilitiesObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("*common.Capabilities")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![
            ("KubeVersion".into(), Value::object(KubeVersionObject(self.0.kube_version.clone()))),
            ("APIVersions".into(), Value::object(VersionSet(self.0.api_versions.clone()))),
            ("HelmVersion".into(), Value::object(HelmVersionObject)),
        ]
    }
}

#[derive(Debug)]
struct KubeVersionObject(KubeVersion);

impl Object for KubeVersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("common.KubeVersion")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![
            ("Version".into(), Value::from(&self.0.version)),
            ("Major".into(), Value::from(&self.0.major)),
            ("Minor".into(), Value::from(&self.0.minor)),
        ]
    }

    fn method(&self, name: &str) -> Option<Signature> {
        matches!(name, "String" | "GitVersion").then_some(Signature::fixed(&[]))
    }

    fn call(&self, name: &str, _context: &mut Context<'_>, _args: &[Value]) -> Result<Value, FuncError> {
        Ok(Value::from(if name == "String" { &self.0.normalized } else { &self.0.version }))
    }

    fn display(&self) -> Option<String> {
        Some(self.0.normalized.clone())
    }
}

/// `common.VersionSet`: a list with the method `Has`.
#[derive(Debug)]
pub(crate) struct VersionSet(Vec<String>);

impl Object for VersionSet {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("common.VersionSet")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn is_true(&self) -> bool {
        !self.0.is_empty()
    }

    fn as_list(&self) -> Option<List> {
        let items = self.0.iter().map(Value::from).collect();
        Some(List::of(gotmpl::ListType::Named("common.VersionSet"), items))
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "Has").then_some(Signature::fixed(&[Type::String]))
    }

    fn call(&self, name: &str, _context: &mut Context<'_>, args: &[Value]) -> Result<Value, FuncError> {
        if name != "Has" {
            return Err(FuncError::new(format!("no method {name}")));
        }
        let wanted = args.first().and_then(Value::as_str).unwrap_or("");
        Ok(Value::Bool(self.0.iter().any(|version| version == wanted)))
    }

    fn display(&self) -> Option<String> {
        Some(format!("[{}]", self.0.join(" ")))
    }
}

/// `version.BuildInfo`
#[derive(Debug)]
pub(crate) struct HelmVersionObject;

impl HelmVersionObject {
    /// Its JSON has other names than its fields.
    pub fn to_json() -> serde_json::Value {
        serde_json::json!({
            "version": HELM_VERSION,
            "git_tree_state": "clean",
            "go_version": GO_VERSION,
            "kube_client_version": KUBE_CLIENT_VERSION,
        })
    }
}

impl Object for HelmVersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed("version.BuildInfo")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.fields().into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        let fields = [
            ("Version", HELM_VERSION),
            ("GitCommit", ""),
            ("GitTreeState", "clean"),
            ("GoVersion", GO_VERSION),
            ("KubeClientVersion", KUBE_CLIENT_VERSION),
        ];
        fields.into_iter().map(|(name, value)| (Cow::Borrowed(name), Value::from(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_lose_their_suffix_for_constraints() {
        let version = KubeVersion::parse("v1.33.4-gke.1245000").unwrap();
        assert_eq!(
            (version.version.as_str(), version.normalized.as_str()),
            ("v1.33.4-gke.1245000", "v1.33.4")
        );
        assert_eq!(KubeVersion::parse("1.36").unwrap().normalized, "v1.36.0");
        assert!(KubeVersion::parse("one").is_none());
    }
}
