//! What the objects of a cluster say of themselves: readiness of every kind, and the chain of causes
//! from something that is not ready to its root. Pure: objects in, words out; nothing is fetched here.
//!
//! [`readiness`] judges one object in the manner of kstatus. [`diagnose`] follows owner references,
//! selectors and kubernetes-entrypoint's `DEPENDENCY_*` variables through a [`World`], and [`wanted`]
//! names the logs, events and kinds it would like to see there, so that the caller fetches only those.

pub mod dependency;
pub mod diagnose;
pub mod doctor;
pub mod kinds;
pub mod object;
pub mod quantity;
pub mod readiness;
pub mod scheduling;
pub mod tail;

pub use diagnose::{Code, Diagnosis, Link, Remedy, Want, World, diagnose, wanted};
pub use object::ObjectRef;
pub use readiness::{Readiness, readiness, ready_by_node};
