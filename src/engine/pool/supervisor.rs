//! The supervisor of one worker process: starts it, gives it work, notices its end, and starts it again.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use super::checks::{Check, CheckOutcome};
use super::lane::{Lane, Next};
use super::ring::Piece;
use crate::engine::port::EngineFault;
use crate::engine::wire::{Order, Reply, VERSION, receive, send};
use crate::kernel::vault::private::{Exact, Private};

/// How often an idle worker is checked.
const LOOK: Duration = Duration::from_millis(100);
/// Pause before another start after a failed one.
const PAUSE: Duration = Duration::from_millis(500);

/// Number of consecutive failed starts after which waiting jobs are given up.
const FAILURES_MAX: u32 = 3;

/// Number of bytes of freed memory that a worker keeps, and size of the largest piece of memory that it may keep (32 MiB, which is the
/// allocator's own limit).
const KEPT_BYTES: &str = "33554432";

/// A worker process that is ready.
struct Worker {
    child: Child,
    socket: UnixStream,
    /// Number of blocks of its table.
    blocks: u64,
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

/// Waits a little; returns true if the lane is closed. Pieces are left for other workers, or for the next start.
fn pause(lane: &Lane) -> bool {
    std::thread::park_timeout(PAUSE);
    lane.is_closed()
}

/// Gives a worker its work until it ends; returns true if the lane is closed.
fn serve(lane: &Lane, mut worker: Worker) -> bool {
    let ended = loop {
        match lane.next(worker.blocks, LOOK) {
            Next::End => break true,
            Next::Nothing if worker.is_gone() => break false,
            Next::Nothing => {}
            // The worker was dead before it received the piece, so another worker takes it.
            Next::Piece(piece, _permit) if worker.is_gone() => {
                lane.ready.fetch_sub(1, Ordering::AcqRel);
                lane.put_back(piece);
                worker.stop();
                tracing::warn!(edition = lane.edition, "a worker was gone before it was asked");
                return false;
            }
            Next::Check(check, _permit) => {
                let is_gone = worker.is_gone();
                let outcome = if is_gone { CheckOutcome::Unasked } else { worker.check(lane, &check) };
                lane.checked(&check, outcome);
                if matches!(outcome, CheckOutcome::Lost | CheckOutcome::Unasked) {
                    break false;
                }
            }
            Next::Piece(piece, permit) => {
                if worker.order(lane, &piece).is_err() {
                    // The worker received nothing, or an incomplete message, and is killed below.
                    lane.put_back(piece);
                    break false;
                }
                let answer = worker.answer();
                drop(permit);
                let failed = answer.is_err();
                lane.finish(&piece, answer);
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
        let file = lane.table.open().map_err(|_| EngineFault)?;
        let (mut socket, theirs) = UnixStream::pair().map_err(|_| EngineFault)?;
        let child = Command::new(program)
            .arg0("tacit")
            .arg("worker")
            .env_clear()
            // A worker computes one piece at a time, on one thread; the permits decide how many workers do.
            .env("POLARS_MAX_THREADS", "1")
            // For the C library's allocator: what one block needed is kept for the next one. Given back and asked for again, it costs a page
            // fault for every 4 KiB, which is half of the time of a subquery.
            .env("MALLOC_TRIM_THRESHOLD_", KEPT_BYTES)
            .env("MALLOC_MMAP_THRESHOLD_", KEPT_BYTES)
            .current_dir("/")
            // An interrupt from the terminal is for the server to handle.
            .process_group(0)
            .stdin(Stdio::from(file))
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            // A library's messages there may contain values.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|_| EngineFault)?;
        // Unwrap safety: terms are plain data.
        let terms = serde_json::to_string(&lane.terms).expect("terms are plain data");
        let address_space_bytes = lane.limits.address_space_bytes;
        let (version, table) = (VERSION.to_owned(), lane.facts.clone());
        let setup = Order::Setup { version, table, terms, address_space_bytes };
        let mut ready = || {
            socket.set_read_timeout(Some(lane.limits.start())).ok()?;
            socket.set_write_timeout(Some(lane.limits.start())).ok()?;
            send(&mut socket, &setup).ok()?;
            if let Ok(Reply::Ready { blocks, is_checked }) = receive(&mut socket) {
                Some((blocks, is_checked))
            } else {
                None
            }
        };
        let ready = ready();
        let worker = Self { child, socket, blocks: ready.map_or(0, |(blocks, _)| blocks) };
        if let Some((blocks, is_checked)) = ready {
            lane.begin_checks(blocks, is_checked);
            return Ok(worker);
        }
        worker.stop();
        Err(EngineFault)
    }

    fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends the worker a piece and sets its deadline.
    fn order(&mut self, lane: &Lane, piece: &Piece) -> Result<(), EngineFault> {
        let (start, end) = (piece.blocks.start, piece.blocks.end);
        let deadline = lane.limits.deadline(&piece.computation, end - start);
        self.socket.set_read_timeout(Some(deadline)).map_err(|_| EngineFault)?;
        let computation = Box::new(piece.computation.as_ref().clone());
        send(&mut self.socket, &Order::Evaluate { computation, blocks: (start, end) }).map_err(|_| EngineFault)
    }

    /// Lets the worker check some chunks.
    fn check(&mut self, lane: &Lane, check: &Check) -> CheckOutcome {
        let (columns, blocks) = (check.columns.clone(), (check.blocks.start, check.blocks.end));
        let reply = || {
            self.socket.set_read_timeout(Some(lane.limits.start()))?;
            send(&mut self.socket, &Order::Check { columns, blocks })?;
            receive(&mut self.socket)
        };
        match reply() {
            Ok(Reply::Sound) => CheckOutcome::Sound,
            Ok(Reply::Bad { block }) => CheckOutcome::Bad(block),
            Ok(Reply::Failed | Reply::Ready { .. } | Reply::Exact(_)) | Err(_) => CheckOutcome::Lost,
        }
    }

    /// Reads the worker's reply to the piece that it was given.
    fn answer(&mut self) -> Result<Private<Exact>, EngineFault> {
        match receive(&mut self.socket) {
            Ok(Reply::Exact(exact)) => Ok(Private::new(exact)),
            Ok(Reply::Failed | Reply::Sound | Reply::Bad { .. } | Reply::Ready { .. }) | Err(_) => Err(EngineFault),
        }
    }

    fn stop(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
