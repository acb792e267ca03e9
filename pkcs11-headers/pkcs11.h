/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS#11 3.2 for C11 and C++: types here, numbers in pkcs11-constants.h, mechanism parameters in
 * pkcs11-parameters.h, functions in pkcs11-functions.h. Written from the facts of the specification and compared by
 * a test with an independent binding of it (README.md).
 */
#ifndef P11_H
#define P11_H

#define CRYPTOKI_VERSION_MAJOR     3
#define CRYPTOKI_VERSION_MINOR     2
#define CRYPTOKI_VERSION_AMENDMENT 0

#ifdef __cplusplus
extern "C" {
#endif

/* The specification packs structures to one byte on Windows, and nowhere else. */
#ifdef _WIN32
#pragma pack(push, 1)
#endif

typedef unsigned char CK_BYTE, *CK_BYTE_PTR;
typedef CK_BYTE CK_CHAR, *CK_CHAR_PTR;
typedef CK_BYTE CK_UTF8CHAR, *CK_UTF8CHAR_PTR;
typedef CK_BYTE CK_BBOOL, *CK_BBOOL_PTR;
typedef unsigned long CK_ULONG, *CK_ULONG_PTR;
typedef void *CK_VOID_PTR, **CK_VOID_PTR_PTR;

#define CK_FALSE 0
#define CK_TRUE  1
#ifdef __cplusplus
#define NULL_PTR nullptr
#else
#define NULL_PTR ((void *) 0)
#endif

/* No handle is ever 0; a size or count of 0 can mean "no limit", one of all ones "not told". */
#define CK_INVALID_HANDLE          0UL
#define CK_EFFECTIVELY_INFINITE    0UL
#define CK_UNAVAILABLE_INFORMATION (~0UL)

/* Numbers with a meaning: see pkcs11-constants.h. */
typedef CK_ULONG CK_RV, *CK_RV_PTR;
typedef CK_ULONG CK_FLAGS, *CK_FLAGS_PTR;
typedef CK_ULONG CK_SLOT_ID, *CK_SLOT_ID_PTR;
typedef CK_ULONG CK_SESSION_HANDLE, *CK_SESSION_HANDLE_PTR;
typedef CK_ULONG CK_OBJECT_HANDLE, *CK_OBJECT_HANDLE_PTR;
typedef CK_ULONG CK_STATE, *CK_STATE_PTR;
typedef CK_ULONG CK_USER_TYPE, *CK_USER_TYPE_PTR;
typedef CK_ULONG CK_NOTIFICATION, *CK_NOTIFICATION_PTR;
typedef CK_ULONG CK_OBJECT_CLASS, *CK_OBJECT_CLASS_PTR;
typedef CK_ULONG CK_KEY_TYPE, *CK_KEY_TYPE_PTR;
typedef CK_ULONG CK_ATTRIBUTE_TYPE, *CK_ATTRIBUTE_TYPE_PTR;
typedef CK_ULONG CK_MECHANISM_TYPE, *CK_MECHANISM_TYPE_PTR;
typedef CK_ULONG CK_CERTIFICATE_TYPE, *CK_CERTIFICATE_TYPE_PTR;
typedef CK_ULONG CK_CERTIFICATE_CATEGORY, *CK_CERTIFICATE_CATEGORY_PTR;
typedef CK_ULONG CK_JAVA_MIDP_SECURITY_DOMAIN, *CK_JAVA_MIDP_SECURITY_DOMAIN_PTR;
typedef CK_ULONG CK_HW_FEATURE_TYPE, *CK_HW_FEATURE_TYPE_PTR;
typedef CK_ULONG CK_PROFILE_ID, *CK_PROFILE_ID_PTR;
typedef CK_ULONG CK_TRUST, *CK_TRUST_PTR;
typedef CK_ULONG CK_VALIDATION_TYPE, *CK_VALIDATION_TYPE_PTR;
typedef CK_ULONG CK_VALIDATION_AUTHORITY_TYPE, *CK_VALIDATION_AUTHORITY_TYPE_PTR;
typedef CK_ULONG CK_SESSION_VALIDATION_FLAGS_TYPE, *CK_SESSION_VALIDATION_FLAGS_TYPE_PTR;
typedef CK_ULONG CK_ML_KEM_PARAMETER_SET_TYPE, *CK_ML_KEM_PARAMETER_SET_TYPE_PTR;
typedef CK_ULONG CK_ML_DSA_PARAMETER_SET_TYPE, *CK_ML_DSA_PARAMETER_SET_TYPE_PTR;
typedef CK_ULONG CK_SLH_DSA_PARAMETER_SET_TYPE, *CK_SLH_DSA_PARAMETER_SET_TYPE_PTR;
typedef CK_ULONG CK_HSS_LEVELS, *CK_HSS_LEVELS_PTR;
typedef CK_ULONG CK_LMS_TYPE, *CK_LMS_TYPE_PTR;
typedef CK_ULONG CK_LMOTS_TYPE, *CK_LMOTS_TYPE_PTR;
typedef CK_ULONG CK_XMSS_PARAMETER_SET_TYPE, *CK_XMSS_PARAMETER_SET_TYPE_PTR;
typedef CK_ULONG CK_XMSSMT_PARAMETER_SET_TYPE, *CK_XMSSMT_PARAMETER_SET_TYPE_PTR;

#include "pkcs11-constants.h"

/* Descriptions. Texts are padded with blanks and not terminated. */
typedef struct CK_VERSION {
    CK_BYTE major;
    CK_BYTE minor;
} CK_VERSION, *CK_VERSION_PTR;

typedef struct CK_INFO {
    CK_VERSION cryptokiVersion;
    CK_UTF8CHAR manufacturerID[32];
    CK_FLAGS flags;
    CK_UTF8CHAR libraryDescription[32];
    CK_VERSION libraryVersion;
} CK_INFO, *CK_INFO_PTR;

typedef struct CK_SLOT_INFO {
    CK_UTF8CHAR slotDescription[64];
    CK_UTF8CHAR manufacturerID[32];
    CK_FLAGS flags;
    CK_VERSION hardwareVersion;
    CK_VERSION firmwareVersion;
} CK_SLOT_INFO, *CK_SLOT_INFO_PTR;

typedef struct CK_TOKEN_INFO {
    CK_UTF8CHAR label[32];
    CK_UTF8CHAR manufacturerID[32];
    CK_UTF8CHAR model[16];
    CK_CHAR serialNumber[16];
    CK_FLAGS flags;
    CK_ULONG ulMaxSessionCount;
    CK_ULONG ulSessionCount;
    CK_ULONG ulMaxRwSessionCount;
    CK_ULONG ulRwSessionCount;
    CK_ULONG ulMaxPinLen;
    CK_ULONG ulMinPinLen;
    CK_ULONG ulTotalPublicMemory;
    CK_ULONG ulFreePublicMemory;
    CK_ULONG ulTotalPrivateMemory;
    CK_ULONG ulFreePrivateMemory;
    CK_VERSION hardwareVersion;
    CK_VERSION firmwareVersion;
    CK_CHAR utcTime[16];
} CK_TOKEN_INFO, *CK_TOKEN_INFO_PTR;

typedef struct CK_SESSION_INFO {
    CK_SLOT_ID slotID;
    CK_STATE state;
    CK_FLAGS flags;
    CK_ULONG ulDeviceError;
} CK_SESSION_INFO, *CK_SESSION_INFO_PTR;

typedef struct CK_MECHANISM_INFO {
    CK_ULONG ulMinKeySize;
    CK_ULONG ulMaxKeySize;
    CK_FLAGS flags;
} CK_MECHANISM_INFO, *CK_MECHANISM_INFO_PTR;

/* What calls take and give. A date is ASCII digits. ulValueLen and ulParameterLen count bytes. */
typedef struct CK_DATE {
    CK_CHAR year[4];
    CK_CHAR month[2];
    CK_CHAR day[2];
} CK_DATE, *CK_DATE_PTR;

typedef struct CK_ATTRIBUTE {
    CK_ATTRIBUTE_TYPE type;
    CK_VOID_PTR pValue;
    CK_ULONG ulValueLen;
} CK_ATTRIBUTE, *CK_ATTRIBUTE_PTR;

typedef struct CK_MECHANISM {
    CK_MECHANISM_TYPE mechanism;
    CK_VOID_PTR pParameter;
    CK_ULONG ulParameterLen;
} CK_MECHANISM, *CK_MECHANISM_PTR;

typedef struct CK_ASYNC_DATA {
    CK_ULONG ulVersion;
    CK_BYTE_PTR pValue;
    CK_ULONG ulValue;
    CK_OBJECT_HANDLE hObject;
    CK_OBJECT_HANDLE hAdditionalObject;
} CK_ASYNC_DATA, *CK_ASYNC_DATA_PTR;

/* Callbacks of the application, and what it hands to C_Initialize. */
typedef CK_RV (*CK_NOTIFY)(CK_SESSION_HANDLE hSession, CK_NOTIFICATION event, CK_VOID_PTR pApplication);
typedef CK_RV (*CK_CREATEMUTEX)(CK_VOID_PTR_PTR ppMutex);
typedef CK_RV (*CK_DESTROYMUTEX)(CK_VOID_PTR pMutex);
typedef CK_RV (*CK_LOCKMUTEX)(CK_VOID_PTR pMutex);
typedef CK_RV (*CK_UNLOCKMUTEX)(CK_VOID_PTR pMutex);

typedef struct CK_C_INITIALIZE_ARGS {
    CK_CREATEMUTEX CreateMutex;
    CK_DESTROYMUTEX DestroyMutex;
    CK_LOCKMUTEX LockMutex;
    CK_UNLOCKMUTEX UnlockMutex;
    CK_FLAGS flags;
    CK_VOID_PTR pReserved;
} CK_C_INITIALIZE_ARGS, *CK_C_INITIALIZE_ARGS_PTR;

#include "pkcs11-parameters.h"

/* A table of functions under a name: "PKCS 11", or "Vendor ..." for one of the vendor's own. */
typedef struct CK_INTERFACE {
    CK_UTF8CHAR_PTR pInterfaceName;
    CK_VOID_PTR pFunctionList;
    CK_FLAGS flags;
} CK_INTERFACE, *CK_INTERFACE_PTR, **CK_INTERFACE_PTR_PTR;

typedef struct CK_FUNCTION_LIST CK_FUNCTION_LIST, *CK_FUNCTION_LIST_PTR, **CK_FUNCTION_LIST_PTR_PTR;
typedef struct CK_FUNCTION_LIST_3_0 CK_FUNCTION_LIST_3_0, *CK_FUNCTION_LIST_3_0_PTR, **CK_FUNCTION_LIST_3_0_PTR_PTR;
typedef struct CK_FUNCTION_LIST_3_2 CK_FUNCTION_LIST_3_2, *CK_FUNCTION_LIST_3_2_PTR, **CK_FUNCTION_LIST_3_2_PTR_PTR;

/* Prototypes, and for each function C_X the type CK_C_X of a pointer to it. */
#define P11_FUNCTION(major, minor, name, parameters, arguments) CK_RV name parameters;
#include "pkcs11-functions.h"
#define P11_FUNCTION(major, minor, name, parameters, arguments) typedef CK_RV (*CK_##name) parameters;
#include "pkcs11-functions.h"

/* The tables. Each is the beginning of the next; version says which of them it is. */
#define P11_FIELD_2_40(name) CK_##name name;
#define P11_FIELD_3_0(name)
#define P11_FIELD_3_2(name)
struct CK_FUNCTION_LIST {
    CK_VERSION version;
#define P11_FUNCTION(major, minor, name, parameters, arguments) P11_FIELD_##major##_##minor(name)
#include "pkcs11-functions.h"
};

#undef P11_FIELD_3_0
#define P11_FIELD_3_0(name) CK_##name name;
struct CK_FUNCTION_LIST_3_0 {
    CK_VERSION version;
#define P11_FUNCTION(major, minor, name, parameters, arguments) P11_FIELD_##major##_##minor(name)
#include "pkcs11-functions.h"
};

#undef P11_FIELD_3_2
#define P11_FIELD_3_2(name) CK_##name name;
struct CK_FUNCTION_LIST_3_2 {
    CK_VERSION version;
#define P11_FUNCTION(major, minor, name, parameters, arguments) P11_FIELD_##major##_##minor(name)
#include "pkcs11-functions.h"
};

#undef P11_FIELD_2_40
#undef P11_FIELD_3_0
#undef P11_FIELD_3_2

#ifdef _WIN32
#pragma pack(pop)
#endif

#ifdef __cplusplus
}
#endif

#endif
