// SPDX-License-Identifier: Apache-2.0
//! Everything that keeps the collector from starting or working, and all of its wording.

use std::fmt;
use std::io;
use std::path::PathBuf;

use ::settings::Mistake;

/// Why the collector does not start, or stopped.
#[derive(Debug)]
pub enum Error {
    /// The configuration is wrong; the mistake names file, line, column and remedy.
    Settings(Mistake),
    /// A file or socket could not be used.
    Path {
        /// What was attempted, in words that follow "cannot".
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// Somebody answers at this socket, or holds this log.
    Running(PathBuf),
    /// Where a socket should be lies something else.
    InTheWay(PathBuf),
    /// A file that must be ours alone is not.
    NotOurs {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// No group has this name.
    Group(String),
    /// Events could not be stored before the end: so many bytes of them, in this log.
    Unstored {
        /// The log.
        path: PathBuf,
        /// Bytes of events.
        bytes: usize,
    },
    /// The log is not the one that was signed.
    Forked {
        /// The log.
        path: PathBuf,
        /// How that shows.
        what: String,
    },
    /// There is no signer, or it refuses.
    Unsealed {
        /// What it said, or the system.
        source: io::Error,
    },
    /// A part of the collector failed by a mistake of its own.
    Panic,
    /// The system refused a thread, a poll or the like.
    System {
        /// What was attempted, in words that follow "cannot".
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn path(
        step: &'static str,
        path: impl Into<PathBuf>,
        remedy: &'static str,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Path { step, path, source, remedy }
    }

    pub(crate) fn system(step: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::System { step, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Settings(mistake) => mistake.fmt(f),
            Error::Path { step, path, source, remedy } => {
                write!(f, "cannot {step} {path:?}: {source}; {remedy}")
            }
            Error::Running(path) => write!(
                f,
                "a collector is already running with {path:?}; stop it first, or give this one its own paths"
            ),
            Error::InTheWay(path) => {
                write!(f, "{path:?} exists and is not a socket; move it away or choose another path")
            }
            Error::NotOurs { path, what } => {
                write!(f, "{path:?} {what}; nobody else may be able to write evidence, so move it away")
            }
            Error::Group(name) => {
                write!(f, "no group is called {name:?}; create it (groupadd --system) or write its number")
            }
            Error::Unstored { path, bytes } => write!(
                f,
                "{bytes} bytes of events could not be written to {path:?}; they stay in the rings of the applications \
                 that still run: make room and start again"
            ),
            Error::Forked { path, what } => write!(
                f,
                "the log in {path:?} is not the one that was signed: {what}. Nothing else will be signed for it. Keep it \
                 as evidence: move it away, look at it with `p11guard verify`, and start again with a new one"
            ),
            Error::Unsealed { source } => write!(
                f,
                "there is no signer for the log: {source}; `keys` must name a folder of the signer's user alone, or \
                 `signer` the socket of a signer that runs"
            ),
            Error::Panic => write!(f, "a part of the collector failed; report what it said, please"),
            Error::System { step, source } => write!(f, "cannot {step}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Path { source, .. } | Error::System { source, .. } | Error::Unsealed { source } => {
                Some(source)
            }
            _ => None,
        }
    }
}
