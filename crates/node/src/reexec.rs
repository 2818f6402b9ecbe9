//! The hidden first arguments by which parts of this crate run as processes of their own.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::{enter, kvm, launch};

pub(crate) const LAUNCH: &str = "__node-launch";
pub(crate) const ENTER: &str = "__node-enter";
pub(crate) const PROBE_KVM: &str = "__node-probe-kvm";

/// Runs the part of this crate that `args` (those of the process, with its own name first) ask for, if they do.
///
/// A program that uses this crate calls it before anything else, above all before it makes a thread.
pub fn reexec(args: &[OsString]) -> Option<ExitCode> {
    let rest = args.get(2..).unwrap_or_default();
    match args.get(1)?.to_str()? {
        LAUNCH => Some(match rest {
            [manifest] => launch::run(Path::new(manifest)),
            _ => ExitCode::from(2),
        }),
        ENTER => Some(enter::run(rest)),
        PROBE_KVM => Some(kvm::run()),
        _ => None,
    }
}
