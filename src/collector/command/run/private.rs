// SPDX-License-Identifier: Apache-2.0
//! The private folder of one run: sockets, log, configuration and, where none is given, a policy that allows
//! everything. Only its owner gets in, and it goes when the run ends.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf, absolute};

use collector::Settings;
use collector::render::Shown;
use tempfile::TempDir;

use super::super::{Failure, library};
use super::Arguments;

/// What is in force without `--policy`.
const ALLOW_ALL: &str = "version = 1\nname = \"allow-all\"\nmode = \"observe\"\ndefault = \"allow\"\n";

/// Everything that a run needs besides its command.
pub(super) struct Private {
    folder: TempDir,
    /// The library that the command loads.
    pub(super) library: PathBuf,
    /// The library's configuration.
    pub(super) config: PathBuf,
}

impl Private {
    /// Checks what is given, finds what is not, and writes the folder.
    pub(super) fn prepare(arguments: &Arguments) -> Result<Private, Failure> {
        let library = library(arguments)?;
        give_way(&library)?;
        let module = module(arguments, &library)?;
        let remedy = "point TMPDIR to a folder that can be written to";
        let temporary = std::env::temp_dir();
        // Mode 0700 from the start.
        let folder = TempDir::with_prefix("p11guard-").map_err(Failure::path(
            "make a folder in",
            temporary,
            remedy,
        ))?;
        let write = |name: &str, text: &[u8]| -> Result<PathBuf, Failure> {
            let path = folder.path().join(name);
            // The library reads nothing that others could write, whatever the umask.
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            let written = file.and_then(|mut file| file.write_all(text));
            written.map_err(Failure::path("write", &path, remedy))?;
            Ok(path)
        };
        // What was checked is what is in force.
        let policy = match &arguments.policy {
            Some(policy) => write("policy.toml", &checked(policy)?)?,
            None => write("policy.toml", ALLOW_ALL.as_bytes())?,
        };
        let spool = folder.path().join("spool");
        DirBuilder::new().mode(0o700).create(&spool).map_err(Failure::path("make", &spool, remedy))?;
        let attach = Settings::private(folder.path()).attach;
        let config = write("shim.toml", shim(&module, &policy, &attach, &spool)?.as_bytes())?;
        Ok(Private { library, config, folder })
    }

    /// The settings of its collector.
    pub(super) fn settings(&self) -> Settings {
        Settings { spool: Some(self.spool()), ..Settings::private(self.folder.path()) }
    }

    /// Where the library leaves what it cannot hand over: why it did not start, for one.
    pub(super) fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }
}

/// The text of the library's configuration.
fn shim(module: &Path, policy: &Path, socket: &Path, spool: &Path) -> Result<String, Failure> {
    let mut table = toml::Table::new();
    for (key, path) in [("module", module), ("policy", policy), ("socket", socket), ("spool", spool)] {
        let text = path.to_str().ok_or_else(|| refuse_name(path))?;
        table.insert(key.into(), text.into());
    }
    Ok(table.to_string())
}

fn library(arguments: &Arguments) -> Result<PathBuf, Failure> {
    let library = match &arguments.library {
        Some(given) => whole(given)?,
        None => library::find().map_err(|places| {
            let places: Vec<_> = places.iter().map(|place| format!("  {}", place.display())).collect();
            let text = "cannot find libp11guard.so; build it, or name it with --library. Looked at:\n";
            Failure::Refused(format!("{text}{}", places.join("\n")))
        })?,
    };
    library::fault(&library)
        .map_err(|fault| refuse(&library, &fault, "name libp11guard.so with --library"))?;
    Ok(library)
}

fn module(arguments: &Arguments, library: &Path) -> Result<PathBuf, Failure> {
    let module = match &arguments.module {
        Some(given) => whole(given)?,
        None => return Err(no_module()),
    };
    library::fault(&module)
        .map_err(|fault| refuse(&module, &fault, "name the vendor's module with --module"))?;
    if library::same(&module, library) {
        return Err(refuse(&module, "is p11guard's own library", "name the vendor's module with --module"));
    }
    Ok(module)
}

/// An installed configuration is in force for every process, and no environment replaces it.
fn give_way(library: &Path) -> Result<(), Failure> {
    let Some(installed) = ::settings::names(library).into_iter().find(|path| path.exists()) else {
        return Ok(());
    };
    let text = "is in force for every process of this host, so a private collector would see nothing; its \
                collector has the events: p11guard tail";
    Err(Failure::Refused(format!("{} {text}", Shown(&installed.to_string_lossy()))))
}

fn no_module() -> Failure {
    let found: Vec<_> = library::installed().iter().map(|path| format!("\n  {}", path.display())).collect();
    let found = if found.is_empty() { "\n  none in the usual places".into() } else { found.concat() };
    Failure::Refused(format!("name the vendor's module with --module. This machine has:{found}"))
}

/// The text of the policy, if it holds together.
fn checked(policy: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = fs::read(policy).map_err(Failure::path("read", policy, "name the policy with --policy"))?;
    match policy::Policy::parse(&policy.to_string_lossy(), &bytes) {
        Ok(_) => Ok(bytes),
        Err(diagnostics) => Err(Failure::Refused(format!("the policy has mistakes\n{diagnostics}"))),
    }
}

fn whole(path: &Path) -> Result<PathBuf, Failure> {
    absolute(path).map_err(Failure::path("find", path, "give its whole path"))
}

fn refuse(path: &Path, fault: &str, remedy: &str) -> Failure {
    Failure::Refused(format!("{} {fault}; {remedy}", Shown(&path.to_string_lossy())))
}

fn refuse_name(path: &Path) -> Failure {
    refuse(path, "is not UTF-8 and cannot stand in a configuration", "link it under another name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_without_a_policy_holds_together() {
        let policy = policy::Policy::parse("allow-all", ALLOW_ALL.as_bytes()).unwrap();
        assert_eq!(policy.rules().count(), 1);
    }

    #[test]
    fn the_library_can_read_its_configuration_whatever_the_paths_hold() {
        let odd = Path::new("/a \"b\"\\c\n\u{1b}/m.so");
        let text = shim(odd, Path::new("/p.toml"), Path::new("/s"), Path::new("/d")).unwrap();
        let shim = settings::Shim::parse("shim.toml", text.as_bytes()).unwrap();
        assert_eq!(
            (&*shim.module, &*shim.policy, &*shim.socket),
            (odd, Path::new("/p.toml"), Path::new("/s"))
        );
    }
}
