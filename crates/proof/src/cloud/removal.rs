//! Everything that a proof made is found by its projects and its names, and removed; then Ceph, Open vSwitch and
//! libvirt themselves are asked whether something is left. The same finds what an interrupted proof left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use landfall_openstack::Api;
use serde_json::{Value, json};

use super::pods::{L3_AGENT, LIBVIRT, SWITCH};
use super::{RealCloud, list, text, told};
use crate::step::PREFIX;
use crate::wait::{Look, Waits, until};

/// Of all that is deleted of one kind.
const PATIENCE: Duration = Duration::from_mins(3);
/// Agents take away what is theirs within some seconds after the API did.
const SOON: Duration = Duration::from_mins(1);

impl RealCloud {
    /// Ids of this proof's projects.
    pub(super) async fn own_projects(&self) -> Result<Vec<String>, String> {
        let projects = self.projects().await?;
        let base = self.name("");
        Ok(projects
            .into_iter()
            .filter(|(name, _)| word_of(name) == word_of(&base))
            .map(|(_, id)| id)
            .collect())
    }

    /// Names and ids of all projects that proofs made.
    async fn projects(&self) -> Result<Vec<(String, String)>, String> {
        let listed = self.admin.identity.get("/projects").await.map_err(told)?;
        let named = list(&listed["projects"]).iter().map(|one| (text(&one["name"]), text(&one["id"])));
        Ok(named.filter(|(name, _)| name.starts_with(PREFIX)).collect())
    }

    /// Who calls this holds the proof's Lease: whatever is there has nobody any more.
    pub(super) async fn leftovers(&self, waits: Waits<'_>) -> Result<String, String> {
        self.remove_suites().await?;
        let projects = self.projects().await?;
        let mut words: BTreeSet<String> = projects.iter().filter_map(|(name, _)| word_of(name)).collect();
        words.extend(self.words_of_the_administrator().await?);
        if words.is_empty() {
            return Ok("nothing of an earlier proof".to_owned());
        }
        let ids: Vec<String> = projects.iter().map(|(_, id)| id.clone()).collect();
        self.remove_servers(&ids, waits).await?;
        self.remove_volumes(&ids, waits).await?;
        self.remove_images(&ids, waits).await?;
        self.remove_networks(&ids, waits).await?;
        for word in &words {
            self.remove_accounts(&format!("{PREFIX}{word}")).await?;
        }
        let names: Vec<String> = words.iter().map(|word| format!("{PREFIX}{word}")).collect();
        Ok(format!("removed what was left of {}", names.join(", ")))
    }

    /// Networks, flavors and images for all projects are in none of the proof's.
    async fn words_of_the_administrator(&self) -> Result<BTreeSet<String>, String> {
        let mut all = self.external_networks().await?;
        all.extend(self.public_images().await?);
        if let Ok(compute) = self.admin.compute() {
            let flavors = compute.get("/flavors?is_public=None").await.map_err(told)?;
            all.extend(list(&flavors["flavors"]).iter().cloned());
        }
        Ok(all.iter().filter_map(|one| word_of(&text(&one["name"]))).collect())
    }

    async fn public_images(&self) -> Result<Vec<Value>, String> {
        let all = self.admin.image.get("/v2/images?visibility=public&limit=1000").await.map_err(told)?;
        Ok(list(&all["images"])
            .iter()
            .filter(|one| word_of(&text(&one["name"])).is_some())
            .cloned()
            .collect())
    }

    async fn external_networks(&self) -> Result<Vec<Value>, String> {
        let listed = self.admin.network.get("/v2.0/networks?router:external=true").await.map_err(told)?;
        let ours = list(&listed["networks"]).iter().filter(|one| text(&one["name"]).starts_with(PREFIX));
        Ok(ours.cloned().collect())
    }

    pub(super) async fn remove_servers(
        &self,
        projects: &[String],
        waits: Waits<'_>,
    ) -> Result<String, String> {
        let Ok(compute) = self.admin.compute() else { return Ok("the cloud has no servers".to_owned()) };
        let note = |id: &str| self.traces.server(id);
        self.remove("server", projects, waits, note, |project| {
            (compute, of_project("servers", project), "servers", "/servers".to_owned())
        })
        .await
    }

    /// First what stands on something else: backups, volumes of snapshots, snapshots.
    pub(super) async fn remove_volumes(
        &self,
        projects: &[String],
        waits: Waits<'_>,
    ) -> Result<String, String> {
        let Ok(volume) = self.admin.volume() else { return Ok("the cloud has no volumes".to_owned()) };
        self.remove_copies(projects, waits).await?;
        let mut seen = Vec::new();
        for (kind, plural) in [("backup", "backups"), ("snapshot", "snapshots"), ("volume", "volumes")] {
            // A snapshot goes with its volume, by whose id Ceph knows it.
            let note = |id: &str| {
                if kind != "snapshot" {
                    self.traces.block(id);
                }
            };
            let removed = self.remove(kind, projects, waits, note, |project| {
                (volume, of_project(plural, project), plural, format!("/{plural}"))
            });
            seen.push(removed.await?);
        }
        Ok(seen.join(", "))
    }

    /// Volumes that were made of a snapshot: while they are there, the snapshot may not go.
    async fn remove_copies(&self, projects: &[String], waits: Waits<'_>) -> Result<(), String> {
        let volume = self.admin.volume()?;
        for project in projects {
            let path = of_project("volumes", project);
            let copy = |one: &&Value| one["snapshot_id"].is_string();
            let found = volume.get(&path).await.map_err(told)?;
            for one in list(&found["volumes"]).iter().filter(copy) {
                let id = text(&one["id"]);
                self.traces.block(&id);
                volume.delete(&format!("/volumes/{id}")).await.map_err(told)?;
            }
            until(waits, PATIENCE, || async {
                match volume.get(&path).await {
                    Ok(found) => match list(&found["volumes"]).iter().filter(copy).count() {
                        0 => Look::Is(()),
                        left => Look::NotYet(format!("{left} volumes of snapshots are still there")),
                    },
                    Err(error) => Look::NotYet(error.to_string()),
                }
            })
            .await?;
        }
        Ok(())
    }

    pub(super) async fn remove_images(
        &self,
        projects: &[String],
        waits: Waits<'_>,
    ) -> Result<String, String> {
        let image = &self.admin.image;
        let path = |project: &String| format!("/v2/images?owner={project}&limit=100");
        let note = |id: &str| self.traces.block(id);
        // Those for all projects are the administrator's own.
        for one in self.public_images().await? {
            let id = text(&one["id"]);
            note(&id);
            image.delete(&format!("/v2/images/{id}")).await.map_err(told)?;
        }
        self.remove("image", projects, waits, note, |project| {
            (image, path(project), "images", "/v2/images".to_owned())
        })
        .await
    }

    pub(super) async fn remove_networks(
        &self,
        projects: &[String],
        waits: Waits<'_>,
    ) -> Result<String, String> {
        let network = &self.admin.network;
        let of = |kind: &str, project: &String| format!("/v2.0/{kind}?project_id={project}");
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for project in projects {
            let listed = async |kind: &str| network.get(&of(kind, project)).await.map_err(told);
            for one in list(&listed("floatingips").await?["floatingips"]) {
                network.delete(&format!("/v2.0/floatingips/{}", text(&one["id"]))).await.map_err(told)?;
                *counts.entry("floating IPs").or_default() += 1;
            }
            let ports = listed("ports").await?;
            for router in list(&listed("routers").await?["routers"]) {
                let id = text(&router["id"]);
                self.traces.namespace(&id);
                let legs = list(&ports["ports"]).iter().filter(|port| port["device_id"] == id.as_str());
                for leg in
                    legs.filter(|port| text(&port["device_owner"]).starts_with("network:router_interface"))
                {
                    let path = format!("/v2.0/routers/{id}/remove_router_interface");
                    network.put(&path, &json!({"port_id": leg["id"]})).await.map_err(told)?;
                }
                network.delete(&format!("/v2.0/routers/{id}")).await.map_err(told)?;
                *counts.entry("routers").or_default() += 1;
            }
            for port in list(&listed("ports").await?["ports"]) {
                self.traces.port(&text(&port["id"]));
                // Those of DHCP go with their network.
                if !text(&port["device_owner"]).starts_with("network:") {
                    network.delete(&format!("/v2.0/ports/{}", text(&port["id"]))).await.map_err(told)?;
                }
            }
            for one in list(&listed("networks").await?["networks"]) {
                self.traces.namespace(&text(&one["id"]));
                network.delete(&format!("/v2.0/networks/{}", text(&one["id"]))).await.map_err(told)?;
                *counts.entry("networks").or_default() += 1;
            }
            for group in list(&listed("security-groups").await?["security_groups"]) {
                network
                    .delete(&format!("/v2.0/security-groups/{}", text(&group["id"])))
                    .await
                    .map_err(told)?;
                *counts.entry("security groups").or_default() += 1;
            }
        }
        for one in self.external_networks().await? {
            let id = text(&one["id"]);
            self.traces.namespace(&id);
            network.delete(&format!("/v2.0/networks/{id}")).await.map_err(told)?;
            *counts.entry("external networks").or_default() += 1;
        }
        waits("all are deleted");
        let seen: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
        Ok(if seen.is_empty() { "there was none".to_owned() } else { seen.join(", ") })
    }

    /// Flavors, users and projects of these names.
    pub(super) async fn remove_accounts(&self, base: &str) -> Result<String, String> {
        let mut counts = Vec::new();
        let ours = |one: &&Value| word_of(&text(&one["name"])) == word_of(base);
        let identity = &self.admin.identity;
        let users = identity.get("/users").await.map_err(told)?;
        let users: Vec<&Value> = list(&users["users"]).iter().filter(ours).collect();
        if let Ok(compute) = self.admin.compute() {
            let flavors = compute.get("/flavors?is_public=None").await.map_err(told)?;
            let flavors: Vec<&Value> = list(&flavors["flavors"]).iter().filter(ours).collect();
            for flavor in &flavors {
                compute.delete(&format!("/flavors/{}", text(&flavor["id"]))).await.map_err(told)?;
            }
            counts.push(format!("{} flavors", flavors.len()));
            let mut pairs = 0;
            for user in &users {
                let user = text(&user["id"]);
                let listed = compute.get(&format!("/os-keypairs?user_id={user}")).await.map_err(told)?;
                for pair in list(&listed["keypairs"]) {
                    let name = text(&pair["keypair"]["name"]);
                    compute.delete(&format!("/os-keypairs/{name}?user_id={user}")).await.map_err(told)?;
                    pairs += 1;
                }
            }
            counts.push(format!("{pairs} key pairs"));
        }
        for user in &users {
            identity.delete(&format!("/users/{}", text(&user["id"]))).await.map_err(told)?;
        }
        counts.push(format!("{} users", users.len()));
        let projects = identity.get("/projects").await.map_err(told)?;
        let projects: Vec<&Value> = list(&projects["projects"]).iter().filter(ours).collect();
        for project in &projects {
            let id = text(&project["id"]);
            // Quotas outlive their project.
            for api in [self.admin.compute().ok(), self.admin.volume().ok()].into_iter().flatten() {
                api.delete(&format!("/os-quota-sets/{id}")).await.map_err(told)?;
            }
            identity.delete(&format!("/projects/{id}")).await.map_err(told)?;
        }
        counts.push(format!("{} projects", projects.len()));
        Ok(counts.join(", "))
    }

    /// Asks for the removal of all of a kind, and waits until the API shows none. `note` is told the id of each; `way`
    /// gives of a project: the API, where they are listed and under which key, and where one is.
    async fn remove<'a>(
        &self,
        kind: &str,
        projects: &[String],
        waits: Waits<'_>,
        note: impl Fn(&str) + Send,
        way: impl Fn(&String) -> (&'a Api, String, &'static str, String) + Send + Sync,
    ) -> Result<String, String> {
        let way = &way;
        let mut asked: BTreeSet<String> = BTreeSet::new();
        for project in projects {
            let (api, listed, plural, one) = way(project);
            for found in list(&api.get(&listed).await.map_err(told)?[plural]) {
                let id = text(&found["id"]);
                note(&id);
                api.delete(&format!("{one}/{id}")).await.map_err(told)?;
                asked.insert(id);
            }
        }
        for project in projects {
            until(waits, PATIENCE, || async {
                let (api, listed, plural, _) = way(project);
                match api.get(&listed).await {
                    Ok(found) => left(kind, list(&found[plural])),
                    Err(error) => Look::NotYet(error.to_string()),
                }
            })
            .await?;
        }
        Ok(match asked.len() {
            1 => format!("1 {kind}"),
            count => format!("{count} {kind}s"),
        })
    }

    /// What only those see who carry servers, networks and disks.
    pub(super) async fn nothing_left(&self, waits: Waits<'_>) -> Result<String, String> {
        let (blocks, switches, servers) =
            tokio::join!(self.blocks_gone(waits), self.ports_gone(waits), self.domains_gone(waits));
        let seen = [blocks, switches, servers];
        let wrong: Vec<&str> = seen.iter().filter_map(|one| one.as_ref().err().map(String::as_str)).collect();
        if !wrong.is_empty() {
            return Err(wrong.join("\n"));
        }
        Ok(seen.into_iter().flatten().collect::<Vec<_>>().join("\n"))
    }

    async fn blocks_gone(&self, waits: Waits<'_>) -> Result<String, String> {
        let ids = self.traces.all().blocks;
        until(waits, SOON, || async {
            match self.blocks().await {
                Ok(None) => {
                    Look::Is(format!("Ceph was not looked into: {} has no toolbox", self.setting.rook))
                }
                Ok(Some(pools)) => {
                    let of = |pool: &String, names: &Vec<String>| {
                        let ours = names.iter().filter(|name| ids.iter().any(|id| name.contains(id)));
                        ours.map(|name| format!("{pool}/{name}")).collect::<Vec<_>>()
                    };
                    let left: Vec<String> = pools.iter().flat_map(|(pool, names)| of(pool, names)).collect();
                    if left.is_empty() {
                        let pools = pools.into_keys().collect::<Vec<_>>().join(", ");
                        Look::Is(format!(
                            "Ceph: none of {} images, volumes and backups is in {pools}",
                            ids.len()
                        ))
                    } else {
                        Look::NotYet(format!("Ceph still has {}", left.join(", ")))
                    }
                }
                Err(why) => Look::Never(why),
            }
        })
        .await
    }

    async fn ports_gone(&self, waits: Waits<'_>) -> Result<String, String> {
        let ids = self.traces.all();
        until(waits, SOON, || async {
            match self.on_switches().await {
                Ok((nodes, text)) => {
                    let ours = ids.ports.iter().chain(&ids.namespaces).filter(|id| text.contains(id.as_str()));
                    let left: Vec<&str> = ours.map(String::as_str).collect();
                    if left.is_empty() {
                        let (ports, namespaces) = (ids.ports.len(), ids.namespaces.len());
                        Look::Is(format!(
                            "Open vSwitch: none of {ports} ports on {nodes}, nor a namespace of {namespaces} networks and routers"
                        ))
                    } else {
                        Look::NotYet(format!("the switch or its namespaces still have {}", left.join(", ")))
                    }
                }
                Err(why) => Look::Never(why),
            }
        })
        .await
    }

    /// All that the switches know of ports, and the names of the network namespaces.
    async fn on_switches(&self) -> Result<(String, String), String> {
        let mut all = String::new();
        let switches = self.by_node(SWITCH).await?;
        for pod in switches.values() {
            let ports = ["ovs-vsctl", "--columns=external_ids", "list", "Interface"];
            all.push_str(&self.said(SWITCH, pod, &ports).await?);
        }
        for pod in self.by_node(L3_AGENT).await?.values() {
            all.push_str(&self.said(L3_AGENT, pod, &["ip", "netns", "list"]).await?);
        }
        Ok((switches.into_keys().collect::<Vec<_>>().join(", "), all))
    }

    async fn domains_gone(&self, waits: Waits<'_>) -> Result<String, String> {
        let ids = self.traces.all().servers;
        if ids.is_empty() {
            return Ok("libvirt: no server was made".to_owned());
        }
        until(waits, SOON, || async {
            match self.domains().await {
                Ok((nodes, known)) => {
                    let left: Vec<&str> =
                        ids.iter().filter(|id| known.contains(id.as_str())).map(String::as_str).collect();
                    if left.is_empty() {
                        Look::Is(format!("libvirt: none of {} servers on {nodes}", ids.len()))
                    } else {
                        Look::NotYet(format!("libvirt still has {}", left.join(", ")))
                    }
                }
                Err(why) => Look::Never(why),
            }
        })
        .await
    }

    /// Ids of all domains, running or not.
    async fn domains(&self) -> Result<(String, String), String> {
        let pods = self.by_node(LIBVIRT).await?;
        let mut all = String::new();
        for pod in pods.values() {
            let command = ["virsh", "-c", "qemu:///system", "list", "--all", "--uuid"];
            all.push_str(&self.said(LIBVIRT, pod, &command).await?);
        }
        Ok((pods.into_keys().collect::<Vec<_>>().join(", "), all))
    }
}

fn of_project(plural: &str, project: &str) -> String {
    format!("/{plural}/detail?all_tenants=1&project_id={project}")
}

/// Whether all of a kind are gone.
fn left(kind: &str, found: &[Value]) -> Look<()> {
    if found.is_empty() {
        return Look::Is(());
    }
    let shown: Vec<String> =
        found.iter().map(|one| format!("{} ({})", text(&one["id"]), text(&one["status"]))).collect();
    Look::NotYet(format!("{} {kind}(s) still there: {}", found.len(), shown.join(", ")))
}

/// The word of the proof that made what is named so.
fn word_of(name: &str) -> Option<String> {
    let rest = name.strip_prefix(PREFIX)?;
    let word = rest.split('-').next().unwrap_or_default();
    (!word.is_empty()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proof_made_is_known_by_its_word() {
        assert_eq!(word_of("landfall-proof-1a2b").as_deref(), Some("1a2b"));
        assert_eq!(word_of("landfall-proof-1a2b-external").as_deref(), Some("1a2b"));
        assert_eq!(word_of("landfall-proof-"), None);
        assert_eq!(word_of("landfall-check-1a2b"), None);
        assert_eq!(word_of("demo"), None);
    }

    #[test]
    fn what_is_left_is_named_with_its_state() {
        let said = match left("volume", &[json!({"id": "1", "status": "error_deleting"})]) {
            Look::NotYet(said) => said,
            Look::Is(()) | Look::Never(_) => String::new(),
        };
        assert_eq!(said, "1 volume(s) still there: 1 (error_deleting)");
        assert!(matches!(left("volume", &[]), Look::Is(())));
    }
}
