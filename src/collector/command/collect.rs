// SPDX-License-Identifier: Apache-2.0
//! `p11guard collect`: the daemon, from its configuration to its orderly end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use collector::{Collector, Settings};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Failure;
use super::notify::notify;

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Collect the records of this host: the daemon
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  p11guard collect --config /etc/p11guard/collector.toml

SIGTERM and SIGINT drain what is there and stop. RUST_LOG=debug says more on stderr.")]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = super::COLLECTOR_CONFIG)]
    config: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    super::log_to_stderr("info");
    let settings = Settings::read(&arguments.config)?;
    // Before the first thread, so that no signal finds the default action.
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(Failure::system("catch signals"))?;
    let collector = Collector::start(settings)?;
    notify("READY=1").map_err(Failure::system("notify the service manager"))?;
    while collector.is_running() {
        if signals.pending().next().is_some() {
            notify("STOPPING=1").map_err(Failure::system("notify the service manager"))?;
            collector.stop()?;
            return Ok(ExitCode::SUCCESS);
        }
        thread::sleep(LOOK);
    }
    collector.wait()?;
    Ok(ExitCode::SUCCESS)
}
