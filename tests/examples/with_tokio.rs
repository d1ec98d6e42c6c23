//! Views from asynchronous code: a call may block, so it goes to `spawn_blocking`, as calls of the real kernel do.
//!
//! Two tasks: one waits for a group to become empty, the other ends its process.

use standin::backend::{Clock, Deadline, Files, Interest, OpenOptions, PollEvents, Processes};
use standin::id::Bytes;
use standin::{Failure, KPath, Place, Signal, fs};
use standin_sim::{Machine, View};

/// Waits until the group has no process.
fn until_empty(kernel: &View, group: &str) -> Result<(), Failure> {
    let path = format!("{group}/cgroup.events");
    let events =
        kernel.open(Place::cwd(KPath::new(&path).expect("no NUL")), &OpenOptions::read())?;
    let mut text = [0; 11];
    while kernel.pread(&events, &mut text, Bytes(0)).map(|_| &text != b"populated 0")? {
        let change = Interest { handle: events.descriptor(), events: PollEvents::PRIORITY };
        kernel.poll(&[change], Deadline::Never)?;
    }
    Ok(())
}

#[tokio::main]
async fn main() {
    let machine = Machine::builder().build();
    let (root, worker, watcher) = (machine.root(), machine.user(1000), machine.user(0));
    fs::create_dir(&root, "/sys/fs/cgroup/job").expect("root may");
    let pid = worker.pid().expect("it lives");
    fs::write(&root, "/sys/fs/cgroup/job/cgroup.procs", pid.to_string()).expect("root may");

    let empty = tokio::task::spawn_blocking(move || until_empty(&watcher, "/sys/fs/cgroup/job"));
    let kill = tokio::task::spawn_blocking(move || {
        let worker = root.open_pid(pid)?;
        root.signal(&worker, Some(Signal::TERM))
    });
    kill.await.expect("no panic").expect("root may");
    empty.await.expect("no panic").expect("it ends");
    println!("the job has ended\n{}", machine.look().tree());
}
