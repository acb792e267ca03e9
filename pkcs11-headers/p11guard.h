/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What p11guard offers beyond PKCS#11: an interface of its own, found with
 *
 *     CK_INTERFACE_PTR found;
 *     if (C_GetInterface((CK_UTF8CHAR_PTR) P11GUARD_INTERFACE, NULL_PTR, &found, 0) == CKR_OK)
 *         functions = (struct p11guard_functions *) found->pFunctionList;
 *
 * An application that finds none is not guarded by p11guard and loses nothing by going on without it.
 */
#ifndef P11GUARD_H
#define P11GUARD_H

#include "pkcs11.h"

#ifdef __cplusplus
extern "C" {
#endif

#define P11GUARD_INTERFACE "Vendor p11guard"

struct p11guard_functions {
    /* 1.0. A later minor version adds functions at the end and changes none. */
    CK_VERSION version;

    /*
     * Names the span that the PKCS#11 calls of this thread belong to, from now until the next call of this function
     * by this thread. Their events then carry the trace, so that they appear in the application's OpenTelemetry traces.
     *
     * traceparent: text as the header of that name in W3C Trace Context, terminated by a zero byte, such as
     * "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01". It is read before the function returns and not kept.
     * NULL takes it back: the calls belong to the span that TRACEPARENT named when the process started, or to none.
     *
     * CKR_OK; or CKR_ARGUMENTS_BAD where the text is malformed, which leaves what was set before as it was.
     * Needs no session and no C_Initialize, never reaches the vendor's module, and is itself no event.
     */
    CK_RV (*SetTraceContext)(const char *traceparent);
};

#ifdef __cplusplus
}
#endif

#endif
