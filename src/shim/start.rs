// SPDX-License-Identifier: Apache-2.0
//! What is made once: configuration, policy, vendor module, tables; and for each process a recorder. Whatever is
//! made stays until the process ends, because a call may be inside it. Nothing is made before the application calls.
#![allow(unsafe_code)]

pub(crate) mod fault;
pub(crate) mod files;
pub(crate) mod signature;

use event::hello::{self, Field};
use event::record::Trace;
use parking_lot::Mutex;
use policy::Mode;
use ring::{Clock, Layout};
use settings::{OnFault, VendorInterfaces};
use sha2::{Digest, Sha256};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use crate::in_force::Source;
use crate::interfaces::Interfaces;
use crate::process;
use crate::recorder::{Plan, Recorder};
use crate::vendor::{self, Vendor};

/// The library, started.
pub(crate) struct Shim {
    pub(crate) vendor: Vendor,
    pub(crate) policy: Source,
    pub(crate) on_fault: OnFault,
    /// The trace that the process was started in.
    pub(crate) trace: Option<Trace>,
    pub(crate) interfaces: Interfaces,
    layout: Layout,
    socket: PathBuf,
    spool: Option<PathBuf>,
    hello: Vec<u8>,
    clock: Clock,
}

static SHIM: AtomicPtr<Shim> = AtomicPtr::new(ptr::null_mut());
static RECORDER: AtomicPtr<Recorder> = AtomicPtr::new(ptr::null_mut());
/// The process that is making a recorder at the moment.
static MAKING: AtomicU32 = AtomicU32::new(0);
/// Recorders made so far, in this process and those it was forked from.
static MADE: AtomicU64 = AtomicU64::new(0);

impl Shim {
    /// The library, if it was started.
    #[inline]
    pub(crate) fn current() -> Option<&'static Shim> {
        // SAFETY: what is stored there was leaked and is never changed.
        unsafe { SHIM.load(Ordering::Acquire).as_ref() }
    }

    /// The library, started now if it was not. None where it cannot be: the reason is then written where
    /// `p11guard doctor` finds it.
    pub(crate) fn start() -> Option<&'static Shim> {
        if let Some(shim) = Shim::current() {
            return Some(shim);
        }
        // Loading the vendor can lead back to us on this same thread, if its own modules include us.
        static STARTING: Mutex<()> = Mutex::new(());
        static STARTER: AtomicU32 = AtomicU32::new(0);
        // SAFETY: no pointer is involved.
        let thread = unsafe { libc::gettid() }.cast_unsigned();
        if STARTER.load(Ordering::Relaxed) == thread {
            return None;
        }
        let _starting = STARTING.lock();
        if let Some(shim) = Shim::current() {
            return Some(shim);
        }
        STARTER.store(thread, Ordering::Relaxed);
        let made = crate::gate::ours(Shim::make);
        STARTER.store(0, Ordering::Relaxed);
        match made? {
            Ok(shim) => {
                let shim: &'static Shim = Box::leak(Box::new(shim));
                SHIM.store(ptr::from_ref(shim).cast_mut(), Ordering::Release);
                Some(shim)
            }
            Err(fault) => {
                fault.write_down();
                None
            }
        }
    }

    fn make() -> Result<Shim, fault::Fault> {
        // A panic of ours is caught, and must not be printed on the host's stderr. The hook is that of our own copy of
        // the standard library.
        std::panic::set_hook(Box::new(|_| ()));
        let library = vendor::own_path();
        let (config_path, config) = files::configuration(&library)?;
        let shown = config_path.display().to_string();
        let config_hash: [u8; 32] = Sha256::digest(&config.bytes).into();
        let settings = settings::Shim::parse(&shown, &config.bytes)
            .map_err(|mistake| fault::Fault::new(mistake, None))?;
        let spool = settings.spool.clone();
        let faulty = |text: &dyn std::fmt::Display| fault::Fault::new(text, spool.clone());

        let policy_bytes = files::read(&settings.policy, config.owner).map_err(|error| faulty(&error))?;
        let source = Source::new(
            settings.policy.clone(),
            settings.policy_key,
            config.owner,
            spool.clone(),
            &policy_bytes,
        )?;
        let policy = &source.in_force().policy;
        let vendor = Vendor::load(&settings.module).map_err(|error| faulty(&error))?;
        let lanes = u16::try_from(settings.ring.lanes).unwrap_or(u16::MAX);
        let layout =
            Layout::new(lanes, u64::from(settings.ring.lane_bytes)).map_err(|error| faulty(&error))?;

        let mut said = Vec::new();
        let mode = if policy.mode() == Mode::Observe { "observe" } else { "enforce" };
        let fields: &[(Field, &[u8])] = &[
            (Field::Version, env!("CARGO_PKG_VERSION").as_bytes()),
            (Field::Library, library.as_os_str().as_bytes()),
            (Field::Module, settings.module.as_os_str().as_bytes()),
            (Field::Config, config_path.as_os_str().as_bytes()),
            (Field::ConfigHash, &config_hash),
            (Field::Policy, settings.policy.as_os_str().as_bytes()),
            (Field::PolicyHash, &policy.hash()),
            (Field::PolicyName, policy.name().as_bytes()),
            (Field::PolicyMode, mode.as_bytes()),
        ];
        fields.iter().for_each(|(field, value)| hello::push(&mut said, *field, value));
        let service =
            [(Field::Service, c"OTEL_SERVICE_NAME"), (Field::Resource, c"OTEL_RESOURCE_ATTRIBUTES")];
        for (field, name) in service {
            if let Some(value) = files::environment(name) {
                hello::push(&mut said, field, &value[..value.len().min(1024)]);
            }
        }
        if let Some(host) = process::host() {
            hello::push(&mut said, Field::Host, &host);
        }
        let trace = files::environment(c"TRACEPARENT")
            .and_then(|text| Trace::parse(std::str::from_utf8(&text).ok()?));
        Ok(Shim {
            interfaces: Interfaces::mirror(&vendor, settings.vendor_interfaces == VendorInterfaces::Pass),
            vendor,
            policy: source,
            on_fault: settings.on_fault,
            trace,
            layout,
            socket: settings.socket,
            spool: settings.spool.or_else(files::default_spool),
            hello: said,
            clock: Clock::detect(),
        })
    }

    /// The recorder of this process; made now after a fork, or where there was none. None where it cannot be made.
    #[inline]
    pub(crate) fn recorder(&'static self) -> Option<&'static Recorder> {
        // SAFETY: what is stored there was leaked.
        match unsafe { RECORDER.load(Ordering::Acquire).as_ref() } {
            Some(recorder) if recorder.intact() => Some(recorder),
            stale => self.make_recorder(stale),
        }
    }

    /// No lock: one held by another thread at the time of a fork would never be released in the child.
    #[cold]
    fn make_recorder(&'static self, stale: Option<&'static Recorder>) -> Option<&'static Recorder> {
        let own = std::process::id();
        let before = MAKING.load(Ordering::Acquire);
        if before == own || MAKING.compare_exchange(before, own, Ordering::AcqRel, Ordering::Relaxed).is_err()
        {
            // Another thread of this process is at it: a few system calls.
            for _ in 0..10_000 {
                // SAFETY: what is stored there was leaked.
                let made = unsafe { RECORDER.load(Ordering::Acquire).as_ref() };
                if made.is_some_and(Recorder::intact) {
                    return made;
                }
                std::thread::yield_now();
            }
            return None;
        }
        let plan = Plan {
            layout: self.layout,
            socket: &self.socket,
            spool: self.spool.as_deref(),
            hello: &self.hello,
            clock: self.clock,
        };
        let number = MADE.fetch_add(1, Ordering::Relaxed) + 1;
        let mut made = None;
        crate::recorder::keeping_errno(|| made = Recorder::create(&plan, stale, number));
        if let Some(recorder) = made {
            RECORDER.store(Box::into_raw(Box::new(recorder)), Ordering::Release);
        }
        MAKING.store(0, Ordering::Release);
        // SAFETY: what is stored there was leaked.
        unsafe { RECORDER.load(Ordering::Acquire).as_ref() }.filter(|recorder| recorder.intact())
    }
}
