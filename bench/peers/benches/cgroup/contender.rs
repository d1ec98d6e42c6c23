//! What is measured: the jobs, who does them, and the scene in which they are done.

use std::fs;
use std::process::{Child, Command};
use std::time::Instant;

use standin::cgroup::{GroupPath, Hierarchies, Hierarchy, Version};
use standin::{Controller, ControllerSet, Pid};
use standin_linux::Linux;
use standin_tests::manager::{CHILDREN, Kit, Manager};

/// What a manager does (see [`Manager`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Life,
    LifeInFour,
    Change,
    Statistic,
    List,
    Tree,
}

impl Job {
    /// Each with its word, and what is done.
    pub(crate) const ALL: [(Self, &str, &str); 6] = [
        (Self::Life, "life", "create, 2 values, attach, read 2, detach, delete"),
        (Self::LifeInFour, "four", "the same in 4 hierarchies, 1 value in each"),
        (Self::Change, "change", "change a value of a group that is there"),
        (Self::Statistic, "statistic", "read a statistic"),
        (Self::List, "list", "list the processes"),
        (Self::Tree, "tree", "delete a group with 10 children"),
    ];

    pub(crate) fn word(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).unwrap().1
    }
}

/// Who does jobs.
pub(crate) trait Contender {
    fn name(&self) -> &'static str;

    fn can(&self, scene: &Scene, job: Job) -> bool;

    fn run(&mut self, scene: &Scene, job: Job);

    /// Nanoseconds of one job, and why not.
    fn time(&mut self, scene: &Scene, job: Job, times: u32) -> Result<f64, String> {
        let mut taken = 0.0;
        if job == Job::Tree {
            for _ in 0..times {
                scene.grow();
                let start = Instant::now();
                self.run(scene, job);
                taken += start.elapsed().as_secs_f64();
            }
        } else {
            let start = Instant::now();
            (0..times).for_each(|_| self.run(scene, job));
            taken = start.elapsed().as_secs_f64();
        }
        Ok(taken * 1e9 / f64::from(times))
    }

    /// Does a job so that who traces can tell its calls: between two getppid(2).
    fn show(&mut self, scene: &Scene, job: Job, times: u32) {
        for _ in 0..times {
            if job == Job::Tree {
                scene.grow();
            }
            let _mark = rustix::process::getppid();
            self.run(scene, job);
            let _mark = rustix::process::getppid();
        }
    }
}

/// Groups of ours on this host: one in every hierarchy that stays, with a process in it, and names for others.
pub(crate) struct Scene {
    pub(crate) kit: Kit,
    /// Where the hierarchy of the kit's controller is mounted.
    pub(crate) home: String,
    pub(crate) kernel: Linux,
    pub(crate) manager: Manager,
    hierarchies: Hierarchies,
    name: String,
    /// What was enabled here and must be disabled again.
    enabled: ControllerSet,
    /// In the group that stays, and moved about.
    resident: Child,
    moved: Child,
}

fn idle() -> Child {
    Command::new("sleep").arg("3600").spawn().unwrap()
}

impl Scene {
    /// Makes it; or says why it can't be.
    pub(crate) fn new(kit: Kit) -> Result<Self, String> {
        let text = |error: standin::cgroup::Error| error.to_string();
        let kernel = Linux::here();
        let name = format!("standin-bench-{}", std::process::id());
        let hierarchies = Hierarchies::find(&kernel).map_err(text)?;
        let manager = Manager::new(&kernel, kit, &name).map_err(text)?;
        let home = manager.home().clone();
        let is_for_v2 = kit.values.iter().any(|(file, _)| file.starts_with("cgroup."));
        if is_for_v2 != (home.version() == Version::V2) {
            return Err(format!("{} is in a hierarchy of {:?}", kit.controller, home.version()));
        }
        let root = home.open(&kernel, &GroupPath::root()).map_err(text)?;
        let before = root.enabled(&kernel).map_err(text)?;
        root.enable(&kernel, kit.controller).map_err(text)?;
        let enabled = ControllerSet::from(kit.controller).difference(before);
        let scene = Self {
            kit,
            home: home.mount_point().to_string(),
            kernel,
            manager,
            hierarchies,
            name,
            enabled,
            resident: idle(),
            moved: idle(),
        };
        let stays = scene.manager.settle(&scene.kernel).map_err(text)?;
        stays.attach(&scene.kernel, Pid(scene.resident.id())).map_err(text)?;
        Ok(scene)
    }

    pub(crate) fn is_v1(&self) -> bool {
        self.manager.home().version() == Version::V1
    }

    /// The name of a group, by what it is for.
    pub(crate) fn group(&self, purpose: &str) -> String {
        format!("{}-{purpose}", self.name)
    }

    pub(crate) fn base(&self) -> &str {
        &self.name
    }

    pub(crate) fn mover(&self) -> String {
        self.moved.id().to_string()
    }

    pub(crate) fn mover_pid(&self) -> Pid {
        Pid(self.moved.id())
    }

    pub(crate) fn resident_pid(&self) -> Pid {
        Pid(self.resident.id())
    }

    /// Where a controller's hierarchy is mounted.
    pub(crate) fn mount(&self, controller: Controller) -> String {
        let hierarchy = self.hierarchies.with(&self.kernel, controller);
        hierarchy.map(Hierarchy::mount_point).unwrap().to_string()
    }

    /// Makes the group with groups in it.
    pub(crate) fn grow(&self) {
        let tree = format!("{}/{}", self.home, self.group("tree"));
        fs::create_dir(&tree).unwrap();
        (0..CHILDREN).for_each(|n| fs::create_dir(format!("{tree}/{n}")).unwrap());
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for child in [&mut self.resident, &mut self.moved] {
            let _ = child.kill();
            let _ = child.wait();
        }
        let root = self.manager.home().open(&self.kernel, &GroupPath::root());
        let swept = self.manager.sweep(&self.kernel);
        let disabled = root.and_then(|root| root.disable(&self.kernel, self.enabled));
        if let Err(error) = swept.and(disabled) {
            println!("left behind: {error}");
        }
    }
}
