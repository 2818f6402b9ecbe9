//! Runs a plan: what may run side by side does, waits are watches, every wait is explained.
//!
//! The way through, as the verbs go it:
//!
//! ```text
//! secrets::load -> (catalog: Blueprint) -> prepare::prepare -> run::run -> events, RunOutcome
//! ```
//!
//! Nothing here writes to a terminal or reads the environment; displays see [`event::Event`] only.

mod act;
mod again;
pub mod checks;
pub mod down;
mod emit;
pub mod error;
pub mod event;
mod failure;
pub mod guide;
mod helm_records;
pub mod journal;
mod observe;
pub mod once;
pub mod prepare;
pub mod records;
pub mod run;
mod schedule;
pub mod secrets;
pub mod why;

pub use checks::{CheckContext, CheckOutcome};
pub use error::EngineError;
pub use prepare::{Prepared, prepare};
pub use run::{ExitKind, Limits, RunContext, RunOutcome, run};
