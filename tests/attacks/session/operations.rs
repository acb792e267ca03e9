// SPDX-License-Identifier: Apache-2.0
//! Calls that work on data with a key.

use std::ptr;

use cryptoki_sys::*;

use super::{Handle, Mechanism, Session, Told, call, filled, plain};

impl Session {
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
