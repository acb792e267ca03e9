/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, ciphers and signatures: in one call and in parts, with every way of asking for a length. */

static CK_BYTE text[100] = "The quick brown fox jumps over the lazy dog, and then it sleeps until the morning comes again.";
static CK_BYTE iv[16] = "sixteen bytes iv";

/* One call of the shape (input, output, length): its length alone, too little room, then the whole. */
#define ONCE(function, session, input, length)                        \
    do {                                                              \
        CK_BYTE out_[1024];                                           \
        CK_ULONG room_ = 99999, small_ = 1;                           \
        memset(out_, 0x5a, sizeof out_);                              \
        CALL(function, session, input, length, NULL, &room_);         \
        number("needs", room_);                                       \
        /* softokn's MD5 says CKR_OK to this, and a length that it never wrote: whatever the stack held. */ \
        if (CALL(function, session, input, length, out_, &small_) != CKR_OK) \
            number("small", small_);                                  \
        bytes("left", out_, 4);                                       \
        room_ = sizeof out_;                                          \
        if (CALL(function, session, input, length, out_, &room_) == CKR_OK) { \
            bytes("out", out_, room_);                                \
            memcpy(kept, out_, room_);                                \
            kept_length = room_;                                      \
        }                                                             \
    } while (0)

static CK_BYTE kept[1024];
static CK_ULONG kept_length;

static void digests(CK_SESSION_HANDLE session) {
    static const CK_MECHANISM_TYPE kinds[] = {CKM_SHA256, CKM_SHA_1, CKM_SHA512, CKM_MD5, CKM_SHA3_256, 0x7fffffffUL};
    for (CK_ULONG i = 0; i < COUNT(kinds); i++) {
        CK_MECHANISM mechanism = {kinds[i], NULL, 0};
        CK_BYTE out[64];
        CK_ULONG length = sizeof out;
        if (CALL(C_DigestInit, session, &mechanism) != CKR_OK)
            continue;
        CALL(C_DigestInit, session, &mechanism);
        ONCE(C_Digest, session, text, sizeof text);
        CALL(C_Digest, session, text, sizeof text, out, &length);
        CALL(C_DigestInit, session, &mechanism);
        CALL(C_DigestUpdate, session, text, 40);
        CALL(C_DigestUpdate, session, NULL, 0);
        CALL(C_DigestUpdate, session, text + 40, sizeof text - 40);
        CALL(C_DigestFinal, session, NULL, &length);
        number("needs", length);
        if (CALL(C_DigestFinal, session, out, &length) == CKR_OK)
            bytes("digest", out, length);
    }
}

static void cipher(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_ULONG length) {
    CK_BYTE out[512];
    CK_ULONG done = 0, room = sizeof out;
    if (CALL(C_EncryptInit, session, mechanism, key) != CKR_OK)
        return;
    CALL(C_EncryptInit, session, mechanism, key);
    ONCE(C_Encrypt, session, text, length);
    CALL(C_DecryptInit, session, mechanism, key);
    CK_ULONG sealed_length = kept_length;
    CK_BYTE sealed[1024];
    memcpy(sealed, kept, sealed_length);
    ONCE(C_Decrypt, session, sealed, sealed_length);
    CALL(C_EncryptInit, session, mechanism, key);
    if (CALL(C_EncryptUpdate, session, text, 20, out, &room) == CKR_OK)
        done = room;
    room = sizeof out - done;
    if (CALL(C_EncryptUpdate, session, text + 20, length - 20, out + done, &room) == CKR_OK)
        done += room;
    room = sizeof out - done;
    if (CALL(C_EncryptFinal, session, out + done, &room) == CKR_OK)
        bytes("parts", out, done + room);
    sealed[sealed_length / 2] ^= 1;
    CALL(C_DecryptInit, session, mechanism, key);
    room = sizeof out;
    CALL(C_Decrypt, session, sealed, sealed_length, out, &room);
}

static void ciphers(CK_SESSION_HANDLE session) {
    CK_BYTE key_value[32] = "a fixed key of thirty-two bytes!";
    CK_ATTRIBUTE key[] = {VALUE(CKA_CLASS, secret_class), VALUE(CKA_KEY_TYPE, aes), VALUE(CKA_TOKEN, no), VALUE(CKA_PRIVATE, no),
                          VALUE(CKA_SENSITIVE, no), VALUE(CKA_EXTRACTABLE, yes), VALUE(CKA_ENCRYPT, yes), VALUE(CKA_DECRYPT, yes),
                          VALUE(CKA_WRAP, yes), VALUE(CKA_UNWRAP, yes), VALUE(CKA_VALUE, key_value), TEXT(CKA_LABEL, "fixed aes")};
    CK_OBJECT_HANDLE object = made(session, key, COUNT(key)), unwrapped = 0;
    CK_BYTE tag_data[] = "header";
    CK_GCM_PARAMS gcm = {iv, 12, 96, tag_data, sizeof tag_data - 1, 128};
    CK_AES_CTR_PARAMS ctr = {128, {0}};
    CK_MECHANISM kinds[] = {{CKM_AES_CBC_PAD, iv, 16}, {CKM_AES_CBC, iv, 16}, {CKM_AES_ECB, NULL, 0}, {CKM_AES_GCM, &gcm, sizeof gcm},
                            {CKM_AES_CTR, &ctr, sizeof ctr}, {CKM_AES_CBC, iv, 15}, {CKM_AES_CBC, NULL, 16}, {CKM_AES_GCM, NULL, 0}};
    for (CK_ULONG i = 0; i < COUNT(kinds); i++)
        cipher(session, &kinds[i], object, i == 0 ? 75 : 64);
    CALL(C_EncryptInit, session, &kinds[0], 0x7fffffffUL);
    if (careless) {
        CALL(C_EncryptInit, session, NULL, object);
        CALL(C_EncryptInit, session, &kinds[0], object);
        CALL(C_EncryptInit, session, NULL, 0);
        ONCE(C_Encrypt, session, text, 16);
    }

    CK_MECHANISM wraps[] = {{CKM_AES_KEY_WRAP, NULL, 0}, {CKM_AES_KEY_WRAP_KWP, NULL, 0}, {CKM_AES_KEY_WRAP_PAD, NULL, 0}};
    for (CK_ULONG i = 0; i < COUNT(wraps); i++) {
        CK_BYTE wrapped[128];
        CK_ULONG length = 7;
        CALL(C_WrapKey, session, &wraps[i], object, object, NULL, &length);
        number("needs", length);
        length = 3;
        CALL(C_WrapKey, session, &wraps[i], object, object, wrapped, &length);
        length = sizeof wrapped;
        if (CALL(C_WrapKey, session, &wraps[i], object, object, wrapped, &length) != CKR_OK)
            continue;
        bytes("wrapped", wrapped, length);
        if (CALL(C_UnwrapKey, session, &wraps[i], object, wrapped, length, key, 10, &unwrapped) == CKR_OK)
            attributes(session, unwrapped);
        wrapped[5] ^= 1;
        CALL(C_UnwrapKey, session, &wraps[i], object, wrapped, length, key, 10, &unwrapped);
    }
}

static void signature(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE public_key, int fixed) {
    CK_BYTE made_[512];
    CK_ULONG length = 0;
    if (CALL(C_SignInit, session, mechanism, key) != CKR_OK)
        return;
    CALL(C_Sign, session, text, 32, NULL, &length);
    number("needs", length);
    length = 1;
    CALL(C_Sign, session, text, 32, made_, &length);
    length = sizeof made_;
    if (CALL(C_Sign, session, text, 32, made_, &length) != CKR_OK)
        return;
    if (fixed)
        bytes("signature", made_, length);
    else
        number("signature", length);
    CALL(C_VerifyInit, session, mechanism, public_key);
    CALL(C_Verify, session, text, 32, made_, length);
    CALL(C_VerifyInit, session, mechanism, public_key);
    CALL(C_Verify, session, text, 31, made_, length);
    CALL(C_VerifyInit, session, mechanism, public_key);
    CALL(C_Verify, session, text, 32, made_, length - 1);
    if (CALL(C_VerifyInit, session, mechanism, public_key) == CKR_OK) {
        CALL(C_VerifyUpdate, session, text, 10);
        CALL(C_VerifyUpdate, session, text + 10, 22);
        CALL(C_VerifyFinal, session, made_, length);
    }
    if (CALL(C_SignInit, session, mechanism, key) == CKR_OK) {
        CALL(C_SignUpdate, session, text, 32);
        length = sizeof made_;
        if (CALL(C_SignFinal, session, made_, &length) == CKR_OK && fixed)
            bytes("signature", made_, length);
    }
    if (CALL(C_VerifySignatureInit, session, mechanism, public_key, made_, length) == CKR_OK)
        CALL(C_VerifySignature, session, text, 32);
}
