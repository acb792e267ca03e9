// SPDX-License-Identifier: Apache-2.0
//! Why a record did not reach the ring, and the counters that keep every such loss on the books.

use std::fmt;

/// Counter slots in a lane's control block; more than there are reasons, so that a reason can be added without
/// a new layout and an older collector still counts it in the total.
pub(crate) const LOSS_SLOTS: usize = 8;

/// The one list of reasons: `Name "name in events" "explanation"`. Positions are wire numbers: append only.
macro_rules! losses {
    ($($reason:ident $name:literal $text:literal)*) => {
        /// Why a record was lost. Each reason has a counter of its own in every lane.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Loss {
            $(#[doc = $text] $reason,)*
        }

        impl Loss {
            /// Every reason, in the order of the counters.
            pub const ALL: &'static [Loss] = &[$(Loss::$reason),*];

            /// The reason's name in events and reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Loss::$reason => $name,)*
                }
            }
        }

        impl fmt::Display for Loss {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Loss::$reason => $text,)*
                })
            }
        }
    };
}

losses! {
    RingFull "ring_full" "the lane had no room: the collector is behind or gone"
    Oversize "oversize" "the frame was longer than a frame may be"
    NoMemory "no_memory" "the record could not be built for want of memory"
    NoCollector "no_collector" "no collector was there and no spool to write to"
    Internal "internal" "the recorder itself failed"
    Sampled "sampled" "the configuration asked for a sample only"
}

const _: () = assert!(Loss::ALL.len() <= LOSS_SLOTS);

/// One lane's books. At rest `attempted == published + lost_in_all()`; the difference is calls under way, or, once
/// the process is dead, calls that died under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sequence numbers given out; also the highest one.
    pub attempted: u64,
    /// Frames committed.
    pub published: u64,
    /// Records lost, one slot for each reason of [`Loss::ALL`]; slots beyond it belong to newer producers.
    pub lost: [u64; LOSS_SLOTS],
}

impl Counters {
    /// Records lost for one reason.
    #[must_use]
    pub const fn lost_for(&self, reason: Loss) -> u64 {
        self.lost[reason as usize]
    }

    /// Records lost for any reason, unknown ones included.
    #[must_use]
    pub fn lost_in_all(&self) -> u64 {
        // A hostile producer may have written anything here; a sum must not be what stops the collector.
        self.lost.iter().fold(0, |sum, &lost| sum.saturating_add(lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_fit_a_metric_label() {
        for (index, reason) in Loss::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
            assert!(reason.name().bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()));
            assert!(Loss::ALL[..index].iter().all(|other| other.name() != reason.name()));
        }
    }

    #[test]
    fn a_hostile_sum_saturates() {
        let counters = Counters { lost: [u64::MAX; LOSS_SLOTS], ..Counters::default() };
        assert_eq!(counters.lost_in_all(), u64::MAX);
    }
}
