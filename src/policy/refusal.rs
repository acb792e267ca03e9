// SPDX-License-Identifier: Apache-2.0
//! What a refused call returns: the return value that says what was wrong with it, chosen by the rule or by what the
//! call does. For what may not be seen no rule chooses: it is as if it did not exist.

use event::value::rv::*;

use crate::act::Act;

/// The words for return values in a rule.
pub(crate) const WORDS: [(&str, u64); 10] = [
    ("mechanism", CKR_MECHANISM_INVALID),
    ("parameter", CKR_MECHANISM_PARAM_INVALID),
    ("key-size", CKR_KEY_SIZE_RANGE),
    ("key-function", CKR_KEY_FUNCTION_NOT_PERMITTED),
    ("template", CKR_TEMPLATE_INCONSISTENT),
    ("attribute", CKR_ATTRIBUTE_VALUE_INVALID),
    ("domain", CKR_DOMAIN_PARAMS_INVALID),
    ("prohibited", CKR_ACTION_PROHIBITED),
    ("user-type", CKR_USER_TYPE_INVALID),
    ("function", CKR_FUNCTION_REJECTED),
];

/// The return value where the rule names none.
pub(crate) fn usual(act: Act) -> u64 {
    match act {
        Act::Import | Act::Copy => CKR_TEMPLATE_INCONSISTENT,
        Act::Modify | Act::Destroy => CKR_ACTION_PROHIBITED,
        Act::Read => CKR_ATTRIBUTE_SENSITIVE,
        Act::DigestKey => CKR_KEY_INDIGESTIBLE,
        Act::Login => CKR_USER_TYPE_INVALID,
        // Of an object; for the handles that have a code of their own the library knows which one it was.
        Act::See => CKR_OBJECT_HANDLE_INVALID,
        Act::SeeToken => CKR_SLOT_ID_INVALID,
        Act::Find | Act::Administer | Act::State | Act::Open | Act::SignData | Act::EncryptMessage => {
            CKR_FUNCTION_REJECTED
        }
        _ => CKR_MECHANISM_INVALID,
    }
}
