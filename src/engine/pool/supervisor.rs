//! One worker process and the thread that keeps it: start, ask, notice its end, start again.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use super::{Lane, Next};
use crate::engine::EngineFault;
use crate::engine::wire::{Order, Reply, VERSION, receive, send};
use crate::kernel::vault::private::{Exact, Private};
use crate::query::plan::Computation;

/// How often an idle worker is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Pause before a start that follows one which failed.
const PAUSE: Duration = Duration::from_millis(500);

/// Starts that fail one after another, after which what waits is given up.
const FAILURES_MAX: u32 = 3;

/// A worker that is ready.
struct Worker {
    child: Child,
    socket: UnixStream,
}

/// Keeps one worker alive until the lane is closed; `first` hears how the first start went.
pub(super) fn keep(lane: &Lane, program: &Path, first: &mpsc::Sender<bool>) {
    let mut failures = 0_u32;
    for attempt in 0_u64.. {
        let started = Worker::start(lane, program);
        if attempt == 0 {
            let _ = first.send(started.is_ok());
        }
        let ended = match started {
            Ok(worker) => {
                if failures >= FAILURES_MAX {
                    lane.stuck.fetch_sub(1, Ordering::AcqRel);
                }
                failures = 0;
                lane.ready.fetch_add(1, Ordering::AcqRel);
                serve(lane, worker)
            }
            Err(EngineFault) => {
                failures = failures.saturating_add(1);
                tracing::error!(edition = lane.edition, failures, "a worker could not be started");
                if failures == FAILURES_MAX {
                    lane.stuck.fetch_add(1, Ordering::AcqRel);
                }
                lane.give_up();
                pause(lane)
            }
        };
        if ended {
            return;
        }
    }
}

/// Waits a little; true at the end. Jobs stay for others, or for the next start.
fn pause(lane: &Lane) -> bool {
    std::thread::park_timeout(PAUSE);
    match lane.next(Duration::ZERO) {
        Next::End => true,
        Next::Nothing => false,
        Next::Job(job) => {
            lane.push_back(*job);
            false
        }
    }
}

/// Gives a worker its work until it is no more; true at the end of the lane.
fn serve(lane: &Lane, mut worker: Worker) -> bool {
    let ended = loop {
        match lane.next(LOOK) {
            Next::End => break true,
            Next::Nothing if worker.is_gone() => break false,
            Next::Nothing => {}
            // It was dead before it was asked: somebody else's job now.
            Next::Job(job) if worker.is_gone() => {
                lane.ready.fetch_sub(1, Ordering::AcqRel);
                lane.push_back(*job);
                worker.stop();
                tracing::warn!(edition = lane.edition, "a worker was gone before it was asked");
                return false;
            }
            Next::Job(job) => {
                if worker.order(lane, &job.computation).is_err() {
                    // It never heard of it, or half of it, and it is ended below.
                    lane.push_back(*job);
                    break false;
                }
                let answer = worker.answer();
                let failed = answer.is_err();
                // Who asked may be gone; the charge stands.
                let _ = job.done.send(answer);
                if failed {
                    break false;
                }
            }
        }
    };
    lane.ready.fetch_sub(1, Ordering::AcqRel);
    worker.stop();
    if !ended {
        tracing::error!(edition = lane.edition, "a worker ended; another is started");
    }
    ended
}

impl Worker {
    fn start(lane: &Lane, program: &Path) -> Result<Self, EngineFault> {
        let table = File::open(&lane.table).map_err(|_| EngineFault)?;
        let (mut socket, theirs) = UnixStream::pair().map_err(|_| EngineFault)?;
        let child = Command::new(program)
            .arg0("tacit")
            .arg("worker")
            .env_clear()
            .current_dir("/")
            // An interrupt at the terminal is the server's to answer.
            .process_group(0)
            .stdin(Stdio::from(table))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            // What a library says there may hold values.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| EngineFault)?;
        // Unwrap safety: terms are plain data.
        let terms = serde_json::to_string(&lane.terms).expect("terms are plain data");
        let address_space_bytes = lane.limits.address_space_bytes;
        let setup =
            Order::Setup { version: VERSION.to_owned(), table: (lane.digest, lane.rows), terms, address_space_bytes };
        let mut ready = || {
            socket.set_read_timeout(Some(lane.limits.start())).ok()?;
            socket.set_write_timeout(Some(lane.limits.start())).ok()?;
            send(&mut socket, &setup).ok()?;
            matches!(receive(&mut socket), Ok(Reply::Ready)).then_some(())
        };
        let is_ready = ready().is_some();
        let worker = Self { child, socket };
        if is_ready {
            return Ok(worker);
        }
        worker.stop();
        Err(EngineFault)
    }

    fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Gives it one computation and its deadline.
    fn order(&mut self, lane: &Lane, computation: &Computation) -> Result<(), EngineFault> {
        self.socket.set_read_timeout(Some(lane.limits.deadline(computation))).map_err(|_| EngineFault)?;
        send(&mut self.socket, &Order::Evaluate(computation.clone())).map_err(|_| EngineFault)
    }

    /// What it says of the computation that it was given.
    fn answer(&mut self) -> Result<Private<Exact>, EngineFault> {
        match receive(&mut self.socket) {
            Ok(Reply::Exact(exact)) => Ok(Private::new(exact)),
            Ok(Reply::Failed | Reply::Ready) | Err(_) => Err(EngineFault),
        }
    }

    fn stop(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
