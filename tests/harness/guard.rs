// SPDX-License-Identifier: Apache-2.0
//! The shim over a module: a private configuration and policy, and the environment that makes the shim find them.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::artifacts;
use crate::token::Token;

/// A policy under which everything is forwarded.
pub const ALLOW_ALL: &str = "version = 1\nname = \"all\"\ndefault = \"allow\"\n";

/// Which way a scenario takes to a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The bare module.
    Direct,
    /// The shim over it, with a policy that allows everything.
    Through,
}

/// A module ready to be loaded by a command: its path and the environment it needs.
pub struct Way {
    /// What the application loads.
    pub module: PathBuf,
    environment: Vec<(String, OsString)>,
    guard: Option<Guard>,
    token: Token,
}

impl Way {
    /// A way to a token of its own.
    pub fn new(route: Route, token: Token) -> Way {
        match route {
            Route::Direct => Way {
                module: token.module.clone(),
                environment: token.environment.clone(),
                guard: None,
                token,
            },
            Route::Through => Way::guarded(Guard::new(&token.module, ALLOW_ALL), token),
        }
    }

    /// The way through `guard`.
    pub fn guarded(guard: Guard, token: Token) -> Way {
        let mut environment = token.environment.clone();
        environment.push(guard.environment());
        Way { module: artifacts::shim().to_owned(), environment, guard: Some(guard), token }
    }

    /// Hands the environment to `command`.
    pub fn equip<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.envs(self.environment.iter().map(|(name, value)| (name, value)))
    }

    /// A command that runs `program` with the environment.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        self.equip(&mut command);
        command
    }

    /// Why the library last refused to start on this way, if it did.
    pub fn fault(&self) -> Option<String> {
        self.guard.as_ref().and_then(Guard::fault)
    }

    /// The token at its end.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The guard, where this way has one.
    pub fn guard(&self) -> &Guard {
        self.guard.as_ref().expect("the way leads through a guard")
    }
}

/// A shim's configuration in a folder of its own.
pub struct Guard {
    folder: TempDir,
    settings: String,
}

impl Guard {
    /// A guard over `module` with the text of a policy. No collector listens; the spool is its own.
    pub fn new(module: &Path, policy: &str) -> Guard {
        let folder = TempDir::new().expect("a temporary folder");
        let mut settings = String::new();
        let policy_path = folder.path().join("policy.toml");
        let [socket, spool] = ["nobody.sock", "spool"].map(|name| folder.path().join(name));
        std::fs::create_dir(&spool).expect("a spool folder");
        let _ = writeln!(
            settings,
            "module = {module:?}\npolicy = {policy_path:?}\nsocket = {socket:?}\nspool = {spool:?}"
        );
        let guard = Guard { folder, settings };
        guard.set_policy(policy);
        guard.write();
        guard
    }

    /// Replaces the value of a top-level key, given as TOML.
    pub fn set(mut self, key: &str, value: &str) -> Guard {
        let others = self.settings.lines().filter(|line| !line.starts_with(&format!("{key} =")));
        let mut settings = format!("{key} = {value}\n");
        settings.extend(others.flat_map(|line| [line, "\n"]));
        self.settings = settings;
        self.write();
        self
    }

    /// Gives every lane of the ring this size, as the configuration says it ("4 MiB").
    pub fn lane_size(mut self, size: &str) -> Guard {
        let _ = writeln!(self.settings, "[ring]\nlane_size = {size:?}");
        self.write();
        self
    }

    /// Replaces the policy.
    pub fn set_policy(&self, text: &str) {
        std::fs::write(self.policy(), text).expect("the policy is written");
    }

    /// Replaces the whole configuration with `text`.
    pub fn set_all(&self, text: &str) {
        std::fs::write(self.config(), text).expect("the configuration is written");
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("shim.toml")
    }

    /// The policy file.
    pub fn policy(&self) -> PathBuf {
        self.folder.path().join("policy.toml")
    }

    /// Why the library last refused to start, where it did: what it wrote into its spool.
    pub fn fault(&self) -> Option<String> {
        let entries = std::fs::read_dir(self.spool()).ok()?;
        let faults =
            entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("fault-"));
        faults.map(|entry| std::fs::read_to_string(entry.path()).expect("a text file")).next()
    }

    /// The spool folder of the guard itself.
    pub fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// The variable that makes the shim find the configuration.
    pub fn environment(&self) -> (String, OsString) {
        ("P11GUARD_CONFIG".into(), self.config().into())
    }

    fn write(&self) {
        self.set_all(&self.settings);
    }
}
