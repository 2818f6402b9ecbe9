//! `landfall`: one file a verb. This file reads the command line and gives the exit code.

mod addons;
mod args;
mod bundle;
mod ceph;
mod charts;
mod cloud;
mod completions;
mod dependency;
mod diagram;
mod doctor;
mod down;
mod exit;
mod hosts;
mod images;
mod init;
mod lint;
mod local;
mod logs;
mod openrc;
mod openstack;
mod package;
mod plan;
mod provenance;
mod pull;
mod release;
mod run;
mod show;
mod status;
mod subject;
mod target;
mod template;
mod terminal;
mod up;
mod verify;
mod why;

use std::process::ExitCode;

use clap::Parser;
use landfall_config::{Environment, Language};

use crate::args::{Cli, Global, Lang, Output, Verb};
use crate::exit::{Exit, Failure, Result};

/// Rendering gives and takes millions of small pieces of memory, which glibc is slower at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What every verb is given: the environment and the global flags.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) environment: Environment,
    pub(crate) global: Global,
}

impl Session {
    pub(crate) fn language(&self) -> Language {
        self.environment.language
    }

    /// As a run with no flags has it.
    #[cfg(test)]
    pub(crate) fn of_tests() -> Self {
        let cli = Cli::parse_from(["landfall", "status", "--lang=en"]);
        Self { environment: Environment::read(), global: cli.global }
    }

    /// Picks the sentence in the reader's language.
    pub(crate) fn say<'a>(&self, en: &'a str, ko: &'a str) -> &'a str {
        match self.language() {
            Language::En => en,
            Language::Ko => ko,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    // The embedded cluster's nodes run this same program as their launcher and first process.
    if let Some(code) = landfall_node::reexec(&arguments) {
        return code;
    }
    let cli = Cli::parse();
    init_tracing();
    let mut environment = Environment::read();
    match cli.global.lang {
        Some(Lang::En) => environment.language = Language::En,
        Some(Lang::Ko) => environment.language = Language::Ko,
        None => {}
    }
    let session = Session { environment, global: cli.global };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let failure = Failure::told(
                Exit::Unexpected,
                format!("no threads can be started: {error}"),
                format!("스레드를 시작할 수 없습니다: {error}"),
            );
            terminal::fail(&session, &failure);
            return Exit::Unexpected.into();
        }
    };
    let outcome = runtime.block_on(dispatch(&session, cli.verb));
    // A blocked read of stdin must not hold the program back.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::fail(&session, &failure);
            failure.exit.into()
        }
    }
}

async fn dispatch(session: &Session, verb: Verb) -> Result {
    if session.global.output == Output::Junit && !matches!(verb, Verb::Verify(_)) {
        return Err(Failure::told(
            Exit::BadValue,
            "only `landfall verify` writes JUnit's XML",
            "JUnit XML은 `landfall verify`만 출력합니다",
        )
        .hint("use -o json here", "여기서는 -o json을 사용하세요"));
    }
    match verb {
        Verb::Up(args) => up::run(session, args).await,
        Verb::Plan(args) => plan::run(session, args).await,
        Verb::Verify(args) => verify::run(session, args).await,
        Verb::Status(args) => status::run(session, args).await,
        Verb::Why(args) => why::run(session, args).await,
        Verb::Logs(args) => logs::run(session, args).await,
        Verb::Doctor(args) => doctor::run(session, args).await,
        Verb::Diagram(args) => diagram::run(session, args).await,
        Verb::Down(args) => down::run(session, args).await,
        Verb::Openrc(args) => openrc::run(session, args).await,
        Verb::Openstack(args) => openstack::run(session, args).await,
        Verb::Hosts(args) => hosts::run(session, args).await,
        Verb::Ceph(verb) => ceph::run(session, verb).await,
        Verb::Local(verb) => local::run(session, verb).await,
        Verb::Images(verb) => images::run(session, verb).await,
        Verb::Release(verb) => release::run(session, verb).await,
        Verb::Template(args) => template::run(session, args),
        Verb::Lint(args) => lint::run(args),
        Verb::Show(verb) => show::run(session, verb).await,
        Verb::Package(args) => package::run(session, args).await,
        Verb::Pull(args) => pull::run(session, args).await,
        Verb::Dependency(verb) => dependency::run(session, verb).await,
        Verb::Init(args) => init::run(session, &args),
        Verb::Completions { shell } => {
            completions::run(shell);
            Ok(())
        }
    }
}

/// `LANDFALL_LOG=debug` shows what happens inside; nothing of it is a secret.
fn init_tracing() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LANDFALL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
