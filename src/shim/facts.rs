// SPDX-License-Identifier: Apache-2.0
//! What is remembered of sessions, tokens and keys, so that a record speaks of a key and not of a number. Learnt
//! once from the vendor, forgotten when it may have changed.

mod key;
mod table;
mod token;

pub(crate) use key::learn as learn_key;
pub(crate) use key::{KEY_WORDS, big_endian};
pub(crate) use token::{learn as learn_token, words};

use event::Active;
use event::wire::{FOLLOWS, Frame, Tag};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use table::{Found, Table};

/// Words of the place of a token's definition and its encoded form.
pub(crate) const TOKEN_WORDS: usize = 20;
/// Words of a session: our own id, whether it is read-write, then those of its token.
const SESSION_WORDS: usize = 2 + TOKEN_WORDS;
/// Free words of a token: the user logged in, one higher, so that a fresh entry has none; open sessions; when learnt.
const LOGGED_IN: usize = 0;
const OPEN: usize = 1;
const LEARNT: usize = 2;
/// No user is logged in, as records have it.
const NOBODY: u64 = u64::MAX;

/// Free words of a session: the operation active for each kind, then its mechanism, then its key; then where its token
/// stands.
const SESSION_FREE: usize = 3 * Active::COUNT + 1;
const TOKEN: usize = 3 * Active::COUNT;

/// Tables for one process.
pub(crate) struct Facts {
    sessions: Table<SESSION_WORDS, SESSION_FREE>,
    keys: Table<KEY_WORDS, 0>,
    /// By slot: the token; in the free words who is logged in to it, how many sessions it has and when it was learnt.
    tokens: Table<TOKEN_WORDS, 3>,
    next_session: AtomicU64,
    /// Sessions may be open that are not in the table: some were evicted, or opened before a fork.
    incomplete: AtomicBool,
}

/// A session that is known.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    found: Found<'static, SESSION_WORDS, SESSION_FREE>,
    pub(crate) slot: u64,
}

/// A key that is known.
pub(crate) type Key = Found<'static, KEY_WORDS, 0>;

impl Facts {
    /// Empty tables, or none where there is no memory. `inherited` says that sessions may be open already.
    pub(crate) fn new(inherited: bool) -> Option<Facts> {
        Some(Facts {
            sessions: Table::new(2048)?,
            keys: Table::new(1024)?,
            tokens: Table::new(64)?,
            next_session: AtomicU64::new(1),
            incomplete: AtomicBool::new(inherited),
        })
    }

    /// The session with this handle.
    #[inline]
    pub(crate) fn session(&'static self, handle: u64) -> Option<Session> {
        let found = self.sessions.find(None, handle)?;
        Some(Session { found, slot: found.scope })
    }

    /// Puts what is known of a session into a record, its user as of now.
    #[inline]
    pub(crate) fn tell_session(&self, session: &Session, frame: &mut Frame<'_>) {
        let token = session.found.free()[TOKEN].load(Ordering::Relaxed);
        let (user, mark) = (self.user(session.slot, token), frame.mark());
        let whole = session.found.read(|words| {
            let [id, read_write, token @ ..] = words else { return };
            let (place, encoded) = by_place(token);
            let (id, read_write) = (id.load(Ordering::Relaxed), read_write.load(Ordering::Relaxed));
            frame.words(Tag::Session, [id, user, read_write, place], encoded);
        });
        if !whole {
            frame.back_to(mark);
        }
    }

    /// Our own id of a session: no later one has it. Zero where it was forgotten meanwhile.
    pub(crate) fn session_id(&self, session: &Session) -> u64 {
        let mut id = 0;
        let whole = session.found.read(|words| id = words.first().map_or(0, |id| id.load(Ordering::Relaxed)));
        if whole { id } else { 0 }
    }

    /// Whether an unknown handle may still be an open session.
    pub(crate) fn may_miss_sessions(&self) -> bool {
        self.incomplete.load(Ordering::Relaxed)
    }

    /// Remembers a session of a token: the place of its definition, and its encoded form.
    pub(crate) fn session_opened(&self, slot: u64, handle: u64, read_write: bool, token: &[u64]) {
        let mut words = [0; SESSION_WORDS];
        let (own, of_token) = words.split_at_mut(2);
        own.copy_from_slice(&[self.next_session.fetch_add(1, Ordering::Relaxed), u64::from(read_write)]);
        of_token.iter_mut().zip(token).for_each(|(to, from)| *to = *from);
        if self.sessions.remember(slot, handle, &words[..2 + token.len()]) {
            self.incomplete.store(true, Ordering::Relaxed);
        }
        self.with_token(slot, |free| free[OPEN].fetch_add(1, Ordering::Relaxed));
        if let (Some(session), Some(token)) =
            (self.sessions.find(Some(slot), handle), self.tokens.find(None, slot))
        {
            session.free()[TOKEN].store(token.place(), Ordering::Relaxed);
        }
    }

    /// Forgets a session and the session objects that end with it: their handles may come back. With the last
    /// session of a slot everything ends: token objects get new handles, and nobody is logged in
    /// (PKCS#11 3.2, sections 5.6.2 and 5.6.8).
    pub(crate) fn session_closed(&self, slot: u64, handle: u64) {
        self.sessions.forget_handle(slot, handle);
        let last = self.with_token(slot, |free| free[OPEN].fetch_sub(1, Ordering::Relaxed) == 1);
        if last.unwrap_or(true) || self.may_miss_sessions() {
            self.slot_closed(slot);
        } else {
            self.keys.forget_if(|scope, words| scope == slot && !key::is_token_object(words));
        }
    }

    /// Forgets the sessions of a slot and everything that ends with them: objects, login.
    pub(crate) fn slot_closed(&self, slot: u64) {
        self.sessions.forget_if(|scope, _| scope == slot);
        self.keys.forget_if(|scope, _| scope == slot);
        self.with_token(slot, |free| {
            free[OPEN].store(0, Ordering::Relaxed);
            free[LOGGED_IN].store(0, Ordering::Relaxed);
        });
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.sessions.forget_if(|_, _| true);
        self.keys.forget_if(|_, _| true);
        self.tokens.forget_if(|_, _| true);
        self.incomplete.store(false, Ordering::Relaxed);
    }

    /// Gives `take` what is remembered of the token of a slot, unless it may have been exchanged: no session holds it, and it was
    /// learnt before `oldest` (ticks). False where it was not given.
    pub(crate) fn token(&self, slot: u64, oldest: u64, take: impl FnOnce(&[u64])) -> bool {
        let Some(found) = self.tokens.find(None, slot) else { return false };
        let free = found.free();
        let held = free[OPEN].load(Ordering::Relaxed) > 0 || free[LEARNT].load(Ordering::Relaxed) >= oldest;
        let (mut copy, mut length) = ([0; TOKEN_WORDS], 0);
        let whole = held
            && found.read(|words| {
                length = words.len();
                copy.iter_mut().zip(words).for_each(|(to, from)| *to = from.load(Ordering::Relaxed));
            });
        if whole {
            take(&copy[..length]);
        }
        whole
    }

    /// Remembers the token of a slot, learnt at `now` (ticks): the place of its definition, and its encoded form.
    pub(crate) fn token_learnt(&self, slot: u64, words: &[u64], now: u64) {
        self.tokens.remember(0, slot, words);
        self.with_token(slot, |free| free[LEARNT].store(now, Ordering::Relaxed));
    }

    /// Gives the encoded token of a slot to `copy` and who is logged in to it, [`NOBODY`] where none is; how many words
    /// that is. None where the token is not known.
    pub(crate) fn ask_token(&self, slot: u64, copy: &mut [MaybeUninit<u64>]) -> Option<(usize, u64)> {
        let found = self.tokens.find(None, slot)?;
        Some((encoded(&found, copy)?, self.user(slot, found.place())))
    }

    /// Gives the encoded key to `copy`; how many words that is. None where the key is not known.
    pub(crate) fn ask_key(&self, slot: u64, handle: u64, copy: &mut [MaybeUninit<u64>]) -> Option<usize> {
        encoded(&self.keys.find(Some(slot), handle)?, copy)
    }

    /// Forgets the token of a slot: it was initialised anew.
    pub(crate) fn token_changed(&self, slot: u64) {
        self.slot_closed(slot);
        self.tokens.forget_handle(0, slot);
    }

    /// Notes who is logged in to the token of a slot. Private objects come and go with it.
    pub(crate) fn user_changed(&self, slot: u64, user: Option<u64>) {
        let word = user.map_or(0, |user| user.wrapping_add(1));
        self.with_token(slot, |free| free[LOGGED_IN].store(word, Ordering::Relaxed));
        self.keys.forget_if(|scope, _| scope == slot);
    }

    /// Who is logged in to the token of a slot, which was at `place` of its table when the session was opened.
    #[inline]
    fn user(&self, slot: u64, place: u64) -> u64 {
        let free = self.tokens.free_at(place, slot).or_else(|| Some(self.tokens.find(None, slot)?.free()));
        let word = free.map_or(0, |free| free[LOGGED_IN].load(Ordering::Relaxed));
        if word == 0 { NOBODY } else { word - 1 }
    }

    fn with_token<T>(&self, slot: u64, act: impl FnOnce(&[AtomicU64; 3]) -> T) -> Option<T> {
        self.tokens.find(None, slot).map(|found| act(found.free()))
    }

    /// Puts what is known of a key into a record. None where it is not known.
    #[inline]
    pub(crate) fn tell_key(&'static self, slot: u64, handle: u64, frame: &mut Frame<'_>) -> Option<Key> {
        let found = self.keys.find(Some(slot), handle)?;
        let mark = frame.mark();
        let whole = found.read(|words| {
            let (place, encoded) = by_place(words);
            frame.words(Tag::Key, [handle, place], encoded);
        });
        if !whole {
            frame.back_to(mark);
        }
        whole.then_some(found)
    }

    /// Remembers a key: the place of its definition, and its encoded form.
    pub(crate) fn key_learnt(&self, slot: u64, handle: u64, words: &[u64]) {
        self.keys.remember(slot, handle, words);
    }

    /// Forgets a key: destroyed, or its attributes set.
    pub(crate) fn key_changed(&self, slot: u64, handle: u64) {
        self.keys.forget_handle(slot, handle);
    }

    /// The operation that is active in a session, with its mechanism; zeros for none.
    pub(crate) fn operation(&self, session: &Session, active: Active) -> (u64, u64) {
        let free = session.found.free();
        let (id, mechanism) = (active as usize, Active::COUNT + active as usize);
        (free[id].load(Ordering::Relaxed), free[mechanism].load(Ordering::Relaxed))
    }

    /// The mechanism and the key that an operation of a session was started with; zeros where that is not known.
    pub(crate) fn started(&self, session: &Session, active: Active) -> (u64, u64) {
        let free = session.found.free();
        let [mechanism, key] = [Active::COUNT, 2 * Active::COUNT].map(|first| first + active as usize);
        (free[mechanism].load(Ordering::Relaxed), free[key].load(Ordering::Relaxed))
    }

    /// Notes the key that an operation of a session was started with.
    pub(crate) fn set_key(&self, session: &Session, active: Active, key: u64) {
        session.found.free()[2 * Active::COUNT + active as usize].store(key, Ordering::Relaxed);
    }

    /// Notes the operation that is active in a session from now on; zeros for none.
    pub(crate) fn set_operation(&self, session: &Session, active: Active, id: u64, mechanism: u64) {
        let free = session.found.free();
        free[active as usize].store(id, Ordering::Relaxed);
        free[Active::COUNT + active as usize].store(mechanism, Ordering::Relaxed);
    }
}

/// Gives what is known to `copy`, without the place of its definition; how many words that is. None where it was forgotten
/// meanwhile.
pub(crate) fn encoded<const W: usize, const X: usize>(
    found: &Found<'_, W, X>,
    copy: &mut [MaybeUninit<u64>],
) -> Option<usize> {
    let mut length = 0;
    let whole = found.read(|words| {
        let words = words.get(1..).unwrap_or_default();
        for (to, from) in copy.iter_mut().zip(words) {
            to.write(from.load(Ordering::Relaxed));
        }
        length = words.len().min(copy.len());
    });
    whole.then_some(length)
}

/// How a record tells of facts: the place of their definition, and their encoded form where there is none.
#[inline]
fn by_place(words: &[AtomicU64]) -> (u64, impl ExactSizeIterator<Item = u64>) {
    let (place, encoded) = words.split_first().map_or((FOLLOWS, words), |(place, encoded)| {
        let place = place.load(Ordering::Relaxed);
        (place, if place == FOLLOWS { encoded } else { &[] })
    });
    (place, encoded.iter().map(|word| word.load(Ordering::Relaxed)))
}
