// SPDX-License-Identifier: Apache-2.0
//! The command of `p11guard run`: in our process group, so that the terminal's signals reach it without us; SIGTERM
//! and SIGHUP, which reach only us, are passed on.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::thread;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::super::Failure;
use super::private::Private;

/// The word that stands for the library in the command's arguments.
const WORD: &[u8] = b"@P11GUARD@";

/// Runs the command to its end; gives its exit code, 128 + n where signal n ended it.
pub(super) fn run(command: &[OsString], private: &Private) -> Result<u8, Failure> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| Failure::Refused("no command is given".into()))?;
    let mut signals =
        Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM]).map_err(Failure::system("catch signals"))?;
    let mut child = Command::new(program)
        .args(arguments.iter().map(|argument| substitute(argument, private.library.as_os_str())))
        .env(settings::ENVIRONMENT, &private.config)
        .env("P11GUARD_MODULE_PATH", &private.library)
        .spawn()
        .map_err(Failure::path("run", program, "name a program that is there"))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let child_fd = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());

    let handle = signals.handle();
    let status = thread::scope(|scope| {
        scope.spawn(|| {
            for signal in signals.forever() {
                let passed_on = match signal {
                    SIGTERM => Signal::TERM,
                    SIGHUP => Signal::HUP,
                    // The terminal has sent it to the command as well.
                    _ => continue,
                };
                if let Some(child_fd) = &child_fd {
                    // It fails only where the command has ended.
                    let _ = pidfd_send_signal(child_fd, passed_on);
                }
            }
        });
        let status = child.wait();
        handle.close();
        status
    });
    status.map(code).map_err(Failure::system("wait for the command"))
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1)
}

/// `argument` with every `@P11GUARD@` in it replaced.
fn substitute(argument: &OsStr, library: &OsStr) -> OsString {
    let mut rest = argument.as_bytes();
    let mut whole = Vec::with_capacity(rest.len());
    while let Some(at) = rest.windows(WORD.len()).position(|window| window == WORD) {
        whole.extend_from_slice(&rest[..at]);
        whole.extend_from_slice(library.as_bytes());
        rest = &rest[at + WORD.len()..];
    }
    whole.extend_from_slice(rest);
    OsString::from_vec(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_replaced_wherever_it_stands() {
        let library = OsStr::new("/l.so");
        for (argument, wanted) in [
            ("@P11GUARD@", "/l.so"),
            ("--module=@P11GUARD@", "--module=/l.so"),
            ("a @P11GUARD@@P11GUARD@ b", "a /l.so/l.so b"),
            ("@P11GUARD", "@P11GUARD"),
            ("", ""),
        ] {
            assert_eq!(substitute(OsStr::new(argument), library), wanted);
        }
        let bytes = OsString::from_vec(b"\xff@P11GUARD@\xfe".to_vec());
        assert_eq!(substitute(&bytes, library).as_bytes(), b"\xff/l.so\xfe");
    }

    #[test]
    fn a_command_that_a_signal_ended_counts_from_128() {
        assert_eq!(code(ExitStatus::from_raw(3 << 8)), 3);
        assert_eq!(code(ExitStatus::from_raw(9)), 137);
        assert_eq!(code(ExitStatus::from_raw(0)), 0);
    }
}
