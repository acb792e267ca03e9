// SPDX-License-Identifier: Apache-2.0
//! A session with a token by the functions of its table: one method per call, which hands back what came out or
//! which function said what. It decides nothing and hides no return value.

use std::marker::PhantomData;
use std::ptr;

use cryptoki_sys::*;
use harness::token::PIN;

use super::template::Template;
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
    raw: CK_MECHANISM,
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
        match $session.table.$name {
            // SAFETY: every pointer is NULL or to memory of the size that is said, alive through the call.
            Some(function) => {
                $crate::attacks::session::told(stringify!($name), unsafe { function($($argument),*) })
            }
            None => $crate::attacks::session::told(stringify!($name), CKR_FUNCTION_NOT_SUPPORTED),
        }
    };
}
pub(crate) use call;

/// What a function answered.
pub(crate) fn told(step: &'static str, rv: CK_RV) -> Told<()> {
    if rv == CKR_OK { Ok(()) } else { Err(Refused { step, rv }) }
}

impl Session {
    /// Starts the module and logs in at its first token that asks for it.
    pub(crate) fn open(module: &Module, reserved: Option<&str>) -> Told<Session> {
        let refused = Refused { step: "C_GetInterface", rv: CKR_FUNCTION_NOT_SUPPORTED };
        let table = module.table("3.0").or_else(|| module.table("2.40")).ok_or(refused)?;
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

    pub(crate) fn generate(&self, mechanism: CK_MECHANISM_TYPE, template: &Template) -> Told<Handle> {
        let (mut mechanism, mut template, mut key) = (plain(mechanism).raw(), template.raw(), 0);
        let count = template.len() as CK_ULONG;
        call!(self, C_GenerateKey(self.handle, &mut mechanism, template.as_mut_ptr(), count, &mut key))?;
        Ok(key)
    }

    /// The public and the private key.
    pub(crate) fn pair(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        public: &Template,
        private: &Template,
    ) -> Told<(Handle, Handle)> {
        let (mut mechanism, mut keys) = (plain(mechanism).raw(), (0, 0));
        let (mut public, mut private) = (public.raw(), private.raw());
        let [public_count, private_count] = [&public, &private].map(|half| half.len() as CK_ULONG);
        let (public, private) = (public.as_mut_ptr(), private.as_mut_ptr());
        call!(
            self,
            C_GenerateKeyPair(
                self.handle,
                &mut mechanism,
                public,
                public_count,
                private,
                private_count,
                &mut keys.0,
                &mut keys.1,
            )
        )?;
        Ok(keys)
    }

    pub(crate) fn create(&self, template: &Template) -> Told<Handle> {
        let (mut template, mut object) = (template.raw(), 0);
        let count = template.len() as CK_ULONG;
        call!(self, C_CreateObject(self.handle, template.as_mut_ptr(), count, &mut object))?;
        Ok(object)
    }

    pub(crate) fn copy(&self, object: Handle, template: &Template) -> Told<Handle> {
        let (mut template, mut copy) = (template.raw(), 0);
        let count = template.len() as CK_ULONG;
        call!(self, C_CopyObject(self.handle, object, template.as_mut_ptr(), count, &mut copy))?;
        Ok(copy)
    }

    pub(crate) fn set(&self, object: Handle, template: &Template) -> Told<()> {
        let mut template = template.raw();
        let count = template.len() as CK_ULONG;
        call!(self, C_SetAttributeValue(self.handle, object, template.as_mut_ptr(), count))
    }

    pub(crate) fn destroy(&self, object: Handle) -> Told<()> {
        call!(self, C_DestroyObject(self.handle, object))
    }

    pub(crate) fn read(&self, object: Handle, attribute: CK_ATTRIBUTE_TYPE) -> Told<Vec<u8>> {
        let mut asked = CK_ATTRIBUTE { type_: attribute, pValue: ptr::null_mut(), ulValueLen: 0 };
        call!(self, C_GetAttributeValue(self.handle, object, &mut asked, 1))?;
        let mut value = vec![0; asked.ulValueLen as usize];
        asked.pValue = value.as_mut_ptr().cast();
        call!(self, C_GetAttributeValue(self.handle, object, &mut asked, 1))?;
        value.truncate(asked.ulValueLen as usize);
        Ok(value)
    }

    pub(crate) fn find(&self, template: &Template) -> Told<Vec<Handle>> {
        let mut template = template.raw();
        let (mut found, mut count) = ([0; 16], 0);
        call!(self, C_FindObjectsInit(self.handle, template.as_mut_ptr(), template.len() as CK_ULONG))?;
        call!(self, C_FindObjects(self.handle, found.as_mut_ptr(), 16, &mut count))?;
        call!(self, C_FindObjectsFinal(self.handle))?;
        Ok(found[..count as usize].to_vec())
    }

    pub(crate) fn wrap(&self, mechanism: Mechanism<'_>, by: Handle, key: Handle) -> Told<Vec<u8>> {
        let mut mechanism = mechanism.raw();
        filled(|out, length| call!(self, C_WrapKey(self.handle, &mut mechanism, by, key, out, length)))
    }

    pub(crate) fn unwrap(
        &self,
        mechanism: Mechanism<'_>,
        by: Handle,
        blob: &[u8],
        template: &Template,
    ) -> Told<Handle> {
        let (mut mechanism, mut template, mut key) = (mechanism.raw(), template.raw(), 0);
        let (blob, length) = (blob.as_ptr().cast_mut(), blob.len() as CK_ULONG);
        let (count, template) = (template.len() as CK_ULONG, template.as_mut_ptr());
        call!(self, C_UnwrapKey(self.handle, &mut mechanism, by, blob, length, template, count, &mut key))?;
        Ok(key)
    }

    pub(crate) fn derive(&self, mechanism: Mechanism<'_>, base: Handle, template: &Template) -> Told<Handle> {
        let (mut mechanism, mut template, mut key) = (mechanism.raw(), template.raw(), 0);
        let count = template.len() as CK_ULONG;
        let template = template.as_mut_ptr();
        call!(self, C_DeriveKey(self.handle, &mut mechanism, base, template, count, &mut key))?;
        Ok(key)
    }

    pub(crate) fn encrypt(&self, mechanism: Mechanism<'_>, key: Handle, data: &[u8]) -> Told<Vec<u8>> {
        let mut mechanism = mechanism.raw();
        let (data, size) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        call!(self, C_EncryptInit(self.handle, &mut mechanism, key))?;
        filled(|out, length| call!(self, C_Encrypt(self.handle, data, size, out, length)))
    }

    pub(crate) fn decrypt(&self, mechanism: Mechanism<'_>, key: Handle, data: &[u8]) -> Told<Vec<u8>> {
        let mut mechanism = mechanism.raw();
        let (data, size) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        call!(self, C_DecryptInit(self.handle, &mut mechanism, key))?;
        filled(|out, length| call!(self, C_Decrypt(self.handle, data, size, out, length)))
    }

    pub(crate) fn sign(&self, mechanism: Mechanism<'_>, key: Handle, data: &[u8]) -> Told<Vec<u8>> {
        let mut mechanism = mechanism.raw();
        let (data, size) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        call!(self, C_SignInit(self.handle, &mut mechanism, key))?;
        filled(|out, length| call!(self, C_Sign(self.handle, data, size, out, length)))
    }

    pub(crate) fn verify(
        &self,
        mechanism: Mechanism<'_>,
        key: Handle,
        data: &[u8],
        signature: &[u8],
    ) -> Told<()> {
        let mut mechanism = mechanism.raw();
        let (data, size) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        let (signature, length) = (signature.as_ptr().cast_mut(), signature.len() as CK_ULONG);
        call!(self, C_VerifyInit(self.handle, &mut mechanism, key))?;
        call!(self, C_Verify(self.handle, data, size, signature, length))
    }

    /// A message of 3.0 under GCM, whose operation has started: the ciphertext and the tag.
    pub(crate) fn message(&self, mut nonce: [u8; 12], message: &[u8]) -> Told<(Vec<u8>, [u8; 16])> {
        let mut tag = [0; 16];
        let mut parameter = CK_GCM_MESSAGE_PARAMS {
            pIv: nonce.as_mut_ptr(),
            ulIvLen: 12,
            ulIvFixedBits: 0,
            ivGenerator: CKG_NO_GENERATE,
            pTag: tag.as_mut_ptr(),
            ulTagBits: 128,
        };
        let size = size_of_val(&parameter) as CK_ULONG;
        let (message, length) = (message.as_ptr().cast_mut(), message.len() as CK_ULONG);
        let (parameter, none) = ((&raw mut parameter).cast(), ptr::null_mut());
        let sealed = filled(|out, room| {
            call!(self, C_EncryptMessage(self.handle, parameter, size, none, 0, message, length, out, room))
        })?;
        Ok((sealed, tag))
    }

    /// The SHA-256 of a key's value.
    pub(crate) fn digest_key(&self, key: Handle) -> Told<Vec<u8>> {
        let mut mechanism = plain(CKM_SHA256).raw();
        call!(self, C_DigestInit(self.handle, &mut mechanism))?;
        call!(self, C_DigestKey(self.handle, key))?;
        filled(|out, length| call!(self, C_DigestFinal(self.handle, out, length)))
    }
}

/// What a call wrote into a buffer of four kilobytes.
pub(crate) fn filled(call: impl FnOnce(CK_BYTE_PTR, CK_ULONG_PTR) -> Told<()>) -> Told<Vec<u8>> {
    let (mut buffer, mut length) = (vec![0; 4096], 4096);
    call(buffer.as_mut_ptr(), &mut length)?;
    buffer.truncate(length as usize);
    Ok(buffer)
}
