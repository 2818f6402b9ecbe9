//! Prerequisites of Ceph: pools, users with their keys, the clients' `ceph.conf`.

use landfall_catalog::blueprint::Prerequisite;

use super::{Acted, Shared};
use crate::failure;

impl Shared {
    pub async fn ceph(&self, prerequisite: &Prerequisite) -> Acted {
        Err(failure::plain("ceph", "", format!("not here yet: {prerequisite:?}"), "", "").into())
    }
}
