//! BLAKE3 values of pieces and their merging into the hash of a file.

use blake3::{
    Hash, Hasher,
    hazmat::{
        ChainingValue, HasherExt, Mode, left_subtree_len, merge_subtrees_non_root,
        merge_subtrees_root,
    },
};
use napi::bindgen_prelude::{BufferSlice, Env, Uint8Array};
use napi_derive::napi;

use crate::{
    error::{EngineError, Result},
    piece::{Piece, VALUE_BYTES, exact, piece_size},
};

/// A piece's value or a file's hash.
pub type Value = [u8; VALUE_BYTES];

/// Computes the value of one piece from its bytes in order.
pub struct PieceHasher {
    hasher: Hasher,
    is_whole_file: bool,
}

impl PieceHasher {
    /// Starts with no byte taken.
    pub fn new(piece: &Piece) -> Self {
        let mut hasher = Hasher::new();
        // An empty subtree has no value in BLAKE3, and an offset would be wrong for a root.
        if !piece.is_whole_file {
            hasher.set_input_offset(piece.offset);
        }
        Self {
            hasher,
            is_whole_file: piece.is_whole_file,
        }
    }

    /// Takes the next bytes; at least 16 KiB at a time use the processor's widest instructions.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Returns the value.
    pub fn value(&self) -> Value {
        if self.is_whole_file {
            return *self.hasher.finalize().as_bytes();
        }
        self.hasher.finalize_non_root()
    }
}

/// Merges the values of all pieces of a file into its BLAKE3 hash.
///
/// The hash is copied into memory of JavaScript's own: one of ours is freed in a later turn of the event loop only,
/// 326 bytes each until then (measured), and who takes up a million files takes no turn between them.
#[napi]
pub fn merge_pieces<'env>(
    env: &'env Env,
    values: Uint8Array,
    file_bytes: f64,
    piece_bytes: f64,
) -> napi::Result<BufferSlice<'env>> {
    let hash = merge(
        &values,
        exact("file size", file_bytes)?,
        piece_size(piece_bytes)?,
    )?;
    BufferSlice::copy_from(env, hash.as_bytes())
}

fn merge(values: &[u8], file_bytes: u64, piece_bytes: u64) -> Result<Hash> {
    let (values, rest) = values.as_chunks::<VALUE_BYTES>();
    let count = file_bytes.div_ceil(piece_bytes).max(1);
    if !rest.is_empty() || values.len() as u64 != count {
        return Err(EngineError::argument(format!(
            "a file of {file_bytes} bytes has {count} values, not {}",
            values.len()
        )));
    }
    if let [hash] = values {
        return Ok(Hash::from_bytes(*hash));
    }
    let (left, right) = halves(values, file_bytes, piece_bytes);
    Ok(merge_subtrees_root(&left, &right, Mode::Hash))
}

/// The values of the two subtrees right below the top of a tree of several pieces.
fn halves(values: &[Value], bytes: u64, piece_bytes: u64) -> (ChainingValue, ChainingValue) {
    let left_bytes = left_subtree_len(bytes);
    let middle = usize::try_from(left_bytes / piece_bytes).unwrap_or(usize::MAX);
    let (left, right) = values.split_at(middle);
    (
        subtree(left, left_bytes, piece_bytes),
        subtree(right, bytes - left_bytes, piece_bytes),
    )
}

fn subtree(values: &[Value], bytes: u64, piece_bytes: u64) -> ChainingValue {
    if let [value] = values {
        return *value;
    }
    let (left, right) = halves(values, bytes, piece_bytes);
    merge_subtrees_non_root(&left, &right, Mode::Hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piece::{Run, RunOptions};

    #[test]
    fn merged_pieces_are_the_hash_of_the_file_at_every_edge() {
        for file_bytes in [
            0,
            1,
            1023,
            1024,
            1025,
            2048,
            2049,
            4095,
            4096,
            5000,
            65_537,
            1 << 20,
        ] {
            let content: Vec<u8> = (0..file_bytes).map(|i| (i * 31 % 251) as u8).collect();
            for piece_bytes in [1024_u64, 4096, 65_536] {
                let run = Run::new(&RunOptions {
                    offset: 0.0,
                    length: file_bytes as f64,
                    piece_bytes: piece_bytes as f64,
                    file_bytes: file_bytes as f64,
                })
                .unwrap();
                let values: Vec<u8> = run
                    .pieces()
                    .flat_map(|piece| {
                        let mut hasher = PieceHasher::new(&piece);
                        hasher.update(&content[piece.offset as usize..][..piece.bytes as usize]);
                        hasher.value()
                    })
                    .collect();

                let merged = merge(&values, file_bytes as u64, piece_bytes).unwrap();

                assert_eq!(
                    merged,
                    blake3::hash(&content),
                    "{file_bytes} by {piece_bytes}"
                );
            }
        }
    }

    #[test]
    fn a_wrong_number_of_values_is_refused() {
        assert!(merge(&[0; 32], 4096, 1024).is_err());
        assert!(merge(&[0; 33], 1, 1024).is_err());
        assert!(merge(&[], 0, 1024).is_err());
    }
}
