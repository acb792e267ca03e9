/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: made, found, read with every kind of partial answer, changed, copied, destroyed. */

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_OBJECT_CLASS data_class = CKO_DATA, secret_class = CKO_SECRET_KEY, private_class = CKO_PRIVATE_KEY, public_class = CKO_PUBLIC_KEY;
static CK_KEY_TYPE aes = CKK_AES, rsa = CKK_RSA, generic = CKK_GENERIC_SECRET;

#define VALUE(type, variable) {type, &(variable), sizeof(variable)}
#define TEXT(type, text) {type, (CK_VOID_PTR) (text), sizeof(text) - 1}

static CK_OBJECT_HANDLE made(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count) {
    CK_OBJECT_HANDLE object = 0;
    if (CALL(C_CreateObject, session, template, count, &object) == CKR_OK)
        handle("object", object);
    return object;
}

/* Reads lengths, then values with room for some, too little for one, and an attribute that no object has. */
static void attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
    CK_BYTE room[6][600];
    CK_ATTRIBUTE asked[] = {
        {CKA_CLASS, NULL, 0}, {CKA_LABEL, NULL, 0}, {CKA_ID, NULL, 0}, {CKA_VALUE, NULL, 0}, {CKA_KEY_TYPE, NULL, 0}, {0x7ffffff0UL, NULL, 0},
    };
    memset(room, 0x5a, sizeof room);
    CALL(C_GetAttributeValue, session, object, asked, COUNT(asked));
    for (CK_ULONG i = 0; i < COUNT(asked); i++)
        number("length", asked[i].ulValueLen);
    for (CK_ULONG i = 0; i < COUNT(asked); i++) {
        asked[i].pValue = room[i];
        asked[i].ulValueLen = i == 1 ? 2 : sizeof room[i];
    }
    CALL(C_GetAttributeValue, session, object, asked, COUNT(asked));
    for (CK_ULONG i = 0; i < COUNT(asked); i++) {
        number("length", asked[i].ulValueLen);
        bytes("room", room[i], 48);
    }
    for (CK_ULONG i = 0; i < COUNT(asked); i++) {
        asked[i].ulValueLen = sizeof room[i];
        CALL(C_GetAttributeValue, session, object, &asked[i], 1);
        number("length", asked[i].ulValueLen);
    }
    CALL(C_GetAttributeValue, session, object, asked, 0);
}

static CK_SESSION_HANDLE asking;

/* The class of an object, and what kind it is within its class. */
static void described(CK_OBJECT_HANDLE object, CK_ULONG about[2]) {
    static const CK_ATTRIBUTE_TYPE kinds[] = {CKA_MECHANISM_TYPE, CKA_PROFILE_ID, CKA_KEY_TYPE};
    CK_ATTRIBUTE class[] = {{CKA_CLASS, &about[0], sizeof about[0]}};
    about[0] = about[1] = 0;
    p11.C_GetAttributeValue(asking, object, class, 1);
    for (CK_ULONG i = 0; i < COUNT(kinds) && about[1] == 0; i++) {
        CK_ATTRIBUTE kind[] = {{kinds[i], &about[1], sizeof about[1]}};
        if (p11.C_GetAttributeValue(asking, object, kind, 1) != CKR_OK)
            about[1] = 0;
    }
}

static int by_kind(const void *one, const void *other) {
    CK_OBJECT_HANDLE a = *(const CK_OBJECT_HANDLE *) one, b = *(const CK_OBJECT_HANDLE *) other;
    CK_ULONG of_a[2], of_b[2];
    described(a, of_a);
    described(b, of_b);
    for (int i = 0; i < 2; i++)
        if (of_a[i] != of_b[i])
            return of_a[i] < of_b[i] ? -1 : 1;
    return (a > b) - (a < b);
}

/* A search in steps of three. Its order is the module's choice: what was found is reported in order of kind. */
static CK_ULONG found(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *all, CK_ULONG room) {
    CK_ULONG got = 0, sum = 0;
    CALL(C_FindObjects, session, all, 3, &got);
    if (CALL(C_FindObjectsInit, session, template, count) != CKR_OK)
        return 0;
    CALL(C_FindObjectsInit, session, template, count);
    do {
        got = 0;
        if (CALL(C_FindObjects, session, all + sum, 3, &got) != CKR_OK)
            break;
        number("found", got);
        sum += got;
    } while (got > 0 && sum + 3 <= room);
    CALL(C_FindObjectsFinal, session);
    CALL(C_FindObjectsFinal, session);
    asking = session;
    qsort(all, sum, sizeof *all, by_kind);
    for (CK_ULONG i = 0; i < sum; i++)
        handle("object", all[i]);
    return sum;
}

static void every_object(CK_SESSION_HANDLE session) {
    CK_OBJECT_HANDLE all[480];
    CK_ULONG sum = found(session, NULL, 0, all, COUNT(all));
    for (CK_ULONG i = 0; i < sum; i++)
        attributes(session, all[i]);
}

static void objects(CK_SESSION_HANDLE session) {
    CK_ATTRIBUTE data[] = {VALUE(CKA_CLASS, data_class), VALUE(CKA_TOKEN, no), VALUE(CKA_PRIVATE, no), TEXT(CKA_LABEL, "a note"),
                           TEXT(CKA_APPLICATION, "scenario"), TEXT(CKA_VALUE, "what it says")};
    CK_ATTRIBUTE broken[] = {VALUE(CKA_CLASS, data_class), VALUE(CKA_MODULUS_BITS, data_class)};
    CK_ATTRIBUTE label[] = {TEXT(CKA_LABEL, "another note")};
    CK_ULONG size = 0;
    CK_OBJECT_HANDLE copy = 0, object = made(session, data, COUNT(data));
    made(session, broken, COUNT(broken));
    attributes(session, object);
    if (CALL(C_GetObjectSize, session, object, &size) == CKR_OK)
        number("size", size);
    CALL(C_SetAttributeValue, session, object, label, 1);
    if (CALL(C_CopyObject, session, object, label, 1, &copy) == CKR_OK)
        handle("copy", copy);
    attributes(session, copy);
    CK_OBJECT_HANDLE all[480];
    found(session, data, 1, all, COUNT(all));
    found(session, NULL, 0, all, COUNT(all));
    CALL(C_DestroyObject, session, copy);
    CALL(C_DestroyObject, session, copy);
    attributes(session, copy);
}
