//! `landfall diagram`: the guide's two pictures, drawn from the cluster as it is.

mod observe;

use landfall_display::diagram::{Format, Picture, draw};

use crate::args::{CloudFile, Output};
use crate::cloud::gvk;
use crate::exit::Result;
use crate::terminal::{data, give, width};
use crate::{Session, cloud, target};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  landfall diagram                                  # both, in box drawing\n  \
                        landfall diagram network --format mermaid\n  \
                        landfall diagram cluster --format svg > cluster.svg"
)]
pub(crate) struct Args {
    /// Which picture; both where none is named
    #[arg(value_enum)]
    picture: Option<Which>,
    /// How it is drawn
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    #[command(flatten)]
    cloud: CloudFile,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// The services, who uses which, and their public names
    Network,
    /// The nodes, what runs on which, and Ceph's daemons
    Cluster,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Text,
    Mermaid,
    Svg,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::read(session, &args.cloud)?;
    let target = target::connect(session).await?;
    let seen = look(target.cluster.as_ref(), &cloud).await?;
    let network = observe::network(&seen);
    let cluster = observe::cluster(&seen, target.cluster.name());
    let (with_network, with_cluster) =
        (args.picture != Some(Which::Cluster), args.picture != Some(Which::Network));
    if matches!(session.global.output, Output::Json | Output::Yaml) {
        let mut model = serde_json::Map::new();
        if with_network {
            model.insert("network".to_owned(), serde_json::json!(network));
        }
        if with_cluster {
            model.insert("cluster".to_owned(), serde_json::json!(cluster));
        }
        return data(session.global.output, &model);
    }
    let format = match args.format {
        Form::Text => Format::Text,
        Form::Mermaid => Format::Mermaid,
        Form::Svg => Format::Svg,
    };
    let mut pictures = Vec::new();
    if with_network {
        pictures.push(draw(Picture::Network(&network), format, session.language(), width()));
    }
    // A file of SVG holds one picture.
    if with_cluster && !(format == Format::Svg && args.picture.is_none()) {
        pictures.push(draw(Picture::Cluster(&cluster), format, session.language(), width()));
    }
    give(&pictures.join("\n"));
    Ok(())
}

async fn look(
    cluster: &dyn landfall_cluster::api::Cluster,
    cloud: &landfall_config::Cloud,
) -> Result<observe::Seen> {
    let rook = cloud.storage.ceph.namespace.clone();
    let mut seen = observe::Seen {
        nodes: cluster.list(&gvk("", "v1", "Node"), None, "").await?,
        ingresses: cluster
            .list(&gvk("networking.k8s.io", "v1", "Ingress"), Some(&cloud.namespace), "")
            .await?,
        services: cluster.list(&gvk("", "v1", "Service"), Some(&cloud.namespace), "").await?,
        address: cloud::ingress_address(cluster).await?,
        rook: rook.clone(),
        ..observe::Seen::default()
    };
    for home in [cloud.namespace.as_str(), rook.as_str()] {
        seen.pods.extend(cluster.list(&gvk("", "v1", "Pod"), Some(home), "").await?);
        for (group, kind) in
            [("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), ("batch", "Job")]
        {
            let listed = cluster.list(&gvk(group, "v1", kind), Some(home), "").await?;
            seen.workloads.extend(listed.into_iter().map(|mut object| {
                // Lists leave the kind of their items out.
                object["kind"] = serde_json::json!(kind);
                object
            }));
        }
    }
    Ok(seen)
}
