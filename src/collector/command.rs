// SPDX-License-Identifier: Apache-2.0
//! The verbs of the command line, and how they fail: on stderr, with what to do next, never with a panic.

pub(crate) mod checkpoint;
pub(crate) mod collect;
pub(crate) mod completions;
pub(crate) mod doctor;
mod evidence;
mod faults;
mod follow;
pub(crate) mod keep;
mod library;
pub(crate) mod man;
mod notify;
pub(crate) mod policy;
pub(crate) mod prove;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod sign;
pub(crate) mod tail;
pub(crate) mod verify;
pub(crate) mod verify_proof;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use collector::render::Shown;
use tracing_subscriber::EnvFilter;

/// Where the collector's configuration is.
const COLLECTOR_CONFIG: &str = "/etc/p11guard/collector.toml";

/// Why a command failed, in words for who typed it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The collector does not start, or stopped.
    Collector(collector::Error),
    /// A file, a socket or a program could not be used.
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
    /// The system refused something that needs no path.
    System {
        /// What was attempted, in words that follow "cannot".
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody takes our output any more, as under `| head`.
    NoReader,
    /// There is nothing that can be tried; the text says what to do.
    Refused(String),
}

impl Failure {
    /// For `map_err`, where a path is at fault.
    pub(crate) fn path(
        step: &'static str,
        path: impl Into<PathBuf>,
        remedy: &'static str,
    ) -> impl FnOnce(io::Error) -> Failure {
        let path = path.into();
        move |source| Failure::Path { step, path, source, remedy }
    }

    /// For `map_err`, where no path is.
    pub(crate) fn system(step: &'static str) -> impl FnOnce(io::Error) -> Failure {
        move |source| Failure::System { step, source }
    }

    /// For `map_err` of what is written to stdout.
    pub(crate) fn output(source: io::Error) -> Failure {
        match source.kind() {
            io::ErrorKind::BrokenPipe => Failure::NoReader,
            _ => Failure::System { step: "write to stdout", source },
        }
    }

    /// Says on stderr what happened, and with which code to end.
    pub(crate) fn report(&self) -> ExitCode {
        if matches!(self, Failure::NoReader) {
            return ExitCode::SUCCESS;
        }
        // Where stderr is gone there is nobody to tell.
        let _ = writeln!(anstream::stderr(), "p11guard: {self}");
        ExitCode::FAILURE
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Collector(error) => error.fmt(f),
            Failure::Path { step, path, source, remedy } => {
                write!(f, "cannot {step} {}: {source}; {remedy}", Shown(&path.to_string_lossy()))
            }
            Failure::System { step, source } => write!(f, "cannot {step}: {source}"),
            Failure::NoReader => f.write_str("nobody reads the output"),
            Failure::Refused(text) => f.write_str(text),
        }
    }
}

impl From<collector::Error> for Failure {
    fn from(error: collector::Error) -> Failure {
        Failure::Collector(error)
    }
}

/// Writes a finished text to stdout.
fn print(text: &str) -> Result<(), Failure> {
    anstream::stdout().lock().write_all(text.as_bytes()).map_err(Failure::output)
}

/// Sends what the collector has to say of itself to stderr, from this level on; RUST_LOG says otherwise.
fn log_to_stderr(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let colours = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours).init();
}
