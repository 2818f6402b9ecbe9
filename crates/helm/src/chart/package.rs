//! Packed charts (`.tgz`): what Helm refuses is refused here too (links, paths that lead out, bombs).

use std::io::Read;

use super::File;
use super::contents::shared;
use crate::HelmError;

const MAX_CHART: u64 = 100 * 1024 * 1024;
const MAX_FILE: u64 = 5 * 1024 * 1024;

/// The files of an archive, without the folder that they are all in.
pub fn unpack(bytes: &[u8], name: &str) -> Result<Vec<File>, HelmError> {
    let fail = |message: String| HelmError::chart(name, message);
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(fail("not a packed chart (gzip archive)".to_owned()));
    }
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let mut files = Vec::new();
    let mut budget = MAX_CHART;
    let entries = archive.entries().map_err(|error| fail(format!("cannot read the archive: {error}")))?;
    for entry in entries {
        let mut entry = entry.map_err(|error| fail(format!("cannot read the archive: {error}")))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).replace('\\', "/");
        let Some((_, inner)) = path.split_once('/') else {
            return Err(fail("chart illegally contains content outside the base directory".to_owned()));
        };
        let mut parts = Vec::new();
        for part in inner.split('/') {
            match part {
                "" | "." => {}
                ".." => return Err(fail(format!("the archive holds a path that leads out of it: {path}"))),
                part => parts.push(part),
            }
        }
        if inner.starts_with('/') || parts.first().is_none_or(|first| first.contains(':')) {
            return Err(fail(format!("the archive holds an absolute path: {path}")));
        }
        let limit = budget.min(MAX_FILE);
        let mut data = Vec::new();
        (&mut entry)
            .take(limit + 1)
            .read_to_end(&mut data)
            .map_err(|error| fail(format!("cannot unpack {path}: {error}")))?;
        if data.len() as u64 > limit {
            return Err(fail(format!("{path} is larger than {limit} bytes")));
        }
        budget -= data.len() as u64;
        let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&data);
        files.push(File { name: parts.join("/"), data: shared(data) });
    }
    if files.is_empty() {
        return Err(fail("no files in the archive".to_owned()));
    }
    Ok(files)
}
