/* SPDX-License-Identifier: Apache-2.0 */
/* A library that exports every function of PKCS#11 and refuses every call: preloaded, it must capture nobody. */
#include "pkcs11.h"

#define P11_FUNCTION(major, minor, name, parameters, arguments) CK_RV name parameters { return CKR_DEVICE_REMOVED; }
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "pkcs11-functions.h"
