//! Files and folders of Windows.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::windows::{fs::FileExt, io::AsRawHandle},
    time::SystemTime,
};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt};
use cap_std::{
    ambient_authority,
    fs::{Dir, FileType, OpenOptions},
};
use windows_sys::{
    Wdk::{
        Storage::FileSystem::{FileFsFullSizeInformation, NtQueryVolumeInformationFile},
        System::SystemServices::FILE_FS_FULL_SIZE_INFORMATION,
    },
    Win32::System::IO::IO_STATUS_BLOCK,
};

use crate::{
    error::{Code, EngineError, Result},
    listing::{Kind, Stat},
};

/// Gives the system's error numbers their codes, where the kinds of the standard library do not suffice.
pub fn disk_code_of_system(number: i32) -> Option<Code> {
    match number {
        // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_CANT_ACCESS_FILE.
        32 | 33 | 1920 => Some(Code::DiskDenied),
        // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL.
        39 | 112 => Some(Code::DiskFull),
        // ERROR_DIRECTORY: a part of the path is no folder.
        267 => Some(Code::DiskMissing),
        // ERROR_DIR_NOT_EMPTY.
        145 => Some(Code::DiskExists),
        _ => None,
    }
}

/// Makes a name of the system from its bytes; they must be Unicode.
pub fn name_of_bytes(bytes: &[u8]) -> Result<OsString> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| EngineError::argument("a name that is no Unicode has no place on Windows"))?;
    Ok(OsString::from(text))
}

/// Returns the bytes of a name of the system.
pub fn bytes_of_name(name: &OsStr) -> Vec<u8> {
    name.as_encoded_bytes().to_vec()
}

/// Tells whether a name would be more than a name to this system: a path, or a stream of a file.
pub fn is_more_than_a_name(name: &[u8]) -> bool {
    name.iter().any(|byte| matches!(byte, 0 | b'\\' | b':'))
}

/// Says what stands at a name, without following a link.
pub fn stat_at(folder: &Dir, name: &OsStr) -> io::Result<Stat> {
    let metadata = folder.symlink_metadata(name)?;
    let modified = metadata.modified()?.into_std();
    Ok(stat(kind(metadata.file_type()), metadata.len(), modified))
}

/// Says what an open file is.
pub fn stat_of(file: &File) -> io::Result<Stat> {
    let metadata = file.metadata()?;
    let kind = if metadata.is_dir() {
        Kind::Folder
    } else {
        Kind::File
    };
    Ok(stat(kind, metadata.len(), metadata.modified()?))
}

/// Options that open a file for reading and do not follow a link.
pub fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No);
    options
}

/// Options that open a file for reading and writing and do not follow a link.
pub fn changing() -> OpenOptions {
    let mut options = reading();
    options.write(true);
    options
}

/// The same, and a file that is not there is created; permission bits do not exist here.
pub fn changing_or_creating(_mode: u32) -> OpenOptions {
    let mut options = changing();
    options.create(true);
    options
}

/// Options that create a file; permission bits do not exist here.
pub fn creating(_mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// Creates a folder.
pub fn create_folder(folder: &Dir, name: &OsStr) -> io::Result<()> {
    folder.create_dir(name)
}

/// Creates a link to a file, whose text is taken as it is where it stays within the folder.
pub fn create_link(folder: &Dir, name: &OsStr, text: &OsStr) -> io::Result<()> {
    folder.symlink_file(text, name)
}

/// Opens what stands at a name to change its metadata; never through a link.
pub fn open_for_metadata(folder: &Dir, name: &OsStr) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .maybe_dir(true)
        .follow(FollowSymlinks::No);
    Ok(folder.open_with(name, &options)?.into_std())
}

/// Tells whether a file can be reached by more than one name.
pub fn has_other_names(file: &File) -> io::Result<bool> {
    Ok(winapi_util::file::information(file)?.number_of_links() > 1)
}

/// Does nothing: permission bits do not exist here.
pub fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Adds up to `length` bytes from an offset on to a buffer; fewer only at the file's end.
pub fn read_onto(file: &File, offset: u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
    let start = buffer.len();
    buffer.resize(start + length, 0);
    let mut done = 0;
    while done < length {
        match file.seek_read(&mut buffer[start + done..], offset + done as u64)? {
            0 => break,
            read => done += read,
        }
    }
    buffer.truncate(start + done);
    Ok(())
}

/// Writes all bytes at an offset.
pub fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = file.seek_write(bytes, offset)?;
        bytes = &bytes[written..];
        offset += written as u64;
    }
    Ok(())
}

/// Copies nothing: this system copies whole files only.
pub fn copy_range(_from: &File, _to: &File, _offset: u64, _length: u64) -> io::Result<u64> {
    Ok(0)
}

/// Does nothing: the system reads ahead by itself.
pub fn advise_reading(_file: &File, _offset: u64, _length: u64) {}

/// Gives a new file its size, which reserves its clusters.
pub fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    file.set_len(bytes)
}

/// Moves what stands at a name to a name that must be free.
pub fn rename_new(from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> io::Result<()> {
    if stat_at(from, name)?.kind == Kind::File {
        from.hard_link(name, to, new)?;
        return from.remove_file(name);
    }
    if stat_at(to, new).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    from.rename(name, to, new)
}

/// Does nothing: the file system keeps the list of names in its own journal.
pub fn sync_folder(_folder: &Dir) -> io::Result<()> {
    Ok(())
}

/// Returns when all that was written below the folder is on the disk.
pub fn sync_all(folder: &Dir) -> io::Result<()> {
    crate::listing::sync_each(folder)
}

/// Bytes that this user may still write on the folder's disk.
///
/// What the system documents for programs (`GetDiskFreeSpaceExW`) takes a path, and a folder here is a
/// handle; this is the call below it, which Node's `statfs` uses too.
pub fn free_bytes(folder: &Dir) -> io::Result<u64> {
    let mut outcome = IO_STATUS_BLOCK::default();
    let mut disk = FILE_FS_FULL_SIZE_INFORMATION::default();
    #[allow(
        unsafe_code,
        reason = "no crate wraps this call: the handle is open as long as the folder is borrowed, \
                  and the system writes no more than the size it is told"
    )]
    let status = unsafe {
        NtQueryVolumeInformationFile(
            folder.as_raw_handle(),
            &raw mut outcome,
            (&raw mut disk).cast(),
            size_of_val(&disk) as u32,
            FileFsFullSizeInformation,
        )
    };
    if status < 0 {
        return Err(io::Error::other(format!(
            "the disk does not tell its free space (status {status:#x})"
        )));
    }
    let unit = u64::from(disk.SectorsPerAllocationUnit) * u64::from(disk.BytesPerSector);
    // Negative on no disk, but signed.
    let units = u64::try_from(disk.CallerAvailableAllocationUnits).unwrap_or(0);
    Ok(units.saturating_mul(unit))
}

/// Says yes: who may change what is in a folder is not asked here.
pub fn is_own(_folder: &Dir) -> io::Result<bool> {
    Ok(true)
}

/// Opens a folder by a path of the system.
pub fn open_folder(path: &OsStr) -> io::Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
}

fn stat(kind: Kind, bytes: u64, modified: SystemTime) -> Stat {
    let mtime_ms = match modified.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => after.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    };
    Stat {
        kind,
        bytes: if kind == Kind::File { bytes } else { 0 },
        mode: if kind == Kind::Folder { 0o755 } else { 0o644 },
        mtime_ms,
        device: 0,
        number: 0,
    }
}

fn kind(file_type: FileType) -> Kind {
    match file_type {
        file_type if file_type.is_dir() => Kind::Folder,
        file_type if file_type.is_symlink() => Kind::Link,
        file_type if file_type.is_file() => Kind::File,
        _ => Kind::Other,
    }
}
