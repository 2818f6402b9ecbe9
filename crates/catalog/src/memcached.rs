//! Memcached, guide O06: the cache of tokens and catalogs.

use serde_json::{Value, json};

use crate::blueprint::{CheckKind, CheckSpec, Secrets, Text};
use crate::inputs::Inputs;
use crate::service::{Service, in_the_cloud, none};
use crate::values::{count, images, overlay};

pub(crate) const SERVICE: Service = Service {
    name: "memcached",
    summary_en: "cache",
    summary_ko: "캐시",
    chart: "memcached",
    guide: "O06",
    needs: &[],
    companions: &[],
    public: None,
    weights: &[("StatefulSet/memcached-memcached", 3)],
    leftovers: &[],
    secrets: &[],
    home: in_the_cloud,
    prerequisites: none,
    values,
    checks,
};

fn values(inputs: &Inputs, _secrets: &Secrets) -> Value {
    let mut values = images(inputs, &[("memcached", "memcached"), ("dep_check", "agent")]);
    overlay(&mut values, &json!({"conf": {"memcached": {"threads": inputs.workers()}}}));
    values
}

/// The text protocol by bash alone: the image has no client.
const SET_AND_GET: &str = "exec 3<>/dev/tcp/127.0.0.1/11211 && \
printf 'set landfall 0 30 2\\r\\nok\\r\\nget landfall\\r\\nquit\\r\\n' >&3 && timeout 5 cat <&3";

fn checks(inputs: &Inputs, values: &Value) -> Vec<CheckSpec> {
    let check =
        |what: &str, title, remedy, kind| CheckSpec::new("memcached", "O06", what, title, remedy, kind);
    let selector = "application=memcached,component=server";
    vec![
        check(
            "pods",
            Text::new("The memcached pod is 1/1 Running", "memcached 파드가 1/1 Running"),
            Text::new(
                "`landfall why statefulset/memcached-memcached` names what the pod waits for",
                "`landfall why statefulset/memcached-memcached`가 파드가 기다리는 원인을 알려줍니다",
            ),
            CheckKind::PodsReady {
                namespace: inputs.namespace.clone(),
                selector: selector.into(),
                at_least: count(values, "/pod/replicas/server", 1),
            },
        ),
        check(
            "set-get",
            Text::new("A key is set and got back", "키를 저장하고 다시 읽음"),
            Text::new(
                "delete the pod memcached-memcached-0: a cache holds nothing that would be lost",
                "memcached-memcached-0 파드를 지우세요. 캐시이므로 잃는 데이터가 없습니다",
            ),
            CheckKind::Exec {
                namespace: inputs.namespace.clone(),
                selector: selector.into(),
                container: "memcached".into(),
                command: ["bash", "-c", SET_AND_GET].map(str::to_owned).to_vec(),
                contains: "VALUE landfall".into(),
            },
        ),
    ]
}
