//! The dashboard as a person sees it: a real browser goes through the Ingress, logs in, makes a volume, and where the
//! cloud has Nova looks at a server and its console log. Screenshots are kept for a person to look at.
//! Part of the longer run; Chromium and its driver are Debian's.

mod browser;
mod driver;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use browser::Browser;
use landfall_e2e::{Outcome, Scenario, World, check, main_in};
use serde_json::Value;

/// Name of all that this test makes in the cloud.
const NAME: &str = "landfall-seen";
/// Pages are made by Python on a machine that may be busy.
const PAGE: Duration = Duration::from_mins(1);
/// A volume becomes available, or goes.
const VOLUME: Duration = Duration::from_mins(2);

struct Seen {
    world: World,
    browser: Option<Browser>,
}

impl Seen {
    /// The browser of this run, started when it is first asked for.
    fn browser(&mut self) -> Result<&Browser, String> {
        if self.browser.is_none() {
            self.browser = Some(Browser::start(&host(&self.world), &ingress(&self.world)?)?);
        }
        self.browser.as_ref().ok_or_else(|| "no browser".to_owned())
    }

    fn openstack(&self, arguments: &[&str]) -> Result<Value, String> {
        let all = [arguments, &["-f", "json"]].concat();
        let ran = self.world.landfall.openstack(&all).ended(0)?;
        serde_json::from_str(&ran.stdout).map_err(|error| format!("{error}: {}", ran.stdout))
    }

    fn has_nova(&self) -> Result<bool, String> {
        let services = self.openstack(&["service", "list"])?;
        Ok(services.as_array().into_iter().flatten().any(|service| service["Type"] == "compute"))
    }
}

fn main() -> ExitCode {
    main_in(
        || World::new("dashboard", "10.90.3.0/24", "1", &[]).map(|world| Seen { world, browser: None }),
        &[
            Scenario { name: "from_nothing_to_a_cloud_with_a_dashboard", run: from_nothing },
            Scenario { name: "a_wrong_password_is_refused_in_words", run: refused },
            Scenario { name: "the_administrator_logs_in_through_the_ingress", run: logs_in },
            Scenario { name: "a_volume_is_made_by_the_form_and_becomes_available", run: makes_a_volume },
            Scenario {
                name: "a_server_is_listed_and_its_console_log_is_shown",
                run: server::listed_with_its_log,
            },
            Scenario { name: "the_volume_is_removed_and_nobody_is_logged_in_after_signing_out", run: leaves },
        ],
        |mut seen| {
            seen.browser = None;
            seen.world.remove();
        },
    )
}

fn host(world: &World) -> String {
    format!("horizon.{}", world.domain)
}

/// Address of the Ingress, as `landfall hosts` gives it for the dashboard's name.
fn ingress(world: &World) -> Result<String, String> {
    let hosts = world.landfall.run(&["hosts"]).ended(0)?;
    let name = host(world);
    let line = hosts.stdout.lines().find(|line| line.split_whitespace().any(|word| word == name));
    let address = line.and_then(|line| line.split_whitespace().next());
    address.map(str::to_owned).ok_or_else(|| format!("no line for {name}: {}", hosts.stdout))
}

fn password(world: &World) -> Result<String, String> {
    let template = "go-template={{.data.OS_PASSWORD | base64decode}}";
    let secret = ["-n", "openstack", "get", "secret", "keystone-keystone-admin", "-o", template];
    Ok(world.landfall.kubectl(&secret).ended(0)?.stdout.trim().to_owned())
}

fn from_nothing(seen: &mut Seen) -> Outcome {
    seen.world.cluster()?;
    let up = seen.world.up(&[]).ended(0)?;
    eprintln!("up {:.1?}", up.took);
    let checks = seen.world.verified()?;
    let login = checks.iter().find(|check| check["id"] == "horizon/login");
    check(login.is_some(), || "no check of the login".to_owned())
}

fn refused(seen: &mut Seen) -> Outcome {
    let browser = seen.browser()?;
    browser.log_in("not-this-one")?;
    let told = browser.text("form .alert-danger, form .help-block, .alert-danger", PAGE)?;
    browser.screenshot("1-refused")?;
    check(told.to_lowercase().contains("invalid"), || format!("the page says {told:?}"))
}

fn logs_in(seen: &mut Seen) -> Outcome {
    let password = password(&seen.world)?;
    let browser = seen.browser()?;
    browser.log_in(&password)?;
    let user = browser.text(".user-name", PAGE)?;
    browser.screenshot("2-logged-in")?;
    check(user == "admin", || format!("the page is of {user:?}"))
}

fn makes_a_volume(seen: &mut Seen) -> Outcome {
    let browser = seen.browser()?;
    browser.go("/project/volumes/")?;
    browser.click("#volumes__action_create", PAGE)?;
    browser.fill("#create_volume_form #id_name, form #id_name", NAME, PAGE)?;
    browser.fill("form #id_size", "1", PAGE)?;
    browser.screenshot("3-volume-form")?;
    browser.click(".modal-footer input[type=submit], .modal-footer button[type=submit]", PAGE)?;
    // The page asks for its rows by itself until nothing is on its way.
    browser.text(&format!("tr.status_up[data-display='{NAME}']"), VOLUME)?;
    browser.screenshot("4-volume")?;
    let volume = seen.openstack(&["volume", "show", NAME])?;
    check(volume["status"] == "available" && volume["size"] == 1, || volume.to_string())
}

fn leaves(seen: &mut Seen) -> Outcome {
    seen.world.landfall.openstack(&["volume", "delete", NAME]).ended(0)?;
    let browser = seen.browser()?;
    browser.go("/project/volumes/")?;
    browser.gone(&format!("tr[data-display='{NAME}']"), VOLUME)?;
    browser.go("/auth/logout/")?;
    browser.go("/project/volumes/")?;
    browser.text("#loginBtn", PAGE)?;
    browser.screenshot("7-signed-out")
}
