//! Calls of the file system for many things below a folder at once.
//!
//! To cross from JavaScript to a thread that may block, and back, costs ten times what such a call takes.

use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;

use crate::{
    bundle::Parents,
    error::Result,
    folder::Folder,
    listing,
    path::{at, folder_at},
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

#[napi]
impl Folder {
    /// Lists the folders of a packed list.
    #[napi]
    pub async fn list_each(&self, paths: Uint8Array) -> Result<ListingsObject> {
        let root = self.root()?;
        let folders = unpack(&paths)?;
        blocking(move || {
            let mut packed = Vec::new();
            let failures = failures(&folders, |Thing { path, .. }| {
                let start = packed.len();
                packed.extend([0; 4]);
                let listing = listing::packed(&*folder_at(&root, path)?, path)?;
                packed.splice(start.., (listing.len() as u32).to_le_bytes());
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
        let root = self.root()?;
        let folders = unpack(&paths)?;
        blocking(move || {
            let mut parents = Parents::new(&root);
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
        let root = self.root()?;
        let things = unpack(&things)?;
        blocking(move || {
            let mut parents = Parents::new(&root);
            Ok(failures(&things, |thing| restrict(&mut parents, thing)))
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
