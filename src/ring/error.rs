// SPDX-License-Identifier: Apache-2.0
//! Everything that can go wrong, and all of its wording: [`Error`] making a ring, [`Refused`] opening one that
//! somebody else made, [`Corrupt`] while reading it.

use std::fmt;
use std::io;

use crate::layout::{HELLO_MAX, LANE_MAX, LANE_MIN, LANES_MAX, VERSION};

/// Why a producer could not be made. Carries no allocation: it is built inside an application that may have no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A layout outside the bounds.
    Layout {
        /// Lanes asked for.
        lanes: u64,
        /// Bytes for each.
        lane_bytes: u64,
    },
    /// A HELLO of this many bytes is too long.
    Hello(usize),
    /// Growing the ring would have raised SIGXFSZ in the application.
    FileLimit {
        /// Bytes that the ring needs.
        needed: u64,
        /// `RLIMIT_FSIZE` as it stands, in bytes.
        limit: u64,
    },
    /// The system refused a step.
    System {
        /// The step, in words that follow "cannot".
        step: &'static str,
        /// `errno` as it was left.
        errno: i32,
    },
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::Layout { lanes, lane_bytes } => write!(
                f,
                "a ring of {lanes} lanes of {lane_bytes} bytes is not possible: choose 1 to {LANES_MAX} lanes of a \
                 power of two between {LANE_MIN} and {LANE_MAX} bytes"
            ),
            Error::Hello(bytes) => {
                write!(f, "a HELLO of {bytes} bytes is too long: shorten it to {HELLO_MAX}")
            }
            Error::FileLimit { needed, limit } => write!(
                f,
                "the ring needs {needed} bytes and the process may not write files beyond {limit}: raise \
                 RLIMIT_FSIZE (ulimit -f, LimitFSIZE=) or configure fewer or smaller lanes"
            ),
            Error::System { step, errno } => {
                write!(f, "cannot {step}: {}", io::Error::from_raw_os_error(errno))
            }
        }
    }
}

/// Why a consumer would not take a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not a regular file.
    Kind,
    /// A spool file with this many names.
    Links(u64),
    /// A memory file whose owner could still resize it, or none at all.
    Unsealed,
    /// A memory file sealed so that nothing can be acknowledged.
    WriteSealed,
    /// Does not start like a ring.
    Magic,
    /// A layout version that this build does not know.
    Version(u64),
    /// A layout outside the bounds.
    Layout {
        /// Lanes claimed.
        lanes: u64,
        /// Bytes claimed for each.
        lane_bytes: u64,
    },
    /// A HELLO that claims this many bytes.
    Hello(u64),
    /// A clock kind that this build does not know.
    Clock(u64),
    /// A file whose size does not fit the layout it claims.
    Size {
        /// Bytes that the file has.
        found: u64,
        /// Bytes that the layout takes.
        expected: u64,
    },
    /// The file cannot be read or written.
    File(Fault),
    /// `fstat` failed with this `errno`.
    System(i32),
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ring refused: ")?;
        match *self {
            Refused::Kind => f.write_str("it is not a regular file; look at who sent or placed it"),
            Refused::Links(names) => {
                write!(f, "the file has {names} names; a spool file has one, remove the others")
            }
            Refused::Unsealed => f.write_str(
                "it is no memory file sealed with F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_SEAL; its owner is not \
                 this library or was tampered with",
            ),
            Refused::WriteSealed => f.write_str(
                "it is sealed against writing, so nothing could be acknowledged; its owner is not this library \
                 or was tampered with",
            ),
            Refused::Magic => {
                f.write_str("it does not start like a ring; a spool file like this was never finished, remove it")
            }
            Refused::Version(found) => write!(
                f,
                "layout version {found}, this collector reads {VERSION}; run the collector of the library's release"
            ),
            Refused::Layout { lanes, lane_bytes } => {
                write!(f, "{lanes} lanes of {lane_bytes} bytes are outside the bounds; the header is damaged or forged")
            }
            Refused::Hello(bytes) => write!(
                f,
                "a HELLO of {bytes} bytes is longer than the {HELLO_MAX} allowed; the header is damaged or forged"
            ),
            Refused::Clock(kind) => {
                write!(f, "clock kind {kind} is unknown; run the collector of the library's release")
            }
            Refused::Size { found, expected } => write!(
                f,
                "the file has {found} bytes and its layout takes {expected}; it was cut, or its header is forged"
            ),
            Refused::File(fault) => write!(f, "{fault}"),
            Refused::System(errno) => {
                write!(f, "it cannot be examined: {}", io::Error::from_raw_os_error(errno))
            }
        }
    }
}

/// A ring or lane that no honest producer could have left like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// The lane; `None` if the whole ring is meant.
    pub lane: Option<u16>,
    /// Bytes of the lane that were sound.
    pub position: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl std::error::Error for Corrupt {}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lane {
            Some(lane) => write!(
                f,
                "lane {lane} is corrupt at byte {}: {}; it is not read any further, examine the process",
                self.position, self.fault
            ),
            None => {
                write!(
                    f,
                    "the ring is corrupt: {}; it is not read any further, examine the process",
                    self.fault
                )
            }
        }
    }
}

/// What exactly is wrong with a lane or its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Head or tail is no multiple of 8.
    Unaligned,
    /// Head went back, or lies before tail.
    Backwards,
    /// More lies between tail and head than the lane holds.
    Overfull,
    /// A frame shorter or longer than frames are.
    Length,
    /// A frame that ends beyond head.
    PastHead,
    /// A frame that crosses the end of the lane.
    CrossesEnd,
    /// Filler that does not fill the end of the lane.
    Pad,
    /// A committed word that changed.
    Changed,
    /// The file is shorter than it was.
    Truncated,
    /// Reading failed with this `errno`.
    Unreadable(i32),
    /// Writing failed with this `errno`.
    Unwritable(i32),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Fault::Unaligned => "head or tail is no multiple of 8",
            Fault::Backwards => "head went backwards",
            Fault::Overfull => "more was reserved than the lane holds",
            Fault::Length => "a frame has an impossible length",
            Fault::PastHead => "a frame reaches past head",
            Fault::CrossesEnd => "a frame crosses the end of the lane",
            Fault::Pad => "filler does not fill the end of the lane",
            Fault::Changed => "a committed frame changed",
            Fault::Truncated => "the file was cut short",
            Fault::Unreadable(errno) => {
                return write!(f, "reading failed: {}", io::Error::from_raw_os_error(errno));
            }
            Fault::Unwritable(errno) => {
                return write!(f, "writing failed: {}", io::Error::from_raw_os_error(errno));
            }
        })
    }
}
