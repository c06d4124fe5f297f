//! Files that are read through memory.

use std::{fs::File, io};

use bytes::Bytes;

/// A whole file as memory.
pub struct Mapping {
    bytes: Bytes,
}

impl Mapping {
    /// Maps a file that is not empty.
    pub fn new(file: &File) -> io::Result<Self> {
        #[allow(unsafe_code, reason = "a mapping is")]
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self { bytes: Bytes::from_owner(map) })
    }

    /// Returns up to `length` bytes at an offset; fewer at the end of the file as it was mapped.
    pub fn bytes(&self, offset: u64, length: usize) -> Bytes {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes.slice(start..self.bytes.len().min(start.saturating_add(length)))
    }

    /// Tells whether the file became shorter than what was read of it.
    pub fn is_torn(&self) -> bool {
        false
    }
}
