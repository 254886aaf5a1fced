//! Drawing statistics: a steward's agreement, the draws that are due, and their results.
//!
//! Nothing is drawn that no steward has agreed to, an agreement is durable before the first draw, and each period is charged at
//! most once, whatever comes of the draw.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::statistic::{Agreement, Statistic};
use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::{Act, Digest, KeyUse};
use crate::kernel::budget::ledger::{Ledger, read};
use crate::kernel::budget::people::STATISTICS;
use crate::kernel::privacy::amounts::Epsilon;
use crate::kernel::random;
use crate::query::error::shown;
use crate::service::stewarding::fault::{Absence, StewardFault};
use crate::service::{Service, ServiceError};

/// Pause between two checks for draws that are due.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(30);

/// The result of refreshing a statistic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// A new release was drawn and is shown now; this is its id.
    Released(String),
    /// The statistic was due but could not be drawn; what was shown before stays up. This says why, in public words.
    Skipped(String),
}

/// Records that a steward agrees to the question and the price of a statistic. This draws nothing.
///
/// # Errors
/// [`ServiceError::UnknownDataset`]; [`ServiceError::Ledger`] if the agreement cannot be written.
pub fn confirm(ledger: &dyn Ledger, statistic: &Statistic, by: &str, now_ms: u64) -> Result<(), ServiceError> {
    if read(ledger, |book| book.dataset(&statistic.lineage).is_none()) {
        return Err(ServiceError::UnknownDataset(shown(&statistic.lineage)));
    }
    let act = Act::StatisticConfirmed {
        statistic: statistic.name.clone(),
        dataset: statistic.lineage.clone(),
        question: statistic.question,
        epsilon: statistic.epsilon,
        amount: statistic.amount,
        face: statistic.face.text(),
        by: by.to_owned(),
    };
    ledger.act(Box::new(move |_| Some(act)), now_ms)?;
    Ok(())
}

impl Service {
    /// Refreshes all statistics that are due, in the order of their names. It may be called often: a statistic that is not due
    /// only costs a look at the ledger's state.
    pub async fn refresh_due(self: &Arc<Self>) -> Vec<(String, Refreshed)> {
        let _turn = self.refreshing.lock().await;
        let mut done = Vec::new();
        // A new edition was taken meanwhile: the next round draws from it.
        if !Arc::ptr_eq(self, &self.latest()) {
            return done;
        }
        for statistic in self.statistics.values().filter(|statistic| self.state_of(statistic).is_due) {
            let became = match self.draw(statistic, self.period_key(statistic), false).await {
                Ok(release) => Refreshed::Released(release),
                Err(error) => Refreshed::Skipped(self.skip(statistic, &error).await),
            };
            done.push((statistic.name.clone(), became));
        }
        self.has_looked.store(true, Ordering::Release);
        done
    }

    /// The idempotency key for a draw of this statistic from this edition in this period. It makes each period be charged at most
    /// once: an answer that fails after its charge is not drawn again before the next period, or the next day if the statistic
    /// has no periods.
    fn period_key(&self, statistic: &Statistic) -> Digest {
        let edition = self.dataset(&statistic.dataset).map_or("", |dataset| dataset.edition.as_str());
        let now_ms = self.now_ms();
        let period = self.zone.period(statistic.refresh, now_ms).unwrap_or_else(|| self.zone.date(now_ms));
        digest(&(&statistic.name, hex::encode(statistic.question), edition, &period))
    }

    /// Refreshes statistics that are due for as long as the server runs: at once, after each new edition, and then every half minute. The
    /// service counts as ready after the first round.
    pub async fn keep_fresh(self: Arc<Self>) {
        let Some(current) = self.current() else { return self.keep_fresh_alone().await };
        let mut changes = current.changes();
        // Between two rounds nothing is held that would keep a superseded edition.
        drop((self, current));
        loop {
            let this = Arc::clone(&changes.borrow_and_update());
            this.round().await;
            if let Ok(Err(_)) = tokio::time::timeout(PAUSE, changes.changed()).await {
                return;
            }
        }
    }

    async fn keep_fresh_alone(self: Arc<Self>) {
        loop {
            Arc::clone(&self).round().await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One round of draws. A round that panics must not end the loop of rounds.
    async fn round(self: Arc<Self>) {
        let (has_looked, keeper) = (Arc::clone(&self.has_looked), Arc::clone(&self));
        let _ = tokio::spawn(async move { self.refresh_due().await }).await;
        let clear = move || keeper.uploads().inspect(|uploads| uploads.clear_old(keeper.now_ms())).is_some();
        let _ = tokio::task::spawn_blocking(clear).await;
        has_looked.store(true, Ordering::Release);
    }

    /// Records a steward's agreement to the question and the price of a statistic, and draws it if it is due then; from then on
    /// it is drawn on its schedule. If `most` is given, a draw may cost at most that much. A statistic that was agreed to before
    /// is only drawn if it is due.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there is no such statistic; [`ServiceError::Invalid`] if it costs more than `most` or has no
    /// account; otherwise the errors of [`Service::answer`]. If it is refused, no agreement is recorded.
    pub async fn publish(self: &Arc<Self>, name: &str, most: Option<Epsilon>, by: &str) -> Result<(), ServiceError> {
        let statistic = self.payable(name)?;
        statistic.check_price(most)?;
        let (this, name, by) = (Arc::clone(self), statistic.name.clone(), by.to_owned());
        // Spawned, so that a caller who hangs up cancels nothing: what is paid for is shown.
        let publishing = tokio::spawn(async move {
            let _turn = this.refreshing.lock().await;
            let this = this.latest();
            let statistic = this.statistic(&name).ok_or(ServiceError::Overloaded)?;
            this.agree(statistic, by).await?;
            if this.state_of(statistic).is_due {
                this.draw(statistic, this.period_key(statistic), false).await?;
            }
            Ok(())
        });
        publishing.await.map_err(|_| ServiceError::Overloaded)?
    }

    /// Records a steward's agreement unless there is one. It records none to a draw that would be refused.
    async fn agree(self: &Arc<Self>, statistic: &Statistic, by: String) -> Result<(), ServiceError> {
        if self.reading_of(statistic).agreement == Agreement::Given {
            return Ok(());
        }
        let name = statistic.name.clone();
        self.writing(STATISTICS, move |this| {
            let statistic = this.statistic(&name).ok_or(ServiceError::Overloaded)?;
            let mut priced = this.price(STATISTICS, statistic.ask.clone())?;
            this.look_up(&mut priced);
            this.offer(STATISTICS, &priced)?;
            confirm(this.ledger(), statistic, &by, this.now_ms())
        })
        .await?
    }

    /// Draws a new release of a statistic, even if a stored answer would do, and shows it. The statistics account pays.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there is no such statistic; [`ServiceError::Invalid`] if it waits for a steward's agreement;
    /// otherwise the errors of [`Service::answer`].
    pub async fn refresh(self: &Arc<Self>, name: &str) -> Result<String, ServiceError> {
        let statistic = self.payable(name)?;
        if self.reading_of(statistic).agreement != Agreement::Given {
            return Err(StewardFault::Unconfirmed { name: name.to_owned() }.into());
        }
        let chance = random::bytes::<32>().map_err(StewardFault::from)?;
        let (this, name) = (Arc::clone(self), statistic.name.clone());
        // Spawned, so that a caller who hangs up cancels nothing: what is paid for is shown.
        let drawing = tokio::spawn(async move {
            let _turn = this.refreshing.lock().await;
            let this = this.latest();
            let statistic = this.statistic(&name).ok_or(ServiceError::Overloaded)?;
            this.draw(statistic, chance, true).await
        });
        drawing.await.map_err(|_| ServiceError::Overloaded)?
    }

    /// The statistic of this name, provided that its dataset has a statistics account.
    fn payable(&self, name: &str) -> Result<&Statistic, ServiceError> {
        let unknown = || Absence::Statistic { name: name.to_owned() };
        let statistic = self.statistic(name).ok_or_else(unknown)?;
        let dataset = &statistic.lineage;
        if read(self.ledger(), |book| book.branch(dataset, STATISTICS).is_none()) {
            return Err(StewardFault::NoStatisticsAccount { dataset: dataset.clone() }.into());
        }
        Ok(statistic)
    }

    /// Waits until no statistic is being drawn, so that stopping the server interrupts none.
    pub async fn at_rest(&self) {
        let _turn = self.refreshing.lock().await;
    }

    async fn draw(
        self: &Arc<Self>,
        statistic: &Statistic,
        key: Digest,
        is_fresh: bool,
    ) -> Result<String, ServiceError> {
        let key = KeyUse { key, body: statistic.question };
        // Time the question was asked. The completion time depends on the data, so it is never recorded.
        let at_ms = self.now_ms();
        let asking = Arc::clone(self).answer_anew(STATISTICS.to_owned(), statistic.ask.clone(), Some(key), is_fresh);
        let answer = tokio::spawn(asking).await.map_err(|_| ServiceError::Overloaded)??;
        let (name, release) = (statistic.name.clone(), answer.stored.release.id.clone());
        let (edition, published) = (answer.stored.release.subject.edition.clone(), release.clone());
        let act = Act::Published { statistic: name, key, release: published, edition };
        let publish = move |ledger: &dyn Ledger, _| Ok(ledger.act(Box::new(move |_| Some(act)), at_ms)?);
        Arc::clone(self).steward(publish).await?;
        Ok(release)
    }

    /// Records, once a period, that a statistic was due but was not drawn.
    async fn skip(self: &Arc<Self>, statistic: &Statistic, error: &ServiceError) -> String {
        let why = told(error);
        // The server's own troubles are temporary, so they are not recorded in the ledger.
        let is_decided =
            matches!(error, ServiceError::Refused(_) | ServiceError::Query(_) | ServiceError::Unanswered { .. });
        let (name, words, now_ms) = (statistic.name.clone(), why.clone(), self.now_ms());
        let known = read(self.ledger(), |book| book.statistic(&name).and_then(|card| card.skipped.clone()));
        let is_news =
            known.is_none_or(|(at_ms, known)| known != why || self.zone.has_turned(statistic.refresh, at_ms, now_ms));
        if is_decided && is_news {
            tracing::warn!(statistic = name, why, "a statistic was due and was not drawn");
            let act = Act::RefreshSkipped { statistic: name, why: words };
            let skip = move |ledger: &dyn Ledger, now| Ok(ledger.act(Box::new(move |_| Some(act)), now)?);
            let _ = Arc::clone(self).steward(skip).await;
        }
        why
    }
}

fn digest(parts: &impl serde::Serialize) -> Digest {
    // Unwrap safety: the parts are plain data.
    *blake3::hash(&serde_json::to_vec(parts).expect("the parts are plain data")).as_bytes()
}

/// Why a statistic was not drawn, for its readers and the steward, in public words.
fn told(error: &ServiceError) -> String {
    let ServiceError::Refused(refused) = error else {
        return match error {
            ServiceError::Query(_) => "its dataset has no statistics account".to_owned(),
            ServiceError::Unanswered { .. } => "its last answer failed after it was charged".to_owned(),
            _ => "the server could not draw it".to_owned(),
        };
    };
    match &refused.refusal {
        // The remaining budget is left out: it changes often, and a changed number is not a new reason.
        Refusal::Exhausted { asked, .. } => {
            let asked = refused.accountant.map(|accountant| accountant.epsilon_spent(*asked).to_string());
            format!("it costs epsilon {}, and less is left for statistics", asked.unwrap_or_default())
        }
        Refusal::NoAccount => "its dataset has no statistics account".to_owned(),
        Refusal::OverQueryLimit { .. } => "it costs more than one query may".to_owned(),
        Refusal::CellsExhausted { .. } => {
            "the dataset has drawn all the noisy cells that its guarantee covers".to_owned()
        }
        Refusal::ThresholdExhausted { .. } => "nothing is left of the delta for thresholds".to_owned(),
        Refusal::Frozen { .. } => "its dataset is frozen".to_owned(),
        Refusal::Unanswered => "its last answer failed after it was charged".to_owned(),
        Refusal::Gone | Refusal::KeyConflict => "the server could not draw it".to_owned(),
    }
}
