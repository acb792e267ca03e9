// SPDX-License-Identifier: Apache-2.0
//! What the Inits of a stream said, until their operations end, so that a `C_Sign` tells its mechanism and key.

use std::collections::VecDeque;
use std::sync::Arc;

use event::Function;
use event::record::{Header, operation_id};

use crate::stream::OperationFacts;

/// Operations kept for a stream; with more, the oldest Init is forgotten.
const MOST: usize = 1024;
const CKR_OK: u64 = 0;
const CKR_BUFFER_TOO_SMALL: u64 = 0x150;

/// The active operations of one stream, the latest last: they are few, and most end soon after they began.
#[derive(Debug, Default)]
pub(crate) struct Operations(VecDeque<(u64, Arc<OperationFacts>)>);

impl Operations {
    /// Whether a call began an operation: an Init that succeeded.
    pub(crate) fn began(lane: u16, header: &Header) -> bool {
        let id = header.operation;
        id != 0 && id == operation_id(lane, header.sequence) && header.rv == CKR_OK
    }

    /// Notes what the Init of an operation said.
    pub(crate) fn begin(&mut self, id: u64, facts: &Arc<OperationFacts>) {
        self.forget(id);
        self.0.push_back((id, Arc::clone(facts)));
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// What the Init of this call's operation said; nothing for the Init itself.
    pub(crate) fn of(&self, lane: u16, header: &Header) -> Option<&Arc<OperationFacts>> {
        let id = header.operation;
        if id == 0 || id == operation_id(lane, header.sequence) {
            return None;
        }
        self.0.iter().rev().find(|(known, _)| *known == id).map(|(_, facts)| facts)
    }

    /// Forgets the operation that this call ended (PKCS#11 3.2, section 5.2: any answer other than a size or
    /// `CKR_BUFFER_TOO_SMALL` ends it).
    pub(crate) fn end(&mut self, header: &Header) {
        let goes_on = header.size_query || header.rv == CKR_BUFFER_TOO_SMALL;
        if !goes_on && ends(header.function) {
            self.forget(header.operation);
        }
    }

    fn forget(&mut self, id: u64) {
        if let Some(at) = self.0.iter().rposition(|(known, _)| *known == id) {
            self.0.remove(at);
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
    use event::record::Key;

    fn facts() -> Arc<OperationFacts> {
        Arc::new(OperationFacts { mechanism: Some(0x40), key: Some(Key { handle: 9, ..Key::default() }) })
    }

    fn init(sequence: u64) -> Header {
        Header { operation: operation_id(2, sequence), ..call(Function::C_SignInit, sequence).header }
    }

    fn later(function: Function, operation: u64) -> Header {
        Header { operation: operation_id(2, operation), ..call(function, 99).header }
    }

    #[test]
    fn later_calls_of_an_operation_know_its_mechanism_and_key() {
        let mut operations = Operations::default();
        operations.begin(operation_id(2, 1), &facts());
        assert!(operations.of(2, &init(1)).is_none());
        let update = later(Function::C_SignUpdate, 1);
        operations.end(&update);
        let query = Header { size_query: true, ..later(Function::C_SignFinal, 1) };
        operations.end(&query);
        let last = later(Function::C_SignFinal, 1);
        assert_eq!(operations.of(2, &last), Some(&facts()));
        operations.end(&last);
        assert!(operations.of(2, &last).is_none() && operations.0.is_empty());
    }

    #[test]
    fn operations_that_never_end_take_bounded_memory() {
        let mut operations = Operations::default();
        (1..5000).for_each(|n| operations.begin(operation_id(2, n), &facts()));
        assert_eq!(operations.0.len(), MOST);
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
