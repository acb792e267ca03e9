// SPDX-License-Identifier: Apache-2.0
//! The folder of the log and its files: made for their owner to write and the readers' group to read, and refused
//! where somebody else could write them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::error::Error;

pub(super) const REMEDY: &str = "the log's folder must belong to the collector's user and have free space";

/// Where the log lies, and who may read it.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    group: Option<u32>,
}

impl Folder {
    /// Makes the folder, if need be.
    ///
    /// # Errors
    /// [`Error::Path`] if it cannot be made.
    pub(crate) fn make(path: &Path, group: Option<u32>) -> Result<Folder, Error> {
        let folder = Folder { path: path.into(), group };
        folder
            .make_folder("")
            .and_then(|()| folder.make_folder("events"))
            .map_err(Error::path("make", path, REMEDY))?;
        Ok(folder)
    }

    /// A file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The path of a segment.
    pub(crate) fn segment(&self, first: u64) -> PathBuf {
        self.path(&segment_name(first))
    }

    /// A folder below it, with those above it.
    pub(super) fn make_folder(&self, name: &str) -> io::Result<()> {
        let path = self.path.join(name);
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o750).create(&path)?;
        }
        self.give(&path)
    }

    /// Opens a file to append to it, made if need be, and makes sure that it is nobody else's.
    pub(super) fn open(&self, path: &Path) -> Result<File, Error> {
        let file = options().read(true).append(true).create(true).open(path);
        let file = file.map_err(Error::path("open", path, REMEDY))?;
        let status = file.metadata().map_err(Error::path("examine", path, REMEDY))?;
        let what = if !status.is_file() {
            "is not a regular file"
        } else if status.uid() != rustix::process::geteuid().as_raw() {
            "belongs to another user"
        } else if status.nlink() != 1 {
            "has other names as well"
        } else if status.mode() & 0o022 != 0 {
            "can be written by others"
        } else {
            self.give_file(&file).map_err(Error::path("hand to the readers' group", path, REMEDY))?;
            return Ok(file);
        };
        Err(Error::NotOurs { path: path.into(), what })
    }

    /// Writes a small file so that a crash leaves either the old one or the new one, and both names durable.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        write_new(&self.path(name), bytes, |file| self.give_file(file))?;
        sync_folder(self.path(name).parent().unwrap_or(&self.path))
    }

    /// Writes a tile: whole or not at all under its name, but durable only by a later sync.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let write = || {
            let new = path.with_extension("new");
            let mut file = options().write(true).create(true).truncate(true).open(&new)?;
            self.give_file(&file)?;
            file.write_all(bytes)?;
            fs::rename(&new, &path)
        };
        match write() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = Path::new(name).parent().and_then(Path::to_str).unwrap_or_default();
                self.make_folders(parent)?;
                write()
            }
            written => written,
        }
    }

    /// Folders below, each with its group.
    fn make_folders(&self, name: &str) -> io::Result<()> {
        let ends = name.match_indices('/').map(|(end, _)| end).chain([name.len()]);
        ends.into_iter().try_for_each(|end| self.make_folder(&name[..end]))
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        match self.group {
            Some(group) if fs::metadata(path)?.gid() != group => chown(path, None, Some(group)),
            _ => Ok(()),
        }
    }

    fn give_file(&self, file: &File) -> io::Result<()> {
        match self.group {
            Some(group) if file.metadata()?.gid() != group => fchown(file, None, Some(group)),
            _ => Ok(()),
        }
    }
}

/// The name of the segment that begins with event `first`.
pub(crate) fn segment_name(first: u64) -> String {
    format!("events/{first:012}.jsonl")
}

/// The segments of a log by their first events, in order.
///
/// # Errors
/// Where the folder cannot be read.
pub(crate) fn segments(log: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in fs::read_dir(log.join("events"))? {
        let name = entry?.file_name();
        let first = name.to_str().and_then(|name| name.strip_suffix(".jsonl")?.parse().ok());
        firsts.extend(first.filter(|first| segment_name(*first).strip_prefix("events/") == name.to_str()));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Writes a small file so that a crash leaves either the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_new(path, bytes, |_| Ok(()))?;
    sync_folder(path.parent().unwrap_or(Path::new("/")))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8], prepare: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = options().write(true).create(true).truncate(true).open(&new)?;
    prepare(&file)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o640).custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed());
    options
}
