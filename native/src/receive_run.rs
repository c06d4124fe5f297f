//! Receives a run of pieces into a file.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::{
    codec::Codec,
    error::{EngineError, Result},
    hash::{PieceHasher, Value},
    partial::Partial,
    piece::{HEADER_BYTES, Header, Piece, Run, VALUE_BYTES},
    receive_half::{Incoming, Intake},
    source::STEP_BYTES,
    spent::Doing,
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

/// What became of a run that was received.
#[napi(object)]
pub struct ReceivedRunObject {
    /// 32 bytes a piece.
    pub values: Buffer,
    /// Positions of the bad pieces.
    pub bad: Vec<u32>,
    /// Position of the first piece that did not come.
    pub absent_from: f64,
    /// Why the run ended early.
    pub failure: Option<String>,
}

/// Where bytes are put while they are hashed, and what decodes them and lets them be written.
struct Sink<'a> {
    partial: &'a Partial,
    intake: &'a Intake,
    /// A step of a piece, or a whole one that is encoded.
    buffer: Vec<u8>,
    /// Why the disk took not all of a piece. The rest of it is still read: the stream then stands behind it.
    failure: Option<EngineError>,
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
    intake: &Intake,
    run: Run,
) -> Result<ReceivedRun> {
    let count = run.count();
    let mut sink = Sink {
        partial,
        intake,
        buffer: Vec::new(),
        failure: None,
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
        let value = match sink.intake.decoder.header(header, piece.bytes)? {
            Header::Plain => sink.take(incoming, &piece).await?,
            Header::Encoded { codec, bytes } => {
                sink.take_encoded(incoming, &piece, codec, bytes).await?
            }
            Header::Absent => break,
        };
        let is_last = position + 1 == count || sink.failure.is_some();
        let (announced, next) = read_trailer(incoming, is_last).await?;
        if let Some(failure) = sink.failure.take() {
            return Err(failure);
        }
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
            let wanted = (piece.bytes - done).min(STEP_BYTES as u32);
            self.buffer.resize(wanted as usize, 0);
            incoming.fill_all(&mut self.buffer).await?;
            hasher.update(&self.buffer);
            // Written on this thread: handing the bytes to another one cost a third of the speed.
            let writing = incoming.spent().enter(Doing::Disk);
            let permit = self.intake.permit().await?;
            if self.failure.is_none() {
                let offset = piece.offset + u64::from(done);
                self.failure = self.partial.write(&self.buffer, offset).err();
            }
            drop(permit);
            drop(writing);
            done += wanted;
        }
        Ok(hasher.value())
    }

    /// Decodes a piece that comes as `bytes` bytes: as a whole, and only when all of them are there.
    async fn take_encoded(
        &mut self,
        incoming: &mut Incoming<'_>,
        piece: &Piece,
        codec: Codec,
        bytes: u32,
    ) -> Result<Value> {
        self.buffer.clear();
        // The buffer grows with what comes: what is only announced costs nothing.
        while self.buffer.len() < bytes as usize {
            let filled = self.buffer.len();
            let wanted = (bytes as usize - filled).min(STEP_BYTES);
            self.buffer.resize(filled + wanted, 0);
            incoming.fill_all(&mut self.buffer[filled..]).await?;
        }
        let permit = self.intake.permit().await?;
        let decoded = self
            .intake
            .decoder
            .decode(codec, &self.buffer, piece.bytes, |decoded| {
                let mut hasher = PieceHasher::new(piece);
                hasher.update(decoded);
                let value = hasher.value();
                let _writing = incoming.spent().enter(Doing::Disk);
                (value, self.partial.write(decoded, piece.offset))
            });
        drop(permit);
        let (value, written) = decoded?;
        self.failure = written.err();
        Ok(value)
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
