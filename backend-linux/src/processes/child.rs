//! What a spawned child does before it is another program.
//!
//! Here the child is a copy of one thread of a program that may have many: it makes system calls
//! and nothing else. All it needs was made before ([`Plan`]); no memory is taken or given back, no
//! lock touched, nothing can panic. A refusal goes to the parent through the report pipe.

#![expect(unsafe_code, reason = "bare system calls between clone and exec")]

use std::ffi::{CString, c_char, c_long, c_ulong};
use std::os::fd::RawFd;

use super::limits::Limit64;

/// The program to become.
pub(crate) enum Image {
    /// By path.
    Path(CString),
    /// By descriptor.
    Open(RawFd),
    /// None: another part of this one, which must have a single thread, and gets these arguments.
    #[cfg(feature = "transcript")]
    Part(fn(Vec<Vec<u8>>) -> !, Vec<Vec<u8>>),
}

/// Strings for execve(2): the texts, and the list of pointers that ends in a null pointer.
pub(crate) struct Strings {
    _texts: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    pub(crate) fn new(texts: Vec<CString>) -> Self {
        let mut pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
        pointers.push(std::ptr::null());
        Self { _texts: texts, pointers }
    }

    fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// A descriptor that the child keeps, under which number.
pub(crate) struct Kept {
    pub(crate) from: RawFd,
    /// Where it is while numbers are sorted out.
    pub(crate) between: RawFd,
    pub(crate) to: RawFd,
}

/// The identity of the child.
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    pub(crate) bounding: u64,
    pub(crate) no_new_privileges: bool,
}

/// All that a child does, in order.
pub(crate) struct Plan {
    pub(crate) session: bool,
    pub(crate) kept: Vec<Kept>,
    pub(crate) directory: Option<RawFd>,
    pub(crate) limits: Vec<(u32, Limit64)>,
    pub(crate) identity: Option<Identity>,
    pub(crate) parent_death: i32,
    /// The signals that are blocked in the program: the parent's, from before it spawned.
    pub(crate) mask: u64,
    pub(crate) image: Image,
    pub(crate) arguments: Strings,
    pub(crate) environment: Strings,
}

/// What went through the report pipe.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Report {
    /// 0: an errno; 1: the number of the child that an intermediate process made.
    pub(crate) kind: u32,
    pub(crate) value: i32,
}

/// A refusal's number.
type Errno = i32;

fn done(answer: c_long) -> Result<i32, Errno> {
    if answer < 0 {
        // SAFETY: the thread's own errno.
        Err(unsafe { *libc::__errno_location() })
    } else {
        Ok(i32::try_from(answer).unwrap_or(i32::MAX))
    }
}

macro_rules! call {
    ($number:expr $(, $argument:expr)* $(,)?) => {
        // SAFETY: arguments as the call's man page asks; what they point to is in the plan.
        done(unsafe { libc::syscall($number $(, $argument)*) })
    };
}

/// Ends the process without running anything of the program's.
pub(crate) fn leave(code: i32) -> ! {
    loop {
        let _ = call!(libc::SYS_exit_group, code);
    }
}

/// Says something to the parent. A parent that is gone hears nothing, and nobody else should.
pub(crate) fn report(pipe: RawFd, kind: u32, value: i32) {
    let report = Report { kind, value };
    let _ = call!(libc::SYS_write, pipe, &raw const report, size_of::<Report>());
}

/// Becomes the program, or reports why not and ends.
pub(crate) fn become_program(plan: &mut Plan, mut pipe: RawFd) -> ! {
    let Err(errno) = prepare(plan, &mut pipe).and_then(|()| execute(plan));
    report(pipe, 0, errno);
    leave(127)
}

/// Joins the namespaces of a held process.
pub(crate) fn join(process: RawFd, kinds: i32) -> Result<(), Errno> {
    call!(libc::SYS_setns, process, kinds).map(drop)
}

fn prepare(plan: &mut Plan, pipe: &mut RawFd) -> Result<(), Errno> {
    if plan.session {
        call!(libc::SYS_setsid)?;
    }
    sort_descriptors(&mut plan.kept, pipe)?;
    if let Some(directory) = plan.directory {
        call!(libc::SYS_fchdir, directory)?;
    }
    for (resource, limit) in &plan.limits {
        let none = std::ptr::null_mut::<Limit64>();
        call!(libc::SYS_prlimit64, 0, *resource, std::ptr::from_ref(limit), none)?;
    }
    if let Some(identity) = &plan.identity {
        change_identity(identity)?;
    }
    if plan.parent_death != 0 {
        let signal = c_ulong::from(plan.parent_death.unsigned_abs());
        call!(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, signal, 0_u64, 0_u64, 0_u64)?;
    }
    let mask = &raw const plan.mask;
    let none = std::ptr::null_mut::<u64>();
    call!(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, mask, none, size_of::<u64>()).map(drop)
}

/// First out of the way of every number that is wanted, then to it. All others close at exec.
fn sort_descriptors(kept: &mut [Kept], pipe: &mut RawFd) -> Result<(), Errno> {
    let first_free = kept.iter().map(|one| one.to).max().map_or(3, |most| most.max(2) + 1);
    if !kept.is_empty() && *pipe < first_free {
        *pipe = call!(libc::SYS_fcntl, *pipe, libc::F_DUPFD_CLOEXEC, first_free)?;
    }
    for one in kept.iter_mut() {
        one.between = call!(libc::SYS_fcntl, one.from, libc::F_DUPFD_CLOEXEC, first_free)?;
    }
    // Linux before 5.11 has no such call: there only what was opened close-on-exec is closed.
    let _ = call!(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
    for one in kept.iter() {
        call!(libc::SYS_dup3, one.between, one.to, 0)?;
    }
    Ok(())
}

/// Groups, gid, uid, bounding set, no_new_privs. The permitted set is kept over the change of ids
/// for as long as the bounding set needs it; exec takes from it what the new ids do not have.
pub(crate) fn change_identity(identity: &Identity) -> Result<(), Errno> {
    let (uid, gid) = (identity.uid, identity.gid);
    call!(libc::SYS_setgroups, identity.groups.len(), identity.groups.as_ptr())?;
    call!(libc::SYS_setresgid, gid, gid, gid)?;
    let keep = call!(libc::SYS_prctl, libc::PR_SET_KEEPCAPS, 1_u64, 0_u64, 0_u64, 0_u64);
    call!(libc::SYS_setresuid, uid, uid, uid)?;
    drop_bounding(identity.bounding)?;
    if keep.is_ok() {
        call!(libc::SYS_prctl, libc::PR_SET_KEEPCAPS, 0_u64, 0_u64, 0_u64, 0_u64)?;
    }
    if identity.no_new_privileges {
        call!(libc::SYS_prctl, libc::PR_SET_NO_NEW_PRIVS, 1_u64, 0_u64, 0_u64, 0_u64)?;
    }
    Ok(())
}

/// Drops what is in the bounding set and not wanted; asks for the privilege only if there is any.
fn drop_bounding(wanted: u64) -> Result<(), Errno> {
    let mut raised = false;
    for number in 0..64_u64 {
        let held = match call!(libc::SYS_prctl, libc::PR_CAPBSET_READ, number, 0_u64, 0_u64, 0_u64)
        {
            Ok(held) => held == 1,
            Err(_) => break,
        };
        if held && wanted >> number & 1 == 0 {
            if !raised {
                raise_permitted()?;
                raised = true;
            }
            call!(libc::SYS_prctl, libc::PR_CAPBSET_DROP, number, 0_u64, 0_u64, 0_u64)?;
        }
    }
    Ok(())
}

/// Makes effective what is permitted: a change to another user id took it away.
fn raise_permitted() -> Result<(), Errno> {
    let mut header: [u32; 2] = [0x2008_0522, 0];
    let mut halves: [[u32; 3]; 2] = [[0; 3]; 2];
    call!(libc::SYS_capget, &raw mut header, &raw mut halves)?;
    for [effective, permitted, _] in &mut halves {
        *effective = *permitted;
    }
    call!(libc::SYS_capset, &raw mut header, &raw const halves).map(drop)
}

/// execve(2), or execveat(2) of an open program. Returns only if it failed.
fn execute(plan: &mut Plan) -> Result<std::convert::Infallible, Errno> {
    #[cfg(feature = "transcript")]
    if let Image::Part(part, arguments) = &mut plan.image {
        // What exec(2) would close.
        let first = plan.kept.iter().map(|one| one.to).max().map_or(3, |most| most.max(2) + 1);
        call!(libc::SYS_close_range, first.unsigned_abs(), u32::MAX, 0_u32)?;
        part(std::mem::take(arguments));
    }
    run(&plan.image, &plan.arguments, &plan.environment)
}

/// The calling process becomes another program.
pub(crate) fn run(
    image: &Image,
    arguments: &Strings,
    environment: &Strings,
) -> Result<std::convert::Infallible, Errno> {
    let (arguments, environment) = (arguments.as_ptr(), environment.as_ptr());
    let answered = match image {
        Image::Path(path) => call!(libc::SYS_execve, path.as_ptr(), arguments, environment),
        Image::Open(number) => {
            let (empty, flag) = (c"".as_ptr(), libc::AT_EMPTY_PATH);
            call!(libc::SYS_execveat, *number, empty, arguments, environment, flag)
        }
        // It is begun, not executed.
        #[cfg(feature = "transcript")]
        Image::Part(..) => Err(libc::ENOEXEC),
    };
    Err(answered.err().unwrap_or(libc::EIO))
}
