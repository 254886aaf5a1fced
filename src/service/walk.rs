//! From an offer to an answer: charge, evaluate, release, record, each durable before the next.
//!
//! Promises that no row is read before its charge is on disk, and that whatever happens after it ends in an answer or is burnt.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::ask::Ask;
use super::offer::{Made, Offer, use_ids};
use super::rooms::Room;
use super::stored::{StoredAnswer, StoredQuestion};
use super::turns::Turn;
use super::{Answer, Priced, Service, ServiceError};
use crate::budget::account::DatasetAccount;
use crate::budget::charge::{ChargeRequest, Decision, Receipt, Refusal, ServeRequest, Standing};
use crate::budget::entry::{Cause, Digest, KeyUse};
use crate::budget::ledger::{LedgerFault, Outcome, read};
use crate::chance;
use crate::privacy::certificate::{Certificate, Sought, Subject, certify};
use crate::privacy::units::Price;
use crate::query::answer::Layout;
use crate::query::error::{Code, QueryError};
use crate::query::parse::parse;
use crate::query::plan::{Computation, plan};
use crate::vault::release::{Release, release};

/// A priced question with who asks it.
pub(super) struct Asked {
    pub(super) who: String,
    pub(super) ask: Ask,
    pub(super) priced: Priced,
    pub(super) key: Option<KeyUse>,
    /// When it was asked, in milliseconds since 1970 in UTC: what an answer tells of time, for when it was ready is its rows'.
    pub(super) at_ms: u64,
}

/// An offer that was looked at as far as nothing is charged for it.
pub(super) enum Taken {
    /// A stored answer as it is, by its id.
    Stored(String),
    /// An answer of stored vectors, and where there is need new ones.
    Made(Box<Draft>),
}

/// What is to be charged, and what is made of it.
pub(super) struct Draft {
    parts: Vec<Made>,
    fresh: Fresh,
    request: ChargeRequest,
    /// The answer and its bytes for the store, where nothing is drawn for it.
    composed: Option<(StoredAnswer, Vec<u8>)>,
}

/// What is drawn anew, in the order of the plan.
struct Fresh {
    computation: Computation,
    views: Vec<Digest>,
    certificate: Certificate,
}

impl Service {
    /// The best offer for a question, ready to be charged. Takes milliseconds where there is much that it could be derived from.
    pub(super) fn taken(&self, mut asked: Asked) -> Result<(Taken, Asked), ServiceError> {
        let offer = match self.known(&asked.who, &asked.priced) {
            Some(known) => known,
            None => {
                self.look_up(&mut asked.priced);
                self.offer(&asked.who, &asked.priced)?
            }
        };
        let taken = match offer {
            Offer::Stored { release, .. } => Taken::Stored(release),
            Offer::Made { parts, legs } => Taken::Made(Box::new(self.draft(parts, legs.researcher, &asked)?)),
        };
        Ok((taken, asked))
    }

    /// Serves a stored answer.
    pub(super) async fn serve_stored(
        self: &Arc<Self>,
        release: String,
        asked: Asked,
        room: &Room,
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

    /// A stored answer for somebody who pays for what of it is new to them, or under a new key. Blocks.
    fn serve(&self, release: String, asked: Asked) -> Result<Answer, ServiceError> {
        let question = StoredQuestion::new(asked.priced.sql.clone(), asked.priced.plan.layout.clone());
        let request = ServeRequest {
            release,
            researcher: asked.who,
            question: asked.key.map(|_| question.encode()),
            key: asked.key,
            at_ms: self.now_ms(),
        };
        match self.ports.ledger.serve(request)? {
            Decision::Stored(standing) => {
                let stored = self.stored_answer(&standing.release)?;
                Ok(asked.priced.laid_out(stored, standing))
            }
            Decision::Refused(refusal) => Err(self.refused(&asked.priced.dataset.lineage, refusal)),
            Decision::Charged(_) => Err(LedgerFault::Closed.into()),
        }
    }

    /// The same key again: the same answer, laid out as it was, or why there is none. Blocks.
    pub(in crate::service) fn again(&self, known: Result<Standing, Refusal>) -> Result<Answer, ServiceError> {
        let standing = known.map_err(|refusal| self.refused("", refusal))?;
        let stored = self.stored_answer(&standing.release)?;
        let Some(text) = &standing.question else {
            let (layout, sql) = (stored.layout.clone(), stored.sql.clone());
            return Ok(Answer { stored, layout, sql, standing });
        };
        let StoredQuestion { sql, outputs, sets, having, small, order, limit } =
            StoredQuestion::decode(text).ok_or(LedgerFault::Unreadable)?;
        let layout =
            stored.laid(Layout { keys: stored.layout.keys.clone(), outputs, sets, having, small, order, limit });
        Ok(Answer { stored, layout, sql, standing })
    }

    /// What is to be charged for an answer of stored vectors and new ones. What needs nothing new is computed at once, from noisy
    /// values alone, and is stored in the commit of its charge.
    fn draft(&self, parts: Vec<Made>, leg: Price, asked: &Asked) -> Result<Draft, ServiceError> {
        check_canonical(&asked.priced)?;
        let fresh = fresh(&parts, &asked.priced)?;
        let priced = &asked.priced;
        let request = ChargeRequest {
            release: chance::id("rel").map_err(|_| LedgerFault::Store)?,
            researcher: asked.who.clone(),
            certificate: fresh.certificate.clone(),
            drawn: fresh.views.clone(),
            uses: use_ids(&parts),
            worth: parts.iter().map(|made| made.worth).collect(),
            view: priced.view,
            sql: priced.sql.clone(),
            rows_per_unit: priced.plan.computation.rows_per_unit,
            purpose: asked.ask.purpose.clone(),
            key: asked.key,
            at_ms: asked.at_ms,
        };
        if !fresh.views.is_empty() {
            // What cannot be read is found out before anything is paid for.
            request.uses.iter().try_for_each(|id| self.stored_answer(&id.release).map(|_| ()))?;
            return Ok(Draft { parts, fresh, request, composed: None });
        }
        let drawn = Release::of_nothing(&request.release, fresh.certificate.subject(), fresh.certificate.mechanism());
        let answer = self.composed(drawn, leg, &parts, asked)?;
        let body = answer.encode();
        Ok(Draft { parts, fresh, request, composed: Some((answer, body)) })
    }

    /// Charges for a draft, and makes the answer that it is of.
    pub(super) async fn make(
        self: &Arc<Self>,
        draft: Draft,
        asked: Asked,
        room: &Room,
    ) -> Result<Answer, ServiceError> {
        let Draft { parts, fresh, request, composed } = draft;
        if !fresh.views.is_empty() && !self.ports.engine.is_ready(&asked.priced.dataset.edition) {
            return Err(ServiceError::Away);
        }
        let charged = self.writing(&asked.who, move |service| service.charge(request, composed)).await??;
        let receipt = match charged {
            Decision::Charged(receipt) => receipt,
            Decision::Stored(standing) => {
                return self.rendering_in(room, &asked.who, move |service| service.again(Ok(standing))).await?;
            }
            Decision::Refused(refusal) => return Err(self.refused(&asked.priced.dataset.lineage, refusal)),
        };
        let (standing, asked) = (receipt.standing().clone(), Arc::new(asked));
        let (computed, slot) = self.drawn(receipt, fresh, parts, &asked).await;
        // A failure keeps its turn until it is on record, so that a freeze binds whoever comes next.
        let _turn = slot.filter(|_| computed.is_err());
        let (release, who) = (standing.release.clone(), asked.who.clone());
        let record = move |service: &Self| {
            let stored = service.record(computed, &standing.release)?;
            let priced = &asked.priced;
            service.atlas.chart(&priced.plan.computation, &priced.dataset.lineage, &priced.dataset.edition);
            Ok(asked.laid_out(stored, standing))
        };
        // Where even that broke off, the charge stands, and the next start burns it.
        self.writing(&who, record).await.map_err(|_| ServiceError::Unanswered { release })?
    }

    /// What a charged question comes to, with the turn in which it was drawn.
    async fn drawn(
        self: &Arc<Self>,
        receipt: Receipt,
        fresh: Fresh,
        parts: Vec<Made>,
        asked: &Arc<Asked>,
    ) -> (Result<(StoredAnswer, Vec<u8>), Cause>, Option<Turn>) {
        // Data is touched by few at a time; the ledger's commits, before and after, are shared by many.
        let slot = self.queues.running(&asked.who, &asked.priced.dataset.name).await;
        let begun = tokio::time::Instant::now();
        let computed = if self.is_frozen(&asked.priced.dataset.lineage) {
            // It froze while this one waited for its turn: no row is looked at, and it is no incident of its own.
            Err(Cause::CutOff)
        } else {
            let (this, question) = (Arc::clone(self), Arc::clone(asked));
            let compute = move || {
                let execute = || {
                    let answer = this.execute(receipt, &fresh, &parts, &question)?;
                    let body = answer.encode();
                    Some((answer, body))
                };
                catch_unwind(AssertUnwindSafe(execute)).ok().flatten()
            };
            tokio::task::spawn_blocking(compute).await.ok().flatten().ok_or(Cause::Failed)
        };
        self.hold(&asked.priced, begun).await;
        (computed, slot)
    }

    /// Charges durably, with the answer where it needs nothing new. Blocks.
    fn charge(
        &self,
        request: ChargeRequest,
        composed: Option<(StoredAnswer, Vec<u8>)>,
    ) -> Result<Decision, ServiceError> {
        let (answer, body) = composed.unzip();
        let decision = self.ports.ledger.charge(request, body)?;
        if let (Decision::Stored(standing), Some(answer)) = (&decision, answer)
            && standing.release == answer.release.id
        {
            self.answers.keep(answer);
        }
        Ok(decision)
    }

    /// Everything between the charge and its record, as one thing that works or burns.
    fn execute(&self, receipt: Receipt, fresh: &Fresh, parts: &[Made], asked: &Asked) -> Option<StoredAnswer> {
        let leg = receipt.standing().legs.researcher;
        let exact = self.ports.engine.evaluate(&receipt.subject().edition, &fresh.computation).ok()?;
        let drawn = release(receipt, exact, self.ports.noise.as_ref()).ok()?;
        self.composed(drawn, leg, parts, asked).ok()
    }

    /// The answer of what was drawn and what was stored.
    fn composed(
        &self,
        drawn: Release,
        leg: Price,
        parts: &[Made],
        asked: &Asked,
    ) -> Result<StoredAnswer, ServiceError> {
        let composed = self.compose(&drawn, parts, asked.priced.plan.layout.sets.clone())?;
        Ok(StoredAnswer::new(drawn, composed, leg, asked))
    }

    fn is_frozen(&self, dataset: &str) -> bool {
        read(self.ledger(), |book| book.dataset(dataset).is_some_and(DatasetAccount::is_frozen))
    }

    /// EXECUTING → SEALED, or → BURNED where there is no answer or it cannot be recorded. If even that cannot be written, the
    /// next start does it. Blocks.
    fn record(
        &self,
        computed: Result<(StoredAnswer, Vec<u8>), Cause>,
        release: &str,
    ) -> Result<Arc<StoredAnswer>, ServiceError> {
        let burn = |cause: Cause| {
            tracing::error!(release, ?cause, "an answer failed after its charge");
            let _ = self.ports.ledger.record(Outcome::Burned { release: release.to_owned(), cause }, self.now_ms());
            Err(ServiceError::Unanswered { release: release.to_owned() })
        };
        let (answer, body) = match computed {
            Ok(computed) => computed,
            Err(cause) => return burn(cause),
        };
        let outcome = Outcome::Released { release: release.to_owned(), body };
        match self.ports.ledger.record(outcome, self.now_ms()) {
            Ok(()) => Ok(self.answers.keep(answer)),
            // It is stored: asking again gives it, once the anchor can be written.
            Err(LedgerFault::Unanchored) => Err(LedgerFault::Unanchored.into()),
            Err(_) => burn(Cause::Unrecorded),
        }
    }
}

impl Asked {
    fn laid_out(&self, stored: Arc<StoredAnswer>, standing: Standing) -> Answer {
        let layout = stored.laid(self.priced.plan.layout.clone());
        let sql = self.priced.sql.clone();
        Answer { stored, layout, sql, standing }
    }
}

/// The canonical SQL stands in the ledger, and whoever verifies it must be able to plan it: lists that were united, or dates written
/// out, may be longer than a question may be.
pub(super) fn check_canonical(priced: &Priced) -> Result<(), ServiceError> {
    let terms = &priced.dataset.terms;
    let rows = Some(priced.plan.computation.rows_per_unit);
    let again = parse(&priced.sql).and_then(|query| plan(&query, terms, rows));
    if again.is_ok_and(|again| again.computation == priced.plan.computation) {
        return Ok(());
    }
    let message = "written out in full, this query is longer or deeper than a query may be";
    Err(QueryError::whole(Code::UnsupportedSql, message).hint("ask with fewer or shorter conditions").into())
}

/// What is to be drawn anew: the measurements that something is to be paid for.
fn fresh(parts: &[Made], priced: &Priced) -> Result<Fresh, ServiceError> {
    let wanted: Vec<usize> = (0..parts.len()).filter(|index| parts[*index].fresh > Price::ZERO).collect();
    let sought: Vec<Sought> = wanted.iter().map(|index| priced.wanted[*index].sought).collect();
    let prices: Vec<Price> = wanted.iter().map(|index| parts[*index].fresh).collect();
    let measures = wanted.iter().map(|index| priced.plan.computation.measures[*index].clone()).collect();
    let subject = Subject { dataset: priced.dataset.lineage.clone(), edition: priced.dataset.edition.clone() };
    let certificate = certify(priced.dataset.terms.accountant, subject, &sought, &prices);
    let too_little =
        |_| ServiceError::Accuracy("the accuracy asked for is worth less than the smallest price".to_owned());
    Ok(Fresh {
        computation: Computation { measures, ..priced.plan.computation.clone() },
        views: wanted.iter().map(|index| priced.wanted[*index].view).collect(),
        certificate: certificate.map_err(too_little)?.hiding(priced.plan.hiding),
    })
}
