// SPDX-License-Identifier: Apache-2.0
//! What frames would otherwise repeat: bytes that the producer writes once and frames speak of by their place. An
//! area of the ring of their own holds them, so that no lost frame takes one along.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use crate::layout::{DEFINITION_MAX, DEFINITIONS_BYTES};
use crate::reader::Medium;

/// Bytes of the word before a definition: its length.
pub(crate) const HEAD: u64 = 8;

/// The bytes that a definition of `length` takes up.
pub(crate) const fn room(length: u64) -> u64 {
    HEAD + length.next_multiple_of(HEAD)
}

/// The definitions of one ring, as its consumer finds them. Each is read once: what a producer changes later is not
/// seen.
#[derive(Debug)]
pub struct Definitions {
    file: Arc<File>,
    at: u64,
    known: HashMap<u64, Box<[u8]>>,
    /// Bytes that the known ones take up in the ring.
    held: u64,
}

impl Definitions {
    pub(crate) fn new(file: Arc<File>, at: u64) -> Definitions {
        Definitions { file, at, known: HashMap::new(), held: 0 }
    }

    /// The definition at `place`; none where there is none, or where its length is impossible.
    pub fn find(&mut self, place: u64) -> Option<&[u8]> {
        if !self.known.contains_key(&place) {
            let definition = self.read(place)?;
            let room = room(definition.len() as u64);
            // Honest definitions do not overlap, so that they never hold more than the area.
            if self.held + room > DEFINITIONS_BYTES {
                self.known.clear();
                self.held = 0;
            }
            self.held += room;
            self.known.insert(place, definition);
        }
        self.known.get(&place).map(|definition| &**definition)
    }

    fn read(&self, place: u64) -> Option<Box<[u8]>> {
        if !place.is_multiple_of(HEAD) || place > DEFINITIONS_BYTES - HEAD {
            return None;
        }
        let mut head = [0; 8];
        self.file.read(self.at + place, &mut head).ok()?;
        let length = u64::from_ne_bytes(head);
        if length == 0 || length > DEFINITION_MAX || room(length) > DEFINITIONS_BYTES - place {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.file.read(self.at + place + HEAD, &mut bytes).ok()?;
        Some(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backing, Clock, Consumer, Generation, Layout, Producer};

    fn ring() -> (Producer, Consumer) {
        let layout = Layout::new(1, 65536).unwrap();
        let generation = Generation::first().unwrap();
        let producer = Producer::create(layout, Backing::Memfd, Clock::Monotonic, b"", generation).unwrap();
        let file = File::from(producer.descriptor().try_clone_to_owned().unwrap());
        let consumer = Consumer::open(file, Backing::Memfd).unwrap();
        (producer, consumer)
    }

    #[test]
    fn a_definition_is_found_at_its_place_and_nowhere_else() {
        let (producer, consumer) = ring();
        let mut definitions = consumer.definitions();
        assert_eq!(definitions.find(0), None);
        let places = [&b"token"[..], b"an RSA key of 2048 bits"].map(|bytes| producer.define(bytes).unwrap());
        assert_eq!(places, [0, 16]);
        assert_eq!(definitions.find(16), Some(&b"an RSA key of 2048 bits"[..]));
        assert_eq!(definitions.find(0), Some(&b"token"[..]));
        for nowhere in [1, 8, 48, DEFINITIONS_BYTES - 8, DEFINITIONS_BYTES, u64::MAX, u64::MAX - 7] {
            assert_eq!(definitions.find(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn a_full_area_defines_nothing_and_harms_nothing() {
        let (producer, consumer) = ring();
        let bytes = [7; 1000];
        let places: Vec<u64> = std::iter::from_fn(|| producer.define(&bytes)).collect();
        assert_eq!(places.len() as u64, DEFINITIONS_BYTES / room(1000));
        assert!(producer.define(b"small enough").is_some(), "the rest of the area is not lost");
        let mut definitions = consumer.definitions();
        assert!(places.iter().all(|place| definitions.find(*place) == Some(&bytes[..])));
        assert_eq!(producer.define(&[7; 1025]), None);
        assert_eq!(producer.define(b""), None);
    }

    #[test]
    fn threads_that_define_at_once_get_places_of_their_own() {
        let (producer, consumer) = ring();
        let mut places = Vec::new();
        std::thread::scope(|scope| {
            let define = |name: u8| producer.define(&[name; 40]).map(|place| (place, name));
            let threads: Vec<_> = (1..=8)
                .map(|name| scope.spawn(move || (0..20).filter_map(|_| define(name)).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().for_each(|thread| places.extend(thread.join().unwrap()));
        });
        let mut definitions = consumer.definitions();
        assert_eq!(places.len(), 160);
        assert!(places.iter().all(|(place, name)| definitions.find(*place) == Some(&[*name; 40][..])));
    }

    #[test]
    fn a_hostile_area_takes_bounded_memory() {
        let (producer, consumer) = ring();
        // Every word reads as a length that fits.
        while producer.define(&512_u64.to_ne_bytes().repeat(128)).is_some() {}
        let mut definitions = consumer.definitions();
        let found =
            (0..DEFINITIONS_BYTES).step_by(8).filter(|place| definitions.find(*place).is_some()).count();
        assert!(found > 1000);
        assert!(definitions.held <= DEFINITIONS_BYTES);
    }
}
