//! Prepared images: nodes share their layers, pods can not change them, and a killed preparation leaves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use landfall_e2e::{Outcome, check};

use crate::World;

const SNAPSHOTS: &str = "io.containerd.snapshotter.v1.overlayfs/snapshots";

/// Every entry of the layers that a node of the test's cluster uses, with all that a change would show in: the time of
/// an inode's last change moves with its content, owner, mode, attributes and links.
pub type Layers = BTreeMap<PathBuf, [i64; 8]>;

/// Looks at the layers of all nodes; an error where a node imported its images.
pub fn layers_of_nodes(world: &World) -> Result<Layers, String> {
    let nodes = Path::new("/var/lib/landfall").join(&world.landfall.cluster).join("nodes");
    let mut folders = BTreeSet::new();
    for node in entries(&nodes)? {
        let layers = std::fs::read_link(node.join("image-layers"))
            .map_err(|_| format!("{} has no prepared images", node.display()))?;
        let links = entries(&node.join("var-lib/containerd").join(SNAPSHOTS))?;
        let names = links.iter().filter_map(|link| std::fs::read_link(link).ok());
        folders.extend(names.filter_map(|name| name.file_name().map(|name| layers.join(name))));
    }
    let mut found = Layers::new();
    for folder in &folders {
        look(folder, &mut found)?;
    }
    check(found.len() > 1000, || format!("only {} entries in {folders:?}", found.len()))?;
    Ok(found)
}

fn look(path: &Path, found: &mut Layers) -> Outcome {
    let meta = path.symlink_metadata().map_err(|error| format!("{}: {error}", path.display()))?;
    let seen = [
        meta.ino() as i64,
        i64::from(meta.mode()),
        i64::from(meta.uid()),
        i64::from(meta.gid()),
        meta.rdev() as i64,
        meta.size() as i64,
        meta.ctime(),
        meta.ctime_nsec(),
    ];
    found.insert(path.to_path_buf(), seen);
    if meta.is_dir() {
        for entry in entries(path)? {
            look(&entry, found)?;
        }
    }
    Ok(())
}

/// The same layers once more, now that no node uses them.
pub fn still_there(before: &Layers) -> Outcome {
    let mut after = Layers::new();
    // Only folders of layers are not in another that was looked at.
    for path in before.keys().filter(|path| path.parent().is_none_or(|parent| !before.contains_key(parent))) {
        look(path, &mut after)?;
    }
    same(before, &after)
}

/// Fails with what differs between two looks.
fn same(before: &Layers, after: &Layers) -> Outcome {
    let changed: Vec<_> = before
        .keys()
        .chain(after.keys())
        .filter(|path| before.get(*path) != after.get(*path))
        .take(10)
        .collect();
    check(changed.is_empty(), || format!("changed in the cache: {changed:?}"))
}

/// The pods `client` on k2 and `server` on k3 are of the same image.
pub fn pods_write_to_their_image_and_no_layer_changes(world: &mut World) -> Outcome {
    let before = layers_of_nodes(world)?;
    let change = "echo changed >> /etc/passwd && chmod 0777 /bin/bash && chown 1:1 /bin/ls && rm -r /usr/share && \
                  mkdir /usr/share && echo new > /usr/share/x && tail -n 1 /etc/passwd && ls -A /usr/share";
    let exec = |pod: &str, script: &str| {
        world.landfall.kubectl(&["exec", pod, "--", "/bin/bash", "-c", script]).ended(0)
    };
    let seen = exec("client", change)?.stdout;
    check(seen == "changed\nx\n", || format!("in the pod that wrote: {seen:?}"))?;
    let look =
        "grep -c changed /etc/passwd; ls -A /usr/share | wc -l; stat -c %a /bin/bash; stat -c %u /bin/ls";
    let seen = exec("server", look)?.stdout;
    let seen: Vec<&str> = seen.lines().collect();
    let untouched = matches!(seen.as_slice(), ["0", shared, "755", "0"] if *shared != "1");
    check(untouched, || format!("in another pod of the image: {seen:?}"))?;
    same(&before, &layers_of_nodes(world)?)?;
    let touch =
        ["local", "shell", "--name", "node-test", "k2", "--", "touch", "/var/lib/containerd/layers/x"];
    let ran = landfall_e2e::ran(world.landfall.command(&touch));
    check(ran.code != 0 && ran.stderr.contains("Read-only"), || format!("{}{}", ran.stdout, ran.stderr))
}

/// In a cache of its own, with the programs and images of the user's.
pub fn a_killed_preparation_leaves_nothing_that_counts(world: &mut World) -> Outcome {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let cache = scratch.path();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let real = std::env::var_os("LANDFALL_CACHE").map_or_else(|| home.join(".cache/landfall"), PathBuf::from);
    for part in ["bin", "trees", "images"] {
        symlink(real.join(part), cache.join(part)).map_err(|error| error.to_string())?;
    }
    let bundle = || {
        let mut command = world.landfall.command(&["images", "bundle"]);
        command.env("LANDFALL_CACHE", cache);
        command
    };
    // As containerd starts, and while it unpacks; the moment is the point of the test.
    for moment in [200, 2000] {
        let mut child = bundle()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        std::thread::sleep(Duration::from_millis(moment));
        child.kill().map_err(|error| error.to_string())?;
        child.wait().map_err(|error| error.to_string())?;
        let sets = entries(&cache.join("prepared/sets")).unwrap_or_default();
        let whole: Vec<_> = sets.iter().filter(|set| set.join("set.json").exists()).collect();
        check(whole.is_empty(), || format!("killed after {moment} ms, yet there are {whole:?}"))?;
    }
    landfall_e2e::ran(bundle()).ended(0)?;
    let sets = entries(&cache.join("prepared/sets"))?;
    let [set] = sets.as_slice() else { return Err(format!("sets: {sets:?}")) };
    let made = |set: &Path| set.join("set.json").metadata().and_then(|meta| meta.modified()).ok();
    let first = made(set).ok_or("the set does not say what is in it")?;
    let linked: BTreeSet<_> = entries(&set.join("root").join(SNAPSHOTS))?
        .iter()
        .filter_map(|link| std::fs::read_link(link).ok()?.file_name().map(ToOwned::to_owned))
        .collect();
    let layers: BTreeSet<_> = entries(&cache.join("prepared/layers"))?
        .iter()
        .filter_map(|layer| layer.file_name().map(ToOwned::to_owned))
        .collect();
    check(linked == layers && !layers.is_empty(), || format!("linked {linked:?}, there {layers:?}"))?;
    landfall_e2e::ran(bundle()).ended(0)?;
    check(made(set) == Some(first), || "the set was made again".to_owned())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let read = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(read.flatten().map(|entry| entry.path()).collect())
}
