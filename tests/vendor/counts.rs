// SPDX-License-Identifier: Apache-2.0
//! The layout of the file in which the stub vendor counts: 64-bit cells, native byte order. The vendor maps the file
//! shared and adds to it; the harness reads it. Both include this text, so that there is one layout.

/// The ways into a module, in the order of the counters: the exported symbol, then the tables by version.
pub(crate) const WAYS: [&str; 4] = ["export", "2.40", "3.0", "3.2"];

/// Cells that each way has for its functions, by wire number.
pub(crate) const FUNCTIONS: usize = 128;

/// The counter of `function` reached by `way`.
pub(crate) const fn cell(way: usize, function: usize) -> usize {
    way * FUNCTIONS + function
}

/// The last mechanism that arrived: number, address of the structure, `pParameter`, `ulParameterLen`.
pub(crate) const LAST: usize = WAYS.len() * FUNCTIONS;

/// How often each mechanism arrived: pairs of (number + 1, count), filled from the front.
pub(crate) const SEEN: usize = LAST + 4;

/// Pairs at [`SEEN`].
pub(crate) const SEEN_PAIRS: usize = 128;

/// Cells of the whole file.
pub(crate) const CELLS: usize = SEEN + 2 * SEEN_PAIRS;
