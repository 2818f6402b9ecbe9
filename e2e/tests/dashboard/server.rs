//! A server in the dashboard, in a cloud that has Nova: the bundle's guest, made by the command line.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use landfall_e2e::{Outcome, check};

use crate::{NAME, PAGE, Seen};

/// Under emulation a guest takes its time.
const BOOT: Duration = Duration::from_mins(5);
/// Where the guest's files go in the client's pod.
const FOLDER: &str = "/tmp/landfall-seen";

pub fn listed_with_its_log(seen: &mut Seen) -> Outcome {
    if !seen.has_nova()? {
        eprintln!("the cloud has no Nova: no server to be seen");
        return Ok(());
    }
    let made = make(seen).and_then(|()| look(seen));
    let removed = remove(seen);
    made.and(removed)
}

fn look(seen: &mut Seen) -> Outcome {
    let id = seen.openstack(&["server", "show", NAME])?["id"].as_str().unwrap_or_default().to_owned();
    let browser = seen.browser()?;
    browser.go("/project/instances/")?;
    browser.text(&format!("tr#instances__row_{id}.status_up, tr[data-object-id='{id}'].status_up"), BOOT)?;
    browser.screenshot("5-server")?;
    let began = std::time::Instant::now();
    let log = loop {
        browser.go(&format!("/project/instances/{id}/?tab=instance_details__log"))?;
        let log = browser.text("pre.logs", PAGE)?;
        // The first line of any Linux, or of the guest's own.
        if log.contains("landfall:") || log.contains("Linux version") || began.elapsed() > BOOT {
            break log;
        }
    };
    browser.screenshot("6-console-log")?;
    check(log.contains("landfall:") || log.contains("Linux version"), || format!("the log shows {log:?}"))
}

/// Kernel, initrd and disk of the bundle's newest guest.
fn guest() -> Result<PathBuf, String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cache =
        std::env::var_os("LANDFALL_CACHE").map_or_else(|| home.join(".cache/landfall"), PathBuf::from);
    let folders = std::fs::read_dir(cache.join("guests")).into_iter().flatten().flatten();
    let whole = folders.map(|entry| entry.path()).filter(|folder| folder.join("guest.json").is_file());
    let age = |folder: &PathBuf| {
        std::fs::metadata(folder).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    whole.max_by_key(age).ok_or_else(|| "the bundle has no guest to make a server of".to_owned())
}

fn make(seen: &Seen) -> Outcome {
    let folder = guest()?;
    for file in ["kernel", "initrd", "disk"] {
        bring(seen, &folder.join(file), file)?;
    }
    let image = |name: &str, format: &str, file: &str, more: &[&str]| {
        let container = if format == "raw" { "bare" } else { format };
        let path = format!("{FOLDER}-{file}");
        let fixed = ["image", "create", name, "--disk-format", format, "--container-format", container];
        seen.openstack(&[&fixed[..], &["--file", path.as_str()], more].concat())
    };
    let id = |value: &serde_json::Value| value["id"].as_str().unwrap_or_default().to_owned();
    let kernel = id(&image(&format!("{NAME}-kernel"), "aki", "kernel", &[])?);
    let initrd = id(&image(&format!("{NAME}-initrd"), "ari", "initrd", &[])?);
    let (kernel, initrd) = (format!("kernel_id={kernel}"), format!("ramdisk_id={initrd}"));
    let properties = [
        "--property",
        kernel.as_str(),
        "--property",
        initrd.as_str(),
        "--property",
        "os_command_line=console=ttyS0",
    ];
    image(NAME, "raw", "disk", &properties)?;
    let cloud = |arguments: &[&str]| seen.world.landfall.openstack(arguments).ended(0);
    cloud(&["flavor", "create", NAME, "--ram", "192", "--disk", "0", "--vcpus", "1"])?;
    cloud(&["network", "create", NAME])?;
    cloud(&["subnet", "create", NAME, "--network", NAME, "--subnet-range", "192.0.2.0/24"])?;
    cloud(&["server", "create", NAME, "--image", NAME, "--flavor", NAME, "--network", NAME, "--wait"])
        .map(drop)
}

/// A file of this machine, into the client's pod.
fn bring(seen: &Seen, from: &Path, name: &str) -> Outcome {
    let target = format!("{FOLDER}-{name}");
    let write = format!("cat > {target}");
    let into = [
        "-n",
        "openstack",
        "exec",
        "-i",
        "deployment/openstack-client",
        "-c",
        "openstackclient",
        "--",
        "sh",
        "-c",
    ];
    let file = std::fs::File::open(from).map_err(|error| format!("{}: {error}", from.display()))?;
    seen.world.landfall.kubectl_reading(&[&into[..], &[write.as_str()]].concat(), file).ended(0).map(drop)
}

/// Whatever of it is there.
fn remove(seen: &Seen) -> Outcome {
    let cloud = |arguments: &[&str]| seen.world.landfall.openstack(arguments);
    cloud(&["server", "delete", NAME, "--wait"]);
    let (kernel, initrd) = (format!("{NAME}-kernel"), format!("{NAME}-initrd"));
    for image in [NAME, kernel.as_str(), initrd.as_str()] {
        cloud(&["image", "delete", image]);
    }
    cloud(&["flavor", "delete", NAME]);
    cloud(&["network", "delete", NAME]);
    let left = seen.openstack(&["server", "list", "--name", NAME])?;
    check(left.as_array().is_some_and(Vec::is_empty), || format!("left: {left}"))
}
