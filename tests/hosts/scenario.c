/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenario: scenario MODULE PIN [RESERVED]. A C application that uses a module in every way it can think of, by the
 * exported symbols and by the table of each version, and prints all that came back. Run over the bare module and
 * through the shim, its output must be the same.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "scenario/say.h"

#include "scenario/discovery.h"
#include "scenario/sessions.h"
#include "scenario/objects.h"
#include "scenario/operations.h"
#include "scenario/keys.h"
#include "scenario/messages.h"

static const CK_BYTE tables[][2] = {{2, 40}, {3, 0}, {3, 2}};

/* Fills p11 by the exported symbols. */
static int by_symbols(void *module) {
    memset(&p11, 0, sizeof p11);
#define P11_FUNCTION(major, minor, name, parameters, arguments) p11.name = (CK_##name) dlsym(module, #name);
#include "pkcs11-functions.h"
    return p11.C_GetFunctionList != NULL;
}

static void copied(const CK_VERSION *table, size_t size) {
    CK_FUNCTION_LIST_3_2 whole;
    memset(&whole, 0, sizeof whole);
    memcpy(&whole, table, size);
    p11 = whole;
}

/* Fills p11 by the table of a version; 0 where the module has none. */
static int by_table(void *module, CK_BYTE major, CK_BYTE minor) {
    if (!by_symbols(module))
        return 0;
    if (major == 2) {
        CK_FUNCTION_LIST_PTR list = NULL;
        if (p11.C_GetFunctionList(&list) != CKR_OK || list == NULL)
            return 0;
        copied(&list->version, sizeof *list);
        return 1;
    }
    CK_VERSION version = {major, minor};
    CK_INTERFACE_PTR found = NULL;
    if (p11.C_GetInterface == NULL || p11.C_GetInterface((CK_UTF8CHAR_PTR) "PKCS 11", &version, &found, 0) != CKR_OK || found == NULL)
        return 0;
    copied(found->pFunctionList, minor == 0 ? sizeof(CK_FUNCTION_LIST_3_0) : sizeof(CK_FUNCTION_LIST_3_2));
    return 1;
}

/* Fills p11 by the exported symbols, and what a module does not export from the first of its tables that has it. */
static void by_any(void *module) {
    CK_FUNCTION_LIST_3_2 whole;
    by_symbols(module);
    whole = p11;
    for (unsigned i = 0; i < COUNT(tables); i++) {
        if (!by_table(module, tables[i][0], tables[i][1]))
            continue;
#define P11_FUNCTION(major, minor, name, parameters, arguments) if (whole.name == NULL) whole.name = p11.name;
#include "pkcs11-functions.h"
    }
    p11 = whole;
}

static void use(CK_SLOT_ID id, const char *pin) {
    slot(id);
    mechanisms(id);
    refused_sessions(id);
    CK_SESSION_HANDLE reads = session(id, CKF_SERIAL_SESSION), writes = session(id, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    if (writes == 0)
        writes = reads;
    every_object(reads);
    login(writes, pin);
    session_info(reads);
    digests(writes);
    objects(writes);
    ciphers(writes);
    fixed_rsa(writes);
    generated(writes);
    /* In a session of its own: what refused above may have left an operation active. */
    CK_SESSION_HANDLE fresh = session(id, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    lattices(fresh);
    messages(fresh);
    leftovers(writes);
    CALL(C_Logout, writes);
    CALL(C_Logout, writes);
    CALL(C_CloseSession, writes);
    session_info(writes);
    CALL(C_CloseAllSessions, id);
    session_info(reads);
}

static void whole(const char *pin, char *reserved) {
    CK_C_INITIALIZE_ARGS args = {NULL, NULL, NULL, NULL, CKF_OS_LOCKING_OK, reserved};
    CK_SLOT_ID list[16];
    CK_FUNCTION_LIST_PTR list_of_2 = NULL;
    sessions.count = objects_seen.count = 0;
    careless = reserved == NULL;
    CALL(C_GetFunctionList, &list_of_2);
    library();
    CALL(C_Finalize, NULL);
    if (reserved == NULL) {
        CALL(C_Initialize, NULL);
        library();
        CALL(C_Finalize, NULL);
    }
    if (CALL(C_Initialize, &args) != CKR_OK)
        return;
    CALL(C_Initialize, &args);
    library();
    slots(CK_FALSE, list, COUNT(list));
    CK_ULONG count = slots(CK_TRUE, list, COUNT(list));
    for (CK_ULONG i = 0; i < count && i < 3; i++)
        use(list[i], pin);
    CALL(C_Finalize, reserved ? NULL : (CK_VOID_PTR) list);
    CALL(C_Finalize, NULL);
    library();
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    void *module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (module == NULL) {
        printf("load %s\n", dlerror());
        return 1;
    }
    if (!by_symbols(module))
        return 1;
    printf("== exports\n");
    by_any(module);
    whole(argv[2], argc > 3 ? argv[3] : NULL);
    for (unsigned i = 0; i < COUNT(tables); i++) {
        printf("== table %d.%d\n", tables[i][0], tables[i][1]);
        if (by_table(module, tables[i][0], tables[i][1]))
            whole(argv[2], argc > 3 ? argv[3] : NULL);
    }
    printf("calls %u\n", calls);
    return 0;
}
