//! Prepared questions: a question is read, planned and priced once; its price, its answer and its time of departure all follow
//! from that.
//!
//! All of this runs off the async threads, in its asker's turn. A question counts against the limit of waiting queries before it
//! is charged, and two equal questions are drawn only once, whoever asks. Stored answers that can be served for free are found on
//! the way.

use std::sync::Arc;

use super::ask::{Ask, Wanted};
use super::offer::Offer;
use super::pad::Pad;
use super::quote::Quote;
use super::rooms::{Extent, Rendering, Room};
use super::walk::{Asked, Taken};
use crate::kernel::budget::charge::{Refusal, Standing};
use crate::kernel::budget::entry::KeyUse;
use crate::kernel::budget::ledger::read;
use crate::query::parse;
use crate::query::plan::plan;
use crate::query::syntax::{ItemValue, LiteralValue, Query};
use crate::service::asking::derivations;
use crate::service::{Answer, Priced, Service, ServiceError};

/// A question that was read, and planned and priced as far as that is possible.
pub struct Prepared {
    pub(crate) who: String,
    pub(crate) ask: Ask,
    pub(crate) meant: Meant,
    pad: Option<Pad>,
    /// If set, stored answers are ignored and everything is drawn anew.
    is_fresh: bool,
    /// A stored answer to exactly this question that costs nothing, if there is one.
    known: Option<Offer>,
}

/// A question as it was asked, without its plan. Questions with large plans are kept like this while they wait.
struct Bare {
    who: String,
    ask: Ask,
    is_fresh: bool,
}

/// A question that waits, with or without its plan.
enum Kept {
    Whole(Box<Prepared>),
    Bare(Bare),
}

/// Largest number of labels in a plan that is kept while its question waits.
const LABELS_KEPT_MAX: usize = 2_048;

/// What the SQL text asks for.
pub(crate) enum Meant {
    /// Constants (`SELECT 1`), with their column names.
    Constants(Vec<(String, LiteralValue)>),
    /// The public groups of the keys; free.
    Keys(Result<Priced, ServiceError>),
    /// An `EXPLAIN`: the quote of a question.
    Explained(Result<Priced, ServiceError>),
    /// Any other question, including one that cannot be answered.
    Question(Result<Priced, ServiceError>),
}

impl Prepared {
    /// How long after the question was read in full its answer may leave; `None` if nothing is padded.
    #[must_use]
    pub fn pad(&self) -> Option<Pad> {
        self.pad
    }

    /// Whether the question costs nothing and touches no data.
    #[must_use]
    pub fn is_free(&self) -> bool {
        match self.meant {
            Meant::Constants(_) | Meant::Keys(_) | Meant::Explained(_) => true,
            Meant::Question(_) => false,
        }
    }

    /// Bytes of memory needed to make the answer into what `rendering` asks for; 0 if there will be no answer.
    #[must_use]
    pub fn bytes(&self, rendering: Rendering) -> usize {
        match &self.meant {
            Meant::Keys(Ok(priced)) | Meant::Question(Ok(priced)) => Extent::planned(priced).bytes(rendering),
            Meant::Constants(_) | Meant::Explained(_) | Meant::Keys(Err(_)) | Meant::Question(Err(_)) => 0,
        }
    }

    /// Reduces a question to what is kept of it while it waits. Many questions may wait, and a large plan takes as much memory as
    /// an answer, so such a plan is dropped and made again later.
    fn kept(self) -> Kept {
        let labels = match &self.meant {
            Meant::Keys(Ok(priced)) | Meant::Question(Ok(priced)) | Meant::Explained(Ok(priced)) => {
                priced.plan.layout.keys.iter().map(|labels| labels.len()).sum()
            }
            Meant::Constants(_) | Meant::Keys(Err(_)) | Meant::Question(Err(_)) | Meant::Explained(Err(_)) => 0,
        };
        match labels {
            ..=LABELS_KEPT_MAX => Kept::Whole(Box::new(self)),
            _ => Kept::Bare(Bare { who: self.who, ask: self.ask, is_fresh: self.is_fresh }),
        }
    }

    /// The priced question, if the text asks for something that has a price.
    fn priced(self) -> Result<(Asked, Option<Offer>), ServiceError> {
        let Self { who, ask, meant, known, .. } = self;
        let priced = match meant {
            Meant::Keys(priced) | Meant::Question(priced) => priced?,
            // These are not questions of a dataset; parsing the text as a question gives the right error.
            Meant::Constants(_) | Meant::Explained(_) => {
                parse::parse(&ask.sql)?;
                return Err(ServiceError::Unsaid);
            }
        };
        Ok((Asked { who, ask, priced, key: None, at_ms: 0 }, known))
    }
}

impl Service {
    /// Reads, plans and prices a question. Planning takes time, so call this in a turn ([`Service::planning`]).
    #[must_use]
    pub fn prepare(&self, who: &str, ask: Ask) -> Prepared {
        self.prepared(who, ask, false)
    }

    fn prepared(&self, who: &str, mut ask: Ask, is_fresh: bool) -> Prepared {
        let (meant, pad) = match parse::asked(&ask.sql) {
            Err(error) => (Meant::Question(Err(error.into())), self.least_pad()),
            Ok(parse::Asked::Constants(constants)) => (Meant::Constants(constants), self.least_pad()),
            Ok(parse::Asked::Explain(query)) => {
                let limit = self.dataset(&query.dataset.text).map(|dataset| dataset.terms.max_epsilon_per_query);
                ask.accuracy = ask.accuracy.take().or(limit.map(Wanted::Epsilon));
                let (priced, pad) = self.planned(who, &query, &ask);
                (Meant::Explained(priced), pad)
            }
            Ok(parse::Asked::Question(query)) => {
                let (mut priced, pad) = self.planned(who, &query, &ask);
                if let Ok(priced) = &mut priced {
                    priced.is_fresh = is_fresh;
                }
                (if asks_for_keys(&query) { Meant::Keys(priced) } else { Meant::Question(priced) }, pad)
            }
        };
        let known = match &meant {
            Meant::Question(Ok(priced)) if !is_fresh => self.known(who, priced),
            _ => None,
        };
        Prepared { who: who.to_owned(), ask, meant, pad, is_fresh, known }
    }

    fn planned(&self, who: &str, query: &Query, ask: &Ask) -> (Result<Priced, ServiceError>, Option<Pad>) {
        let dataset = match self.dataset_of(who, query) {
            Ok(dataset) => dataset,
            Err(error) => return (Err(error.into()), self.least_pad()),
        };
        match plan(query, &dataset.terms, ask.rows_per_unit) {
            Ok(plan) => {
                let pad = self.pad_of(dataset, Some(&plan));
                (Self::priced(dataset, plan, ask), pad)
            }
            Err(error) => (Err(error.into()), self.pad_of(dataset, None)),
        }
    }

    /// Quotes a prepared question. Takes milliseconds if there are many stored measurements that it might be derived from.
    ///
    /// # Errors
    /// The errors of [`Service::price`].
    pub fn quote_prepared(&self, prepared: Prepared) -> Result<Quote, ServiceError> {
        let (asked, _) = prepared.priced()?;
        self.quoted(&asked.who, asked.priced, &asked.ask)
    }

    /// Answers a question: all steps from its text to its stored answer.
    ///
    /// # Errors
    /// Any [`ServiceError`]; only [`ServiceError::Unanswered`] has cost anything.
    pub async fn answer(self: Arc<Self>, who: String, ask: Ask, key: Option<KeyUse>) -> Result<Answer, ServiceError> {
        let asker = who.clone();
        let prepared = self.planning(&who, move |service| service.prepare(&asker, ask)).await?;
        self.answer_prepared(prepared, key, Rendering::Nothing).await.map(|(answer, _)| answer)
    }

    /// Answers a prepared question. The returned [`Room`] reserves the memory needed to render the answer.
    ///
    /// # Errors
    /// The errors of [`Service::answer`].
    pub async fn answer_prepared(
        self: Arc<Self>,
        prepared: Prepared,
        key: Option<KeyUse>,
        rendering: Rendering,
    ) -> Result<(Answer, Room), ServiceError> {
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
        prepared: Prepared,
        key: Option<KeyUse>,
        rendering: Rendering,
    ) -> Result<(Answer, Room), ServiceError> {
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
        let asked = Asked { key, at_ms, ..asked };
        if let Some(Offer::Stored { release, .. }) = known {
            return Ok((self.serve_stored(release, asked, &room).await?, room));
        }
        let _view_locks = self.lock_views(&asked.priced).await;
        let (taken, asked) = self.planning(&who, move |service| service.taken(asked)).await??;
        let answer = match taken {
            Taken::Stored(release) => self.serve_stored(release, asked, &room).await,
            Taken::Made(draft) => self.make(*draft, asked, &room).await,
        };
        Ok((answer?, room))
    }

    /// Waits until there is memory for the question's answer, and reserves it.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] if too many wait already.
    pub async fn in_room(
        self: &Arc<Self>,
        prepared: Prepared,
        rendering: Rendering,
    ) -> Result<(Prepared, Room), ServiceError> {
        let waiting = match self.room_now(&prepared.who, prepared.bytes(rendering))? {
            Ok(room) => return Ok((prepared, room)),
            Err(waiting) => waiting,
        };
        let kept = prepared.kept();
        let room = waiting.await.into();
        Ok((self.whole(kept).await?, room))
    }

    /// The question after waiting; it is planned again if its plan was dropped.
    async fn whole(self: &Arc<Self>, kept: Kept) -> Result<Prepared, ServiceError> {
        match kept {
            Kept::Whole(prepared) => Ok(*prepared),
            Kept::Bare(Bare { who, ask, is_fresh }) => {
                let asker = who.clone();
                self.planning(&who, move |service| service.prepared(&asker, ask, is_fresh)).await
            }
        }
    }

    /// The answer stored under an idempotency key, in its original layout, with the memory reserved for rendering it.
    async fn known_by_key(
        self: Arc<Self>,
        who: &str,
        known: Result<Standing, Refusal>,
        rendering: Rendering,
    ) -> Result<(Answer, Room), ServiceError> {
        let standing = known.map_err(|refusal| self.refused("", refusal))?;
        let loading = self.room_to_load(who, &standing.release).await?;
        let (looked, taken) = (standing.clone(), loading.clone());
        // The size of the answer is only known after it is read, and a large answer must not be held while waiting for memory.
        let look = move |service: &Self| {
            let _loading = taken;
            let answer = service.again(Ok(looked))?;
            let extent = Extent::stored(&answer.layout, &answer.stored);
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
        let (computation, mut cells) = (&priced.plan.computation, derivations::CELLS_MAX);
        if computation.text.is_some() || priced.is_fresh {
            return;
        }
        for (wanted, measure) in priced.wanted.iter_mut().zip(&computation.measures) {
            let terms = &priced.dataset.terms;
            let measure = (measure, wanted.view);
            wanted.ancestors = self.atlas.ancestors(computation, measure, place, terms, &mut cells);
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

/// Whether a question selects only keys, which are public.
pub(crate) fn asks_for_keys(query: &Query) -> bool {
    let is_key = |value: &ItemValue| matches!(value, ItemValue::Key(_) | ItemValue::Grouping(_));
    query.having.is_none() && query.items.iter().all(|item| is_key(&item.value))
}
