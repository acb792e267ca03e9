// SPDX-License-Identifier: Apache-2.0
//! What belongs to administrators: refuses applications the token's set-up, the marks that other guards
//! rest on, and the ways around sessions.

use event::record::Flags;
use event::value::user_type::CKU_SO;

use super::{roles, yes};
use crate::act::Act;
use crate::facts::Facts;

/// `CKF_RW_SESSION` of `C_OpenSession`.
const RW_SESSION: u64 = 2;

/// Flags that say what may become of an object.
const FATE: u32 = Flags::TRUSTED | Flags::MODIFIABLE | Flags::COPYABLE | Flags::DESTROYABLE;

/// `fixed-identity`. A name may be given once: applications that make a key first and name it then are
/// common. A session key has no identity that outlives it.
pub(super) fn identity(facts: &Facts<'_>) -> bool {
    let (key, template) = (&facts.key, &facts.template);
    let renamed = |asked: Option<&[u8]>, now: Option<&[u8]>| {
        asked.is_some_and(|asked| !matches!(now, Some(now) if now.is_empty() || now == asked))
    };
    let trusted = yes(template, Flags::TRUSTED) || yes(&facts.private_template, Flags::TRUSTED);
    match facts.act {
        Act::Modify => {
            let changed =
                template.flags.known & FATE & !(key.flags.known & !(key.flags.set ^ template.flags.set));
            changed != 0 || renamed(template.label, key.label) || renamed(template.id, key.id)
        }
        Act::Destroy => key.flags.value(Flags::TOKEN) != Some(false) && roles::wraps(key),
        _ => trusted,
    }
}

/// `no-administration`. A context-specific login is none: it confirms one use of a key.
pub(super) fn administers(facts: &Facts<'_>) -> bool {
    facts.act == Act::Administer || facts.user == Some(CKU_SO)
}

/// `operation-state`.
pub(super) fn always(_: &Facts<'_>) -> bool {
    true
}

/// `read-only`.
pub(super) fn writes(facts: &Facts<'_>) -> bool {
    facts.flags.is_some_and(|flags| flags & RW_SESSION != 0)
}
