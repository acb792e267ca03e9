// SPDX-License-Identifier: Apache-2.0
//! What a frame becomes in the log: a call, a notice, or the word that it was neither. Each number of a lane is
//! entered once.

use std::fmt;

use event::record::{Call, Header};
use event::wire::Malformed;
use serde_json::Map;

use super::account::Account;
use super::forms::Known;
use super::lanes::Lane;
use super::operations::Operations;
use crate::clock::Reading;
use crate::log::Log;
use crate::render::{Hex, Moment};
use crate::stream::Stream;

/// Makes an event of a frame, as it was read.
pub(super) fn take(
    number: u16,
    read: Result<(Header, &Known), Malformed>,
    stream: &Stream,
    account: &mut Account,
    operations: &mut Operations,
    reading: Reading,
    log: &mut Log,
) {
    let lane = account.lane(number);
    let wrong = match read {
        Ok((header, known)) => {
            if lane.seen.insert(header.sequence) {
                lane.again = None;
                lane.stored += 1;
                let moment = Moment {
                    index: 0,
                    lane: number,
                    sequence: header.sequence,
                    time_ns: reading.utc(header.start),
                    duration_ns: reading.span(header.start, header.end),
                    operation: header.operation,
                };
                log.call(&known.form, moment);
                known.begin(&header, operations);
                return operations.end(&header);
            }
            if lane.again.is_some() {
                // It was durable when the last collector ended, only not acknowledged.
                return known.begin(&header, operations);
            }
            Wrong::Repeated(header.sequence)
        }
        Err(malformed) => Wrong::Malformed(malformed),
    };
    no_record(number, &wrong, stream, lane, log);
}

/// Makes an event of what a library says of itself.
pub(super) fn take_notice(
    number: u16,
    read: Result<Call, Malformed>,
    stream: &Stream,
    lane: &mut Lane,
    log: &mut Log,
) {
    let wrong = match read {
        Ok(Call { header, policy, notice: Some(notice), .. }) => {
            if lane.seen.insert(header.sequence) {
                lane.again = None;
                lane.stored += 1;
                let mut fields = Map::new();
                fields.insert("lane".into(), number.into());
                fields.insert("sequence".into(), header.sequence.into());
                if let Some(policy) = policy {
                    fields.insert("policy".into(), Hex(&policy.hash).to_string().into());
                    fields.insert("policy_revision".into(), policy.revision.into());
                    fields.insert("policy_name".into(), String::from_utf8_lossy(&policy.name.bytes).into());
                }
                if !notice.text.is_empty() {
                    fields.insert("error".into(), String::from_utf8_lossy(&notice.text).into());
                }
                return log.control(notice.what.name(), &fields, Some(stream));
            }
            if lane.again.is_some() {
                return;
            }
            Wrong::Repeated(header.sequence)
        }
        // A newer library says something that this program has no name for.
        Ok(Call { header, .. }) => {
            lane.stored += u64::from(lane.seen.insert(header.sequence));
            return;
        }
        Err(malformed) => Wrong::Malformed(malformed),
    };
    no_record(number, &wrong, stream, lane, log);
}

/// Why a frame is no event.
enum Wrong {
    Malformed(Malformed),
    /// Its number came before.
    Repeated(u64),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wrong::Malformed(malformed) => malformed.fmt(f),
            Wrong::Repeated(sequence) => write!(f, "the sequence number {sequence} came before"),
        }
    }
}

/// Counts a frame that is no record, and says so.
fn no_record(number: u16, error: &Wrong, stream: &Stream, lane: &mut Lane, log: &mut Log) {
    if let (Wrong::Malformed(_), Some(again)) =
        (error, lane.again.as_mut().filter(|again| again.malformed > 0))
    {
        again.malformed -= 1;
        return;
    }
    lane.malformed += 1;
    let mut fields = Map::new();
    fields.insert("lane".into(), number.into());
    fields.insert("error".into(), error.to_string().into());
    log.control("frame.malformed", &fields, Some(stream));
}
