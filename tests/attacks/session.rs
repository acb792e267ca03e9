// SPDX-License-Identifier: Apache-2.0
//! A session with a token by the functions of its table: one method per call, which hands back what came out
//! or which function said what. It decides nothing and hides no return value.

mod objects;
mod operations;

use std::marker::PhantomData;
use std::ptr;

use cryptoki_sys::*;
use harness::token::PIN;

use crate::module::Module;

/// What came of a call: the function that refused, and its return value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) step: &'static str,
    pub(crate) rv: CK_RV,
}

/// What a call hands back, or who refused.
pub(crate) type Told<T> = Result<T, Refused>;

/// A key or another object.
pub(crate) type Handle = CK_OBJECT_HANDLE;

/// A mechanism whose parameter lives elsewhere.
#[derive(Clone, Copy)]
pub(crate) struct Mechanism<'p> {
    pub(super) raw: CK_MECHANISM,
    parameter: PhantomData<&'p ()>,
}

impl Mechanism<'_> {
    /// As the module wants it, to be used while the parameter lives.
    pub(crate) fn raw(self) -> CK_MECHANISM {
        self.raw
    }
}

/// A mechanism without a parameter.
pub(crate) fn plain(number: CK_MECHANISM_TYPE) -> Mechanism<'static> {
    Mechanism { raw: CK_MECHANISM { mechanism: number, ..Default::default() }, parameter: PhantomData }
}

/// A mechanism with a parameter.
pub(crate) fn with<P>(number: CK_MECHANISM_TYPE, parameter: &P) -> Mechanism<'_> {
    let mut mechanism = plain(number);
    mechanism.raw.pParameter = ptr::from_ref(parameter).cast_mut().cast();
    mechanism.raw.ulParameterLen = size_of::<P>() as CK_ULONG;
    mechanism
}

/// A session of a user who is logged in.
pub(crate) struct Session {
    pub(crate) table: CK_FUNCTION_LIST_3_2,
    pub(crate) slot: CK_SLOT_ID,
    pub(crate) handle: CK_SESSION_HANDLE,
}

/// Calls a function of the table; what is not `CKR_OK` is a refusal.
macro_rules! call {
    ($session:expr, $name:ident($($argument:expr),* $(,)?)) => {
        $crate::attacks::session::told(stringify!($name), $session.table.$name.map(|function| {
            // SAFETY: every pointer is NULL or to memory of the size that is said, alive through the call.
            unsafe { function($($argument),*) }
        }))
    };
}
pub(crate) use call;

/// What a function answered, where the table has it.
pub(crate) fn told(step: &'static str, answer: Option<CK_RV>) -> Told<()> {
    match answer.unwrap_or(CKR_FUNCTION_NOT_SUPPORTED) {
        CKR_OK => Ok(()),
        rv => Err(Refused { step, rv }),
    }
}

impl Session {
    /// Starts the module and logs in at its first token that asks for it.
    pub(crate) fn open(module: &Module, reserved: Option<&str>) -> Told<Session> {
        let refused = Refused { step: "C_GetInterface", rv: CKR_FUNCTION_NOT_SUPPORTED };
        let table = ["3.2", "3.0", "2.40"].iter().find_map(|way| module.table(way)).ok_or(refused)?;
        let mut session = Session { table, slot: 0, handle: 0 };
        let reserved = reserved.map(|text| [text.as_bytes(), &[0]].concat());
        let mut arguments = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
        if let Some(text) = &reserved {
            arguments.pReserved = text.as_ptr().cast_mut().cast();
        }
        call!(session, C_Initialize((&raw mut arguments).cast()))?;
        let (mut slots, mut count) = ([0; 16], 16);
        call!(session, C_GetSlotList(CK_TRUE, slots.as_mut_ptr(), &mut count))?;
        for slot in &slots[..count as usize] {
            let mut token = CK_TOKEN_INFO::default();
            call!(session, C_GetTokenInfo(*slot, &mut token))?;
            let ready = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED;
            if token.flags & ready == ready {
                session.slot = *slot;
                session.handle = session.another()?;
                session.login(CKU_USER, PIN)?;
                return Ok(session);
            }
        }
        Err(Refused { step: "C_GetTokenInfo", rv: CKR_TOKEN_NOT_PRESENT })
    }

    /// A further session with the same token.
    pub(crate) fn another(&self) -> Told<CK_SESSION_HANDLE> {
        let mut handle = 0;
        let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
        call!(self, C_OpenSession(self.slot, flags, ptr::null_mut(), None, &mut handle))?;
        Ok(handle)
    }

    pub(crate) fn login(&self, user: CK_USER_TYPE, pin: &str) -> Told<()> {
        let (pin, length) = (pin.as_ptr().cast_mut(), pin.len() as CK_ULONG);
        call!(self, C_Login(self.handle, user, pin, length))
    }

    pub(crate) fn logout(&self) -> Told<()> {
        call!(self, C_Logout(self.handle))
    }
}

/// What a call wrote into a buffer of eight kilobytes.
pub(crate) fn filled(call: impl FnOnce(CK_BYTE_PTR, CK_ULONG_PTR) -> Told<()>) -> Told<Vec<u8>> {
    let (mut buffer, mut length) = (vec![0; 8192], 8192);
    call(buffer.as_mut_ptr(), &mut length)?;
    buffer.truncate(length as usize);
    Ok(buffer)
}
