//! The one place where a failure of the engine becomes a JavaScript error.

use std::{error::Error, fmt, io};

use iroh::endpoint::{ConnectionError, ReadError, VarInt, WriteError};

/// Name of a failure, as JavaScript sees it.
///
/// `src/errors.ts` lists the same names; a test compares the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A port that was asked for is taken.
    AddressInUse,
    /// This side closed the handle or abandoned the stream.
    Cancelled,
    /// The connection ended without a word of the peer's program.
    ConnectionLost,
    /// Another process has the file for itself.
    DiskBusy,
    /// The system refuses the operation to this user, or a link stands in the way.
    DiskDenied,
    /// The name is taken.
    DiskExists,
    /// Any other failure of a disk.
    DiskFailed,
    /// No space is left, or no more than a quota allows.
    DiskFull,
    /// Nothing stands at the path, or a part of it is no folder.
    DiskMissing,
    /// A caller's value is out of its range.
    InvalidArgument,
    /// The peer's bytes are not what the protocol allows.
    InvalidFrame,
    /// Something is larger than this program takes.
    LimitExceeded,
    /// A peer could not be dialled.
    PeerUnreachable,
    /// The peer gave up with an error number of its own; the text starts with that number.
    Remote,
    /// A file is not what it was when it was offered.
    SourceChanged,
}

impl Code {
    /// Every code, for the test that compares them with TypeScript's.
    pub const ALL: [Self; 15] = [
        Self::AddressInUse,
        Self::Cancelled,
        Self::ConnectionLost,
        Self::DiskBusy,
        Self::DiskDenied,
        Self::DiskExists,
        Self::DiskFailed,
        Self::DiskFull,
        Self::DiskMissing,
        Self::InvalidArgument,
        Self::InvalidFrame,
        Self::LimitExceeded,
        Self::PeerUnreachable,
        Self::Remote,
        Self::SourceChanged,
    ];

    /// Returns the name that crosses to JavaScript.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddressInUse => "ADDRESS_IN_USE",
            Self::Cancelled => "CANCELLED",
            Self::ConnectionLost => "CONNECTION_LOST",
            Self::DiskBusy => "DISK_BUSY",
            Self::DiskDenied => "DISK_DENIED",
            Self::DiskExists => "DISK_EXISTS",
            Self::DiskFailed => "DISK_FAILED",
            Self::DiskFull => "DISK_FULL",
            Self::DiskMissing => "DISK_MISSING",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::InvalidFrame => "INVALID_FRAME",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::PeerUnreachable => "PEER_UNREACHABLE",
            Self::Remote => "REMOTE",
            Self::SourceChanged => "SOURCE_CHANGED",
        }
    }
}

/// A failed call of the engine.
#[derive(Debug)]
pub struct EngineError {
    code: Code,
    source: Box<dyn Error + Send + Sync>,
}

/// What every fallible function of this crate returns.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

impl EngineError {
    /// Gives a failure of a library or of the system its code.
    pub fn new(code: Code, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            code,
            source: source.into(),
        }
    }

    /// Says that a caller's value is out of its range.
    pub fn argument(text: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, text.into())
    }

    /// Says that the peer's bytes break the protocol.
    pub fn frame(text: impl Into<String>) -> Self {
        Self::new(Code::InvalidFrame, text.into())
    }

    /// Says that this side closed or abandoned what the call was about.
    pub fn cancelled(what: &str) -> Self {
        Self::new(
            Code::Cancelled,
            format!("the {what} was closed on this side"),
        )
    }

    /// Gives a failure of the file system its code and names the file.
    pub fn disk(source: &io::Error, path: &[u8]) -> Self {
        let shown = if path.is_empty() { b"." } else { path };
        // The system's number says nothing to a person that its words do not.
        let words = source.to_string();
        let words = words.split(" (os error").next().unwrap_or_default();
        let shown = String::from_utf8_lossy(shown);
        Self::new(
            disk_code(source),
            format!("{}: {words}", shown.escape_debug()),
        )
    }

    /// Says that the peer gave up with an error number of its own.
    fn remote(number: VarInt, text: &str) -> Self {
        Self::new(Code::Remote, format!("{} {text}", number.into_inner()))
    }

    /// Returns the text without the code.
    pub fn text(&self) -> String {
        self.source.to_string()
    }

    /// Tells whether nothing stands where something was looked for.
    pub fn is_missing(&self) -> bool {
        self.code == Code::DiskMissing
    }
}

impl fmt::Display for EngineError {
    /// Writes `CODE: text`: a rejected napi promise has no field for a code of ours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.source)
    }
}

impl Error for EngineError {}

impl From<EngineError> for napi::Error {
    fn from(error: EngineError) -> Self {
        Self::from_reason(error.to_string())
    }
}

impl From<ConnectionError> for EngineError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                let reason = String::from_utf8_lossy(&close.reason);
                let text = format!("the peer closed the connection: {}", reason.escape_debug());
                Self::remote(close.error_code, text.trim_end_matches(": "))
            }
            ConnectionError::LocallyClosed => Self::cancelled("connection"),
            ConnectionError::TimedOut => Self::new(
                Code::ConnectionLost,
                "the peer was not heard of for too long",
            ),
            other => Self::new(Code::ConnectionLost, other.to_string()),
        }
    }
}

impl From<WriteError> for EngineError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stopped(number) => Self::remote(number, "the peer refused the stream"),
            WriteError::ConnectionLost(cause) => cause.into(),
            WriteError::ClosedStream => Self::cancelled("stream"),
            other => Self::new(Code::ConnectionLost, other.to_string()),
        }
    }
}

impl From<ReadError> for EngineError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Reset(number) => Self::remote(number, "the peer abandoned the stream"),
            ReadError::ConnectionLost(cause) => cause.into(),
            ReadError::ClosedStream => Self::cancelled("stream"),
            other => Self::new(Code::ConnectionLost, other.to_string()),
        }
    }
}

impl From<tokio::task::JoinError> for EngineError {
    /// A task that did not end is one that panicked or was cut off at the end of the process.
    fn from(error: tokio::task::JoinError) -> Self {
        Self::new(Code::Cancelled, error.to_string())
    }
}

/// Joins the texts of an error and of all its sources: libraries put the true cause last.
pub fn full_text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

fn disk_code(error: &io::Error) -> Code {
    use io::ErrorKind;
    if let Some(code) = error
        .raw_os_error()
        .and_then(crate::platform::disk_code_of_system)
    {
        return code;
    }
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Code::DiskMissing,
        ErrorKind::AlreadyExists => Code::DiskExists,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Code::DiskDenied,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Code::DiskFull,
        _ => Code::DiskFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_crosses_as_its_code_and_its_text() {
        let error = EngineError::disk(&io::Error::from(io::ErrorKind::StorageFull), b"a/b\n");

        assert_eq!(error.code, Code::DiskFull);
        assert!(error.to_string().starts_with("DISK_FULL: a/b\\n: "));
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_of_the_disk_has_words_and_no_number() {
        let error = EngineError::disk(&io::Error::from_raw_os_error(libc::ENOENT), b"a");

        assert_eq!(
            error.to_string(),
            "DISK_MISSING: a: No such file or directory"
        );
    }

    #[test]
    fn no_name_stands_twice_in_the_list() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();

        assert_eq!(names.len(), Code::ALL.len());
    }
}
