// SPDX-License-Identifier: Apache-2.0
//! The one list of curves, one line each:
//! `NAME | OTHER NAMES, IDENTIFIER / OTHER IDENTIFIER, FORM, bits, strength, PRINTABLE NAME;`
//! Append only: places in the list are wire numbers.

use super::{Curve, Form};

macro_rules! curves {
    ($($name:literal $(| $alias:literal)*, $($($arc:literal)+)/ +,
        $form:ident, $bits:literal, $strength:literal $(, $printable:literal)?;)*) => {
        /// Every known curve. A curve keeps its place for ever.
        pub static ALL: &[Curve] = &[$(Curve {
            name: $name,
            aliases: &[$($alias),*],
            oids: &[$(&[$($arc),+]),+],
            printable: concat!($($printable)?),
            form: Form::$form,
            bits: $bits,
            strength: $strength,
        }),*];
    };
}

curves! {
    // NIST, FIPS 186 and SEC 2.
    "P-256" | "secp256r1" | "prime256v1", 1 2 840 10045 3 1 7, Prime, 256, 128, "secp256r1";
    "P-384" | "secp384r1", 1 3 132 0 34, Prime, 384, 192, "secp384r1";
    "P-521" | "secp521r1", 1 3 132 0 35, Prime, 521, 260, "secp521r1";
    "P-224" | "secp224r1", 1 3 132 0 33, Prime, 224, 112, "secp224r1";
    "P-192" | "secp192r1" | "prime192v1", 1 2 840 10045 3 1 1, Prime, 192, 96, "secp192r1";
    // RFC 8410; the second identifiers are those that GnuPG and its cards use.
    "Ed25519" | "edwards25519", 1 3 101 112 / 1 3 6 1 4 1 11591 15 1, Edwards, 255, 126, "edwards25519";
    "Ed448" | "edwards448", 1 3 101 113, Edwards, 448, 223, "edwards448";
    "X25519" | "curve25519", 1 3 101 110 / 1 3 6 1 4 1 3029 1 5 1, Montgomery, 255, 126, "curve25519";
    "X448" | "curve448", 1 3 101 111, Montgomery, 448, 223, "curve448";
    // SEC 2, the others over prime fields.
    "secp256k1", 1 3 132 0 10, Prime, 256, 128, "secp256k1";
    "secp224k1", 1 3 132 0 32, Prime, 224, 112, "secp224k1";
    "secp192k1", 1 3 132 0 31, Prime, 192, 96, "secp192k1";
    "secp160r1", 1 3 132 0 8, Prime, 160, 80, "secp160r1";
    "secp160r2", 1 3 132 0 30, Prime, 160, 80, "secp160r2";
    "secp160k1", 1 3 132 0 9, Prime, 160, 80, "secp160k1";
    "secp128r1", 1 3 132 0 28, Prime, 128, 64, "secp128r1";
    "secp128r2", 1 3 132 0 29, Prime, 128, 63, "secp128r2";
    "secp112r1", 1 3 132 0 6, Prime, 112, 56, "secp112r1";
    "secp112r2", 1 3 132 0 7, Prime, 112, 55, "secp112r2";
    // ANSI X9.62, the others over prime fields.
    "prime192v2", 1 2 840 10045 3 1 2, Prime, 192, 96;
    "prime192v3", 1 2 840 10045 3 1 3, Prime, 192, 96;
    "prime239v1", 1 2 840 10045 3 1 4, Prime, 239, 119;
    "prime239v2", 1 2 840 10045 3 1 5, Prime, 239, 119;
    "prime239v3", 1 2 840 10045 3 1 6, Prime, 239, 119;
    // RFC 5639.
    "brainpoolP160r1", 1 3 36 3 3 2 8 1 1 1, Prime, 160, 80, "brainpoolP160r1";
    "brainpoolP160t1", 1 3 36 3 3 2 8 1 1 2, Prime, 160, 80, "brainpoolP160t1";
    "brainpoolP192r1", 1 3 36 3 3 2 8 1 1 3, Prime, 192, 96, "brainpoolP192r1";
    "brainpoolP192t1", 1 3 36 3 3 2 8 1 1 4, Prime, 192, 96, "brainpoolP192t1";
    "brainpoolP224r1", 1 3 36 3 3 2 8 1 1 5, Prime, 224, 112, "brainpoolP224r1";
    "brainpoolP224t1", 1 3 36 3 3 2 8 1 1 6, Prime, 224, 112, "brainpoolP224t1";
    "brainpoolP256r1", 1 3 36 3 3 2 8 1 1 7, Prime, 256, 128, "brainpoolP256r1";
    "brainpoolP256t1", 1 3 36 3 3 2 8 1 1 8, Prime, 256, 128, "brainpoolP256t1";
    "brainpoolP320r1", 1 3 36 3 3 2 8 1 1 9, Prime, 320, 160, "brainpoolP320r1";
    "brainpoolP320t1", 1 3 36 3 3 2 8 1 1 10, Prime, 320, 160, "brainpoolP320t1";
    "brainpoolP384r1", 1 3 36 3 3 2 8 1 1 11, Prime, 384, 192, "brainpoolP384r1";
    "brainpoolP384t1", 1 3 36 3 3 2 8 1 1 12, Prime, 384, 192, "brainpoolP384t1";
    "brainpoolP512r1", 1 3 36 3 3 2 8 1 1 13, Prime, 512, 256, "brainpoolP512r1";
    "brainpoolP512t1", 1 3 36 3 3 2 8 1 1 14, Prime, 512, 256, "brainpoolP512t1";
    // ANSSI; SM2 of GB/T 32918.
    "FRP256v1", 1 2 250 1 223 101 256 1, Prime, 256, 128;
    "SM2", 1 2 156 10197 1 301, Prime, 256, 128;
    // NIST and SEC 2 over binary fields.
    "B-163" | "sect163r2", 1 3 132 0 15, Binary, 163, 81, "sect163r2";
    "K-163" | "sect163k1", 1 3 132 0 1, Binary, 163, 81, "sect163k1";
    "B-233" | "sect233r1", 1 3 132 0 27, Binary, 233, 116, "sect233r1";
    "K-233" | "sect233k1", 1 3 132 0 26, Binary, 233, 115, "sect233k1";
    "B-283" | "sect283r1", 1 3 132 0 17, Binary, 283, 141, "sect283r1";
    "K-283" | "sect283k1", 1 3 132 0 16, Binary, 283, 140, "sect283k1";
    "B-409" | "sect409r1", 1 3 132 0 37, Binary, 409, 204, "sect409r1";
    "K-409" | "sect409k1", 1 3 132 0 36, Binary, 409, 203, "sect409k1";
    "B-571" | "sect571r1", 1 3 132 0 39, Binary, 571, 285, "sect571r1";
    "K-571" | "sect571k1", 1 3 132 0 38, Binary, 571, 284, "sect571k1";
    "sect113r1", 1 3 132 0 4, Binary, 113, 56, "sect113r1";
    "sect113r2", 1 3 132 0 5, Binary, 113, 56, "sect113r2";
    "sect131r1", 1 3 132 0 22, Binary, 131, 65, "sect131r1";
    "sect131r2", 1 3 132 0 23, Binary, 131, 65, "sect131r2";
    "sect163r1", 1 3 132 0 2, Binary, 163, 81, "sect163r1";
    "sect193r1", 1 3 132 0 24, Binary, 193, 96, "sect193r1";
    "sect193r2", 1 3 132 0 25, Binary, 193, 96, "sect193r2";
    "sect239k1", 1 3 132 0 3, Binary, 239, 118, "sect239k1";
}
