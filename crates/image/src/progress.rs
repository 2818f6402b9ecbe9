//! What a build tells while it runs. The caller decides how to show it.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// What will be built, in a possible order; sent once, empty when nothing is missing.
    Planned {
        items: Vec<String>,
    },
    Started {
        item: String,
    },
    /// The item goes on with another stage: `download`, `install`, `pack`, `compile`, …
    Stage {
        item: String,
        stage: &'static str,
        detail: String,
    },
    Finished {
        item: String,
        took: Duration,
        bytes: u64,
    },
    Failed {
        item: String,
    },
}
