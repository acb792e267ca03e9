// SPDX-License-Identifier: Apache-2.0
//! The files of a log, from a folder or from elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

/// Where the files of a log are read.
pub trait Files {
    /// A small file, whole.
    ///
    /// # Errors
    /// As of [`fs::read`].
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// A large file, from its beginning.
    ///
    /// # Errors
    /// As of [`fs::File::open`].
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>>;

    /// The names of the files in `events`, in order.
    ///
    /// # Errors
    /// As of [`fs::read_dir`].
    fn segments(&self) -> io::Result<Vec<String>>;
}

/// The folder of a log.
#[derive(Debug, Clone)]
pub struct Archive(pub PathBuf);

impl Files for Archive {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.0.join(name))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(fs::File::open(self.0.join(name))?))
    }

    fn segments(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.0.join("events"))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }
}

/// Files by their names, in memory.
impl Files for BTreeMap<String, Vec<u8>> {
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        let bytes = self.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(&bytes[..]))
    }

    fn segments(&self) -> io::Result<Vec<String>> {
        Ok(self.keys().filter_map(|name| name.strip_prefix("events/").map(str::to_owned)).collect())
    }
}
