//! Follows one source: by a watch; by listing again and again where the role allows no watch; by asking
//! for the one object where it does not even allow a list.

use std::time::Duration;

use futures::{StreamExt, pin_mut};
use kube::api::{Api, DynamicObject, ListParams};
use kube::runtime::watcher::{self, Event};
use kube::{Client, ResourceExt};
use serde_json::Value;
use tokio::sync::mpsc;

use super::source::{Source, Update};
use crate::pod::{self, Error, Result, short, status_code};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Between two lists where watching is forbidden.
const FIRST_ROUND: Duration = Duration::from_secs(1);

type Sender = mpsc::Sender<(Source, Update)>;

/// Runs until nobody listens any more.
pub async fn follow(client: Client, source: Source, updates: Sender) {
    let api: Api<DynamicObject> = Api::namespaced_with(client, &source.namespace, &source.resource());
    if watch(&api, &source, &updates).await == Next::Poll {
        poll(&api, &source, &updates).await;
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Poll,
    Stop,
}

async fn watch(api: &Api<DynamicObject>, source: &Source, updates: &Sender) -> Next {
    let config = watcher::Config {
        field_selector: source.fields(),
        label_selector: labels(source),
        ..watcher::Config::default()
    };
    let stream = watcher::watcher(api.clone(), config);
    pin_mut!(stream);
    let mut pause = FIRST_PAUSE;
    let mut listing = Vec::new();
    while let Some(event) = stream.next().await {
        let update = match event {
            Ok(Event::Init) => {
                listing.clear();
                continue;
            }
            Ok(Event::InitApply(object)) => {
                listing.push(plain(object, source));
                continue;
            }
            Ok(Event::InitDone) => Update::Listed(std::mem::take(&mut listing)),
            Ok(Event::Apply(object)) => Update::Applied(Box::new(plain(object, source))),
            Ok(Event::Delete(object)) => Update::Deleted(object.name_any()),
            Err(watcher::Error::WatchStartFailed(e) | watcher::Error::InitialListFailed(e))
                if status_code(&e) == Some(403) =>
            {
                return Next::Poll;
            }
            Err(error) => {
                tracing::debug!(%error, plural = source.plural, "watch");
                if let watcher::Error::InitialListFailed(e) = &error
                    && !send(updates, source, Update::Trouble(trouble("list", source, e))).await
                {
                    return Next::Stop;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = FIRST_PAUSE;
        if !send(updates, source, update).await {
            return Next::Stop;
        }
    }
    Next::Stop
}

async fn poll(api: &Api<DynamicObject>, source: &Source, updates: &Sender) {
    let params = ListParams {
        field_selector: source.fields(),
        label_selector: labels(source),
        ..ListParams::default()
    };
    let mut pause = FIRST_ROUND;
    loop {
        let answer = match api.list(&params).await {
            Ok(list) => Ok(list.items.into_iter().map(|o| plain(o, source)).collect()),
            Err(error) if status_code(&error) == Some(403) => match &source.name {
                Some(name) => api
                    .get_opt(name)
                    .await
                    .map(|o| o.into_iter().map(|o| plain(o, source)).collect::<Vec<Value>>())
                    .map_err(|e| ("get", e)),
                None => Err(("list", error)),
            },
            Err(error) => Err(("list", error)),
        };
        let update = match answer {
            Ok(objects) => Update::Listed(objects),
            Err((verb, error)) => Update::Trouble(trouble(verb, source, &error)),
        };
        if !send(updates, source, update).await {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f32(1.3).min(LONGEST_PAUSE);
    }
}

/// The node that this pod is on.
pub async fn own_node(client: &Client, namespace: &str, name: &str) -> Result<Option<String>> {
    if let Some(node) = pod::var("NODE_NAME") {
        return Ok(Some(node));
    }
    if pod::var("POD_NAME").is_none() {
        return Err(Error::MissingVariable {
            variable: "POD_NAME".to_owned(),
            hint: "dependencies on this node need it; give it by the downward API (metadata.name)",
        });
    }
    let api: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(client.clone(), namespace);
    let mut pause = FIRST_PAUSE;
    let mut told = false;
    loop {
        match api.get(name).await {
            Ok(own) => return Ok(own.spec.and_then(|s| s.node_name)),
            Err(error) => {
                if !told {
                    pod::say(&format!("own pod {name}: {}", short(&error)));
                    told = true;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

async fn send(updates: &Sender, source: &Source, update: Update) -> bool {
    updates.send((source.clone(), update)).await.is_ok()
}

fn labels(source: &Source) -> Option<String> {
    Some(source.labels.clone()).filter(|l| !l.is_empty())
}

fn trouble(verb: &str, source: &Source, error: &kube::Error) -> String {
    match status_code(error) {
        Some(403) => format!(
            "may not {verb} {} in namespace {} (add it to this pod's role)",
            source.plural, source.namespace
        ),
        Some(404) => format!("the cluster has no kind {} ({}/{})", source.kind, source.group, source.version),
        _ => format!("the API does not answer: {}", short(error)),
    }
}

/// As the API gives it, without what nobody reads; items of a list come without their kind.
fn plain(mut object: DynamicObject, source: &Source) -> Value {
    object.metadata.managed_fields = None;
    let mut value = serde_json::to_value(&object).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("kind".to_owned(), Value::String(source.kind.clone()));
    }
    value
}
