//! The proof that a cloud is one: servers, networks and volumes made as its users would, each seen to do what it is
//! for, and removed again.
//!
//! ```text
//! step      the proof as a graph of named steps: plain data
//! schedule  carries a graph out side by side, and always its removal; knows nothing of OpenStack
//! console   what the guest says of itself on its console: lines in, facts out
//! cloud     the steps upon a real cloud, by its APIs and by commands in its pods
//! tempest   how OpenStack's own test suite is told of a cloud, and what it says of each test
//! ```
//!
//! All that is made is named `landfall-proof-<word>`, in a project of that name, so that what an interrupted proof
//! left is found by the next one.

pub mod cloud;
pub mod console;
pub mod schedule;
pub mod step;
pub mod tempest;
mod wait;

pub use cloud::{GuestFiles, RealCloud, Setting};
pub use schedule::{Cloud, Outcome, Progress, Seen, State, run};
pub use step::{PREFIX, Step, clean_steps, full_steps};
