//! Which lines to say when: once at the start, then one for each change. Pure.

use std::collections::BTreeMap;

use super::evaluate::Status;

#[derive(Debug, Default)]
pub struct Report {
    last: BTreeMap<String, Status>,
    begun: bool,
}

impl Report {
    /// The lines that tell what changed since the last call.
    pub fn update(&mut self, states: &[(String, Status)]) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.begun {
            self.begun = true;
            let names: Vec<&str> =
                states.iter().filter(|(_, s)| *s != Status::Met).map(|(n, _)| n.as_str()).collect();
            if !names.is_empty() {
                lines.push(format!("waiting for {}: {}", names.len(), names.join(", ")));
            }
        }
        for (name, status) in states {
            if self.last.get(name) == Some(status) {
                continue;
            }
            match status {
                Status::Met => lines.push(format!("{name}: ready")),
                // That an answer is outstanding is no news.
                Status::Unmet(why) if why.starts_with("asking") => {}
                Status::Unmet(why) => lines.push(format!("{name}: {}", one_line(why))),
            }
            self.last.insert(name.clone(), status.clone());
        }
        lines
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let mut report = Report::default();
        let unmet = |name: &str, why: &str| (name.to_owned(), Status::Unmet(why.to_owned()));
        let met = |name: &str| (name.to_owned(), Status::Met);
        assert_eq!(
            report.update(&[
                unmet("job sync", "asking the cluster"),
                unmet("service mariadb", "asking the cluster")
            ]),
            ["waiting for 2: job sync, service mariadb"]
        );
        assert_eq!(
            report.update(&[unmet("job sync", "pod x\n Pending"), met("service mariadb")]),
            ["job sync: pod x Pending", "service mariadb: ready"]
        );
        assert!(report.update(&[unmet("job sync", "pod x\n Pending"), met("service mariadb")]).is_empty());
        assert_eq!(
            report.update(&[met("job sync"), unmet("service mariadb", "no endpoints yet")]),
            ["job sync: ready", "service mariadb: no endpoints yet"]
        );
    }
}
