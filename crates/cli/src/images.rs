//! `landfall images …`: recipes, builds, the bundle, registries.

use landfall_display::Table;
use landfall_image::{Bundle, Registry, requirements};

use crate::args::Output;
use crate::bundle::{blocking, ensure, prepared, shown, store};
use crate::exit::{Exit, Failure, Result};
use crate::target::EMBEDDED;
use crate::terminal::{data, give, lines, tell};
use crate::{Session, local};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Show images, whether they are built, and their sizes
    List,
    /// Build what is missing
    Build {
        /// All where none is named
        names: Vec<String>,
        /// Build twice and compare the digests
        #[arg(long)]
        check: bool,
    },
    /// Load the images into the nodes of the embedded cluster, without a registry
    Load {
        #[arg(long, default_value = EMBEDDED)]
        name: String,
    },
    /// Push the images to a registry
    Push {
        /// As in registry.example/landfall
        registry: String,
        /// Speak HTTP, for a registry on this machine
        #[arg(long)]
        insecure: bool,
    },
    /// Build all that the embedded cluster and a cloud on it need, and unpack the images for new nodes
    Bundle {
        /// Real Helm, too: tests and benchmarks compare with it
        #[arg(long)]
        oracle: bool,
    },
    /// Show the Debian packages that building needs and this machine lacks
    Requirements,
}

pub(crate) async fn run(session: &Session, verb: Verb) -> Result {
    match verb {
        Verb::List => list(session),
        Verb::Build { names, check } => build(session, names, check).await,
        Verb::Load { name } => {
            let bundle = Bundle::find(&store(session)?)?;
            local::load(session, &name, &bundle).await
        }
        Verb::Push { registry, insecure } => push(session, &registry, insecure).await,
        Verb::Bundle { oracle } => {
            let bundle = ensure(session).await?;
            prepared(session, &bundle).await?;
            if oracle {
                let (store, mut show) = (store(session)?, shown(session));
                let helm = blocking(move || {
                    // Tests find the oracle in the cache; Helm is called by its path.
                    store.program("landfall-oracle", &mut show)?;
                    store.program("helm", &mut show)
                })
                .await?;
                give(&helm.display().to_string());
            }
            Ok(())
        }
        Verb::Requirements => {
            needed(session);
            Ok(())
        }
    }
}

fn list(session: &Session) -> Result {
    let images = store(session)?.list()?;
    match session.global.output {
        Output::Json | Output::Yaml => data(session.global.output, &images)?,
        Output::Name => lines(images.iter().map(|image| &image.name)),
        Output::Table | Output::Junit => {
            let mut table = Table::new(["NAME", "REFERENCE", "SIZE", "DIGEST"]);
            for image in images {
                let (size, digest) = match &image.built {
                    Some(built) => {
                        (format!("{} MiB", built.size >> 20), built.digest.chars().take(19).collect())
                    }
                    None => (session.say("not built", "빌드 안 됨").to_owned(), String::new()),
                };
                table.row([image.name, image.reference, size, digest]);
            }
            give(&table.columns());
        }
    }
    Ok(())
}

async fn build(session: &Session, names: Vec<String>, check: bool) -> Result {
    let store = store(session)?;
    let names =
        if names.is_empty() { store.list()?.into_iter().map(|image| image.name).collect() } else { names };
    let mut show = shown(session);
    if !check {
        let built = blocking(move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            store.build(&names, &mut show)
        })
        .await?;
        lines(built.iter().map(|image| format!("{} {}", image.reference, image.digest)));
        return Ok(());
    }
    let checks = blocking(move || {
        names.iter().map(|name| store.check(name, &mut show)).collect::<landfall_image::Result<Vec<_>>>()
    })
    .await?;
    let mut same = true;
    for check in checks {
        same &= check.same();
        let word = if check.same() { "same" } else { "DIFFERENT" };
        give(&format!("{} {word} {} {}", check.name, check.first, check.second));
        for difference in check.differences {
            give(&format!("  {difference}"));
        }
    }
    if same {
        return Ok(());
    }
    Err(Failure::told(
        Exit::CheckFailed,
        "two builds of the same recipe differ",
        "같은 레시피의 두 빌드가 서로 다릅니다",
    ))
}

async fn push(session: &Session, registry: &str, insecure: bool) -> Result {
    let store = store(session)?;
    let bundle = Bundle::find(&store)?;
    let mut registry = Registry::parse(registry)?;
    if insecure {
        registry = registry.plain_http()?;
    }
    let login = session.environment.home.join(".docker/config.json");
    if login.exists() {
        registry = registry.with_docker_config(&login)?;
    }
    let pushed = store.push(&bundle.images, &registry, &mut shown(session)).await?;
    lines(pushed.iter().map(|image| format!("{} {}", image.reference, image.digest)));
    Ok(())
}

fn needed(session: &Session) {
    let missing = requirements();
    if session.global.output == Output::Name {
        let mut packages: Vec<&str> = missing.iter().map(|need| need.debian_package).collect();
        packages.dedup();
        lines(&packages);
        return;
    }
    if missing.is_empty() {
        tell(session.say("nothing is missing", "빠진 것이 없습니다"));
        return;
    }
    let mut table = Table::new(["MISSING", "DEBIAN PACKAGE", "WHY"]);
    for need in missing {
        table.row([need.what.to_owned(), need.debian_package.to_owned(), need.why.to_owned()]);
    }
    give(&table.columns());
}
