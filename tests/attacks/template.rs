// SPDX-License-Identifier: Apache-2.0
//! Templates of session objects. Every usage bit is said, because tokens differ in what they give a key that
//! says nothing: what a key is able to do is here what its line says and no more.

use cryptoki_sys::*;

const OF_SECRET: [CK_ATTRIBUTE_TYPE; 7] =
    [CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE];
const OF_PUBLIC: [CK_ATTRIBUTE_TYPE; 4] = [CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP];
const OF_PRIVATE: [CK_ATTRIBUTE_TYPE; 5] = [CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER, CKA_UNWRAP, CKA_DERIVE];

/// Attributes with their values.
#[derive(Clone, Default)]
pub(crate) struct Template(Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)>);

/// A sensitive AES key of so many bytes that stays in the token.
pub(crate) fn aes(bytes: CK_ULONG) -> Template {
    secret(CKK_AES).number(CKA_VALUE_LEN, bytes)
}

/// A sensitive secret key that stays in the token, its length told by something else.
pub(crate) fn secret(key_type: CK_KEY_TYPE) -> Template {
    object(CKO_SECRET_KEY, key_type, &OF_SECRET).hidden()
}

/// The public half of an RSA key to be made.
pub(crate) fn rsa_public(bits: CK_ULONG) -> Template {
    public(CKK_RSA).number(CKA_MODULUS_BITS, bits).bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1])
}

/// A public key.
pub(crate) fn public(key_type: CK_KEY_TYPE) -> Template {
    object(CKO_PUBLIC_KEY, key_type, &OF_PUBLIC)
}

/// A sensitive private key that stays in the token.
pub(crate) fn private(key_type: CK_KEY_TYPE) -> Template {
    object(CKO_PRIVATE_KEY, key_type, &OF_PRIVATE).hidden()
}

/// One attribute.
pub(crate) fn only(attribute: CK_ATTRIBUTE_TYPE, value: bool) -> Template {
    Template::default().flag(attribute, value)
}

fn object(class: CK_OBJECT_CLASS, key_type: CK_KEY_TYPE, uses: &[CK_ATTRIBUTE_TYPE]) -> Template {
    let start = Template::default().number(CKA_CLASS, class).number(CKA_KEY_TYPE, key_type);
    let start = start.flag(CKA_TOKEN, false);
    uses.iter().fold(start, |template, usage| template.flag(*usage, false))
}

impl Template {
    /// With this attribute set to this, whatever it was before.
    pub(crate) fn bytes(mut self, attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Template {
        self.0.retain(|(known, _)| *known != attribute);
        self.0.push((attribute, value.to_vec()));
        self
    }

    /// With this attribute once more.
    pub(crate) fn again(mut self, attribute: CK_ATTRIBUTE_TYPE, value: u8) -> Template {
        self.0.push((attribute, vec![value]));
        self
    }

    pub(crate) fn number(self, attribute: CK_ATTRIBUTE_TYPE, value: CK_ULONG) -> Template {
        self.bytes(attribute, &value.to_ne_bytes())
    }

    pub(crate) fn flag(self, attribute: CK_ATTRIBUTE_TYPE, value: bool) -> Template {
        self.bytes(attribute, &[u8::from(value)])
    }

    /// With these flags set.
    pub(crate) fn can<const N: usize>(self, flags: [CK_ATTRIBUTE_TYPE; N]) -> Template {
        flags.into_iter().fold(self, |template, flag| template.flag(flag, true))
    }

    /// With this label.
    pub(crate) fn label(self, label: &str) -> Template {
        self.bytes(CKA_LABEL, label.as_bytes())
    }

    /// Readable by anyone who may use it.
    pub(crate) fn readable(self) -> Template {
        self.flag(CKA_SENSITIVE, false).flag(CKA_EXTRACTABLE, true)
    }

    fn hidden(self) -> Template {
        self.flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false)
    }

    /// As the module wants it, to be used while the template lives.
    pub(crate) fn raw(&self) -> Vec<CK_ATTRIBUTE> {
        let attribute = |(number, value): &(CK_ATTRIBUTE_TYPE, Vec<u8>)| CK_ATTRIBUTE {
            type_: *number,
            pValue: value.as_ptr().cast_mut().cast(),
            ulValueLen: value.len() as CK_ULONG,
        };
        self.0.iter().map(attribute).collect()
    }
}
