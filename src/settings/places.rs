// SPDX-License-Identifier: Apache-2.0
//! Where the shim looks for its configuration.

use std::path::{Path, PathBuf};

/// The folder of the configuration that the machine's owner wrote.
pub const FOLDER: &str = "/etc/p11guard";
/// The variable that names a configuration where the folder has none.
pub const ENVIRONMENT: &str = "P11GUARD_CONFIG";
/// The spool folder where the configuration names none; used if it exists.
pub const SPOOL: &str = "/var/spool/p11guard";

/// The files that are tried in order, for a library with this path: the one with its own base name first, so that
/// copies of the library under other names serve several vendors in one process.
pub fn names(library: &Path) -> Vec<PathBuf> {
    let own = library.file_name().and_then(|name| name.to_str()).and_then(|name| name.split(".so").next());
    let own = own.filter(|name| !name.is_empty() && *name != "libp11guard");
    let names = own.into_iter().chain(["p11guard"]);
    names.map(|name| Path::new(FOLDER).join(format!("{name}.toml"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_under_another_name_has_a_configuration_of_its_own() {
        let of = |library: &str| names(Path::new(library));
        assert_eq!(
            of("/opt/libluna.so"),
            [Path::new("/etc/p11guard/libluna.toml"), Path::new("/etc/p11guard/p11guard.toml")]
        );
        assert_eq!(of("/usr/lib/libp11guard.so"), [Path::new("/etc/p11guard/p11guard.toml")]);
        assert_eq!(of("/usr/lib/libp11guard.so.1"), [Path::new("/etc/p11guard/p11guard.toml")]);
        assert_eq!(of(""), [Path::new("/etc/p11guard/p11guard.toml")]);
    }
}
