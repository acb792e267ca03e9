// SPDX-License-Identifier: Apache-2.0
//! The fields of mechanism parameters that are recorded: lengths, counts and names of algorithms, one line each.
//! No field carries bytes: an IV, a salt, a label or a seed is recorded by its length alone.

/// How the value of a field reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A count or a length.
    Number,
    /// Zero or not.
    Flag,
    /// A `CKM_` number; fields of a nested mechanism follow it one level deeper.
    Mechanism,
    /// A `CKG_` number (mask generation function, or generator of IVs).
    Generator,
    /// A `CKD_` number (key derivation function).
    Kdf,
    /// A `CKP_` number (pseudo-random function of PBKDF2).
    Prf,
    /// A `CKZ_` number (source of a salt or of the OAEP label).
    Source,
    /// A `CKH_` number (hedging of a signature).
    Hedge,
    /// A `CKA_` number (type of a derived attribute, of an OTP parameter…).
    Attribute,
    /// An object handle.
    Handle,
}

macro_rules! fields {
    ($($number:literal $field:ident $name:literal $kind:ident;)*) => {
        /// A recorded field of a mechanism parameter; the number is its wire number.
        #[allow(missing_docs)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Field { $($field = $number),* }

        impl Field {
            /// Every field.
            pub const ALL: &[Field] = &[$(Field::$field),*];

            /// The field with this wire number.
            pub fn from_number(number: u8) -> Option<Field> {
                match number { $($number => Some(Field::$field),)* _ => None }
            }

            /// Its name in events.
            pub fn name(self) -> &'static str {
                match self { $(Field::$field => $name),* }
            }

            /// How its value reads.
            pub fn kind(self) -> Kind {
                match self { $(Field::$field => Kind::$kind),* }
            }
        }
    };
}

// Append only: the numbers are on the wire.
fields! {
    1 Length "length" Number;
    2 Malformed "malformed_length" Number;
    3 Hash "hash" Mechanism;
    4 Mgf "mgf" Generator;
    5 SaltLen "salt_len" Number;
    6 Source "source" Source;
    7 SourceLen "source_len" Number;
    8 IvLen "iv_len" Number;
    9 AadLen "aad_len" Number;
    10 TagBits "tag_bits" Number;
    11 MacLen "mac_len" Number;
    12 DataLen "data_len" Number;
    13 NonceLen "nonce_len" Number;
    14 CounterBits "counter_bits" Number;
    15 Kdf "kdf" Kdf;
    16 SharedDataLen "shared_data_len" Number;
    17 PublicDataLen "public_data_len" Number;
    18 Prf "prf" Prf;
    19 PrfMechanism "prf_mechanism" Mechanism;
    20 Iterations "iterations" Number;
    21 PasswordLen "password_len" Number;
    22 EffectiveBits "effective_bits" Number;
    23 WordSize "word_size" Number;
    24 Rounds "rounds" Number;
    25 IvGenerator "iv_generator" Generator;
    26 IvFixedBits "iv_fixed_bits" Number;
    27 Extract "extract" Flag;
    28 Expand "expand" Flag;
    29 SaltType "salt_type" Number;
    30 SaltKey "salt_key" Handle;
    31 InfoLen "info_len" Number;
    32 ContextLen "context_len" Number;
    33 Hedge "hedge" Hedge;
    34 Prehash "prehash" Flag;
    35 OtherKey "other_key" Handle;
    36 KeyBits "key_bits" Number;
    37 MacBits "mac_bits" Number;
    38 IvBits "iv_bits" Number;
    39 Export "export" Flag;
    40 ClientRandomLen "client_random_len" Number;
    41 ServerRandomLen "server_random_len" Number;
    42 LabelLen "label_len" Number;
    43 SeedLen "seed_len" Number;
    44 ServerOrClient "server_or_client" Number;
    45 VersionMajor "version_major" Number;
    46 VersionMinor "version_minor" Number;
    47 DataParameters "data_parameters" Number;
    48 AdditionalKeys "additional_keys" Number;
    49 SigningMechanism "signing_mechanism" Mechanism;
    50 DigestMechanism "digest_mechanism" Mechanism;
    51 Mechanism "mechanism" Mechanism;
    52 UkmLen "ukm_len" Number;
    53 WrapOid "wrap_oid_len" Number;
    54 Index "index" Number;
    55 AesKeyBits "aes_key_bits" Number;
    56 BlockCounterBits "block_counter_bits" Number;
    57 Bit "bit" Number;
    58 HasPreviousKey "has_previous_key" Flag;
    59 RekeyOrDh "rekey_or_dh" Flag;
    60 KeyNumber "key_number" Number;
    61 Parameters "parameters" Number;
    62 Prime "prime_len" Number;
    63 Subprime "subprime_len" Number;
    64 Base "base_len" Number;
    65 SessionHashLen "session_hash_len" Number;
    66 Aead "aead" Mechanism;
    67 EncryptedHeader "encrypted_header" Flag;
    68 NonceBits "nonce_bits" Number;
    69 PrivateDataLen "private_data_len" Number;
    70 PublicKey "public_key" Handle;
    71 PreviousKey "previous_key" Handle;
    72 DataAsKey "data_as_key" Flag;
    73 InitiatorLen "initiator_len" Number;
    74 ResponderLen "responder_len" Number;
    75 HasSeedKey "has_seed_key" Flag;
    76 Certificate "certificate" Handle;
    77 RequestedAttributesLen "requested_attributes_len" Number;
    78 RequiredAttributesLen "required_attributes_len" Number;
    79 Sender "sender" Flag;
    80 RandomLen "random_len" Number;
    81 BlockContents "block_contents" Number;
    82 SequenceNumber "sequence_number" Number;
    83 Curve "curve" Number;
    84 OwnIdentity "own_identity" Handle;
    85 PeerIdentity "peer_identity" Handle;
    86 OwnPrekey "own_prekey" Handle;
    87 PeerPrekey "peer_prekey" Handle;
    88 OwnEphemeral "own_ephemeral" Handle;
    89 WrappedLen "wrapped_len" Number;
    90 OldPasswordLen "old_password_len" Number;
    91 OldPublicDataLen "old_public_data_len" Number;
    92 OldRandomLen "old_random_len" Number;
}

/// One recorded field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// 0 for a field of the call's own mechanism; one more inside each nested mechanism.
    pub depth: u8,
    /// Which field.
    pub field: Field,
    /// Its value, as the structure has it.
    pub value: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_name_of_its_own() {
        let mut names: Vec<_> = Field::ALL.iter().map(|f| f.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Field::ALL.len());
        assert!(Field::ALL.iter().all(|f| Field::from_number(*f as u8) == Some(*f)));
    }
}
