//! Images of Debian packages: recipes in `images/` become an OCI layout in the cache,
//! Go modules in `embedded/` become programs, and both together are the bundle that the
//! embedded cluster and a cloud on it need.
//!
//! It neither prints nor reads the environment; progress goes to a callback. It never
//! fetches an image: what runs is built here, of packages that Debian signed.
//!
//! ```no_run
//! # fn main() -> landfall_image::Result<()> {
//! use landfall_image::{Progress, Store};
//! let store = Store::open(std::path::Path::new("/root/.cache/landfall"))?;
//! let bundle = store.bundle(&mut |progress: Progress| drop(progress))?;
//! store.export_tar(&bundle.images, &mut std::io::sink())?;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod apt;
mod assemble;
mod builder;
mod bundle;
mod command;
mod containerd;
mod digest;
mod error;
mod export;
mod files;
mod guest;
mod layer;
mod mounts;
mod oci;
mod parts;
mod prepare;
mod prepared;
mod progress;
mod prove;
mod recipe;
mod recipes;
mod registry;
mod requirements;
mod scrub;
mod store;

pub use bundle::{Bundle, Check};
pub use error::{Error, Result};
pub use guest::{DISK_BEGINS, Guest};
pub use parts::{Group, Part, Parts};
pub use progress::Progress;
pub use recipe::{Kind, Recipe};
pub use recipes::Recipes;
pub use registry::{Pushed, Registry, docker_login};
pub use requirements::{Missing, requirements};
pub use store::{ImageInfo, ImageRef, Store};
