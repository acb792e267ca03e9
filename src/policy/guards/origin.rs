// SPDX-License-Identifier: Apache-2.0
//! Where a key value comes from and what comes of it: refuses power to values that an outsider may have
//! chosen, and copies in any form that are less protected than their origin (Delaune, Kremer, Steel 2008).

use event::record::Flags;
use event::value::object_class::*;

use super::{no, readable, yes};
use crate::act::Act;
use crate::facts::{Facts, Object};

/// `foreign-keys`. A public key that an administrator marked as trusted has been looked at: it may wrap.
pub(super) fn foreign(facts: &Facts<'_>) -> bool {
    let asks_to_wrap = yes(&facts.template, Flags::WRAP);
    let asks_to_decrypt = yes(&facts.template, Flags::DECRYPT) && secret(&facts.template);
    match facts.act {
        Act::Import => asks_to_wrap || asks_to_decrypt,
        // Whoever has the public key can make what is unwrapped here.
        Act::Unwrap => asks_to_wrap || asks_to_decrypt && facts.key.class == Some(CKO_PRIVATE_KEY),
        // The other side of a key agreement knows what it gave.
        Act::Derive | Act::Encapsulate | Act::Decapsulate => {
            asks_to_wrap && matches!(facts.key.class, Some(CKO_PUBLIC_KEY | CKO_PRIVATE_KEY))
        }
        Act::Wrap => {
            let local = facts.memory.generated || !no(&facts.key, Flags::LOCAL);
            (!local || facts.memory.foreign) && !yes(&facts.key, Flags::TRUSTED)
        }
        Act::Decrypt => facts.memory.foreign && facts.key.class == Some(CKO_SECRET_KEY),
        _ => false,
    }
}

/// `no-weaker-copies`. What a template leaves out may become readable: PKCS#11 makes unwrapped keys
/// extractable unless told (C_UnwrapKey), and SoftHSM 2.6.1 makes keys that are not sensitive unless told.
pub(super) fn weaker(facts: &Facts<'_>) -> bool {
    let (base, made) = (&facts.key, &facts.template);
    if !matches!(made.class, Some(CKO_SECRET_KEY | CKO_PRIVATE_KEY) | None) {
        return false;
    }
    if facts.act == Act::Unwrap {
        return !(yes(made, Flags::SENSITIVE) && no(made, Flags::EXTRACTABLE));
    }
    let unprotected = !yes(made, Flags::SENSITIVE) && !no(made, Flags::EXTRACTABLE);
    no(made, Flags::SENSITIVE) && !no(base, Flags::SENSITIVE)
        || yes(made, Flags::EXTRACTABLE) && !yes(base, Flags::EXTRACTABLE)
        || unprotected && !readable(base)
}

fn secret(object: &Object<'_>) -> bool {
    object.class == Some(CKO_SECRET_KEY)
}
