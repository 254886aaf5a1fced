//! The index of a sealed table of format 2: the digest of every chunk, and where the texts are.
//!
//! Promises that whoever has checked the index against the manifest's digest can check any chunk by itself.

use borsh::{BorshDeserialize, BorshSerialize};

use super::layout::{Blocks, TableLayout, aligned};
use crate::kernel::budget::entry::Digest;
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::Terms;

/// The version that an index begins with.
const VERSION: u8 = 1;

/// The texts of one column, in the order of their codes: a Borsh list of strings.
#[derive(Debug, Clone, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct TextsEntry {
    /// The number of bytes, without the zeros after them.
    pub bytes: u64,
    /// The BLAKE3 digest of these bytes.
    pub digest: Digest,
}

/// The digests of all parts of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Index {
    /// For each block, the BLAKE3 digest of each column's chunk.
    pub chunks: Vec<Vec<Digest>>,
    /// The texts of each declared column without a list, in the order of the columns.
    pub texts: Vec<TextsEntry>,
}

impl Index {
    /// The bytes of the index.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        // Unwrap safety: writing into a vector does not fail, and no list has 2³² entries.
        self.serialize(&mut bytes).expect("an index fits into memory");
        bytes
    }

    /// Reads an index whose digest is the one in the manifest. Returns `None` if it is not, or if the index, the manifest and the terms
    /// contradict each other.
    #[must_use]
    pub fn decoded(
        bytes: &[u8],
        digest: &Digest,
        (layout, blocks, terms): (&TableLayout, &Blocks, &Terms),
    ) -> Option<Self> {
        if blake3::hash(bytes).as_bytes() != digest {
            return None;
        }
        let (version, rest) = bytes.split_first()?;
        let index = Self::try_from_slice(rest).ok().filter(|_| *version == VERSION)?;
        let texts = terms.columns.iter().filter(|column| matches!(column.domain, Domain::Text { .. })).count();
        let has_all = index.chunks.len() == layout.blocks()
            && index.chunks.iter().all(|chunks| chunks.len() == layout.columns().len())
            && index.texts.len() == texts
            && index.text_places(layout.blocks_end())?.1 == blocks.index_at;
        has_all.then_some(index)
    }

    /// The byte at which the texts of each column without a list begin, if the first of them begin at `start`; and the byte after the last
    /// of them and the zeros that follow it.
    #[must_use]
    pub fn text_places(&self, start: u64) -> Option<(Vec<u64>, u64)> {
        let (mut places, mut at) = (Vec::with_capacity(self.texts.len()), start);
        for texts in &self.texts {
            places.push(at);
            at = at.checked_add(aligned(texts.bytes)?)?;
        }
        Some((places, at))
    }
}
