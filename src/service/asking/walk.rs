//! From an offer to an answer: charge, evaluate, release and record, each durable before the next.
//!
//! No row is read before its charge is on disk. Whatever happens after the charge ends in an answer or is recorded as burned.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::ask::Ask;
use super::failure::AnswerFailure;
use super::offer::Offer;
use super::parts::{AnswerPart, origins, use_ids};
use super::path_vectors::PathVectors;
use super::rooms::Reservation;
use super::stored::{StoredAnswer, StoredQuestion};
use super::turns::Turn;
use crate::engine::EngineFault;
use crate::kernel::budget::account::DatasetAccount;
use crate::kernel::budget::charge::{ChargeDecision, ChargeRequest, Receipt, Refusal, ServeRequest, Standing};
use crate::kernel::budget::entry::{Digest, KeyUse};
use crate::kernel::budget::ledger::{EvaluationOutcome, LedgerFault, read};
use crate::kernel::budget::steps::PathStep;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::certificate::{Certificate, MeasurementSpec, Subject, certify};
use crate::kernel::random;
use crate::kernel::vault::points::{ReleasedPoints, release_points};
use crate::kernel::vault::private::{Exact, Private};
use crate::kernel::vault::release::Release;
use crate::query::answer::{Layout, LayoutEnd};
use crate::query::computation::Computation;
use crate::service::{Answer, Priced, Service, ServiceError};

/// A priced question with its asker.
pub(crate) struct PricedQuestion {
    pub(crate) who: String,
    pub(crate) ask: Ask,
    pub(crate) priced: Priced,
    pub(crate) key: Option<KeyUse>,
    /// Time the question was asked, in milliseconds since 1970 in UTC. The completion time depends on the data, so it is never
    /// recorded.
    pub(crate) at_ms: u64,
}

/// The offer that was chosen, before anything is charged for it.
pub(crate) enum ChosenOffer {
    /// A stored answer, served as it is; this is its id.
    Stored(String),
    /// An answer combined from stored vectors and, where necessary, new draws.
    Combined(Box<DraftCharge>),
}

/// What is to be charged, and what the answer will be made of.
pub(crate) struct DraftCharge {
    parts: Vec<AnswerPart>,
    fresh: NewMeasurements,
    request: ChargeRequest,
    /// The answer and its bytes for the store, if nothing has to be drawn for it.
    composed: Option<(StoredAnswer, Vec<u8>)>,
}

/// The measurements that are drawn anew, in the order of the plan.
struct NewMeasurements {
    /// What is evaluated one after the other for them.
    computations: Vec<Computation>,
    views: Vec<Digest>,
    certificate: Certificate,
}

impl Service {
    /// The best offer for a question, ready to be charged. Takes milliseconds if there are many stored measurements that it might
    /// be derived from.
    pub(crate) fn taken(&self, mut asked: PricedQuestion) -> Result<(ChosenOffer, PricedQuestion), ServiceError> {
        let offer = match self.known(&asked.who, &asked.priced) {
            Some(known) => known,
            None => {
                self.look_up(&mut asked.priced);
                self.offer(&asked.who, &asked.priced)?
            }
        };
        let taken = match offer {
            Offer::Stored { release, .. } => ChosenOffer::Stored(release),
            Offer::Combined { parts, steps, legs } => {
                ChosenOffer::Combined(Box::new(self.draft((parts, steps), legs.researcher, &asked)?))
            }
        };
        Ok((taken, asked))
    }

    /// Serves a stored answer as it is.
    pub(crate) async fn serve_stored(
        self: &Arc<Self>,
        release: String,
        asked: PricedQuestion,
        room: &Reservation,
    ) -> Result<Answer, ServiceError> {
        let free = self.free(&asked.who, &asked.priced.dataset.lineage, &release);
        let who = asked.who.clone();
        match (free.filter(|_| asked.key.is_none()), self.answers.in_memory(&release)) {
            (Some(standing), Some(stored)) if asked.priced.is_light() => Ok(asked.priced.laid_out(stored, standing)),
            (Some(standing), _) => {
                let lay_out =
                    move |service: &Self| Ok(asked.priced.laid_out(service.stored_answer(&release)?, standing));
                self.rendering_in(room, &who, lay_out).await?
            }
            (None, _) => self.writing(&who, move |service| service.serve(release, asked)).await?,
        }
    }

    /// Serves a stored answer with a ledger entry: to somebody who pays for what is new to them, or under a new idempotency key.
    /// Blocks.
    fn serve(&self, release: String, asked: PricedQuestion) -> Result<Answer, ServiceError> {
        let question = StoredQuestion::new(asked.priced.sql.clone(), asked.priced.plan.layout.clone());
        let request = ServeRequest {
            release,
            researcher: asked.who,
            question: Some(question.encode()),
            key: asked.key,
            at_ms: self.now_ms(),
        };
        match self.ports.ledger.serve(request)? {
            ChargeDecision::Stored(standing) => {
                let stored = self.stored_answer(&standing.release)?;
                Ok(asked.priced.laid_out(stored, standing))
            }
            ChargeDecision::Refused(refusal) => Err(self.refused(&asked.priced.dataset.lineage, refusal)),
            ChargeDecision::Charged(_) => Err(LedgerFault::Closed.into()),
        }
    }

    /// The answer stored under an idempotency key, in its original layout, or the reason why there is none. Blocks.
    pub(in crate::service) fn again(&self, known: Result<Standing, Refusal>) -> Result<Answer, ServiceError> {
        let standing = known.map_err(|refusal| self.refused("", refusal))?;
        let stored = self.stored_answer(&standing.release)?;
        let Some(text) = &standing.question else {
            let (layout, sql) = (stored.layout.clone(), stored.sql.clone());
            return Ok(Answer { stored, layout, sql, standing });
        };
        let StoredQuestion { sql, outputs, sets, shown, small, order, end } =
            StoredQuestion::decode(text).ok_or(LedgerFault::Unreadable)?;
        let (keys, LayoutEnd { limit, arms }) = (Vec::new(), end);
        let layout = Layout { keys, outputs, sets, shown, small, order, limit, arms };
        let layout = stored.laid(layout.with_labels(&stored.layout));
        Ok(Answer { stored, layout, sql, standing })
    }

    /// Drafts the charge for an answer of stored and new vectors. An answer that needs nothing new is computed at once, from
    /// noisy values alone, and is stored in the same commit as its charge. New points are made after the charge, each once: also those
    /// that look at no data, because a second one would tell more than was paid for.
    fn draft(
        &self,
        (parts, steps): (Vec<AnswerPart>, Option<Vec<PathStep>>),
        leg: Price,
        asked: &PricedQuestion,
    ) -> Result<DraftCharge, ServiceError> {
        self.check_canonical(&asked.priced)?;
        let fresh = fresh(&parts, &asked.priced)?;
        let priced = &asked.priced;
        let is_new = steps.iter().flatten().any(PathStep::is_new);
        let request = ChargeRequest {
            release: random::id("rel").map_err(|_| LedgerFault::Store)?,
            researcher: asked.who.clone(),
            certificate: fresh.certificate.clone(),
            drawn: fresh.views.clone(),
            uses: use_ids(&parts),
            steps,
            worth: parts.iter().map(|made| made.worth).collect(),
            view: priced.view,
            sql: priced.sql.clone(),
            rows_per_unit: priced.plan.rows_per_unit,
            purpose: asked.ask.purpose.clone(),
            key: asked.key,
            at_ms: asked.at_ms,
        };
        if is_new || !fresh.views.is_empty() {
            // Find out whether a stored vector is unreadable before anything is paid for.
            origins(&parts).iter().try_for_each(|id| self.stored_answer(id).map(|_| ()))?;
            return Ok(DraftCharge { parts, fresh, request, composed: None });
        }
        let drawn = Release::of_nothing(&request.release, fresh.certificate.subject(), fresh.certificate.mechanism());
        let answer = self.composed(ReleasedPoints::of_nothing(drawn), leg, &parts, asked)?;
        let body = answer.encode();
        Ok(DraftCharge { parts, fresh, request, composed: Some((answer, body)) })
    }

    /// Charges for a draft, and makes its answer.
    pub(crate) async fn make(
        self: &Arc<Self>,
        draft: DraftCharge,
        asked: PricedQuestion,
        room: &Reservation,
    ) -> Result<Answer, ServiceError> {
        let DraftCharge { parts, fresh, request, composed } = draft;
        let fresh = if fresh.views.is_empty() { fresh } else { self.evaluable(fresh, &asked).await? };
        let charged = self.writing(&asked.who, move |service| service.charge(request, composed)).await??;
        let receipt = match charged {
            ChargeDecision::Charged(receipt) => receipt,
            ChargeDecision::Stored(standing) => {
                return self.rendering_in(room, &asked.who, move |service| service.again(Ok(standing))).await?;
            }
            ChargeDecision::Refused(refusal) => return Err(self.refused(&asked.priced.dataset.lineage, refusal)),
        };
        let (standing, asked) = (receipt.standing().clone(), Arc::new(asked));
        let (computed, slot) = self.drawn(receipt, fresh, parts, &asked).await;
        // A failed answer keeps its turn until the failure is on record, so that a freeze binds whoever comes next.
        let _turn = slot.filter(|_| computed.is_err());
        let (release, who) = (standing.release.clone(), asked.who.clone());
        let record = move |service: &Self| {
            let stored = service.record(computed, &standing.release)?;
            let priced = &asked.priced;
            for part in priced.plan.parts() {
                service.derivations.add(part, &priced.dataset.lineage, &priced.dataset.edition);
            }
            Ok(asked.laid_out(stored, standing))
        };
        // If even recording breaks off, the charge stands, and the next start burns it.
        self.writing(&who, record).await.map_err(|_| ServiceError::Unanswered { release })?
    }

    /// Makes sure, before anything is charged, that what is drawn anew can be evaluated. What it finds wrong with a table does not depend
    /// on the values of its rows.
    async fn evaluable(
        self: &Arc<Self>,
        fresh: NewMeasurements,
        asked: &PricedQuestion,
    ) -> Result<NewMeasurements, ServiceError> {
        let (this, edition) = (Arc::clone(self), asked.priced.dataset.edition.clone());
        let prepare = move || {
            fresh.computations.iter().try_for_each(|one| this.ports.engine.prepare(&edition, one))?;
            Ok::<_, EngineFault>(fresh)
        };
        tokio::task::spawn_blocking(prepare).await.ok().and_then(Result::ok).ok_or(ServiceError::Away)
    }

    /// Draws a charged question's answer. Returns the turn in which it was drawn, too.
    async fn drawn(
        self: &Arc<Self>,
        receipt: Receipt,
        fresh: NewMeasurements,
        parts: Vec<AnswerPart>,
        asked: &Arc<PricedQuestion>,
    ) -> (Result<(StoredAnswer, Vec<u8>), AnswerFailure>, Option<Turn>) {
        if fresh.views.is_empty() {
            return (self.computed(receipt, fresh, parts, asked).await, None);
        }
        // Few questions touch data at a time, while many share each commit of the ledger, before and after.
        let slot = self.queues.running(&asked.who, &asked.priced.dataset.name).await;
        let begun = tokio::time::Instant::now();
        let computed = if self.is_frozen(&asked.priced.dataset.lineage) {
            // The dataset froze while this question waited for its turn: no row is looked at, and this is not an incident of its
            // own.
            Err(AnswerFailure::Frozen)
        } else {
            self.computed(receipt, fresh, parts, asked).await
        };
        self.hold(&asked.priced, begun).await;
        (computed, slot)
    }

    /// Computes a charged question's answer off the async threads.
    async fn computed(
        self: &Arc<Self>,
        receipt: Receipt,
        fresh: NewMeasurements,
        parts: Vec<AnswerPart>,
        asked: &Arc<PricedQuestion>,
    ) -> Result<(StoredAnswer, Vec<u8>), AnswerFailure> {
        let (this, question) = (Arc::clone(self), Arc::clone(asked));
        let compute = move || {
            let execute = || {
                let answer = this.execute(receipt, &fresh, &parts, &question)?;
                let body = answer.encode();
                Ok((answer, body))
            };
            catch_unwind(AssertUnwindSafe(execute)).unwrap_or(Err(AnswerFailure::Panicked))
        };
        tokio::task::spawn_blocking(compute).await.unwrap_or(Err(AnswerFailure::Panicked))
    }

    /// Charges durably, and stores the answer with the charge if it needs nothing new. Blocks.
    fn charge(
        &self,
        request: ChargeRequest,
        composed: Option<(StoredAnswer, Vec<u8>)>,
    ) -> Result<ChargeDecision, ServiceError> {
        let (answer, body) = composed.unzip();
        let decision = self.ports.ledger.charge(request, body)?;
        if let (ChargeDecision::Stored(standing), Some(answer)) = (&decision, answer)
            && standing.release == answer.release.id
        {
            self.answers.keep(answer);
        }
        Ok(decision)
    }

    /// Everything between the charge and its record; it either succeeds as a whole or is burned.
    fn execute(
        &self,
        receipt: Receipt,
        fresh: &NewMeasurements,
        parts: &[AnswerPart],
        asked: &PricedQuestion,
    ) -> Result<StoredAnswer, AnswerFailure> {
        let leg = receipt.standing().legs.researcher;
        let exact = match fresh.views.is_empty() {
            // Nothing is drawn from data, so that none is looked at.
            true => None,
            false => Some(self.evaluated(&receipt.subject().edition, &fresh.computations)?),
        };
        let stored = PathVectors { service: self, priced: &asked.priced };
        let released = release_points(receipt, exact, &stored, self.ports.noise.as_ref())?;
        self.composed(released, leg, parts, asked).map_err(|_| AnswerFailure::NotCombined)
    }

    /// The exact vectors of all measurements that are drawn anew, in the order of the plan.
    fn evaluated(&self, edition: &str, computations: &[Computation]) -> Result<Private<Exact>, EngineFault> {
        let mut exact = computations.iter().map(|one| self.ports.engine.evaluate(edition, one));
        let first = exact.next().ok_or(EngineFault)??;
        exact.try_fold(first, |whole, one| whole.beside(one?).ok_or(EngineFault))
    }

    /// Combines what was made with what is stored into the answer.
    fn composed(
        &self,
        released: ReleasedPoints,
        leg: Price,
        parts: &[AnswerPart],
        asked: &PricedQuestion,
    ) -> Result<StoredAnswer, ServiceError> {
        let composed = self.compose(&released, parts, asked.priced.plan.layout.clone())?;
        Ok(StoredAnswer::new(released, composed, leg, asked))
    }

    fn is_frozen(&self, dataset: &str) -> bool {
        read(self.ledger(), |book| book.dataset(dataset).is_some_and(DatasetAccount::is_frozen))
    }

    /// Records the end of a charged question. EXECUTING → SEALED, or → BURNED if there is no answer or it cannot be recorded. If
    /// even that cannot be written, the next start does it. Blocks.
    fn record(
        &self,
        computed: Result<(StoredAnswer, Vec<u8>), AnswerFailure>,
        release: &str,
    ) -> Result<Arc<StoredAnswer>, ServiceError> {
        let burn = |failure: AnswerFailure| {
            failure.log(release);
            let outcome = EvaluationOutcome::Burned { release: release.to_owned(), cause: failure.cause() };
            let _ = self.ports.ledger.record(outcome, self.now_ms());
            Err(ServiceError::Unanswered { release: release.to_owned() })
        };
        let (answer, body) = match computed {
            Ok(computed) => computed,
            Err(failure) => return burn(failure),
        };
        let outcome = EvaluationOutcome::Released { release: release.to_owned(), body };
        match self.ports.ledger.record(outcome, self.now_ms()) {
            Ok(()) => Ok(self.answers.keep(answer)),
            // The answer is stored. Asking again returns it once the anchor can be written.
            Err(LedgerFault::Unanchored) => Err(LedgerFault::Unanchored.into()),
            Err(_) => burn(AnswerFailure::NotRecorded),
        }
    }
}

impl PricedQuestion {
    fn laid_out(&self, stored: Arc<StoredAnswer>, standing: Standing) -> Answer {
        let layout = stored.laid(self.priced.plan.layout.clone());
        let sql = self.priced.sql.clone();
        Answer { stored, layout, sql, standing }
    }
}

/// The measurements that are drawn anew: those for which the offer buys new noise.
fn fresh(parts: &[AnswerPart], priced: &Priced) -> Result<NewMeasurements, ServiceError> {
    let wanted: Vec<usize> = (0..parts.len()).filter(|index| parts[*index].fresh > Price::ZERO).collect();
    let sought: Vec<MeasurementSpec> = wanted.iter().map(|index| priced.wanted[*index].sought).collect();
    let prices: Vec<Price> = wanted.iter().map(|index| parts[*index].fresh).collect();
    let subject = Subject { dataset: priced.dataset.lineage.clone(), edition: priced.dataset.edition.clone() };
    let certificate = certify(priced.dataset.terms.accountant, subject, &sought, &prices);
    Ok(NewMeasurements {
        computations: priced.plan.chosen(&wanted),
        views: wanted.iter().map(|index| priced.wanted[*index].view).collect(),
        certificate: certificate?.hiding(priced.plan.hiding),
    })
}
