//! What a kernel answers by its luck or its patch level, as far as the generator's belief tells: such lines are not made.

use standin::transcript::{FileOp, Op, ProcessOp};

use super::belief::{Actor, Belief, LISTINGS, is_within, number, size, text};
use super::file::{FILES, Reading};
use super::file_v1;

/// What processes that do nothing are charged for, and a kernel charges ahead of need, is less than this.
const CHARGED_BESIDES_BYTES: u64 = 1 << 20;

impl Belief {
    /// Whether the answer to a line depends on luck.
    pub(super) fn is_luck(&self, actor: &Actor, op: &Op) -> bool {
        if let Op::Files(op) = op {
            self.is_lucky_file(actor, op)
        } else if let Op::Processes(ProcessOp::Fork { options, .. }) = op {
            // Kernels of one release differ in whose kills they count when a child is born into another group than its
            // parent's: it may die at once.
            options.into.is_some() && self.has_killed
        } else if let Op::Processes(ProcessOp::Proc { .. }) = op {
            // A hierarchy ends a little after its last mount.
            self.has_unmounted
        } else {
            false
        }
    }

    fn is_lucky_file(&self, actor: &Actor, op: &FileOp) -> bool {
        if let FileOp::Mkdir { path, .. } = op {
            // A group needs memory of the one above for its memory controller.
            text(path).rsplit_once('/').is_some_and(|(parent, _)| self.is_tight(parent))
        } else if let FileOp::Rmdir { path } = op {
            // A kernel gives a partition's processors back a little later.
            self.partitions.contains(&text(path))
        } else if let FileOp::Write { path, data } = op {
            let path = text(path);
            if let Some(group) = path.strip_suffix("/memory.max") {
                return self.ends_one_or_several(group, size(&data.0));
            }
            let enables = path.ends_with("/cgroup.subtree_control");
            self.shows_lingering(&path)
                || enables
                    && String::from_utf8_lossy(&data.0).contains("memory")
                    && self.is_tight(&path)
        } else if let FileOp::Read { path, .. } = op {
            self.shows_lingering(&text(path))
        } else if let FileOp::Umount { .. } = op {
            // A hierarchy goes on as long as the kernel has not forgotten a group of it.
            self.has_removed_mounted
        } else if let FileOp::Fread { fd } = op {
            let is_lucky = |path: &str| is_volatile(path) || self.shows_lingering(path);
            self.opened(&actor.label, fd).is_some_and(is_lucky)
        } else if let FileOp::Fwrite { fd, data } = op {
            // A number may be that of a process that is no actor.
            let lists = |path: &str| LISTINGS.iter().any(|name| path.ends_with(name));
            let is_process = number(&data.0).is_some_and(|number| number > 0);
            let is_lucky = |path: &str| is_process && lists(path) || self.shows_lingering(path);
            self.opened(&actor.label, fd).is_some_and(is_lucky)
        } else {
            false
        }
    }

    /// A removed group holds back that the one above is frozen, may be told `a` of devices, and gives its memory back, until
    /// the kernel forgets it.
    fn shows_lingering(&self, path: &str) -> bool {
        const BY_CHILDREN: [&str; 5] = [
            "/freezer.state",
            "/devices.allow",
            "/devices.deny",
            "/memory.limit_in_bytes",
            "/memory.memsw.limit_in_bytes",
        ];
        self.has_lingering && BY_CHILDREN.iter().any(|file| path.ends_with(file))
    }

    fn is_tight(&self, group: &str) -> bool {
        self.tight.iter().any(|tight| is_within(group, tight))
    }

    /// A limit below what is used ends somebody, and somebody else before the memory of the first has come back, or not.
    fn ends_one_or_several(&self, group: &str, limit: Option<u64>) -> bool {
        let processes = self.actors.iter().filter(|it| it.label == it.leader);
        let within: Vec<&Actor> = processes.filter(|it| it.is_in(group)).collect();
        // The memory of who is dead may not have come back.
        let used: u64 = within.iter().map(|process| process.memory_bytes).sum();
        let is_over = limit.is_some_and(|limit| used + CHARGED_BESIDES_BYTES > limit);
        used > 0 && is_over && within.iter().filter(|process| !process.is_dead).count() > 1
    }
}

fn is_volatile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut all = FILES.iter().chain(file_v1::FILES);
    all.any(|file| file.name == name && file.reading == Reading::Volatile)
}
