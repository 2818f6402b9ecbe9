//! Kubernetes, behind one trait with a real and a simulated side: apply, read, watch, exec, logs.

pub mod api;
