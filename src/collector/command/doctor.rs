// SPDX-License-Identifier: Apache-2.0
//! `p11guard doctor`: is this host set up? Every part is looked at, nothing is loaded and nothing is changed.

mod collector_side;
mod files;
mod library_side;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use collector::Settings;

use super::{Failure, faults};
use report::Report;

/// The newest faults that are shown.
const MOST_FAULTS: usize = 3;

/// Say whether this host is set up, and what to do where it is not
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  p11guard doctor
  sudo -u nginx p11guard doctor
  p11guard doctor --json | jq 'select(.state == \"wrong\")'

Ends with 1 where something is wrong. Run it as the user of an application to see what that user may do.")]
pub(crate) struct Arguments {
    /// The library's configuration [default: as the library finds it]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The collector's configuration
    #[arg(long, value_name = "FILE", default_value = super::COLLECTOR_CONFIG)]
    collector: PathBuf,
    /// Where libp11guard.so is, if it is not found
    #[arg(long, value_name = "SO")]
    library: Option<PathBuf>,
    /// One JSON object on a line for each finding
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    let library = library_side::library(&mut report, arguments.library.as_deref());
    let shim = library_side::config(&mut report, arguments.config.as_deref(), &library);
    if let Some(shim) = &shim {
        library_side::module(&mut report, &shim.module, &library);
        library_side::policy(&mut report, &shim.policy);
        library_side::attach(&mut report, &shim.socket);
    }
    let settings = Settings::read(&arguments.collector);
    let own = shim.as_ref().and_then(|shim| shim.spool.clone());
    let agreed = own.or_else(|| settings.as_ref().ok()?.spool.clone());
    let spool = agreed.unwrap_or_else(|| ::settings::SPOOL.into());
    library_side::spool(&mut report, &spool);
    starts(&mut report, &spool);
    collector_side::check(&mut report, &arguments.collector, settings, shim.as_ref());
    super::print(&report.shown(arguments.json))?;
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Why libraries did not start.
fn starts(report: &mut Report, spool: &Path) {
    let (faults, unreadable) = faults::newest(spool, MOST_FAULTS);
    for fault in &faults {
        report.note(
            "starts",
            &format!("the library did not start: {fault}"),
            "remove the file once it is solved",
        );
    }
    if unreadable > 0 {
        report.note("starts", &format!("{unreadable} more starts failed"), "run doctor as root to see why");
    }
    if faults.is_empty() && unreadable == 0 {
        report.ok("starts", "no failed start is on record");
    }
}
