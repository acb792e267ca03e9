// SPDX-License-Identifier: Apache-2.0
//! Calls that make, change, read and move objects.

use std::ptr;

use cryptoki_sys::*;

use super::{Handle, Mechanism, Session, Told, call, filled, plain};
use crate::attacks::template::Template;

impl Session {
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

    /// The key, and what it is sealed in.
    pub(crate) fn encapsulate(
        &self,
        mechanism: Mechanism<'_>,
        by: Handle,
        template: &Template,
    ) -> Told<(Handle, Vec<u8>)> {
        let (mut mechanism, mut template, mut key) = (mechanism.raw(), template.raw(), 0);
        let (count, template) = (template.len() as CK_ULONG, template.as_mut_ptr());
        let sealed = filled(|out, length| {
            call!(
                self,
                C_EncapsulateKey(self.handle, &mut mechanism, by, template, count, out, length, &mut key)
            )
        })?;
        Ok((key, sealed))
    }

    pub(crate) fn decapsulate(
        &self,
        mechanism: Mechanism<'_>,
        by: Handle,
        sealed: &[u8],
        template: &Template,
    ) -> Told<Handle> {
        let (mut mechanism, mut template, mut key) = (mechanism.raw(), template.raw(), 0);
        let (sealed, length) = (sealed.as_ptr().cast_mut(), sealed.len() as CK_ULONG);
        let (count, template) = (template.len() as CK_ULONG, template.as_mut_ptr());
        call!(
            self,
            C_DecapsulateKey(self.handle, &mut mechanism, by, template, count, sealed, length, &mut key)
        )?;
        Ok(key)
    }
}
