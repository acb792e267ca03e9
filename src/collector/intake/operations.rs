// SPDX-License-Identifier: Apache-2.0
//! What the Inits of a stream said, until their operations end, so that a `C_Sign` tells its mechanism and key.

use std::collections::{HashMap, VecDeque};

use event::Function;
use event::record::{Call, operation_id};

use crate::stream::OperationFacts;

/// Operations kept for a stream; with more, the oldest Init is forgotten.
const MOST: usize = 1024;
const CKR_OK: u64 = 0;
const CKR_BUFFER_TOO_SMALL: u64 = 0x150;

/// The active operations of one stream.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    facts: HashMap<u64, OperationFacts>,
    order: VecDeque<u64>,
}

impl Operations {
    /// Notes what an Init says. Other calls change nothing.
    pub(crate) fn begin(&mut self, lane: u16, call: &Call) {
        let id = call.header.operation;
        if id == 0 || id != operation_id(lane, call.header.sequence) || call.header.rv != CKR_OK {
            return;
        }
        let facts = OperationFacts {
            mechanism: call.mechanism.as_ref().map(|mechanism| mechanism.number),
            key: call.keys.first().cloned(),
        };
        if self.facts.insert(id, facts).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > MOST {
            self.order.pop_front().map(|oldest| self.facts.remove(&oldest));
        }
    }

    /// What the Init of this call's operation said; nothing for the Init itself.
    pub(crate) fn of(&self, lane: u16, call: &Call) -> Option<&OperationFacts> {
        let id = call.header.operation;
        if id == operation_id(lane, call.header.sequence) { None } else { self.facts.get(&id) }
    }

    /// Forgets the operation that this call ended (PKCS#11 3.2, section 5.2: any answer other than a size or
    /// `CKR_BUFFER_TOO_SMALL` ends it).
    pub(crate) fn end(&mut self, call: &Call) {
        let header = &call.header;
        let goes_on = header.size_query || header.rv == CKR_BUFFER_TOO_SMALL;
        if !goes_on && ends(header.function) && self.facts.remove(&header.operation).is_some() {
            self.order.retain(|id| *id != header.operation);
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
    use crate::rig::call;
    use event::record::{Key, MechanismUse};

    fn init(sequence: u64) -> Call {
        let mut init = call(Function::C_SignInit, sequence);
        init.header.operation = operation_id(2, sequence);
        init.mechanism = Some(MechanismUse { number: 0x40, parameters: Vec::new() });
        init.keys = vec![Key { handle: 9, ..Key::default() }];
        init
    }

    fn later(function: Function, operation: u64) -> Call {
        let mut later = call(function, 99);
        later.header.operation = operation_id(2, operation);
        later
    }

    #[test]
    fn later_calls_of_an_operation_know_its_mechanism_and_key() {
        let mut operations = Operations::default();
        operations.begin(2, &init(1));
        assert!(operations.of(2, &init(1)).is_none());
        let update = later(Function::C_SignUpdate, 1);
        operations.end(&update);
        let mut query = later(Function::C_SignFinal, 1);
        query.header.size_query = true;
        operations.end(&query);
        let last = later(Function::C_SignFinal, 1);
        let facts = operations.of(2, &last).unwrap();
        assert_eq!((facts.mechanism, facts.key.as_ref().map(|key| key.handle)), (Some(0x40), Some(9)));
        operations.end(&last);
        assert!(operations.of(2, &last).is_none() && operations.order.is_empty());
    }

    #[test]
    fn operations_that_never_end_take_bounded_memory() {
        let mut operations = Operations::default();
        (1..5000).for_each(|n| operations.begin(2, &init(n)));
        assert_eq!((operations.facts.len(), operations.order.len()), (MOST, MOST));
        assert!(operations.of(2, &later(Function::C_Sign, 4999)).is_some());
    }

    #[test]
    fn an_init_that_failed_began_nothing() {
        let mut operations = Operations::default();
        let mut failed = init(1);
        failed.header.rv = 0x70;
        operations.begin(2, &failed);
        assert!(operations.of(2, &later(Function::C_Sign, 1)).is_none());
    }
}
