// SPDX-License-Identifier: Apache-2.0
//! One call on its way through the words of its facts: what the earlier words found out for the later ones.

use cryptoki_sys::*;
use event::Function;
use parking_lot::{Mutex, MutexGuard};

use crate::object::Template;
use crate::token::Token;
use crate::words::Kind;

static TOKEN: Mutex<Token> = Mutex::new(Token::new());

/// A call being answered. It holds the token: the module serves one call at a time.
pub(crate) struct Call {
    pub(crate) function: Function,
    pub(crate) token: MutexGuard<'static, Token>,
    pub(crate) session: CK_SESSION_HANDLE,
    pub(crate) mechanism: Option<CK_MECHANISM_TYPE>,
    /// The mechanism was NULL: end the operation of the kind that the function would start.
    pub(crate) cancel: bool,
    pub(crate) key: CK_OBJECT_HANDLE,
    pub(crate) templates: Vec<Template>,
    /// Bytes that came in.
    pub(crate) input: CK_ULONG,
    /// What a `count` word delivers, set by the function's special part.
    pub(crate) list: Vec<CK_ULONG>,
    /// The caller asked for a length only: the operation goes on and nothing is created.
    pub(crate) sized: bool,
    /// The kind of operation that the call belongs to.
    pub(crate) kind: Option<Kind>,
}

impl Call {
    /// Runs `words` as a call of `function`; their first error is the answer.
    pub(crate) fn answer(function: Function, words: impl FnOnce(&mut Call) -> Result<(), CK_RV>) -> CK_RV {
        let token = TOKEN.lock();
        let needs_token = !matches!(
            function,
            Function::C_Initialize
                | Function::C_GetFunctionList
                | Function::C_GetInterfaceList
                | Function::C_GetInterface
        );
        if needs_token && !token.initialized {
            return CKR_CRYPTOKI_NOT_INITIALIZED;
        }
        let mut call = Call {
            function,
            token,
            session: 0,
            mechanism: None,
            cancel: false,
            key: 0,
            templates: Vec::new(),
            input: 0,
            list: Vec::new(),
            sized: false,
            kind: None,
        };
        words(&mut call).err().unwrap_or(CKR_OK)
    }
}
