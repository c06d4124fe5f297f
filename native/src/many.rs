//! Calls of the file system for many things below a folder at once.
//!
//! To cross from JavaScript to a thread that may block, and back, costs ten times what such a call takes.

use cap_std::fs::Dir;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;

use crate::{
    error::Result,
    folder::Folder,
    listing,
    path::{Parents, at, folder_at},
    platform,
    receive_bundle::file_time,
    runtime::blocking,
    things::{Thing, ThingFailure, failures, unpack},
};

/// What several folders hold.
#[napi(object)]
pub struct ListingsObject {
    /// The listing of each, behind its length in bytes (u32, little-endian).
    pub packed: Buffer,
    /// Those that could not be listed; their listings are empty.
    pub failures: Vec<ThingFailure>,
}

impl Folder {
    /// Runs a call on the directory and the things of a packed list, on a thread where it may block.
    async fn with_each<T: Send + 'static>(
        &self,
        packed: Uint8Array,
        call: impl FnOnce(&Dir, &[Thing]) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let root = self.root()?;
        let things = unpack(&packed)?;
        blocking(move || call(&root, &things)).await
    }
}

#[napi]
impl Folder {
    /// Lists the folders of a packed list.
    #[napi]
    pub async fn list_each(&self, paths: Uint8Array) -> Result<ListingsObject> {
        self.with_each(paths, |root, folders| {
            let mut packed = Vec::new();
            let failures = failures(folders, |Thing { path, .. }| {
                let start = packed.len();
                packed.extend([0; LENGTH_BYTES]);
                let listing = listing::packed(&*folder_at(root, path)?, path)?;
                let length = (listing.len() as u32).to_le_bytes();
                packed[start..].copy_from_slice(&length);
                packed.extend(listing);
                Ok(())
            });
            Ok(ListingsObject {
                packed: packed.into(),
                failures,
            })
        })
        .await
    }

    /// Creates the folders of a packed list, in order, until one fails.
    #[napi]
    pub async fn create_folders(&self, paths: Uint8Array) -> Result<()> {
        self.with_each(paths, |root, folders| {
            let mut parents = Parents::new(root);
            folders.iter().try_for_each(|Thing { path, .. }| {
                let (folder, name) = parents.place(path)?;
                at(path, platform::create_folder(folder, &name))
            })
        })
        .await
    }

    /// Takes from each thing of a packed list the permission bits that its mode lacks, and sets its mtime.
    #[napi]
    pub async fn restrict_each(&self, things: Uint8Array) -> Result<Vec<ThingFailure>> {
        self.with_each(things, |root, things| {
            let mut parents = Parents::new(root);
            Ok(failures(things, |thing| restrict(&mut parents, thing)))
        })
        .await
    }
}

fn restrict(parents: &mut Parents<'_>, thing: &Thing) -> Result<()> {
    let path = &thing.path;
    let (folder, name) = parents.place(path)?;
    let file = at(path, platform::open_for_metadata(folder, &name))?;
    let mode = at(path, platform::stat_of(&file))?.mode;
    at(path, file.set_modified(file_time(thing.mtime_ms)))?;
    at(path, platform::set_mode(&file, mode & thing.mode))
}

const LENGTH_BYTES: usize = 4;
