// SPDX-License-Identifier: Apache-2.0
//! An application that does what it is told, a line at a time: `MODULE`; each line of standard input is one of the
//! commands below and is answered by one line, mostly what the module returned. Sessions are numbered as they are opened.

use std::collections::BTreeMap;
use std::io::Write;
use std::ptr;

use cryptoki_sys::*;

use crate::module::Module;

struct Script {
    table: CK_FUNCTION_LIST_3_2,
    slot: CK_SLOT_ID,
    sessions: Vec<CK_SESSION_HANDLE>,
}

/// Calls a function of the table; what it has not is `CKR_FUNCTION_NOT_SUPPORTED`.
macro_rules! call {
    ($script:expr, $name:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: every pointer is NULL or to memory of the size that is said, alive through the call.
        $script.table.$name.map_or(CKR_FUNCTION_NOT_SUPPORTED, |function| unsafe { function($($argument),*) })
    };
}

/// `MODULE`: see above.
pub(crate) fn script(arguments: &[String]) {
    let module = Module::load(&arguments[0]);
    let Some(table) = module.table("2.40") else { return };
    let mut script = Script { table, slot: 0, sessions: Vec::new() };
    println!("{:#x}", script.initialize());
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        println!("{}", script.obey(&words));
        let _ = std::io::stdout().flush();
    }
}

impl Script {
    fn initialize(&mut self) -> CK_RV {
        let mut arguments = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
        let rv = call!(self, C_Initialize((&raw mut arguments).cast()));
        let (mut slots, mut count) = ([0; 16], 16);
        if call!(self, C_GetSlotList(CK_TRUE, slots.as_mut_ptr(), &mut count)) == CKR_OK {
            self.slot = slots[0];
        }
        rv
    }

    fn obey(&mut self, words: &[&str]) -> String {
        let session = || {
            let number: Option<usize> = words.get(1)?.parse().ok();
            self.sessions.get(number?).copied()
        };
        let session = session().unwrap_or(CK_INVALID_HANDLE);
        let rv = match (words[0], words.get(2).copied().unwrap_or_default()) {
            ("initialize", _) => self.initialize(),
            ("finalize", _) => call!(self, C_Finalize(ptr::null_mut())),
            ("open", _) => self.open(),
            ("close", _) => call!(self, C_CloseSession(session)),
            ("close-all", _) => call!(self, C_CloseAllSessions(self.slot)),
            ("info", _) => call!(self, C_GetSessionInfo(session, &mut CK_SESSION_INFO::default())),
            ("slots", _) => call!(self, C_GetSlotList(CK_TRUE, ptr::null_mut(), &mut 0)),
            ("random", _) => call!(self, C_GenerateRandom(session, [0; 8].as_mut_ptr(), 8)),
            ("logout", _) => call!(self, C_Logout(session)),
            ("login", pin) => self.login(session, pin),
            ("digest", mechanism) => self.digest(session, mechanism.parse().unwrap_or_default()),
            ("logins", pin) => return self.logins(session, pin),
            ("fork", _) => return self.fork(session),
            ("flags", _) => return self.flags(),
            (other, _) => return format!("host: no command {other}"),
        };
        format!("{rv:#x}")
    }

    fn open(&mut self) -> CK_RV {
        let mut handle = 0;
        let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
        let rv = call!(self, C_OpenSession(self.slot, flags, ptr::null_mut(), None, &mut handle));
        self.sessions.push(handle);
        rv
    }

    fn login(&self, session: CK_SESSION_HANDLE, pin: &str) -> CK_RV {
        call!(self, C_Login(session, CKU_USER, pin.as_ptr().cast_mut(), pin.len() as CK_ULONG))
    }

    /// A digest that is begun and, where that goes well, ended.
    fn digest(&self, session: CK_SESSION_HANDLE, mechanism: CK_MECHANISM_TYPE) -> CK_RV {
        let mut mechanism = CK_MECHANISM { mechanism, ..Default::default() };
        match call!(self, C_DigestInit(session, &mut mechanism)) {
            CKR_OK => call!(self, C_DigestFinal(session, [0; 64].as_mut_ptr(), &mut 64)),
            rv => rv,
        }
    }

    /// Twenty logins in each of eight threads at once: how many got which answer.
    fn logins(&self, session: CK_SESSION_HANDLE, pin: &str) -> String {
        let answers = std::thread::scope(|scope| {
            let tries = || (0..20).map(|_| self.login(session, pin)).collect::<Vec<_>>();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(tries)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
        });
        let mut counts: BTreeMap<CK_RV, usize> = BTreeMap::new();
        answers.into_iter().for_each(|rv| *counts.entry(rv).or_default() += 1);
        counts.iter().map(|(rv, count)| format!("{rv:#x}={count}")).collect::<Vec<_>>().join(" ")
    }

    /// What a forked child gets for a random number, which modules give it without being initialized again.
    fn fork(&self, session: CK_SESSION_HANDLE) -> String {
        // SAFETY: this program has one thread by now.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let rv = call!(self, C_GenerateRandom(session, [0; 8].as_mut_ptr(), 8));
            // SAFETY: ends the child without the parent's buffers.
            unsafe { libc::_exit(i32::from(rv == CKR_OK)) };
        }
        let mut status = 0;
        // SAFETY: waits for our own child.
        unsafe { libc::waitpid(child, &mut status, 0) };
        if libc::WEXITSTATUS(status) == 1 { "served".into() } else { "refused".into() }
    }

    fn flags(&self) -> String {
        let mut token = CK_TOKEN_INFO::default();
        let rv = call!(self, C_GetTokenInfo(self.slot, &mut token));
        format!("{rv:#x} {:#x}", token.flags)
    }
}
