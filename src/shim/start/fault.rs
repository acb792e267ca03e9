// SPDX-License-Identifier: Apache-2.0
//! Why the library did not start, where somebody can find it: the application only gets a number, and nothing may be
//! printed in it.
#![allow(unsafe_code)]

use std::fmt::{self, Display, Write};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use super::files;

/// A reason and the folder it belongs in.
pub(crate) struct Fault {
    text: String,
    spool: Option<PathBuf>,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Fault {
    pub(crate) fn new(text: impl Display, spool: Option<PathBuf>) -> Fault {
        Fault { text: text.to_string(), spool }
    }

    /// Writes the reason to `fault-UID-PID.txt` in the spool folder: the time, then the text. Where there is no such
    /// folder nothing is written; `p11guard doctor` finds most reasons by looking at the same files again.
    pub(crate) fn write_down(&self) {
        let Some(spool) = self.spool.clone().or_else(files::default_spool) else { return };
        // SAFETY: no pointer is involved.
        let uid = unsafe { libc::geteuid() };
        let path = spool.join(format!("fault-{uid}-{}.txt", std::process::id()));
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}\n{}", since.as_secs(), self.text);
        // Past this limit a write raises SIGXFSZ, which kills the host.
        if files::file_size_limit() < text.len() as u64 {
            return;
        }
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
        let Ok(mut file) = options.open(path) else { return };
        let own = file.metadata().is_ok_and(|it| it.is_file() && it.uid() == uid && it.nlink() == 1);
        if own && file.set_len(0).is_ok() {
            // There is nobody to tell that it failed.
            let _ = file.write_all(text.as_bytes());
        }
    }
}
