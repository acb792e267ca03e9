// SPDX-License-Identifier: Apache-2.0
//! The evidence log written, torn, damaged, taken away and read again.

use std::os::unix::fs::PermissionsExt;

use super::super::durable::End;
use super::super::seek::after;
use super::*;
use crate::log::Cursor;

fn fresh(folder: &Path) -> (Log, Scan) {
    let mut log = Log::open(folder, None).unwrap();
    let found = log.recover(0, 0, &mut |_, _| {}).unwrap();
    (log, found)
}

/// The path of a segment.
fn segment(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("events/{first:012}.jsonl"))
}

fn add(log: &mut Log, events: usize) {
    for length in (0..9000).step_by(37).cycle().take(events) {
        let mut fields = Map::new();
        fields.insert("filler".into(), "x".repeat(length).into());
        log.control("test", &fields, None);
    }
    assert!(log.commit(&mut || false));
}

fn indices(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["index"].as_u64().unwrap()).collect()
}

#[test]
fn indices_go_on_without_a_gap_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let (mut log, found) = fresh(folder.path());
        assert_eq!((found.index, found.torn, found.damaged), (round * 5, 0, 0));
        add(&mut log, 5);
        assert_eq!(log.durable().end().index, round * 5 + 5);
    }
    assert_eq!(indices(&segment(folder.path(), 0)), (0..15).collect::<Vec<_>>());
}

#[test]
fn a_torn_end_is_cut_wherever_it_tore() {
    let folder = tempfile::tempdir().unwrap();
    let path = segment(folder.path(), 0);
    let (mut log, _) = fresh(folder.path());
    add(&mut log, 3);
    drop(log);
    let whole = fs::read(&path).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in last..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (log, found) = fresh(folder.path());
        assert_eq!((found.offset, found.index, found.torn), (last as u64, 2, (cut - last) as u64));
        drop(log);
        assert_eq!(fs::read(&path).unwrap(), whole[..last]);
    }
    fs::write(&path, [&whole[..], &[0; 5000], b"\n", &[b'x'; 10]].concat()).unwrap();
    assert_eq!(fresh(folder.path()).1.torn, 5011);
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn a_damaged_line_with_events_behind_it_stays_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = segment(folder.path(), 0);
    add(&mut fresh(folder.path()).0, 4);
    let text = fs::read_to_string(&path).unwrap();
    let bent = text.replacen("{\"index\":1,", "?\"index\":1,", 1);
    fs::write(&path, &bent).unwrap();
    let (_, found) = fresh(folder.path());
    // The line itself, and the index that should have been there before the next.
    assert_eq!((found.index, found.torn, found.damaged), (4, 0, 2));
    assert_eq!(fs::read_to_string(&path).unwrap(), bent);
}

#[test]
fn an_event_is_found_by_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = fresh(folder.path());
    add(&mut log, 500);
    let (end, next) = log.end();
    let file = File::open(segment(folder.path(), 0)).unwrap();
    let text = fs::read_to_string(segment(folder.path(), 0)).unwrap();
    let mut begins = vec![0];
    begins.extend(
        text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(place, _)| place as u64 + 1),
    );
    for (index, &begin) in (0..500).zip(&begins[1..]) {
        assert_eq!(after(&file, end, index).unwrap(), begin);
        assert!(
            log.is_end(begin, index + 1) && !log.is_end(begin, index) && !log.is_end(begin - 1, index + 1)
        );
    }
    assert!(log.is_end(0, 0) && log.is_end(end, next) && !log.is_end(end + 1, next) && !log.is_end(0, 1));
    assert_eq!(after(&file, end, u64::MAX).unwrap(), end);
}

#[test]
fn one_collector_has_the_log_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let first = Log::open(folder.path(), None).unwrap();
    assert!(matches!(Log::open(folder.path(), None), Err(Error::Running(_))));
    drop(first);
    Log::open(folder.path(), None).unwrap();
}

#[test]
fn a_file_that_others_could_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = segment(folder.path(), 0);
    let refused = || Log::open(folder.path(), None).unwrap_err().to_string();
    fs::create_dir(folder.path().join("events")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
    assert!(refused().contains("000000000000.jsonl"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused();
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    fs::hard_link(&path, folder.path().join("second")).unwrap();
    assert!(refused().contains("other names"));
    fs::remove_file(folder.path().join("second")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(refused().contains("written by others"));
}

#[test]
fn a_write_that_fails_is_made_good_in_a_new_segment() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = fresh(folder.path());
    add(&mut log, 2);
    // A descriptor that cannot be written stands for a disk that fails.
    log.file = File::open(segment(folder.path(), 0)).unwrap();
    let mut asked = 0;
    log.control("test", &Map::new(), None);
    let mut go_on = || {
        asked += 1;
        asked < 5
    };
    assert!(log.commit(&mut go_on));
    assert_eq!(asked, 1);
    assert_eq!(indices(&segment(folder.path(), 2)), [2]);
    // What a failed write left behind its durable end is gone as well.
    log.control("test", &Map::new(), None);
    (&log.file).write_all(b"{\"index\":3,\"eve").unwrap();
    log.file = File::open(segment(folder.path(), 2)).unwrap();
    assert!(log.commit(&mut || true));
    assert_eq!(
        [0, 2, 3].map(|first| indices(&segment(folder.path(), first))),
        [vec![0, 1], vec![2], vec![3]]
    );
    // A segment without anything durable in it is made anew.
    log.control("test", &Map::new(), None);
    log.most = 0;
    assert!(log.commit(&mut || true));
    assert_eq!(indices(&segment(folder.path(), 4)), [4]);
    drop(log);
    let (log, found) = fresh(folder.path());
    assert_eq!((found.index, found.torn, found.damaged), (5, 0, 0));
    assert_eq!(log.durable().end().index, 5);
}

#[test]
fn a_batch_given_up_is_still_pending_and_nobody_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = fresh(folder.path());
    log.file = File::open(segment(folder.path(), 0)).unwrap();
    log.control("test", &Map::new(), None);
    assert!(!log.commit(&mut || false));
    assert!(log.pending() > 0 && log.durable().end() == End::default());
}

#[test]
fn a_follower_goes_from_segment_to_segment_and_begins_where_it_wants() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = fresh(folder.path());
    log.most = 5000;
    let mut follower = Cursor::at_start(log.folder(), log.durable());
    let mut read = Vec::new();
    let mut chunk = [0; 3000];
    for _ in 0..50 {
        add(&mut log, 7);
        loop {
            match follower.read(&mut chunk).unwrap() {
                0 => break,
                bytes => read.extend_from_slice(&chunk[..bytes]),
            }
        }
    }
    let text = String::from_utf8(read).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() == 350 && segments(folder.path()).unwrap().len() > 5);
    for reopened in [false, true] {
        if reopened {
            drop(log);
            log = fresh(folder.path()).0;
        }
        for index in 0..350 {
            let mut cursor = Cursor::before(log.folder(), log.durable(), index).unwrap();
            let bytes = cursor.read(&mut chunk).unwrap();
            let head = format!("{{\"index\":{index},");
            assert!(chunk[..bytes].starts_with(head.as_bytes()), "{index}");
        }
        assert_eq!(Cursor::before(log.folder(), log.durable(), 350).unwrap().read(&mut chunk).unwrap(), 0);
    }
    // Books written for any end of the log are good for a start, at the border of two segments as well.
    for first in segments(folder.path()).unwrap() {
        assert!(log.is_end(0, first) && !log.is_end(0, first + 1));
        let bytes = fs::metadata(segment(folder.path(), first)).unwrap().len();
        let (_, next) = log.durable().extent(first);
        let next = next.unwrap_or(350);
        assert!(log.is_end(bytes, next));
        let found = log.recover(bytes, next, &mut |_, _| {}).unwrap();
        assert_eq!((found.index, found.torn, found.damaged), (350, 0, 0));
    }
}
