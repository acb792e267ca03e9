/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the scenario reports: one line per call, with the return value, and the bytes and lengths that came back.
 * Bytes that are random by nature (keys, nonces, probabilistic signatures) are reported by length only.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkcs11.h"

/* The functions by the way in that is being tried; NULL where it has none. */
static CK_FUNCTION_LIST_3_2 p11;

/* Calls and reports; the value of the expression is the return value. A function that is not there is reported too. */
#define CALL(function, ...) (p11.function ? said(#function, p11.function(__VA_ARGS__)) : absent(#function))
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static unsigned calls;

static CK_RV said(const char *function, CK_RV rv) {
    calls++;
    printf("%s 0x%lx\n", function, rv);
    return rv;
}

static CK_RV absent(const char *function) {
    printf("%s -\n", function);
    return CKR_FUNCTION_NOT_SUPPORTED;
}

static void bytes(const char *what, const void *at, CK_ULONG length) {
    printf("  %s %lu:", what, length);
    for (CK_ULONG i = 0; i < length && i < 4096; i++)
        printf("%02x", ((const unsigned char *) at)[i]);
    printf("\n");
}

/* One field: the padding around it is nobody's promise. */
#define FIELD(structure, field) bytes(#field, &(structure).field, sizeof (structure).field)

static void number(const char *what, CK_ULONG value) {
    printf("  %s %lu\n", what, value);
}

/* Handles are the module's choice: reported by the order in which they were first seen. Sessions and objects may share numbers. */
struct handles {
    CK_ULONG seen[512];
    unsigned count;
};
static struct handles sessions, objects_seen;

static void numbered(struct handles *known, const char *what, CK_ULONG value) {
    unsigned place = 0;
    while (place < known->count && known->seen[place] != value)
        place++;
    if (place == known->count && known->count < COUNT(known->seen))
        known->seen[known->count++] = value;
    printf("  %s #%u\n", what, place);
}

static void handle(const char *what, CK_OBJECT_HANDLE value) {
    numbered(&objects_seen, what, value);
}

/* Whether the module survives a NULL pointer where the standard wants one that is not: it says so by returning. */
static int careless;
