//! Tempest from a pod: told of the cloud by a Secret, followed by its log, removed with all that it was given.

use std::time::Duration;

use futures::StreamExt;
use landfall_cluster::api::{ClusterError, Gvk, Seen as Change};
use serde_json::json;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{RealCloud, known, list, text, told};
use crate::tempest::{Reader, Subject, Test, config, exclusion, outdated, selection};
use crate::wait::Waits;

const CONTAINER: &str = "tempest";
const LABEL: &str = "application=landfall-tempest";
/// Until its image is unpacked and its pod runs.
const START: Duration = Duration::from_mins(5);
/// `tempest init` ends with 1 whatever came of it: what it makes is looked at.
const RUN: &str = "mkdir -p /tmp/tempest/locks && cd /tmp && tempest init suite >&2; test -s suite/.stestr.conf && \
cp /etc/landfall/tempest.conf suite/etc/tempest.conf && cd suite && exec tempest run --regex \"$REGEX\" --exclude-regex \"$EXCLUDED\" --concurrency 2";

impl RealCloud {
    /// Runs the tests that `regex` names, the smoke set where it is none; `each` is told of a test as it ends.
    ///
    /// # Errors
    /// Why the suite could not be run: what it needs of the cloud, its pod. A test that fails is no error.
    pub async fn suite(
        &self,
        image: &str,
        regex: Option<&str>,
        password: &str,
        cancel: &CancellationToken,
        waits: Waits<'_>,
        each: &(dyn Fn(&Test) + Send + Sync),
    ) -> Result<Vec<Test>, String> {
        self.leftovers(waits).await?;
        let work = async {
            let subject = self.subject(waits).await?;
            self.start(image, regex, &config(&subject, password)).await?;
            waits("the pod of the suite starts");
            let mut tests = self.follow(each).await?;
            if regex.is_none() {
                tests.extend(outdated().inspect(each));
            }
            Ok(tests)
        };
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = cancel.cancelled() => Err("stopped".to_owned()),
        };
        waits("what the suite was given is removed");
        let removed = self.remove_suite(waits).await;
        let tests = outcome?;
        removed.map(|()| tests)
    }

    /// The cloud as Tempest is told of it, with what it needs: flavors, an image that all see, a way outside.
    async fn subject(&self, waits: Waits<'_>) -> Result<Subject, String> {
        waits("flavors, image and external network are made");
        self.flavors().await?;
        self.external_network().await?;
        let guest = self.public_image().await?;
        let extensions = self.admin.network.get("/v2.0/extensions").await.map_err(told)?;
        Ok(Subject {
            keystone: format!("http://keystone-api.{}.svc.cluster.local:5000/v3", self.setting.namespace),
            region: self.setting.region.clone(),
            image: guest,
            flavor: known(&self.facts.flavor)?.clone(),
            larger: known(&self.facts.larger)?.clone(),
            external_network: known(&self.facts.external)?.clone(),
            extensions: list(&extensions["extensions"]).iter().map(|one| text(&one["alias"])).collect(),
            volumes: self.admin.volume.as_ref().map(|api| api.kind().to_owned()),
            computes: self.computes().await?.len(),
        })
    }

    async fn start(&self, image: &str, regex: Option<&str>, config: &str) -> Result<(), String> {
        let (name, namespace) = (self.name("tempest"), &self.setting.namespace);
        let metadata =
            json!({"name": name, "namespace": namespace, "labels": {"application": "landfall-tempest"}});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata,
            "stringData": {"tempest.conf": config}});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": false,
                "nodeSelector": {"openstack-control-plane": "enabled"},
                "securityContext": {"runAsUser": 42424, "runAsGroup": 42424, "runAsNonRoot": true, "fsGroup": 42424},
                "containers": [{
                    "name": CONTAINER,
                    "image": image,
                    "command": ["sh", "-c", RUN],
                    "env": [
                        {"name": "REGEX", "value": selection(regex)},
                        {"name": "EXCLUDED", "value": exclusion(regex)},
                        {"name": "HOME", "value": "/tmp"},
                        // Each test is told as it ends.
                        {"name": "PYTHONUNBUFFERED", "value": "1"},
                    ],
                    "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                        "capabilities": {"drop": ["ALL"]}},
                    "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "2Gi"}},
                    "volumeMounts": [
                        {"name": "config", "mountPath": "/etc/landfall", "readOnly": true},
                        {"name": "tmp", "mountPath": "/tmp"},
                    ],
                }],
                "volumes": [
                    {"name": "config", "secret": {"secretName": name, "defaultMode": 0o440}},
                    {"name": "tmp", "emptyDir": {}},
                ],
            },
        });
        for object in [secret, pod] {
            self.setting.cluster.create(&object).await.map_err(|error: ClusterError| error.to_string())?;
        }
        Ok(())
    }

    /// Reads the log to its end.
    async fn follow(&self, each: &(dyn Fn(&Test) + Send + Sync)) -> Result<Vec<Test>, String> {
        let (name, namespace) = (self.name("tempest"), &self.setting.namespace);
        timeout(START, self.runs(&name))
            .await
            .map_err(|_| format!("pod {name} does not run after {} s", START.as_secs()))??;
        let mut lines = self.setting.cluster.follow(namespace, &name, CONTAINER, i64::MAX);
        let mut reader = Reader::default();
        let mut last = String::new();
        while let Some(line) = lines.next().await {
            let line = line.map_err(|error| error.to_string())?;
            if let Some(test) = reader.take(&line) {
                each(test);
            }
            if !line.trim().is_empty() {
                last = line;
            }
        }
        if reader.tests.is_empty() {
            let ended = self.ended(&name).await.unwrap_or_else(|why| why);
            return Err(format!("the suite ran no test: {ended}; its last word: {last:?}"));
        }
        Ok(reader.tests)
    }

    /// How the container ended, in the kubelet's words.
    async fn ended(&self, name: &str) -> Result<String, String> {
        let namespace = Some(self.setting.namespace.as_str());
        let pod = self.setting.cluster.get(&Gvk::new("v1", "Pod"), namespace, name).await;
        let pod = pod.map_err(|error| error.to_string())?.unwrap_or_default();
        let state = &pod["status"]["containerStatuses"][0]["state"]["terminated"];
        Ok(format!("{} {} {}", text(&state["reason"]), state["exitCode"], text(&state["message"]))
            .trim()
            .to_owned())
    }

    /// Watches the pod until its container has started, or has ended already.
    async fn runs(&self, name: &str) -> Result<(), String> {
        let gvk = Gvk::new("v1", "Pod");
        let mut changes = self.setting.cluster.watch(&gvk, Some(&self.setting.namespace), LABEL);
        while let Some(change) = changes.next().await {
            let pods = match change.map_err(|error| error.to_string())? {
                Change::Listed(pods) => pods,
                Change::Applied(pod) => vec![pod],
                Change::Deleted(pod) if pod["metadata"]["name"] == name => {
                    return Err(format!("pod {name} was deleted"));
                }
                Change::Deleted(_) => Vec::new(),
            };
            let Some(pod) = pods.iter().find(|pod| pod["metadata"]["name"] == name) else { continue };
            let state = &pod["status"]["containerStatuses"][0]["state"];
            if state["running"].is_object() || state["terminated"].is_object() {
                return Ok(());
            }
            let waiting = text(&state["waiting"]["reason"]);
            if ["ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "InvalidImageName"]
                .contains(&waiting.as_str())
            {
                return Err(format!("pod {name}: {waiting}: {}", text(&state["waiting"]["message"])));
            }
        }
        Err(format!("pod {name} can not be watched"))
    }

    async fn remove_suite(&self, waits: Waits<'_>) -> Result<(), String> {
        self.remove_suites().await?;
        self.remove_images(&[], waits).await?;
        self.remove_networks(&[], waits).await?;
        self.remove_accounts(&self.name("")).await.map(drop)
    }

    /// Pods and Secrets of suites; those of others can not be here, since one at a time has the Lease.
    pub(super) async fn remove_suites(&self) -> Result<(), String> {
        let (cluster, namespace) = (&self.setting.cluster, Some(self.setting.namespace.as_str()));
        let told = |error: ClusterError| error.to_string();
        for kind in ["Pod", "Secret"] {
            let gvk = Gvk::new("v1", kind);
            for one in cluster.list(&gvk, namespace, LABEL).await.map_err(told)? {
                cluster.delete(&gvk, namespace, &text(&one["metadata"]["name"]), true).await.map_err(told)?;
            }
        }
        Ok(())
    }
}
