//! A server in the dashboard, in a cloud that has Nova.

use std::time::{Duration, Instant};

use landfall_e2e::{Outcome, Servers, check};

use crate::{NAME, PAGE, Seen};

/// Under emulation a guest takes its time.
const BOOT: Duration = Duration::from_mins(5);

pub fn listed_with_its_log(seen: &mut Seen) -> Outcome {
    if !seen.has_nova()? {
        eprintln!("the cloud has no Nova: no server to be seen");
        return Ok(());
    }
    let servers = Servers::prepared(&seen.world.landfall, NAME, "192.0.2.0/24")?;
    let looked = servers.server(NAME, None, "word=seen\n").and_then(|server| look(seen, &server.id));
    let removed = servers.remove();
    looked.and(removed)
}

fn look(seen: &mut Seen, id: &str) -> Outcome {
    let browser = seen.browser()?;
    browser.go("/project/instances/")?;
    browser.text(&format!("tr#instances__row_{id}.status_up, tr[data-object-id='{id}'].status_up"), BOOT)?;
    browser.screenshot("5-server")?;
    let began = Instant::now();
    let log = loop {
        browser.go(&format!("/project/instances/{id}/?tab=instance_details__log"))?;
        let log = browser.text("pre.logs", PAGE)?;
        // The guest's own word.
        if log.contains("landfall: user-data seen") || began.elapsed() > BOOT {
            break log;
        }
    };
    browser.screenshot("6-console-log")?;
    check(log.contains("landfall: user-data seen"), || format!("the log shows {log:?}"))
}
