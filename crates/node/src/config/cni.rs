//! The pods' network: a bridge in each node, addresses from the node's own range, host ports by portmap.

use serde_json::json;

use crate::layout;

pub(crate) fn conflist(number: u32) -> String {
    let (network, prefix) = layout::pod_network(number);
    let config = json!({
        "cniVersion": "1.0.0",
        "name": "landfall",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isDefaultGateway": true,
                "hairpinMode": true,
                // Pods of other nodes are reached by routes: their addresses stay as they are.
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": format!("{network}/{prefix}")}]],
                    // No pod outlives its node, so neither may the record of its address.
                    "dataDir": "/run/cni/networks",
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true},
        ],
    });
    format!("{config:#}\n")
}
