#![allow(clippy::unwrap_used)]

use super::*;

/// What becomes of `live`, by the patch as the API server would carry it out.
fn after(former: &Value, wanted: &Value, live: &Value) -> Value {
    let mut object = live.clone();
    if let Some(patch) = patch(former, wanted, live) {
        carry_out(&mut object, &patch);
    }
    object
}

fn carry_out(object: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            carry_out(&mut object[name], value);
        }
    }
}

fn of(kind: &str, spec: &Value) -> Value {
    let version = match kind {
        "Deployment" => "apps/v1",
        "PodDisruptionBudget" => "policy/v1",
        "Service" | "Pod" => "v1",
        _ => "example.com/v1",
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec})
}

/// As [`after`], of a kind's spec.
fn spec(kind: &str, former: &Value, wanted: &Value, live: &Value) -> Value {
    after(&of(kind, former), &of(kind, wanted), &of(kind, live))["spec"].clone()
}

fn containers(of: &Value) -> Value {
    json!({"template": {"spec": {"containers": of}}})
}

#[test]
fn what_is_named_is_set_what_is_no_longer_named_goes_and_the_rest_stays() {
    let merged = spec(
        "Deployment",
        &json!({"paused": true, "replicas": 1}),
        &json!({"replicas": 3}),
        &json!({"paused": true, "replicas": 2, "minReadySeconds": 5}),
    );
    assert_eq!(merged, json!({"replicas": 3, "minReadySeconds": 5}));
}

#[test]
fn what_is_as_it_should_be_needs_no_patch() {
    let wanted = of("Deployment", &containers(&json!([{"name": "a", "image": "i"}])));
    let mut live =
        of("Deployment", &containers(&json!([{"name": "a", "image": "i", "imagePullPolicy": "Always"}])));
    live["metadata"]["resourceVersion"] = json!("7");
    assert_eq!(patch(&wanted, &wanted, &live), None);
}

#[test]
fn a_patch_names_the_version_that_it_was_made_for() {
    let mut live = of("Service", &json!({"type": "ClusterIP"}));
    live["metadata"]["resourceVersion"] = json!("7");
    let wanted = of("Service", &json!({"type": "NodePort"}));
    let patch = patch(&Value::Null, &wanted, &live).unwrap();
    assert_eq!(patch, json!({"spec": {"type": "NodePort"}, "metadata": {"resourceVersion": "7"}}));
}

#[test]
fn containers_are_merged_by_name_and_anothers_stays() {
    let merged = spec(
        "Deployment",
        &containers(
            &json!([{"name": "web", "image": "1", "env": [{"name": "OLD", "value": "x"}]}, {"name": "gone"}]),
        ),
        &containers(&json!([{"name": "web", "image": "2", "env": [{"name": "NEW", "value": "y"}]}])),
        &containers(&json!([
            {"name": "proxy", "image": "theirs"},
            {"name": "web", "image": "1", "terminationMessagePath": "/dev/log",
                "env": [{"name": "OLD", "value": "x"}, {"name": "THEIRS", "value": "z"}]},
            {"name": "gone"},
        ])),
    );
    let wanted = containers(&json!([
        {"name": "proxy", "image": "theirs"},
        {"name": "web", "image": "2", "terminationMessagePath": "/dev/log",
            "env": [{"name": "NEW", "value": "y"}, {"name": "THEIRS", "value": "z"}]},
    ]));
    assert_eq!(merged, wanted);
}

#[test]
fn the_order_is_the_manifests_and_others_elements_keep_their_place() {
    let named = |names: &[&str]| containers(&names.iter().map(|name| json!({"name": name})).collect());
    let order = |wanted: &[&str], live: &[&str]| {
        let merged = spec("Deployment", &Value::Null, &named(wanted), &named(live));
        let of = merged["template"]["spec"]["containers"].as_array().unwrap().clone();
        of.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(order(&["a", "b"], &["a", "x", "b"]), "a x b");
    assert_eq!(order(&["b", "a"], &["a", "x", "b"]), "x b a");
    assert_eq!(order(&["a", "new", "b"], &["x", "a", "b", "y"]), "x a new b y");
}

#[test]
fn one_port_by_two_protocols_is_two() {
    let dns = json!({"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]});
    let live = json!({"clusterIP": "10.0.0.1",
        "ports": [{"port": 53, "protocol": "UDP", "nodePort": 30001}, {"port": 53, "protocol": "TCP", "nodePort": 30002}]});
    assert_eq!(spec("Service", &dns, &dns, &live), live);
    let merged = spec("Service", &dns, &json!({"ports": [{"port": 53, "protocol": "TCP"}]}), &live);
    assert_eq!(merged["ports"], json!([{"port": 53, "protocol": "TCP", "nodePort": 30002}]));
}

#[test]
fn a_variable_that_a_chart_names_twice_stays_twice() {
    let twice = |last: &str| {
        containers(
            &json!([{"name": "a", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": last}]}]),
        )
    };
    assert_eq!(spec("Deployment", &twice("2"), &twice("3"), &twice("2")), twice("3"));
}

#[test]
fn of_several_kinds_of_a_volume_and_a_strategy_one_is_left() {
    let rolling = json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}});
    let recreate = json!({"strategy": {"type": "Recreate"}});
    assert_eq!(spec("Deployment", &json!({}), &recreate, &rolling), recreate);
    let unchanged = json!({"strategy": {"type": "RollingUpdate"}});
    assert_eq!(
        spec("Deployment", &unchanged, &unchanged, &rolling),
        rolling,
        "defaults stay where nothing changes"
    );
    let volume = |of: &Value| json!({"volumes": [of]});
    let merged = spec(
        "Pod",
        &Value::Null,
        &volume(&json!({"name": "v", "secret": {"secretName": "s"}})),
        &volume(&json!({"name": "v", "emptyDir": {}})),
    );
    assert_eq!(merged, volume(&json!({"name": "v", "secret": {"secretName": "s"}})));
}

#[test]
fn a_budgets_selector_is_one_value() {
    let selector = |labels: &Value| json!({"selector": {"matchLabels": labels}});
    let merged = spec(
        "PodDisruptionBudget",
        &Value::Null,
        &selector(&json!({"app": "b"})),
        &selector(&json!({"app": "a", "tier": "x"})),
    );
    assert_eq!(merged, selector(&json!({"app": "b"})));
}

#[test]
fn lists_without_keys_and_those_of_custom_resources_are_one_value() {
    let wanted = json!({"tolerations": [{"key": "a"}]});
    let live = json!({"tolerations": [{"key": "a"}, {"key": "theirs"}]});
    assert_eq!(spec("Pod", &wanted, &wanted, &live), wanted);
    let wanted = json!({"containers": [{"name": "a"}], "size": 3});
    let live = json!({"containers": [{"name": "a"}, {"name": "theirs"}], "size": 1, "theirs": true});
    let merged = spec("Machine", &json!({"size": 1, "gone": 1}), &wanted, &live);
    assert_eq!(merged, json!({"containers": [{"name": "a"}], "size": 3, "theirs": true}));
}

#[test]
fn finalizers_are_a_set_and_owners_are_known_by_their_ids() {
    let object = |finalizers: &[&str]| json!({"apiVersion": "example.com/v1", "kind": "Machine", "metadata": {"name": "a", "finalizers": finalizers}});
    let merged = after(&object(&["old"]), &object(&["new"]), &object(&["theirs", "old"]));
    assert_eq!(merged["metadata"]["finalizers"], json!(["new", "theirs"]));
}

#[test]
fn null_asks_for_a_field_not_to_be_there_and_what_the_server_keeps_means_nothing() {
    let mut wanted = of("Service", &json!({"type": "ClusterIP", "sessionAffinity": null}));
    wanted["metadata"]["creationTimestamp"] = Value::Null;
    wanted["metadata"]["namespace"] = json!("shop");
    let mut live = of("Service", &json!({"type": "ClusterIP", "sessionAffinity": "None"}));
    live["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    let merged = after(&Value::Null, &wanted, &live);
    assert_eq!(merged["spec"], json!({"type": "ClusterIP"}));
    assert_eq!(merged["metadata"]["creationTimestamp"], live["metadata"]["creationTimestamp"]);
    assert_eq!(merged["metadata"].get("namespace"), None);
}

#[test]
fn what_any_of_several_manifests_named_goes() {
    let deployed = of("Deployment", &json!({"paused": true, "replicas": 1}));
    let failed = of("Deployment", &json!({"minReadySeconds": 5, "replicas": 2}));
    let said = union(&[&failed, &deployed]);
    let live = of("Deployment", &json!({"paused": true, "minReadySeconds": 5, "replicas": 2, "theirs": 1}));
    let merged = after(&said, &of("Deployment", &json!({"replicas": 1})), &live);
    assert_eq!(merged["spec"], json!({"replicas": 1, "theirs": 1}));
}
