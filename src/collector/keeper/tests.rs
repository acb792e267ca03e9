// SPDX-License-Identifier: Apache-2.0
//! A keeper asked over its socket.

use std::io::Write;
use std::os::fd::AsFd;

use super::*;
use std::fs::File;
use std::io::Read;

#[test]
fn what_is_parked_outlives_its_collector_until_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keeper.sock");
    let kept = std::thread::spawn({
        let path = path.clone();
        move || {
            let listener = listen(&path, SocketType::SEQPACKET, 0o600, None).unwrap();
            Kept::default().serve(&listener)
        }
    });
    while !path.exists() {
        std::thread::yield_now();
    }
    let mut files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
    files[0].write_all(b"first").unwrap();
    let mut keeper = Keeper::at(path.clone());
    assert!(keeper.list().is_err() && !keeper.is_there());
    keeper.reach().unwrap();
    keeper.park(&[1; 16], b"who", files[0].as_fd()).unwrap();
    keeper.park(&[2; 16], b"", files[1].as_fd()).unwrap();
    keeper.park(&[1; 16], b"an impostor", files[1].as_fd()).unwrap();
    drop(keeper);

    let mut keeper = Keeper::at(path.clone());
    keeper.reach().unwrap();
    let parked = keeper.list().unwrap();
    assert_eq!(
        parked.iter().map(|ring| (ring.id, &ring.blob[..])).collect::<Vec<_>>(),
        [([1; 16], &b"who"[..]), ([2; 16], b"")]
    );
    let mut text = String::new();
    let mut first = File::from(parked.into_iter().next().unwrap().ring);
    std::io::Seek::rewind(&mut first).unwrap();
    first.read_to_string(&mut text).unwrap();
    assert_eq!(text, "first");
    keeper.release(&[1; 16]).unwrap();
    keeper.dismiss();
    // It still holds one, so it stays.
    keeper.reach().unwrap();
    assert_eq!(keeper.list().unwrap().len(), 1);
    keeper.release(&[2; 16]).unwrap();
    keeper.dismiss();
    kept.join().unwrap().unwrap();
}
