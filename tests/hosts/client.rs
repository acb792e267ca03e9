// SPDX-License-Identifier: Apache-2.0
//! The `cryptoki` crate as a client: `client MODULE PIN [RESERVED]`. Prints everything that it gets back, random bytes by
//! length only, so that a run over the bare module and one through the shim can be compared.

use std::ffi::CString;
use std::fmt::Debug;
use std::ptr::NonNull;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [module, pin] = [1, 2].map(|place| arguments.get(place).expect("client MODULE PIN [RESERVED]"));
    let context = Pkcs11::new(module).expect("the module loads");
    let reserved = arguments.get(3).map(|text| CString::new(text.as_str()).expect("a text"));
    let flags = CInitializeFlags::OS_LOCKING_OK;
    let start = match reserved.as_ref().and_then(|text| NonNull::new(text.as_ptr().cast_mut().cast())) {
        // SAFETY: the text lives to the end of the program.
        Some(text) => unsafe { CInitializeArgs::new_with_reserved(flags, text) },
        None => CInitializeArgs::new(flags),
    };
    said("initialize", context.initialize(start));
    said("info", context.get_library_info());
    let slots = said("slots", context.get_slots_with_token()).unwrap_or_default();
    for slot in slots.into_iter().take(2) {
        said("slot", context.get_slot_info(slot));
        // Its time goes on.
        said(
            "label",
            context.get_token_info(slot).map(|token| {
                (token.label().to_owned(), token.serial_number().to_owned(), token.login_required())
            }),
        );
        for mechanism in said("mechanisms", context.get_mechanism_list(slot)).unwrap_or_default() {
            said("mechanism", context.get_mechanism_info(slot, mechanism));
        }
        use_slot(&context, slot, pin);
    }
    said("finalize", context.finalize());
}

fn use_slot(context: &Pkcs11, slot: Slot, pin: &str) {
    let Ok(session) = context.open_rw_session(slot).or_else(|_| context.open_ro_session(slot)) else {
        return println!("no session");
    };
    said("wrong pin", session.login(UserType::User, Some(&AuthPin::new("not the pin".into()))));
    said("login", session.login(UserType::User, Some(&AuthPin::new(pin.into()))));
    said("state", session.get_session_info().map(|info| (info.session_state(), info.read_write())));
    said("digest", session.digest(&Mechanism::Sha256, b"a message"));
    said("unknown digest", session.digest(&Mechanism::RsaPkcs, b"a message"));
    secret_keys(&session);
    pairs(&session);
    said("random", session.generate_random_vec(20).map(|bytes| bytes.len()));
    said("logout", session.logout());
    said("close", session.close());
}

fn secret_keys(session: &Session) {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Label(b"client".to_vec()),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
        Attribute::Value(b"a fixed key of thirty-two bytes!".to_vec()),
    ];
    let Some(key) = said_only("create", session.create_object(&template)) else { return };
    let asked = [
        AttributeType::Label,
        AttributeType::KeyType,
        AttributeType::ValueLen,
        AttributeType::Value,
        AttributeType::Modulus,
    ];
    said("attributes", session.get_attributes(key, &asked));
    said("lengths", session.get_attribute_info(key, &asked));
    let mechanism = Mechanism::AesCbcPad(*b"sixteen bytes iv");
    if let Some(sealed) =
        said("encrypt", session.encrypt(&mechanism, key, b"a message of more than one block"))
    {
        said("decrypt", session.decrypt(&mechanism, key, &sealed));
        said("broken", session.decrypt(&mechanism, key, &sealed[1..]));
    }
    said("wrap", session.wrap_key(&Mechanism::AesKeyWrap, key, key));
    let found = session.find_objects(&[Attribute::Label(b"client".to_vec())]);
    said("find", found.map(|objects| objects.len()));
    said("relabel", session.update_attributes(key, &[Attribute::Label(b"again".to_vec())]));
    said("attributes", session.get_attributes(key, &asked));
    said("destroy", session.destroy_object(key));
    said("gone", session.get_attributes(key, &asked));
}

fn pairs(session: &Session) {
    let public = [Attribute::Token(false), Attribute::ModulusBits(2048.into()), Attribute::Verify(true)];
    let private = [Attribute::Token(false), Attribute::Sign(true), Attribute::Label(b"rsa".to_vec())];
    let pair = session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private);
    if let Some((public, private)) = said_only("rsa pair", pair) {
        let signature = session.sign(&Mechanism::Sha256RsaPkcs, private, b"a message");
        said("signature", signature.as_ref().map(Vec::len));
        if let Ok(signature) = signature {
            said("verify", session.verify(&Mechanism::Sha256RsaPkcs, public, b"a message", &signature));
            said("forged", session.verify(&Mechanism::Sha256RsaPkcs, public, b"another", &signature));
        }
        said(
            "bits",
            session.get_attributes(public, &[AttributeType::ModulusBits, AttributeType::PublicExponent]),
        );
    }
    let p256 = vec![0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let public = [Attribute::Token(false), Attribute::EcParams(p256), Attribute::Verify(true)];
    let pair = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private);
    if let Some((public, private)) = said_only("ec pair", pair) {
        let signature = session.sign(&Mechanism::Ecdsa, private, &[7; 32]);
        said("signature", signature.as_ref().map(Vec::len));
        if let Ok(signature) = signature {
            said("verify", session.verify(&Mechanism::Ecdsa, public, &[7; 32], &signature));
        }
    }
}

/// Prints the result and hands on what is good in it.
fn said<T: Debug, E: Debug>(what: &str, result: Result<T, E>) -> Option<T> {
    println!("{what}: {result:?}");
    result.ok()
}

/// The same for handles, which are the module's choice.
fn said_only<T>(what: &str, result: Result<T, cryptoki::error::Error>) -> Option<T> {
    println!("{what}: {:?}", result.as_ref().map(|_| ()));
    result.ok()
}
