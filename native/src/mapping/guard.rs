//! Survives the reading of a mapped file that has become shorter.
//!
//! The system then raises SIGBUS, which ends the process. The handler here puts pages of zeros in the
//! place of the missing ones and notes it. It looks at atomic variables and makes two system calls,
//! nothing else: all that a signal handler may do.
#![allow(
    unsafe_code,
    reason = "signal handlers and mappings at fixed addresses have no safe interface"
)]

use std::{
    mem::MaybeUninit,
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// The watch over one mapping.
pub struct Guard {
    slot: &'static Slot,
}

/// An address range that is watched; free while `end` is 0.
struct Slot {
    is_taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    is_torn: AtomicBool,
}

impl Guard {
    /// Watches a mapping; none where all places are taken or no handler can be installed.
    pub fn new(mapping: &[u8]) -> Option<Self> {
        if !*INSTALLED.get_or_init(install) {
            return None;
        }
        let take = |slot: &&Slot| !slot.is_taken.swap(true, Ordering::AcqRel);
        let slot = SLOTS.iter().find(take)?;
        let start = mapping.as_ptr() as usize;
        slot.is_torn.store(false, Ordering::Relaxed);
        slot.start.store(start, Ordering::Relaxed);
        // The last page of the mapping is watched as a whole.
        let end = (start + mapping.len()).next_multiple_of(page_bytes());
        slot.end.store(end, Ordering::Release);
        Some(Self { slot })
    }

    /// Tells whether zeros were put in the place of a missing page.
    pub fn is_torn(&self) -> bool {
        self.slot.is_torn.load(Ordering::Acquire)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.slot.end.store(0, Ordering::Release);
        self.slot.is_taken.store(false, Ordering::Release);
    }
}

fn install() -> bool {
    if PAGE_BYTES.get_or_init(system_page_bytes).is_power_of_two() {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: all zeros is a valid `sigaction`, and both pointers are to live variables.
        unsafe {
            let action = action.assume_init_mut();
            action.sa_sigaction = on_bus_error as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // What was there must be known before the first signal can come.
            libc::sigaction(libc::SIGBUS, ptr::null(), previous.as_mut_ptr());
            let _ = PREVIOUS.set(previous.assume_init());
            return libc::sigaction(libc::SIGBUS, action, ptr::null_mut()) == 0;
        }
    }
    false
}

extern "C" fn on_bus_error(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the system gives a valid `siginfo_t` to a handler with `SA_SIGINFO`.
    let address = unsafe { (*info).si_addr() } as usize;
    let is_within = |slot: &&Slot| {
        let end = slot.end.load(Ordering::Acquire);
        end != 0 && (slot.start.load(Ordering::Relaxed)..end).contains(&address)
    };
    match SLOTS.iter().find(is_within) {
        Some(slot) if fill_with_zeros(slot, address) => {
            slot.is_torn.store(true, Ordering::Release);
        }
        _ => hand_on(signal, info, context),
    }
}

/// Puts zeros from the page of the address to the mapping's end: all of that is gone.
fn fill_with_zeros(slot: &Slot, address: usize) -> bool {
    let start = address & !(page_bytes() - 1);
    let length = slot.end.load(Ordering::Acquire).saturating_sub(start);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the range belongs to the watched mapping, which is alive because it is being read.
    let mapped = unsafe { libc::mmap(start as *mut _, length, libc::PROT_READ, flags, -1, 0) };
    mapped != libc::MAP_FAILED
}

/// Lets whoever had the signal before have it; the default ends the process as if we were not here.
fn hand_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    type WithInfo = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
    type Plain = extern "C" fn(libc::c_int);
    let previous = PREVIOUS.get().filter(|previous| {
        previous.sa_sigaction != libc::SIG_DFL && previous.sa_sigaction != libc::SIG_IGN
    });
    // SAFETY: the system had this address as a handler of the form that its flags say.
    unsafe {
        match previous {
            None => {
                // The instruction is tried again when this returns, and nobody stands in between.
                libc::signal(signal, libc::SIG_DFL);
            }
            Some(action) if action.sa_flags & libc::SA_SIGINFO != 0 => {
                let call: WithInfo = std::mem::transmute(action.sa_sigaction);
                call(signal, info, context);
            }
            Some(action) => {
                let call: Plain = std::mem::transmute(action.sa_sigaction);
                call(signal);
            }
        }
    }
}

fn page_bytes() -> usize {
    PAGE_BYTES.get().copied().unwrap_or(4096)
}

fn system_page_bytes() -> usize {
    // SAFETY: the call has no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(0)
}

/// Mappings that are watched at once; a file beyond that is read by positioned reads.
const LARGEST_NUMBER: usize = 1024;
static SLOTS: [Slot; LARGEST_NUMBER] = [const {
    Slot {
        is_taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        is_torn: AtomicBool::new(false),
    }
}; LARGEST_NUMBER];
static INSTALLED: OnceLock<bool> = OnceLock::new();
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();
static PAGE_BYTES: OnceLock<usize> = OnceLock::new();

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crate::mapping::Mapping;

    #[test]
    fn a_file_that_becomes_shorter_reads_as_zeros_and_is_noticed() {
        let path = std::env::temp_dir().join(format!("quiver-guard-{}", std::process::id()));
        let mut file = std::fs::File::create_new(&path).unwrap();
        file.write_all(&vec![7; 100_000]).unwrap();
        let mapping = Mapping::new(&std::fs::File::open(&path).unwrap())
            .unwrap()
            .unwrap();

        file.set_len(10_000).unwrap();
        std::fs::remove_file(&path).unwrap();
        let bytes = mapping.bytes(0, 100_000);
        let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();

        assert_eq!(sum, 70_000);
        assert!(mapping.is_torn());
    }
}
