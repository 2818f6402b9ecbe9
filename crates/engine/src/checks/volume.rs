//! Cinder's check points: its services as `openstack volume service list` shows them, and a volume that is made, lies
//! in its pool, and is removed.

use std::time::Duration;

use landfall_cluster::api::{Cluster, ClusterError};
use landfall_openstack::{Volume, VolumeService, Volumes};
use tokio::time::Instant;

use super::openstack::{Unseen, gone_from_pool, in_pool, unfit};
use super::{Tried, openstack};

/// The volume of a check, which is there only while it lasts.
const NAME: &str = "landfall-check";
/// GiB; nothing of it is written.
const SIZE: u64 = 1;
/// How long a volume may be on its way from one state to another.
const PATIENCE: Duration = Duration::from_secs(30);
/// The API tells states only when asked.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn services(volumes: &Volumes, binaries: &[String]) -> Tried {
    match volumes.services().await {
        Ok(services) => judge(services, binaries),
        Err(error) => Tried::NotYet(error.to_string()),
    }
}

fn judge(mut services: Vec<VolumeService>, binaries: &[String]) -> Tried {
    services.sort_by(|a, b| (&a.binary, &a.host).cmp(&(&b.binary, &b.host)));
    let mut wrong: Vec<String> = binaries
        .iter()
        .filter(|binary| !services.iter().any(|one| one.binary == **binary && one.status == "enabled"))
        .map(|binary| format!("no {binary} is enabled"))
        .collect();
    let down = services.iter().filter(|one| one.status == "enabled" && one.state != "up");
    wrong.extend(down.map(|one| format!("{} on {} has stopped reporting", one.binary, one.host)));
    let row = |one: &VolumeService| format!("{} | {} | {} | {}", one.binary, one.host, one.status, one.state);
    let table = services.iter().map(row).collect::<Vec<_>>().join("\n");
    if wrong.is_empty() {
        Tried::Passed(table)
    } else {
        Tried::NotYet(format!("{}\n{table}", wrong.join("; ")))
    }
}

/// A volume becomes available, lies in the pool, and is removed whatever happens.
pub(super) async fn volume(
    cluster: &dyn Cluster,
    volumes: &Volumes,
    rook: &str,
    pool: &str,
    client: &str,
) -> Result<Tried, ClusterError> {
    if let Some(unfit) = unfit(cluster, rook, pool, client).await? {
        return Ok(unfit);
    }
    let tried = async {
        // Those that an interrupted check left.
        for left in volumes.named(NAME).await? {
            volumes.delete(&left.id).await?;
        }
        volumes.create(NAME, SIZE).await
    };
    let made = match tried.await {
        Ok(made) => made,
        Err(error) => return Ok(Tried::NotYet(error.to_string())),
    };
    let seen = kept(cluster, volumes, &made.id, rook, pool).await;
    let removed = gone(cluster, volumes, &made.id, rook, pool).await;
    openstack::judge(seen, removed)
}

async fn kept(
    cluster: &dyn Cluster,
    volumes: &Volumes,
    id: &str,
    rook: &str,
    pool: &str,
) -> Result<String, Unseen> {
    let Some(volume) = settled(volumes, id, "creating").await? else {
        return Err(Unseen::Otherwise(format!("volume {id} was removed while it was being made")));
    };
    if volume.status != "available" {
        // Cinder keeps its reason apart from the volume; without one its state has to do.
        let reasons = volumes.messages(id).await.unwrap_or_default().join("; ");
        let place = volume.host.unwrap_or_else(|| "no service".to_owned());
        return Err(Unseen::Otherwise(format!("volume {id} is {} at {place}: {reasons}", volume.status)));
    }
    let lies = match in_pool(cluster, id, rook, pool).await {
        Ok(true) => format!("`rbd ls {pool}` shows it"),
        Ok(false) => return Err(Unseen::Otherwise(format!("`rbd ls {pool}` does not show volume {id}"))),
        // Rook's resources say nothing of images.
        Err(Unseen::Ceph(landfall_ceph::Error::NoToolbox { .. })) => {
            format!("the pool {pool} was not looked into: {rook} has no toolbox")
        }
        Err(unseen) => return Err(unseen),
    };
    let kind = volume.kind.as_deref().unwrap_or("no type");
    Ok(format!("volume {id} of the type {kind}, {SIZE} GiB, is available; {lies}"))
}

async fn gone(
    cluster: &dyn Cluster,
    volumes: &Volumes,
    id: &str,
    rook: &str,
    pool: &str,
) -> Result<(), Unseen> {
    volumes.delete(id).await?;
    if let Some(left) = settled(volumes, id, "deleting").await? {
        return Err(Unseen::Otherwise(format!("volume {id} was to go and is {}", left.status)));
    }
    gone_from_pool(cluster, "volume", id, rook, pool).await
}

/// The volume as soon as it is no longer in this state, or as it is when patience ends; none where it is gone.
async fn settled(volumes: &Volumes, id: &str, passing: &str) -> Result<Option<Volume>, Unseen> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match volumes.show(id).await? {
            Some(volume) if volume.status == passing && Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            other => return Ok(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(binary: &str, status: &str, state: &str) -> VolumeService {
        VolumeService {
            binary: binary.into(),
            host: "w@rbd1".into(),
            status: status.into(),
            state: state.into(),
        }
    }

    #[test]
    fn each_binary_wants_a_service_and_none_that_is_enabled_may_be_down() {
        let wanted = ["cinder-volume".to_owned(), "cinder-backup".to_owned()];
        let told = |services| match judge(services, &wanted) {
            Tried::Passed(_) => String::new(),
            Tried::NotYet(seen) | Tried::Never(seen) => seen.lines().next().unwrap_or_default().to_owned(),
        };
        let up = |binary| service(binary, "enabled", "up");
        assert_eq!(told(vec![up("cinder-volume"), up("cinder-backup")]), "");
        assert_eq!(told(vec![up("cinder-volume")]), "no cinder-backup is enabled");
        assert_eq!(
            told(vec![up("cinder-volume"), service("cinder-backup", "enabled", "down")]),
            "cinder-backup on w@rbd1 has stopped reporting"
        );
        // One that was put out of service, and left, is nobody's trouble.
        assert_eq!(
            told(vec![
                up("cinder-volume"),
                up("cinder-backup"),
                service("cinder-backup", "disabled", "down")
            ]),
            ""
        );
    }
}
