// SPDX-License-Identifier: Apache-2.0
//! The evidence file written, torn, damaged, taken away and read again.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::log::after;

fn fresh(folder: &Path) -> (Log, Scan) {
    let mut log = Log::open(folder).unwrap();
    let found = log.recover(0, 0, &mut |_, _| {}).unwrap();
    (log, found)
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
    assert_eq!(indices(&folder.path().join(NAME)), (0..15).collect::<Vec<_>>());
}

#[test]
fn a_torn_end_is_cut_wherever_it_tore() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
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
    let path = folder.path().join(NAME);
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
    let file = File::open(log.path()).unwrap();
    let text = fs::read_to_string(log.path()).unwrap();
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
    let first = Log::open(folder.path()).unwrap();
    assert!(matches!(Log::open(folder.path()), Err(Error::Running(_))));
    drop(first);
    Log::open(folder.path()).unwrap();
}

#[test]
fn a_file_that_others_could_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let refused = || Log::open(folder.path()).unwrap_err().to_string();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
    assert!(refused().contains("events.jsonl"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused();
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "").unwrap();
    fs::hard_link(&path, folder.path().join("second")).unwrap();
    assert!(refused().contains("other names"));
    fs::remove_file(folder.path().join("second")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(refused().contains("written by others"));
}

#[test]
fn a_write_that_fails_is_made_good_on_a_new_descriptor() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = fresh(folder.path());
    add(&mut log, 2);
    // A descriptor that cannot be written stands for a disk that fails.
    log.file = File::open(log.path()).unwrap();
    let mut asked = 0;
    log.control("test", &Map::new(), None);
    let mut go_on = || {
        asked += 1;
        asked < 5
    };
    assert!(log.commit(&mut go_on));
    assert_eq!(asked, 1);
    // What a failed write left behind its durable end is gone as well.
    log.control("test", &Map::new(), None);
    (&log.file).write_all(b"{\"index\":3,\"eve").unwrap();
    log.file = File::open(log.path()).unwrap();
    assert!(log.commit(&mut || true));
    assert_eq!(indices(log.path()), [0, 1, 2, 3]);
}

#[test]
fn a_batch_given_up_is_still_pending_and_nobody_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = fresh(folder.path());
    log.file = File::open(log.path()).unwrap();
    log.control("test", &Map::new(), None);
    assert!(!log.commit(&mut || false));
    assert!(log.pending() > 0 && log.durable().end() == End::default());
}
