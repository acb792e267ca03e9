// SPDX-License-Identifier: Apache-2.0
//! Keys made with templates that say little, and what a token says of them afterwards: `keys MODULE make` makes
//! token objects in every way there is, `keys MODULE read` tells their attributes.

use cryptoki_sys::*;

use crate::attacks::run;
use crate::attacks::session::{Handle, Refused, Session, Told, plain, with};
use crate::attacks::template::Template;

/// What is told of every object, where it has it.
const TOLD: [(CK_ATTRIBUTE_TYPE, &str); 10] = [
    (CKA_PRIVATE, "private"),
    (CKA_SENSITIVE, "sensitive"),
    (CKA_EXTRACTABLE, "extractable"),
    (CKA_MODIFIABLE, "modifiable"),
    (CKA_COPYABLE, "copyable"),
    (CKA_WRAP_WITH_TRUSTED, "wrap_with_trusted"),
    (CKA_END_DATE, "end"),
    (CKA_KEY_TYPE, "type"),
    (CKA_VALUE_LEN, "bytes"),
    (CKA_MODULUS_BITS, "bits"),
];

/// `MODULE make|read [RESERVED]`.
pub(crate) fn keys(arguments: &[String]) {
    let what = arguments.get(1).map_or("", String::as_str);
    run(arguments, |session| match what {
        "make" => make(session),
        _ => {
            if let Err(Refused { step, rv }) = read(session) {
                println!("refused {step} {rv:#x}");
            }
        }
    });
}

fn object(class: CK_OBJECT_CLASS, label: &str) -> Template {
    Template::default().number(CKA_CLASS, class).flag(CKA_TOKEN, true).label(label)
}

fn secret(label: &str) -> Template {
    object(CKO_SECRET_KEY, label).number(CKA_KEY_TYPE, CKK_AES)
}

fn make(session: &Session) {
    let key = |label: &str| secret(label).number(CKA_VALUE_LEN, 32);
    let told = |name: &str, made: Told<Handle>| {
        match made {
            Ok(_) => println!("{name} made"),
            Err(Refused { step, rv }) => println!("{name} refused {step} {rv:#x}"),
        }
        made.unwrap_or(CK_INVALID_HANDLE)
    };
    let make = |template: &Template| session.generate(CKM_AES_KEY_GEN, template);
    told("generated", make(&key("generated")));
    told("open", make(&key("open").readable().flag(CKA_PRIVATE, false).bytes(CKA_END_DATE, b"20990101")));
    told("visible", make(&key("visible").flag(CKA_PRIVATE, false)));
    told("later", make(&key("later").flag(CKA_PRIVATE, false).bytes(CKA_START_DATE, b"20980101")));
    told("half-said", make(&key("half-said").flag(CKA_SENSITIVE, false)));
    let long = (0..70).fold(key("long"), |long, _| long.again(CKA_MODIFIABLE, 1));
    told("long", make(&long));
    let public = Template::default()
        .flag(CKA_TOKEN, true)
        .label("pair")
        .number(CKA_MODULUS_BITS, 2048)
        .bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1]);
    let private = Template::default().flag(CKA_TOKEN, true).label("pair").flag(CKA_SIGN, true);
    told("pair", session.pair(CKM_RSA_PKCS_KEY_PAIR_GEN, &public, &private).map(|(_, private)| private));
    told("imported", session.create(&secret("imported").bytes(CKA_VALUE, &[7; 16])));
    told("data", session.create(&object(CKO_DATA, "data").bytes(CKA_VALUE, b"no key")));
    let uses = [CKA_WRAP, CKA_UNWRAP, CKA_DERIVE, CKA_ENCRYPT];
    let wrapping = told("wrapping", make(&key("wrapping").can(uses).flag(CKA_EXTRACTABLE, false)));
    let wrap = plain(CKM_AES_KEY_WRAP);
    let movable =
        make(&secret("moved").number(CKA_VALUE_LEN, 16).flag(CKA_EXTRACTABLE, true).flag(CKA_TOKEN, false));
    let blob = movable.and_then(|key| session.wrap(wrap, wrapping, key));
    told("unwrapped", blob.and_then(|blob| session.unwrap(wrap, wrapping, &blob, &secret("unwrapped"))));
    told("copied", session.copy(wrapping, &Template::default().label("copied")));
    let data = [9_u8; 32];
    let string = CK_KEY_DERIVATION_STRING_DATA { pData: data.as_ptr().cast_mut(), ulLen: 32 };
    let derive = with(CKM_AES_ECB_ENCRYPT_DATA, &string);
    told("derived", session.derive(derive, wrapping, &secret("derived").number(CKA_VALUE_LEN, 32)));
}

fn read(session: &Session) -> Told<()> {
    let names = [
        "generated",
        "open",
        "visible",
        "later",
        "half-said",
        "long",
        "pair",
        "imported",
        "data",
        "wrapping",
        "unwrapped",
    ];
    for name in names.into_iter().chain(["copied", "derived"]) {
        for handle in session.find(&Template::default().label(name))? {
            let class = session.read(handle, CKA_CLASS)?;
            let mut line = format!("{name} class={}", number(&class));
            for (attribute, word) in TOLD {
                if let Ok(value) = session.read(handle, attribute) {
                    let value = match value.as_slice() {
                        [truth] => (*truth != 0).to_string(),
                        date if attribute == CKA_END_DATE => String::from_utf8_lossy(date).into_owned(),
                        bytes => number(bytes).to_string(),
                    };
                    line += &format!(" {word}={value}");
                }
            }
            println!("{line}");
        }
    }
    Ok(())
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u64::from_ne_bytes).unwrap_or(u64::MAX)
}
