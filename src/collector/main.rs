// SPDX-License-Identifier: Apache-2.0
//! The `p11guard` program.
#![forbid(unsafe_code)]

mod cli;
mod command;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    cli::Cli::parse().run().unwrap_or_else(|failure| failure.report())
}
