//! `landfall openstack …`: the OpenStack command line in the cloud's client pod, where its
//! interpreter stays warm. Nothing is installed on this machine.

use std::io::{IsTerminal, Read};

use crate::args::CloudFile;
use crate::cloud::gvk;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::give;
use crate::{Session, cloud, target};

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    #[command(flatten)]
    cloud: CloudFile,
    /// What comes after `openstack`: `service list`, `token issue`, …
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::read(session, &args.cloud)?;
    let target = target::connect(session).await?;
    let cluster = target.cluster.as_ref();
    let pods =
        cluster.list(&gvk("", "v1", "Pod"), Some(&cloud.namespace), "application=openstackclient").await?;
    let ready = pods.iter().find(|pod| {
        let statuses = pod["status"]["containerStatuses"].as_array();
        pod["metadata"]["deletionTimestamp"].is_null()
            && statuses.into_iter().flatten().any(|status| status["ready"].as_bool() == Some(true))
    });
    let Some(pod) = ready.and_then(|pod| pod["metadata"]["name"].as_str()) else {
        return Err(Failure::told(
            Exit::NotThere,
            "the client's pod is not ready",
            "클라이언트 파드가 준비되지 않았습니다",
        )
        .hint(
            "`landfall up openstackclient` brings it up; `landfall status` shows it",
            "`landfall up openstackclient`로 설치하고 `landfall status`로 확인하세요",
        ));
    };
    // A script or file that is piped in goes to the command (`openstack … < file`).
    let mut piped = Vec::new();
    if !std::io::stdin().is_terminal() && std::io::stdin().read_to_end(&mut piped).is_err() {
        piped.clear();
    }
    let command: Vec<String> = landfall_catalog::OPENSTACK_COMMAND
        .iter()
        .map(|word| (*word).to_owned())
        .chain(args.arguments)
        .collect();
    let stdin = (!piped.is_empty()).then_some(piped.as_slice());
    let done = cluster.exec(&cloud.namespace, pod, "openstackclient", &command, stdin).await?;
    give(&done.stdout);
    if !done.stderr.is_empty() {
        crate::terminal::tell(done.stderr.trim_end());
    }
    match u8::try_from(done.code) {
        Ok(0) => Ok(()),
        // The command's own code, as a shell would give it.
        code => std::process::exit(i32::from(code.unwrap_or(1))),
    }
}
