//! Which groups of an answer have a row.

use std::collections::HashSet;
use std::io::{Error, ErrorKind, Read, Result, Write};

use borsh::{BorshDeserialize, BorshSerialize};

use crate::query::answer::formula::HavingCondition;

/// Which groups have a row. All of it depends on noisy values and public labels alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShownGroups {
    /// Condition of HAVING on a group's noisy values, before windows; `None` leaves every group.
    pub having: Option<HavingCondition>,
    /// Index of the hidden output that must be true after windows: the condition of a query around the answer.
    pub after: Option<usize>,
    /// Indices of the keys of which each combination has one row, from `SELECT DISTINCT`; `None` shows a row for each group.
    pub distinct: Option<Vec<usize>>,
}

/// Begins the encoding of what is more than HAVING.
const MORE: u8 = 2;

impl ShownGroups {
    /// Those that a condition of HAVING leaves, with a row for each.
    #[must_use]
    pub fn having(having: Option<HavingCondition>) -> Self {
        Self { having, after: None, distinct: None }
    }

    /// Whether a group is the first with its combination of the keys that rows are distinct in.
    pub(super) fn is_first(&self, places: &[Option<usize>], seen: &mut HashSet<Vec<Option<usize>>>) -> bool {
        match &self.distinct {
            None => true,
            Some(keys) => seen.insert(keys.iter().map(|key| places.get(*key).copied().flatten()).collect()),
        }
    }
}

impl BorshSerialize for ShownGroups {
    /// Writes HAVING alone as an `Option`, which is how it was once stored.
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        if self.after.is_none() && self.distinct.is_none() {
            return self.having.serialize(writer);
        }
        (MORE, &self.having, self.after.map(|output| output as u64)).serialize(writer)?;
        let distinct: Option<Vec<u64>> =
            self.distinct.as_ref().map(|keys| keys.iter().map(|key| *key as u64).collect());
        distinct.serialize(writer)
    }
}

impl BorshDeserialize for ShownGroups {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::InvalidData, "these are no shown groups");
        match u8::deserialize_reader(reader)? {
            0 => Ok(Self::default()),
            1 => Ok(Self::having(Some(HavingCondition::deserialize_reader(reader)?))),
            MORE => {
                let index = |of: u64| usize::try_from(of).map_err(|_| invalid());
                let having = Option::deserialize_reader(reader)?;
                let after = Option::<u64>::deserialize_reader(reader)?.map(index).transpose()?;
                let distinct = Option::<Vec<u64>>::deserialize_reader(reader)?;
                let distinct = distinct.map(|keys| keys.into_iter().map(index).collect()).transpose()?;
                Ok(Self { having, after, distinct })
            }
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::answer::formula::Formula;

    #[test]
    fn having_alone_is_stored_as_it_always_was() {
        let condition = HavingCondition::Missing(Formula::Count(3));
        for having in [None, Some(condition.clone())] {
            let bytes = borsh::to_vec(&ShownGroups::having(having.clone())).expect("bytes");
            assert_eq!(bytes, borsh::to_vec(&having).expect("bytes"));
            assert_eq!(borsh::from_slice::<ShownGroups>(&bytes).expect("groups"), ShownGroups::having(having));
        }
        for (after, distinct) in [(Some(4), None), (None, Some(vec![0, 2])), (Some(1), Some(Vec::new()))] {
            let shown = ShownGroups { having: Some(condition.clone()), after, distinct };
            let bytes = borsh::to_vec(&shown).expect("bytes");
            assert_eq!(borsh::from_slice::<ShownGroups>(&bytes).expect("groups"), shown);
        }
        assert!(borsh::from_slice::<ShownGroups>(&[3]).is_err());
    }
}
