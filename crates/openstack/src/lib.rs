//! A small client of Keystone: what checks need, and nothing that a cloud's users would.
//!
//! Talks HTTP to a socket address under the name that the Ingress knows, so that no name has to be
//! in DNS or `/etc/hosts`. Passwords and tokens are in no error and no `Debug`.

mod error;
mod keystone;

pub use error::Error;
pub use keystone::{Answer, Credentials, Keystone, Service, Token};
