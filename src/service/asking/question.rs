//! Prepared questions: a question is read, planned and priced once; its price, its answer and its time of departure all follow
//! from that.
//!
//! All of this runs off the async threads, in its asker's turn. A question counts against the limit of waiting queries before it
//! is charged, and two equal questions are drawn only once, whoever asks. Stored answers that can be served for free are found on
//! the way.

use std::sync::Arc;

use super::ask::{Ask, RequestedAccuracy};
use super::extent::AnswerSize;
use super::offer::Offer;
use super::pad::Pad;
use super::quote::Quote;
use super::rooms::{Rendering, Reservation};
use super::walk::{ChosenOffer, PricedQuestion};
use crate::kernel::budget::charge::{Refusal, Standing};
use crate::kernel::budget::entry::KeyUse;
use crate::kernel::budget::ledger::read;
use crate::query::answer::Layout;
use crate::query::parse;
use crate::query::syntax::{Having, ItemValue, LiteralValue, OrderBy, OrderItem, Query};
use crate::service::asking::derivations;
use crate::service::{Answer, Priced, Service, ServiceError};

/// A question that was read, and planned and priced as far as that is possible.
pub struct PreparedQuestion {
    pub(crate) who: String,
    pub(crate) ask: Ask,
    pub(crate) kind: QuestionKind,
    pad: Option<Pad>,
    /// If set, stored answers are ignored and everything is drawn anew.
    is_fresh: bool,
    /// A stored answer to exactly this question that costs nothing, if there is one.
    known: Option<Offer>,
}

/// A question as it was asked, without its plan. Questions with large plans are kept like this while they wait.
struct UnplannedQuestion {
    who: String,
    ask: Ask,
    is_fresh: bool,
}

/// A question that waits, with or without its plan.
enum WaitingQuestion {
    Whole(Box<PreparedQuestion>),
    Unplanned(UnplannedQuestion),
}

/// Largest number of labels in a plan that is kept while its question waits.
const LABELS_KEPT_MAX: usize = 2_048;

/// What a text asks for.
pub(crate) enum QuestionKind {
    /// Something that is answered from the text and the public terms alone.
    Free(FreeQuestion),
    /// An `EXPLAIN`: the quote of a question.
    Explained(Result<Priced, ServiceError>),
    /// Any other question, including one that cannot be answered.
    Asked(Result<Priced, ServiceError>),
}

/// A question that costs nothing and touches no data.
#[expect(clippy::large_enum_variant, reason = "there is one for each prepared question, which is boxed while it waits")]
pub(crate) enum FreeQuestion {
    /// Constants (`SELECT 1`), with their column names.
    Constants(Vec<(String, LiteralValue)>),
    /// The public groups of the keys.
    Keys(Result<Priced, ServiceError>),
}

impl PreparedQuestion {
    /// How long after the question was read in full its answer may leave; `None` if nothing is padded.
    #[must_use]
    pub fn pad(&self) -> Option<Pad> {
        self.pad
    }

    /// Whether the question costs nothing and touches no data.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match self.kind {
            QuestionKind::Free(_) | QuestionKind::Explained(_) => true,
            QuestionKind::Asked(_) => false,
        }
    }

    /// Bytes of memory needed to make the answer into what `rendering` asks for; 0 if there will be no answer.
    #[must_use]
    pub fn bytes(&self, rendering: Rendering) -> usize {
        match &self.kind {
            QuestionKind::Free(FreeQuestion::Keys(Ok(priced))) | QuestionKind::Asked(Ok(priced)) => {
                AnswerSize::planned(priced).bytes(rendering)
            }
            QuestionKind::Free(FreeQuestion::Constants(_))
            | QuestionKind::Explained(_)
            | QuestionKind::Free(FreeQuestion::Keys(Err(_)))
            | QuestionKind::Asked(Err(_)) => 0,
        }
    }

    /// Reduces a question to what is kept of it while it waits. Many questions may wait, and a large plan takes as much memory as
    /// an answer, so such a plan is dropped and made again later.
    fn kept(self) -> WaitingQuestion {
        let labels = match &self.kind {
            QuestionKind::Free(FreeQuestion::Keys(Ok(priced)))
            | QuestionKind::Asked(Ok(priced))
            | QuestionKind::Explained(Ok(priced)) => labels(&priced.plan.layout),
            QuestionKind::Free(FreeQuestion::Constants(_))
            | QuestionKind::Free(FreeQuestion::Keys(Err(_)))
            | QuestionKind::Asked(Err(_))
            | QuestionKind::Explained(Err(_)) => 0,
        };
        match labels {
            ..=LABELS_KEPT_MAX => WaitingQuestion::Whole(Box::new(self)),
            _ => {
                WaitingQuestion::Unplanned(UnplannedQuestion { who: self.who, ask: self.ask, is_fresh: self.is_fresh })
            }
        }
    }

    /// The priced question, if the text asks for something that has a price.
    fn priced(self) -> Result<(PricedQuestion, Option<Offer>), ServiceError> {
        let Self { who, ask, kind, known, .. } = self;
        let priced = match kind {
            QuestionKind::Free(FreeQuestion::Keys(priced)) | QuestionKind::Asked(priced) => priced?,
            QuestionKind::Free(FreeQuestion::Constants(_)) => return Err(parse::constants_refused().into()),
            QuestionKind::Explained(_) => return Err(parse::explain_refused().into()),
        };
        Ok((PricedQuestion { who, ask, priced, key: None, at_ms: 0 }, known))
    }
}

impl Service {
    /// Parses, plans and prices a question, each once for all that follows. Planning takes time, so call this in a turn
    /// ([`Service::planning`]).
    #[must_use]
    pub fn prepare(&self, who: &str, ask: Ask) -> PreparedQuestion {
        self.prepared(who, ask, false)
    }

    fn prepared(&self, who: &str, mut ask: Ask, is_fresh: bool) -> PreparedQuestion {
        let (kind, pad) = match self.parsed(&ask.sql) {
            Err(error) => (QuestionKind::Asked(Err(error.into())), self.least_pad()),
            Ok(parse::SqlStatement::Constants(constants)) => {
                (QuestionKind::Free(FreeQuestion::Constants(constants)), self.least_pad())
            }
            Ok(parse::SqlStatement::Explain(query)) => {
                let limit = self.dataset_of(who, &query).ok().map(|dataset| dataset.terms.max_epsilon_per_query);
                ask.accuracy = ask.accuracy.take().or(limit.map(RequestedAccuracy::Epsilon));
                let (priced, pad) = self.planned(who, &query, &ask);
                (QuestionKind::Explained(priced), pad)
            }
            Ok(parse::SqlStatement::Question(query)) => {
                let (mut priced, pad) = self.planned(who, &query, &ask);
                if let Ok(priced) = &mut priced {
                    priced.is_fresh = is_fresh;
                }
                let kind = match asks_for_keys(&query) {
                    true => QuestionKind::Free(FreeQuestion::Keys(priced)),
                    false => QuestionKind::Asked(priced),
                };
                (kind, pad)
            }
        };
        let known = match &kind {
            QuestionKind::Asked(Ok(priced)) if !is_fresh => self.known(who, priced),
            _ => None,
        };
        PreparedQuestion { who: who.to_owned(), ask, kind, pad, is_fresh, known }
    }

    pub(super) fn planned(&self, who: &str, query: &Query, ask: &Ask) -> (Result<Priced, ServiceError>, Option<Pad>) {
        let dataset = match self.dataset_of(who, query) {
            Ok(dataset) => dataset,
            Err(error) => return (Err(error.into()), self.least_pad()),
        };
        match self.plan_of(dataset, query, ask.rows_per_unit) {
            Ok(plan) => {
                let pad = self.pad_of(dataset, Some(&plan));
                (Self::priced(dataset, plan, ask), pad)
            }
            Err(error) => (Err(error.into()), self.pad_of(dataset, None)),
        }
    }

    /// Prices a question without asking it.
    ///
    /// # Errors
    /// Any [`ServiceError`]; nothing is charged.
    pub(crate) fn price(&self, who: &str, ask: Ask) -> Result<Priced, ServiceError> {
        self.prepare(who, ask).priced().map(|(asked, _)| asked.priced)
    }

    /// Quotes a prepared question. Takes milliseconds if there are many stored measurements that it might be derived from.
    ///
    /// # Errors
    /// Any [`ServiceError`]; nothing is charged.
    pub fn quote_prepared(&self, prepared: PreparedQuestion) -> Result<Quote, ServiceError> {
        let (mut asked, _) = prepared.priced()?;
        self.quoted(&asked.who, &mut asked.priced, &asked.ask)
    }

    /// Quotes a question that is to be answered afterwards. `None` if it is free or cannot be answered.
    pub fn quote_before(&self, prepared: &mut PreparedQuestion) -> Option<Quote> {
        match &mut prepared.kind {
            QuestionKind::Asked(Ok(priced)) => self.quoted(&prepared.who, priced, &prepared.ask).ok(),
            QuestionKind::Asked(Err(_)) | QuestionKind::Free(_) | QuestionKind::Explained(_) => None,
        }
    }

    /// Answers a question: all steps from its text to its stored answer. The answer or the error is returned when it may leave
    /// ([`super::pad`]).
    ///
    /// # Errors
    /// Any [`ServiceError`]; only [`ServiceError::Unanswered`] has cost anything.
    pub async fn answer(self: Arc<Self>, who: String, ask: Ask, key: Option<KeyUse>) -> Result<Answer, ServiceError> {
        let this = Arc::clone(&self);
        let answering = async move {
            let asker = who.clone();
            match this.planning(&who, move |service| service.prepare(&asker, ask)).await {
                Ok(prepared) => {
                    let pad = prepared.pad();
                    (pad, this.answer_prepared(prepared, key, Rendering::Nothing).await.map(|(answer, _)| answer))
                }
                Err(error) => (None, Err(error)),
            }
        };
        self.held(answering).await
    }

    /// Answers a prepared question. The returned [`Reservation`] reserves the memory needed to render the answer.
    ///
    /// # Errors
    /// The errors of [`Service::answer`].
    pub async fn answer_prepared(
        self: Arc<Self>,
        prepared: PreparedQuestion,
        key: Option<KeyUse>,
        rendering: Rendering,
    ) -> Result<(Answer, Reservation), ServiceError> {
        let (this, asker) = (Arc::clone(&self), prepared.who.clone());
        let answered = self.asked(prepared, key, rendering).await;
        if let Err(ServiceError::Refused(refused)) = &answered {
            this.refusals.note(&asker, &refused.dataset, &refused.refusal, this.now_ms());
        }
        answered
    }

    /// Answers a question; if `is_fresh` is set, stored answers are ignored and everything is drawn anew.
    pub(crate) async fn answer_anew(
        self: Arc<Self>,
        who: String,
        ask: Ask,
        key: Option<KeyUse>,
        is_fresh: bool,
    ) -> Result<Answer, ServiceError> {
        let asker = who.clone();
        let prepared = self.planning(&who, move |service| service.prepared(&asker, ask, is_fresh)).await?;
        self.asked(prepared, key, Rendering::Nothing).await.map(|(answer, _)| answer)
    }

    async fn asked(
        self: Arc<Self>,
        prepared: PreparedQuestion,
        key: Option<KeyUse>,
        rendering: Rendering,
    ) -> Result<(Answer, Reservation), ServiceError> {
        let who = prepared.who.clone();
        let _place = self.place(&who)?;
        let (_key_lock, prepared) = match &key {
            Some(key) => {
                let kept = prepared.kept();
                let lock = self.key_locks.lock(&who, &key.key).await;
                let known = read(self.ledger(), |book| book.under_key(&who, key));
                if let Some(known) = known {
                    return self.known_by_key(&who, known, rendering).await;
                }
                (Some(lock), self.whole(kept).await?)
            }
            None => (None, prepared),
        };
        let at_ms = self.now_ms();
        // Before the charge: a question that waits for memory has paid for nothing yet.
        let (prepared, room) = self.in_room(prepared, rendering).await?;
        let (asked, known) = prepared.priced()?;
        let asked = PricedQuestion { key, at_ms, ..asked };
        if let Some(Offer::Stored { release, .. }) = known {
            return Ok((self.serve_stored(release, asked, &room).await?, room));
        }
        let _view_locks = self.lock_views(&asked.priced).await;
        let (taken, asked) = self.planning(&who, move |service| service.taken(asked)).await??;
        let answer = match taken {
            ChosenOffer::Stored(release) => self.serve_stored(release, asked, &room).await,
            ChosenOffer::Combined(draft) => self.make(*draft, asked, &room).await,
        };
        Ok((answer?, room))
    }

    /// Waits until there is memory for the question's answer, and reserves it.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already.
    pub async fn in_room(
        self: &Arc<Self>,
        prepared: PreparedQuestion,
        rendering: Rendering,
    ) -> Result<(PreparedQuestion, Reservation), ServiceError> {
        let waiting = match self.room_now(&prepared.who, prepared.bytes(rendering))? {
            Ok(room) => return Ok((prepared, room)),
            Err(waiting) => waiting,
        };
        let kept = prepared.kept();
        let room = waiting.await.into();
        Ok((self.whole(kept).await?, room))
    }

    /// The question after waiting; it is planned again if its plan was dropped.
    async fn whole(self: &Arc<Self>, kept: WaitingQuestion) -> Result<PreparedQuestion, ServiceError> {
        match kept {
            WaitingQuestion::Whole(prepared) => Ok(*prepared),
            WaitingQuestion::Unplanned(UnplannedQuestion { who, ask, is_fresh }) => {
                let asker = who.clone();
                self.planning(&who, move |service| service.prepared(&asker, ask, is_fresh)).await
            }
        }
    }

    /// The answer that was served before, such as under an idempotency key, in its original layout, with the memory reserved for rendering it.
    pub(super) async fn known_by_key(
        self: Arc<Self>,
        who: &str,
        known: Result<Standing, Refusal>,
        rendering: Rendering,
    ) -> Result<(Answer, Reservation), ServiceError> {
        let standing = known.map_err(|refusal| self.refused("", refusal))?;
        let loading = self.room_to_load(who, &standing.release).await?;
        let (looked, taken) = (standing.clone(), loading.clone());
        // The size of the answer is only known after it is read, and a large answer must not be held while waiting for memory.
        let look = move |service: &Self| {
            let _loading = taken;
            let answer = service.again(Ok(looked))?;
            let extent = AnswerSize::stored(&answer.layout, &answer.stored);
            Ok::<_, ServiceError>((extent, answer.is_light().then_some(answer)))
        };
        let (extent, answer) = self.rendering_in(&loading, who, look).await??;
        drop(loading);
        let room = self.room(who, extent.bytes(rendering)).await?;
        let answer = match answer {
            Some(answer) => answer,
            None => self.rendering_in(&room, who, move |service| service.again(Ok(standing))).await??,
        };
        Ok((answer, room))
    }

    /// A stored answer to exactly this question that costs nothing, found without searching for derivations.
    pub(crate) fn known(&self, who: &str, priced: &Priced) -> Option<Offer> {
        let offered =
            read(self.ledger(), |book| self.stock(book, who, priced)?.known(&priced.asked).ok_or(Refusal::Gone));
        offered.ok()
    }

    /// Finds the stored measurements that the question's measurements could be derived from. Takes milliseconds if there are
    /// many; never call it on an async thread.
    pub(crate) fn look_up(&self, priced: &mut Priced) {
        let place = (priced.dataset.lineage.as_str(), priced.dataset.edition.as_str());
        let mut cells = derivations::CELLS_MAX;
        // Two totals beside each other that are made of one draw would have the same noise, and not the interval that their sum is given.
        if priced.plan.computation.text.is_some() || priced.is_fresh || priced.plan.is_beside() {
            return;
        }
        for (wanted, (computation, measure)) in priced.wanted.iter_mut().zip(priced.plan.measures()) {
            let terms = &priced.dataset.terms;
            let measure = (measure, wanted.view);
            wanted.ancestors = self.derivations.ancestors(computation, measure, place, terms, &mut cells);
        }
    }

    /// Locks each measurement of a question, so that two equal questions are drawn only once, whoever asks.
    async fn lock_views(&self, priced: &Priced) -> Vec<impl Sized + use<>> {
        let mut views: Vec<_> = priced.wanted.iter().map(|wanted| wanted.view).collect();
        // Sort, so that everybody locks in the same order and no deadlock arises; deduplicate, so that nobody waits for
        // themselves.
        views.sort_unstable();
        views.dedup();
        let mut locks = Vec::with_capacity(views.len());
        for view in views {
            locks.push(self.view_locks.lock("", &view).await);
        }
        locks
    }
}

/// Number of labels of all groups.
fn labels(layout: &Layout) -> usize {
    layout.answers().iter().flat_map(|answer| &answer.layout.keys).map(|labels| labels.len()).sum()
}

/// Whether a question selects and names only keys, which are public, and what is computed from them.
pub(crate) fn asks_for_keys(query: &Query) -> bool {
    if let Some(together) = &query.together {
        return together.arms().iter().all(asks_for_keys);
    }
    let is_key = |value: &ItemValue| match value {
        ItemValue::Key(_) | ItemValue::Grouping(_) => true,
        ItemValue::Output(output) => !output.has_aggregate(),
        ItemValue::Wildcard => false,
    };
    let is_sorted = |order: &OrderItem| matches!(&order.by, OrderBy::Output(output) if output.has_aggregate());
    query.items.iter().all(|item| is_key(&item.value))
        && !query.having.iter().chain(&query.after).any(Having::has_aggregate)
        && !query.order.iter().any(is_sorted)
        && query.over_groups.as_deref().is_none_or(|other| other.as_ref().map_or(true, asks_for_keys))
}
