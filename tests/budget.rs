// SPDX-License-Identifier: Apache-2.0
//! Does the library bring only what it is known to bring? Every crate named here is loaded into every application.

use std::collections::BTreeSet;

use harness::artifacts;
use harness::golden::golden;
use harness::run::run;

#[test]
fn the_shims_dependencies_are_the_known_ones() {
    let mut tree = artifacts::cargo();
    tree.args([
        "tree",
        "--offline",
        "--package",
        "shim",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let seen = run(&mut tree).success();
    let names: BTreeSet<&str> = seen.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    let list: String = names.iter().filter(|name| !name.is_empty()).flat_map(|name| [name, "\n"]).collect();
    golden("shim-dependencies.txt", &list);
    println!("{} crates", names.len());
}
