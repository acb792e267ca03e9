/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS#11 3.0: many messages in one operation, whole and in parts, with the tag and IV that the token writes. */

static void messages(CK_SESSION_HANDLE session) {
    CK_BYTE key_value[16] = "another fixed k", nonce[12] = "twelve bytes", tag[16], sealed[128], opened[128], header[] = "header";
    CK_ATTRIBUTE key[] = {VALUE(CKA_CLASS, secret_class), VALUE(CKA_KEY_TYPE, aes), VALUE(CKA_TOKEN, no), VALUE(CKA_ENCRYPT, yes),
                          VALUE(CKA_DECRYPT, yes), VALUE(CKA_VALUE, key_value)};
    CK_GCM_MESSAGE_PARAMS gcm = {nonce, sizeof nonce, 0, CKG_NO_GENERATE, tag, 128};
    CK_MECHANISM mechanism = {CKM_AES_GCM, &gcm, sizeof gcm};
    CK_ULONG length, room;
    CK_OBJECT_HANDLE object = made(session, key, COUNT(key));
    memset(tag, 0, sizeof tag);
    if (CALL(C_MessageEncryptInit, session, &mechanism, object) == CKR_OK) {
        for (int i = 0; i < 2; i++) {
            length = sizeof sealed;
            nonce[0]++;
            if (CALL(C_EncryptMessage, session, &gcm, sizeof gcm, header, 6, text, 50, sealed, &length) == CKR_OK) {
                bytes("sealed", sealed, length);
                bytes("tag", tag, sizeof tag);
            }
        }
        CALL(C_EncryptMessageBegin, session, &gcm, sizeof gcm, header, 6);
        room = sizeof sealed;
        if (CALL(C_EncryptMessageNext, session, &gcm, sizeof gcm, text, 50, sealed, &room, CKF_END_OF_MESSAGE) == CKR_OK) {
            bytes("sealed", sealed, room);
            bytes("tag", tag, sizeof tag);
        }
        CALL(C_MessageEncryptFinal, session);
        CALL(C_MessageEncryptFinal, session);
    }
    if (CALL(C_MessageDecryptInit, session, &mechanism, object) == CKR_OK) {
        room = sizeof opened;
        if (CALL(C_DecryptMessage, session, &gcm, sizeof gcm, header, 6, sealed, 50, opened, &room) == CKR_OK)
            bytes("opened", opened, room);
        tag[0] ^= 1;
        room = sizeof opened;
        CALL(C_DecryptMessage, session, &gcm, sizeof gcm, header, 6, sealed, 50, opened, &room);
        CALL(C_MessageDecryptInit, session, NULL, 0);
        CALL(C_MessageDecryptFinal, session);
    }
    CALL(C_MessageSignInit, session, &mechanism, object);
    CALL(C_MessageVerifyInit, session, &mechanism, object);
    CALL(C_EncryptMessage, session, &gcm, sizeof gcm, header, 6, text, 50, sealed, &length);
}
