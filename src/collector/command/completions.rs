// SPDX-License-Identifier: Apache-2.0
//! `p11guard completions`: what a shell needs to complete this command line.

use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Failure, print};
use crate::cli::Cli;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  p11guard completions bash > /etc/bash_completion.d/p11guard")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "p11guard", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
