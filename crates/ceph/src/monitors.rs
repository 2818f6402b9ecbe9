//! Where the monitors are, as Rook writes it down and as clients want it. Pure.

use std::collections::BTreeMap;

/// Port of the first messenger, which Rook names in its list.
const FIRST: u16 = 6789;
/// Port of the second one.
const SECOND: u16 = 3300;
/// The option that renewing changes.
const OPTION: &str = "mon_host";

/// Monitors by their letter, with the address (`10.96.0.5` or `[fd00::5]`) and the port that Rook names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Monitors(pub BTreeMap<String, (String, u16)>);

impl Monitors {
    /// From the key `data` of ConfigMap `rook-ceph-mon-endpoints`: `a=10.96.0.5:6789,b=…`. What is not
    /// of that form is left out.
    pub fn parse(data: &str) -> Self {
        let each = data.split(',').filter_map(|item| {
            let (name, address) = item.trim().split_once('=')?;
            let (host, port) = address.rsplit_once(':')?;
            Some((name.to_owned(), (host.to_owned(), port.parse().ok()?)))
        });
        Self(each.filter(|(_, (host, _))| !host.is_empty()).collect())
    }

    /// The same form back.
    pub fn data(&self) -> String {
        let each = self.0.iter().map(|(name, (host, port))| format!("{name}={host}:{port}"));
        each.collect::<Vec<_>>().join(",")
    }

    /// The value of `mon_host`: `[v2:10.96.0.5:3300,v1:10.96.0.5:6789],…`. A list with the second port
    /// alone is of a Ceph that speaks nothing else.
    pub fn mon_host(&self) -> String {
        let each = self.0.values().map(|(host, port)| match *port {
            SECOND => format!("[v2:{host}:{SECOND}]"),
            FIRST => format!("[v2:{host}:{SECOND},v1:{host}:{FIRST}]"),
            other => format!("[v1:{host}:{other}]"),
        });
        each.collect::<Vec<_>>().join(",")
    }

    /// A whole `ceph.conf` for clients. Which user they are and where its key lies is theirs to say.
    pub fn conf(&self, fsid: &str) -> String {
        format!("[global]\nfsid = {fsid}\n{OPTION} = {}\n", self.mon_host())
    }

    /// `conf` with these monitors; none where it names them already. All else in it stays as it is.
    pub fn renewed(&self, conf: &str) -> Option<String> {
        let wanted = format!("{OPTION} = {}", self.mon_host());
        let mut lines: Vec<&str> = conf.lines().collect();
        let at = lines.iter().position(|line| option(line).is_some_and(|(name, _)| name == OPTION));
        match at {
            Some(at) if option(lines[at]).is_some_and(|(_, value)| value == self.mon_host()) => return None,
            Some(at) => lines[at] = &wanted,
            None => {
                let global = lines.iter().position(|line| line.trim() == "[global]");
                if global.is_none() {
                    lines.insert(0, "[global]");
                }
                lines.insert(global.unwrap_or(0) + 1, &wanted);
            }
        }
        Some(lines.join("\n") + "\n")
    }
}

/// What `conf` says of the monitors now.
pub fn named(conf: &str) -> Option<&str> {
    conf.lines().find_map(|line| option(line).filter(|(name, _)| *name == OPTION).map(|(_, value)| value))
}

/// Name and value of a line; Ceph takes `mon host` and `mon_host` for the same.
fn option(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let same = name.len() == OPTION.len()
        && name.chars().zip(OPTION.chars()).all(|(a, b)| a == b || (b == '_' && matches!(a, ' ' | '-')));
    Some((if same { OPTION } else { name }, value.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_rook_writes_is_read_and_written_back() {
        let text = "a=10.96.12.1:6789,b=10.96.12.2:6789";
        let monitors = Monitors::parse(text);
        assert_eq!(monitors.data(), text);
        assert_eq!(
            monitors.mon_host(),
            "[v2:10.96.12.1:3300,v1:10.96.12.1:6789],[v2:10.96.12.2:3300,v1:10.96.12.2:6789]"
        );
        assert_eq!(Monitors::parse("c=[fd00::5]:3300").mon_host(), "[v2:[fd00::5]:3300]");
        assert_eq!(Monitors::parse("nonsense, =,a=:1,b=x:y"), Monitors::default());
    }

    #[test]
    fn renewing_changes_one_line_and_only_where_it_must() {
        let (old, new) = (Monitors::parse("a=10.96.12.1:6789"), Monitors::parse("a=10.96.12.9:6789"));
        let conf = format!("{}[client]\nrbd_cache = true\n", old.conf("f"));
        assert_eq!(old.renewed(&conf), None);
        let renewed = new.renewed(&conf).unwrap();
        assert_eq!(named(&renewed), Some("[v2:10.96.12.9:3300,v1:10.96.12.9:6789]"));
        assert_eq!(renewed.replace("12.9", "12.1"), conf);
        assert_eq!(new.renewed(&renewed), None);
    }

    #[test]
    fn other_ways_to_write_it_are_understood() {
        let monitors = Monitors::parse("a=10.96.12.1:6789");
        let conf = "[global]\nmon host = 10.1.1.1\n";
        assert_eq!(
            monitors.renewed(conf).unwrap(),
            format!("[global]\nmon_host = {}\n", monitors.mon_host())
        );
        assert_eq!(named(&monitors.renewed("").unwrap()), Some(monitors.mon_host().as_str()));
        let conf = "[client]\nx = 1\n";
        assert_eq!(
            monitors.renewed(conf).unwrap(),
            format!("[global]\nmon_host = {}\n{conf}", monitors.mon_host())
        );
    }
}
