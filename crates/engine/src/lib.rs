//! Runs a plan: what may run side by side does, waits are watches, every wait is explained.

pub mod event;
