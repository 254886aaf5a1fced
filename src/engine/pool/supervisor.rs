//! The supervisor of one worker process: starts it, gives it work, notices its end, and starts it again.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use super::lane::{Lane, Next};
use crate::engine::port::EngineFault;
use crate::engine::wire::{Order, Reply, VERSION, receive, send};
use crate::kernel::vault::private::{Exact, Private};
use crate::query::computation::Computation;

/// How often an idle worker is checked.
const LOOK: Duration = Duration::from_millis(100);
/// Pause before another start after a failed one.
const PAUSE: Duration = Duration::from_millis(500);

/// Number of consecutive failed starts after which waiting jobs are given up.
const FAILURES_MAX: u32 = 3;

/// A worker process that is ready.
struct Worker {
    child: Child,
    socket: UnixStream,
}

/// Keeps one worker alive until the lane is closed; `first` is told whether the first start succeeded.
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

/// Waits a little; returns true if the lane is closed. Jobs are left for other workers, or for the next start.
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

/// Gives a worker its work until it ends; returns true if the lane is closed.
fn serve(lane: &Lane, mut worker: Worker) -> bool {
    let ended = loop {
        match lane.next(LOOK) {
            Next::End => break true,
            Next::Nothing if worker.is_gone() => break false,
            Next::Nothing => {}
            // The worker was dead before it received the job, so another worker takes it.
            Next::Job(job) if worker.is_gone() => {
                lane.ready.fetch_sub(1, Ordering::AcqRel);
                lane.push_back(*job);
                worker.stop();
                tracing::warn!(edition = lane.edition, "a worker was gone before it was asked");
                return false;
            }
            Next::Job(job) => {
                if worker.order(lane, &job.computation).is_err() {
                    // The worker received nothing, or an incomplete message, and is killed below.
                    lane.push_back(*job);
                    break false;
                }
                let answer = worker.answer();
                let failed = answer.is_err();
                // The caller may be gone; the charge stands.
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
            // An interrupt from the terminal is for the server to handle.
            .process_group(0)
            .stdin(Stdio::from(table))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            // A library's messages there may contain values.
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

    /// Sends the worker a computation and sets its deadline.
    fn order(&mut self, lane: &Lane, computation: &Computation) -> Result<(), EngineFault> {
        self.socket.set_read_timeout(Some(lane.limits.deadline(computation))).map_err(|_| EngineFault)?;
        send(&mut self.socket, &Order::Evaluate(computation.clone())).map_err(|_| EngineFault)
    }

    /// Reads the worker's reply to the computation it was given.
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
