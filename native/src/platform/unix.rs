//! Files and folders of Unix systems.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions, OpenOptionsExt};
use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat as SystemStat},
    io::Errno,
};

use crate::{
    error::{Code, Result},
    listing::{Kind, Stat},
};

mod blocks;

pub use blocks::{advise_reading, copy_range, reserve};

/// Gives the system's error numbers their codes, where the kinds of the standard library do not suffice.
pub fn disk_code_of_system(number: i32) -> Option<Code> {
    match Errno::from_raw_os_error(number) {
        // ELOOP is what opening a link without following it gives.
        Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::LOOP => Some(Code::DiskDenied),
        Errno::NOSPC | Errno::DQUOT => Some(Code::DiskFull),
        Errno::NOENT | Errno::NOTDIR => Some(Code::DiskMissing),
        Errno::EXIST | Errno::NOTEMPTY => Some(Code::DiskExists),
        _ => None,
    }
}

/// Makes a name of the system from its bytes; every byte string is one here.
pub fn name_of_bytes(bytes: &[u8]) -> Result<OsString> {
    Ok(OsString::from_vec(bytes.to_vec()))
}

/// Returns the bytes of a name of the system.
pub fn bytes_of_name(name: &OsStr) -> Vec<u8> {
    name.as_bytes().to_vec()
}

/// Tells whether a name would be more than a name to this system.
pub fn is_more_than_a_name(name: &[u8]) -> bool {
    name.contains(&0)
}

/// Says what stands at a name, without following a link.
pub fn stat_at(folder: &Dir, name: &OsStr) -> io::Result<Stat> {
    Ok(stat_of_system(&rustix::fs::statat(
        folder,
        name,
        AtFlags::SYMLINK_NOFOLLOW,
    )?))
}

/// Says what an open file is.
pub fn stat_of(file: &File) -> io::Result<Stat> {
    Ok(stat_of_system(&rustix::fs::fstat(file)?))
}

/// Options that open a file for reading and neither follow a link nor wait for a FIFO's other end.
pub fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    options
}

/// Options that open a file for reading and writing, in the same way.
pub fn changing() -> OpenOptions {
    let mut options = reading();
    options.write(true);
    options
}

/// The same, and a file that is not there is created with these permission bits; the umask applies.
pub fn changing_or_creating(mode: u32) -> OpenOptions {
    let mut options = changing();
    options.create(true).mode(mode);
    options
}

/// Options that create a file with these permission bits; the umask applies.
pub fn creating(mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    options
}

/// Creates a folder with ordinary permission bits.
pub fn create_folder(folder: &Dir, name: &OsStr) -> io::Result<()> {
    folder.create_dir_with(name, DirBuilder::new().mode(0o777))
}

/// Creates a link whose text is taken as it is.
pub fn create_link(folder: &Dir, name: &OsStr, text: &OsStr) -> io::Result<()> {
    folder.symlink_contents(text, name)
}

/// Opens what stands at a name to change its metadata; never through a link.
///
/// A file that may not be read may still be written, and the other way round.
pub fn open_for_metadata(folder: &Dir, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let open = |access| rustix::fs::openat(folder, name, access | flags, Mode::empty());
    let opened = match open(OFlags::RDONLY) {
        Err(Errno::ACCESS) => open(OFlags::WRONLY),
        other => other,
    };
    Ok(File::from(opened?))
}

/// Tells whether a file can be reached by more than one name.
pub fn has_other_names(file: &File) -> io::Result<bool> {
    Ok(rustix::fs::fstat(file)?.st_nlink > 1)
}

/// Sets the permission bits of an open file or folder.
pub fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::fchmod(file, permission_bits(mode))?)
}

/// Adds up to `length` bytes from an offset on to a buffer; fewer only at the file's end.
pub fn read_onto(file: &File, offset: u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
    let start = buffer.len();
    buffer.reserve(length);
    while buffer.len() < start + length {
        let at = offset + (buffer.len() - start) as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(buffer), at) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // What there was room for beside them is read, too.
    buffer.truncate(start + length);
    Ok(())
}

/// Writes all bytes at an offset.
pub fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Moves what stands at a name to a name that must be free.
pub fn rename_new(from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    match rustix::fs::renameat_with(from, name, to, new, rustix::fs::RenameFlags::NOREPLACE) {
        // A file system that cannot do it says so in one of these ways.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        result => return Ok(result?),
    }
    if stat_at(from, name)?.kind != Kind::Folder {
        rustix::fs::linkat(from, name, to, new, AtFlags::empty())?;
        return Ok(rustix::fs::unlinkat(from, name, AtFlags::empty())?);
    }
    // A folder cannot be linked. Renaming one replaces an empty folder at most, never a file.
    if stat_at(to, new).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    from.rename(name, to, new)
}

/// Returns when the folder's own list of names is on the disk.
pub fn sync_folder(folder: &Dir) -> io::Result<()> {
    // Not `fsync` itself, which on macOS leaves the disk's own cache as it is.
    readable(folder)?.sync_all()
}

/// Returns when all that was written below the folder is on the disk.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn sync_all(folder: &Dir) -> io::Result<()> {
    Ok(rustix::fs::syncfs(readable(folder)?)?)
}

/// Returns when all that was written below the folder is on the disk.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn sync_all(folder: &Dir) -> io::Result<()> {
    crate::listing::sync_each(folder)
}

/// Bytes that this user may still write on the folder's disk.
pub fn free_bytes(folder: &Dir) -> io::Result<u64> {
    let disk = rustix::fs::fstatvfs(readable(folder)?)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Tells whether a folder belongs to this user, and nobody else may change what is in it.
pub fn is_own(folder: &Dir) -> io::Result<bool> {
    let stat = rustix::fs::fstat(folder)?;
    let others_write = stat.st_mode & 0o022 != 0;
    Ok(stat.st_uid == rustix::process::geteuid().as_raw() && !others_write)
}

/// Opens a folder by a path of the system.
pub fn open_folder(path: &OsStr) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    Ok(Dir::from_std_file(File::from(opened)))
}

/// cap-std holds folders in a way (`O_PATH`) that cannot be read or synced.
fn readable(folder: &Dir) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(
        folder,
        ".",
        flags,
        Mode::empty(),
    )?))
}

fn permission_bits(mode: u32) -> Mode {
    Mode::from_raw_mode((mode & 0o777) as rustix::fs::RawMode)
}

#[allow(
    clippy::unnecessary_cast,
    reason = "the widths differ from system to system"
)]
fn stat_of_system(stat: &SystemStat) -> Stat {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    let nanoseconds = stat.st_mtime_nsec as i64;
    Stat {
        kind,
        bytes: if kind == Kind::File {
            stat.st_size as u64
        } else {
            0
        },
        mode: stat.st_mode as u32 & 0o777,
        mtime_ms: stat.st_mtime as i64 * 1000 + nanoseconds / 1_000_000,
        device: stat.st_dev as u64,
        number: stat.st_ino as u64,
    }
}
