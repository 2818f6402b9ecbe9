//! The bundle: found in the cache, or built with its progress shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use landfall_image::{Bundle, Error, Progress, Store};

use crate::Session;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::{Line, tell};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::NotRoot | Error::HostPackages { .. } | Error::NoProgram { .. } | Error::OldGo { .. } => {
                Exit::HostUnfit
            }
            Error::UnknownImage { .. } => Exit::BadValue,
            Error::NotBuilt { .. } | Error::NoBinary { .. } => Exit::Bundle,
            Error::Busy { .. } => Exit::AnotherRun,
            _ => Exit::Unexpected,
        };
        Self::new(exit, error.to_string())
    }
}

/// The store of the user's cache.
pub(crate) fn store(session: &Session) -> Result<Store> {
    let store = Store::open(&session.environment.cache)?;
    Ok(store.with_mirror(std::env::var("LANDFALL_MIRROR").ok().filter(|mirror| !mirror.is_empty())))
}

/// What is built, or else built now. Builds run beside the runtime: they block for minutes.
pub(crate) async fn ensure(session: &Session) -> Result<Bundle> {
    let store = store(session)?;
    if let Ok(bundle) = Bundle::find(&store) {
        return Ok(bundle);
    }
    tell(session.say(
        "The bundle (Kubernetes, images) is not complete; building what is missing. The first time takes some minutes.",
        "번들(Kubernetes, 이미지)이 완전하지 않아 빠진 것을 빌드합니다. 처음에는 몇 분 걸립니다.",
    ));
    let mut show = shown(session);
    blocking(move || store.bundle(&mut show)).await
}

/// The bundle's images as new nodes take them. Where that can not be had, its cause is told: the images are then
/// imported into each node.
pub(crate) async fn prepared(session: &Session, bundle: &Bundle) -> Result<Option<PathBuf>> {
    let (store, bundle, mut show) = (store(session)?, bundle.clone(), shown(session));
    match blocking(move || store.prepare(&bundle, &mut show)).await {
        Ok(set) => Ok(Some(set)),
        Err(failure) => {
            tell(&format!(
                "! {}: {}",
                session.say(
                    "images could not be prepared for nodes; each node will import them",
                    "이미지를 노드용으로 미리 준비하지 못했습니다. 노드마다 적재합니다"
                ),
                failure.message.en
            ));
            Ok(None)
        }
    }
}

/// Runs blocking work of the store beside the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> landfall_image::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| {
        Failure::told(
            Exit::Unexpected,
            format!("the build ended early: {error}"),
            format!("빌드가 도중에 끝났습니다: {error}"),
        )
    })??)
}

/// One line an item at a terminal; plain lines of beginning and end elsewhere.
pub(crate) fn shown(session: &Session) -> impl FnMut(Progress) + Send + use<> {
    let mut line = Line::new(session);
    let to_build = session.say("to build:", "빌드할 것:").to_owned();
    move |progress| match progress {
        Progress::Planned { items } if items.is_empty() => {}
        Progress::Planned { items } => line.lasting(&format!("{to_build} {}", items.join(", "))),
        Progress::Started { item } => line.passing(&format!("  {item} …")),
        Progress::Stage { item, stage, detail } => line.fleeting(&format!("  {item}: {stage} {detail}")),
        Progress::Finished { item, took, bytes } => {
            line.lasting(&format!("✓ {item} {:.1}s, {} MiB", took.as_secs_f32(), bytes >> 20));
        }
        Progress::Failed { item } => line.lasting(&format!("✗ {item}")),
    }
}

/// Image name -> reference that changes with its content, for values: a new image rolls its pods.
pub(crate) fn references(session: &Session) -> Result<BTreeMap<String, String>> {
    let bundle = Bundle::find(&store(session)?)?;
    Ok(bundle.images.into_iter().map(|image| (image.name.clone(), image.pinned())).collect())
}
