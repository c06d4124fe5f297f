//! The codecs of pieces: their numbers on the wire, and which of them a stream takes.

use crate::error::{EngineError, Result};

/// What makes a piece smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// One LZ4 block.
    Lz4 = 1,
    /// Zstandard frames (RFC 8878).
    Zstd = 2,
}

/// How pieces are made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    /// What makes them smaller.
    pub codec: Codec,
    /// How hard it tries; LZ4 has only one way.
    pub level: i32,
}

/// Some codecs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodecSet(u8);

impl Codec {
    /// Finds a codec by its name in `engine.ts`; `none` is nothing.
    fn named(name: &str) -> Result<Option<Self>> {
        match name {
            "none" => Ok(None),
            "lz4" => Ok(Some(Self::Lz4)),
            "zstd" => Ok(Some(Self::Zstd)),
            other => Err(EngineError::argument(format!("codec: {other} is none"))),
        }
    }

    /// Finds a codec by its number on the wire.
    pub fn numbered(number: u8) -> Option<Self> {
        [Self::Lz4, Self::Zstd]
            .into_iter()
            .find(|codec| *codec as u8 == number)
    }
}

impl Coding {
    /// Checks what JavaScript gives; nothing for `none`.
    pub fn new(name: &str, level: f64) -> Result<Option<Self>> {
        let Some(codec) = Codec::named(name)? else {
            return Ok(None);
        };
        let levels = zstd::compression_level_range();
        if level.fract() != 0.0
            || !(f64::from(*levels.start())..=f64::from(*levels.end())).contains(&level)
        {
            let text = format!("level: {level} is none of {codec:?}");
            return Err(EngineError::argument(text));
        }
        let level = level as i32;
        Ok(Some(Self { codec, level }))
    }
}

impl CodecSet {
    /// Gathers codecs by their names.
    pub fn named(names: &[String]) -> Result<Self> {
        let mut bits = 0;
        for name in names {
            bits |= Codec::named(name)?.map_or(0, |codec| codec as u8);
        }
        Ok(Self(bits))
    }

    /// Tells whether a codec is among them.
    pub fn has(self, codec: Codec) -> bool {
        self.0 & codec as u8 != 0
    }

    /// The set as one number.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The set of a number that [`Self::bits`] gave.
    pub fn of_bits(bits: u8) -> Self {
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_no_codec_has_is_refused() {
        for level in [0.5, f64::NAN, 1e9, -1e9] {
            assert!(Coding::new("zstd", level).is_err(), "{level}");
        }
        assert!(Coding::new("gzip", 1.0).is_err());
        assert_eq!(Coding::new("none", 0.0).unwrap(), None);
    }

    #[test]
    fn a_set_has_what_it_was_made_of() {
        let set = CodecSet::named(&["none".to_owned(), "zstd".to_owned()]).unwrap();

        assert!(set.has(Codec::Zstd) && !set.has(Codec::Lz4));
        assert_eq!(CodecSet::of_bits(set.bits()), set);
    }
}
