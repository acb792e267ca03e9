// SPDX-License-Identifier: Apache-2.0
//! What a call adds to the memory of the guards: before it is judged it is told what came of earlier calls, and once
//! the vendor has done it, what it made or used is remembered.
#![allow(unsafe_code)]

use cryptoki_sys::*;
use event::Active;
use event::mechanism::Operation;
use policy::{Act, Facts, Origin};
use std::ffi::c_void;

use super::{Call, derivation, read};
use crate::memory::{Making, Memory, Value};
use crate::recorder::Recorder;

/// Longer nonces than this are not those of any standard mechanism.
const LONGEST_NONCE: usize = 256;
/// Of longer wrapped keys only the beginning tells them apart.
const LONGEST_WRAPPED: usize = 16384;

/// What is remembered of a call under way.
#[derive(Clone, Copy, Default)]
pub(super) struct Remembered {
    /// The objects that are named, in argument order.
    pub(super) handles: [CK_OBJECT_HANDLE; 2],
    /// The nonce that it would encrypt with, hashed.
    nonce: Option<u64>,
    /// Where the wrapped key lies that it would unwrap, or the ciphertext that it would decapsulate.
    wrapped: Option<(*const CK_BYTE, CK_ULONG)>,
    /// The value that new objects will have, and what their templates ask for.
    making: Option<(Making, u32)>,
}

impl Remembered {
    fn wrapped(&self) -> Option<&[u8]> {
        // SAFETY: the caller's wrapped key or ciphertext as PKCS#11 demands it.
        self.wrapped.map(|(pointer, length)| unsafe { read::bytes(pointer, length, LONGEST_WRAPPED) })
    }
}

impl Call<'_> {
    /// Notes an object that the call names, the `number`th.
    #[inline]
    pub(super) fn names(&mut self, number: usize, handle: CK_OBJECT_HANDLE) {
        let policy = &self.policy.policy;
        if self.asked.is_some() && (policy.remembers() || policy.counts_calls()) {
            let remembered = self.remembers.get_or_insert_default();
            if let Some(place) = remembered.handles.get_mut(number) {
                *place = handle;
            }
        }
    }

    /// The wrapped key that a call unwraps, or the ciphertext that it decapsulates.
    #[inline]
    pub(crate) fn wrapped(&mut self, pointer: *mut CK_BYTE, length: CK_ULONG) {
        self.header.bytes_in = Some(length);
        if self.asked.is_some() && self.policy.policy.remembers() {
            self.remembers.get_or_insert_default().wrapped = Some((pointer, length));
        }
    }

    /// Tells what came of earlier calls.
    #[inline]
    pub(super) fn recall(&mut self, asked: &mut Facts<'_>) {
        if self.policy.policy.remembers() {
            self.recall_all(asked);
        }
    }

    #[cold]
    fn recall_all(&mut self, asked: &mut Facts<'_>) {
        let Some((memory, session)) = self.recorder.map(Recorder::memory).zip(self.session.as_ref()) else {
            return;
        };
        let mut remembered = self.remembers.unwrap_or_default();
        let place = (session.slot, remembered.handles[0]);
        if asked.key.present {
            let (value, origin) = memory.of(place, asked.key.flags);
            asked.memory.key_uses = value.uses;
            (asked.memory.foreign, asked.memory.generated) = (value.foreign, value.generated);
            asked.memory.origin = origin;
        }
        let making = match asked.act {
            Act::Copy => Some(memory.same(place, Origin::Copied)),
            Act::Import => Some(memory.fresh(Value { foreign: true, ..Value::default() }, Origin::Imported)),
            Act::Generate | Act::GenerateKeyPair => {
                Some(memory.fresh(Value { generated: true, ..Value::default() }, Origin::Generated))
            }
            Act::Derive => Some(self.derives(memory, place, asked)),
            Act::Encapsulate => Some(memory.fresh(Value::default(), Origin::Encapsulated)),
            Act::Decapsulate => remembered.wrapped().map(|text| memory.decapsulated(place, text)),
            Act::Unwrap => remembered.wrapped().map(|wrapped| {
                let foreign = asked.key.class == Some(CKO_PRIVATE_KEY);
                memory.unwrapped(wrapped, Value { foreign, ..Value::default() })
            }),
            _ => None,
        };
        if let Some(making) = making {
            let value = memory.of_making(making);
            asked.memory.value_uses = value.uses;
            let flags = asked.template.flags.set | asked.private_template.flags.set;
            remembered.making = Some((making, flags));
        }
        if asked.act.operation() == Some(Operation::Encrypt) {
            remembered.nonce = self.nonce(memory, place);
        }
        asked.memory.nonce_repeats = remembered.nonce.is_some_and(|nonce| memory.repeats(nonce));
        self.remembers = Some(remembered);
    }

    /// The value that a derivation gives.
    fn derives(&self, memory: &Memory, base: (u64, u64), asked: &Facts<'_>) -> Making {
        if asked.mechanism == Some(CKM_PUB_KEY_FROM_PRIV_KEY) {
            return memory.same(base, Origin::Derived);
        }
        // Who knows a secret key knows what comes of it; of a key agreement he knows one side.
        let foreign = asked.memory.foreign && asked.key.class == Some(CKO_SECRET_KEY);
        let value = Value { foreign, ..Value::default() };
        let value_of = |handle| memory.number((base.0, handle));
        let spelled = self.mechanism.as_ref().and_then(|mechanism| {
            // SAFETY: the caller's parameter as PKCS#11 demands it for the mechanism.
            unsafe { derivation::spell(mechanism, &value_of) }
        });
        match spelled {
            Some(spelled) => memory.derived(base, &spelled, value),
            None => memory.fresh(value, Origin::Derived),
        }
    }

    /// The nonce in the caller's mechanism, where it has one that must not come twice.
    fn nonce(&self, memory: &Memory, place: (u64, u64)) -> Option<u64> {
        let mechanism = self.mechanism?;
        let (pointer, length) = (mechanism.pParameter, mechanism.ulParameterLen);
        // SAFETY: the caller's parameter as PKCS#11 demands it for the mechanism, of the length that it says.
        let nonce = unsafe {
            match mechanism.mechanism {
                CKM_AES_GCM => read::structure::<CK_GCM_PARAMS>(pointer, length)
                    .map(|gcm| read::bytes(gcm.pIv, gcm.ulIvLen, LONGEST_NONCE)),
                CKM_AES_CCM => read::structure::<CK_CCM_PARAMS>(pointer, length)
                    .map(|ccm| read::bytes(ccm.pNonce, ccm.ulNonceLen, LONGEST_NONCE)),
                CKM_AES_CTR => {
                    let whole = length == size_of::<CK_AES_CTR_PARAMS>() as CK_ULONG;
                    whole.then(|| read::bytes(pointer.cast(), length, LONGEST_NONCE))
                }
                CKM_CHACHA20_POLY1305 | CKM_SALSA20_POLY1305 => {
                    read::structure::<CK_SALSA20_CHACHA20_POLY1305_PARAMS>(pointer, length)
                        .map(|aead| read::bytes(aead.pNonce, aead.ulNonceLen, LONGEST_NONCE))
                }
                _ => None,
            }
        };
        nonce.filter(|nonce| !nonce.is_empty()).map(|nonce| memory.nonce(place, nonce))
    }

    /// A message that is about to be encrypted with an IV of the caller's.
    pub(super) fn message_nonce(&mut self, active: Active, parameter: *mut c_void, length: CK_ULONG) {
        let Some((recorder, session)) = self.recorder.zip(self.session.as_ref()) else { return };
        let (mechanism, key) = recorder.facts().started(session, active);
        // SAFETY: the caller's parameter as PKCS#11 demands it for messages of the mechanism, of the length that it says.
        let nonce = unsafe {
            match mechanism {
                CKM_AES_GCM => read::structure::<CK_GCM_MESSAGE_PARAMS>(parameter, length)
                    .filter(|gcm| gcm.ivGenerator == CKG_NO_GENERATE)
                    .map(|gcm| read::bytes(gcm.pIv, gcm.ulIvLen, LONGEST_NONCE)),
                CKM_AES_CCM => read::structure::<CK_CCM_MESSAGE_PARAMS>(parameter, length)
                    .filter(|ccm| ccm.nonceGenerator == CKG_NO_GENERATE)
                    .map(|ccm| read::bytes(ccm.pNonce, ccm.ulNonceLen, LONGEST_NONCE)),
                CKM_CHACHA20_POLY1305 | CKM_SALSA20_POLY1305 => {
                    read::structure::<CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS>(parameter, length)
                        .map(|aead| read::bytes(aead.pNonce, aead.ulNonceLen, LONGEST_NONCE))
                }
                _ => None,
            }
        };
        let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty()) else { return };
        let nonce = recorder.memory().nonce((session.slot, key), nonce);
        self.remembers.get_or_insert_default().nonce = Some(nonce);
        self.ask(Act::EncryptMessage, Some(mechanism));
    }

    /// Remembers what a key looks like when it is wrapped or encapsulated.
    pub(crate) fn wraps(&mut self, wrapped: *mut CK_BYTE, length: *mut CK_ULONG) {
        let Some(Remembered { handles: [by, key], making, .. }) = self.remembers else { return };
        let Some((recorder, session)) = self.recorder.zip(self.session.as_ref()) else { return };
        if self.header.rv == CKR_OK && !self.header.size_query && !length.is_null() {
            // SAFETY: the vendor has just written both.
            let wrapped = unsafe { read::bytes(wrapped, length.read_unaligned(), LONGEST_WRAPPED) };
            match making {
                Some((making, _)) => recorder.memory().encapsulated((session.slot, by), wrapped, making),
                None => recorder.memory().wraps((session.slot, key), wrapped),
            }
        }
    }

    /// Remembers an object that the call made.
    pub(super) fn remember_made(&mut self, handle: CK_OBJECT_HANDLE) {
        let Some(Remembered { making: Some((making, flags)), .. }) = self.remembers else { return };
        if let Some((recorder, session)) = self.recorder.zip(self.session.as_ref()) {
            recorder.memory().made(making, (session.slot, handle), flags);
        }
    }

    /// Forgets objects that are gone, or whose handles may come back.
    pub(super) fn forget(&self, which: impl Fn((u64, u64)) -> bool) {
        if let Some(recorder) = self.recorder.filter(|_| self.policy.policy.remembers()) {
            recorder.memory().gone(which);
        }
    }

    /// Remembers a nonce that the call has taken into use.
    pub(super) fn remember_nonce(&mut self) {
        let Some(Remembered { nonce: Some(nonce), .. }) = self.remembers else { return };
        if let Some(recorder) = self.recorder {
            recorder.memory().uses(nonce);
        }
    }
}
