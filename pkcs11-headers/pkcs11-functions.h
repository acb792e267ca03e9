/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of PKCS#11 3.2, in the order of CK_FUNCTION_LIST_3_2, as one list. Define
 * P11_FUNCTION(major, minor, name, parameters, arguments) and include this file: it is called once for each
 * function and undefined at the end. major, minor: the version of the function list that first has the function.
 * No include guard: the list is there to be expanded many times.
 */

/* General purpose. */
P11_FUNCTION(2, 40, C_Initialize, (CK_VOID_PTR pInitArgs), (pInitArgs))
P11_FUNCTION(2, 40, C_Finalize, (CK_VOID_PTR pReserved), (pReserved))
P11_FUNCTION(2, 40, C_GetInfo, (CK_INFO_PTR pInfo), (pInfo))
P11_FUNCTION(2, 40, C_GetFunctionList, (CK_FUNCTION_LIST_PTR_PTR ppFunctionList), (ppFunctionList))

/* Slots and tokens. */
P11_FUNCTION(2, 40, C_GetSlotList,
    (CK_BBOOL tokenPresent, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount),
    (tokenPresent, pSlotList, pulCount))
P11_FUNCTION(2, 40, C_GetSlotInfo, (CK_SLOT_ID slotID, CK_SLOT_INFO_PTR pInfo), (slotID, pInfo))
P11_FUNCTION(2, 40, C_GetTokenInfo, (CK_SLOT_ID slotID, CK_TOKEN_INFO_PTR pInfo), (slotID, pInfo))
P11_FUNCTION(2, 40, C_GetMechanismList,
    (CK_SLOT_ID slotID, CK_MECHANISM_TYPE_PTR pMechanismList, CK_ULONG_PTR pulCount),
    (slotID, pMechanismList, pulCount))
P11_FUNCTION(2, 40, C_GetMechanismInfo,
    (CK_SLOT_ID slotID, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR pInfo),
    (slotID, type, pInfo))
P11_FUNCTION(2, 40, C_InitToken,
    (CK_SLOT_ID slotID, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen, CK_UTF8CHAR_PTR pLabel),
    (slotID, pPin, ulPinLen, pLabel))
P11_FUNCTION(2, 40, C_InitPIN,
    (CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen),
    (hSession, pPin, ulPinLen))
P11_FUNCTION(2, 40, C_SetPIN,
    (CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pOldPin, CK_ULONG ulOldLen, CK_UTF8CHAR_PTR pNewPin,
     CK_ULONG ulNewLen),
    (hSession, pOldPin, ulOldLen, pNewPin, ulNewLen))

/* Sessions. */
P11_FUNCTION(2, 40, C_OpenSession,
    (CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR pApplication, CK_NOTIFY Notify,
     CK_SESSION_HANDLE_PTR phSession),
    (slotID, flags, pApplication, Notify, phSession))
P11_FUNCTION(2, 40, C_CloseSession, (CK_SESSION_HANDLE hSession), (hSession))
P11_FUNCTION(2, 40, C_CloseAllSessions, (CK_SLOT_ID slotID), (slotID))
P11_FUNCTION(2, 40, C_GetSessionInfo,
    (CK_SESSION_HANDLE hSession, CK_SESSION_INFO_PTR pInfo),
    (hSession, pInfo))
P11_FUNCTION(2, 40, C_GetOperationState,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState, CK_ULONG_PTR pulOperationStateLen),
    (hSession, pOperationState, pulOperationStateLen))
P11_FUNCTION(2, 40, C_SetOperationState,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState, CK_ULONG ulOperationStateLen,
     CK_OBJECT_HANDLE hEncryptionKey, CK_OBJECT_HANDLE hAuthenticationKey),
    (hSession, pOperationState, ulOperationStateLen, hEncryptionKey, hAuthenticationKey))
P11_FUNCTION(2, 40, C_Login,
    (CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen),
    (hSession, userType, pPin, ulPinLen))
P11_FUNCTION(2, 40, C_Logout, (CK_SESSION_HANDLE hSession), (hSession))

/* Objects. */
P11_FUNCTION(2, 40, C_CreateObject,
    (CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
     CK_OBJECT_HANDLE_PTR phObject),
    (hSession, pTemplate, ulCount, phObject))
P11_FUNCTION(2, 40, C_CopyObject,
    (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
     CK_OBJECT_HANDLE_PTR phNewObject),
    (hSession, hObject, pTemplate, ulCount, phNewObject))
P11_FUNCTION(2, 40, C_DestroyObject,
    (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject),
    (hSession, hObject))
P11_FUNCTION(2, 40, C_GetObjectSize,
    (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ULONG_PTR pulSize),
    (hSession, hObject, pulSize))
P11_FUNCTION(2, 40, C_GetAttributeValue,
    (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount),
    (hSession, hObject, pTemplate, ulCount))
P11_FUNCTION(2, 40, C_SetAttributeValue,
    (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount),
    (hSession, hObject, pTemplate, ulCount))
P11_FUNCTION(2, 40, C_FindObjectsInit,
    (CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount),
    (hSession, pTemplate, ulCount))
P11_FUNCTION(2, 40, C_FindObjects,
    (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE_PTR phObject, CK_ULONG ulMaxObjectCount,
     CK_ULONG_PTR pulObjectCount),
    (hSession, phObject, ulMaxObjectCount, pulObjectCount))
P11_FUNCTION(2, 40, C_FindObjectsFinal, (CK_SESSION_HANDLE hSession), (hSession))

/* Encryption. */
P11_FUNCTION(2, 40, C_EncryptInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(2, 40, C_Encrypt,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pEncryptedData,
     CK_ULONG_PTR pulEncryptedDataLen),
    (hSession, pData, ulDataLen, pEncryptedData, pulEncryptedDataLen))
P11_FUNCTION(2, 40, C_EncryptUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen, CK_BYTE_PTR pEncryptedPart,
     CK_ULONG_PTR pulEncryptedPartLen),
    (hSession, pPart, ulPartLen, pEncryptedPart, pulEncryptedPartLen))
P11_FUNCTION(2, 40, C_EncryptFinal,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastEncryptedPart, CK_ULONG_PTR pulLastEncryptedPartLen),
    (hSession, pLastEncryptedPart, pulLastEncryptedPartLen))

/* Decryption. */
P11_FUNCTION(2, 40, C_DecryptInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(2, 40, C_Decrypt,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedData, CK_ULONG ulEncryptedDataLen,
     CK_BYTE_PTR pData, CK_ULONG_PTR pulDataLen),
    (hSession, pEncryptedData, ulEncryptedDataLen, pData, pulDataLen))
P11_FUNCTION(2, 40, C_DecryptUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
     CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen),
    (hSession, pEncryptedPart, ulEncryptedPartLen, pPart, pulPartLen))
P11_FUNCTION(2, 40, C_DecryptFinal,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastPart, CK_ULONG_PTR pulLastPartLen),
    (hSession, pLastPart, pulLastPartLen))

/* Digests. */
P11_FUNCTION(2, 40, C_DigestInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism),
    (hSession, pMechanism))
P11_FUNCTION(2, 40, C_Digest,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pDigest,
     CK_ULONG_PTR pulDigestLen),
    (hSession, pData, ulDataLen, pDigest, pulDigestLen))
P11_FUNCTION(2, 40, C_DigestUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen),
    (hSession, pPart, ulPartLen))
P11_FUNCTION(2, 40, C_DigestKey, (CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hKey), (hSession, hKey))
P11_FUNCTION(2, 40, C_DigestFinal,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen),
    (hSession, pDigest, pulDigestLen))

/* Signatures and message authentication. */
P11_FUNCTION(2, 40, C_SignInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(2, 40, C_Sign,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
     CK_ULONG_PTR pulSignatureLen),
    (hSession, pData, ulDataLen, pSignature, pulSignatureLen))
P11_FUNCTION(2, 40, C_SignUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen),
    (hSession, pPart, ulPartLen))
P11_FUNCTION(2, 40, C_SignFinal,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen),
    (hSession, pSignature, pulSignatureLen))
P11_FUNCTION(2, 40, C_SignRecoverInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(2, 40, C_SignRecover,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
     CK_ULONG_PTR pulSignatureLen),
    (hSession, pData, ulDataLen, pSignature, pulSignatureLen))

/* Verification. */
P11_FUNCTION(2, 40, C_VerifyInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(2, 40, C_Verify,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
     CK_ULONG ulSignatureLen),
    (hSession, pData, ulDataLen, pSignature, ulSignatureLen))
P11_FUNCTION(2, 40, C_VerifyUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen),
    (hSession, pPart, ulPartLen))
P11_FUNCTION(2, 40, C_VerifyFinal,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen),
    (hSession, pSignature, ulSignatureLen))
P11_FUNCTION(2, 40, C_VerifyRecoverInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(2, 40, C_VerifyRecover,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen, CK_BYTE_PTR pData,
     CK_ULONG_PTR pulDataLen),
    (hSession, pSignature, ulSignatureLen, pData, pulDataLen))

/* Two operations at once. */
P11_FUNCTION(2, 40, C_DigestEncryptUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen, CK_BYTE_PTR pEncryptedPart,
     CK_ULONG_PTR pulEncryptedPartLen),
    (hSession, pPart, ulPartLen, pEncryptedPart, pulEncryptedPartLen))
P11_FUNCTION(2, 40, C_DecryptDigestUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
     CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen),
    (hSession, pEncryptedPart, ulEncryptedPartLen, pPart, pulPartLen))
P11_FUNCTION(2, 40, C_SignEncryptUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen, CK_BYTE_PTR pEncryptedPart,
     CK_ULONG_PTR pulEncryptedPartLen),
    (hSession, pPart, ulPartLen, pEncryptedPart, pulEncryptedPartLen))
P11_FUNCTION(2, 40, C_DecryptVerifyUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart, CK_ULONG ulEncryptedPartLen,
     CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen),
    (hSession, pEncryptedPart, ulEncryptedPartLen, pPart, pulPartLen))

/* Key management. */
P11_FUNCTION(2, 40, C_GenerateKey,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_ATTRIBUTE_PTR pTemplate,
     CK_ULONG ulCount, CK_OBJECT_HANDLE_PTR phKey),
    (hSession, pMechanism, pTemplate, ulCount, phKey))
P11_FUNCTION(2, 40, C_GenerateKeyPair,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_ATTRIBUTE_PTR pPublicKeyTemplate,
     CK_ULONG ulPublicKeyAttributeCount, CK_ATTRIBUTE_PTR pPrivateKeyTemplate,
     CK_ULONG ulPrivateKeyAttributeCount, CK_OBJECT_HANDLE_PTR phPublicKey,
     CK_OBJECT_HANDLE_PTR phPrivateKey),
    (hSession, pMechanism, pPublicKeyTemplate, ulPublicKeyAttributeCount, pPrivateKeyTemplate,
     ulPrivateKeyAttributeCount, phPublicKey, phPrivateKey))
P11_FUNCTION(2, 40, C_WrapKey,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hWrappingKey,
     CK_OBJECT_HANDLE hKey, CK_BYTE_PTR pWrappedKey, CK_ULONG_PTR pulWrappedKeyLen),
    (hSession, pMechanism, hWrappingKey, hKey, pWrappedKey, pulWrappedKeyLen))
P11_FUNCTION(2, 40, C_UnwrapKey,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hUnwrappingKey,
     CK_BYTE_PTR pWrappedKey, CK_ULONG ulWrappedKeyLen, CK_ATTRIBUTE_PTR pTemplate,
     CK_ULONG ulAttributeCount, CK_OBJECT_HANDLE_PTR phKey),
    (hSession, pMechanism, hUnwrappingKey, pWrappedKey, ulWrappedKeyLen, pTemplate, ulAttributeCount,
     phKey))
P11_FUNCTION(2, 40, C_DeriveKey,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hBaseKey,
     CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount, CK_OBJECT_HANDLE_PTR phKey),
    (hSession, pMechanism, hBaseKey, pTemplate, ulAttributeCount, phKey))

/* Random numbers. */
P11_FUNCTION(2, 40, C_SeedRandom,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSeed, CK_ULONG ulSeedLen),
    (hSession, pSeed, ulSeedLen))
P11_FUNCTION(2, 40, C_GenerateRandom,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pRandomData, CK_ULONG ulRandomLen),
    (hSession, pRandomData, ulRandomLen))

/* Parallel functions, no longer in use. */
P11_FUNCTION(2, 40, C_GetFunctionStatus, (CK_SESSION_HANDLE hSession), (hSession))
P11_FUNCTION(2, 40, C_CancelFunction, (CK_SESSION_HANDLE hSession), (hSession))

/* Slot events; the table of version 2.40 ends here. */
P11_FUNCTION(2, 40, C_WaitForSlotEvent,
    (CK_FLAGS flags, CK_SLOT_ID_PTR pSlot, CK_VOID_PTR pReserved),
    (flags, pSlot, pReserved))

/* Since 3.0: interfaces, login by name, cancelling. */
P11_FUNCTION(3, 0, C_GetInterfaceList,
    (CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount),
    (pInterfacesList, pulCount))
P11_FUNCTION(3, 0, C_GetInterface,
    (CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
     CK_FLAGS flags),
    (pInterfaceName, pVersion, ppInterface, flags))
P11_FUNCTION(3, 0, C_LoginUser,
    (CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen,
     CK_UTF8CHAR_PTR pUsername, CK_ULONG ulUsernameLen),
    (hSession, userType, pPin, ulPinLen, pUsername, ulUsernameLen))
P11_FUNCTION(3, 0, C_SessionCancel, (CK_SESSION_HANDLE hSession, CK_FLAGS flags), (hSession, flags))

/* Since 3.0: messages; the table of version 3.0 ends with them. */
P11_FUNCTION(3, 0, C_MessageEncryptInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(3, 0, C_EncryptMessage,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
     CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen, CK_BYTE_PTR pPlaintext,
     CK_ULONG ulPlaintextLen, CK_BYTE_PTR pCiphertext, CK_ULONG_PTR pulCiphertextLen),
    (hSession, pParameter, ulParameterLen, pAssociatedData, ulAssociatedDataLen, pPlaintext,
     ulPlaintextLen, pCiphertext, pulCiphertextLen))
P11_FUNCTION(3, 0, C_EncryptMessageBegin,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
     CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen),
    (hSession, pParameter, ulParameterLen, pAssociatedData, ulAssociatedDataLen))
P11_FUNCTION(3, 0, C_EncryptMessageNext,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
     CK_BYTE_PTR pPlaintextPart, CK_ULONG ulPlaintextPartLen, CK_BYTE_PTR pCiphertextPart,
     CK_ULONG_PTR pulCiphertextPartLen, CK_FLAGS flags),
    (hSession, pParameter, ulParameterLen, pPlaintextPart, ulPlaintextPartLen, pCiphertextPart,
     pulCiphertextPartLen, flags))
P11_FUNCTION(3, 0, C_MessageEncryptFinal, (CK_SESSION_HANDLE hSession), (hSession))
P11_FUNCTION(3, 0, C_MessageDecryptInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(3, 0, C_DecryptMessage,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
     CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen, CK_BYTE_PTR pCiphertext,
     CK_ULONG ulCiphertextLen, CK_BYTE_PTR pPlaintext, CK_ULONG_PTR pulPlaintextLen),
    (hSession, pParameter, ulParameterLen, pAssociatedData, ulAssociatedDataLen, pCiphertext,
     ulCiphertextLen, pPlaintext, pulPlaintextLen))
P11_FUNCTION(3, 0, C_DecryptMessageBegin,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
     CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen),
    (hSession, pParameter, ulParameterLen, pAssociatedData, ulAssociatedDataLen))
P11_FUNCTION(3, 0, C_DecryptMessageNext,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
     CK_BYTE_PTR pCiphertextPart, CK_ULONG ulCiphertextPartLen, CK_BYTE_PTR pPlaintextPart,
     CK_ULONG_PTR pulPlaintextPartLen, CK_FLAGS flags),
    (hSession, pParameter, ulParameterLen, pCiphertextPart, ulCiphertextPartLen, pPlaintextPart,
     pulPlaintextPartLen, flags))
P11_FUNCTION(3, 0, C_MessageDecryptFinal, (CK_SESSION_HANDLE hSession), (hSession))
P11_FUNCTION(3, 0, C_MessageSignInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(3, 0, C_SignMessage,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen, CK_BYTE_PTR pData,
     CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen),
    (hSession, pParameter, ulParameterLen, pData, ulDataLen, pSignature, pulSignatureLen))
P11_FUNCTION(3, 0, C_SignMessageBegin,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen),
    (hSession, pParameter, ulParameterLen))
P11_FUNCTION(3, 0, C_SignMessageNext,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen, CK_BYTE_PTR pData,
     CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen),
    (hSession, pParameter, ulParameterLen, pData, ulDataLen, pSignature, pulSignatureLen))
P11_FUNCTION(3, 0, C_MessageSignFinal, (CK_SESSION_HANDLE hSession), (hSession))
P11_FUNCTION(3, 0, C_MessageVerifyInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey),
    (hSession, pMechanism, hKey))
P11_FUNCTION(3, 0, C_VerifyMessage,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen, CK_BYTE_PTR pData,
     CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen),
    (hSession, pParameter, ulParameterLen, pData, ulDataLen, pSignature, ulSignatureLen))
P11_FUNCTION(3, 0, C_VerifyMessageBegin,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen),
    (hSession, pParameter, ulParameterLen))
P11_FUNCTION(3, 0, C_VerifyMessageNext,
    (CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen, CK_BYTE_PTR pData,
     CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen),
    (hSession, pParameter, ulParameterLen, pData, ulDataLen, pSignature, ulSignatureLen))
P11_FUNCTION(3, 0, C_MessageVerifyFinal, (CK_SESSION_HANDLE hSession), (hSession))

/* Since 3.2: key encapsulation. */
P11_FUNCTION(3, 2, C_EncapsulateKey,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hPublicKey,
     CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount, CK_BYTE_PTR pCiphertext,
     CK_ULONG_PTR pulCiphertextLen, CK_OBJECT_HANDLE_PTR phKey),
    (hSession, pMechanism, hPublicKey, pTemplate, ulAttributeCount, pCiphertext, pulCiphertextLen, phKey))
P11_FUNCTION(3, 2, C_DecapsulateKey,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hPrivateKey,
     CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount, CK_BYTE_PTR pCiphertext,
     CK_ULONG ulCiphertextLen, CK_OBJECT_HANDLE_PTR phKey),
    (hSession, pMechanism, hPrivateKey, pTemplate, ulAttributeCount, pCiphertext, ulCiphertextLen, phKey))

/* Since 3.2: verification with the signature first. */
P11_FUNCTION(3, 2, C_VerifySignatureInit,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey,
     CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen),
    (hSession, pMechanism, hKey, pSignature, ulSignatureLen))
P11_FUNCTION(3, 2, C_VerifySignature,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen),
    (hSession, pData, ulDataLen))
P11_FUNCTION(3, 2, C_VerifySignatureUpdate,
    (CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen),
    (hSession, pPart, ulPartLen))
P11_FUNCTION(3, 2, C_VerifySignatureFinal, (CK_SESSION_HANDLE hSession), (hSession))

/* Since 3.2: validation, asynchronous functions. */
P11_FUNCTION(3, 2, C_GetSessionValidationFlags,
    (CK_SESSION_HANDLE hSession, CK_SESSION_VALIDATION_FLAGS_TYPE type, CK_FLAGS_PTR pFlags),
    (hSession, type, pFlags))
P11_FUNCTION(3, 2, C_AsyncComplete,
    (CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pFunctionName, CK_ASYNC_DATA_PTR pResult),
    (hSession, pFunctionName, pResult))
P11_FUNCTION(3, 2, C_AsyncGetID,
    (CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pFunctionName, CK_ULONG_PTR pulID),
    (hSession, pFunctionName, pulID))
P11_FUNCTION(3, 2, C_AsyncJoin,
    (CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pFunctionName, CK_ULONG ulID, CK_BYTE_PTR pData,
     CK_ULONG ulData),
    (hSession, pFunctionName, ulID, pData, ulData))

/* Since 3.2: authenticated wrapping. */
P11_FUNCTION(3, 2, C_WrapKeyAuthenticated,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hWrappingKey,
     CK_OBJECT_HANDLE hKey, CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen,
     CK_BYTE_PTR pWrappedKey, CK_ULONG_PTR pulWrappedKeyLen),
    (hSession, pMechanism, hWrappingKey, hKey, pAssociatedData, ulAssociatedDataLen, pWrappedKey,
     pulWrappedKeyLen))
P11_FUNCTION(3, 2, C_UnwrapKeyAuthenticated,
    (CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hUnwrappingKey,
     CK_BYTE_PTR pWrappedKey, CK_ULONG ulWrappedKeyLen, CK_ATTRIBUTE_PTR pTemplate,
     CK_ULONG ulAttributeCount, CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen,
     CK_OBJECT_HANDLE_PTR phKey),
    (hSession, pMechanism, hUnwrappingKey, pWrappedKey, ulWrappedKeyLen, pTemplate, ulAttributeCount,
     pAssociatedData, ulAssociatedDataLen, phKey))

#undef P11_FUNCTION
