//! `landfall why [OBJECT]`: the chain of causes from something that is not well to its root.

use std::collections::BTreeSet;

use landfall_display::chain;
use landfall_engine::why::{Explained, Subject, explain};

use crate::args::{CloudFile, Output};
use crate::exit::{Exit, Failure, Result};
use crate::subject::{self, Word};
use crate::terminal::{data, give, lines, tell};
use crate::{Session, cloud, target};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  landfall why                       # all that is not well\n  \
                        landfall why keystone              # the workloads of a service\n  \
                        landfall why pod/mariadb-server-0\n  \
                        landfall why kube-system/deploy/coredns -o json")]
pub(crate) struct Args {
    /// A service, or KIND/NAME, or NAMESPACE/KIND/NAME; all that is not well where none is named
    #[arg(value_name = "OBJECT")]
    object: Option<String>,
    #[command(flatten)]
    cloud: CloudFile,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let word = args.object.as_deref().map(subject::parse).transpose()?;
    let cloud = cloud::read(session, &args.cloud)?;
    let target = target::connect(session).await?;
    let subject = match &word {
        Some(word) => subject::resolve(target.cluster.as_ref(), &cloud, word).await?,
        None => Subject::Everything,
    };
    let mut namespaces = BTreeSet::from([cloud.namespace.clone(), cloud.storage.ceph.namespace.clone()]);
    if let Subject::Object(at) = &subject
        && !at.namespace.is_empty()
    {
        namespaces.insert(at.namespace.clone());
    }
    let found = explain(&target.cluster, &namespaces, &subject).await;
    if let (Some(Word::Service(service)), []) = (&word, &found[..]) {
        return Err(Failure::told(
            Exit::NotThere,
            format!("{service} is not installed: it has no workload in this cluster"),
            format!("{service}이(가) 설치되어 있지 않습니다: 이 클러스터에 워크로드가 없습니다"),
        )
        .hint_command(&format!("landfall up {service}")));
    }
    match session.global.output {
        Output::Json | Output::Yaml => data(session.global.output, &found)?,
        Output::Name => lines(found.iter().filter(|one| !one.well).map(|one| &one.object)),
        Output::Table | Output::Junit => show(session, &subject, &found),
    }
    Ok(())
}

fn show(session: &Session, subject: &Subject, found: &[Explained]) {
    let (well, ill): (Vec<&Explained>, Vec<&Explained>) = found.iter().partition(|one| one.well);
    let mut told: Vec<&[landfall_engine::event::Cause]> = Vec::new();
    for one in ill {
        // What ends in a chain that was told already is the same trouble seen from elsewhere.
        let causes = &one.failure.causes[..];
        if told.iter().any(|longer| longer.ends_with(causes)) {
            continue;
        }
        told.push(causes);
        let fate = if one.terminal {
            session.say("does not get better by itself", "저절로 나아지지 않음")
        } else {
            session.say("may pass", "지나갈 수 있음")
        };
        let head = format!("{} ({}; {fate})", one.object, one.failure.code);
        give(&chain(&head, &one.failure, session.language()).join("\n"));
    }
    if found.is_empty() && *subject == Subject::Everything {
        tell(session.say(
            "no service is installed yet; `landfall up` does it",
            "아직 설치된 서비스가 없습니다. `landfall up`으로 설치하세요",
        ));
    } else if told.is_empty() && *subject == Subject::Everything {
        tell(&match session.language() {
            landfall_config::Language::En => format!("all {} workloads are well", well.len()),
            landfall_config::Language::Ko => format!("워크로드 {}개가 모두 정상입니다", well.len()),
        });
    } else if *subject != Subject::Everything {
        for one in well {
            give(&format!("✓ {} {}", one.object, session.say("is well", "정상")));
        }
    }
}
