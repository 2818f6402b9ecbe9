//! How Kubernetes merges the fields of its own kinds.
//!
//! Source: `patchStrategy` and `patchMergeKey` of the API types (k8s.io/api 1.37, `types.go` of each group; `ObjectMeta` in
//! k8s.io/apimachinery). Left out is what no chart sets: status, Nodes, what kubelet and schedulers keep for themselves.
//! Where server-side apply knows an element by more keys (`x-kubernetes-list-map-keys`), so do we: one port by TCP and by UDP
//! are two, of which a patch by `patchMergeKey` alone loses one.

/// A field that is merged otherwise than by its form: maps field by field, lists whole.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    pub(super) rule: Rule,
    /// What is known of the fields below; for a list, of its elements.
    pub(super) fields: &'static [Field],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// As its form says.
    Plain,
    /// `replace`: one value.
    Whole,
    /// `retainKeys`: a change takes away all that is not named, as for what is one of several kinds.
    Retain,
    /// A list that is a set: `merge` without a key.
    Set,
    /// `merge`: a list whose elements are known by keys.
    Keyed(&'static [&'static str]),
    /// `merge,retainKeys`: as above, for each element.
    KeyedRetain(&'static [&'static str]),
}

/// What is known of an object's fields; for kinds that are not Kubernetes' own no more than of their metadata.
pub(super) fn of(group: &str, kind: &str) -> &'static [Field] {
    match (group, kind) {
        ("", "Pod") => POD,
        ("", "PodTemplate") => TEMPLATE_HOLDER,
        ("", "ReplicationController")
        | ("apps", "DaemonSet" | "ReplicaSet" | "StatefulSet")
        | ("batch", "Job") => WORKLOAD,
        ("apps", "Deployment") => DEPLOYMENT,
        ("batch", "CronJob") => CRON_JOB,
        ("", "Service") => SERVICE,
        ("", "ServiceAccount") => SERVICE_ACCOUNT,
        ("policy", "PodDisruptionBudget") => DISRUPTION_BUDGET,
        (ADMISSION, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => WEBHOOKS,
        (ADMISSION, "MutatingAdmissionPolicy") => MUTATING_POLICY,
        (ADMISSION, "ValidatingAdmissionPolicy") => VALIDATING_POLICY,
        _ => ANY,
    }
}

/// What is known of a field.
pub(super) fn field(fields: &'static [Field], name: &str) -> (Rule, &'static [Field]) {
    fields
        .iter()
        .find(|field| field.name == name)
        .map_or((Rule::Plain, &[]), |field| (field.rule, field.fields))
}

const ADMISSION: &str = "admissionregistration.k8s.io";

const fn below(name: &'static str, fields: &'static [Field]) -> Field {
    Field { name, rule: Rule::Plain, fields }
}

const fn leaf(name: &'static str, rule: Rule) -> Field {
    Field { name, rule, fields: &[] }
}

const fn keyed(name: &'static str, keys: &'static [&'static str], fields: &'static [Field]) -> Field {
    Field { name, rule: Rule::Keyed(keys), fields }
}

const METADATA: Field =
    below("metadata", &[keyed("ownerReferences", &["uid"], &[]), leaf("finalizers", Rule::Set)]);

const CONTAINER: &[Field] = &[
    keyed("ports", &["containerPort", "protocol"], &[]),
    keyed("env", &["name"], &[]),
    keyed("volumeMounts", &["mountPath"], &[]),
    keyed("volumeDevices", &["devicePath"], &[]),
];
const POD_SPEC: Field = below(
    "spec",
    &[
        keyed("containers", &["name"], CONTAINER),
        keyed("initContainers", &["name"], CONTAINER),
        keyed("ephemeralContainers", &["name"], CONTAINER),
        leaf("volumes", Rule::KeyedRetain(&["name"])),
        keyed("imagePullSecrets", &["name"], &[]),
        keyed("hostAliases", &["ip"], &[]),
        keyed("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"], &[]),
        keyed("schedulingGates", &["name"], &[]),
        leaf("resourceClaims", Rule::KeyedRetain(&["name"])),
        keyed("evictionResponders", &["name"], &[]),
    ],
);
const POD: &[Field] = &[METADATA, POD_SPEC];
const TEMPLATE: Field = below("template", POD);
const TEMPLATE_HOLDER: &[Field] = &[METADATA, TEMPLATE];
const WORKLOAD: &[Field] = &[METADATA, below("spec", &[TEMPLATE])];
const DEPLOYMENT: &[Field] = &[METADATA, below("spec", &[TEMPLATE, leaf("strategy", Rule::Retain)])];
const CRON_JOB: &[Field] =
    &[METADATA, below("spec", &[below("jobTemplate", &[METADATA, below("spec", &[TEMPLATE])])])];
const SERVICE: &[Field] = &[METADATA, below("spec", &[keyed("ports", &["port", "protocol"], &[])])];
const SERVICE_ACCOUNT: &[Field] = &[METADATA, keyed("secrets", &["name"], &[])];
const DISRUPTION_BUDGET: &[Field] = &[METADATA, below("spec", &[leaf("selector", Rule::Whole)])];
const CONDITIONS: Field = keyed("matchConditions", &["name"], &[]);
const WEBHOOKS: &[Field] = &[METADATA, keyed("webhooks", &["name"], &[CONDITIONS])];
const MUTATING_POLICY: &[Field] = &[METADATA, below("spec", &[CONDITIONS])];
const VALIDATING_POLICY: &[Field] =
    &[METADATA, below("spec", &[CONDITIONS, keyed("variables", &["name"], &[])])];
const ANY: &[Field] = &[METADATA];
