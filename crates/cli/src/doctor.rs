//! `landfall doctor`: whether the cluster, or this machine for one, is fit for a cloud. Gathers facts;
//! `landfall_health::doctor` judges them.

mod ceph;
mod cluster;
mod machine;

use anstyle::{AnsiColor, Style};
use landfall_health::doctor::{Check, Facts, Finding, Level, Words, examine};

use crate::args::{CloudFile, Output};
use crate::exit::{Exit, Failure, Result};
use crate::target::{self, Choice};
use crate::terminal::{data, give, lines, tell};
use crate::{Session, cloud, run, status};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  landfall doctor                    # before: is all there? after: does all hold?\n  \
                        landfall doctor --amiss            # only what is not as it should be\n  \
                        landfall doctor --kubeconfig admin.conf -o json\n\n\
                        Exit code: 0, or 12 where there is a problem; notes and warnings are none."
)]
pub(crate) struct Args {
    #[command(flatten)]
    cloud: CloudFile,
    /// Only what is not as it should be
    #[arg(long)]
    amiss: bool,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result {
    let cloud = cloud::read(session, &args.cloud)?;
    let choice = target::choose(session);
    let mut found = match &choice {
        Choice::Embedded { name } if !target::is_there(session, name) => nowhere(session, name).await,
        _ => somewhere(session, choice, cloud).await?,
    };
    if args.amiss {
        found.retain(|finding| finding.level != Level::Ok);
    }
    match session.global.output {
        Output::Json | Output::Yaml => data(session.global.output, &found)?,
        Output::Name => lines(found.iter().filter(|f| f.level != Level::Ok).map(|f| &f.id)),
        Output::Table | Output::Junit => show(session, &found),
    }
    if found.iter().any(|finding| finding.level == Level::Problem) {
        return Err(Failure::silent(Exit::DoctorProblem));
    }
    Ok(())
}

/// No cluster at all: this machine's fitness for an embedded one.
async fn nowhere(session: &Session, name: &str) -> Vec<Finding> {
    tell(&match session.language() {
        landfall_config::Language::En => {
            format!(
                "No cluster is given, and there is no embedded cluster `{name}`: looking at this machine."
            )
        }
        landfall_config::Language::Ko => {
            format!("지정된 클러스터도 내장 클러스터 `{name}`도 없어 이 머신을 살펴봅니다.")
        }
    });
    let (mut machine, host) = machine::look(session, session.say("this machine", "이 머신")).await;
    // Room is judged by what the nodes take.
    (machine.memory_free, machine.disk_free, machine.cgroups) = (None, None, None);
    let mut found = examine(&Facts { machines: vec![machine], ..Facts::default() });
    match host {
        Some(host) => found.extend(machine::fitness(session, host)),
        None => found.push(
            Finding::new(
                "machine/fitness",
                Level::Problem,
                "this machine's network can not be looked at",
                "이 머신의 네트워크를 조회할 수 없습니다",
            )
            .remedy("run it by sudo", "sudo로 실행하세요"),
        ),
    }
    found
}

async fn somewhere(session: &Session, choice: Choice, cloud: landfall_config::Cloud) -> Result<Vec<Finding>> {
    let embedded = matches!(choice, Choice::Embedded { .. });
    let target = match target::open(session, choice).await {
        Ok(target) => target,
        // A kubeconfig that is wrong is not the cluster's trouble.
        Err(failure) if failure.exit != Exit::Unreachable => return Err(failure),
        Err(failure) => {
            let mut finding =
                Finding::new("cluster/answers", Level::Problem, failure.message.en, failure.message.ko);
            finding.remedy = failure.hint.map(|hint| Words::new(hint.en, hint.ko));
            return Ok(vec![finding]);
        }
    };
    let mut machines = Vec::new();
    if embedded {
        machines.push(machine::look(session, session.say("this machine", "이 머신")).await.0);
    }
    let ready = run::look(session, &target, cloud).await?;
    let mut facts = cluster::look(&target, &ready, machines).await?;
    if facts.installed {
        let outcomes = status::looked_at(&target, &ready).await;
        facts.checks = outcomes
            .into_iter()
            .map(|outcome| Check {
                id: outcome.spec.id,
                title: Words::new(outcome.spec.title.en, outcome.spec.title.ko),
                passed: outcome.passed,
                evidence: outcome.evidence,
                remedy: Words::new(outcome.spec.remedy.en, outcome.spec.remedy.ko),
            })
            .collect();
    }
    let mut found = examine(&facts);
    let (en, ko) = ("the cluster answers", "클러스터가 응답함");
    found.insert(0, Finding::new("cluster/answers", Level::Ok, en, ko).seen(target.cluster.name()));
    Ok(found)
}

fn show(session: &Session, found: &[Finding]) {
    let words = |words: &Words| session.say(&words.en, &words.ko).to_owned();
    let dim = Style::new().dimmed();
    let mut text = String::new();
    for finding in found {
        let (mark, colour) = match finding.level {
            Level::Ok => ("✓", AnsiColor::Green),
            Level::Note => ("·", AnsiColor::Cyan),
            Level::Warning => ("!", AnsiColor::Yellow),
            Level::Problem => ("✗", AnsiColor::Red),
        };
        let style = colour.on_default();
        text.push_str(&format!("{style}{mark}{style:#} {}\n", words(&finding.says)));
        for line in finding.evidence.lines() {
            text.push_str(&format!("    {dim}{line}{dim:#}\n"));
        }
        if let Some(remedy) = &finding.remedy {
            let word = session.say("remedy:", "조치:");
            text.push_str(&format!("  {style}{word}{style:#} {}\n", words(remedy)));
        }
    }
    give(&text);
    let count = |level| found.iter().filter(|finding| finding.level == level).count();
    let (problems, warnings, notes) = (count(Level::Problem), count(Level::Warning), count(Level::Note));
    tell(&match session.language() {
        landfall_config::Language::En => {
            format!("{problems} problems, {warnings} warnings, {notes} notes in {} findings", found.len())
        }
        landfall_config::Language::Ko => {
            format!("항목 {}개 중 문제 {problems}개, 경고 {warnings}개, 참고 {notes}개", found.len())
        }
    });
}
