//! The answers of a union, one by one.
//!
//! Promises that what is asked of each answer (its rows, its measurements, the draws that its tables share) is asked of all of them, however
//! unions stand in each other.

use super::layout::{Layout, Limit};

/// One answer of a union, or the only one of a question.
#[derive(Debug, Clone)]
pub struct SingleAnswer<'a> {
    /// How it becomes rows.
    pub layout: &'a Layout,
    /// For each measurement that the layout refers to, its index in the plan; `None` if they are all of them, in their order.
    places: Option<Vec<u32>>,
}

impl SingleAnswer<'_> {
    /// What the answer has of what the plan has for each measurement.
    #[must_use]
    pub fn of<T: Clone>(&self, whole: &[T]) -> Vec<T> {
        match &self.places {
            None => whole.to_vec(),
            Some(places) => places.iter().filter_map(|place| whole.get(*place as usize).cloned()).collect(),
        }
    }

    /// The index in the plan of a measurement that the layout refers to.
    #[must_use]
    pub fn place(&self, measurement: usize) -> usize {
        match &self.places {
            None => measurement,
            Some(places) => places.get(measurement).map_or(usize::MAX, |place| *place as usize),
        }
    }
}

impl Layout {
    /// The answers whose rows the table has: those of a union in their order, or the only one.
    #[must_use]
    pub fn answers(&self) -> Vec<SingleAnswer<'_>> {
        let mut found = Vec::new();
        self.add_answers(None, &mut found);
        found
    }

    fn add_answers<'a>(&'a self, places: Option<Vec<u32>>, found: &mut Vec<SingleAnswer<'a>>) {
        if self.arms.is_empty() {
            found.push(SingleAnswer { layout: self, places });
            return;
        }
        for arm in &self.arms {
            let own = match &places {
                None => arm.vectors.clone(),
                Some(places) => arm.of(places),
            };
            arm.layout.add_answers(Some(own), found);
        }
    }

    /// The layout for somebody who paid for all rows: without conditions on them and without limits.
    #[must_use]
    pub fn of_all_rows(&self) -> Self {
        let mut all = self.clone();
        all.limit = Limit::All;
        (all.shown.having, all.shown.after) = (None, None);
        all.arms.iter_mut().for_each(|arm| arm.layout = arm.layout.of_all_rows());
        all
    }

    /// The layout without the labels of groups, which may be many.
    #[must_use]
    pub fn without_labels(mut self) -> Self {
        self.keys = Vec::new();
        for arm in &mut self.arms {
            arm.layout = arm.layout.clone().without_labels();
        }
        self
    }

    /// The layout with the labels of a stored answer of the same plan.
    #[must_use]
    pub fn with_labels(mut self, stored: &Self) -> Self {
        self.keys.clone_from(&stored.keys);
        for (arm, stored) in self.arms.iter_mut().zip(&stored.arms) {
            arm.layout = arm.layout.clone().with_labels(&stored.layout);
        }
        self
    }

    /// Takes over which draws the tables of its groupings share, from the layout of a stored answer of the same plan.
    #[must_use]
    pub fn with_sources(mut self, stored: Option<&Self>) -> Self {
        self.sets = self.sets.map(|sets| sets.stored_as(stored.and_then(|stored| stored.sets.as_ref())));
        for (place, arm) in self.arms.iter_mut().enumerate() {
            let same = stored.and_then(|stored| stored.arms.get(place)).filter(|same| same.vectors == arm.vectors);
            arm.layout = arm.layout.clone().with_sources(same.map(|same| &same.layout));
        }
        self
    }
}
