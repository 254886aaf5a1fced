//! Lines of a CSV file, before a parser sees them: none may be so long that it would have to be held in memory whole. Line ends
//! count within quotes, too: a quote that is never closed is the parser's to refuse.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// Bytes of a line at the most.
pub(super) const LINE_BYTES_MAX: usize = 16 << 20;
/// What a gzipped file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What files begin with that are packed in ways which are not accepted; the parser would unpack them all the same.
const OTHERS: [&[u8]; 4] = [&[0x28, 0xb5, 0x2f, 0xfd], &[0x78, 0x01], &[0x78, 0x9c], &[0x78, 0xda]];

/// The number of the first line that is too long, from 1; nothing where all are short.
///
/// # Errors
/// Those of the file system and of a gzip stream that is damaged.
pub(super) fn first_long(path: &Path) -> io::Result<Option<u64>> {
    let mut start = [0; 4];
    let read = File::open(path)?.read(&mut start)?;
    if OTHERS.iter().any(|packed| start[..read].starts_with(packed)) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let file = File::open(path)?;
    if start[..read].starts_with(&GZIP) {
        first_long_of(MultiGzDecoder::new(BufReader::new(file)))
    } else {
        first_long_of(file)
    }
}

fn first_long_of(mut text: impl Read) -> io::Result<Option<u64>> {
    let mut chunk = vec![0; 1 << 20];
    let (mut line, mut length) = (1, 0);
    loop {
        let read = match text.read(&mut chunk) {
            Ok(0) => return Ok(None),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut ends = chunk[..read].iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        let Some(first) = ends.next() else {
            length += read;
            if length > LINE_BYTES_MAX {
                return Ok(Some(line));
            }
            continue;
        };
        if length + first > LINE_BYTES_MAX {
            return Ok(Some(line));
        }
        // Lines within a chunk are shorter than the chunk.
        let (more, last) = ends.fold((1, first), |(count, _), at| (count + 1, at));
        line += more;
        length = read - last - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_long_line_is_numbered() {
        let long = vec![b'x'; LINE_BYTES_MAX + 1];
        let fits = vec![b'x'; LINE_BYTES_MAX];
        for (text, line) in [
            (b"a\nb\n".to_vec(), None),
            ([b"a\n", fits.as_slice(), b"\nb"].concat(), None),
            ([b"a\nb\n", long.as_slice(), b"\n"].concat(), Some(3)),
            (long.clone(), Some(1)),
            (Vec::new(), None),
        ] {
            assert_eq!(first_long_of(text.as_slice()).expect("readable"), line, "{} bytes", text.len());
        }
    }
}
