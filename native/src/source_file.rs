//! A file that is read, as JavaScript has it.

use std::sync::Arc;

use bytes::Bytes;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;

use crate::{
    error::Result,
    handle::Handle,
    listing::{Stat, StatObject},
    piece::{Run, RunOptions, exact},
    runtime::blocking,
    source::Source,
};

/// Copies bytes to where they can be sent from; see `holdBytes` in `engine.ts`.
#[napi]
pub fn hold_bytes(bytes: Uint8Array, offset: f64) -> napi::Result<SourceFile> {
    let offset = exact("offset", offset)?;
    let bytes = Bytes::copy_from_slice(&bytes);
    Ok(SourceFile::new(Source::hold(bytes, offset)))
}

/// A file that is read; see `SourceFile` in `engine.ts`.
#[napi]
pub struct SourceFile {
    source: Handle<Source>,
    opened: Stat,
}

impl SourceFile {
    /// Gives an open file to JavaScript.
    pub fn new(source: Source) -> Self {
        Self {
            opened: source.opened,
            source: Handle::new("file", source),
        }
    }

    /// Returns the open file.
    pub fn source(&self) -> Result<Arc<Source>> {
        self.source.open()
    }
}

#[napi]
impl SourceFile {
    /// What the file was when it was opened.
    #[napi(getter)]
    pub fn opened(&self) -> StatObject {
        self.opened.into()
    }

    /// What the file is now.
    #[napi]
    pub async fn stat(&self) -> Result<StatObject> {
        let source = self.source()?;
        blocking(move || Ok(source.stat()?.into())).await
    }

    /// Returns the bytes of a range.
    #[napi]
    pub async fn read_range(&self, offset: f64, length: f64) -> Result<Buffer> {
        let source = self.source()?;
        let offset = exact("offset", offset)?;
        let length = exact("length", length)? as usize;
        let bytes = blocking(move || source.read(offset, length)).await?;
        Ok(bytes.to_vec().into())
    }

    /// Returns the values of a run's pieces, 32 bytes a piece.
    #[napi]
    pub async fn hash_run(&self, run: RunOptions) -> Result<Buffer> {
        let source = self.source()?;
        let run = Run::new(&run)?;
        Ok(blocking(move || source.hash_run(run)).await?.into())
    }

    /// Frees the file; a verb that reads it ends first.
    #[napi]
    pub fn close(&self) {
        self.source.close();
    }
}
