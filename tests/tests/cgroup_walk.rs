//! The cgroup library where it meets every group of a tree, whatever becomes of the tree meanwhile.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use std::sync::atomic::{AtomicUsize, Ordering};

use standin::cgroup::{Creation, Group, GroupPath, Hierarchies, Hierarchy, Result, Rule};
use standin::layer::{Call, Layer, Layered};
use standin::{Backend, Controller, Errno, Failure, fs};
use standin_sim::{Layout, Machine, View};

/// A machine with these groups in the hierarchy of pids, and where that is.
fn boot(layout: Layout, groups: &[&str]) -> (Machine, View, Hierarchy) {
    let machine = Machine::builder().layout(layout).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    let hierarchy = hierarchies.with(&root, Controller::Pids).unwrap().clone();
    for group in groups {
        Creation::new(path(group)).create(&root, &hierarchy).unwrap();
    }
    (machine, root, hierarchy)
}

fn path(text: &str) -> GroupPath {
    GroupPath::new(text).unwrap()
}

fn name(group: Result<Group>) -> String {
    group.unwrap().path().to_string()
}

#[test]
fn every_group_is_met_once_and_in_order_in_each_version() {
    for layout in [Layout::Unified, Layout::Legacy, Layout::Hybrid] {
        let (_machine, root, hierarchy) = boot(layout, &["b/y", "a/x/deep", "a-b"]);
        let all: Vec<String> = hierarchy.walk(&root).unwrap().map(name).collect();
        assert_eq!(all, ["/", "/a", "/a/x", "/a/x/deep", "/a-b", "/b", "/b/y"], "{layout:?}");
        let up = hierarchy.walk(&root).unwrap().deepest_first().at_most(2);
        let up: Vec<String> = up.map(name).collect();
        assert_eq!(up, ["/a/x", "/a", "/a-b", "/b/y", "/b", "/"], "{layout:?}");
        let top: Vec<String> = hierarchy.walk(&root).unwrap().at_most(0).map(name).collect();
        assert_eq!(top, ["/"]);
    }
}

#[test]
fn groups_that_vanish_meanwhile_are_left_out_and_new_ones_below_are_met() {
    let (_machine, root, hierarchy) = boot(Layout::Unified, &["top/a/x", "top/b/y", "top/c"]);
    let top = hierarchy.open(&root, &path("top")).unwrap();
    let mut met = Vec::new();
    for group in top.walk(&root) {
        let group = name(group);
        if group == "/top/a" {
            for gone in ["b/y", "b", "a/x"] {
                fs::remove_dir(&root, format!("/sys/fs/cgroup/top/{gone}")).unwrap();
            }
            fs::create_dir(&root, "/sys/fs/cgroup/top/a/new").unwrap();
        }
        if group == "/top/c" {
            fs::remove_dir(&root, "/sys/fs/cgroup/top/c").unwrap();
        }
        met.push(group);
    }
    assert_eq!(met, ["/top", "/top/a", "/top/a/new", "/top/c"]);
}

#[test]
fn the_end_of_the_group_at_the_top_is_an_error() {
    for is_upward in [false, true] {
        let (_machine, root, hierarchy) = boot(Layout::Unified, &["top"]);
        let top = hierarchy.open(&root, &path("top")).unwrap();
        top.delete(&root).unwrap();
        let walk = top.walk(&root);
        let walk = if is_upward { walk.deepest_first() } else { walk };
        let last = walk.last().unwrap().unwrap_err();
        assert_eq!(last.rule(), Some(&Rule::Vanished));
    }
}

#[test]
fn a_group_that_nobody_may_list_is_an_error_and_the_walk_goes_on_beside_it() {
    let (machine, root, _) = boot(Layout::Unified, &["top/a/x", "top/b/y"]);
    fs::set_permissions(&root, "/sys/fs/cgroup/top/a", standin::Mode::new(0o700)).unwrap();
    let user = machine.user(1000);
    let hierarchy = Hierarchies::find(&user).unwrap().unified().unwrap().clone();
    let top = hierarchy.open(&user, &path("top")).unwrap();
    let met: Vec<String> = top
        .walk(&user)
        .map(|group| {
            group.map_or_else(|error| format!("{:?}", error.errno()), |it| it.path().to_string())
        })
        .collect();
    assert_eq!(met, ["/top", "Some(EACCES)", "/top/b", "/top/b/y"]);
}

#[test]
fn a_tree_may_be_as_deep_as_descriptors_last() {
    let deep = vec!["d"; 900].join("/");
    let (_machine, root, hierarchy) = boot(Layout::Unified, &[&deep]);
    assert_eq!(hierarchy.walk(&root).unwrap().count(), 901);
    for group in hierarchy.walk(&root).unwrap().deepest_first() {
        let group = group.unwrap();
        if !group.path().is_root() {
            group.delete(&root).unwrap();
        }
    }
    assert_eq!(hierarchy.walk(&root).unwrap().count(), 1);
}

/// Refuses one call.
struct RefuseOne(AtomicUsize);

impl Layer for RefuseOne {
    fn before(&self, _call: &Call) -> std::result::Result<(), Failure> {
        match self.0.fetch_sub(1, Ordering::Relaxed) {
            1 => Err(Errno::EIO.into()),
            _ => Ok(()),
        }
    }
}

#[test]
fn any_single_call_that_is_refused_is_told_and_ends_no_walk() {
    let (_machine, root, hierarchy) = boot(Layout::Unified, &["a/x", "a/y", "b"]);
    for nth in 1..100 {
        let faulty = Layered::new(&root, RefuseOne(AtomicUsize::new(nth)));
        let kernel: &dyn Backend = &faulty;
        let all: Vec<_> = hierarchy.walk(kernel).unwrap().collect();
        let errors = all.iter().filter(|group| group.is_err()).count();
        if errors == 0 {
            assert!(nth > 8, "only {nth} calls: this proves little");
            assert_eq!(all.len(), 5);
            return;
        }
        assert_eq!(errors, 1, "call {nth}");
    }
    panic!("no end of calls");
}
