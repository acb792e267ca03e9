// SPDX-License-Identifier: Apache-2.0
//! What the tests stand on: the built artifacts, private tokens of real modules, a guard over a module, a collector,
//! and commands run with both ends in hand. Environment goes to child processes only; nothing outside a temporary
//! folder is written.

pub mod accounts;
pub mod artifacts;
pub mod collector;
pub mod counts;
pub mod golden;
pub mod guard;
pub mod lines;
pub mod run;
pub mod script;
pub mod token;
