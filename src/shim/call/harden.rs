// SPDX-License-Identifier: Apache-2.0
//! The template that goes to the vendor where the policy hardens: the caller's attributes, as they are when they are
//! copied, and behind them those of the policy's that the caller's does not name. The caller's own memory is never
//! written to, and no value is copied: the copies of attributes point to where the caller's did.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::attribute::CKA_END_DATE;
use event::record::Flags;
use event::wire::Tag;
use policy::{Additions, Facts, Verdict};
use std::mem::MaybeUninit;

use super::{Call, read};

/// A template with more attributes is not hardened: no object has so many.
const MOST: usize = 64;
/// The boolean attributes that a policy can add, and the end date; with room for more.
const MOST_ADDED: usize = 16;

/// Memory for the hardened templates of a function that makes `N` objects; none for those that make none. It is not cleared.
pub(crate) struct Templates<const N: usize> {
    rooms: [MaybeUninit<Room>; N],
    used: usize,
}

/// Memory for one.
struct Room {
    attributes: [MaybeUninit<CK_ATTRIBUTE>; MOST + MOST_ADDED],
    /// What the added attributes point to.
    no: CK_BBOOL,
    yes: CK_BBOOL,
    end: [u8; 8],
}

impl<const N: usize> Templates<N> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Templates { rooms: [const { MaybeUninit::uninit() }; N], used: 0 }
    }
}

/// What is added to the templates of a call.
#[derive(Clone, Copy)]
pub(super) struct Hardening {
    additions: [Additions; 2],
    applied: bool,
}

impl Call<'_> {
    /// Takes from the verdict what is to be added.
    #[cold]
    pub(super) fn note_hardening(&mut self, verdict: Verdict<'_>, asked: &Facts<'_>) {
        let Some((harden, applied)) = verdict.harden() else { return };
        let additions = harden.additions(asked);
        if additions.iter().all(Additions::is_empty) {
            return;
        }
        if applied && self.longest_template > MOST as CK_ULONG {
            // What goes on unhardened because it is long would be a way around the policy.
            self.refusal = Some(CKR_TEMPLATE_INCONSISTENT);
            self.frame.text(Tag::Fault, b"a template of more than 64 attributes cannot be hardened");
        }
        self.hardening = Some(Hardening { additions, applied });
    }

    /// The next template to forward: as it came, or hardened.
    #[inline]
    pub(crate) fn template_to_forward<const N: usize>(
        &mut self,
        room: &mut Templates<N>,
        pointer: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
    ) -> (*mut CK_ATTRIBUTE, CK_ULONG) {
        if N == 0 || self.hardening.is_none() {
            return (pointer, count);
        }
        let number = room.used;
        room.used += 1;
        self.harden(room.rooms.get_mut(number), number, pointer, count)
    }

    #[cold]
    #[inline(never)]
    fn harden(
        &mut self,
        room: Option<&mut MaybeUninit<Room>>,
        number: usize,
        pointer: *mut CK_ATTRIBUTE,
        count: CK_ULONG,
    ) -> (*mut CK_ATTRIBUTE, CK_ULONG) {
        let template = (pointer, count);
        let Some((room, Hardening { additions, applied })) = room.zip(self.hardening) else {
            return template;
        };
        let Some(added) = additions.get(number).filter(|added| !added.is_empty()) else { return template };
        // NULL with a count is the caller's mistake, and the vendor's to name.
        if pointer.is_null() && count != 0 {
            return template;
        }
        let Room { attributes, no, yes, end } = room.write(Room {
            attributes: [const { MaybeUninit::uninit() }; MOST + MOST_ADDED],
            no: CK_FALSE,
            yes: CK_TRUE,
            end: added.end.unwrap_or_default(),
        });
        let mut length = 0;
        let mut put = |attribute: CK_ATTRIBUTE| {
            let place = attributes.get_mut(length).map(|place| place.write(attribute));
            length += usize::from(place.is_some());
        };
        // SAFETY: the caller's template as PKCS#11 demands it.
        let own = || unsafe { read::entries(pointer, count, MOST) };
        let mut named = [0; MOST];
        for (attribute, number) in own().zip(&mut named) {
            *number = attribute.type_;
            put(attribute);
        }
        let named = &named[..own().len()];
        let mut told = [[0; 2]; MOST_ADDED];
        let mut many = 0;
        let mut add = |number: u64, value: *mut u8, bytes: usize, word: u64| {
            if named.contains(&number) || many == MOST_ADDED {
                return;
            }
            told[many] = [number, word];
            many += 1;
            put(CK_ATTRIBUTE { type_: number, pValue: value.cast(), ulValueLen: bytes as CK_ULONG });
        };
        for (bit, number, _) in Flags::ALL {
            if let Some(value) = added.flags.value(*bit) {
                let pointer = if value { &raw mut *yes } else { &raw mut *no };
                add(*number, pointer, 1, u64::from(value));
            }
        }
        if added.end.is_some() {
            let word = u64::from_le_bytes(*end);
            add(CKA_END_DATE, end.as_mut_ptr(), size_of_val(&word), word);
        }
        if many == 0 {
            return template;
        }
        let words = told[..many].as_flattened().iter().copied();
        self.frame.words(Tag::Hardened, [number as u64, u64::from(applied)], words);
        if applied { (attributes.as_mut_ptr().cast(), length as CK_ULONG) } else { template }
    }
}
