//! Pings to a server out of the namespace that Neutron's DHCP agent has on a node, counted.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::{Landfall, Outcome, Servers, check};

/// Between two pings, in seconds.
const INTERVAL: &str = "0.2";

/// From where servers of one network are pinged.
#[derive(Debug)]
pub struct Watch {
    landfall: Landfall,
    node: String,
    /// Network namespace on the node.
    namespace: String,
}

/// Pings on their way.
#[derive(Debug)]
pub struct Pings {
    child: Child,
    stop: Vec<String>,
    landfall: Landfall,
}

/// What came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub sent: u64,
    pub answered: u64,
}

impl Count {
    pub fn lost(self) -> u64 {
        self.sent - self.answered
    }
}

impl Watch {
    /// From this node, whose DHCP agent is told to serve the network, too.
    ///
    /// # Errors
    /// Where the network has no namespace there.
    pub fn from(landfall: &Landfall, servers: &Servers, node: &str) -> Result<Self, String> {
        let agents = servers.cloud(&["network", "agent", "list", "--agent-type", "dhcp", "--host", node])?;
        let agent = agents[0]["ID"].as_str().ok_or_else(|| format!("no DHCP agent on {node}: {agents}"))?;
        // One that serves it already is told so by an error.
        landfall.openstack(&["network", "agent", "add", "network", "--dhcp", agent, servers.name]);
        let network = servers.cloud(&["network", "show", servers.name])?;
        let namespace = format!("qdhcp-{}", network["id"].as_str().unwrap_or_default());
        Ok(Self { landfall: landfall.clone(), node: node.to_owned(), namespace })
    }

    /// The arguments of kubectl that run a shell's words in the DHCP agent's pod.
    fn inside(&self, words: &str) -> Result<Vec<String>, String> {
        let node = format!("spec.nodeName={}", self.node);
        let labels = "application=neutron,component=neutron-dhcp-agent";
        let pods =
            self.landfall.get(&["pods", "-n", "openstack", "-l", labels, "--field-selector", &node])?;
        let mut running = pods["items"].as_array().into_iter().flatten();
        let pod = running.find(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        let name = pod.and_then(|pod| pod["metadata"]["name"].as_str());
        let name = name.ok_or_else(|| format!("no DHCP agent's pod on {}", self.node))?;
        Ok(["-n", "openstack", "exec", name, "--", "sh", "-c", words].map(str::to_owned).to_vec())
    }

    /// Waits until an address answers.
    ///
    /// # Errors
    /// `ping`'s last words, where it does not in time.
    pub fn answers(&self, address: &str, within: Duration) -> Outcome {
        let began = Instant::now();
        loop {
            let words = format!("ip netns exec {} ping -c 1 -W 2 {address}", self.namespace);
            let told = match self.inside(&words) {
                Ok(arguments) => self.landfall.kubectl(&refs(&arguments)),
                Err(why) => {
                    check(began.elapsed() < within, || why)?;
                    continue;
                }
            };
            if told.code == 0 {
                return Ok(());
            }
            check(began.elapsed() < within, || {
                format!("{address} does not answer from {}: {}{}", self.node, told.stdout, told.stderr)
            })?;
        }
    }

    /// Begins to ping an address.
    ///
    /// # Errors
    /// Where there is no pod to ping from.
    pub fn begin(&self, address: &str) -> Result<Pings, String> {
        let file = format!("/tmp/ping-{address}");
        let words =
            format!("echo $$ > {file}; exec ip netns exec {} ping -i {INTERVAL} {address}", self.namespace);
        let local = ["local", "shell", "--name", self.landfall.cluster.as_str(), "k1", "--", "kubectl"];
        let arguments = self.inside(&words)?;
        let child = self
            .landfall
            .command(&[&local[..], &refs(&arguments)].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let stop = self.inside(&format!("kill -INT $(cat {file})"))?;
        Ok(Pings { child, stop, landfall: self.landfall.clone() })
    }
}

impl Pings {
    /// Ends them and counts.
    ///
    /// # Errors
    /// Where `ping` ended before, or said nothing.
    pub fn end(self) -> Result<Count, String> {
        self.landfall.kubectl(&refs(&self.stop)).ended(0)?;
        let output = self.child.wait_with_output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        counted(&text).ok_or_else(|| format!("no count: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// What `ping` said. The last one is not counted where it is on its way still: nobody waited for its answer.
fn counted(text: &str) -> Option<Count> {
    // `10 packets transmitted, 9 received, …`
    let line = text.lines().find(|line| line.contains("packets transmitted"))?;
    let mut numbers = line.split([' ', ',']).filter_map(|word| word.parse::<u64>().ok());
    let (sent, answered) = (numbers.next()?, numbers.next()?);
    // `64 bytes from 192.0.2.7: icmp_seq=9 ttl=64 time=1.2 ms`
    let answers = text.lines().filter(|line| line.contains("bytes from"));
    let last = answers
        .filter_map(|line| line.split("icmp_seq=").nth(1)?.split(' ').next()?.parse::<u64>().ok())
        .max();
    let on_its_way = last == Some(sent.saturating_sub(1)) && sent > answered;
    Some(Count { sent: sent - u64::from(on_its_way), answered })
}

fn refs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_on_its_way_is_not_lost_and_one_without_an_answer_is() {
        let said = |seqs: &[u64], sent: u64| {
            let lines: Vec<String> = seqs
                .iter()
                .map(|seq| format!("64 bytes from 192.0.2.7: icmp_seq={seq} ttl=64 time=1 ms"))
                .collect();
            let received = seqs.len();
            format!("{}\n{sent} packets transmitted, {received} received, 0% packet loss", lines.join("\n"))
        };
        let lost = |seqs: &[u64], sent| counted(&said(seqs, sent)).map(Count::lost);
        assert_eq!(lost(&[1, 2, 3], 3), Some(0));
        assert_eq!(lost(&[1, 2, 3], 4), Some(0));
        assert_eq!(lost(&[1, 3], 3), Some(1));
        assert_eq!(lost(&[1, 3], 4), Some(1));
        assert_eq!(lost(&[1, 2], 4), Some(2));
        assert_eq!(counted("ping: unknown host"), None);
    }
}
