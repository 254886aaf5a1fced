//! Published statistics: what they are, when they are due, and what they show.
//!
//! Promises that reading spends nothing, that a schedule draws at most once a period and at most once of an edition, and that what
//! was shown stays up where the statistics account cannot pay. A statistic is asked as a researcher would ask, by an asker that no
//! person can be, so it is charged, shared and stored like any other answer.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ask::{Ask, Margin, Wanted};
use super::schedule::Zone;
use super::{Answer, Service, ServiceError};
use crate::budget::book::{Book, StatisticCard};
use crate::budget::charge::Refusal;
use crate::budget::entry::{Act, Digest, KeyUse};
use crate::budget::ledger::{Ledger, read};
use crate::budget::people::STATISTICS;
use crate::privacy::units::{Epsilon, Price};
use crate::query::error::shown;
use crate::query::file::{QueryFile, Refresh, Shape};
use crate::query::parse;
use crate::{chance, hex};

/// Between two looks at what is due.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(30);

/// A published query.
#[derive(Debug, Clone)]
pub struct Statistic {
    /// The name of its file without the ending.
    pub name: String,
    /// For people.
    pub title: String,
    /// More for people.
    pub description: Option<String>,
    /// The dataset that it asks.
    pub dataset: String,
    /// The dataset that pays for it.
    pub lineage: String,
    /// How often it is drawn anew.
    pub refresh: Refresh,
    /// Whether it is shown without a token.
    pub is_public: bool,
    /// How it is shown.
    pub shape: Shape,
    /// The unit of its numbers.
    pub unit: Option<String>,
    /// Its canonical SQL.
    pub sql: String,
    /// What each draw of it costs, as ε.
    pub price: String,
    ask: Ask,
    question: Digest,
}

/// Why a file cannot be published; the server does not start.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct StatisticFault {
    /// The file.
    pub path: String,
    /// What is wrong, with its place.
    pub why: String,
}

/// What a statistic is like now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The release that it shows, and since when, in milliseconds since 1970 in UTC; nothing before the first.
    pub shown: Option<(String, u64)>,
    /// Why it was not drawn when it was last due, and when that was.
    pub skipped: Option<(u64, String)>,
    /// When its next period begins; nothing where it has none.
    pub next_ms: Option<u64>,
    /// Whether it would be drawn now.
    pub is_due: bool,
}

/// What became of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// This release is shown now.
    Released(String),
    /// It was due, and what was shown stays up.
    Skipped(String),
}

impl Service {
    /// The same service that publishes these files; days begin in `zone`.
    ///
    /// # Errors
    /// [`StatisticFault`] names the first file that cannot be asked under the policies that are served.
    pub fn publishing(mut self, files: Vec<(PathBuf, QueryFile)>, zone: Zone) -> Result<Self, StatisticFault> {
        self.zone = zone;
        // Whoever serves statistics looks at once what is due.
        self.has_looked = AtomicBool::new(files.is_empty());
        for (path, file) in files {
            let fault = |why: String| StatisticFault { path: path.display().to_string(), why };
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            if !is_statistic_name(&name) {
                let accepted = "accepted are 1 to 100 letters, digits and - _, beginning with a letter or digit";
                return Err(fault(format!("\"{}\" is no name of a statistic; {accepted}", shown(&name))));
            }
            let statistic = self.statistic_of(name, file).map_err(fault)?;
            self.statistics.insert(statistic.name.clone(), statistic);
        }
        Ok(self)
    }

    fn statistic_of(&self, name: String, file: QueryFile) -> Result<Statistic, String> {
        let ask = ask(&file)?;
        let told = |error: ServiceError| match error {
            ServiceError::Query(error) => match &error.hint {
                Some(hint) => format!("{error} ({hint})"),
                None => error.to_string(),
            },
            other => other.to_string(),
        };
        let query = parse::parse(&ask.sql).map_err(|error| told(error.into()))?;
        let named = &query.dataset.text;
        let dataset = self.dataset(named).ok_or_else(|| format!("the dataset \"{}\" is not served", shown(named)))?;
        if let Some(header) = file.dataset.filter(|header| *header != dataset.name) {
            let (header, asked) = (shown(&header), &dataset.name);
            return Err(format!("the header \"dataset\" is \"{header}\", and the SQL asks \"{asked}\""));
        }
        let priced = self.price_of(dataset, &query, &ask).map_err(told)?;
        if priced.plan.sought.is_empty() {
            return Err("it measures nothing: keys alone are public and need no statistic".to_owned());
        }
        let total = priced.asked.iter().fold(Price::ZERO, |sum, price| sum.saturating_add(*price));
        let most = dataset.terms.accountant.cap(dataset.terms.max_epsilon_per_query);
        let price = super::quote::priced_epsilon(&priced, &ask, total);
        if total > most {
            let most = dataset.terms.max_epsilon_per_query;
            return Err(format!("it costs epsilon {price}, and one query may cost at most {most}"));
        }
        let accuracy = (&file.epsilon, &file.margin);
        // Unwrap safety: the parts are plain data.
        let text = serde_json::to_vec(&(&priced.sql, accuracy)).expect("a question is plain data");
        Ok(Statistic {
            name,
            title: file.title,
            description: file.description,
            dataset: dataset.name.clone(),
            lineage: dataset.lineage.clone(),
            refresh: file.refresh,
            is_public: file.public,
            shape: file.chart,
            unit: file.unit,
            sql: priced.sql,
            price,
            ask,
            question: *blake3::hash(&text).as_bytes(),
        })
    }

    /// All published statistics by name.
    pub fn statistics(&self) -> impl Iterator<Item = &Statistic> {
        self.statistics.values()
    }

    /// A published statistic.
    #[must_use]
    pub fn statistic(&self, name: &str) -> Option<&Statistic> {
        self.statistics.get(name)
    }

    /// The date of a moment where this server is.
    #[must_use]
    pub fn date(&self, at_ms: u64) -> String {
        self.zone.date(at_ms)
    }

    /// What a statistic is like now. Costs nothing and looks at the book alone.
    #[must_use]
    pub fn state_of(&self, statistic: &Statistic) -> State {
        let now_ms = self.now_ms();
        let edition = self.dataset(&statistic.dataset).map_or("", |dataset| dataset.edition.as_str());
        let state = self.reading_of(statistic);
        let is_due =
            read(self.ledger(), |book| self.is_due(statistic, edition, book.statistic(&statistic.name), now_ms));
        let since_ms = state.shown.as_ref().map_or(now_ms, |(_, at_ms)| now_ms.max(*at_ms));
        State { next_ms: self.zone.next_ms(statistic.refresh, since_ms), is_due, ..state }
    }

    /// Which of its states a statistic is in: the entry that changed it last. Nothing where it shows nothing.
    #[must_use]
    pub fn version_of(&self, statistic: &Statistic) -> Option<u64> {
        read(self.ledger(), |book| {
            let card = book.statistic(&statistic.name)?;
            let shown = card.shown.as_ref().filter(|shown| shown.key.body == statistic.question)?;
            book.is_stored(&shown.release).then_some(card.changed)
        })
    }

    /// The same without when it is due next: what a reader needs to know, found quickly.
    #[must_use]
    pub fn reading_of(&self, statistic: &Statistic) -> State {
        read(self.ledger(), |book| {
            let card = book.statistic(&statistic.name);
            let shown = card
                .and_then(|card| card.shown.as_ref())
                .filter(|shown| shown.key.body == statistic.question && book.is_stored(&shown.release));
            let shown = shown.map(|shown| (shown.release.clone(), shown.at_ms));
            State { shown, skipped: card.and_then(|card| card.skipped.clone()), next_ms: None, is_due: false }
        })
    }

    fn is_due(&self, statistic: &Statistic, edition: &str, card: Option<&StatisticCard>, now_ms: u64) -> bool {
        let known = card.and_then(|card| card.shown.as_ref()).filter(|shown| shown.key.body == statistic.question);
        let Some(known) = known else { return true };
        // The same rows again would tell nothing new and cost as much.
        known.edition != edition
            && match statistic.refresh {
                Refresh::Never => false,
                Refresh::OnNewEdition => true,
                Refresh::Daily | Refresh::Weekly | Refresh::Monthly => {
                    self.zone.has_turned(statistic.refresh, known.at_ms, now_ms)
                }
            }
    }

    /// What a statistic shows, laid out as it was asked; nothing before its first release. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] where the store cannot be read.
    pub fn shown_answer(&self, statistic: &Statistic) -> Result<Option<Answer>, ServiceError> {
        let known = read(self.ledger(), |book| {
            let shown = book.statistic(&statistic.name)?.shown.clone()?;
            book.under_key(STATISTICS, &shown.key).filter(|_| shown.key.body == statistic.question)
        });
        known.map(|known| self.again(known)).transpose()
    }

    /// Refreshes whatever is due, in the order of names. Called often; what is not due costs a look at the book.
    pub async fn refresh_due(self: &Arc<Self>) -> Vec<(String, Refreshed)> {
        let _turn = self.refreshing.lock().await;
        let mut done = Vec::new();
        for statistic in self.statistics.values().filter(|statistic| self.state_of(statistic).is_due) {
            let dataset = self.dataset(&statistic.dataset);
            let edition = dataset.map_or("", |dataset| dataset.edition.as_str());
            let now_ms = self.now_ms();
            let period = self.zone.period(statistic.refresh, now_ms).unwrap_or_else(|| self.zone.date(now_ms));
            // One charge a period, whatever becomes of it: an answer that fails after its charge is not drawn again before the next,
            // or the next day where there are no periods.
            let key = digest(&(&statistic.name, hex::encode(&statistic.question), edition, &period));
            let became = match self.draw(statistic, key, false).await {
                Ok(release) => Refreshed::Released(release),
                Err(error) => Refreshed::Skipped(self.skip(statistic, &error).await),
            };
            done.push((statistic.name.clone(), became));
        }
        self.has_looked.store(true, Ordering::Release);
        done
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

    /// Draws a new release of a statistic and shows it, whatever is stored; it is charged to the statistics account.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for no such statistic; otherwise those of [`Service::answer`].
    pub async fn refresh(self: &Arc<Self>, name: &str) -> Result<String, ServiceError> {
        let unknown = || ServiceError::NotFound(format!("there is no statistic \"{}\"", shown(name)));
        let statistic = self.statistic(name).ok_or_else(unknown)?;
        let dataset = &statistic.lineage;
        if read(self.ledger(), |book| book.branch(dataset, STATISTICS).is_none()) {
            let way = format!("tacit grant {dataset} {dataset} --kind statistics --epsilon E --reason TEXT");
            return Err(ServiceError::Invalid(format!("\"{dataset}\" has no statistics account; open one: {way}")));
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

fn is_statistic_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn digest(parts: &impl serde::Serialize) -> Digest {
    // Unwrap safety: the parts are plain data.
    *blake3::hash(&serde_json::to_vec(parts).expect("the parts are plain data")).as_bytes()
}

fn ask(file: &QueryFile) -> Result<Ask, String> {
    let margin = |text: &String| Margin::parse(text).map(Wanted::Margin).map_err(|fault| format!("margin: {fault}"));
    let epsilon =
        |text: &String| Epsilon::parse(text).map(Wanted::Epsilon).map_err(|fault| format!("epsilon: {fault}"));
    let accuracy = match (&file.margin, &file.epsilon) {
        (Some(text), _) => Some(margin(text)?),
        (None, Some(text)) => Some(epsilon(text)?),
        (None, None) => None,
    };
    let purpose = Some("published statistic".to_owned());
    Ok(Ask { sql: file.sql.clone(), accuracy, rows_per_unit: None, group_size: None, purpose })
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
