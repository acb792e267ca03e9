// SPDX-License-Identifier: Apache-2.0
//! What is learnt of a token: who it says it is.

use cryptoki_sys::{CK_TOKEN_INFO, CKR_OK};
use event::record::{Text, Token};
use event::wire::{MAX_PART, encode_token};

use crate::vendor::List;

/// Asks the vendor for the token in a slot and encodes it. None where the vendor will not tell.
#[cold]
pub(crate) fn learn(vendor: &List, slot: u64) -> Option<Vec<u64>> {
    let mut info = CK_TOKEN_INFO::default();
    if vendor.token_info(slot, &mut info)? != CKR_OK {
        return None;
    }
    // Padded with blanks and not terminated (PKCS#11 3.2, section 3.2); some modules pad with zeros.
    let text = |padded: &[u8]| {
        let end = padded.iter().rposition(|byte| *byte != b' ' && *byte != 0).map_or(0, |last| last + 1);
        Text { length: u32::try_from(end).unwrap_or(0), bytes: padded[..end].to_vec() }
    };
    let token = Token {
        slot,
        label: text(&info.label),
        serial: text(&info.serialNumber),
        model: text(&info.model),
        manufacturer: text(&info.manufacturerID),
        firmware: (info.firmwareVersion.major, info.firmwareVersion.minor),
        hardware: (info.hardwareVersion.major, info.hardwareVersion.minor),
    };
    let mut bytes = [0; MAX_PART];
    let length = encode_token(&token, &mut bytes);
    Some(words(&bytes, length))
}

/// Encoded facts as words.
pub(crate) fn words(bytes: &[u8], length: usize) -> Vec<u64> {
    let chunks = bytes[..length.next_multiple_of(8)].chunks_exact(8);
    chunks.map(|chunk| chunk.try_into().map_or(0, u64::from_le_bytes)).collect()
}
