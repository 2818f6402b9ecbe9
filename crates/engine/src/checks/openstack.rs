//! Check points of services behind Keystone: an answer, an image that goes in and comes back.

use landfall_ceph::Ceph;
use landfall_cluster::api::{Cluster, ClusterError};
use landfall_openstack::{Error, Glance, Method, Token, Web, sha256};

use super::Tried;

/// The image of a check, which is there only while it lasts.
const NAME: &str = "landfall-check";
const SIZE: usize = 1 << 20;
/// Letters of an answer that are shown.
const SHOWN: usize = 300;

/// An API at its public name, and the administrator's token.
pub(super) struct Opened {
    pub web: Web,
    pub token: Token,
}

/// GET with the token answers 200, and contains this.
pub(super) async fn get(api: &Opened, host: &str, path: &str, contains: &str) -> Tried {
    let answer = match api.web.ask(&api.token, Method::GET, path, None).await {
        Ok(answer) => answer.to_string(),
        Err(error) => return Tried::NotYet(error.to_string()),
    };
    let seen = format!("GET http://{host}{path}: 200: {}", answer.chars().take(SHOWN).collect::<String>());
    if answer.contains(contains) {
        Tried::Passed(seen)
    } else {
        Tried::NotYet(format!("{seen}: it lacks {contains:?}"))
    }
}

/// An image goes in, lies in the pool, comes back with equal bytes, and is removed whatever happens.
pub(super) async fn image(
    cluster: &dyn Cluster,
    api: &Opened,
    rook: &str,
    pool: Option<&str>,
) -> Result<Tried, ClusterError> {
    if let Some(pool) = pool
        && let Some(unfit) = unfit(cluster, rook, pool, "glance").await?
    {
        return Ok(unfit);
    }
    let glance = Glance::new(&api.web, &api.token);
    let tried = async {
        // Those that an interrupted check left.
        for left in glance.named(NAME).await? {
            glance.delete(&left.id).await?;
        }
        glance.create(NAME).await
    };
    let made = match tried.await {
        Ok(made) => made,
        Err(error) => return Ok(Tried::NotYet(error.to_string())),
    };
    let seen = there_and_back(cluster, &glance, &made.id, rook, pool).await;
    let removed = match (glance.delete(&made.id).await, pool) {
        (Ok(()), Some(pool)) => gone_from_pool(cluster, "image", &made.id, rook, pool).await,
        (Ok(()), None) => Ok(()),
        (Err(error), _) => Err(Unseen::Api(error)),
    };
    judge(seen, removed)
}

/// Of something that was made, looked at, and removed whatever was seen.
pub(super) fn judge(
    seen: Result<String, Unseen>,
    removed: Result<(), Unseen>,
) -> Result<Tried, ClusterError> {
    match (seen, removed) {
        (Ok(evidence), Ok(())) => Ok(Tried::Passed(format!("{evidence}\nremoved again"))),
        (Err(Unseen::Cluster(error)), _) | (_, Err(Unseen::Cluster(error))) => Err(error),
        (Err(unseen), _) | (Ok(_), Err(unseen)) => Ok(Tried::NotYet(unseen.told())),
    }
}

/// What Ceph itself says against it: the service would only fail, after a minute or more. `client` is the user that
/// should be able to write.
pub(super) async fn unfit(
    cluster: &dyn Cluster,
    rook: &str,
    pool: &str,
    client: &str,
) -> Result<Option<Tried>, ClusterError> {
    let state = match Ceph::open(cluster, rook).await {
        Ok(ceph) => ceph.state().await,
        Err(error) => Err(error),
    };
    let state = match state {
        Ok(state) => state,
        Err(landfall_ceph::Error::Cluster(error)) => return Err(error),
        Err(error) => return Ok(Some(Tried::NotYet(error.to_string()))),
    };
    if !state.pools.contains(pool) {
        let pools = state.pools.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Ok(Some(Tried::Never(format!("Ceph has no pool {pool}; its pools are {pools}"))));
    }
    // The administrator may do everything, and is nobody's user here.
    let writers = state.clients.iter().filter(|(name, caps)| {
        *name != "admin" && caps.get("osd").is_some_and(|osd| osd.split(',').any(|grant| writes(grant, pool)))
    });
    if writers.count() > 0 {
        return Ok(None);
    }
    let held = state.clients.get(client).and_then(|caps| caps.get("osd"));
    Ok(Some(Tried::Never(match held {
        Some(osd) => format!("client.{client} may not write into {pool}: its caps for osd are {osd:?}"),
        None => format!("no user of Ceph may write into {pool}: there is no client.{client}"),
    })))
}

/// Whether one grant of a user's caps lets it write into a pool, in whatever words it is written.
fn writes(grant: &str, pool: &str) -> bool {
    let grant = grant.trim();
    let named = grant.split_whitespace().find_map(|word| word.strip_prefix("pool="));
    let kind = grant.starts_with("allow") || grant.starts_with("profile rbd");
    kind && !grant.contains("read-only") && named.is_none_or(|named| named == pool)
}

/// Why the whole was not seen.
pub(super) enum Unseen {
    Api(Error),
    Ceph(landfall_ceph::Error),
    Cluster(ClusterError),
    Otherwise(String),
}

impl Unseen {
    pub(super) fn told(self) -> String {
        match self {
            Self::Api(error) => error.to_string(),
            Self::Ceph(error) => error.to_string(),
            Self::Cluster(error) => error.to_string(),
            Self::Otherwise(text) => text,
        }
    }
}

impl From<Error> for Unseen {
    fn from(error: Error) -> Self {
        Self::Api(error)
    }
}

impl From<landfall_ceph::Error> for Unseen {
    fn from(error: landfall_ceph::Error) -> Self {
        match error {
            landfall_ceph::Error::Cluster(error) => Self::Cluster(error),
            error => Self::Ceph(error),
        }
    }
}

async fn there_and_back(
    cluster: &dyn Cluster,
    glance: &Glance<'_>,
    id: &str,
    rook: &str,
    pool: Option<&str>,
) -> Result<String, Unseen> {
    let data = bytes(id);
    let digest = sha256(&data);
    glance.upload(id, data).await?;
    let image = glance.show(id).await?;
    if image.status != "active" || image.size != Some(SIZE as u64) {
        let size = image.size.map_or_else(|| "no".to_owned(), |size| size.to_string());
        return Err(Unseen::Otherwise(format!(
            "image {id} is {} with {size} bytes, of {SIZE} that were sent",
            image.status
        )));
    }
    let lies = match pool {
        Some(pool) => match in_pool(cluster, id, rook, pool).await {
            Ok(true) => format!("`rbd ls {pool}` shows {id}"),
            Ok(false) => return Err(Unseen::Otherwise(format!("`rbd ls {pool}` does not show image {id}"))),
            // Rook's resources say nothing of images.
            Err(Unseen::Ceph(landfall_ceph::Error::NoToolbox { .. })) => {
                format!("the pool {pool} was not looked into: {rook} has no toolbox")
            }
            Err(unseen) => return Err(unseen),
        },
        None => "it lies in a file".to_owned(),
    };
    let (size, back) = glance.download(id).await?;
    if size != SIZE as u64 || back != digest {
        return Err(Unseen::Otherwise(format!(
            "image {id} came back with {size} bytes and sha256 {back}; sent were {SIZE} and {digest}"
        )));
    }
    Ok(format!("image {id}: {SIZE} bytes up and down, sha256 {digest} both times; {lies}"))
}

/// After it was deleted, nothing of this name may lie in the pool.
pub(super) async fn gone_from_pool(
    cluster: &dyn Cluster,
    kind: &str,
    id: &str,
    rook: &str,
    pool: &str,
) -> Result<(), Unseen> {
    match in_pool(cluster, id, rook, pool).await {
        Ok(false) | Err(Unseen::Ceph(landfall_ceph::Error::NoToolbox { .. })) => Ok(()),
        Ok(true) => {
            Err(Unseen::Otherwise(format!("`rbd ls {pool}` still shows {kind} {id} after it was deleted")))
        }
        Err(unseen) => Err(unseen),
    }
}

/// Whether an RBD image of this name lies in the pool.
pub(super) async fn in_pool(cluster: &dyn Cluster, id: &str, rook: &str, pool: &str) -> Result<bool, Unseen> {
    Ok(Ceph::open(cluster, rook).await?.images(pool).await?.contains(id))
}

/// Bytes that differ from image to image and that nothing could leave out as zeros.
fn bytes(id: &str) -> Vec<u8> {
    let mut state = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (0..SIZE)
        .map(|_| {
            // Knuth's multiplier and increment for 64 bits.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_lets_write_into_its_own_pool_only() {
        assert!(writes("profile rbd pool=glance.images", "glance.images"));
        assert!(writes(" allow rwx pool=glance.images", "glance.images"));
        assert!(writes("allow *", "glance.images"));
        assert!(!writes("profile rbd pool=cinder.volumes", "glance.images"));
        assert!(!writes("profile rbd-read-only pool=glance.images", "glance.images"));
        assert!(!writes("profile osd", "glance.images"));
    }

    #[test]
    fn an_images_bytes_are_its_own() {
        assert_eq!(bytes("a").len(), SIZE);
        assert_ne!(bytes("a"), bytes("b"));
        assert!(bytes("a").windows(4).all(|four| four != [0; 4]), "nothing to leave out");
    }
}
