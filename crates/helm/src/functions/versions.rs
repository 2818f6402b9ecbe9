//! `semver` and `semverCompare`.

use std::any::Any;
use std::borrow::Cow;
use std::cmp::Ordering;

use gotmpl::{Context, FuncError, FuncMap, Object, Signature, Type, Value};

use super::{arg, text_arg};
use crate::semver::{Constraints, Version};

pub fn add(f: &mut FuncMap) {
    f.add("semver", Signature::fixed(&[Type::String]), |_, a| {
        let version = Version::parse(&text_arg(a, 0)).map_err(|error| error.to_string())?;
        Ok(Value::object(VersionObject(version)))
    });
    f.add("semverCompare", Signature::fixed(&[Type::String, Type::String]), |_, a| {
        let constraints = Constraints::parse(&text_arg(a, 0)).map_err(|error| error.to_string())?;
        let version = Version::parse(&text_arg(a, 1)).map_err(|error| error.to_string())?;
        Ok(Value::Bool(constraints.check(&version)))
    });
}

fn parsed(text: &str) -> Result<Value, FuncError> {
    let version = Version::parse(text).map_err(|error| error.to_string())?;
    Ok(Value::object(VersionObject(version)))
}

/// `*semver.Version` as templates see it: only methods.
#[derive(Debug)]
struct VersionObject(Version);

const TYPE: &str = "*semver.Version";

impl Object for VersionObject {
    fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(TYPE)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn kind(&self) -> gotmpl::Kind {
        gotmpl::Kind::Ptr
    }

    fn method(&self, name: &str) -> Option<Signature> {
        match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String" | "IncMajor"
            | "IncMinor" | "IncPatch" => Some(Signature::fixed(&[])),
            "SetPrerelease" | "SetMetadata" => Some(Signature::fixed(&[Type::String])),
            "Compare" | "LessThan" | "GreaterThan" | "Equal" | "LessThanEqual" | "GreaterThanEqual" => {
                Some(Signature::fixed(&[Type::Named(TYPE)]))
            }
            _ => None,
        }
    }

    fn call(&self, name: &str, _context: &mut Context<'_>, args: &[Value]) -> Result<Value, FuncError> {
        let version = &self.0;
        let order = || -> Result<Ordering, FuncError> {
            let other = arg(args, 0);
            let other = other.downcast::<VersionObject>().ok_or("expected a version")?;
            Ok(version.compare(&other.0))
        };
        Ok(match name {
            "Major" => Value::Uint64(version.major),
            "Minor" => Value::Uint64(version.minor),
            "Patch" => Value::Uint64(version.patch),
            "Prerelease" => Value::from(&version.prerelease),
            "Metadata" => Value::from(&version.metadata),
            "Original" => Value::from(&version.original),
            "String" => Value::from(version.to_string()),
            "IncMajor" | "IncMinor" | "IncPatch" => {
                let (major, minor, patch) = (version.major, version.minor, version.patch);
                let next = |number: u64| number.wrapping_add(1);
                let text = match name {
                    "IncMajor" => format!("{}.0.0", next(major)),
                    "IncMinor" => format!("{major}.{}.0", next(minor)),
                    // A version before a release is followed by that release.
                    _ if version.prerelease.is_empty() => format!("{major}.{minor}.{}", next(patch)),
                    _ => format!("{major}.{minor}.{patch}"),
                };
                parsed(&text)?
            }
            "SetPrerelease" | "SetMetadata" => {
                let given = text_arg(args, 0);
                let (before, behind) = match name {
                    "SetPrerelease" => (&*given, version.metadata.as_str()),
                    _ => (version.prerelease.as_str(), &*given),
                };
                let mut text = format!("{}.{}.{}", version.major, version.minor, version.patch);
                for (sign, part) in [('-', before), ('+', behind)].iter().filter(|(_, part)| !part.is_empty())
                {
                    text.push(*sign);
                    text.push_str(part);
                }
                parsed(&text)?
            }
            "Compare" => Value::Int(order()? as i64),
            "LessThan" => Value::Bool(order()? == Ordering::Less),
            "GreaterThan" => Value::Bool(order()? == Ordering::Greater),
            "Equal" => Value::Bool(order()? == Ordering::Equal),
            "LessThanEqual" => Value::Bool(order()? != Ordering::Greater),
            "GreaterThanEqual" => Value::Bool(order()? != Ordering::Less),
            _ => return Err(FuncError::new(format!("no method {name}"))),
        })
    }

    fn display(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}
