//! Which datapath a node has: tried by making one.

use super::state::{self, Datapath, State};
use super::tool;
use crate::pod::{self, Error, Result, say};

/// Gone again at once.
const TRIAL: &str = "system@landfall-try";

/// What the chart's values say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Auto,
    Only(Datapath),
}

impl Wanted {
    fn parse(word: &str) -> Result<Self> {
        match word {
            "auto" => Ok(Self::Auto),
            "system" => Ok(Self::Only(Datapath::System)),
            "netdev" => Ok(Self::Only(Datapath::Netdev)),
            _ => Err(Error::BadVariable {
                variable: "OPENVSWITCH_DATAPATH".into(),
                value: word.to_owned(),
                wanted: "auto, system or netdev",
            }),
        }
    }
}

pub async fn run() -> Result<u8> {
    let wanted = Wanted::parse(&pod::var("OPENVSWITCH_DATAPATH").unwrap_or_else(|| "auto".into()))?;
    let dir = state::dir();
    let kernel = if wanted == Wanted::Only(Datapath::Netdev) { Err(String::new()) } else { kernel().await };
    let (datapath, why) = choose(wanted, kernel)?;
    say(&format!("datapath {}: {why}", datapath.word()));
    // A generation stays: agents go by it, and the switch has not been started anew yet.
    let earlier = State::read(&dir).ok().flatten();
    let (tunnel, generation) = earlier.map(|state| (state.tunnel, state.generation)).unwrap_or_default();
    State { datapath, why, tunnel, generation }.write(&dir)?;
    Ok(0)
}

/// Makes a datapath of the kernel's and takes it away; loads the module where it is not there yet.
async fn kernel() -> std::result::Result<(), String> {
    // Built into the kernel it needs no loading, and where there is no modprobe the trial tells.
    let loaded = tool::run("modprobe", &["openvswitch"]).await;
    match tool::run("ovs-dpctl", &["add-dp", TRIAL]).await {
        Ok(_) => {
            if let Err(error) = tool::run("ovs-dpctl", &["del-dp", TRIAL]).await {
                say(&format!("warning: {error}"));
            }
            Ok(())
        }
        Err(error) => Err(loaded.err().unwrap_or(error).to_string()),
    }
}

fn choose(wanted: Wanted, kernel: std::result::Result<(), String>) -> Result<(Datapath, String)> {
    match (wanted, kernel) {
        (Wanted::Only(Datapath::Netdev), _) => Ok((Datapath::Netdev, "asked for by the values".into())),
        (_, Ok(())) => Ok((Datapath::System, "the kernel's module openvswitch works".into())),
        (Wanted::Auto, Err(reason)) => {
            Ok((Datapath::Netdev, format!("the kernel has no module openvswitch ({})", last_line(&reason))))
        }
        (Wanted::Only(Datapath::System), Err(reason)) => Err(Error::Failed(format!(
            "conf.datapath asks for the kernel's datapath, but its module openvswitch does not work here ({}): install it on this node, or set conf.datapath to auto",
            last_line(&reason)
        ))),
    }
}

/// Programs say the cause last.
fn last_line(text: &str) -> &str {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn auto_takes_the_kernels_where_it_works() {
        assert_eq!(choose(Wanted::Auto, Ok(())).unwrap().0, Datapath::System);
        let (datapath, why) = choose(Wanted::Auto, Err("modprobe:\nmodule not found\n".into())).unwrap();
        assert_eq!(datapath, Datapath::Netdev);
        assert_eq!(why, "the kernel has no module openvswitch (module not found)");
    }

    #[test]
    fn what_is_asked_for_and_absent_is_an_error_with_a_way_out() {
        let error = choose(Wanted::Only(Datapath::System), Err("x".into())).unwrap_err().to_string();
        assert!(error.contains("conf.datapath to auto"), "{error}");
        assert_eq!(choose(Wanted::Only(Datapath::Netdev), Ok(())).unwrap().0, Datapath::Netdev);
    }

    #[test]
    fn other_words_are_refused() {
        assert!(Wanted::parse("kernel").is_err());
        assert_eq!(Wanted::parse("auto").unwrap(), Wanted::Auto);
    }
}
