//! Sends a run of pieces of a file.

use std::sync::Arc;

use bytes::BytesMut;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::{
    encoder::Encoding,
    error::Result,
    piece::{Header, Run, VALUE_BYTES},
    send_encoded,
    send_half::Outgoing,
    source::Source,
};

/// What became of a run that was sent.
pub struct SentRun {
    /// The values of the pieces that were sent.
    pub values: Vec<u8>,
    /// Why the run ended early.
    pub failure: Option<String>,
}

/// What became of a run that was sent.
#[napi(object)]
pub struct SentRunObject {
    /// 32 bytes a piece.
    pub values: Buffer,
    /// Why the run ended early.
    pub failure: Option<String>,
}

impl SentRun {
    /// Nothing of a run yet.
    pub fn of(run: &Run) -> Self {
        Self {
            values: Vec::with_capacity(run.count() * VALUE_BYTES),
            failure: None,
        }
    }
}

/// Writes `header`, then the pieces; at the first that cannot be read, an absent one, and ends.
///
/// # Cancellation
///
/// The peer may hold any prefix of the run.
pub async fn send_run(
    outgoing: &mut Outgoing<'_>,
    header: &[u8],
    source: &Arc<Source>,
    run: Run,
    encoding: Option<&Encoding>,
) -> Result<SentRun> {
    // Small fields travel in one chunk: a piece's value with the next piece's header.
    let mut small = BytesMut::from(header);
    source.advise(run.offset, run.length);
    let sent = match encoding {
        Some(encoding) => {
            send_encoded::send_pieces(outgoing, &mut small, source, run, encoding).await?
        }
        None => send_pieces(outgoing, &mut small, source, run).await?,
    };
    outgoing.write(&mut [small.freeze()]).await?;
    Ok(sent)
}

async fn send_pieces(
    outgoing: &mut Outgoing<'_>,
    small: &mut BytesMut,
    source: &Source,
    run: Run,
) -> Result<SentRun> {
    let mut sent = SentRun::of(&run);
    for piece in run.pieces() {
        let read = match source.read_piece(&piece, outgoing.spent()).await {
            Ok(read) => read,
            Err(error) => {
                small.extend_from_slice(&Header::Absent.encode(0));
                sent.failure = Some(error.to_string());
                break;
            }
        };
        small.extend_from_slice(&Header::Plain.encode(piece.bytes));
        let mut chunks = Vec::with_capacity(read.chunks.len() + 1);
        chunks.push(small.split().freeze());
        chunks.extend(read.chunks);
        outgoing.write(&mut chunks).await?;
        small.extend_from_slice(&read.value);
        sent.values.extend(read.value);
    }
    Ok(sent)
}
