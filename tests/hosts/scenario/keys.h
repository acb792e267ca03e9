/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: a fixed RSA pair, generated pairs of several kinds, agreement, encapsulation. */
#include "rsa.h"

static void fixed_rsa(CK_SESSION_HANDLE session) {
    CK_ATTRIBUTE private_key[] = {
        VALUE(CKA_CLASS, private_class), VALUE(CKA_KEY_TYPE, rsa), VALUE(CKA_TOKEN, no), VALUE(CKA_PRIVATE, yes), VALUE(CKA_SIGN, yes),
        VALUE(CKA_DECRYPT, yes), TEXT(CKA_ID, "\001\002"), VALUE(CKA_MODULUS, rsa_modulus), VALUE(CKA_PUBLIC_EXPONENT, rsa_public_exponent),
        VALUE(CKA_PRIVATE_EXPONENT, rsa_private_exponent), VALUE(CKA_PRIME_1, rsa_prime_1), VALUE(CKA_PRIME_2, rsa_prime_2),
        VALUE(CKA_EXPONENT_1, rsa_exponent_1), VALUE(CKA_EXPONENT_2, rsa_exponent_2), VALUE(CKA_COEFFICIENT, rsa_coefficient)};
    CK_ATTRIBUTE public_key[] = {
        VALUE(CKA_CLASS, public_class), VALUE(CKA_KEY_TYPE, rsa), VALUE(CKA_TOKEN, no), VALUE(CKA_PRIVATE, no), VALUE(CKA_VERIFY, yes),
        VALUE(CKA_ENCRYPT, yes), VALUE(CKA_MODULUS, rsa_modulus), VALUE(CKA_PUBLIC_EXPONENT, rsa_public_exponent)};
    CK_OBJECT_HANDLE secret = made(session, private_key, COUNT(private_key)), shown = made(session, public_key, COUNT(public_key));
    CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32}, broken = {CKM_MD5, 99, 5000};
    CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0};
    CK_MECHANISM kinds[] = {{CKM_RSA_PKCS, NULL, 0}, {CKM_SHA256_RSA_PKCS, NULL, 0}, {CKM_RSA_X_509, NULL, 0}, {CKM_RSA_PKCS_PSS, &pss, sizeof pss},
                            {CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof pss}, {CKM_SHA256_RSA_PKCS_PSS, &broken, sizeof broken}, {CKM_SHA1_RSA_PKCS, NULL, 0}};
    for (CK_ULONG i = 0; i < COUNT(kinds); i++)
        signature(session, &kinds[i], secret, shown, kinds[i].pParameter == NULL);
    CK_MECHANISM hides[] = {{CKM_RSA_PKCS, NULL, 0}, {CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep}};
    for (CK_ULONG i = 0; i < COUNT(hides); i++) {
        CK_BYTE sealed[512];
        CK_ULONG length = sizeof sealed;
        if (CALL(C_EncryptInit, session, &hides[i], shown) != CKR_OK || CALL(C_Encrypt, session, text, 20, sealed, &length) != CKR_OK)
            continue;
        number("sealed", length);
        if (CALL(C_DecryptInit, session, &hides[i], secret) == CKR_OK)
            ONCE(C_Decrypt, session, sealed, length);
    }
    attributes(session, shown);
    CALL(C_SignInit, session, &kinds[0], shown);
    CALL(C_SignRecoverInit, session, &kinds[0], secret);
    CALL(C_VerifyRecoverInit, session, &kinds[0], shown);
}

static int pair(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE kind, CK_ATTRIBUTE *extra, CK_ATTRIBUTE_TYPE uses, CK_ATTRIBUTE_TYPE used,
                CK_OBJECT_HANDLE *shown, CK_OBJECT_HANDLE *secret) {
    CK_MECHANISM mechanism = {kind, NULL, 0};
    CK_ATTRIBUTE public_template[] = {VALUE(CKA_TOKEN, no), {uses, &yes, 1}, *extra};
    CK_ATTRIBUTE private_template[] = {VALUE(CKA_TOKEN, no), {used, &yes, 1}, VALUE(CKA_SENSITIVE, yes), TEXT(CKA_LABEL, "generated")};
    if (CALL(C_GenerateKeyPair, session, &mechanism, public_template, COUNT(public_template), private_template, COUNT(private_template), shown, secret) != CKR_OK)
        return 0;
    handle("public", *shown);
    handle("private", *secret);
    return 1;
}

static void generated(CK_SESSION_HANDLE session) {
    static CK_BYTE p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    CK_ULONG bits = 2048, length = 32;
    CK_OBJECT_HANDLE shown = 0, secret = 0;
    CK_ATTRIBUTE modulus = VALUE(CKA_MODULUS_BITS, bits), curve = VALUE(CKA_EC_PARAMS, p256);
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0}, ecdsa_sha = {CKM_ECDSA_SHA256, NULL, 0}, rsa_sha = {CKM_SHA256_RSA_PKCS, NULL, 0};
    if (pair(session, CKM_RSA_PKCS_KEY_PAIR_GEN, &modulus, CKA_VERIFY, CKA_SIGN, &shown, &secret))
        signature(session, &rsa_sha, secret, shown, 0);
    if (pair(session, CKM_EC_KEY_PAIR_GEN, &curve, CKA_VERIFY, CKA_SIGN, &shown, &secret)) {
        signature(session, &ecdsa, secret, shown, 0);
        signature(session, &ecdsa_sha, secret, shown, 0);
    }
    if (pair(session, CKM_EC_KEY_PAIR_GEN, &curve, CKA_DERIVE, CKA_DERIVE, &shown, &secret)) {
        CK_BYTE point[200];
        CK_ATTRIBUTE of[] = {{CKA_EC_POINT, point, sizeof point}};
        CK_ATTRIBUTE derived[] = {VALUE(CKA_CLASS, secret_class), VALUE(CKA_KEY_TYPE, generic), VALUE(CKA_TOKEN, no), VALUE(CKA_VALUE_LEN, length)};
        CK_OBJECT_HANDLE agreed = 0;
        if (CALL(C_GetAttributeValue, session, shown, of, 1) == CKR_OK) {
            CK_ECDH1_DERIVE_PARAMS ecdh = {CKD_NULL, 0, NULL, of[0].ulValueLen, point};
            CK_MECHANISM agree = {CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh};
            if (CALL(C_DeriveKey, session, &agree, secret, derived, COUNT(derived), &agreed) == CKR_OK)
                handle("agreed", agreed);
        }
    }
    CK_MECHANISM fresh = {CKM_AES_KEY_GEN, NULL, 0}, unknown = {0x7fffffffUL, NULL, 0};
    CK_ATTRIBUTE key[] = {VALUE(CKA_TOKEN, no), VALUE(CKA_VALUE_LEN, length), VALUE(CKA_ENCRYPT, yes)};
    if (CALL(C_GenerateKey, session, &fresh, key, COUNT(key), &secret) == CKR_OK)
        handle("key", secret);
    CALL(C_GenerateKey, session, &unknown, key, COUNT(key), &secret);
    if (careless) {
        CALL(C_GenerateKey, session, NULL, key, COUNT(key), &secret);
        CALL(C_GenerateKey, session, &fresh, key, COUNT(key), NULL);
        CALL(C_GenerateRandom, session, NULL, 5);
    }
    CK_BYTE random[40];
    CALL(C_GenerateRandom, session, random, sizeof random);
    CALL(C_SeedRandom, session, text, 10);
}

/* PKCS#11 3.2: an encapsulated key is the same on both ends, and lattice signatures verify. */
static void lattices(CK_SESSION_HANDLE session) {
    CK_ULONG set = CKP_ML_KEM_768;
    CK_ATTRIBUTE parameters = VALUE(CKA_PARAMETER_SET, set);
    CK_OBJECT_HANDLE shown = 0, secret = 0, ours = 0, theirs = 0;
    if (pair(session, CKM_ML_KEM_KEY_PAIR_GEN, &parameters, CKA_ENCAPSULATE, CKA_DECAPSULATE, &shown, &secret)) {
        CK_MECHANISM kem = {CKM_ML_KEM, NULL, 0};
        CK_ATTRIBUTE shared[] = {VALUE(CKA_CLASS, secret_class), VALUE(CKA_KEY_TYPE, generic), VALUE(CKA_TOKEN, no), VALUE(CKA_SENSITIVE, no), VALUE(CKA_EXTRACTABLE, yes)};
        CK_BYTE sealed[2000], one[64], other[64];
        CK_ULONG length = 0;
        CALL(C_EncapsulateKey, session, &kem, shown, shared, COUNT(shared), NULL, &length, &ours);
        number("needs", length);
        length = sizeof sealed;
        if (CALL(C_EncapsulateKey, session, &kem, shown, shared, COUNT(shared), sealed, &length, &ours) == CKR_OK
            && CALL(C_DecapsulateKey, session, &kem, secret, shared, COUNT(shared), sealed, length, &theirs) == CKR_OK) {
            CK_ATTRIBUTE value[] = {{CKA_VALUE, one, sizeof one}, {CKA_VALUE, other, sizeof other}};
            CALL(C_GetAttributeValue, session, ours, &value[0], 1);
            CALL(C_GetAttributeValue, session, theirs, &value[1], 1);
            number("sealed", length);
            number("secret", value[0].ulValueLen);
            number("same", value[0].ulValueLen == value[1].ulValueLen && memcmp(one, other, value[0].ulValueLen) == 0);
        }
        CALL(C_DecapsulateKey, session, &kem, secret, shared, COUNT(shared), sealed, 17, &theirs);
    }
    set = CKP_ML_DSA_44;
    if (pair(session, CKM_ML_DSA_KEY_PAIR_GEN, &parameters, CKA_VERIFY, CKA_SIGN, &shown, &secret)) {
        CK_MECHANISM dsa = {CKM_ML_DSA, NULL, 0};
        CK_BYTE signed_[5000];
        CK_ULONG length = 0;
        if (CALL(C_SignInit, session, &dsa, secret) == CKR_OK) {
            CALL(C_Sign, session, text, 32, NULL, &length);
            number("needs", length);
            length = sizeof signed_;
            CALL(C_Sign, session, text, 32, signed_, &length);
            number("signature", length);
            CALL(C_VerifyInit, session, &dsa, shown);
            CALL(C_Verify, session, text, 32, signed_, length);
            CALL(C_VerifySignatureInit, session, &dsa, shown, signed_, length);
            CALL(C_VerifySignature, session, text, 32);
            CALL(C_VerifySignatureInit, session, &dsa, shown, signed_, length);
            CALL(C_VerifySignatureUpdate, session, text, 31);
            CALL(C_VerifySignatureFinal, session);
        }
    }
}
