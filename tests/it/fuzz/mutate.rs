//! Mutations of a corpus: the operations of coverage-guided fuzzers, from a seeded generator.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

const SEED: u64 = 7;
/// Largest number of operations on one input.
const MOVES_MAX: usize = 6;

pub struct Mutations<'a> {
    corpus: &'a [Vec<u8>],
    words: &'a [&'a str],
    rng: StdRng,
}

impl<'a> Mutations<'a> {
    pub fn new(corpus: &'a [Vec<u8>], words: &'a [&'a str]) -> Self {
        Self { corpus, words, rng: StdRng::seed_from_u64(SEED) }
    }

    /// Generates one more input.
    pub fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.corpus.choose(&mut self.rng).expect("a corpus").clone();
        for _ in 0..self.rng.random_range(1..=MOVES_MAX) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let rng = &mut self.rng;
        let from = rng.random_range(0..=bytes.len());
        let to = (from + rng.random_range(0..16)).min(bytes.len());
        match rng.random_range(0..7) {
            0 if from < bytes.len() => bytes[from] ^= 1 << rng.random_range(0..8),
            1 if from < bytes.len() => {
                bytes[from] = *[0, 1, 0x7f, 0x80, 0xff, b'0', b'-', b'\''].choose(rng).expect("a byte")
            }
            2 => drop(bytes.drain(from..to)),
            3 => {
                let copy = bytes[from..to].to_vec();
                bytes.splice(from..from, copy);
            }
            4 => {
                let word = self.words.choose(rng).copied().unwrap_or_default();
                bytes.splice(from..to.min(from + word.len()), word.bytes());
            }
            5 => {
                let other = self.corpus.choose(rng).expect("a corpus");
                let at = rng.random_range(0..=other.len());
                let end = (at + rng.random_range(0..64)).min(other.len());
                bytes.splice(from..from, other[at..end].iter().copied());
            }
            _ => bytes.truncate(bytes.len() - bytes.len().min(rng.random_range(0..4))),
        }
    }
}
