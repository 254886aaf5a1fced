//! Editions that are held: loaded into the engine for as long as any question may ask them.
//!
//! Promises that an edition that was superseded is let go of, and its files are removed, once the last service that serves it is gone, and
//! not before; and that nothing of an edition that is still current is touched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::dataset::Dataset;
use crate::engine::Engine;

/// What is done once nothing asks the editions any more. It may take a while, so it has a thread of its own.
type Farewell = Box<dyn FnOnce() + Send>;

/// The editions of one dataset and of the tables that it is joined with. Every service that serves them holds them.
pub(in crate::service) struct HeldEditions {
    editions: Vec<String>,
    engine: Arc<dyn Engine>,
    farewell: Mutex<Option<Farewell>>,
}

impl HeldEditions {
    /// The editions of these datasets, by the dataset whose account pays.
    pub(in crate::service) fn of(datasets: &[Dataset], engine: &Arc<dyn Engine>) -> BTreeMap<String, Arc<Self>> {
        let mut editions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for dataset in datasets {
            editions.entry(dataset.lineage.clone()).or_default().push(dataset.edition.clone());
        }
        let held = |(lineage, editions)| {
            let (engine, farewell) = (Arc::clone(engine), Mutex::default());
            (lineage, Arc::new(Self { editions, engine, farewell }))
        };
        editions.into_iter().map(held).collect()
    }

    /// Says that another edition has taken the place of these: they are let go of once nobody holds them, and then `farewell` runs.
    pub(in crate::service) fn supersede(&self, farewell: impl FnOnce() + Send + 'static) {
        *self.farewell.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(farewell));
    }

    /// The ids of the editions.
    pub(in crate::service) fn editions(&self) -> &[String] {
        &self.editions
    }
}

impl Drop for HeldEditions {
    fn drop(&mut self) {
        let Some(farewell) = self.farewell.get_mut().unwrap_or_else(PoisonError::into_inner).take() else { return };
        self.editions.iter().for_each(|edition| self.engine.unload(edition));
        // What cannot be removed now is removed when the server starts again.
        let _ = std::thread::Builder::new().name("tacit-clear".to_owned()).spawn(farewell);
    }
}
