//! Confinement of a worker: what its process may still do once it holds its table.
//!
//! Promises that afterwards it can compute, and read and write what is already open, and nothing else: no sockets, no files, no programs,
//! no other processes. This is a list of allowed system calls, so a call that nobody thought of is refused.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::process::Command;

use rlimit::Resource;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

use super::port::EngineFault;

/// Allowed system calls: memory, threads, time, reading and writing what is already open, and exiting.
const ALLOWED: &[libc::c_long] = &[
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
    // Needed by the runtime that polars keeps: it waits on open descriptors, and a signal makes it wait again.
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_membarrier,
    // Answered by another filter with "no such system call", so that threads are created with `clone`.
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_set_tid_address,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
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
    libc::SYS_get_mempolicy,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// The option of `prctl` that names memory areas, which the allocator uses.
const PR_SET_VMA: u64 = 0x5356_4d41;
const PR_SET_NAME: u64 = 15;

/// Limits the address space of this process.
pub(super) fn bound_memory(bytes: u64) -> Result<(), EngineFault> {
    Resource::AS.set(bytes, bytes).map_err(|_| EngineFault)?;
    // A core file would contain rows.
    Resource::CORE.set(0, 0).map_err(|_| EngineFault)
}

/// Makes this process end with its server, and gives it a name of its own in process lists.
pub(super) fn follow_parent() -> Result<(), EngineFault> {
    let killed = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(killed).map_err(|_| EngineFault)?;
    rustix::thread::set_name(c"tacit").map_err(|_| EngineFault)
}

/// Closes whatever descriptors the server was started with and passed on: a worker needs only its table and its socket, and must have
/// nowhere to write to besides.
pub(super) fn close_inherited() -> Result<(), EngineFault> {
    let open = fs::read_dir("/proc/self/fd").map_err(|_| EngineFault)?;
    let open: Vec<i32> = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for file in open.into_iter().filter(|file| *file > 2) {
        // The descriptor of the directory listing itself is already closed by now.
        let _ = nix::unistd::close(file);
    }
    Ok(())
}

/// Applies the filters to all current and future threads, and checks that three forbidden calls are refused.
pub(super) fn lock() -> Result<(), EngineFault> {
    let absent = SeccompAction::Errno(libc::ENOSYS as u32);
    apply(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), SeccompAction::Allow, absent)?;
    let mut rules: BTreeMap<i64, Vec<_>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let threads = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, vec![first_is(SeccompCmpOp::MaskedEq(threads), threads)?]);
    rules.insert(libc::SYS_tgkill, vec![first_is(SeccompCmpOp::Eq, std::process::id().into())?]);
    let names = [PR_SET_NAME, PR_SET_VMA].map(|name| first_is(SeccompCmpOp::Eq, name));
    rules.insert(libc::SYS_prctl, names.into_iter().collect::<Result<_, _>>()?);
    apply(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)?;
    let refused = |tried: io::Result<()>| tried.is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
    let file = File::open("/proc/self/status").map(|_| ());
    let socket = TcpListener::bind(("127.0.0.1", 0)).map(|_| ());
    let process = Command::new("/bin/true").spawn().map(|_| ());
    if refused(file) && refused(socket) && refused(process) { Ok(()) } else { Err(EngineFault) }
}

fn first_is(how: SeccompCmpOp, value: u64) -> Result<SeccompRule, EngineFault> {
    let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, how, value).map_err(|_| EngineFault)?;
    SeccompRule::new(vec![condition]).map_err(|_| EngineFault)
}

fn apply(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<(), EngineFault> {
    let machine = std::env::consts::ARCH.try_into().map_err(|_| EngineFault)?;
    let filter = SeccompFilter::new(rules, otherwise, matched, machine).map_err(|_| EngineFault)?;
    let program: BpfProgram = filter.try_into().map_err(|_| EngineFault)?;
    apply_filter_all_threads(&program).map_err(|_| EngineFault)
}
