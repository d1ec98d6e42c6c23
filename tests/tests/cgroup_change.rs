//! The cgroup library where a group is there already, or has an owner: it is changed as it is wanted or is as it was.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use std::sync::atomic::{AtomicUsize, Ordering};

use standin::cgroup::{
    Action, Creation, Existing, Group, GroupPath, Hierarchies, Hierarchy, Modes, Owner, Owners,
    Rule,
};
use standin::layer::{Call, Layer, Layered};
use standin::path::{Follow, Place};
use standin::{Backend, Controller, Errno, Failure, Gid, KPath, Mode, Uid, fs};
use standin_sim::{Layout, Machine, View};

fn wanted(group: &str) -> Creation {
    Creation::new(GroupPath::new(group).unwrap())
}

fn owner(user: u32, group: u32) -> Owner {
    Owner::from((Uid(user), Gid(group)))
}

/// Whose group this is: tasks apart.
fn owners() -> Owners {
    Owners { control: owner(2001, 2002), members: owner(1001, 1002) }
}

fn boot() -> (Machine, View, Hierarchy) {
    let machine = Machine::builder().build();
    let root = machine.root();
    let hierarchy = Hierarchies::find(&root).unwrap().unified().unwrap().clone();
    (machine, root, hierarchy)
}

/// Mode and owner of a file, or of a group.
fn attributes(kernel: &dyn Backend, path: &str) -> String {
    let stat = kernel.stat(Place::cwd(KPath::new(path).unwrap()), Follow::No).unwrap();
    format!("{} {}:{}", stat.mode, stat.owner.0, stat.group.0)
}

/// Every entry below a directory with its mode, its owner and, of settings, what it says.
fn picture(kernel: &dyn Backend, directory: &str) -> Vec<String> {
    let mut lines = vec![format!("{directory} {}", attributes(kernel, directory))];
    let entries = fs::read_dir(kernel, directory).unwrap();
    let mut names: Vec<String> = entries.iter().map(fs::DirEntry::file_name).collect();
    names.sort();
    for name in names {
        let path = format!("{directory}/{name}");
        if fs::read_dir(kernel, &path).is_ok() {
            lines.extend(picture(kernel, &path));
        } else {
            let is_setting =
                path.ends_with(".max") || path.ends_with("_control") || path.ends_with(".depth");
            let said = fs::read_to_string(kernel, &path).ok().filter(|_| is_setting);
            lines.push(format!("{path} {} {said:?}", attributes(kernel, &path)));
        }
    }
    lines
}

#[test]
fn a_group_that_is_there_is_in_the_way_or_changed_or_demanded() {
    let (_machine, root, hierarchy) = boot();
    let depth = |existing| {
        let creation = wanted("a").on_existing(existing);
        creation.set("cgroup.max.depth", 3).unwrap()
    };
    let refused = depth(Existing::Demand).create(&root, &hierarchy).unwrap_err();
    assert_eq!((refused.action(), refused.rule()), (Action::Create, Some(&Rule::Missing)));

    depth(Existing::Change).create(&root, &hierarchy).unwrap();
    let refused = depth(Existing::Refuse).create(&root, &hierarchy).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::Taken));
    let again = depth(Existing::Demand).plan(&root, &hierarchy).unwrap();
    assert!(again.is_empty(), "{again}");

    let other = wanted("a").on_existing(Existing::Demand).set("cgroup.max.depth", 4).unwrap();
    let plan = other.plan(&root, &hierarchy).unwrap();
    assert_eq!(plan.to_string(), "write cgroup.max.depth of /a: 4\n", "nothing else is written");
    plan.apply(&root).unwrap();
    assert_eq!(fs::read_to_string(&root, "/sys/fs/cgroup/a/cgroup.max.depth").unwrap(), "4\n");
}

#[test]
fn a_new_group_of_v1_is_given_to_its_owners_and_nothing_becomes_writable_that_is_not() {
    let machine = Machine::builder().layout(Layout::Legacy).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    let pids = hierarchies.with(&root, Controller::Pids).unwrap();
    let modes = Modes {
        directory: Some(Mode::new(0o750)),
        files: Some(Mode::new(0o471)),
        members: Some(Mode::new(0o666)),
    };
    let plan = wanted("a").owned_by(owners()).allowing(modes).plan(&root, pids).unwrap();
    assert_eq!(
        plan.to_string(),
        "create /a\n\
         give /a to 2001:2002\n\
         give the members of /a to 1001:1002\n\
         allow 0750 on /a\n\
         allow 0471 on the files of /a\n\
         allow 0666 on the members of /a\n"
    );
    plan.apply(&root).unwrap();
    let of = |file: &str| attributes(&root, &format!("/sys/fs/cgroup/pids/a{file}"));
    assert_eq!(of(""), "0750 2001:2002");
    assert_eq!(of("/pids.max"), "0460 2001:2002");
    assert_eq!(of("/pids.current"), "0440 2001:2002");
    assert_eq!(of("/tasks"), "0666 1001:1002");
}

#[test]
fn groups_below_are_not_given_away_with_it() {
    let (_machine, root, hierarchy) = boot();
    wanted("a/b").create(&root, &hierarchy).unwrap();
    let before = picture(&root, "/sys/fs/cgroup/a/b");
    let change = wanted("a").on_existing(Existing::Change).owned_by(owners());
    let created = change.plan(&root, &hierarchy).unwrap().apply(&root).unwrap();
    assert_eq!(attributes(&root, "/sys/fs/cgroup/a/cgroup.procs"), "0644 1001:1002");
    assert_eq!(picture(&root, "/sys/fs/cgroup/a/b"), before);
    created.undo(&root).unwrap();
    assert_eq!(attributes(&root, "/sys/fs/cgroup/a/cgroup.procs"), "0644 0:0");
}

#[test]
fn somebody_without_rights_gives_nothing_away() {
    let (machine, root, hierarchy) = boot();
    let own = Owners { control: owner(1000, 1000), ..Owners::default() };
    wanted("a").owned_by(own).create(&root, &hierarchy).unwrap();
    let user = machine.user(1000);
    let hierarchy = Hierarchies::find(&user).unwrap().unified().unwrap().clone();
    let before = picture(&root, "/sys/fs/cgroup/a");
    let change = wanted("a/b").owned_by(owners());
    let refused = change.create(&user, &hierarchy).unwrap_err();
    assert_eq!((refused.errno(), refused.rule()), (Some(Errno::EPERM), Some(&Rule::Permission)));
    assert_eq!(refused.action(), Action::Give);
    assert_eq!(picture(&root, "/sys/fs/cgroup/a"), before, "what was made for it is gone");
    wanted("a/b").create(&user, &hierarchy).unwrap();
}

/// Lets a number of calls through and refuses the next; the others pass again.
struct RefuseOne(AtomicUsize);

impl Layer for RefuseOne {
    fn before(&self, _call: &Call) -> Result<(), Failure> {
        match self.0.fetch_sub(1, Ordering::Relaxed) {
            1 => Err(Errno::EIO.into()),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_change_that_is_refused_at_any_single_call_leaves_all_as_it_was() {
    let (machine, root, hierarchy) = boot();
    let there: Group = wanted("there/a").with(Controller::Pids).create(&root, &hierarchy).unwrap();
    there.set(&root, "pids.max", 7).unwrap();
    wanted("there/a/below").create(&root, &hierarchy).unwrap();
    let before = picture(&root, "/sys/fs/cgroup/there");
    let change = wanted("there/a")
        .on_existing(Existing::Change)
        .with(Controller::Pids)
        .with(Controller::Memory)
        .owned_by(owners())
        .allowing(Modes { files: Some(Mode::new(0o600)), ..Modes::default() });
    let change = change.set("pids.max", 5).unwrap().set("cgroup.max.depth", 3).unwrap();
    let mut refused = 0;
    for nth in 1..2000 {
        let faulty = Layered::new(&root, RefuseOne(AtomicUsize::new(nth)));
        match change.plan(&faulty, &hierarchy).and_then(|plan| plan.apply(&faulty)) {
            Ok(created) => {
                created.undo(&root).unwrap();
                assert_eq!(picture(&root, "/sys/fs/cgroup/there"), before, "call {nth}");
                // Else the refused call was a look that nothing depends on.
                if (1..=nth).contains(&faulty.layer().0.load(Ordering::Relaxed)) {
                    assert!(refused > 100, "only {refused} calls were refused: this proves little");
                    machine.finish().unwrap();
                    return;
                }
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.left(), [], "call {nth}: {error}");
                assert_eq!(error.errno(), Some(Errno::EIO), "call {nth}: {error}");
                assert_eq!(picture(&root, "/sys/fs/cgroup/there"), before, "call {nth}: {error}");
            }
        }
    }
    panic!("no end of calls");
}
