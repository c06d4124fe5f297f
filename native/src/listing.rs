//! What a folder says of the things in it, and its packed form for JavaScript.

use cap_std::fs::Dir;
use napi_derive::napi;

use crate::{error::Result, path::at, platform};

/// What kind of thing stands in a folder; the numbers cross to JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An ordinary file.
    File = 0,
    /// A folder.
    Folder = 1,
    /// A symbolic link.
    Link = 2,
    /// A socket, device or FIFO.
    Other = 3,
}

/// What is known of a file without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Size in bytes; 0 for all but files.
    pub bytes: u64,
    /// Permission bits.
    pub mode: u32,
    /// Milliseconds since 1970.
    pub mtime_ms: i64,
    /// Number of the device; 0 where the system does not tell.
    pub device: u64,
    /// Number of the file on its device; 0 where the system does not tell.
    pub number: u64,
}

impl Stat {
    /// Tells whether both are of one file, by whatever names; always where the system does not tell.
    pub fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.number) == (other.device, other.number)
    }
}

/// A [`Stat`] as JavaScript gets it.
#[napi(object)]
pub struct StatObject {
    /// Number of the kind: file, folder, link, other.
    pub kind: u32,
    /// Size in bytes.
    pub bytes: f64,
    /// Permission bits.
    pub mode: u32,
    /// Milliseconds since 1970.
    pub mtime_ms: f64,
    /// Device and file number.
    pub identity: String,
}

impl From<Stat> for StatObject {
    fn from(stat: Stat) -> Self {
        Self {
            kind: stat.kind as u32,
            bytes: stat.bytes as f64,
            mode: stat.mode,
            mtime_ms: stat.mtime_ms as f64,
            identity: identity(&stat),
        }
    }
}

/// Lists a folder as one buffer, sorted by the bytes of the names.
///
/// A record is: name length (u32), kind (u8), 1 byte of nothing, mode (u16), size (f64), mtime (f64), name;
/// little-endian, since it never leaves the process.
pub fn packed(folder: &Dir, path: &[u8]) -> Result<Vec<u8>> {
    let mut entries = Vec::new();
    for entry in at(path, folder.entries())? {
        let name = at(path, entry)?.file_name();
        // What vanished between the two looks was not there.
        if let Ok(stat) = platform::stat_at(folder, &name) {
            entries.push((platform::bytes_of_name(&name), stat));
        }
    }
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut packed = Vec::with_capacity(entries.len() * 64);
    for (name, stat) in entries {
        packed.extend(u32::try_from(name.len()).unwrap_or(0).to_le_bytes());
        packed.extend([stat.kind as u8, 0]);
        packed.extend((stat.mode as u16).to_le_bytes());
        packed.extend((stat.bytes as f64).to_le_bytes());
        packed.extend((stat.mtime_ms as f64).to_le_bytes());
        packed.extend(name);
    }
    Ok(packed)
}

/// Syncs every file and folder below a folder, for systems without a call that does.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn sync_each(folder: &Dir) -> std::io::Result<()> {
    use cap_fs_ext::DirExt;

    for entry in folder.entries()? {
        let name = entry?.file_name();
        match platform::stat_at(folder, &name)?.kind {
            Kind::File => folder.open_with(&name, &platform::reading())?.sync_all()?,
            Kind::Folder => sync_each(&folder.open_dir_nofollow(&name)?)?,
            Kind::Link | Kind::Other => {}
        }
    }
    platform::sync_folder(folder)
}

fn identity(stat: &Stat) -> String {
    if stat.number == 0 {
        String::new()
    } else {
        format!("{}:{}", stat.device, stat.number)
    }
}
