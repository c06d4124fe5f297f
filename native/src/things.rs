//! Lists of things below a folder, as JavaScript packs them, and what failed of them.

use napi_derive::napi;

use crate::error::{EngineError, Result};

/// One thing of a list. What a call has no use for is 0.
#[derive(Debug, PartialEq)]
pub struct Thing {
    /// Its path below the folder.
    pub path: Vec<u8>,
    /// Its size.
    pub bytes: u32,
    /// Its mtime, in milliseconds since 1970.
    pub mtime_ms: i64,
    /// Permission bits.
    pub mode: u32,
}

/// Why one thing of a list failed.
#[napi(object)]
pub struct ThingFailure {
    /// Its position in the list.
    pub position: u32,
    /// `CODE: text`.
    pub text: String,
}

/// Reads a packed list: path length (u16), mode (u16), size (f64), mtime (f64), path; little-endian.
pub fn unpack(mut packed: &[u8]) -> Result<Vec<Thing>> {
    let mut things = Vec::new();
    while !packed.is_empty() {
        let (thing, rest) =
            unpack_one(packed).ok_or_else(|| EngineError::argument("the packed list is broken"))?;
        things.push(thing);
        packed = rest;
    }
    Ok(things)
}

fn unpack_one(packed: &[u8]) -> Option<(Thing, &[u8])> {
    let (path_bytes, rest) = packed.split_first_chunk()?;
    let (mode, rest) = rest.split_first_chunk()?;
    let (bytes, rest) = rest.split_first_chunk()?;
    let (mtime_ms, rest) = rest.split_first_chunk()?;
    let (path, rest) = rest.split_at_checked(u16::from_le_bytes(*path_bytes).into())?;
    let thing = Thing {
        path: path.to_vec(),
        mode: u16::from_le_bytes(*mode).into(),
        // A size that is no number becomes 0 or the largest, which no call takes.
        bytes: f64::from_le_bytes(*bytes) as u32,
        mtime_ms: f64::from_le_bytes(*mtime_ms) as i64,
    };
    Some((thing, rest))
}

/// Does something with each thing of a list; tells which have failed.
pub fn failures(things: &[Thing], mut call: impl FnMut(&Thing) -> Result<()>) -> Vec<ThingFailure> {
    let failed = things.iter().zip(0..).filter_map(|(thing, position)| {
        let text = call(thing).err()?.to_string();
        Some(ThingFailure { position, text })
    });
    failed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_list_is_read_back() {
        let mut packed = Vec::new();
        packed.extend(3_u16.to_le_bytes());
        packed.extend(0o644_u16.to_le_bytes());
        packed.extend(5_f64.to_le_bytes());
        packed.extend((-7_f64).to_le_bytes());
        packed.extend(b"a/b");

        let thing = Thing {
            path: b"a/b".to_vec(),
            bytes: 5,
            mtime_ms: -7,
            mode: 0o644,
        };
        assert_eq!(unpack(&packed).unwrap(), [thing]);
        assert!(unpack(&packed[..packed.len() - 1]).is_err());
    }
}
