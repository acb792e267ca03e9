// SPDX-License-Identifier: Apache-2.0
//! What a policy would allow in place of a call: the same operation on the same key, with other mechanisms or
//! parameters that fit it.

use event::mechanism::{Mechanism, Status};
use policy::Policy;

use super::super::known::Known;
use super::super::typical;

/// A mechanism that would be allowed.
#[derive(Debug)]
pub(super) struct Instead {
    pub(super) mechanism: &'static Mechanism,
    /// Words for the parameters with which it would be, where they matter.
    pub(super) with: Vec<String>,
}

/// The mechanisms that the policy allows for the operation and key of the call, those in good standing first. A broken
/// one is no advice, even where the policy lets it through.
pub(super) fn instead(policy: &Policy, call: &Known) -> Vec<Instead> {
    let mut found: Vec<Instead> = typical::mechanisms(call.act)
        .filter(|known| known.status != Status::Broken)
        .filter(|known| typical::fits(known, call.act, call.subject().key_type))
        .filter_map(|known| allowed(policy, call, known))
        .collect();
    found.sort_by_key(|instead| (instead.mechanism.status, instead.mechanism.number));
    found
}

fn allowed(policy: &Policy, call: &Known, mechanism: &'static Mechanism) -> Option<Instead> {
    let tried = typical::parameters(mechanism);
    let passes = |parameters: &[event::parameter::Parameter]| {
        let tried =
            Known { mechanism: Some(mechanism.number), parameters: parameters.to_vec(), ..call.clone() };
        !policy.judge(&tried.facts()).action().refuses()
    };
    let with: Vec<String> =
        tried.iter().filter(|(_, parameters)| passes(parameters)).map(|(words, _)| words.clone()).collect();
    let all = with.len() == tried.len();
    // The call's own mechanism is worth telling only where its parameters make the difference.
    if with.is_empty() || all && call.mechanism == Some(mechanism.number) {
        return None;
    }
    Some(Instead { mechanism, with: if all { Vec::new() } else { with } })
}

#[cfg(test)]
mod tests {
    use event::mechanism::{CKM_ECDSA, CKM_RSA_PKCS, CKM_RSA_PKCS_PSS};
    use event::value::key_type::CKK_RSA;
    use policy::Act;

    use super::super::super::acts;
    use super::super::super::known::Thing;
    use super::*;

    #[test]
    fn what_fits_the_key_is_told_with_the_parameters_that_matter() {
        let text = r#"
            version = 1
            [[rule]]
            name = "pss"
            action = "allow"
            operation = ["sign"]
            mechanism = ["CKM_RSA_PKCS_PSS"]
            hash = ["CKM_SHA256", "CKM_SHA384"]
            [[rule]]
            name = "old-padding"
            action = "allow"
            operation = ["sign"]
            mechanism = ["CKM_RSA_PKCS"]
            min_bits = 4096
        "#;
        let policy = Policy::parse("p", text.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let key = Thing { key_type: Some(CKK_RSA), bits: Some(2048), ..Thing::default() };
        let call = Known { key, ..Known::of(acts::function(Act::Sign).unwrap(), Act::Sign, Some(CKM_ECDSA)) };
        let told = instead(&policy, &call);
        let [pss] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            (pss.mechanism.number, &*pss.with),
            (CKM_RSA_PKCS_PSS, &["SHA-256".to_owned(), "SHA-384".into()][..])
        );
        let larger = Thing { bits: Some(4096), ..call.key.clone() };
        let told = instead(&policy, &Known { key: larger, ..call });
        assert_eq!(
            told.iter().map(|it| it.mechanism.number).collect::<Vec<_>>(),
            [CKM_RSA_PKCS, CKM_RSA_PKCS_PSS]
        );
    }
}
