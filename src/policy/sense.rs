// SPDX-License-Identifier: Apache-2.0
//! Whether the rules make sense: a rule that no call could ever reach is a mistake of its author, and is
//! refused.

use crate::DEFAULT;
use crate::conditions::Conditions;
use crate::diagnostic::Report;
use crate::problem::Problem;
use crate::reader::Section;
use crate::rule::{Action, Rule};
use event::mechanism::{self, Family, Operation};
use std::collections::HashMap;

/// The families whose keys lie on curves; of CMS nothing is said, since it signs with any key.
const CURVED: [Family; 5] = [Family::Ec, Family::Edwards, Family::Montgomery, Family::Signal, Family::Cms];

/// Reports what is wrong with one rule by itself.
pub(crate) fn of_one(rule: &Rule, section: &Section<'_>, report: &mut Report<'_>) {
    if rule.action == Action::Deny && rule.remedy.is_none() {
        report.add(section.span(), Problem::DenyWithoutRemedy { rule: rule.name.to_string() });
    }
    let conditions = &rule.conditions;
    if let (Some(min), Some(max)) = (&conditions.min_bits, &conditions.max_bits)
        && min.0 > max.0
    {
        report.add(section.span_of("min_bits"), Problem::BitsCross { min: min.0, max: max.0 });
    }
    let Some(mechanisms) = &conditions.mechanism else {
        return;
    };
    // Of a vendor's mechanism nothing is known, so nothing contradicts it.
    let known: Vec<_> = mechanisms.numbers().iter().map(|number| mechanism::by_number(*number)).collect();
    let standard =
        || known.iter().zip(section.entry_spans("mechanism")).filter_map(|(m, place)| Some(((*m)?, place)));

    if conditions.curve.is_some() {
        for (mechanism, place) in standard().filter(|(m, _)| !CURVED.contains(&m.family)) {
            report.add(place, Problem::CurveWithoutCurves { mechanism: mechanism.name });
        }
    }
    if let Some(operations) = conditions.operation {
        for (mechanism, place) in
            standard().filter(|(m, _)| !operations.iter().any(|o| m.operations.contains(o)))
        {
            report.add(place, Problem::UselessMechanism { mechanism: mechanism.name });
        }
        let possible = |operation| known.iter().any(|m| m.is_none_or(|m| m.operations.contains(operation)));
        for operation in operations.iter().filter(|operation| !possible(*operation)) {
            let place = section.entry_span("operation", operation.name());
            report.add(place, Problem::UselessOperation { operation: operation.name() });
        }
    }
}

/// Reports names that are used twice, or that the default has.
pub(crate) fn unique_names(rules: &[(Rule, Section<'_>)], report: &mut Report<'_>) {
    let mut lines: HashMap<&str, usize> = HashMap::new();
    for (rule, section) in rules {
        let place = section.span_of("name");
        if &*rule.name == DEFAULT {
            report.add(place, Problem::ReservedName { name: rule.name.to_string() });
        } else if let Some(line) = lines.get(&*rule.name) {
            report.add(place, Problem::DuplicateName { name: rule.name.to_string(), line: *line });
        } else {
            lines.insert(&rule.name, report.line(place.start));
        }
    }
}

/// Reports the rules of which every call is decided by rules above them.
pub(crate) fn all_reachable(rules: &[(Rule, Section<'_>)], report: &mut Report<'_>) {
    for (place, (rule, section)) in rules.iter().enumerate() {
        let by = deciders(rule, rules[..place].iter().map(|(above, _)| above));
        if !by.is_empty() {
            report.add(section.span_of("name"), Problem::Unreachable { rule: rule.name.to_string(), by });
        }
    }
}

/// The names of the rules of `above` that together match all that `rule` matches; none where something is
/// left to it.
fn deciders<'r>(rule: &Rule, above: impl Iterator<Item = &'r Rule>) -> Vec<String> {
    // What is left to the rule: operations with mechanisms, `None` standing for the mechanisms that no rule
    // names.
    let mechanisms: Vec<Option<u64>> = match &rule.conditions.mechanism {
        Some(mechanisms) => mechanisms.numbers().iter().copied().map(Some).collect(),
        None => vec![None],
    };
    let operations =
        Operation::ALL.iter().filter(|o| rule.conditions.operation.is_none_or(|asked| asked.contains(**o)));
    let mut left: Vec<(Option<u64>, Operation)> = operations
        .flat_map(|operation| mechanisms.iter().map(|mechanism| (*mechanism, *operation)))
        .collect();

    let mut by = Vec::new();
    for above in above.filter(|above| above.conditions.covers(&rule.conditions)) {
        let before = left.len();
        left.retain(|(mechanism, operation)| !names(above, *mechanism, *operation));
        if left.len() < before {
            by.push(above.name.to_string());
        }
        if left.is_empty() {
            return by;
        }
    }
    Vec::new()
}

fn names(rule: &Rule, mechanism: Option<u64>, operation: Operation) -> bool {
    let Conditions { operation: operations, mechanism: mechanisms, .. } = &rule.conditions;
    operations.is_none_or(|operations| operations.contains(operation))
        && mechanisms.as_ref().is_none_or(|named| mechanism.is_some_and(|m| named.numbers().contains(&m)))
}
