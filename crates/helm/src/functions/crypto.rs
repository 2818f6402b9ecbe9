//! Digests and random identities. Passwords and certificates stand beside.

use gotmpl::{FuncMap, Signature, Type, Value};
use rand::RngExt as _;
use sha2::{Digest, Sha256, Sha512};

use super::{bytes_arg, int_arg};

const ONE: Signature = Signature::fixed(&[Type::String]);

pub fn add(f: &mut FuncMap) {
    f.add("sha256sum", ONE, |_, a| Ok(Value::from(hex(&Sha256::digest(bytes_arg(a, 0).as_bytes())))));
    f.add("sha512sum", ONE, |_, a| Ok(Value::from(hex(&Sha512::digest(bytes_arg(a, 0).as_bytes())))));
    f.add("sha1sum", ONE, |_, a| Ok(Value::from(hex(&sha1::Sha1::digest(bytes_arg(a, 0).as_bytes())))));
    f.add("adler32sum", ONE, |_, a| Ok(Value::from(adler32(bytes_arg(a, 0).as_bytes()).to_string())));
    f.add("uuidv4", Signature::fixed(&[]), |_, _| {
        let mut bytes: [u8; 16] = rand::rng().random();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let text = hex(&bytes);
        let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
        Ok(Value::from(parts.join("-")))
    });
    f.add("randBytes", Signature::fixed(&[Type::Int]), |_, a| {
        use base64::Engine as _;
        let count = usize::try_from(int_arg(a, 0)).unwrap_or(0).min(1 << 20);
        let mut bytes = vec![0u8; count];
        rand::rng().fill(&mut bytes[..]);
        Ok(Value::from(base64::engine::general_purpose::STANDARD.encode(bytes)))
    });
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    b << 16 | a
}
