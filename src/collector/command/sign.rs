// SPDX-License-Identifier: Apache-2.0
//! `p11guard sign`: the process that holds the key of the log. Started by the collector, or by itself under a user of
//! its own.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use collector::Signer;

use super::Failure;

/// Sign the log: the process that holds its key
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Arguments {
    /// Folder of the keys
    #[arg(long, value_name = "FOLDER")]
    keys: PathBuf,
    /// How long a key signs
    #[arg(long, value_name = "N", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    epoch_seconds: u64,
    /// Where collectors ask; without it the one at the other end of the standard input is served
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// User id of the collector, if it is not the signer's own
    #[arg(long, value_name = "UID", requires = "socket")]
    client: Option<u32>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let signer = Signer { keys: arguments.keys.clone(), epoch: Duration::from_secs(arguments.epoch_seconds) };
    match &arguments.socket {
        Some(socket) => signer.serve_socket(socket, arguments.client)?,
        None => signer.serve_stdin()?,
    }
    Ok(ExitCode::SUCCESS)
}
