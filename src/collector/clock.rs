// SPDX-License-Identifier: Apache-2.0
//! Ticks of a ring as UTC and nanoseconds. A stream's own word about time counts only where nothing better is to be
//! had; a span is always a difference of ticks, so no step of the system's clock can turn one negative.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::{Clock, Header, Rate, Triple};
use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since 1970 in UTC, now.
pub(crate) fn utc_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// `CLOCK_MONOTONIC` in nanoseconds, now.
pub(crate) fn monotonic_now() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// A clock of the system in nanoseconds, now.
pub(crate) fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// The boot id of this host, zero where /proc is not to be had.
pub(crate) fn boot_id() -> [u8; 16] {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
}

/// The clocks of this host: since when they are watched, and as last looked at.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) boot: [u8; 16],
    clock: Clock,
    first: Triple,
    latest: Triple,
}

impl Host {
    /// Looks at the clocks long enough for a first idea of how long a tick is.
    pub(crate) fn watch() -> Host {
        let clock = Clock::detect();
        let first = Triple::now(clock);
        std::thread::sleep(Duration::from_millis(2));
        Host { boot: boot_id(), clock, first, latest: Triple::now(clock) }
    }

    /// Looks again.
    pub(crate) fn look(&mut self) {
        self.latest = Triple::now(self.clock);
    }

    /// How to read the ticks of the ring with this header.
    pub(crate) fn reading(&self, header: &Header) -> Reading {
        let own = Rate::between(&self.first, &self.latest).unwrap_or(Rate::NANOSECONDS);
        let own = if self.clock == Clock::Monotonic { Rate::NANOSECONDS } else { own };
        if header.clock == Clock::Monotonic && header.boot == self.boot {
            // Its ticks are this host's CLOCK_MONOTONIC, whatever ours are.
            let anchor = Triple { ticks: self.latest.monotonic, ..self.latest };
            return Reading { anchor, rate: Rate::NANOSECONDS };
        }
        if header.clock == self.clock && header.boot == self.boot {
            // Its first triple lies further back than ours, so it tells the rate better, unless it lies.
            let long = Rate::between(&header.first, &self.latest).filter(|rate| agree(*rate, own));
            return Reading { anchor: self.latest, rate: long.unwrap_or(own) };
        }
        let otherwise = if header.clock == Clock::Monotonic { Rate::NANOSECONDS } else { own };
        Reading {
            anchor: header.latest,
            rate: Rate::between(&header.first, &header.latest).unwrap_or(otherwise),
        }
    }
}

/// Within a thousandth: more than two clocks of one host differ, less than a lie would be worth.
fn agree(a: Rate, b: Rate) -> bool {
    const SPAN: u64 = 1 << 40;
    let (a, b) = (a.convert(SPAN), b.convert(SPAN));
    a.abs_diff(b) <= b / 1000
}

/// How to read the ticks of one ring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    anchor: Triple,
    rate: Rate,
}

impl Reading {
    /// UTC nanoseconds at `ticks`.
    pub(crate) fn utc(&self, ticks: u64) -> u64 {
        self.anchor.utc_at(ticks, self.rate)
    }

    /// The nanoseconds from `start` to `end`; 0 where a stream claims to have ended before it started.
    pub(crate) fn span(&self, start: u64, end: u64) -> u64 {
        self.rate.convert(end.saturating_sub(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_this_host_read_as_the_time_they_were_taken() {
        let host = Host::watch();
        let producer = crate::rig::producer(ring::Backing::Memfd);
        let ring = crate::rig::consumer(&producer);
        let before = utc_now();
        let ticks = host.clock.now();
        let after = utc_now();
        let read = host.reading(ring.header()).utc(ticks);
        // The clock may be stepped or slewed between the readings, by far less than this.
        assert!(read + 50_000_000 > before && read < after + 50_000_000, "{before} {read} {after}");
    }

    #[test]
    fn a_span_is_never_negative() {
        let reading = Reading { anchor: Triple::default(), rate: Rate { nanoseconds: 1, ticks: 3 } };
        assert_eq!((reading.span(300, 600), reading.span(600, 300)), (100, 0));
    }

    #[test]
    fn a_rate_that_lies_is_not_believed() {
        let rate = |ticks| Rate { nanoseconds: 1_000_000, ticks };
        assert!(agree(rate(3_000_000), rate(3_000_100)));
        assert!(!agree(rate(3_000_000), rate(4_000_000)) && !agree(rate(1), rate(3_000_000)));
    }
}
