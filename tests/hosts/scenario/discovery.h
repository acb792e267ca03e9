/* SPDX-License-Identifier: Apache-2.0 */
/* What the module says of itself, its slots, tokens and mechanisms, by every path of the calls that give lists. */

static void library(void) {
    CK_INFO info;
    if (CALL(C_GetInfo, &info) == CKR_OK) {
        FIELD(info, cryptokiVersion);
        FIELD(info, manufacturerID);
        FIELD(info, flags);
        FIELD(info, libraryDescription);
        FIELD(info, libraryVersion);
    }
}

static CK_ULONG slots(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG room) {
    CK_ULONG count = 77, small = 0;
    CALL(C_GetSlotList, present, NULL, &count);
    number("count", count);
    CALL(C_GetSlotList, present, list, &small);
    number("too small", small);
    if (CALL(C_GetSlotList, present, list, &room) != CKR_OK)
        return 0;
    bytes("slots", list, room * sizeof *list);
    return room;
}

static void slot(CK_SLOT_ID id) {
    CK_SLOT_INFO about;
    CK_TOKEN_INFO token;
    if (CALL(C_GetSlotInfo, id, &about) == CKR_OK) {
        FIELD(about, slotDescription);
        FIELD(about, manufacturerID);
        FIELD(about, flags);
        FIELD(about, hardwareVersion);
        FIELD(about, firmwareVersion);
    }
    if (CALL(C_GetTokenInfo, id, &token) == CKR_OK) {
        /* No padding between the fields; the time is the only one that goes on by itself. */
        bytes("token", &token, offsetof(CK_TOKEN_INFO, hardwareVersion));
        FIELD(token, hardwareVersion);
        FIELD(token, firmwareVersion);
    }
}

static void mechanisms(CK_SLOT_ID id) {
    CK_MECHANISM_TYPE list[1024];
    CK_ULONG count = 0, small = 1, room = COUNT(list);
    CALL(C_GetMechanismList, id, NULL, &count);
    number("count", count);
    CALL(C_GetMechanismList, id, list, &small);
    number("too small", small);
    if (CALL(C_GetMechanismList, id, list, &room) != CKR_OK)
        return;
    bytes("list", list, room * sizeof *list);
    for (CK_ULONG i = 0; i < room; i++) {
        CK_MECHANISM_INFO info;
        if (CALL(C_GetMechanismInfo, id, list[i], &info) == CKR_OK)
            bytes("mechanism", &info, sizeof info);
    }
    CK_MECHANISM_INFO info;
    CALL(C_GetMechanismInfo, id, 0x7fffffffUL, &info);
    CALL(C_GetMechanismInfo, 0x7fffffffUL, CKM_SHA256, &info);
}
