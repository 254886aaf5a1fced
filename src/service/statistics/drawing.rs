//! Drawing statistics: a steward's agreement, what is due, and what becomes of it.
//!
//! Promises that nothing is drawn that no steward agreed to, that an agreement is durable before the first draw, and that one charge a
//! period is made, whatever becomes of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Agreement, Statistic};
use crate::budget::book::Book;
use crate::budget::charge::Refusal;
use crate::budget::entry::{Act, Digest, KeyUse};
use crate::budget::ledger::{Ledger, read};
use crate::budget::people::STATISTICS;
use crate::chance;
use crate::privacy::units::Epsilon;
use crate::query::error::shown;
use crate::service::{Service, ServiceError};

/// Between two looks at what is due.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(30);

/// What became of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// This release is shown now.
    Released(String),
    /// It was due, and what was shown stays up.
    Skipped(String),
}

/// Writes down that a steward agrees to the question and the price of a statistic; nothing is drawn by it.
///
/// # Errors
/// [`ServiceError::UnknownDataset`]; [`ServiceError::Ledger`] where it cannot be written.
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
    ledger.act(Box::new(move |_| Ok(act)), now_ms)?.map(|_| ()).map_err(ServiceError::Invalid)
}

impl Service {
    /// Refreshes whatever is due, in the order of names. Called often; what is not due costs a look at the book.
    pub async fn refresh_due(self: &Arc<Self>) -> Vec<(String, Refreshed)> {
        let _turn = self.refreshing.lock().await;
        let mut done = Vec::new();
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

    /// The key of a statistic's draw of this edition in this period. One charge a period, whatever becomes of it: an answer that fails after
    /// its charge is not drawn again before the next, or the next day where there are no periods.
    fn period_key(&self, statistic: &Statistic) -> Digest {
        let edition = self.dataset(&statistic.dataset).map_or("", |dataset| dataset.edition.as_str());
        let now_ms = self.now_ms();
        let period = self.zone.period(statistic.refresh, now_ms).unwrap_or_else(|| self.zone.date(now_ms));
        digest(&(&statistic.name, hex::encode(statistic.question), edition, &period))
    }

    /// Refreshes what is due for as long as the server runs, at once and every half minute. The service is ready once it has looked.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            // A look that fails is no reason to look no more.
            let this = Arc::clone(&self);
            let _ = tokio::spawn(async move { this.refresh_due().await }).await;
            self.has_looked.store(true, Ordering::Release);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Agrees to the question and the price of a statistic for a steward, and draws it where it is due by that; from then on its schedule
    /// draws it. Where `most` is given, a draw may cost that much. One that is agreed to already is drawn only where it is due.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for no such statistic; [`ServiceError::Invalid`] where it costs more than `most` or has no account;
    /// otherwise those of [`Service::answer`]. What is refused is not agreed to.
    pub async fn publish(self: &Arc<Self>, name: &str, most: Option<Epsilon>, by: &str) -> Result<(), ServiceError> {
        let statistic = self.payable(name)?;
        if let Some(most) = most.filter(|most| statistic.epsilon > *most) {
            return Err(ServiceError::Invalid(format!(
                "a draw of \"{}\" costs epsilon {}, which is more than the {most} that was agreed to; nothing was spent",
                statistic.name, statistic.epsilon
            )));
        }
        let (this, name, by) = (Arc::clone(self), statistic.name.clone(), by.to_owned());
        // A caller that hangs up cancels nothing: what is paid for is shown.
        let publishing = tokio::spawn(async move {
            let _turn = this.refreshing.lock().await;
            let statistic = this.statistic(&name).ok_or(ServiceError::Overloaded)?;
            this.agree(statistic, by).await?;
            if this.state_of(statistic).is_due {
                this.draw(statistic, this.period_key(statistic), false).await?;
            }
            Ok(())
        });
        publishing.await.map_err(|_| ServiceError::Overloaded)?
    }

    /// Writes down a steward's agreement, unless there is one; not to what would be refused.
    async fn agree(self: &Arc<Self>, statistic: &Statistic, by: String) -> Result<(), ServiceError> {
        if self.reading_of(statistic).agreement == Agreement::Given {
            return Ok(());
        }
        let name = statistic.name.clone();
        self.writing(STATISTICS, move |this| {
            let statistic = this.statistic(&name).ok_or(ServiceError::Overloaded)?;
            let mut priced = this.price(STATISTICS, &statistic.ask)?;
            this.look_up(&mut priced);
            this.offer(STATISTICS, &priced)?;
            confirm(this.ledger(), statistic, &by, this.now_ms())
        })
        .await?
    }

    /// Draws a new release of a statistic and shows it, whatever is stored; it is charged to the statistics account.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for no such statistic; [`ServiceError::Invalid`] for one that waits for a steward's agreement; otherwise
    /// those of [`Service::answer`].
    pub async fn refresh(self: &Arc<Self>, name: &str) -> Result<String, ServiceError> {
        let statistic = self.payable(name)?;
        if self.reading_of(statistic).agreement != Agreement::Given {
            let way = format!("tacit statistics publish {name}, or its button in the console");
            return Err(ServiceError::Invalid(format!("\"{name}\" waits for a steward to confirm its price: {way}")));
        }
        let chance = chance::bytes::<32>().map_err(|error| ServiceError::Invalid(error.to_string()))?;
        let (this, name) = (Arc::clone(self), statistic.name.clone());
        // A caller that hangs up cancels nothing: what is paid for is shown.
        let drawing = tokio::spawn(async move {
            let _turn = this.refreshing.lock().await;
            let statistic = this.statistic(&name).ok_or(ServiceError::Overloaded)?;
            this.draw(statistic, chance, true).await
        });
        drawing.await.map_err(|_| ServiceError::Overloaded)?
    }

    /// A statistic whose dataset has an account for statistics.
    fn payable(&self, name: &str) -> Result<&Statistic, ServiceError> {
        let unknown = || ServiceError::NotFound(format!("there is no statistic \"{}\"", shown(name)));
        let statistic = self.statistic(name).ok_or_else(unknown)?;
        let dataset = &statistic.lineage;
        if read(self.ledger(), |book| book.branch(dataset, STATISTICS).is_none()) {
            let way = format!("tacit grant {dataset} {dataset} --kind statistics --epsilon E --reason TEXT");
            return Err(ServiceError::Invalid(format!("\"{dataset}\" has no statistics account; open one: {way}")));
        }
        Ok(statistic)
    }

    /// Waits until no statistic is being drawn, so that a stop cuts none off.
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
        // When it was asked: when it was ready is its rows'.
        let at_ms = self.now_ms();
        let asking = Arc::clone(self).answer_anew(STATISTICS.to_owned(), statistic.ask.clone(), Some(key), is_fresh);
        let answer = tokio::spawn(asking).await.map_err(|_| ServiceError::Overloaded)??;
        let (name, release) = (statistic.name.clone(), answer.stored.release.id.clone());
        let (edition, published) = (answer.stored.release.subject.edition.clone(), release.clone());
        let act = move |_: &Book| Ok(Act::Published { statistic: name, key, release: published, edition });
        let publish = move |ledger: &dyn Ledger, _| Ok(ledger.act(Box::new(act), at_ms)?);
        Arc::clone(self).steward(publish).await?.map_err(ServiceError::Invalid)?;
        Ok(release)
    }

    /// Notes once a period that a statistic was due and was not drawn.
    async fn skip(self: &Arc<Self>, statistic: &Statistic, error: &ServiceError) -> String {
        let why = told(error);
        // What is the server's own trouble is over by the next look, and is no news for the ledger.
        let is_decided =
            matches!(error, ServiceError::Refused(_) | ServiceError::Query(_) | ServiceError::Unanswered { .. });
        let (name, words, now_ms) = (statistic.name.clone(), why.clone(), self.now_ms());
        let known = read(self.ledger(), |book| book.statistic(&name).and_then(|card| card.skipped.clone()));
        let is_news =
            known.is_none_or(|(at_ms, known)| known != why || self.zone.has_turned(statistic.refresh, at_ms, now_ms));
        if is_decided && is_news {
            tracing::warn!(statistic = name, why, "a statistic was due and was not drawn");
            let act = move |_: &Book| Ok(Act::RefreshSkipped { statistic: name, why: words });
            let _ = Arc::clone(self).steward(move |ledger, now| Ok(ledger.act(Box::new(act), now)?)).await;
        }
        why
    }
}

fn digest(parts: &impl serde::Serialize) -> Digest {
    // Unwrap safety: the parts are plain data.
    *blake3::hash(&serde_json::to_vec(parts).expect("the parts are plain data")).as_bytes()
}

/// Why a statistic was not drawn, for its readers and the steward: public words alone.
fn told(error: &ServiceError) -> String {
    let ServiceError::Refused(refused) = error else {
        return match error {
            ServiceError::Query(_) => "its dataset has no statistics account".to_owned(),
            ServiceError::Unanswered { .. } => "its last answer failed after it was charged".to_owned(),
            _ => "the server could not draw it".to_owned(),
        };
    };
    match &refused.refusal {
        // Without what is left, which changes often and is no other reason.
        Refusal::Exhausted { asked, .. } => {
            let asked = refused.accountant.map(|accountant| accountant.epsilon_spent(*asked).to_string());
            format!("it costs epsilon {}, and less is left for statistics", asked.unwrap_or_default())
        }
        Refusal::NoAccount => "its dataset has no statistics account".to_owned(),
        Refusal::OverQueryLimit { .. } => "it costs more than one query may".to_owned(),
        Refusal::CellsExhausted { .. } => "the dataset has drawn all the noisy cells of its guarantee".to_owned(),
        Refusal::ThresholdExhausted { .. } => "nothing is left of the delta for thresholds".to_owned(),
        Refusal::Frozen { .. } => "its dataset is frozen".to_owned(),
        Refusal::Unanswered => "its last answer failed after it was charged".to_owned(),
        Refusal::Gone | Refusal::KeyConflict => "the server could not draw it".to_owned(),
    }
}
