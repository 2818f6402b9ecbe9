//! Plans of scripted clouds, as people read them. `err_*` are those that can not be planned.
#![allow(clippy::unwrap_used)]

use landfall_plan::model::{Change, Plan};
use landfall_plan::order::ways_to_end;
use landfall_plan::plan;

fn shown(plan: &Plan) -> String {
    let ways = ways_to_end(plan);
    let mut text = String::new();
    for step in &plan.steps {
        let change = match step.change {
            Change::Create => "create",
            Change::Update => "update",
            Change::Replace => "replace",
            Change::None => "-",
        };
        text.push_str(&format!("{:<40} {change:<8} {:>4}s\n", step.id, ways[&step.id]));
        for need in &step.needs {
            text.push_str(&format!("    after {need}\n"));
        }
    }
    text
}

#[test]
fn plans_of_scripted_clouds() {
    insta::glob!("../fixtures", "*.yaml", |path| {
        let mut text = std::fs::read_to_string(path).unwrap();
        // The digest of a release is known when it is rendered.
        let first = landfall_testkit::cloud(&text);
        if let Some(keystone) = first.releases.iter().find(|r| r.name == "keystone") {
            text = text.replace("SAME", &keystone.digest);
        }
        let cloud = landfall_testkit::cloud(&text);
        let planned = plan(&cloud.blueprint, &cloud.releases, &cloud.snapshot, &cloud.options);
        insta::assert_snapshot!(match planned {
            Ok(plan) => shown(&plan),
            Err(error) => format!("error: {error}\n"),
        });
    });
}

#[test]
fn the_same_input_gives_the_same_plan() {
    let cloud = landfall_testkit::cloud(include_str!("../fixtures/first-install.yaml"));
    let one = plan(&cloud.blueprint, &cloud.releases, &cloud.snapshot, &cloud.options).unwrap();
    let two = plan(&cloud.blueprint, &cloud.releases, &cloud.snapshot, &cloud.options).unwrap();
    assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&two).unwrap());
}

#[test]
fn a_cloud_that_is_as_wanted_needs_no_change() {
    let text = include_str!("../fixtures/first-install.yaml");
    let first = landfall_testkit::cloud(text);
    let mut after = first.clone();
    for release in &first.releases {
        for object in &release.objects {
            after.snapshot.objects.insert(landfall_plan::object::key(object, "openstack"), object.clone());
        }
        for hook in &release.hooks {
            let mut job = hook.object.clone();
            job["status"] =
                serde_json::json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]});
            after.snapshot.objects.insert(landfall_plan::object::key(&job, "openstack"), job);
        }
        let state = landfall_plan::model::ReleaseState {
            revision: 1,
            status: "deployed".into(),
            digest: release.digest.clone(),
        };
        after.snapshot.releases.insert(format!("openstack/{}", release.name), state);
    }
    after.blueprint.prerequisites.clear();
    let plan_of = |cloud: &landfall_testkit::Cloud| {
        plan(&cloud.blueprint, &cloud.releases, &cloud.snapshot, &cloud.options).unwrap()
    };
    assert_eq!(plan_of(&after).changes(), 0);
    // An object that someone deleted comes back, and nothing else is touched.
    after.snapshot.objects.remove("StatefulSet/openstack/memcached-memcached");
    let changed: Vec<String> =
        plan_of(&after).steps.into_iter().filter(|s| s.change != Change::None).map(|s| s.id).collect();
    assert_eq!(changed, ["memcached/release", "memcached/ready"]);
    // So does a job that pods would wait for.
    let mut lacking = after.clone();
    lacking.snapshot.objects.remove("Job/openstack/keystone-db-sync");
    assert!(
        plan_of(&lacking).step("keystone/job/keystone-db-sync").is_some_and(|s| s.change == Change::Create)
    );
}
