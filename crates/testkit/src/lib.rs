//! For tests: a simulated cluster behind the same trait as the real one, with faults to inject, and
//! clouds written as short scripts. Not for use in the product.

pub mod ceph;
pub mod script;
pub mod sim;

pub use ceph::SimCeph;
pub use script::{Cloud, cloud};
pub use sim::{Faults, Sim};
