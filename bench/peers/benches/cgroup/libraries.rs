//! The libraries: ours, the crates `cgroups-rs` and `libcgroups`.
//!
//! `cgroups-rs` takes /sys/fs/cgroup for the v2 hierarchy, so on a hybrid layout it has v1 alone. `libcgroups` goes to every
//! hierarchy whatever is asked for (that is what its one job costs), kills what is in a group that it removes, and has no
//! way out of a group but into another; it removes no group with groups in it; the values that were set it cannot read, so it
//! reads its statistics.

use std::path::{Path, PathBuf};

use cgroups_rs::CgroupPid;
use cgroups_rs::fs::cpu::CpuController;
use cgroups_rs::fs::freezer::FreezerController;
use cgroups_rs::fs::memory::MemController;
use cgroups_rs::fs::pid::PidController;
use cgroups_rs::fs::{Cgroup, MaxValue, hierarchies};
use libcgroups::common::{AnyCgroupManager, CgroupManager as _, ControllerOpt};
use oci_spec::runtime::{LinuxCpu, LinuxMemory, LinuxPids, LinuxResources};
use standin::Pid;
use standin::cgroup::Group;

use crate::contender::{Contender, Job, Scene};

pub(crate) struct Ours {
    stays: Group,
}

impl Ours {
    pub(crate) fn new(scene: &Scene) -> Self {
        let path = scene.manager.path("stays").unwrap();
        Self { stays: scene.manager.home().open(&scene.kernel, &path).unwrap() }
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        "standin::cgroup"
    }

    fn can(&self, scene: &Scene, job: Job) -> bool {
        job != Job::LifeInFour || scene.is_v1()
    }

    fn run(&mut self, scene: &Scene, job: Job) {
        let (manager, kernel) = (&scene.manager, &scene.kernel);
        match job {
            Job::Life => manager.life(kernel, scene.mover_pid()).unwrap(),
            Job::LifeInFour => manager.life_in_four(kernel, scene.mover_pid()).unwrap(),
            Job::Change => manager.change(kernel, &self.stays).unwrap(),
            Job::Statistic => assert!(manager.statistic(kernel, &self.stays).unwrap() > 0),
            Job::List => assert_eq!(self.stays.processes(kernel).unwrap().len(), 1),
            Job::Tree => {
                let path = manager.path("tree").unwrap();
                let tree = manager.home().open(kernel, &path).unwrap();
                manager.fell(kernel, &tree).unwrap();
            }
        }
    }
}

/// `cgroups-rs`.
pub(crate) struct CgroupsRs {
    stays: Cgroup,
}

fn only(controllers: &[&str]) -> Vec<String> {
    controllers.iter().map(|name| (*name).to_owned()).collect()
}

fn make(name: &str, controllers: &[&str]) -> Cgroup {
    Cgroup::new_with_specified_controllers(hierarchies::auto(), name, Some(only(controllers)))
        .unwrap()
}

fn load(name: &str) -> Cgroup {
    Cgroup::load_with_specified_controllers(hierarchies::auto(), name, only(&["cpu"]))
}

impl CgroupsRs {
    pub(crate) fn new(scene: &Scene) -> Self {
        Self { stays: load(&scene.group("stays")) }
    }
}

impl Contender for CgroupsRs {
    fn name(&self) -> &'static str {
        "cgroups-rs"
    }

    fn can(&self, scene: &Scene, _job: Job) -> bool {
        scene.is_v1()
    }

    fn run(&mut self, scene: &Scene, job: Job) {
        let mover = CgroupPid::from(u64::from(scene.mover_pid().0));
        match job {
            Job::Life => {
                let group = make(&scene.group("life"), &["cpu"]);
                let cpu: &CpuController = group.controller_of().unwrap();
                cpu.set_shares(512).unwrap();
                cpu.set_cfs_quota(50_000).unwrap();
                group.add_task_by_tgid(mover).unwrap();
                assert_eq!((cpu.shares().unwrap(), cpu.cfs_quota().unwrap()), (512, 50_000));
                group.remove_task_by_tgid(mover).unwrap();
                group.delete().unwrap();
            }
            Job::LifeInFour => {
                let group = make(&scene.group("four"), &["pids", "cpu", "memory", "freezer"]);
                let (pids, cpu): (&PidController, &CpuController) =
                    (group.controller_of().unwrap(), group.controller_of().unwrap());
                let (memory, freezer): (&MemController, &FreezerController) =
                    (group.controller_of().unwrap(), group.controller_of().unwrap());
                pids.set_pid_max(MaxValue::Value(5)).unwrap();
                cpu.set_shares(512).unwrap();
                memory.set_limit(104_857_600).unwrap();
                freezer.thaw().unwrap();
                group.add_task_by_tgid(mover).unwrap();
                pids.get_pid_max().unwrap();
                cpu.shares().unwrap();
                // It has no way to read the limit alone.
                freezer.state().unwrap();
                group.remove_task_by_tgid(mover).unwrap();
                group.delete().unwrap();
            }
            Job::Change => {
                let cpu: &CpuController = self.stays.controller_of().unwrap();
                cpu.set_shares(512).unwrap();
            }
            Job::Statistic => {
                let cpu: &CpuController = self.stays.controller_of().unwrap();
                assert!(!cpu.cpu().stat.is_empty());
            }
            Job::List => assert_eq!(self.stays.procs().len(), 1),
            Job::Tree => load(&scene.group("tree")).delete().unwrap(),
        }
    }
}

/// youki's `libcgroups`.
pub(crate) struct Libcgroups {
    stays: AnyCgroupManager,
    root: AnyCgroupManager,
}

fn apply(manager: &AnyCgroupManager, resources: &LinuxResources) {
    let wanted = ControllerOpt {
        resources,
        disable_oom_killer: false,
        oom_score_adj: None,
        freezer_state: None,
    };
    manager.apply(&wanted).unwrap();
}

fn pid(process: Pid) -> nix::unistd::Pid {
    nix::unistd::Pid::from_raw(i32::try_from(process.0).unwrap())
}

impl Libcgroups {
    pub(crate) fn new(scene: &Scene) -> Self {
        let stays = Self::open(scene, &scene.group("stays"));
        // Its statistics are those of all hierarchies together.
        stays.add_task(pid(scene.resident_pid())).unwrap();
        Self { stays, root: Self::open(scene, "/") }
    }

    fn open(scene: &Scene, name: &str) -> AnyCgroupManager {
        if scene.is_v1() {
            libcgroups::v1::manager::Manager::new(Path::new(name)).unwrap().any()
        } else {
            let root = PathBuf::from(&scene.home);
            libcgroups::v2::manager::Manager::new(root, PathBuf::from(name)).unwrap().any()
        }
    }

    /// The kit's values, or the first alone.
    fn resources(scene: &Scene, is_all: bool) -> LinuxResources {
        let mut resources = LinuxResources::default();
        if scene.is_v1() {
            let mut cpu = LinuxCpu::default();
            cpu.set_shares(Some(512));
            cpu.set_quota(is_all.then_some(50_000));
            resources.set_cpu(Some(cpu));
        } else {
            let values = scene.kit.values.iter().take(if is_all { 2 } else { 1 });
            let values = values.map(|(file, value)| ((*file).to_owned(), (*value).to_owned()));
            resources.set_unified(Some(values.collect()));
        }
        resources
    }

    /// A group's life: the only one that it has, in all hierarchies.
    fn live(&self, scene: &Scene, name: &str, resources: &LinuxResources) {
        let group = Self::open(scene, name);
        group.add_task(pid(scene.mover_pid())).unwrap();
        apply(&group, resources);
        if scene.is_v1() {
            group.stats().unwrap();
        } else {
            group.get_all_pids().unwrap();
        }
        self.root.add_task(pid(scene.mover_pid())).unwrap();
        group.remove().unwrap();
    }
}

impl Contender for Libcgroups {
    fn name(&self) -> &'static str {
        "libcgroups"
    }

    fn can(&self, scene: &Scene, job: Job) -> bool {
        // On v2 its statistics are those of all controllers or none.
        let is_too_much = !scene.is_v1() && matches!(job, Job::LifeInFour | Job::Statistic);
        job != Job::Tree && !is_too_much
    }

    fn run(&mut self, scene: &Scene, job: Job) {
        match job {
            Job::Life => self.live(scene, &scene.group("life"), &Self::resources(scene, true)),
            Job::LifeInFour => {
                let mut resources = Self::resources(scene, false);
                let (mut pids, mut memory) = (LinuxPids::default(), LinuxMemory::default());
                pids.set_limit(5);
                memory.set_limit(Some(104_857_600));
                resources.set_pids(Some(pids));
                resources.set_memory(Some(memory));
                self.live(scene, &scene.group("four"), &resources);
            }
            Job::Change => apply(&self.stays, &Self::resources(scene, false)),
            Job::Statistic => drop(self.stays.stats().unwrap()),
            Job::List => assert_eq!(self.stays.get_all_pids().unwrap().len(), 1),
            Job::Tree => unreachable!("it cannot"),
        }
    }
}
