// SPDX-License-Identifier: Apache-2.0
//! The attacks on the interface of PKCS#11 as programs, one function each, and ordinary work beside them. An
//! attack ends with the secret that it was after, compared with what the token itself says of it, or with the
//! call that was refused.

mod changes;
mod derived;
mod doors;
mod evasions;
mod existing;
mod foreign;
mod identity;
mod life;
mod offline;
mod oracles;
mod reads;
mod roles;
pub(crate) mod session;
pub(crate) mod template;
mod twice;
mod weak;

use cryptoki_sys::*;

use crate::module::Module;
use session::{Handle, Mechanism, Refused, Session, Told, plain, with};
use template::aes;

/// Tries to get at a secret; whether what it got is the secret.
type Attack = fn(&Session) -> Told<bool>;

/// Every attack by its number in the table.
const ATTACKS: &[(&str, Attack)] = &[
    ("T01", roles::wrap_then_decrypt),
    ("T01b", evasions::wrap_then_decrypt_with_nothing_said),
    ("T01c", evasions::wrap_then_decrypt_said_twice),
    ("T01d", evasions::wrap_then_decrypt_said_twice_the_other_way),
    ("T01e", evasions::wrap_then_decrypt_with_an_odd_true),
    ("T01f", evasions::wrap_then_decrypt_in_a_long_template),
    ("T02", roles::wrap_then_decrypt_by_another_mechanism),
    ("T03", changes::role_toggle),
    ("T04", changes::copy_split),
    ("T05", roles::wrap_by_the_public_half_then_decrypt),
    ("T06", changes::toggle_of_a_private_key),
    ("T07", roles::raw_signature_of_a_wrapped_key),
    ("T07b", weak::raw_signature_of_a_ciphertext),
    ("T07c", evasions::raw_recoverable_signature),
    ("T08", foreign::unwrap_as_readable),
    ("T08b", foreign::unwrap_as_readable_by_rsa),
    ("T09", foreign::double_unwrap),
    ("T09b", evasions::double_unwrap_to_unwrap),
    ("T09c", evasions::double_unwrap_by_two_keys),
    ("T10", roles::encrypt_then_unwrap),
    ("T11", foreign::trojan_wrapped_key),
    ("T11b", foreign::trojan_wrapped_by_oaep),
    ("T12", foreign::trojan_public_key),
    ("T13", foreign::known_secret_key),
    ("T13b", foreign::known_secret_key_by_toggle),
    ("T13c", evasions::known_secret_key_with_nothing_said),
    ("T14", reads::value_of_a_sensitive_key),
    ("T15", reads::value_of_an_unextractable_key),
    ("T15b", evasions::value_behind_many_attributes),
    ("T16", changes::sensitive_cleared),
    ("T16b", changes::extractable_set),
    ("T16c", changes::sensitive_cleared_by_a_copy),
    ("T16d", changes::extractable_set_by_a_copy),
    ("T16e", evasions::extractable_said_twice_in_a_copy),
    ("T17", roles::derive_then_encrypt),
    ("T17b", twice::by_the_same_agreement),
    ("T17c", twice::by_the_same_point_in_other_bytes),
    ("T17d", twice::by_the_same_block),
    ("T17e", twice::by_the_same_expansion),
    ("T17f", twice::by_the_same_ciphertext),
    ("T18", derived::derive_as_readable),
    ("T19", derived::short_key_and_its_digest),
    ("T20", derived::one_byte_at_a_time),
    ("T21", derived::concatenated_and_cut),
    ("T21b", derived::mixed_and_cut),
    ("T22", weak::wrapped_by_a_weak_rsa_key),
    ("T22b", weak::wrapped_by_a_shorter_key),
    ("T23", weak::cube_root),
    ("T24", weak::private_key_wrapped_without_a_check),
    ("T24b", weak::changed_on_the_way_back),
    ("T25", oracles::padding_of_rsa_decryption),
    ("T25b", oracles::padding_of_rsa_unwrapping),
    ("T26", oracles::padding_of_cbc),
    ("T27", identity::trusted_by_the_security_officer),
    ("T28", identity::key_put_in_anothers_place),
    ("T28b", identity::wrapping_key_made_again),
    ("T29", doors::banned_hash_in_a_digest_info),
    ("T29b", doors::banned_hash_handed_in_raw),
    ("T29c", doors::banned_hash_in_pss),
    ("T29d", evasions::banned_hash_without_its_null),
    ("T29e", evasions::banned_hash_behind_zeros),
    ("T29f", doors::banned_hash_handed_in_again),
    ("T30", doors::banned_mechanism_in_a_parameter),
    ("T31", doors::resumed_operation),
    ("T31b", doors::message_by_a_banned_mechanism),
    ("T31c", doors::vendors_interface),
    ("T32", oracles::nonce_twice),
    ("T32b", evasions::nonce_twice_by_a_copy),
    ("T32c", evasions::nonce_twice_in_messages),
    ("T32d", evasions::counter_twice),
    ("T33", weak::conjured_key),
    ("T34", derived::check_value_of_a_short_key),
    ("T35", identity::token_wiped),
    ("T35b", identity::pin_changed),
    ("T35c", identity::pins_tried),
    ("T36", doors::changed_under_the_call),
];

/// `MODULE NAME [RESERVED]`: one attack. Prints `pid=…`, then `succeeded`, `failed` where nothing was refused
/// and what came out was not the secret, or `resisted FUNCTION RV`.
pub(crate) fn attack(arguments: &[String]) {
    let name = arguments.get(1).map_or("", String::as_str);
    let Some((_, attack)) = ATTACKS.iter().find(|(known, _)| *known == name) else {
        eprintln!("host: there is no attack {name}");
        std::process::exit(2);
    };
    run(arguments, |session| {
        println!(
            "{}",
            match attack(session) {
                Ok(true) => String::from("succeeded"),
                Ok(false) => String::from("failed"),
                Err(Refused { step, rv }) => format!("resisted {step} {rv:#x}"),
            }
        );
    });
}

/// `MODULE NAME [RESERVED]`: one piece of ordinary work. Prints `pid=…`, then `done` or `refused FUNCTION
/// RV`.
pub(crate) fn life(arguments: &[String]) {
    let name = arguments.get(1).map_or("", String::as_str);
    let Some((_, work)) = life::WORK.iter().find(|(known, _)| *known == name) else {
        eprintln!("host: there is no work called {name}");
        std::process::exit(2);
    };
    run(arguments, |session| match work(session) {
        Ok(true) => println!("done"),
        Ok(false) => println!("wrong"),
        Err(Refused { step, rv }) => println!("refused {step} {rv:#x}"),
    });
}

/// Does `work` in a session of the module that the first argument names.
pub(crate) fn run(arguments: &[String], work: impl FnOnce(&Session)) {
    println!("pid={}", std::process::id());
    let module = Module::load(&arguments[0]);
    match Session::open(&module, arguments.get(2).map(String::as_str)) {
        Ok(session) => {
            work(&session);
            if let Some(finalize) = session.table.C_Finalize {
                // SAFETY: the reserved argument is NULL; nothing calls the module any more.
                unsafe { finalize(std::ptr::null_mut()) };
            }
        }
        Err(Refused { step, rv }) => println!("unusable {step} {rv:#x}"),
    }
}

/// The block that every comparison encrypts.
const ZERO: [u8; 16] = [0; 16];

/// CBC with an initialization vector of zeros.
fn cbc() -> Mechanism<'static> {
    with(CKM_AES_CBC, &ZERO)
}

/// RSA encryption by OAEP with SHA-1, which is what SoftHSM has.
fn oaep() -> Mechanism<'static> {
    const PARAMETER: CK_RSA_PKCS_OAEP_PARAMS = CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: CKM_SHA_1,
        mgf: CKG_MGF1_SHA1,
        source: CKZ_DATA_SPECIFIED,
        pSourceData: std::ptr::null_mut(),
        ulSourceDataLen: 0,
    };
    with(CKM_RSA_PKCS_OAEP, &PARAMETER)
}

impl Session {
    /// A sensitive AES key that may leave the token wrapped: what the attacks on wrapping are after.
    fn target(&self) -> Told<Handle> {
        self.generate(CKM_AES_KEY_GEN, &aes(16).can([CKA_ENCRYPT, CKA_EXTRACTABLE]))
    }

    /// Whether `value` is that of a key that may encrypt.
    fn proves(&self, key: Handle, value: &[u8]) -> Told<bool> {
        Ok(offline::encrypted(value, ZERO) == Some(self.encrypt(plain(CKM_AES_ECB), key, &ZERO)?))
    }
}
