//! The guide's steps as the cluster shows them: which are done, which not, and their check points.
//! Pure: from the blueprint, the plan that would be carried out now, and checks that were tried.

use std::collections::{BTreeMap, BTreeSet};

use landfall_catalog::blueprint::{Blueprint, CheckKind, Text};
use landfall_plan::model::{Action, Change, Plan, ReleaseState};
use serde::Serialize;

use crate::checks::CheckOutcome;

/// How far a step of the guide is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Everything is there, and no check point failed.
    Done,
    /// Begun, but something is not there yet.
    NotDone,
    /// Everything is there, but a check point does not hold.
    Failing,
    NotInstalled,
}

/// One number of the guide.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// `O04`
    pub guide: String,
    pub services: Vec<String>,
    pub title: Text,
    pub state: State,
    /// Ids of steps that `up` would still carry out.
    pub changes: Vec<String>,
    pub checks: Vec<Point>,
}

/// One check point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    pub id: String,
    pub title: Text,
    pub remedy: Text,
    /// None where it was not tried: its service is not there, or it makes things in the cloud.
    pub passed: Option<bool>,
    pub evidence: String,
}

/// Whether carrying out a check makes things in the cloud, though it removes them again. Such are for
/// `verify`, not for a look.
pub fn makes_things(kind: &CheckKind) -> bool {
    matches!(
        kind,
        CheckKind::GlanceImage { .. } | CheckKind::NetworkPorts { .. } | CheckKind::CinderVolume { .. }
    )
}

/// Services of which nothing is in the cluster yet, so that no check of theirs can hold. `releases` are
/// those that were found, by `namespace/name`.
pub fn absent(blueprint: &Blueprint, releases: &BTreeMap<String, ReleaseState>) -> BTreeSet<String> {
    blueprint
        .releases
        .iter()
        .filter(|release| !releases.contains_key(&format!("{}/{}", release.namespace, release.name)))
        .map(|release| release.service.clone())
        .collect()
}

/// All numbers that the catalog, the blueprint or the plan know, in order.
pub fn steps(
    blueprint: &Blueprint,
    plan: &Plan,
    releases: &BTreeMap<String, ReleaseState>,
    tried: &[CheckOutcome],
) -> Vec<Step> {
    let mut numbers: BTreeSet<&str> = landfall_catalog::services().iter().map(|s| s.guide).collect();
    numbers.extend(blueprint.checks.iter().map(|check| check.guide.as_str()));
    numbers.extend(plan.steps.iter().map(|step| step.guide.as_str()));
    numbers.remove("");
    numbers.into_iter().map(|number| one(number, blueprint, plan, releases, tried)).collect()
}

fn one(
    number: &str,
    blueprint: &Blueprint,
    plan: &Plan,
    releases: &BTreeMap<String, ReleaseState>,
    tried: &[CheckOutcome],
) -> Step {
    let checks: Vec<Point> = blueprint
        .checks
        .iter()
        .filter(|check| check.guide == number)
        .map(|check| {
            let outcome = tried.iter().find(|outcome| outcome.spec.id == check.id);
            Point {
                id: check.id.clone(),
                title: check.title.clone(),
                remedy: check.remedy.clone(),
                passed: outcome.map(|outcome| outcome.passed),
                evidence: outcome.map(|outcome| outcome.evidence.clone()).unwrap_or_default(),
            }
        })
        .collect();
    let own: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| step.guide == number && !matches!(step.action, Action::Check { .. }))
        .collect();
    let changes = own.iter().filter(|step| step.change != Change::None);
    let nothing_there = !own.is_empty() && own.iter().all(|step| is_absent(step));
    let state = if (own.is_empty() && checks.is_empty()) || nothing_there {
        State::NotInstalled
    } else if checks.iter().any(|check| check.passed == Some(false)) {
        State::Failing
    } else if own.iter().any(|step| step.change == Change::Create || unfinished(&step.action, releases)) {
        State::NotDone
    } else {
        State::Done
    };
    Step {
        guide: number.to_owned(),
        services: services(number, blueprint, plan),
        title: title(number, &checks),
        state,
        changes: changes.map(|step| step.id.clone()).collect(),
        checks,
    }
}

/// Whether nothing of what a step makes is there. What only waits tells nothing.
fn is_absent(step: &landfall_plan::model::Step) -> bool {
    step.change == Change::Create || matches!(step.action, Action::Ready { .. })
}

/// A release that was begun and not brought to its end.
fn unfinished(action: &Action, releases: &BTreeMap<String, ReleaseState>) -> bool {
    match action {
        Action::Apply { release, namespace } => {
            releases.get(&format!("{namespace}/{release}")).is_none_or(|state| state.status != "deployed")
        }
        _ => false,
    }
}

/// Those that have this number, those whose checks do, and those that wait for what it prepares.
fn services(number: &str, blueprint: &Blueprint, plan: &Plan) -> Vec<String> {
    let known = landfall_catalog::services().iter();
    let mut names: Vec<String> =
        known.filter(|service| service.guide == number).map(|service| service.name.to_owned()).collect();
    let of_checks = blueprint.checks.iter().filter(|check| check.guide == number).map(|c| &c.service);
    let of_wants =
        blueprint.prerequisites.iter().filter(|wanted| wanted.guide == number).flat_map(|w| &w.services);
    let of_steps = plan.steps.iter().filter(|step| step.guide == number).map(|step| &step.service);
    let mut add = |name: &String| {
        if !names.contains(name) {
            names.push(name.clone());
        }
    };
    of_checks.for_each(&mut add);
    of_wants.for_each(&mut add);
    if names.is_empty() {
        of_steps.for_each(|name| {
            if !names.contains(name) {
                names.push(name.clone());
            }
        });
    }
    names
}

/// What the service is; what is no service of its own is called by its first check point.
fn title(number: &str, checks: &[Point]) -> Text {
    let service = landfall_catalog::services().iter().find(|service| service.guide == number);
    match (service, checks.first()) {
        (Some(service), _) => Text::new(service.summary_en, service.summary_ko),
        (None, Some(check)) => check.title.clone(),
        (None, None) => Text::new("", ""),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use landfall_catalog::blueprint::CheckSpec;

    use super::*;

    fn check(id: &str, guide: &str) -> CheckSpec {
        CheckSpec {
            id: id.into(),
            service: id.split('/').next().unwrap().into(),
            guide: guide.into(),
            title: Text::new(format!("{id} holds"), ""),
            remedy: Text::new("", ""),
            kind: CheckKind::CorednsRole,
        }
    }

    fn step(id: &str, guide: &str, change: Change) -> landfall_plan::model::Step {
        let service = id.split('/').next().unwrap().to_owned();
        let (release, namespace) = (service.clone(), "openstack".to_owned());
        let action = if id.ends_with("/ready") {
            Action::Ready { release, namespace }
        } else {
            Action::Apply { release, namespace }
        };
        landfall_plan::model::Step {
            id: id.into(),
            service,
            guide: guide.into(),
            needs: Vec::new(),
            action,
            change,
            weight: 1,
        }
    }

    fn blueprint(checks: Vec<CheckSpec>) -> Blueprint {
        Blueprint {
            cloud: "c".into(),
            domain: "d".into(),
            namespace: "openstack".into(),
            prerequisites: Vec::new(),
            releases: Vec::new(),
            checks,
        }
    }

    /// The state of O04 with its release in `status` (none: no record), its change, and what its check showed.
    fn state(status: Option<&str>, change: Change, passed: Option<bool>) -> State {
        let spec = check("mariadb/live", "O04");
        let plan = Plan {
            steps: vec![step("mariadb/release", "O04", change), step("mariadb/ready", "O04", Change::Update)],
        };
        let releases = status
            .map(|status| {
                let state = ReleaseState { revision: 1, status: status.into(), digest: String::new() };
                ("openstack/mariadb".to_owned(), state)
            })
            .into_iter()
            .collect();
        let tried: Vec<CheckOutcome> = passed
            .map(|passed| CheckOutcome {
                spec: spec.clone(),
                passed,
                settled: true,
                evidence: "seen".into(),
                took: Duration::ZERO,
            })
            .into_iter()
            .collect();
        let steps = steps(&blueprint(vec![spec]), &plan, &releases, &tried);
        steps.into_iter().find(|step| step.guide == "O04").unwrap().state
    }

    #[test]
    fn a_step_is_done_when_all_is_there_and_no_check_point_failed() {
        assert_eq!(state(Some("deployed"), Change::None, Some(true)), State::Done);
        // `up` would change its values, but it is there and holds.
        assert_eq!(state(Some("deployed"), Change::Update, Some(true)), State::Done);
        assert_eq!(state(Some("deployed"), Change::None, None), State::Done);
    }

    #[test]
    fn a_step_is_failing_not_done_or_not_installed() {
        assert_eq!(state(Some("deployed"), Change::None, Some(false)), State::Failing);
        assert_eq!(state(Some("pending-install"), Change::Update, None), State::NotDone);
        assert_eq!(state(None, Change::Create, None), State::NotInstalled);
    }

    #[test]
    fn the_numbers_are_those_of_the_catalog_and_of_what_is_no_service() {
        let steps = steps(
            &blueprint(vec![check("coredns/rbac", "O02"), check("openstackclient/pods", "")]),
            &Plan::default(),
            &BTreeMap::new(),
            &[],
        );
        let numbers: Vec<&str> = steps.iter().map(|step| step.guide.as_str()).collect();
        let mut known: Vec<&str> =
            landfall_catalog::services().iter().map(|s| s.guide).filter(|guide| !guide.is_empty()).collect();
        known.push("O02");
        known.sort_unstable();
        known.dedup();
        assert_eq!(numbers, known);
        let coredns = steps.iter().find(|step| step.guide == "O02").unwrap();
        assert_eq!(
            (coredns.services.as_slice(), coredns.title.en.as_str()),
            (&["coredns".to_owned()][..], "coredns/rbac holds")
        );
    }

    #[test]
    fn a_service_without_a_release_can_not_hold_its_checks() {
        let mut blueprint = blueprint(Vec::new());
        for name in ["mariadb", "rabbitmq"] {
            blueprint.releases.push(landfall_catalog::blueprint::ReleaseSpec {
                service: name.into(),
                name: name.into(),
                namespace: "openstack".into(),
                chart: name.into(),
                values: serde_json::Value::Null,
            });
        }
        let there = ReleaseState { revision: 1, status: "deployed".into(), digest: String::new() };
        let releases = BTreeMap::from([("openstack/mariadb".to_owned(), there)]);
        assert_eq!(absent(&blueprint, &releases), BTreeSet::from(["rabbitmq".to_owned()]));
    }
}
