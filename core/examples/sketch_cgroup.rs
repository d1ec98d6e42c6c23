//! A sketch of the cgroup library: make a group with its limits, undo it if a step fails. The traits carry
//! `standin::cgroup`. Run it with `cargo run -p standin --example sketch_cgroup`.

use standin::backend::{Files, OpenOptions, Processes};
use standin::handle::Dir;
use standin::{Backend, Failure, KPath, Mode, Pid, Place};

fn name(text: &str) -> &KPath {
    KPath::new(text).expect("a name without NUL")
}

/// Writes a control file beneath the group's directory: a hostile name cannot lead out of it.
fn set(kernel: &dyn Backend, group: &Dir, file: &str, value: &str) -> Result<(), Failure> {
    let file =
        kernel.open(Place::beneath(group.descriptor(), name(file)), &OpenOptions::write())?;
    kernel.write(&file, value.as_bytes()).map(drop)
}

/// Makes a group below `parent`, sets `limits`, moves `process` in; removes it again if anything fails.
fn create(
    kernel: &dyn Backend,
    parent: &Dir,
    group: &str,
    limits: &[(&str, &str)],
    process: Pid,
) -> Result<Dir, Failure> {
    let place = Place::beneath(parent.descriptor(), name(group));
    kernel.mkdir(place, Mode::new(0o755))?;
    let made = kernel.open_dir(place).and_then(|directory| {
        limits.iter().try_for_each(|(file, value)| set(kernel, &directory, file, value))?;
        set(kernel, &directory, "cgroup.procs", &process.to_string()).map(|()| directory)
    });
    made.or_else(|failure| kernel.rmdir(place).and(Err(failure)))
}

fn main() -> Result<(), Failure> {
    let machine = standin_sim::Machine::builder().build();
    let (kernel, service) = (machine.root(), machine.user(1000).pid()?);
    let root = kernel.open_dir(Place::cwd(name("/sys/fs/cgroup")))?;
    set(&kernel, &root, "cgroup.subtree_control", "+pids")?;
    let refused = create(&kernel, &root, "web", &[("pids.max", "-1")], service).err();
    println!("a wrong limit is {refused:?}, and leaves behind {:?}", machine.look().cgroups());
    create(&kernel, &root, "web", &[("pids.max", "5")], service)?;
    println!("{}", machine.look().tree());
    Ok(())
}
