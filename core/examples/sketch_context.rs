//! A sketch of contexts on a kernel without them: a context is a cgroup, its record an extended attribute. The traits
//! carry `standin::context::emulated`: mkdir takes the id, flock guards the record, cgroup.kill and a poll end it.

use standin::backend::{
    Backend, Deadline, Files, Interest, Lock, OpenOptions, PollEvents, XattrMode,
};
use standin::handle::{Dir, File};
use standin::id::{Bytes, Xid};
use standin::{Errno, Failure, KPath, Mode, Place, path::Follow};

fn name(text: &str) -> &KPath {
    KPath::new(text).expect("a name without NUL")
}

fn open(kernel: &dyn Backend, group: &Dir, file: &str, how: OpenOptions) -> Result<File, Failure> {
    kernel.open(Place::beneath(group.descriptor(), name(file)), &how)
}

/// Takes the id, writes the record, moves the caller in. EEXIST if the id is taken.
fn create(kernel: &dyn Backend, xid: Xid, flags: u64) -> Result<Dir, Failure> {
    let path = format!("/sys/fs/cgroup/xid-{xid}");
    kernel.mkdir(Place::cwd(name(&path)), Mode::new(0o755))?;
    let group = kernel.open_dir(Place::cwd(name(&path)))?;
    kernel.flock(group.descriptor(), Lock::Exclusive { nonblocking: false })?;
    let (place, record) = (Place::of(group.descriptor()), name("trusted.vx.record"));
    kernel.set_xattr(place, Follow::Link, record, &flags.to_le_bytes(), XattrMode::Create)?;
    kernel.write(&open(kernel, &group, "cgroup.procs", OpenOptions::write())?, b"0")?;
    kernel.flock(group.descriptor(), Lock::Unlock).map(|()| group)
}

/// Kills every member at once and waits until the last is gone.
fn end(kernel: &dyn Backend, group: &Dir) -> Result<(), Failure> {
    let events = open(kernel, group, "cgroup.events", OpenOptions::read())?;
    kernel.write(&open(kernel, group, "cgroup.kill", OpenOptions::write())?, b"1")?;
    let (mut text, handle) = ([0; 11], events.descriptor());
    while kernel.pread(&events, &mut text, Bytes(0)).map(|_| &text != b"populated 0")? {
        kernel.poll(&[Interest { handle, events: PollEvents::PRIORITY }], Deadline::Never)?;
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let machine = standin_sim::Machine::builder().build();
    let (guest, host) = (machine.user(0), machine.root());
    create(&guest, Xid(100), 1 << 32)?;
    assert!(create(&host, Xid(100), 0).is_err_and(|refused| refused.is(Errno::EEXIST)));
    end(&host, &host.open_dir(Place::cwd(name("/sys/fs/cgroup/xid-100")))?)?;
    assert_eq!(guest.rmdir(Place::cwd(name("/sys/fs/cgroup/xid-100"))), Err(Failure::CallerDied));
    Ok(())
}
