// SPDX-License-Identifier: Apache-2.0
//! `p11guard verify`: is the log complete, and was it changed? Offline, from the files alone.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use collector::render::Shown;
use collector::verify::{Archive, Report, Trust, verify};

use super::evidence::{key, log_folder, read_text};
use super::{Failure, print};

/// Nothing is wrong, but nobody outside the log vouches for it.
const UNTRUSTED: u8 = 3;

/// Check that the log is complete and was not changed
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  proved: every event up to the last note is as it was when the key signed it
  1  damaged, or cannot be read
  3  the log agrees with itself, but no --key says that it is the one that was written

Examples:
  p11guard verify --key p11guard/4f1c…+1a2b3c4d+AbCd…
  p11guard verify /mnt/copy/p11guard --key \"$(cat audit.key)\" --since exported.note --json")]
pub(crate) struct Arguments {
    /// The log's folder [default: the collector's]
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// A key of the log, from elsewhere than this host; `p11guard checkpoint --key` prints it
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A note that was exported: what it covers must be there, unchanged
    #[arg(long, value_name = "NOTE")]
    since: Option<PathBuf>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = log_folder(arguments.folder.as_deref())?;
    let key = arguments.key.as_deref().map(key).transpose()?;
    let since = arguments.since.as_deref().map(read_text).transpose()?;
    let report = verify(&Archive(folder.clone()), &Trust { key, since });
    if arguments.json {
        let text = serde_json::to_string(&report).map_err(|error| Failure::Refused(error.to_string()))?;
        print(&format!("{text}\n"))?;
    } else {
        print(&text(&folder.to_string_lossy(), &report))?;
    }
    Ok(match report {
        _ if report.is_proved() => ExitCode::SUCCESS,
        _ if report.damage.is_empty() => ExitCode::from(UNTRUSTED),
        _ => ExitCode::FAILURE,
    })
}

/// The report for a reader.
fn text(folder: &str, report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let out = &mut text;
    let Report { origin, epochs, notes, sealed, proved, unsealed, .. } = report;
    let origin = origin.as_deref().unwrap_or("without a name");
    let _ = writeln!(out, "{}: log {}, {epochs} keys, {notes} notes", Shown(folder), Shown(origin));
    for damage in &report.damage {
        let _ = writeln!(out, "DAMAGED  {}: {}", Shown(&damage.file), Shown(&damage.what));
    }
    let _ = writeln!(out, "{proved} of {sealed} sealed events are there as they were sealed");
    let first = report.damage.iter().filter_map(|damage| damage.event).min();
    if let Some(first) = first.filter(|first| *first > 0) {
        let _ = writeln!(out, "the first {first} events have no damage");
    }
    if *unsealed > 0 {
        let _ = writeln!(
            out,
            "{unsealed} events behind the last note are not proved: they may have been changed, or more removed"
        );
    }
    let _ = match report {
        _ if report.is_proved() => writeln!(out, "PROVED up to event {}", sealed.saturating_sub(1)),
        _ if report.damage.is_empty() => writeln!(
            out,
            "NOT PROVED: the log agrees with itself; give --key, from elsewhere than this log, to know that it is yours"
        ),
        _ => writeln!(out, "NOT PROVED: keep the log as it is; what is damaged stands above"),
    };
    text
}
