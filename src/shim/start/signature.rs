// SPDX-License-Identifier: Apache-2.0
//! Policies that are signed: where the configuration names a key, a policy counts only with a minisign signature of
//! that key beside it (`minisign -S -m policy.toml` makes `policy.toml.minisig`).

use minisign_verify::{PublicKey, Signature};
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use super::files::{self, Unreadable};

/// Why a policy does not count as signed.
pub(crate) enum Unsigned {
    /// The key in the configuration is none.
    Key(minisign_verify::Error),
    /// The signature cannot be read.
    Unreadable(Unreadable),
    /// The file is no signature.
    Malformed(PathBuf),
    /// The signature is not that key's, or of another text.
    Wrong(PathBuf),
}

impl Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsigned::Key(error) => write!(
                f,
                "error: `policy_key` is no minisign public key ({error})\nhelp: copy the second line of minisign.pub"
            ),
            Unsigned::Unreadable(error) => write!(f, "{error}"),
            Unsigned::Malformed(path) => write!(
                f,
                "{}: error: it is no minisign signature\nhelp: sign the policy with `minisign -S -m policy.toml`",
                path.display()
            ),
            Unsigned::Wrong(path) => write!(
                f,
                "{}: error: it is not the signature of this policy by the key that `policy_key` names\nhelp: sign the \
                 policy again with that key, and move the signature into its place before the policy",
                path.display()
            ),
        }
    }
}

/// Checks the signature of the policy at `path`.
pub(crate) fn check(path: &Path, policy: &[u8], key: &str, owner: u32) -> Result<(), Unsigned> {
    let key = PublicKey::from_base64(key).map_err(Unsigned::Key)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".minisig");
    let beside = PathBuf::from(beside);
    let content = files::read(&beside, owner).map_err(Unsigned::Unreadable)?;
    let text = std::str::from_utf8(&content.bytes).ok();
    let Some(signature) = text.and_then(|text| Signature::decode(text).ok()) else {
        return Err(Unsigned::Malformed(beside));
    };
    key.verify(policy, &signature, false).map_err(|_| Unsigned::Wrong(beside))
}
