//! A file's blocks: what each Unix system has a call of its own for.

use std::{fs::File, io};

use rustix::io::Errno;

/// Lets the system copy up to `length` bytes to the same offset of another file; 0 where it does not.
pub fn copy_range(from: &File, to: &File, offset: u64, length: u64) -> io::Result<u64> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let (mut read_at, mut write_at) = (offset, offset);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let copied =
            rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), length);
        match copied {
            // Other disks, old kernels, sandboxes (PERM); reading and writing tells what is truly wrong.
            Err(
                Errno::XDEV
                | Errno::INVAL
                | Errno::NOSYS
                | Errno::OPNOTSUPP
                | Errno::PERM
                | Errno::INTR,
            ) => Ok(0),
            result => Ok(result? as u64),
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = (from, to, offset, length);
        Ok(0)
    }
}

/// Tells the system that a part of a file is going to be read, so that it fetches it ahead.
pub fn advise_reading(file: &File, offset: u64, length: u64) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let length = std::num::NonZeroU64::new(length);
        // Advice only: a file system without it reads as before.
        let _ = rustix::fs::fadvise(file, offset, length, rustix::fs::Advice::WillNeed);
    }
    #[cfg(target_vendor = "apple")]
    let _ = rustix::fs::fcntl_rdadvise(file, offset, length);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    let _ = (file, offset, length);
}

/// Gives a new file its size, with its blocks reserved where the file system can.
pub fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if !is_in_memory(file)? {
        match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            result => return Ok(result?),
        }
    }
    #[cfg(target_vendor = "apple")]
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
        // What else may be wrong is the reservation, and the size can be set without one.
        Err(error) if error != Errno::NOSPC => {}
        result => return Ok(result?),
    }
    file.set_len(bytes)
}

/// Tells whether a file is on tmpfs, where to reserve is to fill with zeros: 0.3 s for a GiB (measured).
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_in_memory(file: &File) -> io::Result<bool> {
    /// `TMPFS_MAGIC` of the kernel's `magic.h`.
    const TMPFS: u32 = 0x0102_1994;
    Ok(rustix::fs::fstatfs(file)?.f_type as u32 == TMPFS)
}
