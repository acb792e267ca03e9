// SPDX-License-Identifier: Apache-2.0
//! Rates: what counts in which, for how long, and that no more than the limit go on in any window, however many come at
//! once and however many things are counted apart.

use std::collections::VecDeque;

use event::Function::{C_Login, C_SignInit};
use event::mechanism::{CKM_ECDSA, CKM_RSA_PKCS};
use event::value::rv::*;
use policy::Act::{self, *};
use policy::{Belongs, Counted, Counters, Facts, Policy, failed};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn policy(rules: &str) -> Policy {
    let text = format!("version = 1\ndefault = 'allow'\n{rules}");
    Policy::parse("policy.toml", text.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn rule(name: &str, more: &str) -> String {
    format!("[[rule]]\nname = '{name}'\naction = 'deny'\nremedy = 'wait'\n{more}\n")
}

fn on_token(token: u64) -> Belongs {
    Belongs { token: Some(token), ..Belongs::default() }
}

/// A process under a policy.
struct World {
    policy: Policy,
    counters: Counters,
    now: u64,
}

impl World {
    fn under(policy: Policy) -> World {
        World { policy, counters: Counters::default(), now: 1000 * SECOND }
    }

    /// A call comes; what was counted of it if it is let through.
    fn comes(&mut self, act: Act, belongs: Belongs) -> Option<Counted> {
        let (function, mechanism) =
            if act == Login { (C_Login, None) } else { (C_SignInit, Some(CKM_ECDSA)) };
        let mut facts = Facts::of(function, act, mechanism);
        let counting = self.policy.counting(&facts);
        let mut counted = self.counters.come(&self.policy, counting, belongs, self.now);
        facts.memory.reached = counted.reached();
        if self.policy.judge(&facts).refuses() {
            self.counters.refused(&self.policy, &counted);
            return None;
        }
        self.counters.goes_on(&self.policy, &mut counted);
        Some(counted)
    }

    fn answered(&mut self, counted: &Counted, rv: u64) {
        if !failed(rv) {
            self.counters.succeeded(&self.policy, counted);
        }
    }

    /// A call comes and, if it is let through, is answered so. Whether it was.
    fn call(&mut self, act: Act, belongs: Belongs, rv: u64) -> bool {
        let counted = self.comes(act, belongs);
        counted.inspect(|counted| self.answered(counted, rv)).is_some()
    }
}

fn logins() -> World {
    let rate = "operation = 'login'\nrate = { failed = 5, within = '5min', per = 'token' }";
    World::under(policy(&rule("attempts", rate)))
}

#[test]
fn the_sixth_login_after_five_wrong_pins_is_refused_until_the_window_has_passed() {
    let mut world = logins();
    for _ in 0..5 {
        assert!(world.call(Login, on_token(1), CKR_PIN_INCORRECT));
        world.now += SECOND;
    }
    assert!(!world.call(Login, on_token(1), CKR_OK), "the right one too: nobody knows that it is");
    // Other tokens and other calls are not concerned.
    assert!(world.call(Login, on_token(2), CKR_PIN_INCORRECT));
    assert!(world.call(Sign, on_token(1), CKR_OK));
    // What is refused does not count: the window passes for who goes on trying, at most a sixteenth too late.
    let begin = world.now - 5 * SECOND;
    let open = std::iter::from_fn(|| {
        world.now += SECOND;
        Some((world.now, world.call(Login, on_token(1), CKR_OK)))
    });
    let (at, _) = open.into_iter().find(|(_, open)| *open).unwrap();
    let window = 300 * SECOND;
    assert!((window..=window + window / 16 + SECOND).contains(&(at - begin)), "{}", (at - begin) / SECOND);
}

#[test]
fn only_what_the_token_said_no_to_has_failed() {
    let mut world = logins();
    for rv in [CKR_OK, CKR_USER_ALREADY_LOGGED_IN, CKR_SESSION_HANDLE_INVALID, CKR_FUNCTION_NOT_SUPPORTED] {
        (0..9).for_each(|_| assert!(world.call(Login, on_token(1), rv), "{rv:#x}"));
    }
    for rv in [CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_LEN_RANGE, CKR_DEVICE_ERROR, CKR_ARGUMENTS_BAD] {
        assert!(world.call(Login, on_token(1), rv), "{rv:#x}");
    }
    assert!(!world.call(Login, on_token(1), CKR_OK));
}

#[test]
fn calls_that_come_at_once_are_counted_before_they_are_answered() {
    let mut world = logins();
    let under_way: Vec<_> = (0..8).filter_map(|_| world.comes(Login, on_token(1))).collect();
    assert_eq!(under_way.len(), 5);
    assert!(!world.call(Login, on_token(1), CKR_OK));
    under_way.iter().for_each(|counted| world.answered(counted, CKR_OK));
    assert!(world.call(Login, on_token(1), CKR_OK), "none of them failed");
}

#[test]
fn what_is_counted_apart_is_what_per_says() {
    for (per, apart) in
        [("process", [0, 0, 0]), ("session", [1, 0, 0]), ("token", [0, 1, 0]), ("key", [0, 1, 1])]
    {
        let rate = format!("operation = 'sign'\nrate = {{ calls = 1, within = '1h', per = '{per}' }}");
        let mut world = World::under(policy(&rule("once", &rate)));
        let call = |[session, token, key]: [u64; 3]| Belongs {
            session: Some(session),
            token: Some(token),
            key: Some(key),
        };
        assert!(world.call(Sign, call([7, 7, 7]), CKR_OK) && !world.call(Sign, call([7, 7, 7]), CKR_OK));
        for place in 0..3 {
            let mut other = [7, 7, 7];
            other[place] = 8;
            assert_eq!(world.call(Sign, call(other), CKR_OK), apart[place] == 1, "{per} {place}");
        }
        // What belongs to no session or key counts in no such rate.
        let free = (0..3).all(|_| world.call(Sign, Belongs::default(), CKR_OK));
        assert_eq!(free, per != "process");
    }
}

#[test]
fn a_call_counts_where_it_meets_all_other_conditions_of_the_rule() {
    let text = rule(
        "one",
        "operation = 'sign'\nmechanism = 'CKM_ECDSA'\nlabel = 'a'\nrate = { calls = 1, within = '1h' }",
    ) + &rule("two", "operation = 'login'\nrate = { failed = 1, within = '1h' }");
    let p = policy(&text);
    let mut facts = Facts::of(C_SignInit, Sign, Some(CKM_ECDSA));
    assert_eq!(p.counting(&facts), 0);
    facts.key.label = Some(b"a");
    assert_eq!((p.counting(&facts), p.rate_of("one")), (1, 1));
    assert_eq!(p.counting(&Facts { mechanism: Some(CKM_RSA_PKCS), ..facts }), 0);
    assert_eq!(p.counting(&Facts { act: Verify, ..facts }), 0);
    assert_eq!((p.counting(&Facts::of(C_Login, Login, None)), p.rate_of("two"), p.rate_of("x")), (2, 2, 0));
    assert!(p.counts_calls() && !policy("").counts_calls());
    // Nothing is wrong with the call: it may be right a little later.
    facts.memory.reached = 1;
    let verdict = p.judge(&facts);
    assert_eq!(
        (verdict.rv(), verdict.decided_by()),
        (CKR_FUNCTION_REJECTED, "operation, mechanism, rate, label")
    );
}

#[test]
fn counters_outlive_a_new_policy_where_name_and_rate_stay() {
    let rate = "operation = 'login'\nrate = { failed = 1, within = '1h' }";
    let mut world = World::under(policy(&rule("attempts", rate)));
    assert!(world.call(Login, on_token(1), CKR_PIN_INCORRECT));
    let more = rule("other", "operation = 'sign'\nrate = { calls = 1, within = '1h' }");
    world.policy = policy(&(more + &rule("attempts", rate)));
    assert!(!world.call(Login, on_token(1), CKR_OK), "it stands elsewhere now, and is the same");
    world.policy = policy(&rule("attempts", &rate.replace("1h", "2h")));
    assert!(world.call(Login, on_token(1), CKR_OK), "another rate begins anew");
}

#[test]
fn what_there_is_no_room_for_is_counted_together_and_never_lost() {
    let rate = "operation = 'login'\nrate = { failed = 3, within = '1h', per = 'token' }";
    let mut world = World::under(policy(&rule("attempts", rate)));
    assert!(world.call(Login, on_token(0), CKR_PIN_INCORRECT));
    let mut passed = vec![0; 5000];
    for round in 0..5 {
        for (token, passed) in passed.iter_mut().enumerate().skip(1) {
            *passed += u32::from(world.call(Login, on_token(token as u64), CKR_PIN_INCORRECT));
        }
        assert!(passed.iter().all(|passed| *passed <= 3), "in round {round}");
    }
    let own = passed.iter().filter(|passed| **passed > 0).count();
    assert!((3000..4000).contains(&own), "{own} were counted by themselves");
    assert!(!world.call(Login, on_token(4999), CKR_OK), "those without a counter share one");
    world.now += 2 * 3600 * SECOND;
    assert!((0..3000).all(|token| world.call(Login, on_token(token), CKR_PIN_INCORRECT)), "an hour later");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// By steps of random length, with up to eight calls under way at once: in no window do more than the limit come and
    /// fail, and none is refused where the window, a sixteenth longer, holds fewer that failed or are under way.
    #[test]
    fn no_window_holds_more_than_the_limit(
        most in 1..6_usize,
        within in 1..40_u64,
        steps in prop::collection::vec((0..3 * SECOND, 0..8_usize, any::<bool>()), 1..400),
    ) {
        let rate = format!("operation = 'login'\nrate = {{ failed = {most}, within = '{within}s' }}");
        let mut world = World::under(policy(&rule("attempts", &rate)));
        let window = within * SECOND;
        let mut under_way: VecDeque<(u64, Counted)> = VecDeque::new();
        let mut failures: Vec<u64> = Vec::new();
        for (wait, open, fails) in steps {
            world.now += wait;
            let now = world.now;
            let near = |time: &u64| now - time <= window + window.div_ceil(16);
            let counted = failures.iter().filter(|time| near(time)).count()
                + under_way.iter().filter(|(time, _)| near(time)).count();
            match world.comes(Login, Belongs::default()) {
                Some(counted) => under_way.push_back((now, counted)),
                None => prop_assert!(counted >= most, "refused with {counted} of {most}"),
            }
            while under_way.len() > open {
                let (came, counted) = under_way.pop_front().unwrap();
                world.answered(&counted, if fails { CKR_PIN_INCORRECT } else { CKR_OK });
                failures.extend(fails.then_some(came));
            }
        }
        failures.sort_unstable();
        for burst in failures.windows(most + 1) {
            prop_assert!(burst[most] - burst[0] >= window, "{most} in {within} s: {burst:?}");
        }
    }
}
