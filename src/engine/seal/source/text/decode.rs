//! Decodes the characters of a text file, chunk by chunk.
//!
//! Promises to yield exactly what the bytes mean in the file's encoding: an invalid byte
//! is a fault, which is reported after all characters before it, and is never replaced.

use std::io::Read;

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::unpack::Unpacking;
use crate::engine::seal::source::fault::TextFault;
use crate::query::terms::source::Encoding;

/// The largest size of a chunk before decoding, in bytes.
const CHUNK_BYTES: usize = 1 << 20;
/// The size of the first chunk in bytes: enough for most headers.
const FIRST_CHUNK_BYTES: usize = 64 << 10;

/// The chunks of a file.
pub(super) struct Chunks<'a> {
    bytes: Box<dyn Read + Send + 'a>,
    decoder: Decoder,
    /// The bytes that were read but not decoded yet.
    pending: Vec<u8>,
    chunk_bytes: usize,
    fault: Option<TextFault>,
    ended: bool,
}

enum Decoder {
    Utf8,
    /// An encoding with one byte per character; the function says whether a byte is valid.
    Bytes(Encoding, fn(u8) -> bool),
    Utf16(encoding_rs::Decoder),
}

impl<'a> Chunks<'a> {
    /// Checks the start of the bytes for a byte-order mark, and skips it.
    pub(super) fn new(mut bytes: Box<dyn Read + Send + 'a>, declared: Option<Encoding>) -> Result<Self, Unpacking> {
        let mut pending = Vec::new();
        bytes.by_ref().take(FIRST_CHUNK_BYTES as u64).read_to_end(&mut pending)?;
        let (decoder, mark_bytes) = decoder(&pending, declared).map_err(Unpacking::Fault)?;
        pending.drain(..mark_bytes);
        Ok(Self { bytes, decoder, pending, chunk_bytes: FIRST_CHUNK_BYTES, fault: None, ended: false })
    }

    /// The next characters; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<String>, Unpacking> {
        loop {
            if let Some(fault) = self.fault.take() {
                self.ended = true;
                return Err(Unpacking::Fault(fault));
            }
            if self.ended {
                return Ok(None);
            }
            let wanted = self.chunk_bytes.saturating_sub(self.pending.len());
            let read = self.bytes.by_ref().take(wanted as u64).read_to_end(&mut self.pending)?;
            self.chunk_bytes = CHUNK_BYTES;
            self.ended = wanted > 0 && read < wanted;
            let bytes = std::mem::take(&mut self.pending);
            let text = match &mut self.decoder {
                Decoder::Utf8 => self.utf8(bytes),
                Decoder::Bytes(encoding, is_one) => {
                    let (encoding, is_one) = (*encoding, *is_one);
                    self.single(&bytes, encoding, is_one)
                }
                Decoder::Utf16(decoder) => {
                    let (text, fault) = utf16(decoder, &bytes, self.ended);
                    self.fault = fault;
                    text
                }
            };
            if self.fault.is_some() {
                self.ended = false;
            }
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
    }

    fn utf8(&mut self, bytes: Vec<u8>) -> String {
        let mut bytes = bytes;
        if !self.ended {
            let whole = bytes.len() - unfinished(&bytes);
            self.pending = bytes.split_off(whole);
        }
        String::from_utf8(bytes).unwrap_or_else(|error| {
            self.fault = Some(TextFault::Encoding(Encoding::Utf8));
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).unwrap_or_default()
        })
    }

    fn single(&mut self, bytes: &[u8], encoding: Encoding, is_one: fn(u8) -> bool) -> String {
        let valid = bytes.iter().position(|byte| !is_one(*byte)).unwrap_or(bytes.len());
        if valid < bytes.len() {
            self.fault = Some(TextFault::Encoding(encoding));
        }
        // If both encodings have a character for a byte, it is the same.
        WINDOWS_1252.decode_without_bom_handling(&bytes[..valid]).0.into_owned()
    }
}

/// Chooses the decoder for a file that starts with these bytes, and returns it with the length of the byte-order mark.
fn decoder(start: &[u8], declared: Option<Encoding>) -> Result<(Decoder, usize), TextFault> {
    let marks: [(&[u8], &'static str, Encoding); 3] = [
        (&[0xef, 0xbb, 0xbf], "UTF-8", Encoding::Utf8),
        (&[0xff, 0xfe], "UTF-16", Encoding::Utf16),
        (&[0xfe, 0xff], "UTF-16", Encoding::Utf16),
    ];
    if start.starts_with(&[0xff, 0xfe, 0, 0]) || start.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err(TextFault::Utf32);
    }
    let mark = marks.into_iter().find(|(mark, ..)| start.starts_with(mark));
    if let (Some((_, found, encoding)), Some(wanted)) = (mark, declared)
        && encoding != wanted
    {
        return Err(TextFault::Mark { found, wanted });
    }
    let length = mark.map_or(0, |(mark, ..)| mark.len());
    let decoder = match mark.map(|(.., encoding)| encoding).or(declared).unwrap_or(Encoding::Utf8) {
        Encoding::Utf8 => Decoder::Utf8,
        Encoding::Latin1 => Decoder::Bytes(Encoding::Latin1, |byte| !(0x80..=0x9f).contains(&byte)),
        Encoding::Windows1252 => {
            Decoder::Bytes(Encoding::Windows1252, |byte| !matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d))
        }
        Encoding::Utf16 => {
            let order = if is_big_endian(start)? { UTF_16BE } else { UTF_16LE };
            Decoder::Utf16(order.new_decoder_without_bom_handling())
        }
    };
    Ok((decoder, length))
}

/// Determines the byte order of UTF-16 from its mark, or from the positions of the zeros in its first ASCII characters.
fn is_big_endian(start: &[u8]) -> Result<bool, TextFault> {
    let pairs = start.as_chunks::<2>().0;
    let zeros = |at: usize| pairs.iter().filter(|pair| pair[at] == 0).count();
    match (pairs.first(), zeros(0), zeros(1)) {
        (Some([0xfe, 0xff]), ..) => Ok(true),
        (Some([0xff, 0xfe]), ..) | (None, ..) => Ok(false),
        (_, high, low) if high > low => Ok(true),
        (_, high, low) if low > high => Ok(false),
        _ => Err(TextFault::ByteOrder),
    }
}

/// The number of bytes at the end that begin but do not finish a character of UTF-8.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let wanted = match bytes[bytes.len() - back] {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            0x80..=0xbf => continue,
            _ => 1,
        };
        return if wanted > back { back } else { 0 };
    }
    0
}

/// Decodes UTF-16 up to the first invalid character; the fault is `None` if all characters are valid.
fn utf16(decoder: &mut encoding_rs::Decoder, bytes: &[u8], last: bool) -> (String, Option<TextFault>) {
    // A code unit of UTF-16 becomes at most three bytes of UTF-8; the decoder says how many it may need.
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len().saturating_mul(2));
    let mut text = String::with_capacity(room);
    let fault = match decoder.decode_to_string_without_replacement(bytes, &mut text, last).0 {
        DecoderResult::InputEmpty => None,
        DecoderResult::OutputFull | DecoderResult::Malformed(..) => Some(TextFault::Encoding(Encoding::Utf16)),
    };
    (text, fault)
}
