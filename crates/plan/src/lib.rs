//! Pure: rendered releases and a snapshot of the cluster -> an immutable graph of steps.

pub mod model;
