//! Shared nodes of terms: an operation with its operands, held once however many terms it stands in.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::ops::Deref;
use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};

use super::Made;

/// An operation with its operands. A copy costs nothing; it is compared, written and read as what it holds.
#[derive(Clone)]
pub struct Node(Arc<Held>);

struct Held {
    made: Made,
    /// The hash of `made`, kept so that a large term is looked up as fast as a small one.
    hash: u64,
    weight: u64,
}

impl Node {
    /// What it holds, copied only if another node shares it.
    #[must_use]
    pub fn take(self) -> Made {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.made.clone(), |held| held.made)
    }

    /// What it takes to look at it as a whole: its operations, and the members of its lists.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.0.weight
    }
}

impl From<Made> for Node {
    fn from(made: Made) -> Self {
        let mut hasher = DefaultHasher::new();
        made.hash(&mut hasher);
        let (hash, weight) = (hasher.finish(), made.weight());
        Self(Arc::new(Held { made, hash, weight }))
    }
}

impl Deref for Node {
    type Target = Made;

    fn deref(&self) -> &Made {
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
        Made::deserialize_reader(from).map(Self::from)
    }
}
