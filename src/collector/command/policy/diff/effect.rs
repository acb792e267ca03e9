// SPDX-License-Identifier: Apache-2.0
//! What differs in what two policies say: every standard mechanism in each of its operations, with typical keys and
//! parameters; acts without a mechanism by themselves.

use event::mechanism;
use policy::{Act, Action, Policy};
use serde_json::{Value, json};

use super::super::acts;
use super::super::hardened::Hardened;
use super::super::known::Known;
use super::super::typical;

/// Typical keys that a line lists.
const MOST_KEYS: usize = 6;

/// A verdict that changes for some keys.
#[derive(Debug)]
pub(super) struct Effect<'p> {
    pub(super) act: Act,
    mechanism: Option<u64>,
    pub(super) before: Said<'p>,
    pub(super) after: Said<'p>,
    keys: Vec<String>,
    /// Every key that was tried gets this change.
    all: bool,
}

/// A verdict and the rule that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said<'p> {
    action: Action,
    enforced: bool,
    hardened: bool,
    pub(super) rule: &'p str,
}

impl Said<'_> {
    fn of<'p>(policy: &'p Policy, call: &Known) -> Said<'p> {
        let verdict = policy.judge(&call.facts());
        let hardened = Hardened::of(verdict, call).is_some_and(|hardened| hardened.applied);
        Said { action: verdict.action(), enforced: verdict.enforced(), hardened, rule: verdict.rule().name() }
    }

    /// Whether something else happens; by which rule does not matter.
    fn differs(self, other: Said<'_>) -> bool {
        self.words() != other.words()
    }

    pub(super) fn words(self) -> &'static str {
        match (self.action, self.enforced, self.hardened) {
            (Action::Deny, false, _) => "deny (shadow)",
            (Action::Quarantine, false, _) => "quarantine (shadow)",
            (Action::Allow, _, true) => "allow (hardened)",
            (Action::Warn, _, true) => "warn (hardened)",
            (action, ..) => action.name(),
        }
    }

    fn weight(self) -> u8 {
        let verdict = match (self.action, self.enforced) {
            (Action::Allow, _) => 0,
            (Action::Warn, _) => 1,
            (Action::Deny, false) => 2,
            (Action::Quarantine, false) => 3,
            (Action::Deny, true) => 4,
            (Action::Quarantine, true) => 5,
        };
        2 * verdict + u8::from(self.hardened)
    }
}

/// Every verdict that changes, calls judged at `time`.
pub(super) fn effects<'p>(before: &'p Policy, after: &'p Policy, time: u64) -> Vec<Effect<'p>> {
    let keys = typical::keys();
    let mut effects = Vec::new();
    for act in Act::ALL {
        if act.operation().is_none() {
            let bare = acts::function(*act)
                .map(|function| Known { time: Some(time), ..Known::of(function, *act, None) });
            let calls = bare.map(|call| (String::new(), call)).into_iter().collect();
            compare(before, after, (*act, None), calls, &mut effects);
        }
        for known in typical::mechanisms(*act) {
            let calls = typical::calls(known, *act, &keys, time);
            compare(before, after, (*act, Some(known.number)), calls, &mut effects);
        }
    }
    effects
}

fn compare<'p>(
    before: &'p Policy,
    after: &'p Policy,
    (act, mechanism): (Act, Option<u64>),
    calls: Vec<(String, Known)>,
    effects: &mut Vec<Effect<'p>>,
) {
    let (first, tried) = (effects.len(), calls.len());
    for (key, call) in calls {
        let (old, new) = (Said::of(before, &call), Said::of(after, &call));
        if !old.differs(new) {
            continue;
        }
        match effects[first..].iter_mut().find(|effect| (effect.before, effect.after) == (old, new)) {
            Some(effect) => effect.keys.push(key),
            None => {
                effects.push(Effect { act, mechanism, before: old, after: new, keys: vec![key], all: false })
            }
        }
    }
    effects[first..].iter_mut().for_each(|effect| effect.all = effect.keys.len() == tried);
}

impl Effect<'_> {
    pub(super) fn is_stricter(&self) -> bool {
        self.after.weight() > self.before.weight()
    }

    pub(super) fn mechanism_words(&self) -> String {
        self.mechanism.map(|number| mechanism::display(number).to_string()).unwrap_or_default()
    }

    /// The typical keys, in short.
    pub(super) fn keys_words(&self) -> String {
        match self.keys.len() {
            _ if self.all => "all".into(),
            count if count > MOST_KEYS => {
                format!("{} and {} more", self.keys[..MOST_KEYS].join(", "), count - MOST_KEYS)
            }
            _ => self.keys.join(", "),
        }
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let said = |said: Said<'_>| json!({"verdict": said.action.name(), "enforced": said.enforced, "hardened": said.hardened, "rule": said.rule});
        let word = |number: u64| json!({"number": number, "name": mechanism::name(number)});
        json!({
            "change": "effect",
            "operation": self.act.name(),
            "mechanism": self.mechanism.map(word),
            "before": said(self.before),
            "after": said(self.after),
            "keys": self.keys,
            "all_keys": self.all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rule: &str) -> Policy {
        let text = format!("version = 1\ndefault = \"allow\"\n{rule}");
        Policy::parse("p", text.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    #[test]
    fn a_larger_smallest_key_changes_the_verdict_for_the_smaller_ones() {
        let rule = |bits: u32| {
            policy(&format!(
                "[[rule]]\nname = \"small\"\naction = \"deny\"\nremedy = \"larger\"\noperation = [\"sign\"]\n\
                 mechanism = [\"CKM_SHA256_RSA_PKCS\"]\nmax_bits = {bits}\n"
            ))
        };
        let (before, after) = (rule(1024), rule(2048));
        let found = effects(&before, &after, 0);
        let [effect] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((effect.act, effect.mechanism_words()), (Act::Sign, "CKM_SHA256_RSA_PKCS".into()));
        assert_eq!(
            (effect.before.words(), effect.after.words(), effect.keys_words()),
            ("allow", "deny", "rsa-2048".into())
        );
        assert!(effect.is_stricter() && effects(&before, &before, 0).is_empty());
    }

    #[test]
    fn a_rule_that_hardens_is_told_from_one_that_does_not() {
        let rule = |more: &str| {
            policy(&format!(
                "[[rule]]\nname = \"make\"\naction = \"allow\"\noperation = [\"generate\"]\n\
                 mechanism = [\"CKM_AES_KEY_GEN\"]\n{more}\n"
            ))
        };
        let (before, after) = (rule(""), rule("harden = { sensitive = true }"));
        let found = effects(&before, &after, 0).pop().unwrap();
        assert_eq!((found.before.words(), found.after.words()), ("allow", "allow (hardened)"));
        assert!(found.is_stricter() && found.all);
    }

    #[test]
    fn acts_without_a_mechanism_are_tried_as_well() {
        let rule =
            "[[rule]]\nname = \"no\"\naction = \"deny\"\nremedy = \"ask\"\noperation = [\"administer\"]\n";
        let (before, after) = (policy(""), policy(rule));
        let found = effects(&before, &after, 0);
        assert!(
            found.iter().any(|effect| effect.act == Act::Administer && effect.mechanism.is_none()),
            "{found:?}"
        );
    }
}
