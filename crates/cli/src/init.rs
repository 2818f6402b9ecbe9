//! `landfall init`: a cloud file with every default in it.

use std::io::Write;
use std::path::PathBuf;

use crate::Session;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::tell;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to write it
    #[arg(default_value = "cloud.yaml")]
    path: PathBuf,
}

const TEXT: &str = "\
apiVersion: landfall.dev/v1
kind: Cloud
metadata:
  name: landfall
spec:
  # Public names are keystone.<domain>, glance.<domain>, …
  domain: landfall.test
  namespace: openstack
  # What they need comes along; an empty list is everything.
  services: []
  charts: bundled
  storage:
    ceph: {namespace: rook-ceph}
    # StorageClass of the databases' volumes; null takes the cluster's default class.
    class: null
  # Which nodes carry a role: \"*\" or a list of names.
  nodes: {control-plane: \"*\", compute: \"*\", network: \"*\"}
  ingress: {class: nginx}
  # Values laid over a service's own, as in {keystone: {pod: {replicas: {api: 3}}}}.
  overrides: {}
";

pub(crate) fn run(session: &Session, args: &Args) -> Result {
    let failed = |error: std::io::Error| {
        let failure = Failure::told(
            Exit::Unreadable,
            format!("{} can not be written: {error}", args.path.display()),
            format!("{}: 쓸 수 없습니다: {error}", args.path.display()),
        );
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => failure.hint(
                "name another file, or remove this one first",
                "다른 파일 이름을 지정하거나 이 파일을 먼저 지우세요",
            ),
            _ => failure,
        }
    };
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).open(&args.path).map_err(failed)?;
    file.write_all(TEXT.as_bytes()).map_err(failed)?;
    let path = args.path.display();
    tell(&format!(
        "{} {path}; {} landfall up -f {path}",
        session.say("wrote", "작성함:"),
        session.say("next:", "다음:")
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn the_file_written_is_the_cloud_of_defaults() {
        let mut cloud = landfall_config::parse(super::TEXT, "cloud.yaml").unwrap();
        assert_eq!(cloud.domain.take().as_deref(), Some(crate::cloud::DEFAULT_DOMAIN));
        assert_eq!(cloud, landfall_config::Cloud::default());
    }
}
