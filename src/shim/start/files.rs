// SPDX-License-Identifier: Apache-2.0
//! Finding and reading configuration and policy: by one descriptor, from owners that may say what they say.
//! The environment is not asked in a process that runs with more rights than its caller.
#![allow(unsafe_code)]

use std::ffi::{CStr, OsStr, c_char};
use std::fmt::{self, Display};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::fault::Fault;

/// A file as it was read.
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    /// Who owns it.
    pub(super) owner: u32,
    pub(crate) identity: Identity,
}

/// Which file it is, and as of when.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    file: (u64, u64),
    changed: (i64, i64),
    bytes: u64,
}

impl Identity {
    fn of(status: &Metadata) -> Identity {
        Identity {
            file: (status.dev(), status.ino()),
            changed: (status.ctime(), status.ctime_nsec()),
            bytes: status.size(),
        }
    }

    /// Whether it is the same file, changed or not.
    pub(crate) fn same_file(&self, other: &Identity) -> bool {
        self.file == other.file
    }
}

/// The identity of the file at `path`, if there is one.
pub(crate) fn identity(path: &Path) -> Option<Identity> {
    path.metadata().ok().map(|status| Identity::of(&status))
}

/// Why a file was not read.
pub(crate) struct Unreadable {
    path: PathBuf,
    what: String,
    help: &'static str,
    missing: bool,
}

impl Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: error: {}\nhelp: {}", self.path.display(), self.what, self.help)
    }
}

/// The configuration for the library at `library`: the machine's own, else the one that the environment names.
pub(super) fn configuration(library: &Path) -> Result<(PathBuf, Content), Fault> {
    let names = settings::names(library);
    for path in &names {
        match read(path, 0) {
            Ok(content) => return Ok((path.clone(), content)),
            Err(error) if error.missing => (),
            Err(error) => return Err(Fault::new(error, None)),
        }
    }
    let Some(named) = environment(c"P11GUARD_CONFIG") else {
        let tried: Vec<String> = names.iter().map(|path| path.display().to_string()).collect();
        let text = format!(
            "no configuration: there is no {}, and P11GUARD_CONFIG names none\nhelp: install config/shim.toml as {}",
            tried.join(", no "),
            names.last().map(|path| path.display().to_string()).unwrap_or_default()
        );
        return Err(Fault::new(text, None));
    };
    let path = PathBuf::from(OsStr::from_bytes(&named));
    // SAFETY: no pointer is involved.
    let own = unsafe { libc::geteuid() };
    match read(&path, own) {
        Ok(content) => Ok((path, content)),
        Err(error) => Err(Fault::new(error, None)),
    }
}

/// Reads a file that root or `owner` owns and nobody else can write.
pub(crate) fn read(path: &Path, owner: u32) -> Result<Content, Unreadable> {
    let wrong = |what: String, help| Unreadable { path: path.into(), what, help, missing: false };
    let open = OpenOptions::new().read(true).custom_flags(libc::O_CLOEXEC | libc::O_NONBLOCK).open(path);
    let file = open.map_err(|error| Unreadable {
        missing: error.kind() == ErrorKind::NotFound,
        ..wrong(
            format!("it cannot be opened: {error}"),
            "create it, correct the path, or let this user read it",
        )
    })?;
    let status = file
        .metadata()
        .map_err(|error| wrong(format!("it cannot be examined: {error}"), "check the file system"))?;
    if !status.is_file() {
        return Err(wrong("it is not a regular file".into(), "name a file"));
    }
    if status.uid() != 0 && status.uid() != owner {
        return Err(wrong(format!("it belongs to user {}", status.uid()), "let root own it (chown root)"));
    }
    if status.mode() & 0o022 != 0 {
        let what = format!("others than its owner can write it (mode {:04o})", status.mode() & 0o7777);
        return Err(wrong(what, "take the right from them (chmod go-w)"));
    }
    let mut bytes = Vec::new();
    let most = policy::MAX_BYTES as u64 + 1;
    let mut limited: std::io::Take<File> = file.take(most);
    limited
        .read_to_end(&mut bytes)
        .map_err(|error| wrong(format!("it cannot be read: {error}"), "check the file system"))?;
    Ok(Content { bytes, owner: status.uid(), identity: Identity::of(&status) })
}

unsafe extern "C" {
    /// glibc: getenv, but NULL where AT_SECURE is set.
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// A variable of the environment, unless the process runs with more rights than its caller.
pub(crate) fn environment(name: &CStr) -> Option<Vec<u8>> {
    // SAFETY: the name is NULL-terminated.
    let value = unsafe { secure_getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: the environment's own string; a host that changes its environment from another thread at this moment
    // would break its own getenv as well.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes().to_vec())
}

/// The folder for a configuration that names none, if the machine has it.
pub(super) fn default_spool() -> Option<PathBuf> {
    let spool = PathBuf::from(settings::SPOOL);
    spool.is_dir().then_some(spool)
}

/// RLIMIT_FSIZE, bytes.
pub(super) fn file_size_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: room for the answer.
    if unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) } == 0 { limit.rlim_cur } else { 0 }
}
