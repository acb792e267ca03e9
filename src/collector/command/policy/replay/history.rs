// SPDX-License-Identifier: Apache-2.0
//! What recorded calls leave behind for those after them under the replayed policy: rates that are reached, and who is
//! in quarantine. By stream, as the library in each process has it by itself.

use std::collections::HashMap;

use policy::{Belongs, Counters, Extent, Policy, Verdict, failed};

use super::super::known::Known;
use super::super::recorded::Line;

const SECOND: u64 = 1_000_000_000;

/// See the module.
pub(super) struct History<'p> {
    policy: &'p Policy,
    streams: HashMap<String, Stream<'p>>,
}

#[derive(Default)]
struct Stream<'p> {
    counters: Counters,
    /// Of lanes that are read one after the other, times can go back; this one does not.
    now: u64,
    /// Handles of sessions, none for the process; until when they are held, and by which verdict.
    held: HashMap<Option<u64>, (u64, Verdict<'p>)>,
}

impl<'p> History<'p> {
    /// Nothing has happened yet.
    pub(super) fn new(policy: &'p Policy) -> History<'p> {
        History { policy, streams: HashMap::new() }
    }

    /// A stream has ended.
    pub(super) fn forget(&mut self, stream: &str) {
        self.streams.remove(stream);
    }

    /// Notes what ends with a call that policies do not judge.
    pub(super) fn pass(&mut self, line: &Line<'_>) {
        let Some(stream) = line.stream.as_deref().and_then(|id| self.streams.get_mut(id)) else { return };
        match line.function.as_deref() {
            Some("C_CloseSession") => drop(stream.held.remove(&line.handle())),
            // An event does not tell which sessions a slot had.
            Some("C_CloseAllSessions" | "C_Finalize") => stream.held.retain(|whom, _| whom.is_none()),
            _ => {}
        }
    }

    /// The verdict on a call that comes after those before it.
    pub(super) fn judge(&mut self, line: &Line<'_>, call: &mut Known) -> Verdict<'p> {
        let id = line.stream.as_deref().unwrap_or_default();
        let stream = self.streams.entry(id.to_owned()).or_default();
        stream.now = stream.now.max(line.time_unix_ns.unwrap_or_default());
        let now = stream.now;
        let held = [None, line.handle()].into_iter().find_map(|whom| stream.held.get(&whom));
        if let Some((_, verdict)) = held.filter(|(until, _)| *until > now) {
            return *verdict;
        }
        let verdict = stream.count(self.policy, line, call);
        if let Some(ordered) = verdict.rule().quarantine().filter(|_| verdict.refuses()) {
            let whom = line.handle().filter(|_| ordered.of == Extent::Session);
            stream.held.insert(whom, (now.saturating_add(ordered.seconds.saturating_mul(SECOND)), verdict));
        }
        verdict
    }
}

impl<'p> Stream<'p> {
    fn count(&mut self, policy: &'p Policy, line: &Line<'_>, call: &mut Known) -> Verdict<'p> {
        if !policy.counts_calls() {
            return policy.judge(&call.facts());
        }
        let session = line.session.as_ref().and_then(|session| session.id);
        let belongs = Belongs { session, token: call.slot, key: line.key_handle() };
        let mut counted = self.counters.come(policy, policy.counting(&call.facts()), belongs, self.now);
        call.memory.reached = counted.reached();
        let verdict = policy.judge(&call.facts());
        // What did not reach the token then has no answer of the token's.
        if verdict.refuses() || line.was_refused() {
            self.counters.refused(policy, &counted);
        } else {
            self.counters.goes_on(policy, &mut counted);
            if !line.rv.is_some_and(|rv| failed(rv.number)) {
                self.counters.succeeded(policy, &counted);
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use policy::Action;

    use super::*;

    /// Seconds, function, session, what else stands in the event, what was answered.
    type Row = (u64, &'static str, u64, &'static str, u64);

    /// What the policy says of each call that it judges.
    fn said(rules: &str, rows: &[Row]) -> Vec<Action> {
        let text = format!("version = 1\ndefault = \"allow\"\n{rules}");
        let policy = Policy::parse("p", text.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let mut history = History::new(&policy);
        let judged = rows.iter().filter_map(|(second, function, session, more, rv)| {
            let text = format!(
                r#"{{"event":"call","stream":"a","time_unix_ns":{}000000000,"function":"{function}","rv":{{"number":{rv}}},
                "session":{{"id":{session},"handle":{session},"slot":7}}{more}}}"#,
                second + 1_000_000
            );
            let line = Line::read(text.as_bytes()).unwrap();
            match line.call(&crate::command::policy::source::Stream::default()) {
                Some(mut call) => Some(history.judge(&line, &mut call).action()),
                None => {
                    history.pass(&line);
                    None
                }
            }
        });
        judged.collect()
    }

    #[test]
    fn rates_count_the_calls_that_came_before() {
        const RULE: &str = "[[rule]]\nname = \"pins\"\naction = \"deny\"\noperation = \"login\"\nremedy = \"wait\"\n\
                            rate = { failed = 2, within = \"1min\", per = \"token\" }\n";
        let login = |second, rv| (second, "C_Login", 1, r#","user":"user""#, rv);
        let (wrong, right) = (0xa0, 0);
        let rows = [
            login(0, wrong),
            login(1, right),
            login(2, wrong),
            login(3, wrong),
            login(4, right),
            login(90, wrong),
        ];
        let (allow, deny) = (Action::Allow, Action::Deny);
        assert_eq!(said(RULE, &rows), [allow, allow, allow, deny, deny, allow]);
        // What was refused when it was made has not reached the token.
        let refused = r#","verdict":{"action":"deny","enforced":true}"#;
        let rows = [(0, "C_Login", 1, refused, 0x200), (1, "C_Login", 1, refused, 0x200), login(2, wrong)];
        assert_eq!(said(RULE, &rows), [allow; 3]);
    }

    #[test]
    fn who_would_be_held_is_refused_until_the_end() {
        const RULE: &str = "[[rule]]\nname = \"md5\"\naction = \"quarantine\"\nmechanism = \"CKM_MD5\"\n\
                            expires = \"1min\"\nremedy = \"none\"\n";
        const MD5: &str = r#","mechanism":{"number":528}"#;
        const SHA256: &str = r#","mechanism":{"number":592}"#;
        let digest = |second, session, which| (second, "C_DigestInit", session, which, 0);
        let rows = [
            digest(0, 1, SHA256),
            digest(1, 1, MD5),
            digest(2, 1, SHA256),
            digest(3, 2, SHA256),
            digest(62, 1, SHA256),
            digest(63, 1, MD5),
            (64, "C_CloseSession", 1, "", 0),
            digest(65, 1, SHA256),
        ];
        let (allow, held) = (Action::Allow, Action::Quarantine);
        assert_eq!(said(RULE, &rows), [allow, held, held, allow, allow, held, allow]);
        let process = RULE.to_owned() + "of = \"process\"\n";
        assert_eq!(said(&process, &rows), [allow, held, held, held, allow, held, held]);
    }
}
