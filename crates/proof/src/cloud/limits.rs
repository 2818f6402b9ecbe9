//! What a member may not do: see what is another project's, have more than the quota.

use landfall_openstack::{Api, Error, Glance};
use serde_json::{Value, json};

use super::{RealCloud, known, list, text, told};

/// Servers at once, and GiB in all, that the project may have.
const SERVERS: u64 = 4;
const GIGABYTES: u64 = 20;

impl RealCloud {
    /// Each API refuses a member of another project, and shows none of it in lists.
    pub(super) async fn isolation(&self) -> Result<String, String> {
        let (member, stranger) = (self.member()?, known(&self.facts.stranger)?);
        let server = &known(&self.facts.first)?.id;
        let network = known(&self.facts.network)?;
        let mut asked: Vec<(&str, &Api, &Api, String, &str, &str)> = vec![
            ("server", member.compute()?, stranger.compute()?, server.clone(), "/servers", "servers"),
            ("network", &member.network, &stranger.network, network.clone(), "/v2.0/networks", "networks"),
            (
                "image",
                &member.image,
                &stranger.image,
                known(&self.facts.disk)?.clone(),
                "/v2/images",
                "images",
            ),
        ];
        if let Some(volume) = self.facts.volume.get() {
            let id = volume.id.clone();
            asked.push(("volume", member.volume()?, stranger.volume()?, id, "/volumes", "volumes"));
        }
        let mut seen = Vec::new();
        for (what, own, others, id, path, plural) in asked {
            let one = format!("{path}/{id}");
            own.get(&one).await.map_err(|error| format!("its owner does not see the {what}: {error}"))?;
            let status = refusal(others.get(&one).await, what)?;
            let listed = others.get(path).await.map_err(told)?;
            if list(&listed[plural]).iter().any(|found| found["id"] == id.as_str()) {
                return Err(format!("a member of another project finds the {what} {id} in a list"));
            }
            seen.push(format!("{what}: {status}, and in no list"));
        }
        // Nor may it ask for everybody's.
        let everybody = "/servers/detail?all_tenants=1";
        refusal(stranger.compute()?.get(everybody).await, "list of all projects' servers")?;
        let glance = Glance::new(stranger.image.web(), stranger.image.token());
        let id = known(&self.facts.disk)?;
        match glance.download(id).await {
            Err(error) if matches!(error.code(), Some(403 | 404)) => {}
            Err(error) => return Err(error.to_string()),
            Ok(_) => return Err(format!("a member of another project reads the bytes of image {id}")),
        }
        Ok(format!("to a member of another project: {}", seen.join("; ")))
    }

    /// What would go over it is refused, and nothing of it is made.
    pub(super) async fn quota(&self) -> Result<String, String> {
        let project = known(&self.facts.project)?;
        let path = format!("/os-quota-sets/{project}");
        let body = json!({"quota_set": {"instances": SERVERS}});
        self.admin.compute()?.put(&path, &body).await.map_err(told)?;
        let boots =
            json!({"imageRef": known(&self.facts.disk)?, "min_count": SERVERS + 1, "max_count": SERVERS + 1});
        let body = self.server_body("too-many", "", boots)?;
        let refused = over(self.member()?.compute()?.post("/servers", &body).await, "servers")?;
        let mut seen = vec![format!("{} servers of {SERVERS}: {refused}", SERVERS + 1)];
        let made = self.member()?.compute()?.get(&format!("/servers?name={}", self.name("too-many"))).await;
        if !list(&made.map_err(told)?["servers"]).is_empty() {
            return Err("servers over the quota were refused, and some were made".to_owned());
        }
        if self.facts.volume.get().is_some() {
            let body = json!({"quota_set": {"gigabytes": GIGABYTES}});
            self.admin.volume()?.put(&path, &body).await.map_err(told)?;
            let body = json!({"volume": {"size": GIGABYTES + 1, "name": self.name("too-large")}});
            let refused = over(self.member()?.volume()?.post("/volumes", &body).await, "volumes")?;
            seen.push(format!("a volume of {} GiB of {GIGABYTES}: {refused}", GIGABYTES + 1));
        }
        Ok(seen.join("\n"))
    }
}

/// The status of a refusal; anything else is what must not be.
fn refusal(answer: Result<Value, Error>, what: &str) -> Result<u16, String> {
    match answer {
        Ok(_) => Err(format!("a member of another project is shown the {what}")),
        Err(Error::Status { status: status @ (403 | 404), .. }) => Ok(status),
        Err(error) => Err(error.to_string()),
    }
}

/// The service's own words of refusal: 403 is Nova's, 413 Cinder's.
fn over(answer: Result<Value, Error>, what: &str) -> Result<String, String> {
    match answer {
        Ok(made) => Err(format!("{what} over the quota were made: {}", text(&made["server"]["id"]))),
        Err(Error::Status { status: status @ (403 | 413), body, .. }) => Ok(format!("{status}: {body}")),
        Err(error) => Err(error.to_string()),
    }
}
