// SPDX-License-Identifier: Apache-2.0
//! Guards: what the shim adds to a call that is judged, recorded and stored, against the same call made directly. The
//! real library over the stub vendor, with a collector that drains; a batch counts only when every event of it has
//! come from the collector's socket, so no figure here is that of a lost record.

mod clock;

use std::ffi::c_void;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clock::spent;
use criterion::Criterion;
use cryptoki_sys::{
    CK_C_GetFunctionList, CK_C_INITIALIZE_ARGS, CK_FUNCTION_LIST, CK_MECHANISM, CK_RV, CK_SESSION_HANDLE,
    CK_SESSION_INFO, CKF_OS_LOCKING_OK, CKF_SERIAL_SESSION, CKM_RSA_PKCS, CKR_OK,
};
use harness::collector::Collector;
use harness::guard::{Guard, Route, Way};
use harness::token;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// An RSA signature with a key of at least 2048 bits is allowed, the usual kind of rule.
const POLICY: &str = r#"
version = 1
default = "allow"
[[rule]]
name = "sign"
action = "allow"
operation = ["sign"]
mechanism = ["CKM_RSA_PKCS"]
min_bits = 2048
"#;

/// Calls between two readings of the clock; the records of so many fit into a lane.
const BATCH: u64 = 1000;
/// The slot of the stub vendor and its private RSA key of 2048 bits.
const SLOT: u64 = 7;
const KEY: u64 = 3;

const ROUTE: &str = "BENCH_ROUTE";
const MODULE: &str = "BENCH_MODULE";
const EVENTS: &str = "BENCH_EVENTS";

/// A module takes its environment at start, so each route is measured by a process of its own: this program again.
fn main() -> ExitCode {
    if let Ok(route) = std::env::var(ROUTE) {
        measure(&route);
        return ExitCode::SUCCESS;
    }
    let mut collector = Collector::prepared();
    collector.start();
    let token = token::stub("");
    let guard = collector.guard(Guard::new(&token.module, POLICY));
    let routes = [
        ("direct", Way::new(Route::Direct, token::stub("")), None),
        ("through the shim", Way::guarded(guard, token), Some(collector.path("events.sock"))),
    ];
    for (name, way, events) in &routes {
        let own = std::env::current_exe().expect("this program has a path");
        let mut again = Command::new(own);
        way.equip(&mut again).args(std::env::args_os().skip(1)).env(ROUTE, name).env(MODULE, &way.module);
        again.envs(events.iter().map(|events| (EVENTS, events)));
        if !again.status().is_ok_and(|status| status.success()) {
            eprintln!("gate: the calls {name} failed; the library's reason: {:?}", way.fault());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(route: &str) {
    let module =
        Module::load(&PathBuf::from(std::env::var_os(MODULE).expect("the first process names the module")));
    let session = module.session();
    let mut stored = std::env::var_os(EVENTS).map(|path| Stored::follow(Path::new(&path)));
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(30))
        .measurement_time(Duration::from_millis(1500))
        .sample_size(30)
        .configure_from_args();
    let mut bench = |name: &str, calls: u64, call: &dyn Fn() -> CK_RV| {
        criterion.bench_function(&format!("gate/{name}, {route}"), |bench| {
            // Whole batches, however few iterations are asked for: a short one is a measurement of the clock.
            bench.iter_custom(|iterations| {
                let batches = (iterations * calls).div_ceil(BATCH);
                let mut took = Duration::ZERO;
                for _ in 0..batches {
                    let start = spent();
                    for _ in 0..BATCH / calls {
                        assert_eq!(call(), CKR_OK);
                    }
                    took += spent() - start;
                    if let Some(stored) = &mut stored {
                        stored.wait(BATCH);
                    }
                }
                took.mul_f64((iterations * calls) as f64 / (batches * BATCH) as f64)
            });
        });
    };
    bench("C_GetSessionInfo", 1, &|| module.session_info(session));
    bench("C_SignInit and C_Sign", 2, &|| module.sign(session));
}

/// The events of the collector, as they become durable.
struct Stored(BufReader<UnixStream>);

impl Stored {
    fn follow(socket: &Path) -> Stored {
        let socket = UnixStream::connect(socket).expect("the collector listens");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
        Stored(BufReader::with_capacity(1 << 20, socket))
    }

    /// Waits until so many calls are stored; a loss ends the measurement.
    fn wait(&mut self, calls: u64) {
        let (mut line, mut seen) = (Vec::new(), 0);
        while seen < calls {
            line.clear();
            self.0.read_until(b'\n', &mut line).expect("every event comes");
            let is = |kind: &str| line.windows(kind.len()).any(|window| window == kind.as_bytes());
            assert!(!is(r#""event":"loss""#), "a record was lost, so this would not be its cost");
            seen += u64::from(is(r#""event":"call""#) && (is(r#""C_GetSessionInfo""#) || is(r#""C_Sign"#)));
            // Init and single shot, or the half of one that a batch of the collector's ended with.
            let halves = [is(r#""event":"operation""#), is(r#""calls":2,"#)];
            seen += halves.into_iter().filter(|half| halves[0] && *half).count() as u64;
        }
    }
}

/// A loaded module and its table of 2.40.
struct Module {
    table: CK_FUNCTION_LIST,
    _library: Library,
}

impl Module {
    fn load(path: &Path) -> Module {
        // SAFETY: the stub vendor and the shim run their own initialisers only.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.expect("the module loads");
        // SAFETY: the symbol of that name has that type in every PKCS#11 module.
        let get: CK_C_GetFunctionList =
            unsafe { *library.get(b"C_GetFunctionList\0").expect("a PKCS#11 module") };
        let mut list = std::ptr::null_mut();
        // SAFETY: the module's own function stores one pointer to its table.
        let table = unsafe {
            assert_eq!(get.expect("an address")(&mut list), CKR_OK);
            *list
        };
        Module { table, _library: library }
    }

    fn session(&self) -> CK_SESSION_HANDLE {
        let mut arguments = CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..Default::default() };
        let mut session = 0;
        // SAFETY: valid arguments, which the module reads or stores to during the call.
        unsafe {
            let initialize = self.table.C_Initialize.expect("a full table");
            assert_eq!(initialize((&raw mut arguments).cast::<c_void>()), CKR_OK);
            let open = self.table.C_OpenSession.expect("a full table");
            assert_eq!(open(SLOT, CKF_SERIAL_SESSION, std::ptr::null_mut(), None, &mut session), CKR_OK);
        }
        session
    }

    fn session_info(&self, session: CK_SESSION_HANDLE) -> CK_RV {
        let mut info = CK_SESSION_INFO::default();
        // SAFETY: valid arguments.
        unsafe { self.table.C_GetSessionInfo.expect("a full table")(session, &mut info) }
    }

    fn sign(&self, session: CK_SESSION_HANDLE) -> CK_RV {
        let mut mechanism =
            CK_MECHANISM { mechanism: CKM_RSA_PKCS, pParameter: std::ptr::null_mut(), ulParameterLen: 0 };
        let (mut data, mut signature, mut length) = ([0x5a; 32], [0; 512], 512);
        // SAFETY: valid arguments with the lengths that they have.
        unsafe {
            let init = self.table.C_SignInit.expect("a full table")(session, &mut mechanism, KEY);
            if init != CKR_OK {
                return init;
            }
            let sign = self.table.C_Sign.expect("a full table");
            sign(session, data.as_mut_ptr(), 32, signature.as_mut_ptr(), &mut length)
        }
    }
}
