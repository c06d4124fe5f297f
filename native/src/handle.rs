//! What JavaScript holds of a file or folder until it closes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{EngineError, Result};

/// Something open that can be closed.
pub struct Handle<T> {
    what: &'static str,
    open: Mutex<Option<Arc<T>>>,
}

impl<T> Handle<T> {
    /// Holds something open; `what` names its kind in errors.
    pub fn new(what: &'static str, open: T) -> Self {
        Self {
            what,
            open: Mutex::new(Some(Arc::new(open))),
        }
    }

    /// Returns what is open.
    pub fn open(&self) -> Result<Arc<T>> {
        let open = self.slot().clone();
        open.ok_or_else(|| EngineError::cancelled(self.what))
    }

    /// Lets go; whoever still uses it ends first. Twice is fine.
    pub fn close(&self) {
        self.slot().take();
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
