// SPDX-License-Identifier: Apache-2.0
//! Signed notes and the checkpoints in them (C2SP signed-note, tlog-checkpoint), with Ed25519. Every byte of a note is
//! either signed or has one right value: no two texts are the same note.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::tree::Hash;

/// What algorithm a key or signature is of: Ed25519 is 1.
const ED25519: u8 = 1;
/// Bytes of a note that is read; one of ours has some 300.
const LONGEST: usize = 64 << 10;

/// What is wrong with a text that should be a note, checkpoint, key or proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw(pub &'static str);

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Flaw {}

/// A public key with its name; shown as `name+hash+key`, which C2SP calls a vkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Who signs: for us the origin of the log.
    pub name: String,
    /// Ed25519.
    pub public: [u8; 32],
}

impl Key {
    /// What a signature names its key by, besides the name.
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', ED25519])
            .chain_update(self.public)
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    /// Reads a vkey.
    ///
    /// # Errors
    /// What it lacks.
    pub fn parse(text: &str) -> Result<Key, Flaw> {
        const WRONG: Flaw = Flaw("a key reads NAME+HASH+KEY, as `p11guard checkpoint --key` prints it");
        let (name, rest) = text.split_once('+').ok_or(WRONG)?;
        let (id, public) = rest.split_once('+').ok_or(WRONG)?;
        let public = STANDARD.decode(public).map_err(|_| WRONG)?;
        let [ED25519, public @ ..] = &public[..] else {
            return Err(Flaw("the key is of another algorithm than Ed25519"));
        };
        let key = Key { name: name.into(), public: public.try_into().map_err(|_| WRONG)? };
        let right = is_name(name) && id == hexadecimal(&key.id());
        if right {
            Ok(key)
        } else {
            Err(Flaw("the hash in the key is not that of its name and key: a typing error"))
        }
    }

    /// Whether `signature` over `text` is by this key.
    pub fn verify(&self, text: &str, signature: &Signature) -> bool {
        signature.name == self.name
            && signature.id == self.id()
            && VerifyingKey::from_bytes(&self.public).is_ok_and(|key| {
                key.verify_strict(text.as_bytes(), &ed25519_dalek::Signature::from_bytes(&signature.bytes))
                    .is_ok()
            })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519], &self.public[..]].concat());
        write!(f, "{}+{}+{key}", self.name, hexadecimal(&self.id()))
    }
}

/// One signature of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Of the key.
    pub name: String,
    /// Of the key.
    pub id: [u8; 4],
    /// Ed25519.
    pub bytes: [u8; 64],
}

/// A text and its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed, its last newline included.
    pub text: String,
    /// At least one.
    pub signatures: Vec<Signature>,
}

impl Note {
    /// Signs a text, which ends with a newline.
    pub fn sign(text: String, name: &str, secret: &SigningKey) -> Note {
        use ed25519_dalek::Signer;
        let key = Key { name: name.into(), public: secret.verifying_key().to_bytes() };
        let bytes = secret.sign(text.as_bytes()).to_bytes();
        Note { signatures: vec![Signature { id: key.id(), name: key.name, bytes }], text }
    }

    /// Reads a note. Signatures of other algorithms than Ed25519 are passed over, as the format demands.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(note: &str) -> Result<Note, Flaw> {
        if note.len() > LONGEST {
            return Err(Flaw("it is longer than any note"));
        }
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(Flaw("it has control characters"));
        }
        let end = note.rfind("\n\n").ok_or(Flaw("it has no empty line between text and signatures"))?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(Flaw("its last line does not end"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            const WRONG: Flaw = Flaw("a line under it is no signature");
            let (name, bytes) =
                line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or(WRONG)?;
            let bytes = STANDARD.decode(bytes).map_err(|_| WRONG)?;
            let (id, bytes) = bytes.split_first_chunk::<4>().filter(|_| is_name(name)).ok_or(WRONG)?;
            if let Ok(bytes) = bytes.try_into() {
                signatures.push(Signature { name: name.into(), id: *id, bytes });
            }
        }
        if signatures.is_empty() {
            return Err(Flaw("it has no Ed25519 signature"));
        }
        Ok(Note { text: text.into(), signatures })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|Signature { name, id, bytes }| {
            writeln!(f, "\u{2014} {name} {}", STANDARD.encode([&id[..], bytes].concat()))
        })
    }
}

/// The notes of a file that holds one after the other, each as its text stands there. The last may be cut off.
pub fn notes(file: &str) -> impl Iterator<Item = &str> {
    let mut rest = file;
    std::iter::from_fn(move || {
        let signatures = rest.find("\n\n").map_or(rest.len(), |end| end + 2);
        let lines = rest[signatures..].split_inclusive('\n').take_while(|line| line.starts_with('\u{2014}'));
        let end = signatures + lines.map(str::len).sum::<usize>();
        let (note, after) = rest.split_at(end);
        rest = after;
        (!note.is_empty()).then_some(note)
    })
}

/// What a log says of its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// Further lines, each with its newline. A checkpoint of ours has none; an epoch's certificate has.
    pub extension: String,
}

impl Checkpoint {
    /// Reads the text of a note.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Checkpoint, Flaw> {
        let mut lines = text.splitn(4, '\n');
        let mut line = || lines.next().ok_or(Flaw("it has not the three lines of a checkpoint"));
        let (origin, size, root, rest) = (line()?, line()?, line()?, line()?);
        let number = size.parse().ok().filter(|number: &u64| number.to_string() == size);
        let checkpoint = Checkpoint {
            origin: origin.into(),
            size: number.ok_or(Flaw("its size is no number"))?,
            root: hash(root).ok_or(Flaw("its root is no SHA-256 in base64"))?,
            extension: rest.into(),
        };
        let whole =
            rest.is_empty() || rest.ends_with('\n') && !rest.starts_with('\n') && !rest.contains("\n\n");
        if whole && !origin.is_empty() { Ok(checkpoint) } else { Err(Flaw("it is no checkpoint")) }
    }
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpoint { origin, size, root, extension } = self;
        write!(f, "{origin}\n{size}\n{}\n{extension}", STANDARD.encode(root))
    }
}

/// A hash as it stands in notes and proofs.
pub(super) fn hash(base64: &str) -> Option<Hash> {
    STANDARD.decode(base64).ok()?.try_into().ok()
}

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A text as it stands in proofs.
pub(super) fn text(base64: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(base64).ok()?).ok()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter == '+')
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
