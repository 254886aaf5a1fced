//! The walls around a worker: what its process may still do once it holds its table.
//!
//! Promises that afterwards it can compute, and read and write what is open, and nothing else: no sockets, no files, no programs,
//! no other processes. A list of what is allowed, so that a call that nobody thought of is refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::net::TcpListener;

use rlimit::Resource;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};

use super::EngineFault;

/// Memory, threads, time, what is open already, and the end.
const ALLOWED: [libc::c_long; 47] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_ppoll,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_set_tid_address,
    libc::SYS_prctl,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_setaffinity,
    libc::SYS_getcpu,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_tgkill,
    libc::SYS_get_mempolicy,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Bounds this process's address space.
pub(super) fn bound_memory(bytes: u64) -> Result<(), EngineFault> {
    Resource::AS.set(bytes, bytes).map_err(|_| EngineFault)?;
    // A core file would hold rows.
    Resource::CORE.set(0, 0).map_err(|_| EngineFault)
}

/// Ends this process with its server, and shows it by its own name.
pub(super) fn follow_parent() -> Result<(), EngineFault> {
    let killed = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(killed).map_err(|_| EngineFault)?;
    rustix::thread::set_name(c"tacit").map_err(|_| EngineFault)
}

/// Locks the doors, of all threads and of those to come, and tries two of them.
pub(super) fn lock() -> Result<(), EngineFault> {
    let rules = ALLOWED.iter().map(|call| (*call, Vec::new())).collect::<BTreeMap<i64, Vec<_>>>();
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let machine = std::env::consts::ARCH.try_into().map_err(|_| EngineFault)?;
    let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, machine).map_err(|_| EngineFault)?;
    let program: BpfProgram = filter.try_into().map_err(|_| EngineFault)?;
    apply_filter_all_threads(&program).map_err(|_| EngineFault)?;
    let file = File::open("/proc/self/status").map(|_| ());
    let socket = TcpListener::bind(("127.0.0.1", 0)).map(|_| ());
    let refused = |tried: std::io::Result<()>| tried.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
    if refused(file) && refused(socket) { Ok(()) } else { Err(EngineFault) }
}
