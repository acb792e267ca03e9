// SPDX-License-Identifier: Apache-2.0
//! Which leaf a line of the log is: the one that its `index` says, which every line begins with.

use super::tree::{Hash, leaf_hash};

/// The index that a line begins with; `None` if it is no event.
pub fn event_index(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"index\":")?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).filter(|end| (1..=19).contains(end))?;
    // One number, one text.
    if rest[digits] != b',' || digits > 1 && rest[0] == b'0' {
        return None;
    }
    Some(rest[..digits].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// The leaf that stands for an event that was gone before it was sealed.
pub fn gone() -> Hash {
    leaf_hash(b"")
}
