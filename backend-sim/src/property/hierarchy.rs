//! Groups that are there before a test begins: [`Hierarchy`].

use standin::{Backend, fs};

/// Groups of a v2 hierarchy, with limits and controllers.
///
/// It is made of bytes, four a group: below which of those before it, what it is called, which controllers it has for those
/// below, and a limit. Bytes of 0 are a group below the root with neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hierarchy {
    groups: Vec<Planned>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Planned {
    /// Below the root.
    path: String,
    controllers: Vec<&'static str>,
    limit: Option<(&'static str, u8)>,
}

/// Bytes of a group.
pub(super) const GROUP_BYTES: usize = 4;

const CONTROLLERS: [&str; 3] = ["pids", "cpu", "memory"];

impl Hierarchy {
    /// What these bytes mean.
    #[must_use]
    pub fn new(bytes: &[[u8; GROUP_BYTES]]) -> Self {
        let mut groups: Vec<Planned> = Vec::new();
        for (number, [below, name, controllers, limit]) in bytes.iter().enumerate() {
            let parent = usize::from(*below).checked_rem(groups.len() + 1).unwrap_or(0);
            let parent = parent.checked_sub(1).and_then(|at| groups.get(at));
            let above = parent.map_or("", |parent| parent.path.as_str());
            let path = format!("{above}/{}{number}", char::from(b'a' + name % 26));
            // A group has those for its children that it has itself.
            let offered = parent.map_or(&CONTROLLERS[..], |parent| &parent.controllers);
            let turned_on = CONTROLLERS
                .iter()
                .enumerate()
                .filter(|(bit, name)| controllers & (1 << bit) != 0 && offered.contains(name));
            let controllers = turned_on.map(|(_, name)| *name).collect();
            let limit = match limit % 4 {
                0 => None,
                1 => Some(("cgroup.max.depth", limit / 4 % 8 + 32)),
                2 => Some(("cgroup.max.descendants", limit / 4)),
                _ => parent
                    .filter(|parent| parent.controllers.contains(&"pids"))
                    .map(|_| ("pids.max", limit / 4)),
            };
            groups.push(Planned { path, controllers, limit });
        }
        // A bound on those below must leave room for those that are planned there.
        let paths: Vec<String> = groups.iter().map(|group| group.path.clone()).collect();
        for group in &mut groups {
            let below = paths.iter().filter(|path| {
                path.strip_prefix(&group.path).is_some_and(|rest| rest.starts_with('/'))
            });
            let below = u8::try_from(below.count()).unwrap_or(u8::MAX);
            if let Some(("cgroup.max.descendants", most)) = &mut group.limit {
                *most = (*most).max(below);
            }
        }
        Self { groups }
    }

    /// The groups below the root, each behind its parent.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.path.as_str())
    }

    /// Makes all of it below a group, which is to have the controllers `pids`, `cpu` and `memory` for it if it can: the root, say.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn make(&self, kernel: &dyn Backend, root: &str) -> Result<(), fs::Error> {
        fs::write(kernel, format!("{root}/cgroup.subtree_control"), "+pids +cpu +memory")?;
        for Planned { path, controllers, limit } in &self.groups {
            let group = format!("{root}{path}");
            fs::create_dir(kernel, &group)?;
            if !controllers.is_empty() {
                let words: Vec<String> = controllers.iter().map(|it| format!("+{it}")).collect();
                fs::write(kernel, format!("{group}/cgroup.subtree_control"), words.join(" "))?;
            }
            if let Some((file, value)) = limit {
                fs::write(kernel, format!("{group}/{file}"), value.to_string())?;
            }
        }
        Ok(())
    }
}

/// Hierarchies of so many groups; towards fewer, and groups below the root with nothing of their own.
///
/// ```
/// use proptest::prelude::*;
/// use standin_sim::Machine;
/// use standin_sim::property::hierarchies;
///
/// proptest!(|(planned in hierarchies(0..12))| {
///     let machine = Machine::builder().build();
///     planned.make(&machine.root(), "/sys/fs/cgroup").unwrap();
///     let mut paths: Vec<String> = planned.paths().map(str::to_owned).collect();
///     let mut made = machine.look().cgroups();
///     (paths.sort(), made.sort());
///     prop_assert_eq!(made, paths);
/// });
/// ```
#[cfg(feature = "proptest")]
pub fn hierarchies(
    groups: impl Into<proptest::collection::SizeRange>,
) -> impl proptest::strategy::Strategy<Value = Hierarchy> {
    use proptest::strategy::Strategy as _;
    let group = proptest::prelude::any::<[u8; GROUP_BYTES]>();
    proptest::collection::vec(group, groups).prop_map(|bytes| Hierarchy::new(&bytes))
}
