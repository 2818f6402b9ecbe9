//! Both ways with real Helm, where it is there.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use landfall_helm::provenance::Keyring;
use tempfile::TempDir;

use super::keys::{ALICE, BOB, key, locked, now, public, secret};
use super::{FILE, packed, signed, support};

#[allow(clippy::print_stderr, reason = "a skipped comparison must be told")]
fn helm() -> Option<PathBuf> {
    let found = support::program("helm");
    if found.is_none() {
        eprintln!("skipped: there is no helm (landfall images bundle --oracle makes it)");
    }
    found
}

/// A folder with an archive, its provenance file and a keyring.
struct Place(TempDir);

impl Place {
    fn new(archive: &[u8], provenance: Option<&str>, keyring: &[u8]) -> Self {
        let place = Self(TempDir::new().unwrap());
        place.put(FILE, archive);
        place.put("ring.gpg", keyring);
        if let Some(text) = provenance {
            place.put(&format!("{FILE}.prov"), text.as_bytes());
        }
        place
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn run(&self, helm: &Path, arguments: &[&str], stdin: &str) -> Output {
        let mut child = Command::new(helm)
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Helm may have ended before it reads.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn verify(&self, helm: &Path) -> Output {
        self.run(helm, &["verify", FILE, "--keyring", "ring.gpg"], "")
    }
}

#[test]
fn helm_accepts_what_landfall_signed_in_the_same_words() {
    let Some(helm) = helm() else { return };
    let alice = locked(ALICE, Some("open sesame"));
    let provenance = signed(&alice, "open sesame");
    let ring = public(&[&key(BOB), &alice]);
    let said = Place::new(&packed(), Some(&provenance), &ring).verify(&helm);
    let ours = Keyring::read(&ring, now()).unwrap().verify(provenance.as_bytes(), &packed(), FILE).unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), ours.to_string(), "{said:?}");
}

#[test]
fn landfall_verifies_what_helm_signed() {
    let Some(helm) = helm() else { return };
    let alice = locked(ALICE, Some("open sesame"));
    let place = Place::new(b"", None, &secret(&[&key(BOB), &alice]));
    std::fs::create_dir(place.0.path().join("web")).unwrap();
    place.put("web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.2.3\n");
    let arguments =
        ["package", "web", "--sign", "--key", "alice", "--keyring", "ring.gpg", "--passphrase-file", "-"];
    let said = place.run(&helm, &arguments, "open sesame\n");
    assert!(said.status.success(), "{said:?}");
    let read = |name: &str| std::fs::read(place.0.path().join(name)).unwrap();
    let (archive, provenance) = (read(FILE), read(&format!("{FILE}.prov")));
    let keyring = Keyring::read(&public(&[&alice]), now()).unwrap();
    assert_eq!(keyring.verify(&provenance, &archive, FILE).unwrap().users, [ALICE]);

    // Of the same archive, Landfall makes the same message.
    let message = |text: &str| text.split("-----BEGIN PGP SIGNATURE").next().unwrap().to_owned();
    let ring = Keyring::read(&secret(&[&alice]), now()).unwrap();
    let ours = ring.signer("alice").unwrap().sign(&archive, FILE, "open sesame").unwrap();
    assert_eq!(message(&ours), message(&String::from_utf8(provenance).unwrap()));
}

#[test]
fn what_landfall_refuses_helm_refuses() {
    let Some(helm) = helm() else { return };
    let (alice, bob) = (key(ALICE), key(BOB));
    let good = signed(&alice, "");
    let mut changed = packed();
    changed.push(0);
    let (ring, others) = (public(&[&alice]), public(&[&bob]));
    for (archive, provenance, ring) in [
        (changed, Some(good.clone()), &ring),
        (packed(), Some(good.replace("name: web", "name: bad")), &ring),
        (packed(), Some(good.clone()), &others),
        (packed(), None, &ring),
    ] {
        let said = Place::new(&archive, provenance.as_deref(), ring).verify(&helm);
        assert!(!said.status.success(), "{said:?}");
        let ours = Keyring::read(ring, now()).unwrap();
        let ours = ours.verify(provenance.unwrap_or_default().as_bytes(), &archive, FILE);
        assert!(ours.is_err(), "{ours:?}");
    }
}

#[test]
fn the_keyrings_of_helms_own_tests_are_read_in_each_form() {
    let Some(sources) = support::helm_sources() else { return };
    let folder = sources.join("pkg/provenance/testdata");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (archive, provenance) = (read("hashtest-1.2.3.tgz"), read("hashtest-1.2.3.tgz.prov"));
    for ring in ["helm-test-key", "helm-mixed-keyring"] {
        for form in ["pub", "asc", "kbx"] {
            let keyring = Keyring::read(&read(&format!("{ring}.{form}")), now()).unwrap();
            let verified = keyring.verify(&provenance, &archive, "hashtest-1.2.3.tgz").unwrap();
            assert!(verified.users[0].starts_with("Helm Testing"), "{ring}.{form}: {verified}");
        }
    }
    let secret = Keyring::read(&read("helm-password-key.secret"), now()).unwrap();
    let signer = secret.signer("fake@helm.sh").unwrap();
    let made = signer.sign(&archive, "hashtest-1.2.3.tgz", "secret").unwrap();
    secret.verify(made.as_bytes(), &archive, "hashtest-1.2.3.tgz").unwrap();
}
