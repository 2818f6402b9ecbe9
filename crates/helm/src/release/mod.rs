//! Release records: what Helm keeps of a release, in Secrets that Helm and Landfall both read.

mod history;
mod record;
mod secret;

pub use history::{Entry, prune};
pub use record::{Info, Record, RecordHook, Status};
pub use secret::{LIMIT, SECRET_TYPE, decode, encode, secret, secret_name};
