//! Who sees what is published of a dataset.
//!
//! Promises that a viewer who was given datasets sees those alone, also after their token ended and they got another one; who was given
//! none by name sees all, as before viewers were given datasets.

use std::collections::BTreeSet;

use super::Book;
use super::fold::Taken;
use crate::kernel::budget::people::{Person, Role};
use crate::kernel::privacy::amounts::Price;

impl Book {
    /// The datasets that a viewer was given; `None` where nobody said which, so that they see all.
    #[must_use]
    pub fn viewing(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.viewing.get(name)
    }

    /// Viewers with a token that nobody has given datasets: they see the statistics of all of them.
    pub fn viewers_of_all(&self) -> impl Iterator<Item = &String> {
        let viewers = self.people().filter(|(_, role, is_active)| *role == Role::Viewer && *is_active);
        viewers.map(|(name, ..)| name).filter(|name| !self.viewing.contains_key(*name))
    }

    /// Whether a person sees statistics of a dataset that are not public: a steward does, a researcher with an allocation of it, and a viewer
    /// who was given it or was given none by name.
    #[must_use]
    pub fn sees(&self, person: &Person, dataset: &str) -> bool {
        match person.role {
            Role::Steward => true,
            Role::Researcher => {
                self.researcher(dataset, &person.name).is_some_and(|account| account.amount > Price::ZERO)
            }
            Role::Viewer => self.viewing(&person.name).is_none_or(|datasets| datasets.contains(dataset)),
        }
    }

    pub(super) fn set_viewing(&mut self, name: &str, datasets: &[String]) -> Taken {
        if datasets.iter().any(|dataset| self.dataset(dataset).is_none()) {
            return Err("its dataset was never opened");
        }
        self.viewing.insert(name.to_owned(), datasets.iter().cloned().collect());
        Ok(())
    }
}
