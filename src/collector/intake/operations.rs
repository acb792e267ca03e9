// SPDX-License-Identifier: Apache-2.0
//! What the Inits of a stream said, until their operations end, so that a `C_Sign` tells its mechanism and key; and
//! what the calls of an operation add up to, where it is told as a whole.

use std::collections::VecDeque;
use std::sync::Arc;

use event::Function;
use event::record::{Header, operation_id};

use super::covers::Covers;
use super::fold::{Fold, Part, Place, asks_again};
use crate::clock::Reading;
use crate::log::Log;
use crate::render::Form;
use crate::stream::OperationFacts;

/// Operations kept for a stream; with more, the oldest Init is forgotten.
const MOST: usize = 1024;
/// Rooms kept for the operations to come.
const SPARE: usize = 16;
const CKR_OK: u64 = 0;

/// The active operations of one stream, the latest last: they are few, and most end soon after they began.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    active: VecDeque<Operation>,
    spare: Vec<Part>,
}

#[derive(Debug)]
struct Operation {
    id: u64,
    facts: Arc<OperationFacts>,
    /// What its calls add up to, if they are told together.
    fold: Option<Fold>,
}

impl Operations {
    /// Whether a call began an operation: an Init that succeeded.
    pub(crate) fn began(lane: u16, header: &Header) -> bool {
        let id = header.operation;
        id != 0 && id == operation_id(lane, header.sequence) && header.rv == CKR_OK
    }

    /// Notes what the Init of an operation said, and the form in which the operation is told as a whole, if it is.
    pub(super) fn begin(
        &mut self,
        init: &Header,
        facts: &Arc<OperationFacts>,
        whole: Option<&Arc<Form>>,
        reading: Reading,
        log: &mut Log,
    ) {
        let id = init.operation;
        let again = self.find(id);
        if let Some(old) = again.or((self.active.len() >= MOST).then_some(0))
            && let Some(mut old) = self.active.remove(old)
            && let Some(fold) = &mut old.fold
        {
            fold.tell(old.id, None, reading, log);
        }
        let fold = whole.map(|form| Fold::new(form, init, self.spare.pop().unwrap_or_default()));
        self.active.push_back(Operation { id, facts: Arc::clone(facts), fold });
    }

    /// Whether a call is told with its operation, as far as it is not told of by itself.
    pub(super) fn takes(&self, header: &Header) -> bool {
        header.operation != 0
            && self
                .find(header.operation)
                .and_then(|at| self.active[at].fold.as_ref())
                .is_some_and(|fold| fold.takes(header))
    }

    /// Notes a call with its operation, and tells of that if the call ended it.
    pub(super) fn add(&mut self, header: &Header, place: Place, reading: Reading, log: &mut Log) {
        let Some(at) = self.find(header.operation) else { return };
        let Some(fold) = &mut self.active[at].fold else { return };
        fold.add(header, place);
        if !asks_again(header) && ends(header.function) {
            fold.tell(header.operation, Some((header.function, header.rv)), reading, log);
            self.forget(header.operation);
        }
    }

    /// Tells of the operation of a call that is an event of its own: what came before it, in this order. A call that
    /// failed is the last that is told together with others.
    pub(super) fn interrupt(&mut self, header: &Header, reading: Reading, log: &mut Log) {
        if header.operation == 0 {
            return;
        }
        let Some(at) = self.find(header.operation) else { return };
        let operation = &mut self.active[at];
        let Some(fold) = &mut operation.fold else { return };
        let failed = (header.rv != CKR_OK && !asks_again(header)).then_some((header.function, header.rv));
        fold.tell(operation.id, failed, reading, log);
        if failed.is_some() {
            operation.fold = None;
        }
    }

    /// Tells of the operations for which `are_due` holds; they go on.
    pub(super) fn tell(&mut self, are_due: impl Fn(&Covers) -> bool, reading: Reading, log: &mut Log) {
        for Operation { id, fold, .. } in &mut self.active {
            if let Some(fold) = fold.as_mut().filter(|fold| are_due(fold.covers())) {
                fold.tell(*id, None, reading, log);
            }
        }
    }

    /// The calls that stand in no event yet.
    pub(super) fn covers(&self) -> impl Iterator<Item = &Covers> {
        let folds = self.active.iter().filter_map(|operation| operation.fold.as_ref());
        folds.map(Fold::covers).filter(|covers| !covers.ranges().is_empty())
    }

    /// What the Init of this call's operation said; nothing for the Init itself.
    pub(crate) fn of(&self, lane: u16, header: &Header) -> Option<&Arc<OperationFacts>> {
        let id = header.operation;
        if id == 0 || id == operation_id(lane, header.sequence) {
            return None;
        }
        self.find(id).map(|at| &self.active[at].facts)
    }

    /// Forgets the operation that this call ended (PKCS#11 3.2, section 5.2: any answer other than a size or
    /// `CKR_BUFFER_TOO_SMALL` ends it).
    pub(crate) fn end(&mut self, header: &Header) {
        if !asks_again(header) && ends(header.function) {
            // Calls that stand in no event yet are not forgotten, whatever a hostile stream says.
            let told = |fold: &Fold| fold.covers().ranges().is_empty();
            let at = self.find(header.operation);
            if at.is_some_and(|at| self.active[at].fold.as_ref().is_none_or(told)) {
                self.forget(header.operation);
            }
        }
    }

    fn find(&self, id: u64) -> Option<usize> {
        self.active.iter().rposition(|operation| operation.id == id)
    }

    fn forget(&mut self, id: u64) {
        let Some(operation) = self.find(id).and_then(|at| self.active.remove(at)) else { return };
        if let Some(fold) = operation.fold
            && self.spare.len() < SPARE
        {
            self.spare.push(fold.into_part());
        }
    }
}

/// Whether a function ends the operation it works in.
fn ends(function: Function) -> bool {
    use Function::*;
    let single = matches!(
        function,
        C_Encrypt
            | C_Decrypt
            | C_Digest
            | C_Sign
            | C_SignRecover
            | C_Verify
            | C_VerifyRecover
            | C_VerifySignature
    );
    single || function.name().ends_with("Final")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Host;
    use crate::rig::{call, consumer, producer};
    use event::record::Key;

    fn facts() -> Arc<OperationFacts> {
        Arc::new(OperationFacts { mechanism: Some(0x40), key: Some(Key { handle: 9, ..Key::default() }) })
    }

    fn init(sequence: u64) -> Header {
        Header { operation: operation_id(2, sequence), ..call(Function::C_SignInit, sequence).header }
    }

    fn log() -> (tempfile::TempDir, Log) {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path(), None).unwrap();
        (folder, log)
    }

    fn reading() -> Reading {
        Host::watch().reading(consumer(&producer(ring::Backing::Memfd)).header())
    }

    fn begin(operations: &mut Operations, sequence: u64, reading: Reading, log: &mut Log) {
        operations.begin(&init(sequence), &facts(), None, reading, log);
    }

    fn later(function: Function, operation: u64) -> Header {
        Header { operation: operation_id(2, operation), ..call(function, 99).header }
    }

    #[test]
    fn later_calls_of_an_operation_know_its_mechanism_and_key() {
        let (mut operations, (_folder, mut log)) = (Operations::default(), log());
        begin(&mut operations, 1, reading(), &mut log);
        assert!(operations.of(2, &init(1)).is_none());
        let update = later(Function::C_SignUpdate, 1);
        operations.end(&update);
        let query = Header { size_query: true, ..later(Function::C_SignFinal, 1) };
        operations.end(&query);
        let last = later(Function::C_SignFinal, 1);
        assert_eq!(operations.of(2, &last), Some(&facts()));
        operations.end(&last);
        assert!(operations.of(2, &last).is_none() && operations.active.is_empty());
    }

    #[test]
    fn operations_that_never_end_take_bounded_memory() {
        let (mut operations, (_folder, mut log), reading) = (Operations::default(), log(), reading());
        (1..5000).for_each(|n| begin(&mut operations, n, reading, &mut log));
        assert_eq!(operations.active.len(), MOST);
        assert!(operations.of(2, &later(Function::C_Sign, 4999)).is_some());
        assert!(operations.of(2, &later(Function::C_Sign, 1)).is_none());
    }

    #[test]
    fn an_init_that_failed_began_nothing() {
        assert!(Operations::began(2, &init(1)));
        assert!(!Operations::began(2, &Header { rv: 0x70, ..init(1) }));
        assert!(!Operations::began(2, &later(Function::C_Sign, 1)) && !Operations::began(3, &init(1)));
    }
}
