//! Servers: made, seen by their console, rebooted, moved.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_openstack::{Error, sha256};
use serde_json::{Value, json};

use super::{PATIENCE, RealCloud, keep, known, list, text, told};
use crate::console::Console;
use crate::schedule::Seen;
use crate::wait::{Look, Waits, refused, until};

/// Enough for a kernel, busybox and a page cache; a server's memory is used up by emulation whole.
const MEMORY_MIB: u32 = 192;

/// A public key, as Nova made it.
#[derive(Debug)]
pub(super) struct Key {
    name: String,
    /// SHA-256 of its type and body: what the guest says of what it was given.
    digest: String,
}

/// A server of the proof.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub id: String,
    /// Its address in the member's network.
    pub address: String,
    pub port: String,
    /// In its user data.
    pub word: String,
    /// What it writes into empty disks.
    pub write: String,
}

impl RealCloud {
    pub(super) async fn flavors(&self) -> Result<String, String> {
        let compute = self.admin.compute()?;
        let mut seen = Vec::new();
        for (what, memory, fact) in
            [("", MEMORY_MIB, &self.facts.flavor), ("larger", MEMORY_MIB + 64, &self.facts.larger)]
        {
            let name = self.name(what);
            let body = json!({"flavor": {"name": name, "ram": memory, "vcpus": 1, "disk": 1}});
            let made = compute.post("/flavors", &body).await.map_err(told)?;
            keep(fact, text(&made["flavor"]["id"]));
            seen.push(format!("{name}: {memory} MiB, 1 VCPU, 1 GiB"));
        }
        Ok(seen.join("\n"))
    }

    pub(super) async fn keypair(&self) -> Result<String, String> {
        let name = self.name("");
        let body = json!({"keypair": {"name": name}});
        let made = self.member()?.compute()?.post("/os-keypairs", &body).await.map_err(told)?;
        let pair = &made["keypair"];
        let public = text(&pair["public_key"]);
        let plain: Vec<&str> = public.split_whitespace().take(2).collect();
        // The private half is in the answer, and goes nowhere from here.
        if plain.len() < 2 || pair["private_key"].as_str().is_none_or(str::is_empty) {
            return Err("Nova gave no pair of keys".to_owned());
        }
        keep(&self.facts.key, Key { name, digest: sha256(plain.join(" ").as_bytes()) });
        Ok(format!("{} key, fingerprint {}", plain[0], text(&pair["fingerprint"])))
    }

    pub(super) async fn first_server(&self, waits: Waits<'_>) -> Result<String, String> {
        let write = format!("landfall-{:032x}", rand::random::<u128>());
        let (server, seen) = self.server("first", &write, self.booted_from_image()?, waits).await?;
        keep(&self.facts.first, server);
        Ok(seen)
    }

    pub(super) async fn second_server(&self, waits: Waits<'_>) -> Result<String, String> {
        let (server, seen) = self.server("second", "", self.booted_from_image()?, waits).await?;
        keep(&self.facts.second, server);
        Ok(seen)
    }

    fn booted_from_image(&self) -> Result<Value, String> {
        Ok(json!({"imageRef": known(&self.facts.disk)?}))
    }

    /// What every server of the proof has; `boots` says from what.
    pub(super) fn server_body(&self, what: &str, user_data: &str, boots: Value) -> Result<Value, String> {
        let mut body = json!({
            "name": self.name(what),
            "flavorRef": known(&self.facts.flavor)?,
            "networks": [{"uuid": known(&self.facts.network)?}],
            "security_groups": [{"name": self.name("")}],
            "key_name": known(&self.facts.key)?.name,
            "user_data": STANDARD.encode(user_data),
        });
        if let (Some(body), Value::Object(boots)) = (body.as_object_mut(), boots) {
            body.extend(boots);
        }
        Ok(json!({"server": body}))
    }

    /// Made and ACTIVE.
    pub(super) async fn server(
        &self,
        what: &str,
        write: &str,
        boots: Value,
        waits: Waits<'_>,
    ) -> Result<(Server, String), String> {
        let word = format!("{:016x}", rand::random::<u64>());
        let user_data = format!("#landfall\nword={word}\nwrite={write}\n");
        let body = self.server_body(what, &user_data, boots)?;
        let made = self.member()?.compute()?.post("/servers", &body).await.map_err(told)?;
        let id = text(&made["server"]["id"]);
        self.traces.server(&id);
        let server = self.until_status(&id, "ACTIVE", waits).await?;
        let ports = format!("/v2.0/ports?device_id={id}");
        let ports = self.member()?.network.get(&ports).await.map_err(told)?;
        let Some(port) = list(&ports["ports"]).first() else {
            return Err(format!("server {id} has no port"));
        };
        self.traces.port(&text(&port["id"]));
        let address = text(&port["fixed_ips"][0]["ip_address"]);
        let seen = format!("{} ({id}) with {address} on {}", text(&server["name"]), self.host(&id).await?);
        let (port, write) = (text(&port["id"]), write.to_owned());
        Ok((Server { id, address, port, word, write }, seen))
    }

    /// The compute that it runs on: only the administrator is told.
    pub(super) async fn host(&self, id: &str) -> Result<String, String> {
        let shown = self.admin.compute()?.get(&format!("/servers/{id}")).await.map_err(told)?;
        Ok(text(&shown["server"]["OS-EXT-SRV-ATTR:host"]))
    }

    /// Waits until the server has this status and nothing is being done to it.
    pub(super) async fn until_status(
        &self,
        id: &str,
        wanted: &str,
        waits: Waits<'_>,
    ) -> Result<Value, String> {
        let compute = self.member()?.compute()?;
        let path = format!("/servers/{id}");
        until(waits, PATIENCE, || async {
            match compute.get(&path).await {
                Ok(mut shown) => judge(shown["server"].take(), wanted),
                Err(error) => refused(&error),
            }
        })
        .await
    }

    /// Reads the server's console until `seen` finds what it looks for.
    pub(super) async fn on_console<T: Send>(
        &self,
        server: &str,
        waits: Waits<'_>,
        seen: impl Fn(&Console) -> Option<Result<T, String>> + Send + Sync,
    ) -> Result<T, String> {
        let compute = self.member()?.compute()?;
        let path = format!("/servers/{server}/action");
        let body = json!({"os-getConsoleOutput": {}});
        let seen = &seen;
        until(waits, PATIENCE, || async {
            match compute.post(&path, &body).await {
                Ok(answer) => {
                    let console = Console::read(answer["output"].as_str().unwrap_or_default());
                    match seen(&console) {
                        Some(Ok(found)) => Look::Is(found),
                        Some(Err(wrong)) => Look::Never(wrong),
                        None => Look::NotYet(console.stage()),
                    }
                }
                // While a server is being made anew its console is not there.
                Err(Error::Status { status: 404 | 409, body, .. }) => Look::NotYet(body),
                Err(error) => refused(&error),
            }
        })
        .await
    }

    pub(super) async fn address(&self, waits: Waits<'_>) -> Result<String, String> {
        let server = known(&self.facts.first)?;
        let said = self.on_console(&server.id, waits, |console| console.address.clone().map(Ok)).await?;
        if said == server.address {
            Ok(format!("the guest says {said}, which Neutron gave its port"))
        } else {
            Err(format!("the guest says {said}; Neutron gave its port {}", server.address))
        }
    }

    pub(super) async fn metadata(&self, waits: Waits<'_>) -> Result<String, String> {
        let (server, key) = (known(&self.facts.first)?, known(&self.facts.key)?);
        let (uuid, digest) = self
            .on_console(&server.id, waits, |console| {
                Some(Ok((console.uuid.clone()?, console.key.clone().unwrap_or_default())))
            })
            .await?;
        if uuid != server.id {
            return Err(format!("the guest was given the metadata of {uuid}, and is {}", server.id));
        }
        if digest != key.digest {
            return Err(format!(
                "sha256 of the guest's key is {digest}, of the one that Nova made {}",
                key.digest
            ));
        }
        Ok(format!("the guest says that it is {uuid}, with the key of sha256 {digest}"))
    }

    pub(super) async fn user_data(&self, waits: Waits<'_>) -> Result<String, String> {
        let server = known(&self.facts.first)?;
        // What comes next needs its servers, too.
        let word = self
            .on_console(&server.id, waits, |console| {
                Some(Ok(console.word.clone().filter(|_| console.serves)?))
            })
            .await?;
        if word == server.word {
            Ok(format!("the guest says the word {word} of its user data"))
        } else {
            Err(format!("the guest says {word}; its user data has {}", server.word))
        }
    }

    /// Another boot of the same disk, with the same address.
    pub(super) async fn hard_reboot(&self, waits: Waits<'_>) -> Result<String, String> {
        let server = known(&self.facts.first)?;
        let at = |console: &Console| {
            let root = console.root.as_ref().filter(|_| console.serves)?;
            Some(Ok((console.boot.clone()?, root.boots, console.address.clone()?)))
        };
        let (before, boots, _) = self.on_console(&server.id, waits, at).await?;
        let body = json!({"reboot": {"type": "HARD"}});
        let path = format!("/servers/{}/action", server.id);
        self.member()?.compute()?.post(&path, &body).await.map_err(told)?;
        let anew = |console: &Console| {
            at(console).filter(|seen| seen.as_ref().is_ok_and(|(boot, ..)| *boot != before))
        };
        let (after, again, address) = self.on_console(&server.id, waits, anew).await?;
        self.until_status(&server.id, "ACTIVE", waits).await?;
        if again != boots + 1 {
            return Err(format!("its disk counts {again} boots after {boots}: it is not the same disk"));
        }
        if address != server.address {
            return Err(format!("it came back with {address}; before it had {}", server.address));
        }
        let answer = self.answers_from_router(server, waits).await?;
        Ok(format!("boot {before} became {after}; its disk counts {again} boots\n{answer}"))
    }

    /// Hosts whose compute takes servers.
    pub(super) async fn computes(&self) -> Result<Vec<String>, String> {
        let services = self.admin.compute()?.get("/os-services?binary=nova-compute").await.map_err(told)?;
        let all = list(&services["services"]).iter();
        let up = all.filter(|one| one["state"] == "up" && one["status"] == "enabled");
        Ok(up.map(|one| text(&one["host"])).collect())
    }

    /// Where there are two computes: to the other one, with another flavor, as its owner may.
    pub(super) async fn migration(&self, waits: Waits<'_>) -> Result<Seen, String> {
        let up = self.computes().await?;
        if up.len() < 2 {
            return Ok(Seen::NotApplicable(format!("there is one compute only: {}", up.join(", "))));
        }
        let server = known(&self.facts.second)?;
        let from = self.host(&server.id).await?;
        let path = format!("/servers/{}/action", server.id);
        let compute = self.member()?.compute()?;
        let body = json!({"resize": {"flavorRef": known(&self.facts.larger)?}});
        compute.post(&path, &body).await.map_err(told)?;
        self.until_moved(&server.id, waits).await?;
        let to = self.host(&server.id).await?;
        compute.post(&path, &json!({"confirmResize": null})).await.map_err(told)?;
        let shown = self.until_status(&server.id, "ACTIVE", waits).await?;
        let memory = shown["flavor"]["ram"].as_u64().unwrap_or_default();
        if memory != u64::from(MEMORY_MIB + 64) {
            return Err(format!("its flavor has {memory} MiB after the resize to {} MiB", MEMORY_MIB + 64));
        }
        let answer = self.answers_from_router(server, waits).await?;
        Ok(Seen::Holds(format!("from {from} to {to}, from {MEMORY_MIB} to {memory} MiB\n{answer}")))
    }

    /// Waits until a resize waits for its confirmation. One that does not come through leaves the server where it was,
    /// as if nothing had been asked for: the reason is in its list of actions.
    async fn until_moved(&self, id: &str, waits: Waits<'_>) -> Result<Value, String> {
        let (compute, begun) = (self.member()?.compute()?, AtomicBool::new(false));
        let (path, begun) = (format!("/servers/{id}"), &begun);
        until(waits, PATIENCE, || async {
            let mut shown = match compute.get(&path).await {
                Ok(shown) => shown,
                Err(error) => return refused(&error),
            };
            let server = shown["server"].take();
            let idle = server["OS-EXT-STS:task_state"].is_null();
            begun.fetch_or(server["status"] == "RESIZE" || !idle, Ordering::Relaxed);
            if server["status"] == "ACTIVE" && idle && begun.load(Ordering::Relaxed) {
                let why = self.last_trouble(id).await.unwrap_or_else(|why| why);
                return Look::Never(format!("the server stayed where it was: {why}"));
            }
            judge(server, "VERIFY_RESIZE")
        })
        .await
    }

    /// The last line of what the latest action ended with: only the administrator is told.
    async fn last_trouble(&self, id: &str) -> Result<String, String> {
        let compute = self.admin.compute()?;
        let actions = compute.get(&format!("/servers/{id}/os-instance-actions")).await.map_err(told)?;
        let Some(latest) = list(&actions["instanceActions"]).first() else { return Ok(String::new()) };
        let request = text(&latest["request_id"]);
        let shown =
            compute.get(&format!("/servers/{id}/os-instance-actions/{request}")).await.map_err(told)?;
        let events = list(&shown["instanceAction"]["events"]);
        let mut lines = events.iter().filter_map(|event| event["traceback"].as_str()?.lines().next_back());
        Ok(lines.next_back().unwrap_or_default().trim().to_owned())
    }
}

fn judge(server: Value, wanted: &str) -> Look<Value> {
    let (status, task) = (text(&server["status"]), text(&server["OS-EXT-STS:task_state"]));
    if status == wanted && task.is_empty() {
        return Look::Is(server);
    }
    if status == "ERROR" {
        let fault = text(&server["fault"]["message"]);
        return Look::Never(format!("the server is in ERROR: {fault}"));
    }
    Look::NotYet(if task.is_empty() {
        format!("the server is {status}")
    } else {
        format!("the server is {status} ({task})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(server: Value) -> String {
        match judge(server, "ACTIVE") {
            Look::Is(_) => "is".to_owned(),
            Look::NotYet(seen) => format!("not yet: {seen}"),
            Look::Never(seen) => format!("never: {seen}"),
        }
    }

    #[test]
    fn a_server_is_there_when_nothing_is_done_to_it_any_more() {
        assert_eq!(seen(json!({"status": "ACTIVE", "OS-EXT-STS:task_state": null})), "is");
        let building = json!({"status": "BUILD", "OS-EXT-STS:task_state": "spawning"});
        assert_eq!(seen(building), "not yet: the server is BUILD (spawning)");
        let rebooting = json!({"status": "ACTIVE", "OS-EXT-STS:task_state": "rebooting"});
        assert_eq!(seen(rebooting), "not yet: the server is ACTIVE (rebooting)");
        let failed = json!({"status": "ERROR", "fault": {"message": "No valid host was found."}});
        assert_eq!(seen(failed), "never: the server is in ERROR: No valid host was found.");
    }
}
