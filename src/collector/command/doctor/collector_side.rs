// SPDX-License-Identifier: Apache-2.0
//! What a collector on this host needs, and whether it agrees with the library about where to meet.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use ::settings::Shim;
use collector::Settings;

use super::files::shown;
use super::report::Report;

/// Configuration, sockets and log.
pub(super) fn check(
    report: &mut Report,
    config: &Path,
    settings: Result<Settings, collector::Error>,
    shim: Option<&Shim>,
) {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            return report.wrong(
                "collector",
                &error.to_string(),
                "install config/collector.toml there and adapt it",
            );
        }
    };
    report.ok("collector", &shown(config));
    if let Some(shim) = shim {
        agree(report, &settings, shim);
    }
    readers(report, &settings.readers);
    log(report, &settings.log);
}

fn agree(report: &mut Report, settings: &Settings, shim: &Shim) {
    if settings.attach != shim.socket {
        let text =
            format!("it listens at {}, libraries go to {}", shown(&settings.attach), shown(&shim.socket));
        report.wrong(
            "collector",
            &text,
            "let `attach` there and `socket` in the library's configuration be the same",
        );
    }
    if let Some(spool) = &shim.spool
        && settings.spool.as_ref() != Some(spool)
    {
        let text = format!("libraries leave records in {}, which it does not read", shown(spool));
        report.wrong("collector", &text, "let `spool` be the same in both configurations");
    }
}

fn readers(report: &mut Report, path: &Path) {
    match UnixStream::connect(path) {
        Ok(_) => report.ok("events", &format!("to be read at {}", shown(path))),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let text = format!("this user may not read {}", shown(path));
            report.note("events", &text, "join the group that readers_group names, or use sudo");
        }
        Err(error) => {
            let text = format!("nobody answers at {}: {error}", shown(path));
            report.wrong("events", &text, "start the collector (systemctl start p11guard)");
        }
    }
}

fn log(report: &mut Report, path: &Path) {
    match fs::metadata(path) {
        Ok(status) if !status.is_dir() => {
            report.wrong("log", &format!("{} is not a folder", shown(path)), "move it away");
        }
        Ok(status) if status.permissions().mode() & 0o022 != 0 => {
            let text = format!("others than its owner can write into {}", shown(path));
            report.wrong("log", &text, &format!("chmod go-w {}", shown(path)));
        }
        Ok(_) => report.ok("log", &shown(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.note(
                "log",
                &format!("there is no {} yet", shown(path)),
                "the collector makes it when it starts",
            );
        }
        Err(error) => {
            let text = format!("{} cannot be examined: {error}", shown(path));
            report.note("log", &text, "run doctor as root, or as the collector's user");
        }
    }
}
