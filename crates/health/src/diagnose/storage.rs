//! Volume claims: is there a class, what does its provisioner say.

use serde_json::Value;

use super::{Code, Diagnosis, Walk, event_message, remedy};
use crate::object::{ObjectRef, field, text};

const DEFAULT_CLASS: &str = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";

impl Walk<'_> {
    pub(super) fn claim(&mut self, at: &ObjectRef, claim: &Value) -> Diagnosis {
        match text(claim, "/status/phase") {
            "Bound" => return Diagnosis::healthy(),
            "Lost" => {
                return Diagnosis::root(
                    at,
                    Code::VolumeUnbound,
                    "its volume is lost",
                    text(claim, "/spec/volumeName"),
                )
                .terminal_if(true);
            }
            _ => {}
        }
        let events = self.events(at);
        let said =
            |reason: &str| events.iter().find(|e| text(e, "/reason") == reason).map(|e| event_message(e));
        let wanted = field(claim, "/spec/storageClassName").and_then(Value::as_str);
        let classes = self.all("StorageClass", "");
        let names: Vec<&str> = classes.iter().filter_map(|c| crate::object::name(c)).collect();
        let known = self.world.knows("StorageClass");
        match wanted {
            Some("") => {
                return Diagnosis::root(
                    at,
                    Code::VolumeUnbound,
                    "is unbound: it asks for a volume made by hand, and none fits",
                    said("FailedBinding").unwrap_or_default(),
                )
                .terminal_if(true);
            }
            Some(name) => {
                let told = said("ProvisioningFailed")
                    .filter(|m| m.contains("storageclass") && m.contains("not found"));
                let absent = known && !names.contains(&name);
                if absent || told.is_some() && !names.contains(&name) {
                    let class = ObjectRef::new("StorageClass", "", name);
                    return Diagnosis::root(
                        &class,
                        Code::VolumeUnbound,
                        "is not there",
                        told.unwrap_or_default(),
                    )
                    .behind(at, "is unbound", "")
                    .terminal_if(true)
                    .with(remedy::no_class(name, &names));
                }
            }
            None => {
                let has_default = classes.iter().any(|c| text(c, DEFAULT_CLASS) == "true");
                let told = said("FailedBinding").filter(|m| m.contains("no storage class is set"));
                if !has_default && (known || told.is_some()) {
                    return Diagnosis::root(
                        at,
                        Code::VolumeUnbound,
                        "is unbound: it names no StorageClass, and none is the default",
                        told.unwrap_or_default(),
                    )
                    .terminal_if(true)
                    .with(remedy::no_default_class(&names));
                }
            }
        }
        if let Some(message) = said("ProvisioningFailed") {
            let hopeless = ["InvalidArgument", "not supported", "unsupported", "invalid"]
                .iter()
                .any(|w| message.contains(w));
            return Diagnosis::root(
                at,
                Code::VolumeUnbound,
                "is unbound: the provisioner cannot make its volume",
                message,
            )
            .terminal_if(hopeless);
        }
        if said("WaitForFirstConsumer").is_some()
            || is_lazy(&classes, wanted)
                && said("ExternalProvisioning").is_none()
                && said("Provisioning").is_none()
        {
            return Diagnosis::root(
                at,
                Code::Starting,
                "waits for a pod to use it first, as its class wants",
                "",
            );
        }
        let message = said("ExternalProvisioning").or(said("Provisioning")).unwrap_or_default();
        Diagnosis::root(at, Code::Starting, "is unbound: its volume is being made", message)
    }
}

/// The class binds only when a pod uses the claim.
fn is_lazy(classes: &[&Value], wanted: Option<&str>) -> bool {
    classes
        .iter()
        .find(|c| match wanted {
            Some(name) => crate::object::name(c) == Some(name),
            None => text(c, DEFAULT_CLASS) == "true",
        })
        .is_some_and(|c| text(c, "/volumeBindingMode") == "WaitForFirstConsumer")
}
