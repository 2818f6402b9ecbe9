//! Certificates and private keys: `genCA`, `genSignedCert`, `genPrivateKey` and their like.

mod certificate;
mod curve;
mod der;
mod key;
mod pem;

use std::any::Any;
use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotmpl::{FuncError, FuncMap, Object, Signature, Type, Value};

use self::certificate::{Issuer, Request};
use self::key::PrivateKey;
use super::{Outcome, arg, bytes_arg, int_arg, text_arg};

const PAIR: &str = "sprig.certificate";
/// Keys that certificates get where none is given.
const RSA_BITS: usize = 2048;

pub fn add(f: &mut FuncMap) {
    f.add("genPrivateKey", Signature::fixed(&[Type::String]), |_, a| {
        let kind = text_arg(a, 0);
        Ok(Value::from(match PrivateKey::generate(&kind, 4096) {
            None => format!("Unknown type {kind}"),
            Some(key) => key.and_then(|key| key.to_pem()).unwrap_or_else(|error| error),
        }))
    });
    f.add("buildCustomCert", Signature::fixed(&[Type::String, Type::String]), |_, a| custom(a));
    f.add("genCA", Signature::fixed(&[Type::String, Type::Int]), |_, a| authority(a, new_key()?));
    f.add("genCAWithKey", Signature::fixed(&[Type::String, Type::Int, Type::String]), |_, a| {
        authority(a, given_key(a, 2)?)
    });
    f.add(
        "genSelfSignedCert",
        Signature::fixed(&[Type::String, Type::List, Type::List, Type::Int]),
        |_, a| self_signed(a, new_key()?),
    );
    f.add(
        "genSelfSignedCertWithKey",
        Signature::fixed(&[Type::String, Type::List, Type::List, Type::Int, Type::String]),
        |_, a| self_signed(a, given_key(a, 4)?),
    );
    f.add(
        "genSignedCert",
        Signature::fixed(&[Type::String, Type::List, Type::List, Type::Int, Type::Named(PAIR)]),
        |_, a| signed(a, new_key()?),
    );
    f.add(
        "genSignedCertWithKey",
        Signature::fixed(&[Type::String, Type::List, Type::List, Type::Int, Type::Named(PAIR), Type::String]),
        |_, a| signed(a, given_key(a, 5)?),
    );
}

/// A certificate with its key, both in PEM, as templates see them.
#[derive(PartialEq)]
struct Pair {
    cert: String,
    key: String,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("cert", &self.cert).finish_non_exhaustive()
    }
}

impl Object for Pair {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(PAIR)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::from(&self.cert)),
            "Key" => Some(Value::from(&self.key)),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(Cow<'static, str>, Value)> {
        vec![(Cow::Borrowed("Cert"), Value::from(&self.cert)), (Cow::Borrowed("Key"), Value::from(&self.key))]
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Pair>().is_some_and(|other| other == self)
    }
}

fn new_key() -> Result<PrivateKey, FuncError> {
    let made = PrivateKey::generate("rsa", RSA_BITS).ok_or("error generating rsa key")?;
    made.map_err(|error| FuncError::new(format!("error generating rsa key: {error}")))
}

fn given_key(args: &[Value], at: usize) -> Result<PrivateKey, FuncError> {
    PrivateKey::from_pem(bytes_arg(args, at).as_bytes())
        .map_err(|error| FuncError::new(format!("parsing private key: {error}")))
}

fn authority(args: &[Value], key: PrivateKey) -> Outcome {
    let request = Request {
        common_name: text_arg(args, 0).into_owned(),
        addresses: Vec::new(),
        names: Vec::new(),
        days: int_arg(args, 1),
        is_authority: true,
    };
    pair(&request, &key, None, &key)
}

fn self_signed(args: &[Value], key: PrivateKey) -> Outcome {
    pair(&request(args)?, &key, None, &key)
}

fn signed(args: &[Value], key: PrivateKey) -> Outcome {
    let authority = arg(args, 4);
    let authority = authority.downcast::<Pair>().ok_or("unable to decode certificate")?;
    let block = pem::decode(authority.cert.as_bytes()).ok_or("unable to decode certificate")?;
    let issuer = Issuer::of(&block.content)
        .map_err(|error| format!("error parsing certificate: decodedSignerCert.Bytes: {error}"))?;
    let signer = PrivateKey::from_pem(authority.key.as_bytes())
        .map_err(|error| format!("error parsing private key: {error}"))?;
    pair(&request(args)?, &key, Some(&issuer), &signer)
}

/// What the arguments of a certificate for servers and clients say.
fn request(args: &[Value]) -> Result<Request, FuncError> {
    let list =
        |at: usize| args.get(at).and_then(Value::as_list).map(|list| list.to_vec()).unwrap_or_default();
    let mut addresses = Vec::new();
    for address in list(1) {
        let Value::String(text) = &address else {
            return Err(FuncError::new(format!("error parsing ip: {address} is not a string")));
        };
        let text = text.to_str();
        let parsed = text.parse::<IpAddr>();
        addresses.push(parsed.map_err(|_| FuncError::new(format!("error parsing ip: {text}")))?);
    }
    let mut names = Vec::new();
    for name in list(2) {
        let Value::String(text) = &name else {
            return Err(FuncError::new(format!(
                "error processing alternate dns name: {name} is not a string"
            )));
        };
        names.push(text.to_str().into_owned());
    }
    let (common_name, days) = (text_arg(args, 0).into_owned(), int_arg(args, 3));
    Ok(Request { common_name, addresses, names, days, is_authority: false })
}

fn pair(request: &Request, key: &PrivateKey, issuer: Option<&Issuer>, signer: &PrivateKey) -> Outcome {
    let cert = certificate::create(request, key, issuer, signer)
        .map_err(|error| format!("error creating certificate: {error}"))?;
    let key = key.to_pem().map_err(|error| format!("error pem-encoding key: {error}"))?;
    Ok(Value::object(Pair { cert, key }))
}

fn custom(args: &[Value]) -> Outcome {
    let decoded = |at: usize, what: &str| {
        let text: Vec<u8> =
            bytes_arg(args, at).as_bytes().iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
        STANDARD.decode(text).map_err(|_| FuncError::new(format!("unable to decode base64 {what}")))
    };
    let (cert, key) = (decoded(0, "certificate")?, decoded(1, "private key")?);
    let block = pem::decode(&cert).ok_or("unable to decode certificate")?;
    certificate::parse(&block.content)
        .map_err(|error| format!("error parsing certificate: decodedCert.Bytes: {error}"))?;
    PrivateKey::from_pem(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Value::object(Pair { cert: text(cert), key: text(key) }))
}
