//! What Landfall knows of each service: its chart, its values from the cloud file, what must be
//! there before it, its check points and their remedies. One file a service; no I/O.

pub mod blueprint;
