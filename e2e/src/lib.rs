//! What the tests upon real parts share: running the binary, asking the cluster, looking at the
//! host. Scenarios run one after the other, since they share one machine.

mod broken;
mod chance;
mod harness;
mod host;
mod killed;
mod landfall;
mod memory;
mod ping;
mod servers;
mod world;

pub use broken::{Broken, told};
pub use chance::{Chance, number};
pub use harness::{Outcome, Scenario, check, main_in};
pub use host::Host;
pub use killed::killed_at_random;
pub use landfall::{Landfall, Ran, kill, ran};
pub use memory::{memory_of, peak_memory_of};
pub use ping::{Count, Pings, Watch};
pub use servers::{Server, Servers};
pub use world::{World, copy_charts};
