// SPDX-License-Identifier: Apache-2.0
//! `p11guard schema`: what every line of the reader socket and of the log looks like.

use std::process::ExitCode;

use clap::Args;
use collector::render::SCHEMA;

use super::{Failure, print};

/// Print the JSON Schema of events
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  p11guard schema > event.schema.json")]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments) -> Result<ExitCode, Failure> {
    print(SCHEMA)?;
    Ok(ExitCode::SUCCESS)
}
