//! Who reaches a server: the router it is behind, the world outside by a floating IP; and who does not.

use std::time::Duration;

use serde_json::json;

use super::compute::Server;
use super::network::{BLOCKED, OPEN};
use super::pods::L3_AGENT;
use super::{RealCloud, known, list, text, told};
use crate::wait::{Look, Waits, until};

/// Rules and addresses take effect on the nodes within some seconds.
const SOON: Duration = Duration::from_mins(1);
/// Seconds after which a connection that nobody answers counts as blocked.
const SILENCE: &str = "4";
/// What `timeout` ends with when it ended the command.
const TIMED_OUT: i32 = 124;
/// One request; the shell's own sockets, since no client of HTTP is in the image.
const FETCH: &str = "exec 3<>/dev/tcp/$0/$1 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3";

/// From where a server is reached for.
#[derive(Debug, Clone)]
struct From {
    pod: String,
    /// Network namespace; none: the node's.
    namespace: Option<String>,
}

/// What came of a connection.
#[derive(Debug, PartialEq, Eq)]
enum Tcp {
    Answered(String),
    /// Nothing came back at all.
    Silence,
    Refused(String),
}

impl RealCloud {
    /// Ping and TCP out of the router's own namespace.
    pub(super) async fn reached_from_router(&self, waits: Waits<'_>) -> Result<String, String> {
        self.answers_from_router(known(&self.facts.first)?, waits).await
    }

    pub(super) async fn answers_from_router(
        &self,
        server: &Server,
        waits: Waits<'_>,
    ) -> Result<String, String> {
        let from = self.router_namespace().await?;
        self.answers(&from, &server.address, server, waits).await
    }

    /// By an address outside, from the node that leads there.
    pub(super) async fn floating_ip(&self, waits: Waits<'_>) -> Result<String, String> {
        let server = known(&self.facts.first)?;
        let body = json!({"floatingip": {"floating_network_id": known(&self.facts.external)?,
            "port_id": server.port}});
        let made = self.member()?.network.post("/v2.0/floatingips", &body).await.map_err(told)?;
        let address = text(&made["floatingip"]["floating_ip_address"]);
        let from = From { namespace: None, ..self.router_namespace().await? };
        let seen = self.answers(&from, &address, server, waits).await?;
        Ok(format!("{address} leads to {}\n{seen}", server.address))
    }

    /// Silence before the rule and an answer after it: so it is the rule, and not that nobody listens.
    pub(super) async fn blocked_port(&self, waits: Waits<'_>) -> Result<String, String> {
        let server = known(&self.facts.first)?;
        let from = self.router_namespace().await?;
        // The open one answers first, so that silence is not the network's.
        self.answers(&from, &server.address, server, waits).await?;
        match self.tcp(&from, &server.address, BLOCKED).await? {
            Tcp::Silence => {}
            Tcp::Answered(_) => return Err(format!("port {BLOCKED} answers, and no rule lets it in")),
            Tcp::Refused(why) => return Err(format!("port {BLOCKED} is not blocked, but refused: {why}")),
        }
        let rule = json!({"protocol": "tcp", "port_range_min": BLOCKED, "port_range_max": BLOCKED});
        self.open_in(known(&self.facts.group)?, rule).await?;
        until(waits, SOON, || async {
            match self.tcp(&from, &server.address, BLOCKED).await {
                Ok(Tcp::Answered(_)) => Look::Is(()),
                Ok(Tcp::Silence) => {
                    Look::NotYet(format!("port {BLOCKED} is still silent after its rule was made"))
                }
                Ok(Tcp::Refused(why)) => Look::NotYet(why),
                Err(why) => Look::Never(why),
            }
        })
        .await?;
        Ok(format!(
            "port {OPEN} answers, port {BLOCKED} is silent for {SILENCE} s; with a rule for it it answers, too"
        ))
    }

    /// Both must answer, and with the guest's own words.
    async fn answers(
        &self,
        from: &From,
        address: &str,
        server: &Server,
        waits: Waits<'_>,
    ) -> Result<String, String> {
        let wanted = format!("landfall {} {}", server.id, server.word);
        let ping = until(waits, SOON, || async {
            match self.ping(from, address).await {
                Ok(Some(seen)) => Look::Is(seen),
                Ok(None) => Look::NotYet(format!("{address} does not answer ping")),
                Err(why) => Look::Never(why),
            }
        })
        .await?;
        let said = until(waits, SOON, || async {
            match self.tcp(from, address, OPEN).await {
                Ok(Tcp::Answered(said)) => Look::Is(said),
                Ok(Tcp::Silence) => Look::NotYet(format!("{address} port {OPEN} does not answer")),
                Ok(Tcp::Refused(why)) => Look::NotYet(format!("{address} port {OPEN}: {why}")),
                Err(why) => Look::Never(why),
            }
        })
        .await?;
        if !said.contains(&wanted) {
            return Err(format!("{address} port {OPEN} answers {said:?} in place of {wanted:?}"));
        }
        Ok(format!("ping {address}: {ping}\nport {OPEN}: {wanted}"))
    }

    /// The pod of the agent that carries the router.
    async fn router_namespace(&self) -> Result<From, String> {
        let router = known(&self.facts.router)?;
        let path = format!("/v2.0/routers/{router}/l3-agents");
        let agents = self.admin.network.get(&path).await.map_err(told)?;
        let host = list(&agents["agents"]).first().map(|agent| text(&agent["host"]));
        let Some(host) = host else { return Err(format!("no L3 agent carries the router {router}")) };
        let pod = self.by_node(L3_AGENT).await?.remove(&host);
        let pod = pod.ok_or_else(|| format!("no ready pod of neutron-l3-agent on {host}"))?;
        Ok(From { pod, namespace: Some(format!("qrouter-{router}")) })
    }

    /// The last line but one of `ping`, which counts; none where nothing came back.
    async fn ping(&self, from: &From, address: &str) -> Result<Option<String>, String> {
        let command = within(from, &["ping", "-n", "-c", "3", "-i", "0.3", "-W", "2", address]);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let output = self.exec(L3_AGENT, &from.pod, &command).await?;
        if output.code != 0 {
            return Ok(None);
        }
        let counts = output.stdout.lines().find(|line| line.contains("packets transmitted"));
        Ok(Some(counts.unwrap_or_default().trim().to_owned()))
    }

    async fn tcp(&self, from: &From, address: &str, port: u16) -> Result<Tcp, String> {
        let port = port.to_string();
        let command = within(from, &["timeout", SILENCE, "bash", "-c", FETCH, address, &port]);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let output = self.exec(L3_AGENT, &from.pod, &command).await?;
        Ok(judge(output.code, &output.stdout, &output.stderr))
    }
}

fn within(from: &From, command: &[&str]) -> Vec<String> {
    let inside = from.namespace.iter().flat_map(|name| ["ip", "netns", "exec", name.as_str()]);
    inside.chain(command.iter().copied()).map(str::to_owned).collect()
}

fn judge(code: i32, stdout: &str, stderr: &str) -> Tcp {
    match code {
        // The body is what comes after the head.
        0 => Tcp::Answered(stdout.lines().last().unwrap_or_default().trim().to_owned()),
        TIMED_OUT => Tcp::Silence,
        _ => Tcp::Refused(stderr.lines().next().unwrap_or_default().trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_from_refusal_and_from_an_answer() {
        let answer = "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nlandfall a b\n";
        assert_eq!(judge(0, answer, ""), Tcp::Answered("landfall a b".to_owned()));
        assert_eq!(judge(124, "", ""), Tcp::Silence);
        let refused =
            "bash: connect: Connection refused\nbash: line 1: /dev/tcp/192.0.2.9/8081: Connection refused\n";
        assert_eq!(judge(1, "", refused), Tcp::Refused("bash: connect: Connection refused".to_owned()));
    }

    #[test]
    fn commands_run_in_the_routers_namespace_or_on_the_node() {
        let node = From { pod: "p".into(), namespace: None };
        assert_eq!(within(&node, &["ping"]), ["ping"]);
        let router = From { namespace: Some("qrouter-1".into()), ..node };
        assert_eq!(within(&router, &["ping"]), ["ip", "netns", "exec", "qrouter-1", "ping"]);
    }
}
