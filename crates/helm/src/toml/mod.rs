//! TOML as Helm's library (BurntSushi's) writes and reads it.

mod read;
mod write;

pub use read::read;
pub use write::write;
