//! What the guest says on its console: lines that begin with `landfall:`. The guest's side is in `images/guest.toml`.

use std::collections::BTreeMap;

const MARK: &str = "landfall: ";

/// A disk that the guest saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// `vdb`
    pub name: String,
    /// Of 512 bytes.
    pub sectors: u64,
    /// SHA-256 of the first 4096 bytes, as they were when it appeared.
    pub sum: String,
    /// The same after the guest wrote into it.
    pub wrote: Option<String>,
    /// It went away again.
    pub gone: bool,
}

/// The root disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    pub sectors: u64,
    /// The beginning of a volume's id; empty for a local disk.
    pub serial: String,
    /// Times that a guest was booted from it.
    pub boots: u64,
    /// Its first words.
    pub begins: String,
}

/// All that a guest said since its last boot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Console {
    /// The kernel's id of this boot.
    pub boot: Option<String>,
    pub root: Option<Root>,
    pub address: Option<String>,
    /// The server's id, as its metadata has it.
    pub uuid: Option<String>,
    /// SHA-256 of type and body of the public key in the metadata.
    pub key: Option<String>,
    /// The user data's word.
    pub word: Option<String>,
    /// The guest's servers listen.
    pub serves: bool,
    /// By serial.
    pub disks: BTreeMap<String, Disk>,
    /// What it told of as trouble, the last one.
    pub trouble: Option<String>,
}

impl Console {
    /// Reads a console log. Lines of others, and half lines, are passed over.
    pub fn read(log: &str) -> Self {
        let mut console = Self::default();
        for line in log.lines() {
            let Some(at) = line.find(MARK) else { continue };
            console.take(line[at + MARK.len()..].trim_end());
        }
        console
    }

    /// The disk that is this volume: virtio shows the first 20 letters of its id.
    pub fn disk(&self, volume: &str) -> Option<&Disk> {
        let serial: String = volume.chars().take(20).collect();
        self.disks.get(&serial)
    }

    /// Where the guest is, for who waits.
    pub fn stage(&self) -> String {
        let stage = if self.serves {
            "the guest has read its user data"
        } else if self.word.is_some() || self.uuid.is_some() {
            "the guest has its metadata"
        } else if self.address.is_some() {
            "the guest has its address"
        } else if self.boot.is_some() {
            "the guest's kernel is up"
        } else {
            "nothing of the guest on its console yet"
        };
        match &self.trouble {
            Some(trouble) => format!("{stage}; it says: {trouble}"),
            None => stage.to_owned(),
        }
    }

    fn take(&mut self, said: &str) {
        let words: Vec<&str> = said.split_whitespace().collect();
        let word = |at: usize| words.get(at).map(|word| (*word).to_owned());
        match words.first().copied() {
            Some("boot") => *self = Self { boot: word(1), ..Self::default() },
            Some("root") => self.root = root(said),
            Some("address") => {
                self.address = word(1);
                self.trouble = None;
            }
            Some("metadata") => {
                self.uuid = value(&words, "uuid");
                self.key = value(&words, "key");
                self.trouble = None;
            }
            Some("user-data") => {
                self.word = word(1);
                self.trouble = None;
            }
            Some("serves") => self.serves = true,
            Some("trouble:") => self.trouble = Some(words[1..].join(" ")),
            Some("disk") => self.disk_said(&words),
            Some("gone") => {
                let name = word(1).unwrap_or_default();
                if let Some(disk) = self.disks.values_mut().find(|disk| disk.name == name && !disk.gone) {
                    disk.gone = true;
                }
            }
            _ => {}
        }
    }

    fn disk_said(&mut self, words: &[&str]) {
        let (Some(name), Some(serial)) = (words.get(1), value(words, "serial")) else { return };
        if let Some(wrote) = value(words, "wrote") {
            if let Some(disk) = self.disks.get_mut(&serial) {
                disk.wrote = Some(wrote);
            }
            return;
        }
        let sectors = value(words, "sectors").and_then(|text| text.parse().ok());
        if let (Some(sectors), Some(sum)) = (sectors, value(words, "sum")) {
            let name = (*name).to_owned();
            self.disks.insert(serial, Disk { name, sectors, sum, wrote: None, gone: false });
        }
    }
}

/// The word after `key`; none where the next one is a key itself.
fn value(words: &[&str], key: &str) -> Option<String> {
    const KEYS: [&str; 9] = ["uuid", "key", "serial", "sectors", "sum", "wrote", "boots", "begins", "root"];
    let at = words.iter().position(|word| *word == key)?;
    words.get(at + 1).filter(|word| !KEYS.contains(word)).map(|word| (*word).to_owned())
}

fn root(said: &str) -> Option<Root> {
    let (numbers, begins) = said.split_once(" begins ").unwrap_or((said, ""));
    let words: Vec<&str> = numbers.split_whitespace().collect();
    Some(Root {
        sectors: value(&words, "sectors")?.parse().ok()?,
        serial: value(&words, "serial").unwrap_or_default(),
        boots: value(&words, "boots")?.parse().ok()?,
        begins: begins.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LOG: &str = "\
[    0.000000] Linux version 6.12\r
landfall: boot 1b2c\r
landfall: root sectors 2097152 serial  boots 1 begins landfall-guest\r
landfall: trouble: no address yet\r
landfall: address 192.0.2.17\r
[   6.1] random: crng init done landfall: metadata uuid 0f1e key abcd\r
landfall: user-data w0rd\r
landfall: serves 8080 8081\r
landfall: disk vdb serial 11111111-2222-3333-4 sectors 2097152 sum aaaa\r
landfall: disk vdb serial 11111111-2222-3333-4 wrote bbbb\r
landfall: disk vdc serial 99999999-2222-3333-4 sectors 2097152 sum cccc\r
landfall: gone vdb\r
landfall: di";

    #[test]
    fn what_the_guest_said_is_read() {
        let console = Console::read(LOG);
        assert_eq!(console.boot.as_deref(), Some("1b2c"));
        let root =
            Root { sectors: 2_097_152, serial: String::new(), boots: 1, begins: "landfall-guest".into() };
        assert_eq!(console.root, Some(root));
        assert_eq!(console.address.as_deref(), Some("192.0.2.17"));
        assert_eq!((console.uuid.as_deref(), console.key.as_deref()), (Some("0f1e"), Some("abcd")));
        assert_eq!(console.word.as_deref(), Some("w0rd"));
        assert!(console.serves && console.trouble.is_none());
        let disk = console.disk("11111111-2222-3333-4444-555555555555").unwrap();
        assert_eq!((disk.sum.as_str(), disk.wrote.as_deref(), disk.gone), ("aaaa", Some("bbbb"), true));
        assert!(!console.disk("99999999-2222-3333-4444-555555555555").unwrap().gone);
        assert_eq!(console.disk("00000000-2222-3333-4444-555555555555"), None);
    }

    #[test]
    fn a_boot_begins_anew() {
        let again =
            format!("{LOG}\nlandfall: boot 9d9d\nlandfall: root sectors 8 serial abc boots 2 begins x\n");
        let console = Console::read(&again);
        assert_eq!(console.boot.as_deref(), Some("9d9d"));
        assert_eq!(console.root.as_ref().unwrap().boots, 2);
        assert_eq!(console.root.as_ref().unwrap().serial, "abc");
        assert!(console.address.is_none() && !console.serves && console.disks.is_empty());
    }

    #[test]
    fn who_waits_is_told_how_far_the_guest_is() {
        assert_eq!(Console::read("").stage(), "nothing of the guest on its console yet");
        let at =
            |lines: usize| Console::read(&LOG.lines().take(lines).collect::<Vec<_>>().join("\n")).stage();
        assert_eq!(at(4), "the guest's kernel is up; it says: no address yet");
        assert_eq!(at(5), "the guest has its address");
        assert_eq!(Console::read(LOG).stage(), "the guest has read its user data");
    }

    #[test]
    fn a_disk_without_its_serial_is_passed_over() {
        let console = Console::read("landfall: disk vdb serial sectors 8 sum aa\nlandfall: disk\n");
        assert!(console.disks.is_empty());
    }
}
