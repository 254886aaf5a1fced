//! Limits on the queries that wait or run: few enough in total, and no one person may take all of them.

use std::sync::{Arc, PoisonError};

use crate::service::{Service, ServiceError};

/// Largest number of queries that wait or run at once; a further query is told that the server is overloaded.
pub const QUERIES_MAX: usize = 4_096;
/// Largest number of one person's queries that wait or run at once, so that nobody takes every slot.
const QUERIES_OF_ONE_MAX: usize = 2_048;

/// One query's slot among those that wait or run. It is freed when dropped.
pub(crate) struct QuerySlot {
    service: Arc<Service>,
    who: String,
}

impl Drop for QuerySlot {
    fn drop(&mut self) {
        let mut present = self.service.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = present.get_mut(&self.who) {
            *mine = mine.saturating_sub(1);
            if *mine == 0 {
                present.remove(&self.who);
            }
        }
    }
}

impl Service {
    /// Counts a query in for as long as the returned slot is held.
    pub(crate) fn place(self: &Arc<Self>, who: &str) -> Result<QuerySlot, ServiceError> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = present.values().sum();
        let mine = present.entry(who.to_owned()).or_default();
        if all >= QUERIES_MAX || *mine >= QUERIES_OF_ONE_MAX {
            return Err(ServiceError::Overloaded);
        }
        *mine += 1;
        Ok(QuerySlot { service: Arc::clone(self), who: who.to_owned() })
    }
}
