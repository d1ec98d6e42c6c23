//! The manager of `manager_before`, over a backend: search and replace, and it is tested in a millisecond without root.

use standin::{Backend, fs};

type Result<T> = std::result::Result<T, fs::Error>;

struct Manager<'a> {
    kernel: &'a dyn Backend,
    slice: String,
}

impl<'a> Manager<'a> {
    fn new(kernel: &'a dyn Backend, hierarchy: &str, slice: &str) -> Result<Self> {
        let slice = format!("{hierarchy}/{slice}");
        fs::create_dir_all(kernel, &slice)?;
        Ok(Self { kernel, slice })
    }

    fn start(&self, service: &str, pid: u32, groups: u32) -> Result<()> {
        let group = format!("{}/{service}", self.slice);
        fs::create_dir(self.kernel, &group)?;
        fs::write(self.kernel, format!("{group}/cgroup.max.descendants"), groups.to_string())?;
        fs::write(self.kernel, format!("{group}/cgroup.procs"), pid.to_string())
    }

    fn pause(&self, service: &str, paused: bool) -> Result<()> {
        fs::write(
            self.kernel,
            format!("{}/{service}/cgroup.freeze", self.slice),
            if paused { "1" } else { "0" },
        )
    }

    fn is_running(&self, service: &str) -> Result<bool> {
        let events =
            fs::read_to_string(self.kernel, format!("{}/{service}/cgroup.events", self.slice))?;
        Ok(events.lines().any(|line| line == "populated 1"))
    }

    fn services(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.kernel, &self.slice)? {
            if entry.file_type() == standin::backend::FileKind::Dir {
                names.push(entry.file_name());
            }
        }
        names.sort();
        Ok(names)
    }

    fn stop(&self, service: &str) -> Result<()> {
        let group = format!("{}/{service}", self.slice);
        fs::write(self.kernel, format!("{group}/cgroup.kill"), "1")?;
        fs::remove_dir(self.kernel, group)
    }
}

fn main() -> Result<()> {
    use standin::backend::Processes;

    let machine = standin_sim::Machine::builder().build();
    let (root, web) = (machine.root(), machine.user(33));
    let manager = Manager::new(&root, "/sys/fs/cgroup", "services")?;
    let pid = web.pid().map_or(0, |pid| pid.0);
    manager.start("web", pid, 3)?;
    assert_eq!(manager.services()?, ["web"]);
    assert!(manager.is_running("web")?);
    manager.pause("web", true)?;
    println!("{}", machine.look().tree());
    // A frozen group can be ended: cgroup.kill does not wait for the thaw.
    manager.stop("web")?;
    assert!(manager.services()?.is_empty());
    // The second start of a name is refused by the kernel, not by a book-keeping of the manager's own.
    manager.start("db", machine.user(70).pid().map_or(0, |pid| pid.0), 3)?;
    let refused = manager.start("db", 0, 3).expect_err("a service starts once");
    println!("{refused}");
    Ok(())
}
