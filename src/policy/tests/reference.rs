// SPDX-License-Identifier: Apache-2.0
//! The engine against a slow and obviously right evaluator: random policies, and random calls of a small world in which
//! every value is near another. A million calls; `P11GUARD_CASES` makes it more.

use event::Function::C_SignInit;
use event::mechanism::Operation;
use event::parameter::{Field, Parameter};
use event::record::Flags;
use event::value::key_type::{CKK_ML_DSA, CKK_ML_KEM};
use event::value::object_class::{CKO_DATA, CKO_PUBLIC_KEY, CKO_SECRET_KEY};
use policy::{Act, Action, Additions, Belongs, Counters, Facts, Origin, Policy};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const ACTS: [Act; 6] = [Act::Sign, Act::Verify, Act::Digest, Act::Destroy, Act::See, Act::Unwrap];
/// The acts without a mechanism.
const BARE: [Act; 2] = [Act::Destroy, Act::See];
/// The last one is named by no rule. Vendors' numbers, so that no operation contradicts them.
const MECHANISMS: [u64; 4] = [0x8000_0001, 0x8000_0002, u64::MAX, 0x8000_0003];
const LABELS: [Option<&[u8]>; 5] = [None, Some(b"a"), Some(b"b"), Some(b"ab"), Some(b"ab\n")];
const PATTERNS: [&str; 6] = ["a", "b", "ab", "a*", "?", "*b"];
const ORIGINS: [&str; 3] = ["generated", "derived", "imported"];
const SETS: [&str; 3] = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];
const DAYS: [Option<u64>; 4] = [None, Some(0), Some(1), Some(2)];
const HOSTS: [Option<&[u8]>; 3] = [None, Some(b"a"), Some(b"ab")];
const CLASSES: [Option<u64>; 4] = [None, Some(CKO_SECRET_KEY), Some(CKO_PUBLIC_KEY), Some(CKO_DATA)];
/// What `harden` knows here, with the stricter value of each.
const HARDER: [(u32, &str, bool); 3] = [
    (Flags::SENSITIVE, "sensitive", true),
    (Flags::EXTRACTABLE, "extractable", false),
    (Flags::MODIFIABLE, "modifiable", false),
];
const CALLS_OF_A_POLICY: usize = 400;
const SECOND: u64 = 1_000_000_000;

/// What a rule asks, and how it is written.
#[derive(Debug, Clone)]
enum Ask {
    MinBits(u32),
    MaxBits(u32),
    Extractable(bool),
    Label(Vec<&'static str>),
    Id(Vec<&'static str>),
    Hash(Vec<u64>),
    MinSalt(u64),
    MaxSalt(u64),
    Origin(Vec<&'static str>),
    Sets(Vec<u64>),
    From(u64),
    Until(u64),
    Rate(Rate),
}

/// How often it may happen, within how many seconds, and what is counted together.
#[derive(Debug, Clone, Copy)]
struct Rate {
    failed: bool,
    most: usize,
    within: u64,
    per: &'static str,
}

/// Whether a rule is carried out.
#[derive(Debug, Clone)]
enum Enforce {
    Always,
    Never,
    Staged {
        hosts: Option<Vec<&'static str>>,
        service: Option<&'static str>,
        from: Option<u64>,
        until: Option<u64>,
    },
}

impl Enforce {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        let day = facts.time.map(|time| time / 86_400);
        match self {
            Enforce::Always => true,
            Enforce::Never => false,
            Enforce::Staged { hosts, service, from, until } => {
                hosts.as_ref().is_none_or(|hosts| is_one_of(hosts, facts.process.host))
                    && service.is_none_or(|service| is_one_of(&[service], facts.process.service))
                    && from.is_none_or(|from| day.is_some_and(|day| day >= from))
                    && until.is_none_or(|until| day.is_none_or(|day| day <= until))
            }
        }
    }

    fn toml(&self) -> String {
        match self {
            Enforce::Always => "true".into(),
            Enforce::Never => "false".into(),
            Enforce::Staged { hosts, service, from, until } => {
                let hosts = hosts.as_ref().map(|hosts| format!("host = {hosts:?}"));
                let service = service.as_ref().map(|service| format!("service = {service:?}"));
                let from = from.map(|from| format!("from = 1970-01-{:02}", from + 1));
                let until = until.map(|until| format!("until = 1970-01-{:02}", until + 1));
                let all: Vec<String> = [hosts, service, from, until].into_iter().flatten().collect();
                format!("{{ {} }}", all.join(", "))
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Rule {
    action: Action,
    enforce: Enforce,
    harden: Vec<usize>,
    acts: Option<Vec<Act>>,
    mechanisms: Option<Vec<u64>>,
    asks: Vec<Ask>,
}

/// The call, or a mechanism inside it, as a rule sees it.
#[derive(Clone, Copy)]
struct Seen<'c> {
    facts: &'c Facts<'c>,
    act: Act,
    mechanism: Option<u64>,
    parameters: &'c [Parameter],
}

fn like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, text) => text.is_none(),
        (Some((b'*', rest)), None) => like(rest, text),
        (Some((b'*', rest)), Some((_, less))) => like(rest, text) || like(pattern, less),
        (Some((first, rest)), Some((byte, less))) => (*first == b'?' || first == byte) && like(rest, less),
        (Some(_), None) => false,
    }
}

fn is_one_of(patterns: &[&str], text: Option<&[u8]>) -> bool {
    text.is_some_and(|text| patterns.iter().any(|pattern| like(pattern.as_bytes(), text)))
}

impl Ask {
    fn met_by(&self, seen: Seen<'_>, every: bool) -> bool {
        let key = seen.facts.key;
        let day = seen.facts.time.map(|time| time / 86_400);
        let fields = |wanted: Field, right: &dyn Fn(u64) -> bool| {
            let values: Vec<u64> = seen
                .parameters
                .iter()
                .filter(|field| field.field == wanted)
                .map(|field| field.value)
                .collect();
            if every {
                !values.is_empty() && values.iter().all(|v| right(*v))
            } else {
                values.iter().any(|v| right(*v))
            }
        };
        match self {
            Ask::MinBits(min) => key.bits.is_some_and(|bits| bits >= *min),
            Ask::MaxBits(max) => key.bits.is_some_and(|bits| bits <= *max),
            Ask::Extractable(wish) => key.flags.value(Flags::EXTRACTABLE) == Some(*wish),
            Ask::Label(patterns) => is_one_of(patterns, key.label),
            Ask::Id(patterns) => is_one_of(patterns, key.id),
            Ask::Hash(list) => fields(Field::Hash, &|value| list.contains(&value)),
            Ask::MinSalt(min) => fields(Field::SaltLen, &|value| value >= *min),
            Ask::MaxSalt(max) => fields(Field::SaltLen, &|value| value <= *max),
            Ask::Origin(words) => {
                let local = key.flags.value(Flags::LOCAL) == Some(true);
                let seen = seen.facts.memory.origin.map(|origin| format!("{origin:?}").to_lowercase());
                let known = seen.or(local.then(|| "generated".to_owned()));
                known.is_some_and(|known| words.contains(&known.as_str()))
            }
            Ask::Sets(list) => {
                key.key_type == Some(CKK_ML_DSA) && key.parameter_set.is_some_and(|set| list.contains(&set))
            }
            Ask::From(from) => day.is_some_and(|day| day >= *from),
            Ask::Until(until) => day.is_none_or(|day| day <= *until),
            Ask::Rate(_) => true,
        }
    }

    fn toml(&self) -> String {
        match self {
            Ask::MinBits(min) => format!("min_bits = {min}"),
            Ask::MaxBits(max) => format!("max_bits = {max}"),
            Ask::Extractable(wish) => format!("extractable = {wish}"),
            Ask::Label(patterns) => format!("label = {patterns:?}"),
            Ask::Id(patterns) => format!("id = {patterns:?}"),
            Ask::Hash(list) => format!("hash = {list:?}"),
            Ask::MinSalt(min) => format!("min_salt_len = {min}"),
            Ask::MaxSalt(max) => format!("max_salt_len = {max}"),
            Ask::Origin(words) => format!("origin = {words:?}"),
            Ask::Sets(list) => {
                let names = list.iter().map(|set| SETS[usize::try_from(*set).unwrap() - 1]);
                format!("parameter_set = {:?}", names.collect::<Vec<_>>())
            }
            Ask::From(from) => format!("from = 1970-01-{:02}", from + 1),
            Ask::Until(until) => format!("until = 1970-01-{:02}", until + 1),
            Ask::Rate(Rate { failed, most, within, per }) => {
                let counted = if *failed { "failed" } else { "calls" };
                format!("rate = {{ {counted} = {most}, within = '{within}s', per = '{per}' }}")
            }
        }
    }
}

impl Rule {
    /// Whether it is for the call, however often there was one like it before.
    fn is_for(&self, seen: Seen<'_>) -> bool {
        // What may be seen is for the rules that say so.
        self.acts.as_ref().map_or(seen.act != Act::See, |list| list.contains(&seen.act))
            && self.mechanisms.as_ref().is_none_or(|list| seen.mechanism.is_some_and(|m| list.contains(&m)))
            && self.asks.iter().all(|ask| ask.met_by(seen, self.action == Action::Allow))
    }

    /// Whether the call is for its rate, if it has one: by itself, or by a mechanism inside it that the rule names.
    fn counts(&self, facts: &Facts<'_>) -> bool {
        self.is_for(outer(facts))
            || self.mechanisms.is_some() && inside(facts).iter().any(|inner| self.is_for(*inner))
    }

    fn rate(&self) -> Option<Rate> {
        self.asks.iter().find_map(|ask| if let Ask::Rate(rate) = ask { Some(*rate) } else { None })
    }

    fn toml(&self, place: usize) -> String {
        let mut toml =
            format!("[[rule]]\nname = 'r{place}'\naction = '{}'\nremedy = 'ask'\n", self.action.name());
        toml += &format!("enforce = {}\n", self.enforce.toml());
        if self.action == Action::Quarantine {
            toml += "expires = '10min'\n";
        }
        if !self.harden.is_empty() {
            let wishes = self.harden.iter().map(|at| format!("{} = {}", HARDER[*at].1, HARDER[*at].2));
            toml += &format!("harden = {{ {} }}\n", wishes.collect::<Vec<_>>().join(", "));
        }
        if let Some(list) = &self.acts {
            toml += &format!("operation = {:?}\n", list.iter().map(|act| act.name()).collect::<Vec<_>>());
        }
        if let Some(list) = &self.mechanisms {
            toml += &format!("mechanism = {list:?}\n");
        }
        self.asks.iter().fold(toml, |toml, ask| toml + &ask.toml() + "\n")
    }
}

/// What was counted for one rule: when each call came, and what it belongs to.
#[derive(Default)]
struct History(Vec<(u64, Belongs)>);

impl History {
    /// Whether the rule's rate is reached for a call that comes now, the window cut into sixteen parts.
    fn reaches(&self, rate: Rate, now: u64, belongs: Belongs) -> bool {
        let Some(own) = together(rate, belongs) else { return false };
        let part = |time: u64| time * 16 / (rate.within * SECOND);
        let counted = self
            .0
            .iter()
            .filter(|(time, other)| together(rate, *other) == Some(own) && part(now) - part(*time) <= 16);
        counted.count() >= rate.most
    }
}

fn together(rate: Rate, belongs: Belongs) -> Option<(u64, u64)> {
    match rate.per {
        "session" => Some((belongs.session?, 0)),
        "token" => Some((belongs.token?, 0)),
        "key" => Some((belongs.token?, belongs.key?)),
        _ => Some((0, 0)),
    }
}

/// For each rule whether its rate, if it has one, is reached. By a call that does not count in it, it is not.
fn reached(
    rules: &[Rule],
    histories: &[History],
    facts: &Facts<'_>,
    (now, belongs): (u64, Belongs),
) -> Vec<bool> {
    let met = rules.iter().zip(histories).map(|(rule, past)| match rule.rate() {
        Some(rate) => rule.counts(facts) && past.reaches(rate, now, belongs),
        None => true,
    });
    met.collect()
}

/// Counts a call that went on, and `failed` or not, for the rules that it is one of.
fn remember(
    rules: &[Rule],
    histories: &mut [History],
    facts: &Facts<'_>,
    call: (u64, Belongs),
    failed: bool,
) {
    for (rule, past) in rules.iter().zip(histories) {
        let counts = rule.rate().is_some_and(|rate| failed || !rate.failed) && rule.counts(facts);
        past.0.extend(counts.then_some(call));
    }
}

fn outer<'c>(facts: &'c Facts<'c>) -> Seen<'c> {
    Seen { facts, act: facts.act, mechanism: facts.mechanism, parameters: facts.parameters }
}

/// The mechanisms inside the call's, each under the act of the call and as a digest.
fn inside<'c>(facts: &'c Facts<'c>) -> Vec<Seen<'c>> {
    let mut all = Vec::new();
    for (at, field) in facts.parameters.iter().enumerate().filter(|(_, field)| field.field == Field::Hash) {
        let mut inside = at + 1;
        while facts.parameters.get(inside).is_some_and(|inner| inner.depth > field.depth) {
            inside += 1;
        }
        for act in [facts.act, Act::Digest] {
            let parameters = &facts.parameters[at + 1..inside];
            all.push(Seen { facts, act, mechanism: Some(field.value), parameters });
        }
    }
    all
}

/// Action, whether it is carried out, the place of the rule, and the nested mechanism, by the definition.
type Expected = (Action, bool, usize, Option<u64>);

fn slowly(rules: &[Rule], default: Action, observe: bool, facts: &Facts<'_>, reached: &[bool]) -> Expected {
    let first =
        |seen: Seen<'_>| rules.iter().zip(reached).position(|(rule, reached)| *reached && rule.is_for(seen));
    let of = |place: usize, nested| {
        (rules[place].action, rules[place].enforce.holds(facts) && !observe, place, nested)
    };
    let strict = |(action, enforced, ..): Expected| match action {
        Action::Allow => 0,
        Action::Warn => 1,
        Action::Deny if !enforced => 2,
        Action::Quarantine if !enforced => 3,
        Action::Deny => 4,
        Action::Quarantine => 5,
    };
    let default = if BARE.contains(&facts.act) { Action::Allow } else { default };
    let mut verdict =
        first(outer(facts)).map_or((default, !observe, rules.len(), None), |place| of(place, None));
    for seen in inside(facts) {
        if let Some(place) = first(seen).filter(|place| rules[*place].mechanisms.is_some()) {
            let nested = of(place, seen.mechanism);
            verdict = if strict(nested) > strict(verdict) { nested } else { verdict };
        }
    }
    verdict
}

/// What is added to the template of a call that goes on, and whether it is, by the definition.
fn harder(rules: &[Rule], observe: bool, facts: &Facts<'_>, reached: &[bool]) -> Option<(Additions, bool)> {
    let mut first =
        rules.iter().zip(reached).filter(|(rule, reached)| **reached && rule.is_for(outer(facts)));
    let rule = first.next().map(|(rule, _)| rule).filter(|rule| !rule.harden.is_empty())?;
    let mut added = Additions::default();
    let makes = facts.act == Act::Unwrap && matches!(facts.template.class, None | Some(CKO_SECRET_KEY));
    for at in rule.harden.iter().filter(|_| makes) {
        let (bit, _, stricter) = HARDER[*at];
        if facts.template.flags.value(bit).is_none() {
            added.flags.tell(bit, stricter);
        }
    }
    Some((added, rule.enforce.holds(facts) && !observe))
}

fn enforces() -> impl Strategy<Value = Enforce> {
    let staged = (
        prop::option::of(subsequence(PATTERNS.to_vec(), 1..=2)),
        prop::option::of(select(PATTERNS.to_vec())),
        prop::option::of(0..=2_u64),
        prop::option::of(0..=2_u64),
    )
        .prop_map(|(hosts, service, from, until)| Enforce::Staged { hosts, service, from, until });
    prop_oneof![6 => Just(Enforce::Always), 2 => Just(Enforce::Never), 4 => staged]
}

fn actions() -> impl Strategy<Value = Action> {
    select(vec![Action::Allow, Action::Warn, Action::Deny, Action::Quarantine])
}

fn asks() -> impl Strategy<Value = Ask> {
    let patterns = || subsequence(PATTERNS.to_vec(), 1..=3);
    prop_oneof![
        (1..=3_u32).prop_map(Ask::MinBits),
        (1..=3_u32).prop_map(Ask::MaxBits),
        any::<bool>().prop_map(Ask::Extractable),
        patterns().prop_map(Ask::Label),
        patterns().prop_map(Ask::Label),
        patterns().prop_map(Ask::Id),
        subsequence(MECHANISMS[..3].to_vec(), 1..=2).prop_map(Ask::Hash),
        (1..=3_u64).prop_map(Ask::MinSalt),
        (1..=3_u64).prop_map(Ask::MaxSalt),
        subsequence(ORIGINS.to_vec(), 1..=2).prop_map(Ask::Origin),
        subsequence(vec![1, 2, 3], 1..=2).prop_map(Ask::Sets),
        (0..=2_u64).prop_map(Ask::From),
        (0..=2_u64).prop_map(Ask::Until),
        rates().prop_map(Ask::Rate),
        rates().prop_map(Ask::Rate),
    ]
}

fn rates() -> impl Strategy<Value = Rate> {
    let per = select(vec!["process", "session", "token", "key"]);
    (any::<bool>(), 1..=3_usize, select(vec![16_u64, 20, 160]), per)
        .prop_map(|(failed, most, within, per)| Rate { failed, most, within, per })
}

fn rules() -> impl Strategy<Value = Rule> {
    (
        actions(),
        (enforces(), subsequence(vec![0, 1, 2], 0..=3)),
        prop::option::of(subsequence(ACTS.to_vec(), 1..=3)),
        prop::option::of(subsequence(MECHANISMS[..3].to_vec(), 1..=3)),
        prop::collection::vec(asks(), 0..4),
    )
        .prop_map(|(action, (mut enforce, mut harden), mut acts, mechanisms, mut asks)| {
            // No mechanism destroys or sees: to say so is a mistake of another kind.
            if let (Some(list), Some(_)) = (&mut acts, &mechanisms) {
                list.retain(|act| !BARE.contains(act));
                acts = acts.filter(|list| !list.is_empty());
            }
            // A key is written once.
            let mut seen = Vec::new();
            asks.retain(|ask| {
                let kind = std::mem::discriminant(ask);
                !seen.contains(&kind) && {
                    seen.push(kind);
                    true
                }
            });
            // Nothing is allowed because there was too much of it.
            asks.retain(|ask| action != Action::Allow || !matches!(ask, Ask::Rate(_)));
            // Who only sees is neither counted nor held.
            let counts = asks.iter().any(|ask| matches!(ask, Ask::Rate(_)));
            if let Some(list) = acts.as_mut().filter(|_| counts || action == Action::Quarantine) {
                list.retain(|act| *act != Act::See);
                acts = acts.filter(|list| !list.is_empty());
            }
            // What is refused, or makes nothing, cannot be hardened; a stage without days is never carried out.
            let refuses = matches!(action, Action::Deny | Action::Quarantine);
            if refuses || acts.as_ref().is_some_and(|list| !list.contains(&Act::Unwrap)) {
                harden.clear();
            }
            if let Enforce::Staged { hosts, service, from, until } = &enforce {
                let first =
                    asks.iter().filter_map(|ask| if let Ask::From(day) = ask { Some(*day) } else { None });
                let last =
                    asks.iter().filter_map(|ask| if let Ask::Until(day) = ask { Some(*day) } else { None });
                let days = first.chain(*from).max().zip(last.chain(*until).min());
                let empty = hosts.is_none() && service.is_none() && from.is_none() && until.is_none();
                if empty || days.is_some_and(|(from, until)| from > until) {
                    enforce = Enforce::Never;
                }
            }
            Rule { action, enforce, harden, acts, mechanisms, asks }
        })
}

/// Random numbers for calls: many of them, from one seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ x >> 31) % sides as u64).unwrap()
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        let mut fields = Vec::new();
        let mut depth = 0;
        for _ in 0..self.below(4) {
            let (field, value) = match self.below(2) {
                0 => (Field::Hash, MECHANISMS[self.below(4)]),
                _ => (Field::SaltLen, self.below(4) as u64),
            };
            fields.push(Parameter { depth, field, value });
            // One deeper behind a mechanism, or out again.
            depth = if field == Field::Hash && self.below(2) == 0 {
                depth + 1
            } else {
                depth.min(u8::from(self.below(2) == 0))
            };
        }
        fields
    }

    fn call<'c>(&mut self, parameters: &'c [Parameter]) -> Facts<'c> {
        let act = ACTS[self.below(6)];
        let bare = BARE.contains(&act);
        let mechanism = (!bare).then(|| MECHANISMS[self.below(4)]);
        let mut facts = Facts::of(C_SignInit, act, mechanism);
        facts.parameters = if bare { &[] } else { parameters };
        facts.key.bits = [None, Some(1), Some(2), Some(3)][self.below(4)];
        facts.key.label = LABELS[self.below(5)];
        facts.key.id = LABELS[self.below(5)];
        match self.below(3) {
            0 => {}
            wish => facts.key.flags.tell(Flags::EXTRACTABLE, wish == 1),
        }
        facts.memory.origin =
            [None, Some(Origin::Generated), Some(Origin::Derived), Some(Origin::Copied)][self.below(4)];
        match self.below(3) {
            0 => {}
            wish => facts.key.flags.tell(Flags::LOCAL, wish == 1),
        }
        facts.key.key_type = [None, Some(CKK_ML_DSA), Some(CKK_ML_KEM)][self.below(3)];
        facts.key.parameter_set = [None, Some(1), Some(2), Some(9)][self.below(4)];
        facts.process.host = HOSTS[self.below(3)];
        facts.process.service = HOSTS[self.below(3)];
        if act == Act::Unwrap {
            facts.template.class = CLASSES[self.below(4)];
            for (bit, _, _) in HARDER {
                match self.below(4) {
                    0 => facts.template.flags.tell(bit, true),
                    1 => facts.template.flags.tell(bit, false),
                    _ => {}
                }
            }
        }
        facts.time = DAYS[self.below(4)].map(|day| day * 86_400 + 7);
        facts
    }

    fn belongs(&mut self, act: Act) -> Belongs {
        let mut some = |of: usize| Some(self.below(of) as u64).filter(|number| *number > 0);
        let (session, token, key) = (some(3), some(3), some(3));
        Belongs { session, token, key: key.filter(|_| act != Act::Digest) }
    }
}

fn cases() -> u32 {
    std::env::var("P11GUARD_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2500)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn the_engine_agrees_with_the_reference(
        proposed in prop::collection::vec(rules(), 0..10),
        default in select(vec![Action::Allow, Action::Warn, Action::Deny]),
        observe in prop::bool::weighted(0.2),
        seed in any::<u64>(),
    ) {
        let mode = if observe { "observe" } else { "enforce" };
        let mut text = format!("version = 1\nmode = '{mode}'\ndefault = '{}'\n", default.name());
        let mut policy = Policy::parse("p.toml", text.as_bytes()).unwrap();
        let mut kept: Vec<Rule> = Vec::new();
        let mut dice = Dice(seed);
        for rule in proposed {
            let longer = text.clone() + &rule.toml(kept.len());
            match Policy::parse("p.toml", longer.as_bytes()) {
                Ok(parsed) => {
                    policy = parsed;
                    text = longer;
                    kept.push(rule);
                }
                // A rule may only be refused where no call could ever be decided by it.
                Err(diagnostics) => {
                    let mut all = kept.clone();
                    all.push(rule);
                    let mut past: Vec<History> = all.iter().map(|_| History::default()).collect();
                    let mut now = 0;
                    for _ in 0..CALLS_OF_A_POLICY {
                        let parameters = dice.parameters();
                        let facts = dice.call(&parameters);
                        let belongs = dice.belongs(facts.act);
                        now += dice.below(4) as u64 * SECOND;
                        let reached = reached(&all, &past, &facts, (now, belongs));
                        let said = slowly(&all, default, observe, &facts, &reached);
                        prop_assert!(said.2 != kept.len(), "{:?}\n{}\n{}", facts, longer, diagnostics);
                        if !(matches!(said.0, Action::Deny | Action::Quarantine) && said.1) {
                            remember(&all, &mut past, &facts, (now, belongs), dice.below(2) == 0);
                        }
                    }
                }
            }
        }

        let mut past: Vec<History> = kept.iter().map(|_| History::default()).collect();
        let (mut counters, mut now) = (Counters::default(), 0);
        for _ in 0..CALLS_OF_A_POLICY {
            let parameters = dice.parameters();
            let mut facts = dice.call(&parameters);
            let belongs = dice.belongs(facts.act);
            now += dice.below(4) as u64 * SECOND;
            let mut counted = counters.come(&policy, policy.counting(&facts), belongs, now);
            facts.memory.reached = counted.reached();
            let reached = reached(&kept, &past, &facts, (now, belongs));
            let verdict = policy.judge(&facts);
            let said = (verdict.action(), verdict.enforced(), verdict.rule().place(), verdict.nested());
            prop_assert_eq!(said, slowly(&kept, default, observe, &facts, &reached), "{:?}\n{}", facts, text);
            if let Some(mechanism) = facts.mechanism.filter(|_| !policy.asks_more(facts.act)) {
                let shorter = policy.judge_mechanism(facts.act, mechanism, facts.parameters);
                prop_assert_eq!((shorter.rule().place(), shorter.nested()), (said.2, said.3), "{:?}\n{}", facts, text);
            }
            prop_assert_eq!(verdict.refuses(), matches!(verdict.action(), Action::Deny | Action::Quarantine) && verdict.enforced());
            prop_assert_eq!(verdict.rule().quarantine().is_some(), verdict.action() == Action::Quarantine);
            let added = verdict.harden().map(|(harden, applied)| (harden.additions(&facts)[0], applied));
            let expected = harder(&kept, observe, &facts, &reached).filter(|_| !verdict.refuses());
            prop_assert_eq!(added, expected, "{:?}\n{}", facts, text);
            // What goes on counts; what does not fail is taken back.
            let failed = dice.below(2) == 0;
            if verdict.refuses() {
                counters.refused(&policy, &counted);
            } else {
                counters.goes_on(&policy, &mut counted);
                if !failed {
                    counters.succeeded(&policy, &counted);
                }
                remember(&kept, &mut past, &facts, (now, belongs), failed);
            }
            // What is hidden is refused whatever the key.
            if let (Some(mechanism), Some(operation)) = (facts.mechanism, facts.act.operation()) {
                prop_assert!(policy.may_use(mechanism, operation) || verdict.refuses(), "{:?}\n{}", facts, text);
            }
        }
        // Where no rule asks of anything but act and mechanism, the reverse holds too.
        let staged = |rule: &Rule| matches!(rule.enforce, Enforce::Staged { .. });
        if kept.iter().all(|rule| rule.asks.is_empty() && !staged(rule)) {
            for (mechanism, operation) in MECHANISMS.iter().flat_map(|m| [Operation::Sign, Operation::Digest].map(|o| (*m, o))) {
                let refused = policy.judge(&Facts::of(C_SignInit, operation.into(), Some(mechanism))).refuses();
                prop_assert_eq!(policy.may_use(mechanism, operation), !refused);
            }
        }
    }
}
