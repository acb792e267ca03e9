/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and users: what opens, what is refused, what a session says of itself. */

static void session_info(CK_SESSION_HANDLE session) {
    CK_SESSION_INFO info;
    if (CALL(C_GetSessionInfo, session, &info) == CKR_OK)
        bytes("session", &info, sizeof info);
}

static CK_SESSION_HANDLE session(CK_SLOT_ID slot, CK_FLAGS flags) {
    CK_SESSION_HANDLE opened = 0;
    if (CALL(C_OpenSession, slot, flags, NULL, NULL, &opened) == CKR_OK) {
        numbered(&sessions, "session", opened);
        session_info(opened);
    }
    return opened;
}

static void refused_sessions(CK_SLOT_ID slot) {
    CK_SESSION_HANDLE none = 12345;
    CALL(C_OpenSession, slot, 0, NULL, NULL, &none);
    number("untouched", none);
    CALL(C_OpenSession, 0x7fffffffUL, CKF_SERIAL_SESSION, NULL, NULL, &none);
    if (careless)
        CALL(C_OpenSession, slot, CKF_SERIAL_SESSION, NULL, NULL, NULL);
    CALL(C_CloseSession, 0x7fffffffUL);
    session_info(0x7fffffffUL);
}

static void login(CK_SESSION_HANDLE session, const char *pin) {
    CK_UTF8CHAR wrong[] = "not the pin", right[64];
    CK_ULONG length = (CK_ULONG) strlen(pin);
    memcpy(right, pin, length);
    CALL(C_Login, session, 99, right, length);
    if (careless)
        CALL(C_Login, session, CKU_USER, NULL, length);
    CALL(C_Login, session, CKU_USER, wrong, sizeof wrong - 1);
    CALL(C_Login, session, CKU_USER, right, length);
    CALL(C_Login, session, CKU_USER, right, length);
    session_info(session);
}

/* What nearly every module refuses: its way of refusing must come through. */
static void leftovers(CK_SESSION_HANDLE session) {
    CK_BYTE state[512];
    CK_ULONG length = sizeof state;
    CK_SLOT_ID changed;
    CK_FLAGS flags;
    CALL(C_GetFunctionStatus, session);
    CALL(C_CancelFunction, session);
    CALL(C_GetOperationState, session, state, &length);
    CALL(C_WaitForSlotEvent, CKF_DONT_BLOCK, &changed, NULL);
    CALL(C_GetSessionValidationFlags, session, 1, &flags);
    CALL(C_SessionCancel, session, CKF_SIGN | CKF_DIGEST);
}
