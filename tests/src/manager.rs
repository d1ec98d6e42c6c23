//! What a manager of control groups does, by `standin::cgroup`: the jobs that a bench measures beside other libraries, and whose
//! calls a test counts. Any backend, either version; who makes the process that is moved, and counts or measures, is the
//! caller.

use standin::cgroup::{
    Creation, Deletion, Description, Group, GroupPath, Hierarchies, Hierarchy, Members, Result,
    Version,
};
use standin::{Backend, Controller, Pid};

/// What is done with one group: a controller, two files with a value for each, and a file that tells of it.
#[derive(Clone, Copy, Debug)]
pub struct Kit {
    /// The controller, whose hierarchy it is.
    pub controller: Controller,
    /// Files and values.
    pub values: [(&'static str, &'static str); 2],
    /// A file to be read.
    pub statistic: &'static str,
}

impl Kit {
    /// Of which hierarchies its files are.
    #[must_use]
    pub fn version(&self) -> Version {
        let is_v2 = self.values.iter().any(|(file, _)| file.starts_with("cgroup."));
        if is_v2 { Version::V2 } else { Version::V1 }
    }
}

/// For a v1 hierarchy.
pub const CPU_V1: Kit = Kit {
    controller: Controller::Cpu,
    values: [("cpu.shares", "512"), ("cpu.cfs_quota_us", "50000")],
    statistic: "cpu.stat",
};

/// For a v2 hierarchy with the controller that v1 does not have on many hosts.
pub const HUGETLB_V2: Kit = Kit {
    controller: Controller::Hugetlb,
    values: [("hugetlb.2MB.max", "4194304"), ("cgroup.max.depth", "3")],
    statistic: "cgroup.stat",
};

/// For a v2 hierarchy.
pub const PIDS_V2: Kit = Kit {
    controller: Controller::Pids,
    values: [("pids.max", "5"), ("cgroup.max.depth", "3")],
    statistic: "cgroup.stat",
};

/// A value in each of four v1 hierarchies.
pub const FOUR: [(Controller, &str, &str); 4] = [
    (Controller::Pids, "pids.max", "5"),
    (Controller::Cpu, "cpu.shares", "512"),
    (Controller::Memory, "memory.limit_in_bytes", "104857600"),
    (Controller::Freezer, "freezer.state", "THAWED"),
];

/// How many groups are in one that is removed with them.
pub const CHILDREN: u32 = 10;

/// A manager with its hierarchies found. What it makes begins with its name.
#[derive(Debug)]
pub struct Manager {
    hierarchies: Hierarchies,
    home: Hierarchy,
    kit: Kit,
    name: String,
}

impl Manager {
    /// Finds the hierarchies.
    ///
    /// # Errors
    /// If there is none with the kit's controller.
    pub fn new(kernel: &dyn Backend, kit: Kit, name: &str) -> Result<Self> {
        let hierarchies = Hierarchies::find(kernel)?;
        let home = hierarchies.with(kernel, kit.controller)?.clone();
        Ok(Self { hierarchies, home, kit, name: name.to_owned() })
    }

    /// The hierarchy of the kit's controller.
    #[must_use]
    pub fn home(&self) -> &Hierarchy {
        &self.home
    }

    /// The path of a group, by what it is for.
    ///
    /// # Errors
    /// If that is no name.
    pub fn path(&self, purpose: &str) -> Result<GroupPath> {
        Ok(GroupPath::new(format!("{}-{purpose}", self.name))?)
    }

    fn creation(&self, purpose: &str) -> Result<Creation> {
        let [one, other] = self.kit.values;
        let creation = Creation::new(self.path(purpose)?).with(self.kit.controller);
        creation.set(one.0, one.1)?.set(other.0, other.1)
    }

    /// Makes a group that stays, for the jobs about one that is there.
    ///
    /// # Errors
    /// As [`Creation::create`].
    pub fn settle(&self, kernel: &dyn Backend) -> Result<Group> {
        self.creation("stays")?.create(kernel, &self.home)
    }

    /// A group from its creation to its end: values, a process in, two values read, the process out again.
    ///
    /// # Errors
    /// Of each of its steps.
    pub fn life(&self, kernel: &dyn Backend, process: Pid) -> Result<()> {
        let group = self.creation("life")?.create(kernel, &self.home)?;
        group.attach(kernel, process)?;
        for (file, _) in self.kit.values {
            group.get(kernel, file)?.text()?;
        }
        self.home.open(kernel, &GroupPath::root())?.attach(kernel, process)?;
        group.delete(kernel)
    }

    /// The same with one name and one value in each of four v1 hierarchies.
    ///
    /// # Errors
    /// Of each of its steps.
    pub fn life_in_four(&self, kernel: &dyn Backend, process: Pid) -> Result<()> {
        let mut wanted = Description::new(self.path("four")?);
        for (controller, file, value) in FOUR {
            wanted.add(controller)?.add(file, value)?;
        }
        let groups = wanted.create(kernel, &self.hierarchies)?;
        for (group, (_, file, _)) in groups.iter().zip(FOUR) {
            group.attach(kernel, process)?;
            group.get(kernel, file)?.text()?;
        }
        for group in groups {
            group.hierarchy().open(kernel, &GroupPath::root())?.attach(kernel, process)?;
            group.delete(kernel)?;
        }
        Ok(())
    }

    /// Changes a value.
    ///
    /// # Errors
    /// As [`Group::set`].
    pub fn change(&self, kernel: &dyn Backend, group: &Group) -> Result<()> {
        let [(file, value), _] = self.kit.values;
        group.set(kernel, file, value)
    }

    /// Reads a statistic.
    ///
    /// # Errors
    /// As [`Group::get`].
    pub fn statistic(&self, kernel: &dyn Backend, group: &Group) -> Result<usize> {
        Ok(group.get(kernel, self.kit.statistic)?.text()?.len())
    }

    /// Makes a group with groups in it.
    ///
    /// # Errors
    /// As [`Creation::create`].
    pub fn grow(&self, kernel: &dyn Backend) -> Result<Group> {
        let top = self.path("tree")?;
        let tree = Creation::new(top.clone()).create(kernel, &self.home)?;
        for n in 0..CHILDREN {
            let path = GroupPath::new(format!("{top}/{n}"))?;
            Creation::new(path).create(kernel, &self.home)?;
        }
        Ok(tree)
    }

    /// Removes it with all that is in it, or nothing.
    ///
    /// # Errors
    /// As [`Deletion::delete`].
    pub fn fell(&self, kernel: &dyn Backend, tree: &Group) -> Result<()> {
        Deletion::new().recursive().delete(kernel, tree)
    }

    /// Removes what an earlier run may have left.
    ///
    /// # Errors
    /// Of what is there and cannot be removed.
    pub fn sweep(&self, kernel: &dyn Backend) -> Result<()> {
        for hierarchy in self.hierarchies.iter() {
            for purpose in ["stays", "life", "four", "tree"] {
                if let Ok(group) = hierarchy.open(kernel, &self.path(purpose)?) {
                    Deletion::new().members(Members::MoveUp).recursive().delete(kernel, &group)?;
                }
            }
        }
        Ok(())
    }
}
