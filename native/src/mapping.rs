//! Files that are read through memory.
//!
//! A mapped file that becomes shorter does not kill the process: see [`guard`].

#[cfg(unix)]
mod guard;
#[cfg(windows)]
mod guard {
    //! Windows does not let a mapped file become shorter.

    /// A mapping that needs no watch.
    pub struct Guard;

    impl Guard {
        /// Watches nothing.
        pub fn new(_: &[u8]) -> Option<Self> {
            Some(Self)
        }

        /// Tells that nothing was torn.
        pub fn is_torn(&self) -> bool {
            false
        }
    }
}

use std::{fs::File, io, sync::Arc};

use bytes::Bytes;
use memmap2::Mmap;

use guard::Guard;

/// A whole file as memory.
pub struct Mapping {
    bytes: Bytes,
    owner: Arc<Owner>,
}

/// The mapping itself; it lives as long as the last chunk of it that is under way.
struct Owner {
    /// Freed before the mapping: the addresses may belong to something else right after.
    guard: Guard,
    map: Mmap,
}

struct Shared(Arc<Owner>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0.map
    }
}

impl Mapping {
    /// Maps a file that is not empty; none where no more mappings can be watched.
    pub fn new(file: &File) -> io::Result<Option<Self>> {
        #[allow(
            unsafe_code,
            reason = "other programs may change the file meanwhile: what is read is checked by its \
                      value, and a file that became shorter is found out by the guard"
        )]
        let map = unsafe { Mmap::map(file)? };
        let Some(guard) = Guard::new(&map) else {
            return Ok(None);
        };
        let owner = Arc::new(Owner { guard, map });
        Ok(Some(Self {
            bytes: Bytes::from_owner(Shared(Arc::clone(&owner))),
            owner,
        }))
    }

    /// Returns up to `length` bytes at an offset; fewer at the end of the file as it was mapped.
    pub fn bytes(&self, offset: u64, length: usize) -> Bytes {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.bytes.len());
        self.bytes
            .slice(start..self.bytes.len().min(start.saturating_add(length)))
    }

    /// Tells whether something was read where the file no longer is: those bytes were zeros.
    pub fn is_torn(&self) -> bool {
        self.owner.guard.is_torn()
    }
}
