// SPDX-License-Identifier: Apache-2.0
//! Tells whether this process is still the one that made a ring, at the price of one load.
//!
//! A page with `MADV_WIPEONFORK` sees `fork` and a raw `clone`, which `pthread_atfork` does not, and rightly ignores
//! `vfork`, whose child shares the parent's memory.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::system;

/// One process in a line of forks: a word that reads zero in every child.
#[derive(Clone, Copy, Debug)]
pub struct Generation {
    word: &'static AtomicU64,
    number: u64,
}

impl Generation {
    /// The process that loaded the library: number 1.
    ///
    /// # Errors
    /// [`Error::System`] if the page cannot be had.
    pub fn first() -> Result<Generation, Error> {
        Generation::numbered(1)
    }

    /// The generation after this one, for the child that finds this one no longer intact. Takes one page.
    ///
    /// # Errors
    /// [`Error::System`] if the page cannot be had.
    pub fn next(&self) -> Result<Generation, Error> {
        Generation::numbered(self.number.saturating_add(1))
    }

    /// Whether no fork lies between making this generation and now. In a child it is false for good.
    #[inline]
    #[must_use]
    pub fn intact(&self) -> bool {
        // Relaxed: only the kernel ever changes the word, and only between two processes.
        self.word.load(Ordering::Relaxed) != 0
    }

    /// 1 in the process that loaded the library, one more in each child's generation.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    fn numbered(number: u64) -> Result<Generation, Error> {
        let page = system::page_wiped_on_fork()?;
        // SAFETY: the page is ours, zeroed, aligned and never unmapped, and is only ever used as this word.
        let word = unsafe { page.cast::<AtomicU64>().as_ref() };
        word.store(number, Ordering::Relaxed);
        Ok(Generation { word, number })
    }
}
