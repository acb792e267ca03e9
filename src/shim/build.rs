// SPDX-License-Identifier: Apache-2.0
//! How the library is linked, so that no other library's symbols stand in for ours and none of ours is unloaded.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Another library that exports `C_*` must not capture the tables we hand out.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic");
    // Threads may be inside us when the host calls dlclose, and thread-local state outlives it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro,-z,now,-z,defs");
}
