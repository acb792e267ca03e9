// SPDX-License-Identifier: Apache-2.0
//! Modules as files: where `libp11guard.so` is, which vendors' modules this machine has, and whether a file can be a
//! module at all. Nothing is loaded: what a library does when it is loaded is not ours to start.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const NAME: &str = "libp11guard.so";
/// The entry point that every module has.
const ENTRY: &[u8] = b"\0C_GetFunctionList\0";

/// Finds `libp11guard.so` beside this program, where packages put it, and where a build leaves it.
///
/// # Errors
/// Every place that was looked at.
pub(super) fn find() -> Result<PathBuf, Vec<PathBuf>> {
    let program = env::current_exe().and_then(fs::canonicalize).unwrap_or_default();
    let beside = program.parent().unwrap_or(Path::new("/"));
    let above = beside.parent().unwrap_or(Path::new("/"));
    let places: Vec<PathBuf> =
        [beside.to_owned(), above.join("lib/p11guard"), above.join("lib"), above.join("lib64")]
            .into_iter()
            .chain(multiarch(&above.join("lib")))
            .chain(["/usr/lib/p11guard", "/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from))
            .map(|folder| folder.join(NAME))
            .collect();
    match places.iter().find(|place| place.is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(places),
    }
}

/// Whether a file can be a module on this kind of machine.
///
/// # Errors
/// Why it cannot, in words that follow its path.
pub(super) fn fault(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err("is not a file".into());
    }
    let mut image = Vec::new();
    file.read_to_end(&mut image).map_err(|error| format!("cannot be read: {error}"))?;
    // ELF, 64-bit, little-endian; e_type 3 is a shared object, e_machine as of this program.
    let Some(header) = image.first_chunk::<20>().filter(|header| header.starts_with(b"\x7fELF\x02\x01"))
    else {
        return Err("is not a 64-bit ELF file".into());
    };
    let machine = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    if header[16] != 3 || u16::from_le_bytes([header[18], header[19]]) != machine {
        return Err("is not a shared library for this kind of machine".into());
    }
    if !holds(&image, ENTRY) {
        return Err("does not export C_GetFunctionList, so it is no PKCS#11 module".into());
    }
    Ok(())
}

/// Whether two paths lead to the same file.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// The vendors' modules that this machine has in the usual places.
pub(super) fn installed() -> Vec<PathBuf> {
    const KNOWN: &[&str] = &[
        "libsofthsm2.so",
        "opensc-pkcs11.so",
        "libsoftokn3.so",
        "libkryoptic_pkcs11.so",
        "libykcs11.so",
        "libCryptoki2_64.so",
        "libcknfast.so",
        "libcs_pkcs11_R3.so",
        "libcloudhsm_pkcs11.so",
        "libtpm2_pkcs11.so",
    ];
    let roots = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let folders = roots.iter().cloned().chain(roots.iter().flat_map(|root| multiarch(root)));
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for folder in folders {
        for inner in ["", "softhsm", "nss", "pkcs11", "pkcs11-modules"] {
            let named = KNOWN.iter().map(|name| folder.join(inner).join(name));
            let all =
                fs::read_dir(folder.join(inner)).into_iter().flatten().flatten().map(|entry| entry.path());
            let all = all
                .filter(|path| inner.starts_with("pkcs11") && path.extension().is_some_and(|so| so == "so"));
            for path in named.chain(all) {
                // Packages link the same module into several places.
                let Ok(meta) = fs::metadata(&path) else { continue };
                if meta.is_file() && !path.ends_with(NAME) && seen.insert((meta.dev(), meta.ino())) {
                    found.push(path);
                }
            }
        }
    }
    found.sort();
    found
}

/// The folders of a multiarch layout: `lib/x86_64-linux-gnu`.
fn multiarch(lib: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(lib).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.to_string_lossy().ends_with("-linux-gnu")).collect()
}

fn holds(image: &[u8], text: &[u8]) -> bool {
    image.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_module_is_told_from_what_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("module.so");
        let mut image = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0".to_vec();
        if cfg!(target_arch = "aarch64") {
            image[18] = 183;
        }
        fs::write(&path, &image).unwrap();
        assert!(fault(&path).unwrap_err().contains("C_GetFunctionList"));
        image.extend_from_slice(ENTRY);
        fs::write(&path, &image).unwrap();
        assert_eq!(fault(&path), Ok(()));
        image[16] = 2;
        fs::write(&path, &image).unwrap();
        assert!(fault(&path).unwrap_err().contains("shared library"));
        fs::write(&path, b"#!/bin/sh\n").unwrap();
        assert!(fault(&path).unwrap_err().contains("ELF"));
        assert!(fault(folder.path()).unwrap_err().contains("not a file"));
        assert!(fault(Path::new("/nonexistent.so")).unwrap_err().contains("cannot be read"));
    }
}
