//! Sends a run's pieces made smaller, each encoded while the one before it is sent.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};

use crate::{
    encoder::{EncodedBytes, Encoding, encode},
    error::{EngineError, Result},
    hash::Value,
    piece::{HEADER_BYTES, Header, Piece, Run},
    runtime::blocking,
    send_half::Outgoing,
    send_run::SentRun,
    source::Source,
    spent::Spent,
};

/// A piece that is ready to be sent.
struct Ready {
    header: [u8; HEADER_BYTES],
    bytes: Bytes,
    value: Value,
    counts: EncodedBytes,
    /// Where the time of its preparation went.
    read: Duration,
}

/// Sends the pieces; at the first that cannot be read, an absent one, and ends.
pub async fn send_pieces(
    outgoing: &mut Outgoing<'_>,
    small: &mut BytesMut,
    source: &Arc<Source>,
    run: Run,
    encoding: &Encoding,
) -> Result<SentRun> {
    let mut sent = SentRun::of(&run);
    let mut pieces = run.pieces();
    let mut next = prepare(source, pieces.next(), encoding).await;
    while let Some(prepared) = next {
        let ready = match prepared {
            Ok(ready) => ready,
            Err(error) => {
                small.extend_from_slice(&Header::Absent.encode(0));
                sent.failure = Some(error.to_string());
                break;
            }
        };
        small.extend_from_slice(&ready.header);
        let mut chunks = [small.split().freeze(), ready.bytes];
        let write = async {
            outgoing.write(&mut chunks).await?;
            Ok::<_, EngineError>(Instant::now())
        };
        let (written, prepared) = tokio::join!(write, prepare(source, pieces.next(), encoding));
        let waited = written?.elapsed();
        if let Some(Ok(ready)) = &prepared {
            outgoing.spent().was_disk(ready.read.min(waited));
        }
        outgoing.count(ready.counts);
        small.extend_from_slice(&ready.value);
        sent.values.extend(ready.value);
        next = prepared;
    }
    Ok(sent)
}

async fn prepare(
    source: &Arc<Source>,
    piece: Option<Piece>,
    encoding: &Encoding,
) -> Option<Result<Ready>> {
    let piece = piece?;
    let source = Arc::clone(source);
    let Encoding { coding, coders } = encoding.clone();
    let permit = match coders.permit().await {
        Ok(permit) => permit,
        Err(error) => return Some(Err(error)),
    };
    let ready = blocking(move || {
        // Held by the call itself: it goes on when nobody waits for it any more.
        let _permit = permit;
        coders.lend(|coder| {
            let spent = Spent::default();
            let value = source.read_into(&piece, &mut coder.input, &spent)?;
            let (header, bytes, counts) = encode(coder, coding);
            let header = header.encode(piece.bytes);
            Ok(Ready {
                header,
                bytes,
                value,
                counts,
                read: spent.on_disk(),
            })
        })
    });
    Some(ready.await)
}
