// SPDX-License-Identifier: Apache-2.0
//! What a signer keeps of one log, in a folder named after it: `secret`, the seed of the key in force; `epochs`, all
//! certificates; `signed`, the tree signed last and its note. What is promised is durable before it is said, and a
//! secret that is followed by another is overwritten: on a file system that writes in place it is gone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use rustix::fs::OFlags;
use rustix::time::ClockId;
use zeroize::Zeroizing;

use crate::clock::nanoseconds;
use crate::log::{replace, sync_folder};
use crate::proof::{Certificate, Chain, Checkpoint, Hash, Key, Note, Range, notes};

/// Logs of one signer; each is a folder that nobody removes but its owner.
const MOST_LOGS: usize = 1024;

/// The keys and the tree of one log.
pub(super) struct Store {
    folder: PathBuf,
    secret: SigningKey,
    /// The text of the newest note, empty before the first.
    note: String,
    tree: Range,
    /// The newest certificate.
    epoch: Certificate,
    /// Since when its key is in force, in nanoseconds that no step of the clock changes.
    since: u64,
}

impl Store {
    /// The log of this name, with a new key if the one there has signed anything; a new log where the name is empty.
    pub(super) fn open(keys: &Path, origin: &str) -> Result<Store, String> {
        if origin.is_empty() {
            return Store::create(keys);
        }
        let name = origin
            .strip_prefix("p11guard/")
            .filter(|name| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let folder = keys.join(name.ok_or("no log has such a name")?);
        let failed = |file: &str, what: String| {
            let remedy = "put back the folder of the keys, or move the log's folder away to begin a new log";
            format!("cannot use {:?}: {what}; {remedy}", folder.join(file))
        };
        let text =
            fs::read_to_string(folder.join("epochs")).map_err(|error| failed("epochs", error.to_string()))?;
        let chain = Chain::parse(&text)
            .map_err(|(number, flaw)| failed("epochs", format!("number {number}: {flaw}")))?;
        let epoch =
            chain.epochs().last().ok_or_else(|| failed("epochs", "it is empty".into()))?.certificate.clone();
        let secret = secret(&folder, &epoch.key).map_err(|error| failed("secret", error.to_string()))?;
        let (tree, note) =
            signed(&folder.join("signed")).map_err(|error| failed("signed", error.to_string()))?;
        let mut store = Store { secret, note, tree, epoch, since: now(), folder };
        if store.tree.end() > store.epoch.size {
            store.rotate().map_err(|error| error.to_string())?;
        }
        Ok(store)
    }

    fn create(keys: &Path) -> Result<Store, String> {
        let secret = random().map_err(|error| format!("no random numbers: {error}"))?;
        let epoch = Certificate::first(&secret);
        let folder = keys.join(epoch.origin.trim_start_matches("p11guard/"));
        let create = || -> io::Result<Store> {
            DirBuilder::new().recursive(true).mode(0o700).create(keys)?;
            if fs::read_dir(keys)?.count() >= MOST_LOGS {
                return Err(io::Error::other(
                    "it holds the keys of too many logs; remove those of logs that are gone",
                ));
            }
            DirBuilder::new().mode(0o700).create(&folder)?;
            write_secret(&folder.join("secret"), &secret)?;
            let (tree, note) = (Range::empty(0), String::new());
            let certificate = epoch.sign(&secret).to_string();
            let store = Store { secret, note, tree, epoch, since: now(), folder: folder.clone() };
            store.write_signed()?;
            replace(&folder.join("epochs"), certificate.as_bytes())?;
            sync_folder(keys)?;
            Ok(store)
        };
        create().map_err(|error| {
            format!("cannot make keys in {keys:?}: {error}; it must belong to the signer's user")
        })
    }

    /// Leaves of the tree signed last.
    pub(super) fn size(&self) -> u64 {
        self.tree.end()
    }

    /// The note of the tree signed last; empty before the first.
    pub(super) fn note(&self) -> &str {
        &self.note
    }

    /// The notes of the certificates from number `known` on.
    pub(super) fn certificates(&self, known: u64) -> io::Result<Vec<String>> {
        if known > self.epoch.number {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(self.folder.join("epochs"))?;
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        Ok(notes(&text).skip(known).map(str::to_owned).collect())
    }

    /// Signs the tree signed last with `more` behind it, and takes a new key where this one is `old` enough.
    pub(super) fn sign(&mut self, more: &Range, old: Duration) -> Result<(), String> {
        let mut tree = self.tree.clone();
        if more.nodes().is_empty() || !tree.append(more) {
            return Err(format!("there is nothing new to sign after leaf {}", self.size()));
        }
        let checkpoint = Checkpoint {
            origin: self.epoch.origin.clone(),
            size: tree.end(),
            root: tree.root(),
            extension: String::new(),
        };
        let note = Note::sign(checkpoint.to_string(), &self.epoch.origin, &self.secret).to_string();
        let before = (std::mem::replace(&mut self.tree, tree), std::mem::replace(&mut self.note, note));
        if let Err(error) = self.write_signed() {
            // What may be on the disk by now is read by the next start: it must be asked for again, not signed anew.
            (self.tree, self.note) = before;
            return Err(format!("cannot keep what is signed in {:?}: {error}; make room there", self.folder));
        }
        if now().saturating_sub(self.since) >= u64::try_from(old.as_nanos()).unwrap_or(u64::MAX) {
            self.rotate()
                .map_err(|error| format!("no new key in {:?}: {error}; make room there", self.folder))?;
        }
        Ok(())
    }

    /// Takes a new key, certified by this one, whose secret is overwritten.
    fn rotate(&mut self) -> io::Result<()> {
        let next = random()?;
        let key = Key { name: self.epoch.origin.clone(), public: next.verifying_key().to_bytes() };
        let epoch = Certificate {
            origin: self.epoch.origin.clone(),
            size: self.tree.end(),
            root: self.tree.root(),
            number: self.epoch.number + 1,
            key,
        };
        // In this order there is at any moment a secret for the newest certificate.
        write_secret(&self.folder.join("secret.new"), &next)?;
        let mut text = fs::read_to_string(self.folder.join("epochs"))?;
        text.push_str(&epoch.sign(&self.secret).to_string());
        replace(&self.folder.join("epochs"), text.as_bytes())?;
        succeed(&self.folder)?;
        (self.secret, self.epoch, self.since) = (next, epoch, now());
        Ok(())
    }

    fn write_signed(&self) -> io::Result<()> {
        let mut bytes = self.tree.end().to_le_bytes().to_vec();
        bytes.push(u8::try_from(self.tree.nodes().len()).unwrap_or(u8::MAX));
        self.tree.nodes().iter().for_each(|node| bytes.extend_from_slice(node));
        bytes.extend_from_slice(self.note.as_bytes());
        replace(&self.folder.join("signed"), &bytes)
    }
}

/// The tree signed last, and its note.
fn signed(path: &Path) -> io::Result<(Range, String)> {
    let bytes = fs::read(path)?;
    let read = || {
        let (size, rest) = bytes.split_first_chunk::<8>()?;
        let (count, rest) = rest.split_first()?;
        let (nodes, note) = rest.split_at_checked(usize::from(*count) * 32)?;
        let nodes = nodes.chunks_exact(32).map(|node| Hash::try_from(node).unwrap_or_default()).collect();
        let tree = Range::of(0, u64::from_le_bytes(*size), nodes)?;
        let note = String::from_utf8(note.to_vec()).ok()?;
        let said = Note::parse(&note).ok().and_then(|note| Checkpoint::parse(&note.text).ok());
        let fits = match said {
            Some(said) => (said.size, said.root) == (tree.end(), tree.root()),
            None => note.is_empty() && tree.end() == 0,
        };
        fits.then_some((tree, note))
    };
    read().ok_or_else(|| io::Error::other("it is damaged"))
}

/// The secret of this key. A change of keys that was cut short is brought to its end.
fn secret(folder: &Path, key: &Key) -> io::Result<SigningKey> {
    match read_secret(&folder.join("secret.new")) {
        Ok(next) if next.verifying_key().to_bytes() == key.public => succeed(folder)?,
        Ok(_) => {
            wipe(&options().write(true).open(folder.join("secret.new"))?)?;
            fs::remove_file(folder.join("secret.new"))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(_) => fs::remove_file(folder.join("secret.new"))?,
    }
    let secret = read_secret(&folder.join("secret"))?;
    if secret.verifying_key().to_bytes() == key.public {
        Ok(secret)
    } else {
        Err(io::Error::other("it is not the secret of the newest certificate"))
    }
}

/// Puts the new secret in the place of the old one, and overwrites that.
fn succeed(folder: &Path) -> io::Result<()> {
    let old = options().write(true).open(folder.join("secret"))?;
    fs::rename(folder.join("secret.new"), folder.join("secret"))?;
    sync_folder(folder)?;
    wipe(&old)
}

fn wipe(mut old: &File) -> io::Result<()> {
    old.write_all(&[0; 32])?;
    old.sync_all()
}

fn write_secret(path: &Path, secret: &SigningKey) -> io::Result<()> {
    let mut file = options().write(true).create(true).truncate(true).open(path)?;
    file.write_all(Zeroizing::new(secret.to_bytes()).as_ref())?;
    file.sync_all()?;
    sync_folder(path.parent().unwrap_or(path))
}

fn read_secret(path: &Path) -> io::Result<SigningKey> {
    let mut seed = Zeroizing::new([0; 32]);
    options().read(true).open(path)?.read_exact(&mut *seed)?;
    Ok(SigningKey::from_bytes(&seed))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed());
    options
}

fn random() -> io::Result<SigningKey> {
    let mut seed = Zeroizing::new([0; 32]);
    let mut filled = 0;
    while filled < seed.len() {
        filled += rustix::rand::getrandom(&mut seed[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(SigningKey::from_bytes(&seed))
}

fn now() -> u64 {
    nanoseconds(ClockId::Boottime)
}
