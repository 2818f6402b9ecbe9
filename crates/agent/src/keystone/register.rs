//! A service's entries in Keystone: itself, its endpoints, its account. Each run makes them what the
//! environment says and leaves alone what already is, so that a Job may run at every upgrade.

use std::time::Duration;

use landfall_openstack::{Account, Credentials, Domain, Done, Error as Refused, Keystone, Registry};
use tokio::time::Instant;

use crate::pod::{self, Error, Result, say};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// As long as an API may be gone while its pods roll.
const PATIENCE_SECONDS: u64 = 300;
const INTERFACES: [&str; 3] = ["admin", "internal", "public"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Service,
    Endpoints,
    User,
}

/// What the environment asks for.
#[derive(Debug)]
enum Wanted {
    Service { name: String, kind: String },
    Endpoints { name: String, kind: String, region: String, urls: Vec<(&'static str, String)> },
    User(Account),
}

pub async fn run(what: What) -> Result<u8> {
    let wanted = Wanted::read(what, pod::var)?;
    let (url, admin) = administrator(pod::var)?;
    let patience: u64 = pod::parsed("KEYSTONE_TIMEOUT", PATIENCE_SECONDS, "a number of seconds")?;
    let deadline = Instant::now() + Duration::from_secs(patience);
    let keystone = Keystone::at(&url).map_err(|error| told(&error, &admin.user))?;
    let mut pause = FIRST_PAUSE;
    let mut before = String::new();
    loop {
        let error = match wanted.register(&keystone, &admin).await {
            Ok(()) => return Ok(0),
            Err(Stop::Refused(error)) if error.is_absence() && Instant::now() + pause < deadline => error,
            Err(Stop::Refused(error)) => return Err(told(&error, &admin.user)),
            Err(Stop::Unmet(why)) => return Err(Error::Failed(why)),
        };
        // Said again only when it is another reason.
        let now = format!("Keystone is not there yet, trying again: {error}");
        if now != before {
            say(&now);
            before = now;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Why one try ended.
enum Stop {
    Refused(Refused),
    Unmet(String),
}

impl From<Refused> for Stop {
    fn from(error: Refused) -> Self {
        Self::Refused(error)
    }
}

impl Wanted {
    fn read(what: What, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let needed = |name: &str, hint| {
            variable(name).ok_or_else(|| Error::MissingVariable { variable: name.to_owned(), hint })
        };
        let service = || -> Result<(String, String)> {
            Ok((
                needed("OS_SERVICE_NAME", "the service's name in Keystone, e.g. glance")?,
                needed("OS_SERVICE_TYPE", "the service's type, e.g. image")?,
            ))
        };
        Ok(match what {
            What::Service => {
                let (name, kind) = service()?;
                Self::Service { name, kind }
            }
            What::Endpoints => {
                let (name, kind) = service()?;
                let region = needed("OS_REGION_NAME", "the region of the endpoints, e.g. RegionOne")?;
                let urls = INTERFACES
                    .into_iter()
                    .map(|interface| {
                        let name = format!("OS_SERVICE_ENDPOINT_{}", interface.to_uppercase());
                        Ok((interface, needed(&name, "the URL that clients use")?))
                    })
                    .collect::<Result<_>>()?;
                Self::Endpoints { name, kind, region, urls }
            }
            What::User => {
                const SECRET: &str = "it comes from the Secret of the service's account";
                let roles = needed("SERVICE_OS_ROLES", "names of roles, joined by commas")?;
                Self::User(Account {
                    name: needed("SERVICE_OS_USERNAME", SECRET)?,
                    password: needed("SERVICE_OS_PASSWORD", SECRET)?,
                    user_domain: needed("SERVICE_OS_USER_DOMAIN_NAME", SECRET)?,
                    project_domain: needed("SERVICE_OS_PROJECT_DOMAIN_NAME", SECRET)?,
                    project: needed("SERVICE_OS_PROJECT_NAME", SECRET)?,
                    roles: roles.split(',').map(|role| role.trim().to_owned()).collect(),
                    description: format!(
                        "account of the service {}",
                        variable("SERVICE_OS_SERVICE_NAME").unwrap_or_default()
                    ),
                })
            }
        })
    }

    async fn register(&self, keystone: &Keystone, admin: &Credentials) -> std::result::Result<(), Stop> {
        let token = keystone.token(admin).await?;
        let registry = Registry::new(keystone, &token);
        match self {
            Self::Service { name, kind } => {
                let (id, done) = registry.service(name, kind).await?;
                say(&format!("service {name} ({kind}) {}: {id}", word(done)));
            }
            Self::Endpoints { name, kind, region, urls } => {
                let Some((id, _)) = registry.find_service(name, kind).await? else {
                    return Err(Stop::Unmet(format!(
                        "Keystone has no service {name} of type {kind}: run register-service (the Job {name}-ks-service) first"
                    )));
                };
                for (interface, url) in urls {
                    let done = registry.endpoint(&id, region, interface, url).await?;
                    say(&format!("{interface} endpoint of {name} in {region} {}: {url}", word(done)));
                }
            }
            Self::User(account) => {
                let steps = registry.account(account).await?;
                for step in &steps {
                    say(step);
                }
                let roles = account.roles.join(", ");
                say(&format!("user {} is there with the roles {roles} on {}", account.name, account.project));
            }
        }
        Ok(())
    }
}

fn word(done: Done) -> &'static str {
    match done {
        Done::Kept => "is there",
        Done::Made => "made",
        Done::Changed => "changed",
    }
}

/// Who registers, and where: the variables of the `openstack` command.
fn administrator(variable: impl Fn(&str) -> Option<String>) -> Result<(String, Credentials)> {
    let needed = |name: &str| {
        const HINT: &str = "it comes from the Secret of the administrator's credentials";
        variable(name).ok_or_else(|| Error::MissingVariable { variable: name.to_owned(), hint: HINT })
    };
    let domain = |name: &str| Domain::named(&variable(name).unwrap_or_else(|| "default".to_owned()));
    let admin = Credentials {
        user: needed("OS_USERNAME")?,
        password: needed("OS_PASSWORD")?,
        user_domain: domain("OS_USER_DOMAIN_NAME"),
        project: Some((needed("OS_PROJECT_NAME")?, domain("OS_PROJECT_DOMAIN_NAME"))),
    };
    Ok((needed("OS_AUTH_URL")?, admin))
}

/// The refusal, with what to do about it.
fn told(error: &Refused, user: &str) -> Error {
    let hint = match error.code() {
        Some(401) => format!(
            "; the password of {user} that this release was given is not the one that Keystone knows: \
             correct endpoints.identity.auth.admin.password (it must be what keystone-bootstrap ran with) and upgrade the release"
        ),
        Some(403) => format!("; {user} lacks the role admin on its project"),
        None if error.is_absence() => {
            "; nothing answers there: is the Service's name right, and is a pod of Keystone ready?".to_owned()
        }
        _ => String::new(),
    };
    Error::Failed(format!("{error}{hint}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ENVIRONMENT: &[(&str, &str)] = &[
        ("OS_AUTH_URL", "http://keystone-api:5000/v3"),
        ("OS_USERNAME", "admin"),
        ("OS_PASSWORD", "hunter2"),
        ("OS_PROJECT_NAME", "admin"),
        ("OS_USER_DOMAIN_NAME", "default"),
        ("OS_REGION_NAME", "RegionOne"),
        ("OS_SERVICE_NAME", "glance"),
        ("OS_SERVICE_TYPE", "image"),
        ("OS_SERVICE_ENDPOINT_ADMIN", "http://glance-api:9292"),
        ("OS_SERVICE_ENDPOINT_INTERNAL", "http://glance-api:9292"),
        ("OS_SERVICE_ENDPOINT_PUBLIC", "http://glance.citec.com"),
        ("SERVICE_OS_USERNAME", "glance"),
        ("SERVICE_OS_PASSWORD", "hunter3"),
        ("SERVICE_OS_USER_DOMAIN_NAME", "service"),
        ("SERVICE_OS_PROJECT_DOMAIN_NAME", "service"),
        ("SERVICE_OS_PROJECT_NAME", "service"),
        ("SERVICE_OS_ROLES", "admin, service"),
    ];

    fn given(name: &str) -> Option<String> {
        ENVIRONMENT.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    fn lacking(left_out: &'static str) -> impl Fn(&str) -> Option<String> {
        move |name| given(name).filter(|_| name != left_out)
    }

    #[test]
    fn what_the_charts_set_is_all_that_is_needed() {
        let Wanted::User(account) = Wanted::read(What::User, given).unwrap() else { unreachable!() };
        assert_eq!((account.name.as_str(), account.roles.join("|").as_str()), ("glance", "admin|service"));
        let Wanted::Endpoints { urls, .. } = Wanted::read(What::Endpoints, given).unwrap() else {
            unreachable!()
        };
        assert_eq!(urls[2], ("public", "http://glance.citec.com".to_owned()));
        let (url, admin) = administrator(given).unwrap();
        assert_eq!(
            (url.as_str(), admin.user_domain),
            ("http://keystone-api:5000/v3", Domain::named("Default"))
        );
    }

    #[test]
    fn a_variable_that_is_missing_is_named_before_anything_is_asked() {
        for (what, name) in [
            (What::Service, "OS_SERVICE_TYPE"),
            (What::Endpoints, "OS_SERVICE_ENDPOINT_PUBLIC"),
            (What::Endpoints, "OS_REGION_NAME"),
            (What::User, "SERVICE_OS_PASSWORD"),
        ] {
            let error = Wanted::read(what, lacking(name)).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
        assert!(administrator(lacking("OS_AUTH_URL")).is_err());
    }

    #[tokio::test]
    async fn nobody_at_the_address_is_worth_another_try_and_no_secret_is_shown() {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let keystone = Keystone::at(&format!("http://{free}/v3")).unwrap();
        let wanted = Wanted::read(What::Service, given).unwrap();
        let admin = administrator(given).unwrap().1;
        let Err(Stop::Refused(error)) = wanted.register(&keystone, &admin).await else { unreachable!() };
        assert!(error.is_absence());
        let shown = format!("{} {wanted:?} {admin:?}", told(&error, "admin"));
        assert!(shown.contains(&free.to_string()) && !shown.contains("hunter"), "{shown}");
    }
}
