//! Passwords: `bcrypt`, `htpasswd`, `derivePassword`, and texts that one encrypts.

use aes::Aes256;
use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotmpl::{FuncError, FuncMap, Signature, Type, Value};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Outcome, bytes_arg, text_arg};

const TWO: Signature = Signature::fixed(&[Type::String, Type::String]);
/// As Go's library takes it unless told otherwise.
const BCRYPT_COST: u32 = 10;
const BLOCK: usize = 16;

pub fn add(f: &mut FuncMap) {
    f.add("bcrypt", Signature::fixed(&[Type::String]), |_, a| {
        Ok(Value::from(bcrypt_hash(bytes_arg(a, 0).as_bytes())))
    });
    f.add("htpasswd", TWO, |_, a| {
        let user = text_arg(a, 0);
        if user.contains(':') {
            return Ok(Value::from(format!("invalid username: {user}")));
        }
        Ok(Value::from(format!("{user}:{}", bcrypt_hash(bytes_arg(a, 1).as_bytes()))))
    });
    f.add(
        "derivePassword",
        Signature::fixed(&[Type::Uint32, Type::String, Type::String, Type::String, Type::String]),
        |_, a| {
            let counter = a.first().and_then(Value::as_int).unwrap_or(0) as u32;
            let (kind, password) = (text_arg(a, 1), bytes_arg(a, 2));
            let (user, site) = (bytes_arg(a, 3), bytes_arg(a, 4));
            derive(counter, &kind, password.as_bytes(), user.as_bytes(), site.as_bytes()).map(Value::from)
        },
    );
    f.add("encryptAES", TWO, |_, a| {
        let text = bytes_arg(a, 1);
        if text.as_bytes().is_empty() {
            return Ok(Value::from(""));
        }
        let start: [u8; BLOCK] = rand::random();
        let cipher = cbc::Encryptor::<Aes256>::new(&key(a).into(), &start.into());
        let mut out = start.to_vec();
        out.extend(cipher.encrypt_padded_vec::<Pkcs7>(text.as_bytes()));
        Ok(Value::from(STANDARD.encode(out)))
    });
    f.add("decryptAES", TWO, |_, a| decrypt(a));
}

fn bcrypt_hash(password: &[u8]) -> String {
    let failed = |why: &str| format!("failed to encrypt string with bcrypt: {why}");
    if password.len() > 72 {
        return failed("bcrypt: password length exceeds 72 bytes");
    }
    match bcrypt::hash_with_salt(password, BCRYPT_COST, rand::random()) {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(error) => failed(&error.to_string()),
    }
}

/// A password filled up to the key of AES-256, or cut.
fn key(args: &[Value]) -> [u8; 32] {
    let password = bytes_arg(args, 0);
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(password.as_bytes()) {
        *to = *from;
    }
    key
}

fn decrypt(args: &[Value]) -> Outcome {
    let text = bytes_arg(args, 1);
    if text.as_bytes().is_empty() {
        return Ok(Value::from(""));
    }
    let all = super::encode::base64_bytes(text.as_bytes()).map_err(FuncError::new)?;
    let Some((start, secret)) = all.split_at_checked(BLOCK) else {
        return Err(FuncError::new("runtime error: slice bounds out of range"));
    };
    let start = <[u8; BLOCK]>::try_from(start).map_err(|_| FuncError::new("no block"))?;
    let cipher = cbc::Decryptor::<Aes256>::new(&key(args).into(), &start.into());
    let plain = cipher
        .decrypt_padded_vec::<NoPadding>(secret)
        .map_err(|_| FuncError::new("crypto/cipher: input not full blocks"))?;
    let padding = plain.last().copied().map(usize::from);
    let length = padding.and_then(|padding| plain.len().checked_sub(padding));
    let length = length.ok_or_else(|| FuncError::new("runtime error: slice bounds out of range"))?;
    Ok(Value::string(&plain[..length]))
}

/// The kinds of passwords, each with the shapes that one may have.
const SHAPES: [(&str, &[&str]); 6] = [
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

/// What a character of a shape stands for.
fn alphabet(shape: u8) -> &'static [u8] {
    match shape {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The Master Password algorithm, by which user, site and one secret give the same password everywhere.
fn derive(counter: u32, kind: &str, password: &[u8], user: &[u8], site: &[u8]) -> Result<String, FuncError> {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let Some((_, shapes)) = SHAPES.iter().find(|(name, _)| *name == kind) else {
        return Ok(format!("cannot find password template {kind}"));
    };
    let failed =
        |error: &dyn std::fmt::Display| FuncError::new(format!("failed to derive password: {error}"));
    let salt = [SEED, &(user.len() as u32).to_be_bytes(), user].concat();
    let mut secret = [0; 64];
    let params = scrypt::Params::new(15, 8, 2).map_err(|error| failed(&error))?;
    scrypt::scrypt(password, &salt, &params, &mut secret).map_err(|error| failed(&error))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).map_err(|error| failed(&error))?;
    mac.update(&[SEED, &(site.len() as u32).to_be_bytes(), site, &counter.to_be_bytes()].concat());
    let seed = mac.finalize().into_bytes();
    let shape = shapes[usize::from(seed[0]) % shapes.len()];
    Ok(shape
        .bytes()
        .zip(seed.iter().skip(1))
        .map(|(part, seed)| {
            let alphabet = alphabet(part);
            char::from(alphabet[usize::from(*seed) % alphabet.len()])
        })
        .collect())
}
