// SPDX-License-Identifier: Apache-2.0
//! `p11guard policy learn`: the tightest allow-list under which what was seen goes on. One rule for each operation
//! with a mechanism, with the smallest key, the curves and the parameters that were seen.

mod seen;
mod text;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use event::mechanism;
use policy::Act;

use super::super::{Failure, print};
use super::source::Source;
use super::when::Since;
use seen::Seen;

/// Write the tightest policy that allows what was seen
#[derive(Debug, Args)]
#[command(after_help = "\
Calls that were refused when they were made are not learnt. Comments say how often, by which
programs and with which keys each use was seen: read them before the policy is put in force.

Exit codes: 0 done, 2 nothing was learnt.

Examples:
  p11guard policy learn --since 7d > policy.toml
  p11guard policy learn events.jsonl > policy.toml
  p11guard policy replay policy.toml events.jsonl")]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Only calls since this time (2026-11-01T08:00:00Z) or so long ago (7d)
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
}

/// What was seen, and what was left out.
#[derive(Default)]
struct Learnt {
    uses: BTreeMap<(Act, u64), Seen>,
    refused: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut learnt = Learnt::default();
    arguments.source.read(&mut |line, stream| {
        let Some(call) = line.call(stream) else { return Ok(true) };
        let made = call.time.unwrap_or_default();
        // What has no mechanism goes on under every policy that does not name it.
        let Some(mechanism) = call.mechanism.filter(|_| call.act.operation().is_some()) else {
            return Ok(true);
        };
        if arguments.since.is_some_and(|since| made < since.0 / 1_000_000_000) {
            return Ok(true);
        }
        if line.was_refused() {
            learnt.refused += 1;
            return Ok(true);
        }
        let failed = line.rv.is_some_and(|rv| rv.number != 0);
        learnt.uses.entry((call.act, mechanism)).or_default().add(&call, made, failed);
        Ok(true)
    })?;
    if learnt.uses.is_empty() {
        let text = "nothing to learn from: no call with a mechanism went through; let the applications run under \
                    mode = \"observe\" first, or name their events";
        return Err(Failure::Refused(text.into()));
    }
    print(&text::policy(&learnt))?;
    Ok(ExitCode::SUCCESS)
}

/// Whether the standard gives the mechanism this operation; of a vendor's mechanism nothing is known against it.
fn is_sensible(act: Act, number: u64) -> bool {
    mechanism::by_number(number)
        .is_none_or(|known| act.operation().is_some_and(|operation| known.operations.contains(operation)))
}
