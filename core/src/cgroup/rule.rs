//! The rule that stands in the way: [`Rule`]. It knows no backend; `explain` finds out which one it was.

use std::fmt;

use super::name::{GroupName, GroupPath, NameError};
use super::subsystem::Subsystem;
use super::value::ValueError;
use crate::controller::{Controller, ControllerSet};
use crate::id::Pid;

/// Why something cannot be done, in the words of the kernel's document on cgroup v2. It prints with what would be
/// right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// What was given is no name.
    Name(NameError),
    /// What was given is no value.
    Value(ValueError),
    /// No kernel has a controller of this name.
    NoSuchController {
        /// The name.
        name: String,
    },
    /// The description has the controller already.
    ControllerTwice(Subsystem),
    /// The description has a value for the file already.
    ValueTwice,
    /// The description has no value for the file.
    NoValue,
    /// The same group is wanted twice, or wanted and unwanted.
    WantedTwice,
    /// The kernel took a value, and the file says another.
    SaysOther {
        /// What it says.
        said: String,
    },
    /// The other version of the interface has nothing like it.
    NoCounterpart {
        /// What stands in the way, as half a sentence.
        why: &'static str,
    },
    /// The time that somebody waits, or the window for it, is not one that the kernel watches.
    Window,
    /// Pressure is not counted: the kernel was started without it, or it was switched off for the group.
    PressureOff,
    /// No such hierarchy is mounted where the caller can see it.
    NotMounted,
    /// A line of the list of mounts is not as it should be.
    BadMountList {
        /// Which, counted from 1.
        line: usize,
    },
    /// There is no group with this path.
    Missing,
    /// The group was removed after it was opened; another group may have its path by now.
    Vanished,
    /// The name is taken.
    Taken,
    /// The root of a hierarchy is there as long as the hierarchy.
    Root,
    /// The kernel has no such file in this group.
    NoFile,
    /// The hierarchy does not have the controller.
    ControllerMissing(ControllerSet),
    /// The controller is not enabled for the group.
    ControllerOff(Controller),
    /// The file cannot be read.
    NotReadable,
    /// The file cannot be written.
    NotWritable,
    /// The file does not take this value.
    BadValue,
    /// What the file said before it was written cannot be said again.
    Irrevocable,
    /// The value is longer than the kernel takes in one write.
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The kernel took only the beginning of the value.
    Cut {
        /// How many bytes it took.
        taken: usize,
    },
    /// The file's text does not end.
    Endless {
        /// How many bytes were read.
        read: usize,
    },
    /// The file's text is not what was asked for.
    NotA {
        /// What was asked for.
        wanted: &'static str,
        /// What stands there, cut if it is long.
        found: String,
    },
    /// Something is left in the group that is to be removed.
    Occupied {
        /// Its processes.
        processes: Vec<Pid>,
        /// Its child groups.
        children: Vec<GroupName>,
    },
    /// A group with processes of its own cannot share out domain controllers among its children.
    InternalProcesses {
        /// The processes.
        processes: Vec<Pid>,
    },
    /// A group that shares out domain controllers among its children takes no processes.
    SharesOut(ControllerSet),
    /// A child group shares the controller out further.
    UsedBelow {
        /// Those that do.
        children: Vec<GroupName>,
    },
    /// The group is of a kind that does not do this.
    Kind(GroupKind),
    /// No such process, or no such thread, is there.
    NoSuchTask,
    /// It stays where it is: a thread of the kernel's, or a real-time one where these are scheduled by group.
    Immovable,
    /// The group's cpuset has no processors, or no memory nodes.
    EmptyCpuset,
    /// The caller may not.
    Permission,
    /// The caller may not move it from where it is to here (cgroup-v2.rst, Delegation Containment).
    Containment,
    /// A group above allows no more groups.
    Full {
        /// `cgroup.max.depth` or `cgroup.max.descendants`, and whose it is.
        limits: Vec<(GroupPath, &'static str)>,
    },
}

/// What a group may hold: in the v2 hierarchy its file `cgroup.type` says it (cgroup-v2.rst, Threads).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKind {
    /// The root of the hierarchy, which has no such file.
    Root,
    /// Processes.
    Domain,
    /// Processes, and their threads may be in threaded groups below.
    DomainThreaded,
    /// Nothing: it stands among threaded groups and is not one yet.
    DomainInvalid,
    /// Threads.
    Threaded,
    /// A group of v1: processes and threads, wherever there is one.
    V1,
}

impl GroupKind {
    /// The kind with this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Domain, Self::DomainThreaded, Self::DomainInvalid, Self::Threaded]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Domain => "domain",
            Self::DomainThreaded => "domain threaded",
            Self::DomainInvalid => "domain invalid",
            Self::Threaded => "threaded",
            Self::V1 => "v1",
        }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// At most this many of a list are shown.
const SHOWN: usize = 5;

/// `what 1, 2, 3 and 4 more`; nothing if there are none.
fn list<T: fmt::Display>(what: &str, items: &[T]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = items.iter().take(SHOWN).map(T::to_string).collect();
    let more = match items.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(" {what} {}{more}", shown.join(", "))
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => write!(out, "{error}"),
            Self::Value(error) => write!(out, "{error}"),
            Self::NoSuchController { name } => {
                write!(out, "{name:?} is no controller: /proc/cgroups says which there are")
            }
            Self::ControllerTwice(subsystem) => {
                write!(out, "it has {subsystem} already: change what it says of it")
            }
            Self::ValueTwice => out.write_str("it has a value for this file already: set it"),
            Self::NoValue => out.write_str("it has no value for this file: add one, or load the group"),
            Self::WantedTwice => out.write_str("it is wanted twice, or wanted and unwanted: say once what it shall be"),
            Self::SaysOther { said } => {
                write!(out, "the kernel takes this value for {said:?}: want that")
            }
            Self::NoCounterpart { why } => write!(out, "the other version has nothing like it: {why}"),
            Self::Window => out.write_str(
                "a stall is more than nothing and not longer than its window, which is at most 10 s (psi.rst), without \
                 CAP_SYS_RESOURCE in steps of 2 s; both in whole microseconds",
            ),
            Self::PressureOff => out.write_str(
                "pressure is not counted here: write 1 to cgroup.pressure, or start the kernel with psi=1",
            ),
            Self::NotMounted => {
                out.write_str("no such hierarchy is mounted here: mount it, or use a view that sees it")
            }
            Self::BadMountList { line } => {
                write!(out, "line {line} is not as proc_pid_mountinfo(5) has it")
            }
            Self::Missing => out.write_str("there is no such group: create it first"),
            Self::Vanished => {
                out.write_str("the group was removed since it was opened: open it anew if another has its name")
            }
            Self::Taken => out.write_str("the name is taken: open the group, or choose another"),
            Self::Root => out.write_str("the root is neither made nor removed"),
            Self::NoFile => out.write_str("this kernel has no such file in this group"),
            Self::ControllerMissing(missing) => write!(
                out,
                "the hierarchy does not have {missing}: it may be mounted as v1, or switched off"
            ),
            Self::ControllerOff(controller) => write!(
                out,
                "{controller} is not enabled here: write +{controller} to cgroup.subtree_control of the group above"
            ),
            Self::NotReadable => out.write_str("the file is there to be written only"),
            Self::NotWritable => out.write_str("the file is there to be read only"),
            Self::BadValue => out.write_str("the file does not take this value: cgroup-v2.rst says which"),
            Self::Irrevocable => out.write_str(
                "the file takes orders or holds a list, and what it said before cannot be said again in one line",
            ),
            Self::TooLong { length } => {
                write!(out, "{length} bytes are more than the kernel takes in one write")
            }
            Self::Cut { taken } => write!(out, "the kernel took only the first {taken} bytes"),
            Self::Endless { read } => write!(out, "no end after {read} bytes"),
            Self::NotA { wanted, found } => write!(out, "{found:?} is not {wanted}"),
            Self::Occupied { processes, children } => {
                out.write_str("it must be empty")?;
                if processes.is_empty() && children.is_empty() {
                    return out.write_str(": what was in it has just left, try again");
                }
                let (processes, children) = (list("processes", processes), list("groups", children));
                write!(out, ", and has{processes}{}{children}", if processes.is_empty() || children.is_empty() { "" } else { " and" })
            }
            Self::InternalProcesses { processes } => write!(
                out,
                "a group with processes cannot enable domain controllers for its children: move{} into a child first",
                list("processes", processes)
            ),
            Self::SharesOut(enabled) => write!(
                out,
                "a group that enables {enabled} for its children takes no processes: attach to one of the children"
            ),
            Self::UsedBelow { children } => {
                write!(out, "it is enabled further below: disable it first in{}", list("groups", children))
            }
            Self::Kind(kind) => match kind {
                GroupKind::Threaded => {
                    out.write_str("the group is threaded: it has threads, and processes are in the domain above")
                }
                GroupKind::DomainInvalid => {
                    out.write_str("the group is domain invalid: write \"threaded\" to its cgroup.type first")
                }
                GroupKind::V1 => out.write_str(
                    "a v1 hierarchy has its controllers in every group: mount it without those that are not wanted",
                ),
                GroupKind::Root | GroupKind::Domain | GroupKind::DomainThreaded => {
                    write!(out, "a {kind} group does not do this")
                }
            },
            Self::NoSuchTask => out.write_str("nothing with this number is there any more"),
            Self::Immovable => out.write_str(
                "it stays where it is: threads of the kernel do, and real-time ones where these are scheduled by group",
            ),
            Self::EmptyCpuset => out.write_str(
                "the group has no processors or memory nodes yet: write cpuset.cpus and cpuset.mems first",
            ),
            Self::Permission => out.write_str("the caller may not: act as the owner, or have the group delegated"),
            Self::Containment => out.write_str(
                "the caller may not move it here: it must be able to write cgroup.procs of this group, and of the \
                 first one that is above both the old and the new group",
            ),
            Self::Full { limits } => {
                out.write_str("no more groups are allowed by")?;
                for (index, (group, file)) in limits.iter().enumerate() {
                    write!(out, "{} {file} of {group}", if index == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}
