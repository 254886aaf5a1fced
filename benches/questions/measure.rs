//! One question at one size: interleaved runs of plain polars and of servers, alone and by four askers at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use polars::prelude::{Engine, LazyFrame};

use super::BESIDE_MAX;
use super::catalogue::Question;
use super::server::{Cost, Refusal, Server, cpu_of, cpu_of_this, held_mb};
use super::table::{Form, Plain};

/// Fresh questions of each asker, where several ask at once.
const AT_ONCE: usize = 3;
/// How often memory is looked at while a question is answered.
const LOOK: Duration = Duration::from_millis(10);
/// The first constant, in hundredths.
const FIRST: u64 = 50_000;

/// Constants that no question to these servers has had yet, in hundredths.
pub struct Constants(AtomicU64);

impl Constants {
    pub fn new() -> Self {
        Self(AtomicU64::new(FIRST))
    }

    pub fn fresh(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Medians of one contestant.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub alone: Cost,
    /// By the clock, for each answer, with four askers at once; `None` where four would not fit into memory.
    pub at_once: Option<Duration>,
}

/// Plain polars, by the faster of its engines.
#[derive(Debug, Clone, Copy)]
pub struct PlainMeasured {
    pub of: Measured,
    pub is_streaming: bool,
}

/// What was measured of a question.
#[derive(Debug, Clone)]
pub struct Row {
    pub question: &'static Question,
    pub text: PlainMeasured,
    pub codes: PlainMeasured,
    pub ours: Result<Measured, Refusal>,
    /// A binary of before, where one was named.
    pub before: Option<Result<Measured, Refusal>>,
    /// The most that the server and its workers held while they answered, pages that they share counted once.
    pub peak_mb: f64,
}

/// The median of costs, each figure by itself; processor time is their mean, since the system counts it in hundredths of a second.
fn middle(costs: &[Cost]) -> Cost {
    let mut taken: Vec<Duration> = costs.iter().map(|cost| cost.taken).collect();
    taken.sort_unstable();
    let cpu = costs.iter().map(|cost| cost.cpu).sum::<f64>() / costs.len() as f64;
    Cost { taken: taken[taken.len() / 2], cpu }
}

/// One who answers questions: plain polars, or a server.
trait Contestant: Sync {
    /// Answers a fresh question on behalf of an asker.
    fn answer(&self, asker: usize) -> Result<Duration, Refusal>;
    /// Processor time until now.
    fn cpu(&self) -> f64;

    /// Whether several answers at once fit into memory.
    fn fits_at_once(&self) -> bool;

    /// One answer and its cost.
    fn once(&self) -> Result<Cost, Refusal> {
        let before = self.cpu();
        let taken = self.answer(0)?;
        Ok(Cost { taken, cpu: self.cpu() - before })
    }

    /// The time of one answer by the clock, where four askers ask without a pause.
    fn at_once(&self, askers: usize) -> Result<Duration, Refusal> {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let ask = |asker| move || (0..AT_ONCE).try_for_each(|_| self.answer(asker).map(|_| ()));
            let asking: Vec<_> = (0..askers).map(|asker| scope.spawn(ask(asker))).collect();
            asking.into_iter().try_for_each(|one| one.join().expect("an asker"))
        })?;
        Ok(begun.elapsed() / (askers * AT_ONCE) as u32)
    }
}

struct Asked<'a> {
    question: &'static Question,
    constants: &'a Constants,
    server: &'a Server,
    pids: BTreeSet<u32>,
}

impl Contestant for Asked<'_> {
    fn answer(&self, asker: usize) -> Result<Duration, Refusal> {
        self.server.askers[asker].ask(&self.question.sql(self.constants.fresh()))
    }

    fn cpu(&self) -> f64 {
        cpu_of(&self.pids)
    }

    fn fits_at_once(&self) -> bool {
        true
    }
}

struct Polars<'a> {
    question: &'static Question,
    constants: &'a Constants,
    plain: &'a Plain,
    is_streaming: bool,
}

impl<'a> Polars<'a> {
    /// The faster engine of two runs each.
    fn faster(question: &'static Question, plain: &'a Plain, constants: &'a Constants) -> Self {
        let [memory, streaming] = [false, true].map(|is_streaming| {
            let one = Self { question, constants, plain, is_streaming };
            (0..2).map(|_| one.run()).min().unwrap_or_default()
        });
        Self { question, constants, plain, is_streaming: streaming < memory }
    }

    fn run(&self) -> Duration {
        let lazy: LazyFrame = self.question.plain(self.plain, self.constants.fresh());
        let engine = if self.is_streaming { Engine::Streaming } else { Engine::InMemory };
        let begun = Instant::now();
        std::hint::black_box(lazy.collect_with_engine(engine).expect("an answer"));
        begun.elapsed()
    }
}

impl Contestant for Polars<'_> {
    fn answer(&self, _: usize) -> Result<Duration, Refusal> {
        Ok(self.run())
    }

    fn cpu(&self) -> f64 {
        cpu_of_this()
    }

    fn fits_at_once(&self) -> bool {
        self.plain.visits.height() <= BESIDE_MAX
    }
}

/// Interleaved rounds of all contestants; a round begins with another one each time. A contestant who refuses once is out.
fn rounds(contestants: &[&dyn Contestant], rounds: usize, askers: usize) -> Vec<Result<Measured, Refusal>> {
    let mut costs: Vec<Result<Vec<Cost>, Refusal>> =
        contestants.iter().map(|one| one.once().map(|_| Vec::new())).collect();
    for round in 0..rounds {
        for step in 0..contestants.len() {
            let at = (round + step) % contestants.len();
            let Ok(kept) = &mut costs[at] else { continue };
            match contestants[at].once() {
                Ok(cost) => kept.push(cost),
                Err(refusal) => costs[at] = Err(refusal),
            }
        }
    }
    let measured = |(costs, one): (Result<Vec<Cost>, Refusal>, &&dyn Contestant)| {
        let alone = middle(&costs?);
        Ok(Measured { alone, at_once: one.fits_at_once().then(|| one.at_once(askers)).transpose()? })
    };
    costs.into_iter().zip(contestants).map(measured).collect()
}

/// The most that a server and its workers hold while four askers ask at once; a run by itself, since looking takes time.
fn peak_mb(asked: &Asked<'_>, askers: usize) -> f64 {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut most: f64 = 0.0;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(held_mb(&asked.pids));
                std::thread::sleep(LOOK);
            }
            most
        });
        let _ = asked.at_once(askers);
        is_over.store(true, Ordering::Relaxed);
        looking.join().expect("the most")
    })
}

/// What questions of one size are measured with.
pub struct Bench<'a> {
    /// The folder of the sources.
    pub dir: &'a Path,
    pub ours: &'a Server,
    pub before: Option<&'a Server>,
    pub constants: &'a Constants,
    /// Interleaved runs of each contestant.
    pub rounds: usize,
}

/// Measures a question beside plain polars, in both forms.
pub fn measure(question: &'static Question, bench: &Bench<'_>) -> Row {
    let (constants, askers) = (bench.constants, bench.ours.askers.len());
    let read = |form| Plain::read(bench.dir, form, question.columns, question.is_joined);
    // Texts are read to be coded, so the codes come first, while there is most room.
    let codes = read(Form::Codes);
    let text = read(Form::Text);
    let plain = [&text, &codes].map(|plain| Polars::faster(question, plain, constants));
    let asked = |server| Asked { question, constants, server, pids: Server::processes(server) };
    let (ours, before) = (asked(bench.ours), bench.before.map(asked));
    let mut contestants: Vec<&dyn Contestant> = vec![&plain[0], &plain[1], &ours];
    contestants.extend(before.iter().map(|before| before as &dyn Contestant));
    let mut measured = rounds(&contestants, bench.rounds, askers).into_iter();
    let mut of_plain = |at: usize| PlainMeasured {
        of: measured.next().and_then(Result::ok).expect("plain polars answers"),
        is_streaming: plain[at].is_streaming,
    };
    let (text, codes) = (of_plain(0), of_plain(1));
    let of_ours = measured.next().expect("an own result");
    Row { question, text, codes, ours: of_ours, before: measured.next(), peak_mb: peak_mb(&ours, askers) }
}
