//! Who asks: the administrator, a member of the proof's project, a member of another one.

use std::net::SocketAddr;

use landfall_openstack::{Api, Credentials, Domain, Token};
use serde_json::{Value, json};

use super::{RealCloud, keep, list, text, told};

/// As far as servers of 2.79 tell all that is looked at; Nova's own key pairs went with 2.92.
const COMPUTE: &str = "compute 2.79";
/// Attached volumes are snapshot without more words since 3.66; backups tell their projects since 3.18.
const VOLUME: &str = "volume 3.66";
/// Where Keystone's bootstrap puts users and projects.
const DOMAIN: &str = "default";
/// The role of those who use a cloud and do not run it.
const ROLE: &str = "member";

/// One user's way to every API.
#[derive(Debug)]
pub(super) struct Rights {
    pub token: Token,
    pub identity: Api,
    pub image: Api,
    pub network: Api,
    compute: Option<Api>,
    /// None where the cloud has no volumes.
    pub volume: Option<Api>,
}

impl Rights {
    pub(super) fn of(token: &Token, region: &str, address: SocketAddr) -> Result<Self, String> {
        let open = |kinds: &[&str]| Api::open(token, kinds, region, address).map_err(told);
        let must = |kind: &str, service: &str| {
            open(&[kind])?.ok_or_else(|| {
                format!(
                    "the catalog has no public endpoint of type {kind}: `landfall up {service}` brings it"
                )
            })
        };
        Ok(Self {
            token: token.clone(),
            identity: must("identity", "keystone")?,
            image: must("image", "glance")?,
            network: must("network", "neutron")?,
            compute: open(&["compute"])?.map(|api| api.version(COMPUTE)),
            volume: open(&["volumev3", "block-storage"])?.map(|api| api.version(VOLUME)),
        })
    }

    pub(super) fn compute(&self) -> Result<&Api, String> {
        self.compute.as_ref().ok_or_else(|| {
            "the catalog has no public endpoint of type compute: `landfall up nova` brings it".to_owned()
        })
    }

    pub(super) fn volume(&self) -> Result<&Api, String> {
        self.volume.as_ref().ok_or_else(|| "the catalog has no volumes".to_owned())
    }
}

impl RealCloud {
    /// Two projects, each with a user of its own who is a member and nothing more.
    pub(super) async fn accounts(&self) -> Result<String, String> {
        let (own, other) = (self.name(""), self.name("other"));
        let ((project, member), (_, stranger)) = tokio::try_join!(self.account(&own), self.account(&other))?;
        let roles = member.token.roles.join(", ");
        if member.token.roles.iter().any(|role| role == "admin") {
            return Err(format!("the user {own} was given the role admin: {roles}"));
        }
        let seen =
            format!("user {own} in project {} ({project}) with the roles {roles}", member.token.project);
        keep(&self.facts.project, project);
        keep(&self.facts.member, member);
        keep(&self.facts.stranger, stranger);
        Ok(seen)
    }

    async fn account(&self, name: &str) -> Result<(String, Rights), String> {
        let identity = &self.admin.identity;
        let password = format!("{:032x}", rand::random::<u128>());
        let words = "made by `landfall verify --full`, which removes it again";
        let project = json!({"project": {"name": name, "domain_id": DOMAIN, "description": words}});
        let project = text(&identity.post("/projects", &project).await.map_err(told)?["project"]["id"]);
        let user = json!({"user": {"name": name, "domain_id": DOMAIN, "password": password,
            "default_project_id": project, "description": words}});
        let user = text(&identity.post("/users", &user).await.map_err(told)?["user"]["id"]);
        let roles = identity.get(&format!("/roles?name={ROLE}")).await.map_err(told)?;
        let Some(role) = list(&roles["roles"]).first() else {
            return Err(format!("Keystone has no role {ROLE}"));
        };
        let grant = format!("/projects/{project}/users/{user}/roles/{}", text(&role["id"]));
        identity.put(&grant, &Value::Null).await.map_err(told)?;
        let who = Credentials {
            user: name.to_owned(),
            password,
            user_domain: Domain::named(DOMAIN),
            project: Some((name.to_owned(), Domain::named(DOMAIN))),
        };
        let token = self.keystone.token(&who).await.map_err(told)?;
        Ok((project, Rights::of(&token, &self.setting.region, self.setting.address)?))
    }
}
