//! Checks of the whole table of an edition, byte by byte.

use std::fs::File;
use std::io::{self, Seek};
use std::os::unix::fs::FileExt;

use super::index::Index;
use super::layout::{Blocks, TableFacts, TableLayout};
use crate::kernel::budget::entry::Digest;
use crate::query::terms::policy::Terms;

/// What is wrong with a table.
#[derive(Debug)]
pub(super) enum TableFault {
    /// The system cannot read it.
    Unreadable(io::Error),
    /// It differs from what was sealed, elsewhere than in a block.
    Damaged,
    /// A block differs from what was sealed.
    DamagedBlock(u64),
}

impl From<io::Error> for TableFault {
    fn from(error: io::Error) -> Self {
        // The length was right before.
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Damaged } else { Self::Unreadable(error) }
    }
}

/// Checks everything but the blocks of a table of format 2: the length of the file, the index, which is returned, and the texts. Of format
/// 1, checks the digest of the whole file.
pub(super) fn check_frame(
    facts: &TableFacts,
    terms: &Terms,
    file: &mut File,
) -> Result<Option<(TableLayout, Index)>, TableFault> {
    let Some(blocks) = &facts.blocks else {
        let is_same = digest_of_file(file)? == facts.digest;
        return if is_same { Ok(None) } else { Err(TableFault::Damaged) };
    };
    let layout = TableLayout::of(terms, &blocks.ends).ok_or(TableFault::Damaged)?;
    let has_rows = blocks.rows(layout.tables()) == facts.rows;
    if !has_rows || blocks.file_bytes() != Some(file.metadata()?.len()) {
        return Err(TableFault::Damaged);
    }
    let bytes = read(file, blocks.index_at, blocks.index_bytes)?;
    let index = Index::decoded(&bytes, &facts.digest, (&layout, blocks, terms)).ok_or(TableFault::Damaged)?;
    check_texts(blocks, (&layout, &index), file)?;
    Ok(Some((layout, index)))
}

/// Checks every byte of a table.
pub(super) fn check(facts: &TableFacts, terms: &Terms, file: &mut File) -> Result<(), TableFault> {
    let Some((layout, index)) = check_frame(facts, terms, file)? else { return Ok(()) };
    for (block, digests) in index.chunks.iter().enumerate() {
        let damaged = TableFault::DamagedBlock(block as u64);
        for (column, digest) in digests.iter().enumerate() {
            let Some(place) = layout.chunk(block, column) else { return Err(damaged) };
            let bytes = read(file, place.all.start, place.all.end - place.all.start)?;
            if blake3::hash(&bytes).as_bytes() != digest {
                return Err(damaged);
            }
        }
    }
    Ok(())
}

/// Checks the texts, and the zeros between and after them and after the index.
fn check_texts(blocks: &Blocks, (layout, index): (&TableLayout, &Index), file: &File) -> Result<(), TableFault> {
    let (places, end) = index.text_places(layout.blocks_end()).ok_or(TableFault::Damaged)?;
    let ends = places.iter().skip(1).copied().chain([end]);
    for ((texts, start), end) in index.texts.iter().zip(&places).zip(ends) {
        let bytes = read(file, *start, end - start)?;
        let (own, rest) = bytes.split_at_checked(texts.bytes as usize).ok_or(TableFault::Damaged)?;
        if blake3::hash(own).as_bytes() != &texts.digest || rest.iter().any(|byte| *byte != 0) {
            return Err(TableFault::Damaged);
        }
    }
    let after = blocks.index_at.saturating_add(blocks.index_bytes);
    let rest = read(file, after, blocks.file_bytes().unwrap_or(after) - after)?;
    if rest.iter().any(|byte| *byte != 0) { Err(TableFault::Damaged) } else { Ok(()) }
}

/// Reads bytes of a file whose length has been checked.
fn read(file: &File, at: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).map_err(|_| io::ErrorKind::UnexpectedEof)?];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

/// The BLAKE3 digest of an open file's bytes. Rewinds the file to its beginning afterwards.
///
/// # Errors
/// Fails if the file system does.
pub fn digest_of_file(file: &mut File) -> io::Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    io::copy(file, &mut hasher)?;
    file.rewind()?;
    Ok(*hasher.finalize().as_bytes())
}
