// SPDX-License-Identifier: Apache-2.0
//! `p11guard keep`: the second process that holds the rings while the collector is away. Started by the collector.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Failure;

/// Hold the rings of the applications while the collector is away
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Arguments {
    /// Where the collector asks for them
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    collector::keep(&arguments.socket)?;
    Ok(ExitCode::SUCCESS)
}
