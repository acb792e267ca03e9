// SPDX-License-Identifier: Apache-2.0
//! Time as cheaply as it can be read, and the arithmetic that turns it back into UTC elsewhere.
//!
//! The TSC is read only where the kernel itself keeps time by it: then it is constant, runs through idle states and
//! agrees between processors. Ticks mean nothing outside; triples tie them to clocks that do.

use std::fs::File;
use std::io::Read;

/// What ticks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The processor's time-stamp counter.
    Tsc,
    /// `CLOCK_MONOTONIC` in nanoseconds.
    Monotonic,
}

/// One moment on three clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Triple {
    /// The ring's [`Clock`].
    pub ticks: u64,
    /// `CLOCK_MONOTONIC` in nanoseconds.
    pub monotonic: u64,
    /// Nanoseconds since 1970 in UTC.
    pub utc: u64,
}

/// How long ticks last: so many nanoseconds for so many ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds that passed.
    pub nanoseconds: u64,
    /// Ticks that passed in them; 0 counts as 1.
    pub ticks: u64,
}

impl Clock {
    /// The cheapest clock that can be trusted here. Reads one file of /sys and, if that names the TSC, asks whether
    /// this process may read it.
    #[must_use]
    pub fn detect() -> Clock {
        if cfg!(target_arch = "x86_64") && kernel_uses_tsc() && tsc_is_permitted() {
            Clock::Tsc
        } else {
            Clock::Monotonic
        }
    }

    /// Ticks now.
    #[inline]
    #[must_use]
    pub fn now(self) -> u64 {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: RDTSC is part of x86_64; `detect` has asked whether the process may use it.
            Clock::Tsc => unsafe { core::arch::x86_64::_rdtsc() },
            #[cfg(not(target_arch = "x86_64"))]
            Clock::Tsc => nanoseconds(libc::CLOCK_MONOTONIC),
            Clock::Monotonic => nanoseconds(libc::CLOCK_MONOTONIC),
        }
    }

    pub(crate) const fn to_word(self) -> u64 {
        match self {
            Clock::Tsc => 1,
            Clock::Monotonic => 2,
        }
    }

    pub(crate) const fn from_word(word: u64) -> Option<Clock> {
        match word {
            1 => Some(Clock::Tsc),
            2 => Some(Clock::Monotonic),
            _ => None,
        }
    }
}

impl Triple {
    /// All three clocks now, as close together as a few tries get them.
    #[must_use]
    pub fn now(clock: Clock) -> Triple {
        let mut best = (u64::MAX, Triple::default());
        for _ in 0..4 {
            let before = clock.now();
            let monotonic = nanoseconds(libc::CLOCK_MONOTONIC);
            let utc = nanoseconds(libc::CLOCK_REALTIME);
            let spread = clock.now().wrapping_sub(before);
            if spread < best.0 {
                best = (spread, Triple { ticks: before.wrapping_add(spread / 2), monotonic, utc });
            }
        }
        best.1
    }

    /// UTC nanoseconds at `ticks`, counted from this triple; saturates at both ends of `u64`.
    #[must_use]
    pub fn utc_at(&self, ticks: u64, rate: Rate) -> u64 {
        if ticks >= self.ticks {
            self.utc.saturating_add(rate.convert(ticks - self.ticks))
        } else {
            self.utc.saturating_sub(rate.convert(self.ticks - ticks))
        }
    }
}

impl Rate {
    /// The rate of [`Clock::Monotonic`].
    pub const NANOSECONDS: Rate = Rate { nanoseconds: 1, ticks: 1 };

    /// The rate between two triples; `None` if no tick or no time passed between them.
    #[must_use]
    pub fn between(first: &Triple, latest: &Triple) -> Option<Rate> {
        let ticks = latest.ticks.checked_sub(first.ticks)?;
        let nanoseconds = latest.monotonic.checked_sub(first.monotonic)?;
        (ticks != 0 && nanoseconds != 0).then_some(Rate { nanoseconds, ticks })
    }

    /// A span of ticks in nanoseconds, rounded down; saturates.
    #[must_use]
    pub fn convert(self, ticks: u64) -> u64 {
        // 64 bits by 64 bits: exact in 128, so that nothing drifts however long the span is.
        let product = u128::from(ticks) * u128::from(self.nanoseconds);
        u64::try_from(product / u128::from(self.ticks.max(1))).unwrap_or(u64::MAX)
    }
}

/// UTC nanoseconds at `ticks`, by the rate between the two triples, or by `otherwise` where they have none.
/// Counted from the latest triple, so that a step of the system's clock moves no event recorded after it.
#[must_use]
pub fn utc(ticks: u64, first: &Triple, latest: &Triple, otherwise: Rate) -> u64 {
    latest.utc_at(ticks, Rate::between(first, latest).unwrap_or(otherwise))
}

fn nanoseconds(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec. Both clocks exist on every kernel, so it stays zero in no case.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    let (seconds, rest) = (u64::try_from(time.tv_sec).unwrap_or(0), u64::try_from(time.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

fn kernel_uses_tsc() -> bool {
    let mut name = [0; 16];
    File::open("/sys/devices/system/clocksource/clocksource0/current_clocksource")
        .and_then(|mut file| file.read(&mut name))
        .is_ok_and(|length| name[..length].trim_ascii_end() == b"tsc")
}

#[cfg(target_arch = "x86_64")]
fn tsc_is_permitted() -> bool {
    let mut mode: libc::c_int = 0;
    // SAFETY: PR_GET_TSC writes one int, which outlives the call.
    let answer = unsafe { libc::prctl(libc::PR_GET_TSC, &raw mut mode) };
    answer == 0 && mode == libc::PR_TSC_ENABLE
}

#[cfg(not(target_arch = "x86_64"))]
fn tsc_is_permitted() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const GHZ3: Rate = Rate { nanoseconds: 1, ticks: 3 };

    fn triple(ticks: u64, monotonic: u64, utc: u64) -> Triple {
        Triple { ticks, monotonic, utc }
    }

    #[test]
    fn ten_years_of_ticks_convert_to_the_nanosecond() {
        let years = 315_360_000_000_000_000;
        let (first, latest) = (triple(7, 11, 1_000), triple(7 + 3 * years, 11 + years, 1_000 + years));
        for nanosecond in [0, 1, years / 3, years - 1, years, years + 1_000_000] {
            assert_eq!(utc(7 + 3 * nanosecond, &first, &latest, Rate::NANOSECONDS), 1_000 + nanosecond);
        }
    }

    #[test]
    fn equal_triples_use_the_given_rate() {
        let only = triple(3_000, 500, 10_000);
        assert_eq!(utc(6_000, &only, &only, GHZ3), 11_000);
        assert_eq!(utc(0, &only, &only, GHZ3), 9_000);
    }

    #[test]
    fn hostile_triples_saturate() {
        let values = [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX];
        for ticks in values {
            for a in values {
                for b in values {
                    let (first, latest) = (triple(a, b, a), triple(b, a, b));
                    let _ = utc(ticks, &first, &latest, Rate { nanoseconds: a, ticks: 0 });
                }
            }
        }
        assert_eq!(Rate { nanoseconds: u64::MAX, ticks: 0 }.convert(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_step_of_the_system_clock_does_not_bend_the_rate() {
        let (first, latest) = (triple(0, 0, 5_000), triple(3_000, 1_000, 9_000_000));
        assert_eq!(utc(3_300, &first, &latest, Rate::NANOSECONDS), 9_000_100);
    }

    #[test]
    fn the_detected_clock_runs_forward_and_agrees_with_the_system() {
        let clock = Clock::detect();
        let first = Triple::now(clock);
        let mut latest = Triple::now(clock);
        while latest.monotonic - first.monotonic < 2_000_000 {
            latest = Triple::now(clock);
        }
        assert!(latest.ticks > first.ticks);
        let rate = Rate::between(&first, &latest).unwrap();
        assert_eq!(rate.convert(latest.ticks - first.ticks), latest.monotonic - first.monotonic);
        assert_eq!(Clock::from_word(clock.to_word()), Some(clock));
    }
}
