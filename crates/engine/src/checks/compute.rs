//! Nova's check point: its services are up on their hosts, and each node's hypervisor is known to the API and to
//! Placement, without which the scheduler finds no node.

use std::collections::BTreeMap;

use landfall_openstack::{Compute, ComputeService, Error, Hypervisor, Placement, Provider};

use super::Tried;
use super::table::aligned;

const COMPUTE: &str = "nova-compute";
/// Of each of these one is enough.
const CONTROL: [&str; 2] = ["nova-conductor", "nova-scheduler"];

/// What was listed.
struct Seen {
    services: Vec<ComputeService>,
    hypervisors: Vec<Hypervisor>,
    providers: Vec<Provider>,
    /// Names of the servers on computes that have stopped reporting, by host.
    stranded: BTreeMap<String, Vec<String>>,
}

pub(super) async fn services(compute: &Compute, placement: &Placement, hosts: &[String]) -> Tried {
    match seen(compute, placement).await {
        Ok(seen) => judge(seen, hosts),
        Err(error) => Tried::NotYet(error.to_string()),
    }
}

async fn seen(compute: &Compute, placement: &Placement) -> Result<Seen, Error> {
    let (services, hypervisors, providers) =
        tokio::try_join!(compute.services(), compute.hypervisors(), placement.providers())?;
    let mut stranded = BTreeMap::new();
    for silent in services.iter().filter(|one| one.binary == COMPUTE && one.state != "up") {
        stranded.insert(silent.host.clone(), compute.servers_on(&silent.host).await?);
    }
    Ok(Seen { services, hypervisors, providers, stranded })
}

fn judge(mut seen: Seen, hosts: &[String]) -> Tried {
    seen.services.sort_by(|a, b| (&a.binary, &a.host).cmp(&(&b.binary, &b.host)));
    let mut wrong = Vec::new();
    for binary in CONTROL {
        if !seen.services.iter().any(|service| service.binary == binary && service.state == "up") {
            wrong.push(format!("no {binary} is up"));
        }
    }
    for host in hosts {
        wrong.extend(lacking(&seen, host));
    }
    if wrong.is_empty() {
        Tried::Passed(table(&seen))
    } else {
        Tried::NotYet(format!("{}\n{}", wrong.join("; "), table(&seen)))
    }
}

/// The first thing that keeps servers off a host.
fn lacking(seen: &Seen, host: &str) -> Option<String> {
    let service = seen.services.iter().find(|one| one.binary == COMPUTE && one.host == host);
    let Some(service) = service else {
        return Some(format!("{COMPUTE} on {host} has not registered"));
    };
    if service.state != "up" {
        let servers = seen.stranded.get(host).map(Vec::as_slice).unwrap_or_default();
        let of_servers = match servers {
            [] => "no server is on it".to_owned(),
            [one] => format!("server {one} is on it"),
            several => format!("{} servers are on it: {}", several.len(), several.join(", ")),
        };
        return Some(format!("{COMPUTE} on {host} has stopped reporting; {of_servers}"));
    }
    if service.status != "enabled" {
        let why = service.disabled_reason.as_deref().unwrap_or("no reason given");
        return Some(format!("{COMPUTE} on {host} is {}: {why}", service.status));
    }
    let Some(hypervisor) = seen.hypervisors.iter().find(|one| one.service.host == host) else {
        return Some(format!("{host} was not mapped to a cell yet"));
    };
    let known = seen.providers.iter().any(|provider| provider.name == hypervisor.name);
    (!known).then(|| format!("Placement does not know {}", hypervisor.name))
}

/// The columns that tell something, as the `openstack` command has them.
fn table(seen: &Seen) -> String {
    let head = ["Binary", "Host", "Zone", "Status", "State", "Hypervisor"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head)
        .chain(seen.services.iter().map(|one| {
            let hypervisor = seen
                .hypervisors
                .iter()
                .find(|known| one.binary == COMPUTE && known.service.host == one.host)
                .map(|known| format!("{} {}", known.kind, known.name));
            [
                one.binary.clone(),
                one.host.clone(),
                one.zone.clone(),
                one.status.clone(),
                one.state.clone(),
                hypervisor.unwrap_or_default(),
            ]
        }))
        .collect();
    aligned(&rows)
}

#[cfg(test)]
mod tests {
    use landfall_openstack::HypervisorService;

    use super::*;

    fn service(binary: &str, host: &str, state: &str) -> ComputeService {
        ComputeService {
            binary: binary.into(),
            host: host.into(),
            zone: if binary == COMPUTE { "nova" } else { "internal" }.into(),
            status: "enabled".into(),
            state: state.into(),
            disabled_reason: None,
        }
    }

    fn whole() -> Seen {
        Seen {
            services: vec![
                service("nova-scheduler", "k1", "up"),
                service("nova-conductor", "k1", "up"),
                service(COMPUTE, "k2", "up"),
            ],
            hypervisors: vec![Hypervisor {
                name: "k2.example".into(),
                kind: "QEMU".into(),
                state: "up".into(),
                service: HypervisorService { host: "k2".into() },
            }],
            providers: vec![Provider { uuid: "1".into(), name: "k2.example".into() }],
            stranded: BTreeMap::new(),
        }
    }

    fn told(change: impl FnOnce(&mut Seen)) -> (bool, String) {
        let mut seen = whole();
        change(&mut seen);
        match judge(seen, &["k2".to_owned()]) {
            Tried::Passed(text) => (true, text),
            Tried::NotYet(text) | Tried::Never(text) => {
                (false, text.lines().next().unwrap_or_default().to_owned())
            }
        }
    }

    #[test]
    fn all_services_are_up_and_every_node_is_known() {
        let (passed, table) = told(|_| {});
        assert!(passed);
        insta::assert_snapshot!(table, @r"
        Binary         | Host | Zone     | Status  | State | Hypervisor
        nova-compute   | k2   | nova     | enabled | up    | QEMU k2.example
        nova-conductor | k1   | internal | enabled | up    |
        nova-scheduler | k1   | internal | enabled | up    |
        ");
    }

    #[test]
    fn the_first_thing_that_keeps_servers_off_a_node_is_told() {
        let wrong = |change: fn(&mut Seen)| {
            let (passed, text) = told(change);
            assert!(!passed, "{text}");
            text
        };
        assert_eq!(wrong(|seen| seen.services.truncate(2)), "nova-compute on k2 has not registered");
        assert_eq!(
            wrong(|seen| seen.services[2].state = "down".into()),
            "nova-compute on k2 has stopped reporting; no server is on it"
        );
        assert_eq!(
            wrong(|seen| {
                seen.services[2].state = "down".into();
                seen.stranded.insert("k2".into(), vec!["web".into(), "db".into()]);
            }),
            "nova-compute on k2 has stopped reporting; 2 servers are on it: web, db"
        );
        assert_eq!(
            wrong(|seen| {
                seen.services[2].status = "disabled".into();
                seen.services[2].disabled_reason = Some("AUTO: Connection to libvirt lost".into());
            }),
            "nova-compute on k2 is disabled: AUTO: Connection to libvirt lost"
        );
        assert_eq!(wrong(|seen| seen.hypervisors.clear()), "k2 was not mapped to a cell yet");
        assert_eq!(wrong(|seen| seen.providers.clear()), "Placement does not know k2.example");
        assert_eq!(wrong(|seen| seen.services[0].state = "down".into()), "no nova-scheduler is up");
    }
}
