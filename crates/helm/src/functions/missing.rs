//! Functions of Helm that this engine has not got yet. Their names are known, so that templates that
//! hold but do not reach them render; calling one is an error that says so.

use gotmpl::{FuncError, FuncMap, Signature};

const NAMES: &[&str] = &[
    "bcrypt",
    "buildCustomCert",
    "b32dec",
    "b32enc",
    "decryptAES",
    "derivePassword",
    "durationDays",
    "durationHours",
    "durationMicroseconds",
    "durationMilliseconds",
    "durationMinutes",
    "durationNanoseconds",
    "durationRoundTo",
    "durationSeconds",
    "durationTruncateTo",
    "durationWeeks",
    "encryptAES",
    "fromToml",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "htpasswd",
    "mustToDuration",
    "mustToToml",
    "toToml",
    "toYamlPretty",
    "urlJoin",
    "urlParse",
];

pub fn add(f: &mut FuncMap) {
    for &name in NAMES {
        if !f.contains(name) {
            f.add(name, Signature::ANY, move |_, _| {
                Err(FuncError::new(format!("Landfall's Helm engine has no function {name:?} yet")))
            });
        }
    }
}
