// SPDX-License-Identifier: Apache-2.0
//! What a stream says of itself once, before its first record: which library, module, configuration and policy.
//! It stands in the ring's hello region; a list of (number, length, bytes). Identity is not in it: that is the
//! kernel's to give.

macro_rules! fields {
    ($($(#[$doc:meta])* $number:literal $field:ident $name:literal;)*) => {
        /// A field of the hello.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        pub enum Field { $($(#[$doc])* $field = $number),* }

        impl Field {
            /// Every field.
            pub const ALL: &[Field] = &[$(Field::$field),*];

            /// Its name in events.
            pub fn name(self) -> &'static str {
                match self { $(Field::$field => $name),* }
            }
        }
    };
}

// Append only: the numbers are on the wire.
fields! {
    /// Version of the library.
    1 Version "version";
    /// Path of the library, as the loader has it.
    2 Library "library";
    /// Path of the vendor module.
    3 Module "module";
    /// Path of the configuration.
    4 Config "config";
    /// SHA-256 of the configuration, 32 bytes.
    5 ConfigHash "config_hash";
    /// Path of the policy.
    6 Policy "policy";
    /// SHA-256 of the policy and of the profiles that it includes, 32 bytes.
    7 PolicyHash "policy_hash";
    /// Name that the policy gives itself.
    8 PolicyName "policy_name";
    /// `enforce` or `observe`.
    9 PolicyMode "policy_mode";
    /// `OTEL_SERVICE_NAME` of the process.
    10 Service "service";
    /// `OTEL_RESOURCE_ATTRIBUTES` of the process.
    11 Resource "resource";
    /// Why there is a spool file and no collector, or why the module did not start.
    12 Note "note";
    /// Name of the host that the kernel gives the process.
    13 Host "host";
}

/// Appends a field to a hello; values past 65,535 bytes are cut.
pub fn push(hello: &mut Vec<u8>, field: Field, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    hello.extend_from_slice(&(field as u16).to_le_bytes());
    hello.extend_from_slice(&length.to_le_bytes());
    hello.extend_from_slice(&value[..usize::from(length)]);
}

/// The fields of a hello that this version knows; reading stops where the bytes stop making sense.
pub fn fields(hello: &[u8]) -> impl Iterator<Item = (Field, &[u8])> {
    let mut rest = hello;
    std::iter::from_fn(move || {
        let (head, after) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let (value, after) = after.split_at_checked(length)?;
        rest = after;
        Some((u16::from_le_bytes([head[0], head[1]]), value))
    })
    .filter_map(|(number, value)| {
        Field::ALL.iter().find(|field| **field as u16 == number).map(|field| (*field, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_reads_back_as_it_was_written() {
        let mut hello = Vec::new();
        push(&mut hello, Field::Version, b"0.1.0");
        push(&mut hello, Field::Module, b"/usr/lib/softhsm/libsofthsm2.so");
        hello.extend_from_slice(&[0xff, 0x7f, 1, 0, 9]);
        push(&mut hello, Field::PolicyHash, &[7; 32]);
        let read: Vec<_> = fields(&hello).collect();
        assert_eq!(read[0], (Field::Version, &b"0.1.0"[..]));
        assert_eq!(read[2], (Field::PolicyHash, &[7; 32][..]));
        assert_eq!(read.len(), 3);
    }

    #[test]
    fn a_cut_hello_gives_what_is_whole() {
        let mut hello = Vec::new();
        push(&mut hello, Field::Version, b"0.1.0");
        push(&mut hello, Field::Module, b"module");
        for cut in 0..hello.len() {
            assert!(fields(&hello[..cut]).count() < 2);
        }
    }
}
