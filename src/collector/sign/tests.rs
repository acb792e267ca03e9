// SPDX-License-Identifier: Apache-2.0
//! A signer asked rightly, wrongly, by an attacker, and killed between two writes.

use std::fs;
use std::thread;

use ed25519_dalek::SigningKey;
use rustix::net::{AddressFamily, socketpair};
use tempfile::TempDir;

use super::*;
use crate::proof::{Chain, leaf_hash};

/// Serves one connection in a thread.
pub(crate) fn served(keys: &Path, epoch: Duration) -> OwnedFd {
    let (ours, its) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let signer = Signer { keys: keys.into(), epoch };
    thread::spawn(move || signer.serve(&its));
    ours
}

/// Asks; the certificates, and size and note.
fn ask(socket: &OwnedFd, request: &[&[u8]]) -> Result<(Vec<String>, u64, String), String> {
    send(socket.as_fd(), request, None).unwrap();
    let mut certificates = Vec::new();
    loop {
        let packet = receive(socket.as_fd(), 1 << 16, RecvFlags::empty()).unwrap().bytes;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        match (packet[0], &packet[1..]) {
            (b'C', note) => certificates.push(text(note)),
            (b'N', rest) => {
                return Ok((
                    certificates,
                    u64::from_le_bytes(rest[..8].try_into().unwrap()),
                    text(&rest[8..]),
                ));
            }
            (_, problem) => return Err(text(problem)),
        }
    }
}

fn hello(socket: &OwnedFd, origin: &str) -> Result<(Vec<String>, u64, String), String> {
    ask(socket, &[b"H", &0_u64.to_le_bytes(), origin.as_bytes()])
}

fn leaves(begin: u64, end: u64) -> Range {
    let mut range = Range::empty(begin);
    (begin..end).for_each(|leaf| range.push(leaf_hash(&leaf.to_le_bytes())));
    range
}

fn sign(socket: &OwnedFd, known: u64, more: &Range) -> Result<(Vec<String>, u64, String), String> {
    ask(socket, &[b"S", &known.to_le_bytes(), &more.end().to_le_bytes(), more.nodes().as_flattened()])
}

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn what_is_signed_goes_on_from_what_was_signed_whatever_is_asked() {
    let keys = TempDir::new().unwrap();
    let socket = served(keys.path(), LONG);
    let (certificates, size, note) = hello(&socket, "").unwrap();
    assert_eq!((certificates.len(), size, note.as_str()), (1, 0, ""));
    let chain = Chain::parse(&certificates.concat()).unwrap();
    let (_, size, note) = sign(&socket, 1, &leaves(0, 10)).unwrap();
    let said = chain.checkpoint(&note).unwrap().0;
    assert_eq!((size, said.size, said.root), (10, 10, leaves(0, 10).root()));
    // Smaller, the same again, another past, hashes too few.
    for wrong in [leaves(0, 5), leaves(0, 10), leaves(10, 10), leaves(0, 11)] {
        assert!(sign(&socket, 1, &wrong).is_err(), "{wrong:?}");
    }
    assert!(ask(&socket, &[b"S", &[1; 8]]).is_err() && ask(&socket, &[b"X"]).is_err());
    let (_, _, note) = sign(&socket, 1, &leaves(10, 300)).unwrap();
    assert_eq!(chain.checkpoint(&note).unwrap().0.root, leaves(0, 300).root());
    // What is signed survives the signer, and another of its logs is another.
    let again = served(keys.path(), LONG);
    let (certificates, size, same) = hello(&again, chain.origin().unwrap()).unwrap();
    assert_eq!((certificates.len(), size, same), (2, 300, note), "a new key after a start");
    assert!(sign(&again, 2, &leaves(0, 400)).is_err());
    let (other, size, _) = hello(&again, "").unwrap();
    assert_eq!((other.len(), size), (1, 0));
    assert!(
        hello(&again, "p11guard/../../etc").is_err()
            && hello(&again, &format!("p11guard/{:032}", 0)).is_err()
    );
}

#[test]
fn each_epoch_has_a_key_that_the_one_before_certified_and_no_secret_of_it_is_left() {
    let keys = TempDir::new().unwrap();
    let socket = served(keys.path(), Duration::ZERO);
    let (mut certificates, ..) = hello(&socket, "").unwrap();
    let origin = Chain::parse(&certificates[0]).unwrap().origin().unwrap().to_owned();
    let folder = keys.path().join(origin.trim_start_matches("p11guard/"));
    let mut secrets = Vec::new();
    let mut open = Vec::new();
    for end in 1..20 {
        secrets.push(fs::read(folder.join("secret")).unwrap());
        open.push(fs::File::open(folder.join("secret")).unwrap());
        let (more, _, note) = sign(&socket, end, &leaves(end - 1, end)).unwrap();
        certificates.extend(more);
        let chain = Chain::parse(&certificates.concat()).unwrap();
        let (said, epoch) = chain.checkpoint(&note).unwrap();
        assert_eq!((said.size, epoch.certificate.number), (end, end - 1));
        assert_eq!(chain.epochs().last().unwrap().certificate.root, leaves(0, end).root());
    }
    for mut old in open {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut old, &mut bytes).unwrap();
        assert_eq!(bytes, [0; 32], "what held the old secret was overwritten");
    }
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(secrets.iter().all(|secret| !bytes.windows(32).any(|part| part == secret)), "{path:?}");
    }
}

#[test]
fn a_change_of_keys_cut_short_at_any_write_is_brought_to_its_end() {
    let keys = TempDir::new().unwrap();
    let (certificates, ..) = hello(&served(keys.path(), LONG), "").unwrap();
    let origin = Chain::parse(&certificates[0]).unwrap().origin().unwrap().to_owned();
    let folder = keys.path().join(origin.trim_start_matches("p11guard/"));
    let before: Vec<_> =
        ["secret", "epochs"].map(|name| (name, fs::read(folder.join(name)).unwrap())).to_vec();
    let next = SigningKey::from_bytes(&[5; 32]);
    let good = |what: &str| {
        let socket = served(keys.path(), LONG);
        let (certificates, size, _) =
            hello(&socket, &origin).unwrap_or_else(|error| panic!("{what}: {error}"));
        let known = certificates.len() as u64;
        let (_, _, note) = sign(&socket, known, &leaves(size, size + 1)).unwrap();
        let chain = Chain::parse(&certificates.concat()).unwrap();
        chain.checkpoint(&note).unwrap();
        assert!(!folder.join("secret.new").exists());
    };
    // The new secret is written, and not certified yet.
    fs::write(folder.join("secret.new"), next.to_bytes()).unwrap();
    good("before the certificate");
    fs::write(folder.join("secret.new"), [1; 7]).unwrap();
    good("within the new secret");
    // Certified, and not in its place yet.
    let signed = fs::read(folder.join("signed")).unwrap();
    let now = fs::read_to_string(folder.join("epochs")).unwrap();
    let chain = Chain::parse(&now).unwrap();
    let last = chain.epochs().last().unwrap().certificate.clone();
    let size = u64::from_le_bytes(signed[..8].try_into().unwrap());
    let certificate = crate::proof::Certificate {
        size,
        root: leaves(0, size).root(),
        number: last.number + 1,
        key: crate::proof::Key { name: origin.clone(), public: next.verifying_key().to_bytes() },
        ..last
    };
    let secret = SigningKey::from_bytes(&fs::read(folder.join("secret")).unwrap().try_into().unwrap());
    fs::write(folder.join("secret.new"), next.to_bytes()).unwrap();
    fs::write(folder.join("epochs"), now + &certificate.sign(&secret).to_string()).unwrap();
    good("before the rename");
    // The secret of an older certificate is refused.
    for (name, bytes) in before.iter().take(1) {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let refused = hello(&served(keys.path(), LONG), &origin).unwrap_err();
    assert!(
        refused.contains("not the secret of the newest certificate") && refused.contains("move the log"),
        "{refused}"
    );
}

#[test]
fn a_damaged_tree_is_not_signed_on() {
    let keys = TempDir::new().unwrap();
    let socket = served(keys.path(), LONG);
    let (certificates, ..) = hello(&socket, "").unwrap();
    sign(&socket, 1, &leaves(0, 77)).unwrap();
    let origin = Chain::parse(&certificates[0]).unwrap().origin().unwrap().to_owned();
    let path = keys.path().join(origin.trim_start_matches("p11guard/")).join("signed");
    let whole = fs::read(&path).unwrap();
    for place in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[place] ^= 4;
        fs::write(&path, bytes).unwrap();
        let answer = hello(&served(keys.path(), LONG), &origin);
        // Who is named and who signed in the note is the collector's to check: the tree does not hang on it.
        let tree = 8 + 1 + 4 * 32;
        assert!(answer.is_err() || place >= tree, "{place}");
        fs::write(&path, &whole).unwrap();
    }
}
