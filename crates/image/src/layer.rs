//! A folder as an OCI layer and back. The same folder gives the same bytes: sorted
//! entries, numbers instead of names, whole seconds.
//!
//! Layers are compressed by zstd at a low level: see `images/README.md` for why.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tar::{Builder, EntryType, Header};
use walkdir::WalkDir;

use crate::digest::HashWriter;
use crate::error::{Error, IoContext, Result};
use crate::files;
use crate::scrub::EPOCH;

const LEVEL: i32 = 3;

const WHITEOUT: &str = ".wh.";
const OPAQUE: &str = ".wh..wh..opq";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerBlob {
    /// Of the compressed bytes, hexadecimal.
    pub digest: String,
    pub size: u64,
    /// Of the plain tar.
    pub diff_id: String,
    pub unpacked: u64,
}

/// Packs `dir` (the upper folder of an overlay on `parents`, or a whole tree) into the blob folder.
pub(crate) fn pack(dir: &Path, parents: &[PathBuf], blobs: &Path) -> Result<LayerBlob> {
    let name = dir.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let temp = files::temp_name(blobs, &name);
    let result = write_blob(dir, parents, &temp);
    let Ok(blob) = &result else {
        let _ = std::fs::remove_file(&temp);
        return result;
    };
    let path = blobs.join(&blob.digest);
    std::fs::rename(&temp, &path).on("rename to", &path)?;
    result
}

fn write_blob(dir: &Path, parents: &[PathBuf], path: &Path) -> Result<LayerBlob> {
    let file = File::create(path).on("write", path)?;
    let compressed = HashWriter::new(BufWriter::with_capacity(1 << 20, file));
    let encoder = zstd::Encoder::new(compressed, LEVEL).on("compress", path)?;
    let mut plain = HashWriter::new(encoder);
    write_tar(dir, parents, &mut plain)?;
    let (encoder, diff_id, unpacked) = plain.finish();
    let (mut file, digest, size) = encoder.finish().on("write", path)?.finish();
    file.flush().on("write", path)?;
    Ok(LayerBlob { digest, size, diff_id, unpacked })
}

fn write_tar(dir: &Path, parents: &[PathBuf], out: &mut impl Write) -> Result<()> {
    let mut tar = Builder::new(out);
    // Hard links by inode: the first name in order is the file.
    let mut linked: HashMap<u64, PathBuf> = HashMap::new();
    for entry in WalkDir::new(dir).min_depth(1).sort_by_file_name() {
        let entry = entry.map_err(std::io::Error::from).on("read", dir)?;
        let path = entry.path();
        let name = path.strip_prefix(dir).unwrap_or(path);
        // The container runtime fills it.
        if name.starts_with("dev") && name != Path::new("dev") {
            continue;
        }
        append(&mut tar, path, name, parents, &mut linked).on("pack", path)?;
    }
    tar.finish().on("pack", dir)
}

fn append<W: Write>(
    tar: &mut Builder<W>,
    path: &Path,
    name: &Path,
    parents: &[PathBuf],
    linked: &mut HashMap<u64, PathBuf>,
) -> std::io::Result<()> {
    let meta = path.symlink_metadata()?;
    let kind = meta.file_type();
    let mut header = Header::new_gnu();
    header.set_mode(meta.mode() & 0o7777);
    header.set_uid(u64::from(meta.uid()));
    header.set_gid(u64::from(meta.gid()));
    header.set_mtime(meta.mtime().max(0) as u64);
    header.set_size(0);

    if kind.is_char_device() && meta.rdev() == 0 {
        return tar.append_data(&mut marker(), name.with_file_name(whiteout_of(name)), std::io::empty());
    }
    if !kind.is_symlink() {
        let attributes = attributes(path)?;
        if !attributes.is_empty() {
            tar.append_pax_extensions(
                attributes.iter().map(|(key, value)| (key.as_str(), value.as_slice())),
            )?;
        }
    }
    if kind.is_dir() {
        header.set_entry_type(EntryType::Directory);
        tar.append_data(&mut header, name, std::io::empty())?;
        // Overlayfs marks every new folder so; it says something only where a parent has one of that name.
        let opaque = attribute(path, "trusted.overlay.opaque")?.is_some_and(|value| value == b"y");
        if opaque && parents.iter().any(|parent| parent.join(name).is_dir()) {
            tar.append_data(&mut marker(), name.join(OPAQUE), std::io::empty())?;
        }
    } else if kind.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        tar.append_link(&mut header, name, std::fs::read_link(path)?)?;
    } else if kind.is_file() {
        if meta.nlink() > 1 {
            if let Some(first) = linked.get(&meta.ino()) {
                header.set_entry_type(EntryType::Link);
                return tar.append_link(&mut header, name, first);
            }
            linked.insert(meta.ino(), name.to_path_buf());
        }
        header.set_entry_type(EntryType::Regular);
        header.set_size(meta.len());
        tar.append_data(&mut header, name, BufReader::with_capacity(1 << 18, File::open(path)?))?;
    }
    // Sockets, pipes and devices are made by what uses them.
    Ok(())
}

fn marker() -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(EPOCH as u64);
    header.set_size(0);
    header.set_entry_type(EntryType::Regular);
    header
}

fn whiteout_of(name: &Path) -> std::ffi::OsString {
    let mut hidden = std::ffi::OsString::from(WHITEOUT);
    hidden.push(name.file_name().unwrap_or_default());
    hidden
}

/// Extended attributes that belong to the file (capabilities), not to this host.
fn attributes(path: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut names = vec![0_u8; 4096];
    let length = match rustix::fs::llistxattr(path, names.as_mut_slice()) {
        Ok(length) => length,
        Err(rustix::io::Errno::OPNOTSUPP) => 0,
        Err(e) => return Err(e.into()),
    };
    let mut found = Vec::new();
    for name in names[..length].split(|b| *b == 0) {
        let name = String::from_utf8_lossy(name).into_owned();
        if (name == "security.capability" || name.starts_with("user."))
            && let Some(value) = attribute(path, &name)?
        {
            found.push((format!("SCHILY.xattr.{name}"), value));
        }
    }
    found.sort();
    Ok(found)
}

fn attribute(path: &Path, name: &str) -> std::io::Result<Option<Vec<u8>>> {
    let mut value = vec![0_u8; 4096];
    match rustix::fs::lgetxattr(path, name, value.as_mut_slice()) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Unpacks a layer over `root`, as a container runtime does.
pub(crate) fn unpack(blob: &Path, root: &Path) -> Result<()> {
    let file = File::open(blob).on("read", blob)?;
    let plain = zstd::Decoder::new(file).on("read", blob)?;
    unpack_tar(plain, root).on("unpack", blob)
}

fn unpack_tar(plain: impl Read, root: &Path) -> std::io::Result<()> {
    let mut archive = tar::Archive::new(plain);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    archive.set_unpack_xattrs(true);
    archive.set_overwrite(true);
    // Folders' dates would change with what is put into them later.
    let mut folders = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let file_name = path.file_name().unwrap_or_default();
        let bytes = file_name.as_bytes();
        if bytes == OPAQUE.as_bytes() {
            let dir = root.join(path.parent().unwrap_or(Path::new("")));
            for child in std::fs::read_dir(dir)?.flatten() {
                remove_any(&child.path())?;
            }
        } else if let Some(hidden) = bytes.strip_prefix(WHITEOUT.as_bytes()) {
            remove_any(&root.join(path.with_file_name(std::ffi::OsStr::from_bytes(hidden))))?;
        } else {
            if entry.header().entry_type().is_dir() {
                folders.push((root.join(&path), entry.header().mtime()?));
            } else {
                let target = root.join(&path);
                if target.symlink_metadata().is_ok_and(|m| m.is_dir()) {
                    remove_any(&target)?;
                }
            }
            entry.unpack_in(root)?;
        }
    }
    for (path, time) in folders.iter().rev() {
        let t = rustix::fs::Timespec { tv_sec: *time as i64, tv_nsec: 0 };
        let times = rustix::fs::Timestamps { last_access: t, last_modification: t };
        let _ = rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
    }
    Ok(())
}

fn remove_any(path: &Path) -> std::io::Result<()> {
    match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
    }
}

/// The first entries in which two layers differ, for a build that was not repeated to the byte.
pub(crate) fn differences(first: &Path, second: &Path) -> Result<Vec<String>> {
    let (a, b) = (listing(first)?, listing(second)?);
    let mut names: Vec<_> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    Ok(names
        .into_iter()
        .filter(|name| a.get(*name) != b.get(*name))
        .map(|name| name.display().to_string())
        .collect())
}

fn listing(blob: &Path) -> Result<HashMap<PathBuf, (Vec<u8>, String)>> {
    let file = File::open(blob).on("read", blob)?;
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).on("read", blob)?);
    let mut found = HashMap::new();
    for entry in archive.entries().on("read", blob)? {
        let mut entry = entry.on("read", blob)?;
        let path = entry.path().on("read", blob)?.into_owned();
        let header = entry.header().as_bytes().to_vec();
        let content = crate::digest::of_reader(&mut entry).on("read", blob)?;
        found.insert(path, (header, content));
    }
    if found.is_empty() {
        return Err(Error::Damaged {
            path: blob.to_path_buf(),
            reason: "the layer holds nothing".to_owned(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn sample(root: &Path, order: &[&str]) {
        std::fs::create_dir_all(root.join("usr/bin")).unwrap();
        for name in order {
            std::fs::write(root.join("usr/bin").join(name), name).unwrap();
        }
        std::fs::hard_link(root.join("usr/bin/a"), root.join("usr/bin/z")).unwrap();
        symlink("a", root.join("usr/bin/link")).unwrap();
        std::fs::set_permissions(root.join("usr/bin/b"), std::fs::Permissions::from_mode(0o4755)).unwrap();
        crate::scrub::settle_times(root, 0).unwrap();
    }

    #[test]
    fn the_order_of_making_does_not_show() {
        let blobs = tempfile::tempdir().unwrap();
        let digests: Vec<_> = [["a", "b", "c"], ["c", "b", "a"]]
            .iter()
            .map(|order| {
                let dir = tempfile::tempdir().unwrap();
                sample(dir.path(), order);
                pack(dir.path(), &[], blobs.path()).unwrap()
            })
            .collect();
        assert_eq!(digests[0], digests[1]);
        assert_eq!(std::fs::read_dir(blobs.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let (dir, blobs, out) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        sample(dir.path(), &["a", "b"]);
        let long = "d".repeat(150);
        std::fs::create_dir(dir.path().join(&long)).unwrap();
        std::fs::write(dir.path().join(&long).join("file"), "deep").unwrap();
        let blob = pack(dir.path(), &[], blobs.path()).unwrap();
        unpack(&blobs.path().join(&blob.digest), out.path()).unwrap();
        assert_eq!(std::fs::read_to_string(out.path().join(&long).join("file")).unwrap(), "deep");
        assert_eq!(std::fs::read_link(out.path().join("usr/bin/link")).unwrap(), Path::new("a"));
        assert_eq!(out.path().join("usr/bin/b").metadata().unwrap().mode() & 0o7777, 0o4755);
        let ino = |name: &str| out.path().join(name).metadata().unwrap().ino();
        assert_eq!(ino("usr/bin/a"), ino("usr/bin/z"));
    }

    #[test]
    fn whiteouts_remove_what_lower_layers_brought() {
        let out = tempfile::tempdir().unwrap();
        for path in ["keep/x", "gone/x", "emptied/x"] {
            std::fs::create_dir_all(out.path().join(path).parent().unwrap()).unwrap();
            std::fs::write(out.path().join(path), "").unwrap();
        }
        let mut tar = Builder::new(Vec::new());
        for name in [".wh.gone", "emptied/.wh..wh..opq", "emptied/y"] {
            tar.append_data(&mut marker(), name, std::io::empty()).unwrap();
        }
        unpack_tar(tar.into_inner().unwrap().as_slice(), out.path()).unwrap();
        assert!(out.path().join("keep/x").exists() && !out.path().join("gone").exists());
        assert!(!out.path().join("emptied/x").exists() && out.path().join("emptied/y").exists());
    }

    #[test]
    fn differing_entries_are_named() {
        let blobs = tempfile::tempdir().unwrap();
        let paths: Vec<_> = ["one", "two"]
            .iter()
            .map(|text| {
                let dir = tempfile::tempdir().unwrap();
                sample(dir.path(), &["a", "b"]);
                std::fs::write(dir.path().join("usr/bin/b"), text).unwrap();
                crate::scrub::settle_times(dir.path(), 0).unwrap();
                blobs.path().join(pack(dir.path(), &[], blobs.path()).unwrap().digest)
            })
            .collect();
        assert_eq!(differences(&paths[0], &paths[1]).unwrap(), ["usr/bin/b"]);
    }
}
