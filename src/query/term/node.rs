//! Shared nodes of terms: each operation with its operands is stored once, however many terms contain it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};

use super::Operation;

/// An operation with its operands. Cloning is cheap, as the content is shared; comparison and serialization use the content.
#[derive(Clone)]
pub struct Node(Arc<Held>);

struct Held {
    made: Operation,
    /// Hash of `made`, cached so that looking up a large term is as fast as a small one.
    hash: u64,
    weight: u64,
}

impl Node {
    /// The operation itself, cloned only if other nodes share it.
    #[must_use]
    pub fn take(self) -> Operation {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.made.clone(), |held| held.made)
    }

    /// Cost of processing the term as a whole: its operations and the members of its lists.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.0.weight
    }
}

impl From<Operation> for Node {
    fn from(made: Operation) -> Self {
        let mut hasher = DefaultHasher::new();
        made.hash(&mut hasher);
        let (hash, weight) = (hasher.finish(), made.weight());
        Self(Arc::new(Held { made, hash, weight }))
    }
}

impl Deref for Node {
    type Target = Operation;

    fn deref(&self) -> &Operation {
        &self.0.made
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.0.hash == other.0.hash && self.0.made == other.0.made)
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.made.cmp(&other.0.made) }
    }
}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.made.fmt(out)
    }
}

impl BorshSerialize for Node {
    fn serialize<W: io::Write>(&self, out: &mut W) -> io::Result<()> {
        self.0.made.serialize(out)
    }
}

impl BorshDeserialize for Node {
    fn deserialize_reader<R: io::Read>(from: &mut R) -> io::Result<Self> {
        Operation::deserialize_reader(from).map(Self::from)
    }
}
