// SPDX-License-Identifier: Apache-2.0
//! What the stub vendor can do wrong, each found in a real module (see the rule it comes from), switched on by name:
//! `VENDOR_MISBEHAVE=name,name`. An unknown name is refused by `C_Initialize`, so that no test asks for nothing.

use std::sync::OnceLock;

macro_rules! misbehaviours {
    ($($name:ident $text:literal $doc:literal)*) => {
        /// A way to misbehave.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Misbehaviour { $(#[doc = $doc] $name),* }

        const ALL: &[(&str, Misbehaviour)] = &[$(($text, Misbehaviour::$name)),*];
    };
}
misbehaviours! {
    NoInterface     "no-interface"     "`C_GetInterface` and its list answer CKR_FUNCTION_NOT_SUPPORTED."
    NullEntries     "null-entries"     "Every fifth function beyond the discovery calls is NULL in the tables."
    V3InV2List      "v3-in-v2-list"    "`C_GetFunctionList` hands out a table that calls itself 3.0."
    VendorInterface "vendor-interface" "Lists a `Vendor Stub Interface` whose functions are its own table."
    Captured        "captured"         "Its tables name its interposable exports, so a preloaded library can replace them."
    WrongPins       "wrong-pins"       "Says of every PIN that it is wrong."
    LyingLengths    "lying-lengths"    "Says lengths far beyond the buffer after writing only what fits."
    SlotEvents      "slot-events"      "Has two events in its slot to tell of, whoever asks."
}

/// Whether `misbehaviour` was asked for.
pub(crate) fn wanted(misbehaviour: Misbehaviour) -> bool {
    asked().0.contains(&misbehaviour)
}

/// Whether every name asked for is known.
pub(crate) fn understood() -> bool {
    asked().1
}

fn asked() -> &'static (Vec<Misbehaviour>, bool) {
    static ASKED: OnceLock<(Vec<Misbehaviour>, bool)> = OnceLock::new();
    ASKED.get_or_init(|| {
        let text = std::env::var("VENDOR_MISBEHAVE").unwrap_or_default();
        let names = text.split(',').filter(|name| !name.is_empty());
        let found: Vec<_> = names.map(|name| ALL.iter().find(|(known, _)| *known == name)).collect();
        (
            found.iter().flatten().map(|(_, misbehaviour)| *misbehaviour).collect(),
            found.iter().all(Option::is_some),
        )
    })
}
