// SPDX-License-Identifier: Apache-2.0
//! The one list of functions: every `C_` function of PKCS#11 3.2, in the order of `CK_FUNCTION_LIST_3_2`.
//!
//! Two lines each: the C signature, then the facts known `[before]` and `[after]` the call, in words that
//! `shim::call` implements. The exports, the function tables, `enum Function`, the header test and the stub
//! vendor are all expansions of this list. Positions are wire numbers: append only.
//!
//! Discovery and life-cycle functions carry no facts here; the shim answers them in `abi` and `lifecycle`.

/// Calls the macro `$list` with every function:
/// `(version) NAME(argument: type, …) [fact before …] -> [fact after …];`
#[macro_export]
macro_rules! pkcs11 {
    ($list:path) => {
        $list! {
(2, 40) C_Initialize(pInitArgs: *mut CK_VOID)
    [] -> [];
(2, 40) C_Finalize(pReserved: *mut CK_VOID)
    [] -> [];
(2, 40) C_GetInfo(pInfo: *mut CK_INFO)
    [] -> [];
(2, 40) C_GetFunctionList(ppFunctionList: *mut *mut CK_FUNCTION_LIST)
    [] -> [];
(2, 40) C_GetSlotList(tokenPresent: CK_BBOOL, pSlotList: *mut CK_SLOT_ID, pulCount: *mut CK_ULONG)
    [] -> [count(pSlotList, pulCount)];
(2, 40) C_GetSlotInfo(slotID: CK_SLOT_ID, pInfo: *mut CK_SLOT_INFO)
    [slot(slotID)] -> [];
(2, 40) C_GetTokenInfo(slotID: CK_SLOT_ID, pInfo: *mut CK_TOKEN_INFO)
    [slot(slotID)] -> [];
(2, 40) C_GetMechanismList(slotID: CK_SLOT_ID, pMechanismList: *mut CK_MECHANISM_TYPE, pulCount: *mut CK_ULONG)
    [slot(slotID)] -> [count(pMechanismList, pulCount)];
(2, 40) C_GetMechanismInfo(slotID: CK_SLOT_ID, r#type: CK_MECHANISM_TYPE, pInfo: *mut CK_MECHANISM_INFO)
    [slot(slotID) mechanism_type(r#type)] -> [];
(2, 40) C_InitToken(slotID: CK_SLOT_ID, pPin: *mut CK_UTF8CHAR, ulPinLen: CK_ULONG, pLabel: *mut CK_UTF8CHAR)
    [does(Administer) slot(slotID) secret()] -> [token_changed(slotID)];
(2, 40) C_InitPIN(hSession: CK_SESSION_HANDLE, pPin: *mut CK_UTF8CHAR, ulPinLen: CK_ULONG)
    [session(hSession) does(Administer) secret()] -> [];
(2, 40) C_SetPIN(hSession: CK_SESSION_HANDLE, pOldPin: *mut CK_UTF8CHAR, ulOldLen: CK_ULONG, pNewPin: *mut CK_UTF8CHAR, ulNewLen: CK_ULONG)
    [session(hSession) does(Administer) secret()] -> [];
(2, 40) C_OpenSession(slotID: CK_SLOT_ID, flags: CK_FLAGS, pApplication: *mut CK_VOID, Notify: CK_NOTIFY, phSession: *mut CK_SESSION_HANDLE)
    [does(Open) slot(slotID) flags(flags)] -> [session_opened(phSession, slotID, flags)];
(2, 40) C_CloseSession(hSession: CK_SESSION_HANDLE)
    [session(hSession)] -> [session_closed(hSession)];
(2, 40) C_CloseAllSessions(slotID: CK_SLOT_ID)
    [slot(slotID)] -> [sessions_closed(slotID)];
(2, 40) C_GetSessionInfo(hSession: CK_SESSION_HANDLE, pInfo: *mut CK_SESSION_INFO)
    [session(hSession)] -> [];
(2, 40) C_GetOperationState(hSession: CK_SESSION_HANDLE, pOperationState: *mut CK_BYTE, pulOperationStateLen: *mut CK_ULONG)
    [session(hSession) does(State)] -> [output(pOperationState, pulOperationStateLen)];
(2, 40) C_SetOperationState(hSession: CK_SESSION_HANDLE, pOperationState: *mut CK_BYTE, ulOperationStateLen: CK_ULONG, hEncryptionKey: CK_OBJECT_HANDLE, hAuthenticationKey: CK_OBJECT_HANDLE)
    [session(hSession) does(State) object(hEncryptionKey) object(hAuthenticationKey) input(ulOperationStateLen)] -> [];
(2, 40) C_Login(hSession: CK_SESSION_HANDLE, userType: CK_USER_TYPE, pPin: *mut CK_UTF8CHAR, ulPinLen: CK_ULONG)
    [session(hSession) does(Login) user(userType) secret()] -> [logged_in(hSession, userType)];
(2, 40) C_Logout(hSession: CK_SESSION_HANDLE)
    [session(hSession)] -> [logged_out(hSession)];
(2, 40) C_CreateObject(hSession: CK_SESSION_HANDLE, pTemplate: *mut CK_ATTRIBUTE, ulCount: CK_ULONG, phObject: *mut CK_OBJECT_HANDLE)
    [session(hSession) does(Import) template(pTemplate, ulCount)] -> [created(phObject)];
(2, 40) C_CopyObject(hSession: CK_SESSION_HANDLE, hObject: CK_OBJECT_HANDLE, pTemplate: *mut CK_ATTRIBUTE, ulCount: CK_ULONG, phNewObject: *mut CK_OBJECT_HANDLE)
    [session(hSession) does(Copy) key(hObject) template(pTemplate, ulCount)] -> [created(phNewObject)];
(2, 40) C_DestroyObject(hSession: CK_SESSION_HANDLE, hObject: CK_OBJECT_HANDLE)
    [session(hSession) does(Destroy) key(hObject)] -> [object_changed(hObject)];
(2, 40) C_GetObjectSize(hSession: CK_SESSION_HANDLE, hObject: CK_OBJECT_HANDLE, pulSize: *mut CK_ULONG)
    [session(hSession) object(hObject)] -> [];
(2, 40) C_GetAttributeValue(hSession: CK_SESSION_HANDLE, hObject: CK_OBJECT_HANDLE, pTemplate: *mut CK_ATTRIBUTE, ulCount: CK_ULONG)
    [session(hSession) does(Read) object(hObject) attributes(pTemplate, ulCount)] -> [];
(2, 40) C_SetAttributeValue(hSession: CK_SESSION_HANDLE, hObject: CK_OBJECT_HANDLE, pTemplate: *mut CK_ATTRIBUTE, ulCount: CK_ULONG)
    [session(hSession) does(Modify) key(hObject) template(pTemplate, ulCount)] -> [object_changed(hObject)];
(2, 40) C_FindObjectsInit(hSession: CK_SESSION_HANDLE, pTemplate: *mut CK_ATTRIBUTE, ulCount: CK_ULONG)
    [session(hSession) does(Find) template(pTemplate, ulCount)] -> [starts(Find)];
(2, 40) C_FindObjects(hSession: CK_SESSION_HANDLE, phObject: *mut CK_OBJECT_HANDLE, ulMaxObjectCount: CK_ULONG, pulObjectCount: *mut CK_ULONG)
    [session(hSession) part_of(Find)] -> [count(phObject, pulObjectCount)];
(2, 40) C_FindObjectsFinal(hSession: CK_SESSION_HANDLE)
    [session(hSession) part_of(Find)] -> [ends(Find)];
(2, 40) C_EncryptInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Encrypt, pMechanism) key(hKey)] -> [starts(Encrypt)];
(2, 40) C_Encrypt(hSession: CK_SESSION_HANDLE, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pEncryptedData: *mut CK_BYTE, pulEncryptedDataLen: *mut CK_ULONG)
    [session(hSession) part_of(Encrypt) input(ulDataLen)] -> [output(pEncryptedData, pulEncryptedDataLen) ends(Encrypt)];
(2, 40) C_EncryptUpdate(hSession: CK_SESSION_HANDLE, pPart: *mut CK_BYTE, ulPartLen: CK_ULONG, pEncryptedPart: *mut CK_BYTE, pulEncryptedPartLen: *mut CK_ULONG)
    [session(hSession) part_of(Encrypt) input(ulPartLen)] -> [output(pEncryptedPart, pulEncryptedPartLen) continues(Encrypt)];
(2, 40) C_EncryptFinal(hSession: CK_SESSION_HANDLE, pLastEncryptedPart: *mut CK_BYTE, pulLastEncryptedPartLen: *mut CK_ULONG)
    [session(hSession) part_of(Encrypt)] -> [output(pLastEncryptedPart, pulLastEncryptedPartLen) ends(Encrypt)];
(2, 40) C_DecryptInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Decrypt, pMechanism) key(hKey)] -> [starts(Decrypt)];
(2, 40) C_Decrypt(hSession: CK_SESSION_HANDLE, pEncryptedData: *mut CK_BYTE, ulEncryptedDataLen: CK_ULONG, pData: *mut CK_BYTE, pulDataLen: *mut CK_ULONG)
    [session(hSession) part_of(Decrypt) input(ulEncryptedDataLen)] -> [output(pData, pulDataLen) ends(Decrypt)];
(2, 40) C_DecryptUpdate(hSession: CK_SESSION_HANDLE, pEncryptedPart: *mut CK_BYTE, ulEncryptedPartLen: CK_ULONG, pPart: *mut CK_BYTE, pulPartLen: *mut CK_ULONG)
    [session(hSession) part_of(Decrypt) input(ulEncryptedPartLen)] -> [output(pPart, pulPartLen) continues(Decrypt)];
(2, 40) C_DecryptFinal(hSession: CK_SESSION_HANDLE, pLastPart: *mut CK_BYTE, pulLastPartLen: *mut CK_ULONG)
    [session(hSession) part_of(Decrypt)] -> [output(pLastPart, pulLastPartLen) ends(Decrypt)];
(2, 40) C_DigestInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM)
    [session(hSession) mechanism(Digest, pMechanism)] -> [starts(Digest)];
(2, 40) C_Digest(hSession: CK_SESSION_HANDLE, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pDigest: *mut CK_BYTE, pulDigestLen: *mut CK_ULONG)
    [session(hSession) part_of(Digest) input(ulDataLen)] -> [output(pDigest, pulDigestLen) ends(Digest)];
(2, 40) C_DigestUpdate(hSession: CK_SESSION_HANDLE, pPart: *mut CK_BYTE, ulPartLen: CK_ULONG)
    [session(hSession) part_of(Digest) input(ulPartLen)] -> [continues(Digest)];
(2, 40) C_DigestKey(hSession: CK_SESSION_HANDLE, hKey: CK_OBJECT_HANDLE)
    [session(hSession) does(DigestKey) part_of(Digest) object(hKey)] -> [continues(Digest)];
(2, 40) C_DigestFinal(hSession: CK_SESSION_HANDLE, pDigest: *mut CK_BYTE, pulDigestLen: *mut CK_ULONG)
    [session(hSession) part_of(Digest)] -> [output(pDigest, pulDigestLen) ends(Digest)];
(2, 40) C_SignInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Sign, pMechanism) key(hKey)] -> [starts(Sign)];
(2, 40) C_Sign(hSession: CK_SESSION_HANDLE, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pSignature: *mut CK_BYTE, pulSignatureLen: *mut CK_ULONG)
    [session(hSession) part_of(Sign) signs(Sign, pData, ulDataLen)] -> [output(pSignature, pulSignatureLen) ends(Sign)];
(2, 40) C_SignUpdate(hSession: CK_SESSION_HANDLE, pPart: *mut CK_BYTE, ulPartLen: CK_ULONG)
    [session(hSession) part_of(Sign) signs(Sign, pPart, ulPartLen)] -> [continues(Sign)];
(2, 40) C_SignFinal(hSession: CK_SESSION_HANDLE, pSignature: *mut CK_BYTE, pulSignatureLen: *mut CK_ULONG)
    [session(hSession) part_of(Sign)] -> [output(pSignature, pulSignatureLen) ends(Sign)];
(2, 40) C_SignRecoverInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(SignRecover, pMechanism) key(hKey)] -> [starts(SignRecover)];
(2, 40) C_SignRecover(hSession: CK_SESSION_HANDLE, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pSignature: *mut CK_BYTE, pulSignatureLen: *mut CK_ULONG)
    [session(hSession) part_of(SignRecover) signs(SignRecover, pData, ulDataLen)] -> [output(pSignature, pulSignatureLen) ends(SignRecover)];
(2, 40) C_VerifyInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Verify, pMechanism) key(hKey)] -> [starts(Verify)];
(2, 40) C_Verify(hSession: CK_SESSION_HANDLE, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pSignature: *mut CK_BYTE, ulSignatureLen: CK_ULONG)
    [session(hSession) part_of(Verify) input(ulDataLen)] -> [ends(Verify)];
(2, 40) C_VerifyUpdate(hSession: CK_SESSION_HANDLE, pPart: *mut CK_BYTE, ulPartLen: CK_ULONG)
    [session(hSession) part_of(Verify) input(ulPartLen)] -> [continues(Verify)];
(2, 40) C_VerifyFinal(hSession: CK_SESSION_HANDLE, pSignature: *mut CK_BYTE, ulSignatureLen: CK_ULONG)
    [session(hSession) part_of(Verify)] -> [ends(Verify)];
(2, 40) C_VerifyRecoverInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(VerifyRecover, pMechanism) key(hKey)] -> [starts(VerifyRecover)];
(2, 40) C_VerifyRecover(hSession: CK_SESSION_HANDLE, pSignature: *mut CK_BYTE, ulSignatureLen: CK_ULONG, pData: *mut CK_BYTE, pulDataLen: *mut CK_ULONG)
    [session(hSession) part_of(VerifyRecover) input(ulSignatureLen)] -> [output(pData, pulDataLen) ends(VerifyRecover)];
(2, 40) C_DigestEncryptUpdate(hSession: CK_SESSION_HANDLE, pPart: *mut CK_BYTE, ulPartLen: CK_ULONG, pEncryptedPart: *mut CK_BYTE, pulEncryptedPartLen: *mut CK_ULONG)
    [session(hSession) part_of(Encrypt) input(ulPartLen)] -> [output(pEncryptedPart, pulEncryptedPartLen) continues(Digest) continues(Encrypt)];
(2, 40) C_DecryptDigestUpdate(hSession: CK_SESSION_HANDLE, pEncryptedPart: *mut CK_BYTE, ulEncryptedPartLen: CK_ULONG, pPart: *mut CK_BYTE, pulPartLen: *mut CK_ULONG)
    [session(hSession) part_of(Decrypt) input(ulEncryptedPartLen)] -> [output(pPart, pulPartLen) continues(Digest) continues(Decrypt)];
(2, 40) C_SignEncryptUpdate(hSession: CK_SESSION_HANDLE, pPart: *mut CK_BYTE, ulPartLen: CK_ULONG, pEncryptedPart: *mut CK_BYTE, pulEncryptedPartLen: *mut CK_ULONG)
    [session(hSession) part_of(Encrypt) input(ulPartLen)] -> [output(pEncryptedPart, pulEncryptedPartLen) continues(Sign) continues(Encrypt)];
(2, 40) C_DecryptVerifyUpdate(hSession: CK_SESSION_HANDLE, pEncryptedPart: *mut CK_BYTE, ulEncryptedPartLen: CK_ULONG, pPart: *mut CK_BYTE, pulPartLen: *mut CK_ULONG)
    [session(hSession) part_of(Decrypt) input(ulEncryptedPartLen)] -> [output(pPart, pulPartLen) continues(Verify) continues(Decrypt)];
(2, 40) C_GenerateKey(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, pTemplate: *mut CK_ATTRIBUTE, ulCount: CK_ULONG, phKey: *mut CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Generate, pMechanism) template(pTemplate, ulCount)] -> [created(phKey)];
(2, 40) C_GenerateKeyPair(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, pPublicKeyTemplate: *mut CK_ATTRIBUTE, ulPublicKeyAttributeCount: CK_ULONG, pPrivateKeyTemplate: *mut CK_ATTRIBUTE, ulPrivateKeyAttributeCount: CK_ULONG, phPublicKey: *mut CK_OBJECT_HANDLE, phPrivateKey: *mut CK_OBJECT_HANDLE)
    [session(hSession) mechanism(GenerateKeyPair, pMechanism) template(pPublicKeyTemplate, ulPublicKeyAttributeCount) template(pPrivateKeyTemplate, ulPrivateKeyAttributeCount)] -> [created(phPublicKey) created(phPrivateKey)];
(2, 40) C_WrapKey(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hWrappingKey: CK_OBJECT_HANDLE, hKey: CK_OBJECT_HANDLE, pWrappedKey: *mut CK_BYTE, pulWrappedKeyLen: *mut CK_ULONG)
    [session(hSession) mechanism(Wrap, pMechanism) key(hWrappingKey) key(hKey)] -> [output(pWrappedKey, pulWrappedKeyLen) wraps(pWrappedKey, pulWrappedKeyLen)];
(2, 40) C_UnwrapKey(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hUnwrappingKey: CK_OBJECT_HANDLE, pWrappedKey: *mut CK_BYTE, ulWrappedKeyLen: CK_ULONG, pTemplate: *mut CK_ATTRIBUTE, ulAttributeCount: CK_ULONG, phKey: *mut CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Unwrap, pMechanism) key(hUnwrappingKey) wrapped(pWrappedKey, ulWrappedKeyLen) template(pTemplate, ulAttributeCount)] -> [created(phKey)];
(2, 40) C_DeriveKey(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hBaseKey: CK_OBJECT_HANDLE, pTemplate: *mut CK_ATTRIBUTE, ulAttributeCount: CK_ULONG, phKey: *mut CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Derive, pMechanism) key(hBaseKey) template(pTemplate, ulAttributeCount)] -> [created(phKey)];
(2, 40) C_SeedRandom(hSession: CK_SESSION_HANDLE, pSeed: *mut CK_BYTE, ulSeedLen: CK_ULONG)
    [session(hSession) input(ulSeedLen)] -> [];
(2, 40) C_GenerateRandom(hSession: CK_SESSION_HANDLE, pRandomData: *mut CK_BYTE, ulRandomLen: CK_ULONG)
    [session(hSession)] -> [filled(ulRandomLen)];
(2, 40) C_GetFunctionStatus(hSession: CK_SESSION_HANDLE)
    [session(hSession)] -> [];
(2, 40) C_CancelFunction(hSession: CK_SESSION_HANDLE)
    [session(hSession)] -> [];
(2, 40) C_WaitForSlotEvent(flags: CK_FLAGS, pSlot: *mut CK_SLOT_ID, pReserved: *mut CK_VOID)
    [flags(flags)] -> [];
(3, 0) C_GetInterfaceList(pInterfacesList: *mut CK_INTERFACE, pulCount: *mut CK_ULONG)
    [] -> [];
(3, 0) C_GetInterface(pInterfaceName: *mut CK_UTF8CHAR, pVersion: *mut CK_VERSION, ppInterface: *mut *mut CK_INTERFACE, flags: CK_FLAGS)
    [] -> [];
(3, 0) C_LoginUser(hSession: CK_SESSION_HANDLE, userType: CK_USER_TYPE, pPin: *mut CK_UTF8CHAR, ulPinLen: CK_ULONG, pUsername: *mut CK_UTF8CHAR, ulUsernameLen: CK_ULONG)
    [session(hSession) does(Login) user(userType) secret() username(pUsername, ulUsernameLen)] -> [logged_in(hSession, userType)];
(3, 0) C_SessionCancel(hSession: CK_SESSION_HANDLE, flags: CK_FLAGS)
    [session(hSession) flags(flags)] -> [cancelled(flags)];
(3, 0) C_MessageEncryptInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Encrypt, pMechanism) key(hKey)] -> [starts(MessageEncrypt)];
(3, 0) C_EncryptMessage(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pAssociatedData: *mut CK_BYTE, ulAssociatedDataLen: CK_ULONG, pPlaintext: *mut CK_BYTE, ulPlaintextLen: CK_ULONG, pCiphertext: *mut CK_BYTE, pulCiphertextLen: *mut CK_ULONG)
    [session(hSession) part_of(MessageEncrypt) begins_message(MessageEncrypt, pParameter, ulParameterLen) input(ulPlaintextLen)] -> [output(pCiphertext, pulCiphertextLen)];
(3, 0) C_EncryptMessageBegin(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pAssociatedData: *mut CK_BYTE, ulAssociatedDataLen: CK_ULONG)
    [session(hSession) part_of(MessageEncrypt) begins_message(MessageEncrypt, pParameter, ulParameterLen)] -> [];
(3, 0) C_EncryptMessageNext(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pPlaintextPart: *mut CK_BYTE, ulPlaintextPartLen: CK_ULONG, pCiphertextPart: *mut CK_BYTE, pulCiphertextPartLen: *mut CK_ULONG, flags: CK_FLAGS)
    [session(hSession) part_of(MessageEncrypt) message(MessageEncrypt, pParameter, ulParameterLen) input(ulPlaintextPartLen) flags(flags)] -> [output(pCiphertextPart, pulCiphertextPartLen)];
(3, 0) C_MessageEncryptFinal(hSession: CK_SESSION_HANDLE)
    [session(hSession) part_of(MessageEncrypt)] -> [ends(MessageEncrypt)];
(3, 0) C_MessageDecryptInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Decrypt, pMechanism) key(hKey)] -> [starts(MessageDecrypt)];
(3, 0) C_DecryptMessage(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pAssociatedData: *mut CK_BYTE, ulAssociatedDataLen: CK_ULONG, pCiphertext: *mut CK_BYTE, ulCiphertextLen: CK_ULONG, pPlaintext: *mut CK_BYTE, pulPlaintextLen: *mut CK_ULONG)
    [session(hSession) part_of(MessageDecrypt) message(MessageDecrypt, pParameter, ulParameterLen) input(ulCiphertextLen)] -> [output(pPlaintext, pulPlaintextLen)];
(3, 0) C_DecryptMessageBegin(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pAssociatedData: *mut CK_BYTE, ulAssociatedDataLen: CK_ULONG)
    [session(hSession) part_of(MessageDecrypt) message(MessageDecrypt, pParameter, ulParameterLen)] -> [];
(3, 0) C_DecryptMessageNext(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pCiphertextPart: *mut CK_BYTE, ulCiphertextPartLen: CK_ULONG, pPlaintextPart: *mut CK_BYTE, pulPlaintextPartLen: *mut CK_ULONG, flags: CK_FLAGS)
    [session(hSession) part_of(MessageDecrypt) message(MessageDecrypt, pParameter, ulParameterLen) input(ulCiphertextPartLen) flags(flags)] -> [output(pPlaintextPart, pulPlaintextPartLen)];
(3, 0) C_MessageDecryptFinal(hSession: CK_SESSION_HANDLE)
    [session(hSession) part_of(MessageDecrypt)] -> [ends(MessageDecrypt)];
(3, 0) C_MessageSignInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Sign, pMechanism) key(hKey)] -> [starts(MessageSign)];
(3, 0) C_SignMessage(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pSignature: *mut CK_BYTE, pulSignatureLen: *mut CK_ULONG)
    [session(hSession) part_of(MessageSign) message(MessageSign, pParameter, ulParameterLen) signs(MessageSign, pData, ulDataLen)] -> [output(pSignature, pulSignatureLen)];
(3, 0) C_SignMessageBegin(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG)
    [session(hSession) part_of(MessageSign) message(MessageSign, pParameter, ulParameterLen)] -> [];
(3, 0) C_SignMessageNext(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pSignature: *mut CK_BYTE, pulSignatureLen: *mut CK_ULONG)
    [session(hSession) part_of(MessageSign) message(MessageSign, pParameter, ulParameterLen) signs(MessageSign, pData, ulDataLen)] -> [output(pSignature, pulSignatureLen)];
(3, 0) C_MessageSignFinal(hSession: CK_SESSION_HANDLE)
    [session(hSession) part_of(MessageSign)] -> [ends(MessageSign)];
(3, 0) C_MessageVerifyInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Verify, pMechanism) key(hKey)] -> [starts(MessageVerify)];
(3, 0) C_VerifyMessage(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pSignature: *mut CK_BYTE, ulSignatureLen: CK_ULONG)
    [session(hSession) part_of(MessageVerify) message(MessageVerify, pParameter, ulParameterLen) input(ulDataLen)] -> [];
(3, 0) C_VerifyMessageBegin(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG)
    [session(hSession) part_of(MessageVerify) message(MessageVerify, pParameter, ulParameterLen)] -> [];
(3, 0) C_VerifyMessageNext(hSession: CK_SESSION_HANDLE, pParameter: *mut CK_VOID, ulParameterLen: CK_ULONG, pData: *mut CK_BYTE, ulDataLen: CK_ULONG, pSignature: *mut CK_BYTE, ulSignatureLen: CK_ULONG)
    [session(hSession) part_of(MessageVerify) message(MessageVerify, pParameter, ulParameterLen) input(ulDataLen)] -> [];
(3, 0) C_MessageVerifyFinal(hSession: CK_SESSION_HANDLE)
    [session(hSession) part_of(MessageVerify)] -> [ends(MessageVerify)];
(3, 2) C_EncapsulateKey(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hPublicKey: CK_OBJECT_HANDLE, pTemplate: *mut CK_ATTRIBUTE, ulAttributeCount: CK_ULONG, pCiphertext: *mut CK_BYTE, pulCiphertextLen: *mut CK_ULONG, phKey: *mut CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Encapsulate, pMechanism) key(hPublicKey) template(pTemplate, ulAttributeCount)] -> [output(pCiphertext, pulCiphertextLen) wraps(pCiphertext, pulCiphertextLen) created(phKey)];
(3, 2) C_DecapsulateKey(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hPrivateKey: CK_OBJECT_HANDLE, pTemplate: *mut CK_ATTRIBUTE, ulAttributeCount: CK_ULONG, pCiphertext: *mut CK_BYTE, ulCiphertextLen: CK_ULONG, phKey: *mut CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Decapsulate, pMechanism) key(hPrivateKey) wrapped(pCiphertext, ulCiphertextLen) template(pTemplate, ulAttributeCount)] -> [created(phKey)];
(3, 2) C_VerifySignatureInit(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hKey: CK_OBJECT_HANDLE, pSignature: *mut CK_BYTE, ulSignatureLen: CK_ULONG)
    [session(hSession) mechanism(Verify, pMechanism) key(hKey)] -> [starts(VerifySignature)];
(3, 2) C_VerifySignature(hSession: CK_SESSION_HANDLE, pData: *mut CK_BYTE, ulDataLen: CK_ULONG)
    [session(hSession) part_of(VerifySignature) input(ulDataLen)] -> [ends(VerifySignature)];
(3, 2) C_VerifySignatureUpdate(hSession: CK_SESSION_HANDLE, pPart: *mut CK_BYTE, ulPartLen: CK_ULONG)
    [session(hSession) part_of(VerifySignature) input(ulPartLen)] -> [continues(VerifySignature)];
(3, 2) C_VerifySignatureFinal(hSession: CK_SESSION_HANDLE)
    [session(hSession) part_of(VerifySignature)] -> [ends(VerifySignature)];
(3, 2) C_GetSessionValidationFlags(hSession: CK_SESSION_HANDLE, r#type: CK_SESSION_VALIDATION_FLAGS_TYPE, pFlags: *mut CK_FLAGS)
    [session(hSession)] -> [];
(3, 2) C_AsyncComplete(hSession: CK_SESSION_HANDLE, pFunctionName: *mut CK_UTF8CHAR, pResult: *mut CK_ASYNC_DATA)
    [session(hSession)] -> [];
(3, 2) C_AsyncGetID(hSession: CK_SESSION_HANDLE, pFunctionName: *mut CK_UTF8CHAR, pulID: *mut CK_ULONG)
    [session(hSession)] -> [];
(3, 2) C_AsyncJoin(hSession: CK_SESSION_HANDLE, pFunctionName: *mut CK_UTF8CHAR, ulID: CK_ULONG, pData: *mut CK_BYTE, ulData: CK_ULONG)
    [session(hSession)] -> [];
(3, 2) C_WrapKeyAuthenticated(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hWrappingKey: CK_OBJECT_HANDLE, hKey: CK_OBJECT_HANDLE, pAssociatedData: *mut CK_BYTE, ulAssociatedDataLen: CK_ULONG, pWrappedKey: *mut CK_BYTE, pulWrappedKeyLen: *mut CK_ULONG)
    [session(hSession) mechanism(Wrap, pMechanism) key(hWrappingKey) key(hKey)] -> [output(pWrappedKey, pulWrappedKeyLen) wraps(pWrappedKey, pulWrappedKeyLen)];
(3, 2) C_UnwrapKeyAuthenticated(hSession: CK_SESSION_HANDLE, pMechanism: *mut CK_MECHANISM, hUnwrappingKey: CK_OBJECT_HANDLE, pWrappedKey: *mut CK_BYTE, ulWrappedKeyLen: CK_ULONG, pTemplate: *mut CK_ATTRIBUTE, ulAttributeCount: CK_ULONG, pAssociatedData: *mut CK_BYTE, ulAssociatedDataLen: CK_ULONG, phKey: *mut CK_OBJECT_HANDLE)
    [session(hSession) mechanism(Unwrap, pMechanism) key(hUnwrappingKey) wrapped(pWrappedKey, ulWrappedKeyLen) template(pTemplate, ulAttributeCount)] -> [created(phKey)];
        }
    };
}
