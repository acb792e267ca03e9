// SPDX-License-Identifier: Apache-2.0
//! What an application meets when it loads the library: library, configuration, module, policy, socket, spool.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ::settings::{ENVIRONMENT, Shim, names};
use collector::render::Shown;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::super::library as modules;
use super::super::policy::Summary;
use super::files::{distrust, is_hidden_from_others, shown};
use super::report::Report;

/// The library itself; where it is, or would be.
pub(super) fn library(report: &mut Report, given: Option<&Path>) -> PathBuf {
    const SUBJECT: &str = "library";
    let found = given.map(PathBuf::from).ok_or(()).or_else(|()| modules::find());
    let path = match found {
        Ok(path) => path,
        Err(places) => {
            let places: Vec<_> = places.iter().map(|place| shown(place)).collect();
            let text = format!("libp11guard.so is not at {}", places.join(", "));
            report.wrong(SUBJECT, &text, "install it, or name it with --library");
            return "libp11guard.so".into();
        }
    };
    match modules::fault(&path) {
        Ok(()) => report.ok(SUBJECT, &shown(&path)),
        Err(fault) => {
            report.wrong(SUBJECT, &format!("{} {fault}", shown(&path)), "install libp11guard.so again")
        }
    }
    path
}

/// The configuration that the library at `library` would find.
pub(super) fn config(report: &mut Report, given: Option<&Path>, library: &Path) -> Option<Shim> {
    const SUBJECT: &str = "config";
    let (path, owner) = located(report, given, library)?;
    if let Some((fault, remedy)) = distrust(&path, owner) {
        report.wrong(SUBJECT, &format!("{} {fault}", shown(&path)), remedy);
        return None;
    }
    let read = fs::read(&path).map_err(|error| format!("{} cannot be read: {error}", shown(&path)));
    let parsed = read.and_then(|bytes| {
        Shim::parse(&path.to_string_lossy(), &bytes).map_err(|mistake| mistake.to_string())
    });
    match parsed {
        Ok(shim) => {
            report.ok(SUBJECT, &shown(&path));
            note_if_hidden(report, SUBJECT, &path);
            Some(shim)
        }
        Err(fault) => {
            report.wrong(SUBJECT, &fault, "until then C_Initialize fails in every application");
            None
        }
    }
}

/// The file in force and who besides root may own it: the given one, the machine's own, or the environment's.
fn located(report: &mut Report, given: Option<&Path>, library: &Path) -> Option<(PathBuf, u32)> {
    const SUBJECT: &str = "config";
    let ours = rustix::process::geteuid().as_raw();
    if let Some(given) = given {
        return Some((given.into(), ours));
    }
    let names = names(library);
    let named = env::var_os(ENVIRONMENT).map(PathBuf::from);
    if let Some(installed) = names.iter().find(|path| path.exists()) {
        if let Some(named) = named {
            let text = format!("{ENVIRONMENT} names {}, which does not count", shown(&named));
            report.note(SUBJECT, &text, &format!("{} is in force for every process", shown(installed)));
        }
        return Some((installed.clone(), 0));
    }
    if let Some(named) = named {
        let text = format!("{ENVIRONMENT} of this shell names {}", shown(&named));
        report.note(SUBJECT, &text, "processes without the variable do not start the library");
        return Some((named, ours));
    }
    let tried: Vec<_> = names.iter().map(|path| shown(path)).collect();
    let text = format!("there is no {}, and {ENVIRONMENT} is not set", tried.join(", no "));
    let last = names.last().map(|path| shown(path)).unwrap_or_default();
    report.wrong(SUBJECT, &text, &format!("install config/shim.toml as {last} and adapt it"));
    None
}

/// The vendor's module.
pub(super) fn module(report: &mut Report, path: &Path, library: &Path) {
    const SUBJECT: &str = "module";
    match modules::fault(path) {
        Ok(()) if modules::same(path, library) => {
            let text = format!("{} is p11guard's own library", shown(path));
            report.wrong(SUBJECT, &text, "name the vendor's module as `module`");
        }
        Ok(()) => report.ok(SUBJECT, &shown(path)),
        Err(fault) => {
            let found: Vec<_> = modules::installed().iter().map(|path| shown(path)).collect();
            let remedy = match found.as_slice() {
                [] => "install the vendor's module, and name it as `module`".into(),
                found => format!("correct `module`; this machine has {}", found.join(", ")),
            };
            report.wrong(SUBJECT, &format!("{} {fault}", shown(path)), &remedy);
        }
    }
}

/// The policy.
pub(super) fn policy(report: &mut Report, path: &Path) {
    const SUBJECT: &str = "policy";
    if let Some((fault, remedy)) = distrust(path, rustix::process::geteuid().as_raw()) {
        return report.wrong(SUBJECT, &format!("{} {fault}", shown(path)), remedy);
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let text = format!("{} cannot be read: {error}", shown(path));
            return report.wrong(SUBJECT, &text, "let this user read it");
        }
    };
    match ::policy::Policy::parse(&path.to_string_lossy(), &bytes) {
        Ok(policy) => {
            report.ok(SUBJECT, &format!("{}: {}", shown(path), Summary(&policy)));
            note_if_hidden(report, SUBJECT, path);
            if policy.mode() == ::policy::Mode::Observe {
                report.note(
                    SUBJECT,
                    "nothing is refused yet",
                    "write mode = \"enforce\" once the events show no surprise",
                );
            }
        }
        Err(diagnostics) => {
            report.wrong(
                SUBJECT,
                &diagnostics.to_string(),
                "p11guard policy check shows the same; correct it",
            );
        }
    }
}

/// The collector's door for libraries.
pub(super) fn attach(report: &mut Report, path: &Path) {
    const SUBJECT: &str = "attach";
    let connected = SocketAddrUnix::new(path).and_then(|address| {
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        connect(&socket, &address)
    });
    match connected.map_err(io::Error::from) {
        Ok(()) => report.ok(SUBJECT, &format!("a collector answers at {}", shown(path))),
        Err(error) => {
            let text = format!("nobody answers at {}: {error}", shown(path));
            let remedy = if error.kind() == io::ErrorKind::PermissionDenied {
                "let this user in: attach_group in the collector's configuration"
            } else {
                "start the collector (systemctl start p11guard)"
            };
            report.wrong(SUBJECT, &text, remedy);
        }
    }
}

/// The folder where records wait while there is no collector.
pub(super) fn spool(report: &mut Report, path: &Path) {
    const SUBJECT: &str = "spool";
    let make = format!("install -d -m 1733 {}", shown(path));
    let Ok(status) = fs::metadata(path) else {
        let text = format!("there is no {}: records are lost while no collector runs", shown(path));
        return report.note(SUBJECT, &text, &make);
    };
    let mode = status.permissions().mode() & 0o7777;
    let text = format!("{} (mode {mode:04o})", shown(path));
    if !status.is_dir() {
        report.wrong(
            SUBJECT,
            &format!("{} is not a folder", shown(path)),
            &format!("remove it, then {make}"),
        );
    } else if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        report.wrong(
            SUBJECT,
            &format!("{text}: anybody can remove the records of others"),
            &format!("chmod 1733 {}", shown(path)),
        );
    } else if mode & 0o002 == 0 {
        report.note(SUBJECT, &format!("{text}: only some users can leave records there"), &make);
    } else {
        report.ok(SUBJECT, &text);
    }
}

fn note_if_hidden(report: &mut Report, subject: &'static str, path: &Path) {
    if is_hidden_from_others(path) {
        let text = format!("{} cannot be read by every user", Shown(&path.to_string_lossy()));
        report.note(
            subject,
            &text,
            "applications of other users do not start the library; chmod o+r if they should",
        );
    }
}
