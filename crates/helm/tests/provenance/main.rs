//! Provenance files: what is vouched for, and what is not.
#![allow(clippy::unwrap_used)]

mod helm;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../support/mod.rs"]
mod support;

use keys::{ALICE, BOB, key, locked, mute, now, public, revoked, secret, short_lived};
use landfall_helm::Chart;
use landfall_helm::chart::File;
use landfall_helm::provenance::{Keyring, ProvenanceError, ProvenanceError as E, Verified};
use pgp::composed::{ArmorOptions, SignedSecretKey};

const FILE: &str = "web-1.2.3.tgz";

fn packed() -> Vec<u8> {
    // White space at the end of a line, and a line that begins with a dash.
    let text = "apiVersion: v2\nname: web\nversion: 1.2.3\nkeywords: [a]\ndescription: \"- a \\n\\n- b\"\n";
    let file = File { name: "Chart.yaml".to_owned(), data: text.as_bytes().into() };
    Chart::from_files(vec![file]).unwrap().pack(1_700_000_000).unwrap()
}

fn signed(key: &SignedSecretKey, passphrase: &str) -> String {
    let keyring = Keyring::read(&secret(&[key]), now()).unwrap();
    keyring.signer("").unwrap().sign(&packed(), FILE, passphrase).unwrap()
}

fn verify(trusted: &[&SignedSecretKey], provenance: &str) -> Result<Verified, ProvenanceError> {
    Keyring::read(&public(trusted), now()).unwrap().verify(provenance.as_bytes(), &packed(), FILE)
}

#[test]
fn what_a_known_key_has_signed_is_verified() {
    let (alice, bob) = (key(ALICE), key(BOB));
    let verified = verify(&[&bob, &alice], &signed(&alice, "")).unwrap();
    assert_eq!(verified.users, [ALICE]);
    assert_eq!(verified.fingerprint.len(), 40);
    assert!(verified.to_string().starts_with(&format!("Signed by: {ALICE}\nUsing Key With Fingerprint: ")));
}

#[test]
fn the_keyring_may_be_armored_block_by_block_and_hold_secret_keys() {
    let (alice, bob) = (key(ALICE), key(BOB));
    let provenance = signed(&alice, "");
    let armored = |key: &SignedSecretKey| {
        key.to_public_key().to_armored_string(ArmorOptions::default()).unwrap() + "\nwords between\n"
    };
    let both = armored(&bob) + &armored(&alice);
    for ring in [both.into_bytes(), secret(&[&bob, &alice]), [public(&[&alice]), secret(&[&bob])].concat()] {
        Keyring::read(&ring, now()).unwrap().verify(provenance.as_bytes(), &packed(), FILE).unwrap();
    }
}

#[test]
fn what_gnupg_wrote_is_read() {
    // Of an archive without a byte.
    let provenance = include_bytes!("gnupg/web-1.2.3.tgz.prov");
    for ring in [&include_bytes!("gnupg/pubring.asc")[..], include_bytes!("gnupg/pubring.kbx")] {
        let verified = Keyring::read(ring, now()).unwrap().verify(provenance, b"", FILE).unwrap();
        assert_eq!(verified.users, ["Nobody <nobody@example.com>"]);
    }
}

#[test]
fn each_way_of_not_being_vouched_for_is_told_apart() {
    let (alice, bob) = (key(ALICE), key(BOB));
    let good = signed(&alice, "");
    let keyring = Keyring::read(&public(&[&alice]), now()).unwrap();
    let check = |provenance: &str| keyring.verify(provenance.as_bytes(), &packed(), FILE).unwrap_err();

    assert!(matches!(verify(&[&bob], &good), Err(E::UnknownSigner(_))));
    assert!(matches!(verify(&[&mute(ALICE)], &good), Err(E::UnknownSigner(_))), "a key that may not sign");
    assert!(matches!(check(&good.replace("name: web", "name: bad")), E::BadSignature(user) if user == ALICE));
    assert!(matches!(check(&good.replace("sha256:", "sha256:0")), E::BadSignature(_)));
    let words = good.replace("-----BEGIN PGP SIGNED MESSAGE-----", "");
    for text in ["", "files: {}", &words, &good[..good.len() / 2]] {
        assert!(matches!(check(text), E::NotSigned(_)), "{text}");
    }
    let large = "x".repeat(9 << 20);
    assert!(matches!(check(&large), E::TooLarge { .. }));

    let other = keyring.verify(good.as_bytes(), &packed(), "web-1.2.4.tgz").unwrap_err();
    assert!(matches!(&other, E::OtherFile { named, .. } if named == &[FILE]), "{other}");
    let mut changed = packed();
    changed.push(0);
    let other = keyring.verify(good.as_bytes(), &changed, FILE).unwrap_err();
    assert!(matches!(other, E::OtherHash { .. }), "{other}");
}

#[test]
fn what_stands_before_or_behind_the_signed_text_is_refused() {
    let alice = key(ALICE);
    let good = signed(&alice, "");
    let more = "files:\n  web-1.2.3.tgz: sha256:00\n";
    for text in [format!("{more}{good}"), format!("{good}{more}")] {
        assert!(matches!(verify(&[&alice], &text), Err(ProvenanceError::NotSigned(_))));
    }
}

#[test]
fn keys_that_were_revoked_or_have_expired_vouch_for_nothing() {
    let alice = key(ALICE);
    let good = signed(&alice, "");
    assert!(matches!(verify(&[&revoked(alice.clone())], &good), Err(ProvenanceError::Revoked(_))));
    assert!(matches!(verify(&[&short_lived(alice.clone())], &good), Err(ProvenanceError::KeyExpired(_))));
    // A clock that goes wrong, or a signature of the future.
    let early = Keyring::read(&public(&[&alice]), now() - 1800).unwrap();
    let error = early.verify(good.as_bytes(), &packed(), FILE).unwrap_err();
    assert!(matches!(error, ProvenanceError::SignatureExpired(_)), "{error}");
}

#[test]
fn a_key_is_found_by_a_part_of_its_name_or_by_all_of_it() {
    let (alice, bob) = (key(ALICE), key(BOB));
    let keyring = Keyring::read(&secret(&[&alice, &bob]), now()).unwrap();
    let user = |name: &str| keyring.signer(name).map(|signer| signer.user());
    assert_eq!(user("alice@").unwrap(), ALICE);
    assert_eq!(user(BOB).unwrap(), BOB);
    let fingerprint = verify(&[&bob], &signed(&bob, "")).unwrap().fingerprint;
    assert_eq!(user(&fingerprint.to_lowercase()).unwrap(), BOB);
    assert!(matches!(user("carol"), Err(ProvenanceError::NoSuchKey(_))));
    assert!(matches!(user("example.com"), Err(ProvenanceError::Ambiguous { users, .. }) if users.len() == 2));
}

#[test]
fn what_cannot_sign_says_why() {
    let refused = |ring: &[u8]| Keyring::read(ring, now()).unwrap().signer("").map(|_| ()).unwrap_err();
    assert!(matches!(refused(&public(&[&key(ALICE)])), E::NoSecret(_)));
    assert!(matches!(refused(&secret(&[&mute(ALICE)])), E::MayNotSign(_)));
    assert!(matches!(refused(&secret(&[&revoked(key(ALICE))])), E::Revoked(_)));
    let keyring = Keyring::read(&secret(&[&key(ALICE)]), now()).unwrap();
    assert!(matches!(keyring.signer("").unwrap().sign(b"no chart", FILE, ""), Err(E::Chart(_))));
}

#[test]
fn a_passphrase_opens_the_key_and_is_shown_nowhere() {
    let alice = locked(ALICE, Some("open sesame"));
    let keyring = Keyring::read(&secret(&[&alice]), now()).unwrap();
    let signer = keyring.signer("alice").unwrap();
    assert!(
        signer.is_locked()
            && !Keyring::read(&secret(&[&key(BOB)]), now()).unwrap().signer("").unwrap().is_locked()
    );
    let error = signer.sign(&packed(), FILE, "open barley").unwrap_err();
    assert!(matches!(error, ProvenanceError::Passphrase(_)));
    assert!(!format!("{error} {error:?}").contains("barley"));
    verify(&[&alice], &signed(&alice, "open sesame")).unwrap();
}
