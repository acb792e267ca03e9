// SPDX-License-Identifier: Apache-2.0
//! Typical calls: which mechanisms work on which keys, keys as they are common today, and parameters as mechanisms
//! commonly get them. A policy is tried with these where no call was recorded.

use event::mechanism::{
    self, CKM_SHA_1, CKM_SHA256, CKM_SHA384, CKM_SHA512, Family, Mechanism, Operation, Shape,
};
use event::names::{generator::CKG_NO_GENERATE, kdf, mgf, oaep_source::CKZ_DATA_SPECIFIED, prf};
use event::parameter::{Field, Parameter};
use event::value::key_type::*;
use event::value::object_class::{CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_SECRET_KEY};
use event::{curve, parameter_set};
use policy::Act;

use super::acts;
use super::known::{Known, Thing};

/// A key that is common today.
pub(super) struct Typical {
    /// What it is called in a comparison.
    pub(super) name: String,
    key: Thing,
}

/// Families whose mechanisms take any secret key: they make keys of keys.
const OF_SECRETS: [Family; 3] = [Family::Generic, Family::Hkdf, Family::Sp800108];

/// The families whose mechanisms take a key of this type.
fn families(key_type: u64) -> Option<&'static [Family]> {
    use Family::*;
    Some(match key_type {
        CKK_RSA => &[Rsa],
        CKK_DSA => &[Dsa],
        CKK_DH => &[Dh],
        CKK_X9_42_DH => &[X942Dh],
        CKK_EC => &[Ec],
        CKK_EC_EDWARDS => &[Edwards],
        // CKM_ECDH1_DERIVE serves these too (PKCS#11 3.2, section 6.3.17).
        CKK_EC_MONTGOMERY => &[Montgomery, Ec],
        CKK_ML_KEM => &[MlKem],
        CKK_ML_DSA => &[MlDsa],
        CKK_SLH_DSA => &[SlhDsa],
        CKK_HSS | CKK_XMSS | CKK_XMSSMT => &[HashBased],
        CKK_AES | CKK_AES_XTS => &[Aes],
        CKK_DES => &[Des],
        CKK_DES2 | CKK_DES3 => &[Des3],
        CKK_CAMELLIA => &[Camellia],
        CKK_ARIA => &[Aria],
        CKK_SEED => &[Seed],
        CKK_CHACHA20 => &[ChaCha20],
        CKK_SALSA20 => &[Salsa20],
        CKK_POLY1305 => &[Poly1305],
        CKK_HKDF => &[Hkdf],
        CKK_GENERIC_SECRET => &[Sha1, Sha2, Sha3, Blake2b, Md5, Ripemd],
        CKK_SHA_1_HMAC => &[Sha1],
        CKK_SHA224_HMAC | CKK_SHA256_HMAC | CKK_SHA384_HMAC | CKK_SHA512_HMAC | CKK_SHA512_224_HMAC
        | CKK_SHA512_256_HMAC | CKK_SHA512_T_HMAC => &[Sha2],
        CKK_SHA3_224_HMAC | CKK_SHA3_256_HMAC | CKK_SHA3_384_HMAC | CKK_SHA3_512_HMAC => &[Sha3],
        _ => return None,
    })
}

/// Whether the mechanism works on keys of this type; on keys of a type that is not listed, every one.
pub(super) fn fits(mechanism: &Mechanism, act: Act, key_type: Option<u64>) -> bool {
    if act == Act::Digest {
        return true;
    }
    let Some((key_type, families)) = key_type.and_then(|known| Some((known, families(known)?))) else {
        return true;
    };
    let secret = !is_pair(key_type) && act == Act::Derive && OF_SECRETS.contains(&mechanism.family);
    secret || families.contains(&mechanism.family)
}

fn is_pair(key_type: u64) -> bool {
    matches!(
        key_type,
        CKK_RSA
            | CKK_DSA
            | CKK_DH
            | CKK_X9_42_DH
            | CKK_EC
            | CKK_EC_EDWARDS
            | CKK_EC_MONTGOMERY
            | CKK_ML_KEM
            | CKK_ML_DSA
            | CKK_SLH_DSA
            | CKK_HSS
            | CKK_XMSS
            | CKK_XMSSMT
    )
}

/// Every typical key.
pub(super) fn keys() -> Vec<Typical> {
    let key = |name: String, key_type, bits: Option<u32>| Typical {
        name,
        key: Thing { key_type: Some(key_type), bits, present: true, ..Thing::default() },
    };
    let mut keys: Vec<Typical> =
        [1024, 2048, 3072, 4096].map(|bits| key(format!("rsa-{bits}"), CKK_RSA, Some(bits))).into();
    for (name, key_type) in [
        ("P-224", CKK_EC),
        ("P-256", CKK_EC),
        ("P-384", CKK_EC),
        ("P-521", CKK_EC),
        ("secp256k1", CKK_EC),
        ("brainpoolP256r1", CKK_EC),
        ("Ed25519", CKK_EC_EDWARDS),
        ("Ed448", CKK_EC_EDWARDS),
        ("X25519", CKK_EC_MONTGOMERY),
    ] {
        let Some(curve) = curve::by_name(name) else { continue };
        let mut typical = key(curve.name.to_ascii_lowercase(), key_type, Some(u32::from(curve.bits)));
        typical.key.curve = super::recorded::place_of_curve(curve.name);
        keys.push(typical);
    }
    for set in parameter_set::ALL {
        let mut typical = key(set.name.to_ascii_lowercase(), set.key_type, None);
        typical.key.parameter_set = Some(set.number);
        keys.push(typical);
    }
    keys.extend([128, 192, 256].map(|bits| key(format!("aes-{bits}"), CKK_AES, Some(bits))));
    keys.push(key("des3".into(), CKK_DES3, Some(168)));
    keys.extend([128, 256].map(|bits| key(format!("secret-{bits}"), CKK_GENERIC_SECRET, Some(bits))));
    keys
}

/// The calls that do `act` with the mechanism and a typical key, each under the name of its key.
pub(super) fn calls(
    mechanism: &'static Mechanism,
    act: Act,
    keys: &[Typical],
    time: u64,
) -> Vec<(String, Known)> {
    let Some(function) = acts::function(act) else { return Vec::new() };
    let bare = Known { time: Some(time), ..Known::of(function, act, Some(mechanism.number)) };
    let mut calls = Vec::new();
    let fitting = keys.iter().filter(|typical| fits(mechanism, act, typical.key.key_type));
    let named: Vec<(String, Known)> = match act {
        Act::Digest => vec![(String::new(), bare)],
        Act::Generate | Act::GenerateKeyPair => fitting
            .map(|typical| (typical.name.clone(), Known { template: typical.key.clone(), ..bare.clone() }))
            .collect(),
        _ => fitting
            .map(|typical| (typical.name.clone(), Known { key: at_work(typical, act), ..bare.clone() }))
            .collect(),
    };
    for (name, call) in named {
        for (words, parameters) in parameters(mechanism) {
            let name = [name.as_str(), words.as_str()].join(" ").trim().to_owned();
            calls.push((name, Known { parameters, ..call.clone() }));
        }
    }
    calls
}

/// The half of the pair that does it, or the secret key.
fn at_work(typical: &Typical, act: Act) -> Thing {
    let class = match act {
        _ if !typical.key.key_type.is_some_and(is_pair) => CKO_SECRET_KEY,
        Act::Encrypt | Act::Verify | Act::VerifyRecover | Act::Wrap | Act::Encapsulate => CKO_PUBLIC_KEY,
        _ => CKO_PRIVATE_KEY,
    };
    Thing { class: Some(class), ..typical.key.clone() }
}

/// Parameters that the mechanism commonly gets, each with words for what tells them apart; at least one, if an empty
/// one.
pub(super) fn parameters(mechanism: &Mechanism) -> Vec<(String, Vec<Parameter>)> {
    const HASHES: [(&str, u64, u64, u64); 4] = [
        ("SHA-1", CKM_SHA_1, mgf::CKG_MGF1_SHA1, 20),
        ("SHA-256", CKM_SHA256, mgf::CKG_MGF1_SHA256, 32),
        ("SHA-384", CKM_SHA384, mgf::CKG_MGF1_SHA384, 48),
        ("SHA-512", CKM_SHA512, mgf::CKG_MGF1_SHA512, 64),
    ];
    let hashes = || HASHES.iter().filter(|(_, hash, ..)| mechanism.digest.is_none_or(|fixed| fixed == *hash));
    let named = |words: &str, fields: &[(Field, u64)]| {
        let fields = fields.iter().map(|(field, value)| Parameter { depth: 0, field: *field, value: *value });
        (words.to_owned(), fields.collect::<Vec<_>>())
    };
    let found: Vec<_> = match mechanism.parameter {
        Shape::RsaPkcsPss => hashes()
            .map(|(name, hash, mgf, salt)| {
                named(name, &[(Field::Hash, *hash), (Field::Mgf, *mgf), (Field::SaltLen, *salt)])
            })
            .collect(),
        Shape::RsaPkcsOaep => hashes()
            .map(|(name, hash, mgf, _)| {
                let source = (Field::Source, CKZ_DATA_SPECIFIED);
                named(name, &[(Field::Hash, *hash), (Field::Mgf, *mgf), source, (Field::SourceLen, 0)])
            })
            .collect(),
        Shape::Hkdf => hashes().map(|(name, hash, ..)| named(name, &[(Field::Hash, *hash)])).collect(),
        Shape::Iv => vec![named("", &[(Field::IvLen, if mechanism.family == Family::Aes { 16 } else { 8 })])],
        Shape::Gcm => [128, 96]
            .iter()
            .map(|bits| {
                let iv = [(Field::IvLen, 12), (Field::IvGenerator, CKG_NO_GENERATE)];
                named(&format!("tag {bits}"), &[iv[0], iv[1], (Field::TagBits, *bits)])
            })
            .collect(),
        Shape::Ccm => vec![named("", &[(Field::NonceLen, 12), (Field::MacLen, 16)])],
        Shape::MacGeneral => vec![named("", &[(Field::MacLen, 16)])],
        Shape::Ecdh1Derive => [("no KDF", kdf::CKD_NULL), ("SHA-256 KDF", kdf::CKD_SHA256_KDF)]
            .map(|(name, kdf)| named(name, &[(Field::Kdf, kdf)]))
            .into(),
        Shape::Pkcs5Pbkd2 => {
            [("SHA-1", prf::CKP_PKCS5_PBKD2_HMAC_SHA1), ("SHA-256", prf::CKP_PKCS5_PBKD2_HMAC_SHA256)]
                .map(|(name, prf)| {
                    named(name, &[(Field::Prf, prf), (Field::Iterations, 600_000), (Field::SaltLen, 16)])
                })
                .into()
        }
        _ => Vec::new(),
    };
    if found.is_empty() { vec![named("", &[])] } else { found }
}

/// The standard mechanisms that can do `act`.
pub(super) fn mechanisms(act: Act) -> impl Iterator<Item = &'static Mechanism> {
    let operation: Option<Operation> = act.operation();
    mechanism::ALL
        .iter()
        .filter(move |known| operation.is_some_and(|wanted| known.operations.contains(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_name_of_its_own_and_something_to_do() {
        let keys = keys();
        let mut names: Vec<_> = keys.iter().map(|typical| &typical.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), keys.len());
        for typical in &keys {
            let works = |act: &Act| mechanisms(*act).any(|known| fits(known, *act, typical.key.key_type));
            assert!(Act::ALL.iter().any(works), "{}", typical.name);
        }
    }

    #[test]
    fn a_mechanism_is_tried_with_its_own_keys_and_hashes_alone() {
        let pss = mechanism::by_name("CKM_SHA256_RSA_PKCS_PSS").unwrap();
        let names: Vec<_> = calls(pss, Act::Sign, &keys(), 0).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["rsa-1024 SHA-256", "rsa-2048 SHA-256", "rsa-3072 SHA-256", "rsa-4096 SHA-256"]);
        let digest = mechanism::by_name("CKM_SHA256").unwrap();
        assert_eq!(calls(digest, Act::Digest, &keys(), 0).len(), 1);
    }
}
