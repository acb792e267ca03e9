# SPDX-License-Identifier: Apache-2.0
"""python-pkcs11 over a module: MODULE LABEL PIN. Prints what came back; random bytes by length only."""

import sys

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

module, label, pin = sys.argv[1:]
library = pkcs11.lib(module)
print(library.manufacturer_id, library.library_description, library.library_version)
token = library.get_token(token_label=label)
print(token.label, token.manufacturer_id, sorted(m.name for m in token.slot.get_mechanisms() if hasattr(m, "name")))

with token.open(rw=True, user_pin=pin) as session:
    key = session.generate_key(KeyType.AES, 256, label="python")
    iv = bytes(16)
    sealed = key.encrypt(b"a message", mechanism_param=iv)
    print(len(sealed), key.decrypt(sealed, mechanism_param=iv))
    public, private = session.generate_keypair(KeyType.RSA, 2048, label="python rsa")
    signature = private.sign(b"a message", mechanism=Mechanism.SHA256_RSA_PKCS)
    print(len(signature), public.verify(b"a message", signature, mechanism=Mechanism.SHA256_RSA_PKCS))
    print(public.verify(b"another", signature, mechanism=Mechanism.SHA256_RSA_PKCS))
    parameters = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
    )
    public, private = parameters.generate_keypair()
    print(len(private.sign(bytes(32), mechanism=Mechanism.ECDSA)))
    wrapped = session.generate_key(KeyType.AES, 128, template={Attribute.EXTRACTABLE: True, Attribute.SENSITIVE: False})
    print(len(key.wrap_key(wrapped, mechanism=Mechanism.AES_KEY_WRAP)))
    print(session.digest(b"a message", mechanism=Mechanism.SHA256).hex())
    print(sorted(o.label for o in session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})))
    try:
        session.generate_key(KeyType.AES, 17)
    except pkcs11.PKCS11Error as error:
        print(type(error).__name__)
print("end")
