//! Turns: a semaphore that is fair between people. It decides whose work comes next when only so much may be under way at once.
//!
//! People take turns, one after the other, however much one of them asks for. One person's work runs in the order in which it was
//! asked for. Nobody holds more than their share, and nothing that waits is overtaken because it is large. Whoever stops waiting
//! leaves no trace: a place in the queue, or a turn that came too late, is given back. The module does not know what turns are
//! for: what is counted here as a slot (`units` in the code) is a thread in one use and a byte in another.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::threads::Threads;

/// How many slots are held at once, and how many turns are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnBounds {
    /// Largest number of slots that all people together hold.
    pub at_once: usize,
    /// Largest number of slots that one person holds. A person who holds nothing gets a turn of any size all the same.
    pub of_one: usize,
    /// Largest number of turns that all people together wait for.
    pub waiting: usize,
    /// Largest number of turns that one person waits for.
    pub waiting_of_one: usize,
}

impl TurnBounds {
    /// Bounds on the slots that are held, for uses in which something else bounds the number that wait.
    #[must_use]
    pub const fn held(at_once: usize, of_one: usize) -> Self {
        Self { at_once, of_one, waiting: usize::MAX, waiting_of_one: usize::MAX }
    }
}

/// Too many turns are waited for already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many are waiting for their turn")]
pub struct FullLine;

/// A semaphore that is fair between people.
pub struct Turns {
    shared: Arc<TurnState>,
}

/// Whether a request is refused when too many wait.
#[derive(Clone, Copy)]
enum Door {
    Bounded,
    Open,
}

struct TurnState {
    bounds: TurnBounds,
    threads: Threads,
    line: Mutex<WaitingLine>,
}

/// Who holds slots, who waits, and whose turn is next.
#[derive(Default)]
struct WaitingLine {
    held: usize,
    waiting: usize,
    tickets: u64,
    people: HashMap<Arc<str>, WaitingPerson>,
    /// People who may have something to wait for, each once, in the order of their turns.
    next: VecDeque<Arc<str>>,
}

#[derive(Default)]
struct WaitingPerson {
    held: usize,
    /// What the person waits for, by ticket, so the oldest comes first.
    waiting: BTreeMap<u64, Waiter>,
    is_in_line: bool,
}

struct Waiter {
    units: usize,
    call: Call,
}

/// What happens when a turn comes.
enum Call {
    /// Whoever waits is told.
    Told(oneshot::Sender<()>),
    /// Work begins, on a thread of its kind.
    Work(Box<dyn FnOnce(Turn) + Send>),
}

impl Turns {
    /// Creates the semaphore; nobody holds anything yet. Work in these turns runs on threads of this name, as many as there are
    /// slots.
    #[must_use]
    pub fn new(name: &'static str, bounds: TurnBounds) -> Self {
        let threads = Threads::new(name, bounds.at_once);
        Self { shared: Arc::new(TurnState { bounds, threads, line: Mutex::default() }) }
    }

    /// Asks for a turn of so many slots for `who`. Asking for more slots than there are means asking for all of them.
    ///
    /// # Errors
    /// [`FullLine`] if too many turns are waited for already.
    pub fn ask(&self, who: &str, units: usize) -> Result<WaitingTurn, FullLine> {
        let (call, called) = oneshot::channel();
        let place = self.enter(who, units, Call::Told(call), Door::Bounded)?;
        Ok(WaitingTurn { place, called, is_over: false })
    }

    /// Like [`Turns::ask`], but never refused: it ignores the bounds on how many wait.
    pub fn insist(&self, who: &str, units: usize) -> WaitingTurn {
        let (call, called) = oneshot::channel();
        // Unwrap safety: an open door refuses nobody.
        let place = self.enter(who, units, Call::Told(call), Door::Open).expect("an open door");
        WaitingTurn { place, called, is_over: false }
    }

    /// Runs blocking work in a turn of one slot for `who`, off the async threads.
    ///
    /// # Errors
    /// [`FullLine`] if too many turns are waited for already.
    pub fn run<T: Send + 'static>(
        &self,
        who: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<RunningWork<T>, FullLine> {
        self.begin(who, work, Door::Bounded)
    }

    /// Like [`Turns::run`], but never refused: it ignores the bounds on how many wait.
    pub fn run_on<T: Send + 'static>(&self, who: &str, work: impl FnOnce() -> T + Send + 'static) -> RunningWork<T> {
        // Unwrap safety: an open door refuses nobody.
        self.begin(who, work, Door::Open).expect("an open door")
    }

    fn begin<T: Send + 'static>(
        &self,
        who: &str,
        work: impl FnOnce() -> T + Send + 'static,
        door: Door,
    ) -> Result<RunningWork<T>, FullLine> {
        let (tell, made) = oneshot::channel();
        let run = move |turn: Turn| {
            let done = work();
            // The next job can begin before whoever awaits this one has seen its result.
            drop(turn);
            let _ = tell.send(done);
        };
        let call = Call::Work(Box::new(run));
        Ok(RunningWork { _leaves: LeaveOnDrop(self.enter(who, 1, call, door)?), made })
    }

    fn enter(&self, who: &str, units: usize, call: Call, door: Door) -> Result<LinePosition, FullLine> {
        let bounds = self.shared.bounds;
        let (who, units) = (Arc::<str>::from(who), units.min(bounds.at_once));
        // A refused call is dropped outside of the lock on the queue.
        let mut call = Some(call);
        let ticket = self.shared.settle(|line| {
            let present = line.people.get(&who).map_or(0, |person| person.waiting.len());
            let is_full = line.waiting >= bounds.waiting || present >= bounds.waiting_of_one;
            if is_full && matches!(door, Door::Bounded) {
                return Err(FullLine);
            }
            line.tickets += 1;
            line.waiting += 1;
            let ticket = line.tickets;
            let person = line.people.entry(Arc::clone(&who)).or_default();
            person.waiting.extend(call.take().map(|call| (ticket, Waiter { units, call })));
            line.stand(&who);
            Ok(ticket)
        })?;
        Ok(LinePosition { shared: Arc::clone(&self.shared), who, ticket, units })
    }

    /// Number of slots that are held now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.settle(|line| line.held)
    }

    /// Number of turns that are waited for now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.settle(|line| line.waiting)
    }
}

impl TurnState {
    /// Changes the queue, then calls everybody whose turn has come.
    fn settle<T>(self: &Arc<Self>, change: impl FnOnce(&mut WaitingLine) -> T) -> T {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let done = change(&mut line);
        let called = line.call(&self.bounds);
        drop(line);
        for (who, waiter) in called {
            match waiter.call {
                // If the receiver has stopped waiting, dropping it gives the turn back.
                Call::Told(call) => drop(call.send(())),
                Call::Work(work) => {
                    let turn = Turn { shared: Arc::clone(self), who, units: waiter.units };
                    self.threads.work(Box::new(move || work(turn)));
                }
            }
        }
        done
    }
}

impl WaitingLine {
    /// Puts a person at the end of the queue, unless they stand in it already.
    fn stand(&mut self, who: &Arc<str>) {
        if let Some(person) = self.people.get_mut(who)
            && !person.is_in_line
            && !person.waiting.is_empty()
        {
            person.is_in_line = true;
            self.next.push_back(Arc::clone(who));
        }
    }

    /// Takes everybody whose turn has come out of the queue.
    fn call(&mut self, bounds: &TurnBounds) -> Vec<(Arc<str>, Waiter)> {
        let mut called = Vec::new();
        while let Some(who) = self.next.front().map(Arc::clone) {
            let Some(person) = self.people.get_mut(&who) else {
                self.next.pop_front();
                continue;
            };
            let wanted = person.waiting.first_key_value().map(|(_, waiter)| waiter.units);
            let wanted = wanted.filter(|units| person.held == 0 || person.held + units <= bounds.of_one);
            match wanted {
                // This person rejoins the queue when they ask again or give something back.
                None => {
                    person.is_in_line = false;
                    self.next.pop_front();
                    self.forget(&who);
                }
                // Nobody overtakes, or large requests would wait for ever.
                Some(units) if self.held + units > bounds.at_once => break,
                Some(units) => {
                    self.next.pop_front();
                    person.is_in_line = false;
                    person.held += units;
                    called.extend(person.waiting.pop_first().map(|(_, waiter)| (Arc::clone(&who), waiter)));
                    self.held += units;
                    self.waiting -= 1;
                    self.stand(&who);
                }
            }
        }
        called
    }

    /// Takes a waiting request out of the queue; `None` if it is no longer in it.
    fn leave(&mut self, who: &Arc<str>, ticket: u64) -> Option<Waiter> {
        let waiter = self.people.get_mut(who)?.waiting.remove(&ticket)?;
        self.waiting -= 1;
        self.forget(who);
        Some(waiter)
    }

    fn give_back(&mut self, who: &Arc<str>, units: usize) {
        self.held -= units;
        if let Some(person) = self.people.get_mut(who) {
            person.held -= units;
        }
        self.stand(who);
        self.forget(who);
    }

    /// Forgets a person who holds nothing and waits for nothing.
    fn forget(&mut self, who: &Arc<str>) {
        let is_gone = |person: &WaitingPerson| person.held == 0 && person.waiting.is_empty() && !person.is_in_line;
        if self.people.get(who).is_some_and(is_gone) {
            self.people.remove(who);
        }
    }
}

/// A request's place in the queue.
struct LinePosition {
    shared: Arc<TurnState>,
    who: Arc<str>,
    ticket: u64,
    units: usize,
}

/// A future of a turn. Dropping it gives up the place in the queue, or the turn if it has come.
#[must_use = "a turn comes only to somebody who awaits it"]
pub struct WaitingTurn {
    place: LinePosition,
    called: oneshot::Receiver<()>,
    is_over: bool,
}

impl WaitingTurn {
    /// The turn, if it has come already.
    ///
    /// # Errors
    /// This future, with its place in the queue kept, if the turn has not come.
    pub fn now(mut self) -> Result<Turn, Self> {
        if self.called.try_recv().is_ok() { Ok(self.turn()) } else { Err(self) }
    }

    fn turn(&mut self) -> Turn {
        self.is_over = true;
        let LinePosition { shared, who, units, .. } = &self.place;
        Turn { shared: Arc::clone(shared), who: Arc::clone(who), units: *units }
    }
}

impl Future for WaitingTurn {
    type Output = Turn;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Turn> {
        // The sender is dropped only after it has called.
        match Pin::new(&mut self.called).poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(_) => Poll::Ready(self.turn()),
        }
    }
}

impl Drop for WaitingTurn {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let LinePosition { shared, who, ticket, units } = &self.place;
        shared.settle(|line| {
            // A request that is no longer in the queue was called, but nobody took its turn.
            if line.leave(who, *ticket).is_none() {
                line.give_back(who, *units);
            }
        });
    }
}

/// A future of work in its turn: the result, or `None` if the work broke off. Dropping it takes back work that has not begun;
/// work that has begun goes on, and keeps its turn.
#[must_use = "work that is not awaited may never begin"]
pub struct RunningWork<T> {
    _leaves: LeaveOnDrop,
    made: oneshot::Receiver<T>,
}

struct LeaveOnDrop(LinePosition);

impl Drop for LeaveOnDrop {
    fn drop(&mut self) {
        let LinePosition { shared, who, ticket, .. } = &self.0;
        // Work that is no longer in the queue has begun. Work that is taken back is dropped outside of the lock, because it may
        // hold turns itself.
        let taken = shared.settle(|line| line.leave(who, *ticket));
        drop(taken);
    }
}

impl<T> Future for RunningWork<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.made).poll(context).map(Result::ok)
    }
}

/// Slots that somebody holds until this is dropped.
#[must_use = "a turn ends when it is dropped"]
pub struct Turn {
    shared: Arc<TurnState>,
    who: Arc<str>,
    units: usize,
}

impl Turn {
    /// Changes the number of slots that are held. Fewer are given back at once. More are taken at once, even beyond what there
    /// is; then others wait longer.
    pub fn resize(&mut self, units: usize) {
        let (who, before) = (&self.who, self.units);
        self.shared.settle(|line| {
            let held = |held: usize| held - before + units;
            line.held = held(line.held);
            if let Some(person) = line.people.get_mut(who) {
                person.held = held(person.held);
            }
            line.stand(who);
        });
        self.units = units;
    }

    /// Number of slots that this turn holds.
    #[must_use]
    pub fn units(&self) -> usize {
        self.units
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (who, units) = (&self.who, self.units);
        self.shared.settle(|line| line.give_back(who, units));
    }
}

#[cfg(test)]
#[path = "turns_tests.rs"]
mod tests;
