//! A directory that is held open, and what can be done below it.

use std::{ffi::OsStr, io, sync::Arc};

use cap_std::fs::Dir;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;

use crate::{
    error::{EngineError, Result},
    handle::Handle,
    listing::{Kind, StatObject},
    log::{Log, LogFile},
    partial::{Partial, PartialFile},
    path::{at, folder_at, place_at, place_below, wrong_kind},
    piece::exact,
    platform,
    receive_bundle::file_time,
    runtime::blocking,
    source::Source,
    source_file::SourceFile,
};

/// A directory that is held open; see `Folder` in `engine.ts`. Paths are bytes joined by `/`.
#[napi]
pub struct Folder {
    root: Handle<Dir>,
}

/// Opens a folder of this machine by its path in the system's notation.
#[napi]
pub async fn open_folder(path: Uint8Array) -> Result<Folder> {
    let path = path.to_vec();
    blocking(move || {
        let name = platform::name_of_bytes(&path)?;
        Ok(Folder::new(at(&path, platform::open_folder(&name))?))
    })
    .await
}

impl Folder {
    fn new(root: Dir) -> Self {
        Self {
            root: Handle::new("folder", root),
        }
    }

    /// Returns the open directory.
    pub fn root(&self) -> Result<Arc<Dir>> {
        self.root.open()
    }

    /// Runs a call on the directory and a path, on a thread where it may block.
    async fn with<T: Send + 'static>(
        &self,
        path: Uint8Array,
        call: impl FnOnce(&Dir, &[u8]) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let root = self.root()?;
        let path = path.to_vec();
        blocking(move || call(&root, &path)).await
    }
}

#[napi]
impl Folder {
    /// Opens a folder below.
    #[napi]
    pub async fn open_folder(&self, path: Uint8Array) -> Result<Folder> {
        self.with(path, |root, path| {
            let folder = folder_at(root, path)?;
            Ok(Folder::new(at(path, folder.try_clone())?))
        })
        .await
    }

    /// Says what stands at a path.
    #[napi]
    pub async fn stat(&self, path: Uint8Array) -> Result<Option<StatObject>> {
        self.with(path, |root, path| {
            let place = match place_at(root, path) {
                Err(error) if error.is_missing() => return Ok(None),
                place => place?,
            };
            match platform::stat_at(&place.folder, &place.name) {
                Ok(stat) => Ok(Some(stat.into())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(EngineError::disk(&error, path)),
            }
        })
        .await
    }

    /// Returns the text of a link.
    #[napi]
    pub async fn read_link(&self, path: Uint8Array) -> Result<Buffer> {
        let text = self.with(path, |root, path| {
            let place = place_below(root, path)?;
            let stat = at(path, platform::stat_at(&place.folder, &place.name))?;
            if stat.kind != Kind::Link {
                return Err(wrong_kind(path, "a link"));
            }
            let text = at(path, place.folder.read_link_contents(&place.name))?;
            Ok(platform::bytes_of_name(text.as_os_str()))
        });
        Ok(text.await?.into())
    }

    /// Opens a file for reading.
    #[napi]
    pub async fn open_source(&self, path: Uint8Array, memory_map: bool) -> Result<SourceFile> {
        let open = move |root: &Dir, path: &[u8]| Source::open(root, path, memory_map);
        Ok(SourceFile::new(self.with(path, open).await?))
    }

    /// Creates a file that must not exist, with its blocks reserved.
    #[napi]
    pub async fn create_partial(
        &self,
        path: Uint8Array,
        bytes: f64,
        mode: u32,
    ) -> Result<PartialFile> {
        let bytes = exact("file size", bytes)?;
        let create = move |root: &Dir, path: &[u8]| Partial::create(root, path, bytes, mode);
        Ok(PartialFile::new(self.with(path, create).await?))
    }

    /// Opens a file to write on where another process left it.
    #[napi]
    pub async fn open_partial(&self, path: Uint8Array, bytes: f64) -> Result<PartialFile> {
        let bytes = exact("file size", bytes)?;
        let open = move |root: &Dir, path: &[u8]| Partial::open(root, path, bytes);
        Ok(PartialFile::new(self.with(path, open).await?))
    }

    /// Opens a log and creates it if nothing is there.
    #[napi]
    pub async fn open_log(&self, path: Uint8Array) -> Result<LogFile> {
        Ok(LogFile::new(self.with(path, Log::open).await?))
    }

    /// Creates a symbolic link.
    #[napi]
    pub async fn create_link(&self, path: Uint8Array, target: Uint8Array) -> Result<()> {
        let target = target.to_vec();
        self.with(path, move |root, path| {
            let place = place_below(root, path)?;
            let text = platform::name_of_bytes(&target)?;
            at(
                path,
                platform::create_link(&place.folder, &place.name, &text),
            )
        })
        .await
    }

    /// Moves what stands at a path to a path below another folder of the same disk.
    #[napi]
    pub async fn rename(
        &self,
        from: Uint8Array,
        target: &Folder,
        to: Uint8Array,
        replace: bool,
    ) -> Result<()> {
        let target = target.root()?;
        let to = to.to_vec();
        self.with(from, move |root, from| {
            rename(root, from, &target, &to, replace)
        })
        .await
    }

    /// Removes a file, a link, or a folder with all that is in it.
    #[napi]
    pub async fn remove(&self, path: Uint8Array) -> Result<()> {
        self.with(path, |root, path| match remove(root, path) {
            Err(error) if error.is_missing() => Ok(()),
            result => result,
        })
        .await
    }

    /// Sets permission bits and mtime of a file or folder.
    #[napi]
    pub async fn set_metadata(&self, path: Uint8Array, mode: u32, mtime_ms: f64) -> Result<()> {
        self.with(path, move |root, path| {
            let place = place_at(root, path)?;
            let file = at(
                path,
                platform::open_for_metadata(&place.folder, &place.name),
            )?;
            at(path, file.set_modified(file_time(mtime_ms as i64)))?;
            at(path, platform::set_mode(&file, mode))
        })
        .await
    }

    /// Returns when everything written below is on the disk.
    #[napi]
    pub async fn sync_all(&self) -> Result<()> {
        let root = self.root()?;
        blocking(move || at(b"", platform::sync_all(&root))).await
    }

    /// Returns when the folder's own list of names is on the disk.
    #[napi]
    pub async fn sync(&self) -> Result<()> {
        let root = self.root()?;
        blocking(move || at(b"", platform::sync_folder(&root))).await
    }

    /// Whether the folder is this user's, and nobody else may change what is in it.
    #[napi]
    pub async fn is_own(&self) -> Result<bool> {
        let root = self.root()?;
        blocking(move || at(b"", platform::is_own(&root))).await
    }

    /// Bytes that this user may still write on the folder's disk.
    #[napi]
    pub async fn free_bytes(&self) -> Result<f64> {
        let root = self.root()?;
        blocking(move || Ok(at(b"", platform::free_bytes(&root))? as f64)).await
    }

    /// Frees the directory; calls that are under way end first.
    #[napi]
    pub fn close(&self) {
        self.root.close();
    }
}

fn rename(root: &Dir, from: &[u8], target: &Dir, to: &[u8], replace: bool) -> Result<()> {
    let old = place_below(root, from)?;
    let new = place_below(target, to)?;
    let renamed = if replace {
        old.folder.rename(&old.name, &new.folder, &new.name)
    } else {
        platform::rename_new(&old.folder, &old.name, &new.folder, &new.name)
    };
    renamed.map_err(|error| {
        // The system does not say which of the two names is at fault.
        let is_gone = platform::stat_at(&old.folder, &old.name).is_err();
        EngineError::disk(&error, if is_gone { from } else { to })
    })
}

fn remove(root: &Dir, path: &[u8]) -> Result<()> {
    let place = place_below(root, path)?;
    let name: &OsStr = &place.name;
    let stat = at(path, platform::stat_at(&place.folder, name))?;
    at(
        path,
        match stat.kind {
            Kind::Folder => place.folder.remove_dir_all(name),
            Kind::Link => cap_fs_ext::DirExt::remove_file_or_symlink(&*place.folder, name),
            Kind::File | Kind::Other => place.folder.remove_file(name),
        },
    )
}
