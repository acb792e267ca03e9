// SPDX-License-Identifier: Apache-2.0
//! The programs and libraries under test, built in release once per test program: `cargo test` itself builds no cdylib.
//! Each package is built alone, as it ships, so that no feature of another finds its way in.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The shim, `libp11guard.so`.
pub fn shim() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("shim", "libp11guard.so"))
}

/// The program `p11guard`.
pub fn p11guard() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("collector", "p11guard"))
}

/// The stub vendor, `libvendor.so`.
pub fn vendor() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("vendor", "libvendor.so"))
}

/// The test host of `tests/hosts`, which cargo builds before any test of this package.
pub fn host() -> PathBuf {
    profile().join("host")
}

/// The `cryptoki` crate as an application, likewise.
pub fn client() -> PathBuf {
    profile().join("client")
}

/// A C host of `tests/hosts`, compiled with this project's own headers.
pub fn c_host(name: &str) -> PathBuf {
    compiled(name, name, &["-O1", "-pthread"])
}

/// A C library of `tests/hosts`, likewise.
pub fn c_library(name: &str) -> PathBuf {
    compiled(name, &format!("lib{name}.so"), &["-shared", "-fPIC"])
}

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// A `cargo` that works on this workspace.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.current_dir(root()).arg("--quiet");
    cargo
}

fn compiled(name: &str, file: &str, options: &[&str]) -> PathBuf {
    let source = root().join("tests/hosts").join(name).with_extension("c");
    let folder = target().join("hosts");
    std::fs::create_dir_all(&folder).expect("a folder for the C hosts");
    let fresh = tempfile::NamedTempFile::new_in(&folder).expect("a place to compile to").into_temp_path();
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g"]).args(options);
    cc.arg("-I").arg(root().join("pkcs11-headers")).arg(source).arg("-o").arg(&fresh).arg("-ldl");
    let out = cc.output().expect("cc runs: install build-essential");
    assert!(out.status.success(), "{name}.c does not compile:\n{}", String::from_utf8_lossy(&out.stderr));
    // Several tests may do this at once; the rename leaves one whole file.
    let program = folder.join(file);
    fresh.persist(&program).expect("the compiled host in its place");
    program
}

fn built(package: &str, file: &str) -> PathBuf {
    let mut build = cargo();
    build.args(["build", "--release", "--package", package, "--target-dir"]).arg(target());
    let status = build.status().expect("cargo runs");
    assert!(status.success(), "package {package} does not build");
    target().join("release").join(file)
}

/// Where cargo put this very test: `<target>/<profile>/deps/<test>`.
fn profile() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    own.ancestors().nth(2).expect("tests run from the target folder").to_owned()
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    profile().parent().expect("a profile lies in the target folder").to_owned()
}
