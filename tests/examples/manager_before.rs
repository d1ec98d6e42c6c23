//! A small manager of service groups, as it is written today: on `std::fs`. Its twin `manager_after` is the same program
//! over a backend. This one can only be tried as root, on a host, by hand.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

struct Manager {
    slice: PathBuf,
}

impl Manager {
    fn new(hierarchy: &Path, slice: &str) -> io::Result<Self> {
        let slice = hierarchy.join(slice);
        fs::create_dir_all(&slice)?;
        Ok(Self { slice })
    }

    fn start(&self, service: &str, pid: u32, groups: u32) -> io::Result<()> {
        let group = self.slice.join(service);
        fs::create_dir(&group)?;
        fs::write(group.join("cgroup.max.descendants"), groups.to_string())?;
        fs::write(group.join("cgroup.procs"), pid.to_string())
    }

    fn pause(&self, service: &str, paused: bool) -> io::Result<()> {
        fs::write(self.slice.join(service).join("cgroup.freeze"), if paused { "1" } else { "0" })
    }

    fn is_running(&self, service: &str) -> io::Result<bool> {
        let events = fs::read_to_string(self.slice.join(service).join("cgroup.events"))?;
        Ok(events.lines().any(|line| line == "populated 1"))
    }

    fn services(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.slice)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn stop(&self, service: &str) -> io::Result<()> {
        let group = self.slice.join(service);
        fs::write(group.join("cgroup.kill"), "1")?;
        fs::remove_dir(group)
    }
}

fn main() -> io::Result<()> {
    let Some(hierarchy) = std::env::args().nth(1) else {
        println!("usage: manager_before CGROUP2_MOUNT (as root)");
        return Ok(());
    };
    let manager = Manager::new(Path::new(&hierarchy), "standin-before")?;
    println!("services: {:?}", manager.services()?);
    if let Ok(service) = manager.start("web", 0, 3) {
        println!("started {service:?}, running: {}", manager.is_running("web")?);
        manager.pause("web", false)?;
        manager.stop("web")?;
    }
    fs::remove_dir(manager.slice)
}
