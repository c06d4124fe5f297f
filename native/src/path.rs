//! Paths that cannot leave their folder.
//!
//! A path is names joined by `/`. It is resolved name by name from an open folder, and no name is
//! followed if it is a link: neither a path's text nor a race leads out.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    ops::Deref,
};

use cap_fs_ext::DirExt;
use cap_std::fs::{Dir, OpenOptions};

use crate::{
    error::{Code, EngineError, Result},
    listing::{Kind, Stat},
    platform,
};

/// A folder that is lent by its handle or was opened on the way.
pub enum Held<'a> {
    /// The handle's own folder.
    Lent(&'a Dir),
    /// A folder below it.
    Opened(Dir),
}

impl Deref for Held<'_> {
    type Target = Dir;

    fn deref(&self) -> &Dir {
        match self {
            Self::Lent(folder) => folder,
            Self::Opened(folder) => folder,
        }
    }
}

/// Where something stands: its folder, and its name there (`.` for the folder itself).
pub struct Place<'a> {
    /// The folder that has the name.
    pub folder: Held<'a>,
    /// One name, never a path.
    pub name: OsString,
}

/// Opens the folder at a path below another.
pub fn folder_at<'a>(root: &'a Dir, path: &[u8]) -> Result<Held<'a>> {
    let mut folder = Held::Lent(root);
    for name in names(path)? {
        let next = at(path, step(&folder, &name))?;
        folder = Held::Opened(next);
    }
    Ok(folder)
}

/// Finds the folder and the name of what stands, or is to stand, at a path.
pub fn place_at<'a>(root: &'a Dir, path: &[u8]) -> Result<Place<'a>> {
    let (parent, name) = split(path);
    let name = match name {
        b"" => OsString::from("."),
        name => one_name(name, path)?,
    };
    Ok(Place {
        folder: folder_at(root, parent)?,
        name,
    })
}

/// The same for a path that must not be the folder itself.
pub fn place_below<'a>(root: &'a Dir, path: &[u8]) -> Result<Place<'a>> {
    if path.is_empty() {
        return Err(EngineError::argument(
            "an empty path names the folder itself",
        ));
    }
    place_at(root, path)
}

/// Keeps the folder of the last path open: neighbours in a list mostly share it.
pub struct Parents<'a> {
    root: &'a Dir,
    last: Option<(Vec<u8>, Held<'a>)>,
}

impl<'a> Parents<'a> {
    /// Starts at the folder that all paths lie below.
    pub fn new(root: &'a Dir) -> Self {
        Self { root, last: None }
    }

    /// Finds the folder and the name of what stands, or is to stand, at a path that is not the folder itself.
    pub fn place(&mut self, path: &[u8]) -> Result<(&Dir, OsString)> {
        let (parent, name) = split(path);
        let name = one_name(name, path)?;
        let is_open = self.last.as_ref().is_some_and(|(open, _)| open == parent);
        if !is_open {
            self.last = None;
        }
        let opened = match self.last.take() {
            Some(open) => open,
            None => (parent.to_vec(), folder_at(self.root, parent)?),
        };
        let (_, folder) = self.last.insert(opened);
        Ok((folder, name))
    }
}

/// Splits a path into its folder's path and its last name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

fn names(path: &[u8]) -> Result<Vec<OsString>> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    path.split(|byte| *byte == b'/')
        .map(|name| one_name(name, path))
        .collect()
}

/// Checks that a part of a path is one name and makes it a name of the system.
fn one_name(name: &[u8], path: &[u8]) -> Result<OsString> {
    if matches!(name, b"" | b"." | b"..") || platform::is_more_than_a_name(name) {
        let text = format!("{}: no path within a folder", shown(path));
        return Err(EngineError::argument(text));
    }
    platform::name_of_bytes(name)
}

fn step(folder: &Dir, name: &OsStr) -> io::Result<Dir> {
    folder.open_dir_nofollow(name).map_err(|error| {
        // Systems differ in what they call a link here.
        match platform::stat_at(folder, name) {
            Ok(stat) if stat.kind == Kind::Link => {
                io::Error::new(io::ErrorKind::PermissionDenied, "a link stands on the way")
            }
            _ => error,
        }
    })
}

/// Turns a failure of the disk into ours, with the path it is about.
pub fn at<T>(path: &[u8], result: io::Result<T>) -> Result<T> {
    result.map_err(|error| EngineError::disk(&error, path))
}

/// Opens an ordinary file; nothing else is opened, a link neither.
pub fn open_file(place: &Place<'_>, path: &[u8], options: &OpenOptions) -> Result<(File, Stat)> {
    let opened = place.folder.open_with(&place.name, options);
    let file = opened.map_err(|error| {
        // Systems differ in what they call a link or a folder here.
        match platform::stat_at(&place.folder, &place.name) {
            Ok(stat) if stat.kind != Kind::File => wrong_kind(path, "a file"),
            _ => EngineError::disk(&error, path),
        }
    })?;
    let file = file.into_std();
    let stat = at(path, platform::stat_of(&file))?;
    if stat.kind != Kind::File {
        return Err(wrong_kind(path, "a file"));
    }
    Ok((file, stat))
}

/// Refuses a file that has several names: what is written to it would change the others, too.
pub fn refuse_other_names(file: &File, path: &[u8]) -> Result<()> {
    if at(path, platform::has_other_names(file))? {
        return Err(wrong_kind(path, "a file of one name"));
    }
    Ok(())
}

/// Makes a path fit for a message.
pub fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).escape_debug().to_string()
}

/// Says that something else stands at a path than what was asked for.
pub fn wrong_kind(path: &[u8], wanted: &str) -> EngineError {
    EngineError::new(Code::DiskDenied, format!("{}: not {wanted}", shown(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_leave_the_folder_is_refused() {
        let hostile: [&[u8]; 8] = [
            b"..", b"a/../b", b"/etc", b"a//b", b"a/", b".", b"a/./b", b"a\0b",
        ];
        for path in hostile {
            assert!(names(path).is_err(), "{}", String::from_utf8_lossy(path));
        }
        assert_eq!(names(b"a/..b/c.").unwrap().len(), 3);
        assert!(names(b"").unwrap().is_empty());
    }

    #[test]
    fn a_path_is_split_at_its_last_slash() {
        assert_eq!(split(b"a/b/c"), (&b"a/b"[..], &b"c"[..]));
        assert_eq!(split(b"c"), (&b""[..], &b"c"[..]));
    }
}
