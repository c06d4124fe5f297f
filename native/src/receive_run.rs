//! Receives a run of pieces into a file.

use tokio::sync::Semaphore;

use crate::{
    error::{EngineError, Result},
    hash::{PieceHasher, Value},
    partial::Partial,
    piece::{HEADER_BYTES, Header, Piece, Run, VALUE_BYTES},
    source::STEP_BYTES,
    stream::Incoming,
};

/// What became of a run that was received.
pub struct ReceivedRun {
    /// 32 bytes a piece, as computed here; zeros where nothing came.
    pub values: Vec<u8>,
    /// Positions of the pieces whose bytes are not what their value says.
    pub bad: Vec<u32>,
    /// Position of the first piece that did not come.
    pub absent_from: usize,
    /// Why the run ended before its end, if it is not that the sender could not read on.
    pub failure: Option<EngineError>,
}

/// Where bytes are put while they are hashed, and who may write them to the disk.
struct Sink<'a> {
    partial: &'a Partial,
    disk: &'a Semaphore,
    buffer: Vec<u8>,
}

/// Reads the pieces into the file, each checked against its value.
///
/// Bytes are written as they come, before their value is known: what is proven is in the result.
///
/// # Cancellation
///
/// The file may hold any bytes within the run.
pub async fn receive_run(
    incoming: &mut Incoming<'_>,
    partial: &Partial,
    disk: &Semaphore,
    run: Run,
) -> Result<ReceivedRun> {
    let count = run.count();
    let step = run.piece_bytes.min(STEP_BYTES as u64) as usize;
    let mut sink = Sink {
        partial,
        disk,
        buffer: vec![0; step],
    };
    let mut received = ReceivedRun {
        values: Vec::with_capacity(count * VALUE_BYTES),
        bad: Vec::new(),
        absent_from: 0,
        failure: None,
    };
    if let Err(error) = receive_pieces(incoming, &mut sink, run, &mut received).await {
        // What came before is as good as ever.
        if received.absent_from == 0 {
            return Err(error);
        }
        received.failure = Some(error);
    }
    received.values.resize(count * VALUE_BYTES, 0);
    Ok(received)
}

async fn receive_pieces(
    incoming: &mut Incoming<'_>,
    sink: &mut Sink<'_>,
    run: Run,
    received: &mut ReceivedRun,
) -> Result<()> {
    let count = run.count();
    let mut header = [0; HEADER_BYTES];
    incoming.fill_all(&mut header).await?;
    for (position, piece) in run.pieces().enumerate() {
        if Header::decode(header, piece.bytes)? == Header::Absent {
            break;
        }
        let value = sink.take(incoming, &piece).await?;
        let (announced, next) = read_trailer(incoming, position + 1 == count).await?;
        if announced != value {
            received.bad.push(position as u32);
        }
        received.values.extend(value);
        received.absent_from = position + 1;
        header = next;
    }
    Ok(())
}

impl Sink<'_> {
    async fn take(&mut self, incoming: &mut Incoming<'_>, piece: &Piece) -> Result<Value> {
        let mut hasher = PieceHasher::new(piece);
        let mut done = 0;
        while done < piece.bytes {
            let wanted = (piece.bytes - done).min(self.buffer.len() as u32);
            let bytes = &mut self.buffer[..wanted as usize];
            incoming.fill_all(bytes).await?;
            hasher.update(bytes);
            // Written on this thread: handing the bytes to another one cost a third of the speed.
            let permit = self
                .disk
                .acquire()
                .await
                .map_err(|_| EngineError::cancelled("endpoint"))?;
            self.partial.write(bytes, piece.offset + u64::from(done))?;
            drop(permit);
            done += wanted;
        }
        Ok(hasher.value())
    }
}

/// Reads a piece's value and, in the same go, the header of the piece behind it.
async fn read_trailer(
    incoming: &mut Incoming<'_>,
    is_last: bool,
) -> Result<(Value, [u8; HEADER_BYTES])> {
    let mut trailer = [0; VALUE_BYTES + HEADER_BYTES];
    let bytes = if is_last { VALUE_BYTES } else { trailer.len() };
    incoming.fill_all(&mut trailer[..bytes]).await?;
    let mut value = [0; VALUE_BYTES];
    let mut header = [0; HEADER_BYTES];
    value.copy_from_slice(&trailer[..VALUE_BYTES]);
    header.copy_from_slice(&trailer[VALUE_BYTES..]);
    Ok((value, header))
}
