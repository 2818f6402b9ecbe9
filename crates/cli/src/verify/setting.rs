//! What the proof and the suite share: the way to the cloud, the guest, the Lease, and how they are stopped.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use landfall_cluster::api::Cluster;
use landfall_cluster::lease::RunLock;
use landfall_config::Cloud;
use landfall_engine::EngineError;
use landfall_proof::{GuestFiles, RealCloud, Setting};
use tokio_util::sync::CancellationToken;

use super::Args;
use crate::exit::{Exit, Failure, Result};
use crate::{Session, bundle, cloud, run};

const HTTP: u16 = 80;

/// Whoever holds it is alone: what is there of other proofs is left over.
pub(super) async fn alone(cloud: &Cloud, cluster: &Arc<dyn Cluster>) -> Result<RunLock> {
    let name = format!("{}-proof", cloud.name);
    let lock = RunLock::acquire(Arc::clone(cluster), &cloud.namespace, &name, &run::holder()).await;
    Ok(lock.map_err(EngineError::Lock)?)
}

/// The administrator's password, as Landfall made it.
pub(super) async fn password(cloud: &Cloud, cluster: &dyn Cluster) -> Result<String> {
    let secrets = landfall_engine::secrets::stored(cluster, &cloud.namespace).await?;
    secrets.0.get(landfall_catalog::ADMIN_SECRET).cloned().ok_or_else(nothing_there)
}

fn nothing_there() -> Failure {
    Failure::told(Exit::NotThere, "there is no cloud to prove yet", "아직 증명할 클라우드가 없습니다")
        .hint_command("landfall up")
}

/// What servers boot; built where the bundle does not have it yet.
pub(super) async fn guest(session: &Session) -> Result<GuestFiles> {
    let (store, mut show) = (bundle::store(session)?, bundle::shown(session));
    let guest = bundle::blocking(move || store.servers_guest(&mut show)).await?;
    Ok(GuestFiles {
        kernel: guest.kernel,
        initrd: guest.initrd,
        disk: guest.disk,
        begins: landfall_image::DISK_BEGINS.to_owned(),
    })
}

pub(super) async fn open(
    cloud: &Cloud,
    cluster: Arc<dyn Cluster>,
    guest: GuestFiles,
    args: &Args,
    word: &str,
    password: &str,
) -> Result<RealCloud> {
    let domain = match &cloud.domain {
        Some(domain) => Some(domain.clone()),
        None => cloud::domain_of(&*cluster, &cloud.namespace).await?,
    };
    let domain = domain.ok_or_else(nothing_there)?;
    let address: Option<IpAddr> =
        cloud::ingress_address(&*cluster).await?.and_then(|address| address.parse().ok());
    let Some(address) = address else {
        return Err(Failure::told(
            Exit::NotThere,
            "the cluster publishes no name through an Ingress yet",
            "아직 Ingress로 공개된 이름이 없습니다",
        )
        .hint_command("landfall up"));
    };
    let setting = Setting {
        namespace: cloud.namespace.clone(),
        rook: cloud.storage.ceph.namespace.clone(),
        keystone: format!("keystone.{domain}"),
        address: SocketAddr::new(address, HTTP),
        region: landfall_catalog::REGION.to_owned(),
        guest,
        external: args.external.clone(),
        word: word.to_owned(),
        cluster,
    };
    RealCloud::open(setting, password).await.map_err(|why| {
        Failure::told(
            Exit::NotThere,
            format!("the cloud can not be spoken to: {why}"),
            format!("클라우드와 통신할 수 없습니다: {why}"),
        )
        .hint("`landfall verify` tells what is not well", "`landfall verify`로 문제가 있는 곳을 확인하세요")
    })
}

/// The first Ctrl-C goes on with the removal, the second ends at once; a Lease that is lost stops, too.
pub(super) fn stop_on_ctrl_c(session: &Session, lost: CancellationToken) -> CancellationToken {
    let token = run::stop_with_words(session.say(
        "stopping: what the proof made is removed first (again: at once; the next proof removes what is left)",
        "멈추는 중: 증명이 만든 것을 먼저 지웁니다 (한 번 더: 즉시 종료, 남은 것은 다음 증명이 지웁니다)",
    ));
    let stop = token.clone();
    tokio::spawn(async move {
        lost.cancelled().await;
        stop.cancel();
    });
    token
}
