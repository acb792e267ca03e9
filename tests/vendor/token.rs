// SPDX-License-Identifier: Apache-2.0
//! The state behind the answers: one slot with one token, its sessions with their active operations, its objects.

use std::collections::BTreeMap;

use cryptoki_sys::*;

use crate::object::{self, Object};
use crate::words::Kind;

/// The only slot.
pub(crate) const SLOT: CK_SLOT_ID = 7;

/// The mechanisms offered, in the order of the list, each with its key sizes in bits.
pub(crate) const MECHANISMS: &[(CK_MECHANISM_TYPE, CK_ULONG, CK_ULONG)] = &[
    (CKM_RSA_PKCS_KEY_PAIR_GEN, 1024, 4096),
    (CKM_RSA_PKCS, 1024, 4096),
    (CKM_SHA256_RSA_PKCS, 1024, 4096),
    (CKM_RSA_PKCS_PSS, 1024, 4096),
    (CKM_EC_KEY_PAIR_GEN, 256, 521),
    (CKM_ECDSA, 256, 521),
    (CKM_ECDH1_DERIVE, 256, 521),
    (CKM_AES_KEY_GEN, 16, 32),
    (CKM_AES_ECB, 16, 32),
    (CKM_AES_CBC, 16, 32),
    (CKM_AES_GCM, 16, 32),
    (CKM_AES_KEY_WRAP, 16, 32),
    (CKM_DES3_CBC, 24, 24),
    (CKM_MD5, 0, 0),
    (CKM_SHA_1, 0, 0),
    (CKM_SHA256, 0, 0),
    (CKM_ML_KEM_KEY_PAIR_GEN, 512, 1024),
    (CKM_ML_KEM, 512, 1024),
    (CKM_ML_DSA, 1, 3),
    (CKM_VENDOR_DEFINED + 1, 0, 0),
];

/// Everything that a call can change.
pub(crate) struct Token {
    pub(crate) initialized: bool,
    pub(crate) user: Option<CK_USER_TYPE>,
    pub(crate) sessions: BTreeMap<CK_SESSION_HANDLE, Session>,
    pub(crate) objects: BTreeMap<CK_OBJECT_HANDLE, Object>,
    next: CK_ULONG,
}

/// A session and what it is in the middle of.
pub(crate) struct Session {
    pub(crate) flags: CK_FLAGS,
    active: [Option<Operation>; Kind::ACTIVE],
}

/// An active operation.
#[derive(Clone, Default)]
pub(crate) struct Operation {
    pub(crate) mechanism: CK_MECHANISM_TYPE,
    pub(crate) input: CK_ULONG,
    /// What a search still has to hand out.
    pub(crate) found: Vec<CK_OBJECT_HANDLE>,
}

impl Token {
    /// Before `C_Initialize`.
    pub(crate) const fn new() -> Token {
        Token { initialized: false, user: None, sessions: BTreeMap::new(), objects: BTreeMap::new(), next: 0 }
    }

    /// As `C_Initialize` leaves it: the built-in objects, no session.
    pub(crate) fn start(&mut self) {
        *self = Token { initialized: true, objects: object::built_in(), next: 100, ..Token::new() };
    }

    /// A handle that was never given out since `C_Initialize`.
    pub(crate) fn fresh(&mut self) -> CK_ULONG {
        self.next += 1;
        self.next
    }

    /// The session `handle`.
    pub(crate) fn session(&mut self, handle: CK_SESSION_HANDLE) -> Result<&mut Session, CK_RV> {
        self.sessions.get_mut(&handle).ok_or(CKR_SESSION_HANDLE_INVALID)
    }
}

impl Session {
    /// A session without operations.
    pub(crate) fn new(flags: CK_FLAGS) -> Session {
        Session { flags, active: [const { None }; Kind::ACTIVE] }
    }

    /// The operation of this kind, if one is active.
    pub(crate) fn active(&mut self, kind: Kind) -> &mut Option<Operation> {
        &mut self.active[kind as usize]
    }
}
