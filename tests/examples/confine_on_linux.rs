//! The README's function on the real kernel: `cargo run -p standin-tests --example confine_on_linux`, as root on a host with
//! cgroup2. Without root it prints what the kernel refused, which is the same sentence that a machine gives.

use standin::backend::Processes;
use standin::{Backend, fs};
use standin_linux::Linux;

/// Makes a service's group with room for `most` groups below, and says what it reads back.
fn confine(kernel: &dyn Backend, group: &str, most: u32) -> Result<String, fs::Error> {
    fs::create_dir(kernel, group)?;
    fs::write(kernel, format!("{group}/cgroup.max.descendants"), most.to_string())?;
    fs::read_to_string(kernel, format!("{group}/cgroup.max.descendants"))
}

/// Where this kernel has its v2 hierarchy.
fn hierarchy(kernel: &dyn Backend) -> &'static str {
    if fs::exists(kernel, "/sys/fs/cgroup/cgroup.procs") {
        "/sys/fs/cgroup"
    } else {
        "/sys/fs/cgroup/unified"
    }
}

fn main() {
    let here = Linux::here();
    let name = format!("standin-example-{}", here.pid().map_or(0, |pid| pid.0));
    let machine = standin_sim::Machine::builder().build();
    let root = machine.root();
    for (what, kernel) in [("this host", &here as &dyn Backend), ("a machine", &root)] {
        let group = format!("{}/{name}", hierarchy(kernel));
        match confine(kernel, &group, 7) {
            Ok(limit) => println!("on {what}: {}", limit.trim_end()),
            Err(refused) => println!("on {what}: {refused}"),
        }
        if fs::exists(kernel, &group) {
            println!("removed: {:?}", fs::remove_dir(kernel, &group));
        }
    }
}
