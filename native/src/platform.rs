//! What differs from system to system, under the same names on each.

use std::{fs::File, io};

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// Reads up to `length` bytes at an offset; fewer only at the file's end.
pub fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    read_onto(file, offset, length, &mut bytes)?;
    Ok(bytes)
}
