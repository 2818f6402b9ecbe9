//! The guide's step O03: the clients' `ceph.conf` names the monitors as they are now. Nothing is restarted:
//! running clients hear of new monitors from the old ones, new connections read the file.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, PostParams};
use landfall_ceph::monitors::{Monitors, named};

use super::settings::needed;
use crate::pod::{self, Error, Result, say, status_code};

const ENDPOINTS: &str = "rook-ceph-mon-endpoints";
const FILE: &str = "ceph.conf";
/// Lost races are tried again this often.
const TRIES: u32 = 8;

pub async fn run() -> Result<u8> {
    let rook = needed("ROOK_NAMESPACE", "namespace of Rook, where ConfigMap rook-ceph-mon-endpoints is")?;
    let names = needed("CONFIGMAPS", "ConfigMaps whose ceph.conf is renewed: ceph-etc")?;
    let client = pod::client().await?;
    let monitors = monitors(&client, &rook).await?;
    let api: Api<ConfigMap> = Api::namespaced(client, &pod::namespace());
    for name in names.split(',').map(str::trim) {
        renew(&api, name, &monitors).await?;
    }
    Ok(0)
}

async fn monitors(client: &Client, rook: &str) -> Result<Monitors> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), rook);
    let what = format!("configmap {ENDPOINTS} in namespace {rook}");
    let found = api.get(ENDPOINTS).await.map_err(Error::api("get", what.clone()))?;
    let data = found.data.unwrap_or_default();
    let monitors = Monitors::parse(data.get("data").map_or("", String::as_str));
    if monitors.0.is_empty() {
        return Err(Error::Failed(format!("{what} names no monitor: see that Ceph runs")));
    }
    Ok(monitors)
}

async fn renew(api: &Api<ConfigMap>, name: &str, monitors: &Monitors) -> Result<()> {
    let what = || format!("configmap {name}");
    for _ in 0..TRIES {
        let mut found = api.get(name).await.map_err(Error::api("get", what()))?;
        let data = found.data.get_or_insert_default();
        let before = data.get(FILE).cloned().unwrap_or_default();
        let Some(renewed) = monitors.renewed(&before) else {
            say(&format!("configmap {name}: unchanged, it names {}", monitors.mon_host()));
            return Ok(());
        };
        data.insert(FILE.to_owned(), renewed);
        match api.replace(name, &PostParams::default(), &found).await {
            Ok(_) => {
                let before = named(&before).unwrap_or("nobody");
                say(&format!("configmap {name}: mon_host was {before}, is now {}", monitors.mon_host()));
                return Ok(());
            }
            // Somebody else was faster.
            Err(error) if status_code(&error) == Some(409) => {}
            Err(error) => return Err(Error::api("update", what())(error)),
        }
    }
    Err(Error::Failed(format!("configmap {name} is changed by somebody else all the time; try again")))
}
