//! A user who was given a group: what is below it is theirs, what is above it is named and left alone.

use proptest::prelude::*;
use standin::backend::Processes as _;
use standin::cgroup::{
    Action, Creation, Existing, Group, GroupPath, Hierarchies, Hierarchy, Owner, Owners, Rule,
};
use standin::layer::Layered;
use standin::{Controller, ControllerSet, Errno, Gid, Uid, fs};
use standin_sim::{Layout, View};

use super::steps::Changes;
use super::world::{World, boot, changed, name_of, path};

/// Gives `there` with its members to user 1000, with `pids` to share out below it.
fn delegate(world: &World) -> (View, Hierarchy) {
    let owner = Owner::from((Uid(1000), Gid(1000)));
    let hierarchy = world.hierarchies.with(&world.root, Controller::Pids).unwrap();
    Creation::new(path("there"))
        .on_existing(Existing::Demand)
        .owned_by(Owners { control: owner, members: owner })
        .create(&world.root, hierarchy)
        .unwrap();
    let user = world.machine.user(1000);
    let hierarchies = Hierarchies::find(&user).unwrap();
    let hierarchy = hierarchies.with(&user, Controller::Pids).unwrap().clone();
    (user, hierarchy)
}

fn wanted(group: &str, controllers: impl Into<ControllerSet>) -> Creation {
    Creation::new(path(group)).with(controllers)
}

#[test]
fn a_user_makes_groups_below_what_was_given_and_shares_out_what_it_has() {
    for layout in Layout::ALL {
        let world = boot(layout);
        let (user, hierarchy) = delegate(&world);
        let creation = wanted("there/mine/job", Controller::Pids).set("pids.max", 4).unwrap();
        let group = creation.create(&user, &hierarchy).unwrap();
        let file = format!("{}/there/mine/job/pids.max", hierarchy.mount_point());
        assert_eq!(fs::read_to_string(&world.root, &file).unwrap(), "4\n");
        assert_eq!(fs::metadata(&world.root, &file).unwrap().owner, Uid(1000));
        group.delete(&user).unwrap();
    }
}

#[test]
fn what_would_have_to_be_enabled_above_is_refused_while_planning_and_the_group_is_named() {
    let world = boot(Layout::Unified);
    let (user, hierarchy) = delegate(&world);
    let before = world.picture();
    let counted = Layered::new(&user, Changes::default());
    let refused = wanted("there/mine", Controller::Memory).plan(&counted, &hierarchy).unwrap_err();
    assert_eq!((refused.action(), refused.group()), (Action::Enable, Some(&GroupPath::root())));
    assert_eq!((refused.rule(), refused.errno()), (Some(&Rule::Permission), Some(Errno::EACCES)));
    assert_eq!(refused.file(), Some("cgroup.subtree_control"));

    // One level further down it is the group that the user was not given there.
    let root = world.hierarchies.unified().unwrap().open(&world.root, &GroupPath::root()).unwrap();
    root.enable(&world.root, Controller::Memory).unwrap();
    let refused = wanted("beside/mine", Controller::Memory).plan(&counted, &hierarchy).unwrap_err();
    assert_eq!((refused.group(), refused.rule()), (Some(&path("beside")), Some(&Rule::Permission)));
    root.disable(&world.root, Controller::Memory).unwrap();
    assert_eq!((counted.layer().made(), world.picture()), (Vec::new(), before));
}

#[test]
fn a_user_moves_processes_within_what_was_given_and_none_into_it_or_out_of_it() {
    let world = boot(Layout::Unified);
    let (user, hierarchy) = delegate(&world);
    let open = |name: &str| hierarchy.open(&user, &path(name)).unwrap();
    let job = |name: &str| -> Group {
        wanted(name, ControllerSet::EMPTY).create(&user, &hierarchy).unwrap()
    };
    let (one, other) = (job("there/one"), job("there/other"));
    let worker = user.fork().unwrap().pid().unwrap();
    assert_eq!(one.attach(&user, worker).unwrap_err().rule(), Some(&Rule::Containment));

    let seen = world.hierarchies.unified().unwrap();
    seen.open(&world.root, one.path()).unwrap().attach(&world.root, worker).unwrap();
    other.attach(&user, worker).unwrap();
    assert_eq!(other.processes(&user).unwrap(), [worker]);
    for outside in ["beside", "/"] {
        let refused = open(outside).attach(&user, worker).unwrap_err();
        assert_eq!(refused.rule(), Some(&Rule::Containment), "{refused}");
    }
    assert_eq!(other.processes(&user).unwrap(), [worker]);
}

fn groups() -> impl Strategy<Value = &'static str> {
    let all = ["mine", "beside/mine", "there/mine", "there/mine/job", "there/a/mine", "there"];
    proptest::sample::select(all.to_vec())
}

proptest! {
    #![proptest_config(super::config(48))]

    #[test]
    fn whatever_a_user_wants_nothing_is_changed_outside_of_what_was_given(
        group in groups(),
        controllers in proptest::sample::subsequence(
            vec![Controller::Pids, Controller::Memory, Controller::Cpu], 0..=3),
        layout in super::wanted::layouts(),
    ) {
        let world = boot(layout);
        let (user, hierarchy) = delegate(&world);
        let before = world.picture();
        let layered = Layered::new(&user, Changes::default());
        let set = controllers.iter().copied().collect::<ControllerSet>();
        let creation = wanted(group, set).on_existing(Existing::Change);
        match creation.create(&layered, &hierarchy) {
            Ok(_) => {
                let differ = changed(&world.mounts(), &before, &world.picture());
                let is_inside = |group: &String| group.starts_with("/there");
                prop_assert!(differ.iter().all(is_inside), "{differ:?}");
                prop_assert!(group.starts_with("there"));
            }
            Err(refused) => {
                let is_v1 = layout != Layout::Unified;
                let expected: &[&str] = if is_v1 && set != Controller::Pids.into() && !set.is_empty() {
                    &["ControllerMissing"]
                } else {
                    &["Permission"]
                };
                let rule = name_of(refused.rule());
                prop_assert!(expected.contains(&rule.as_str()), "{refused}");
                prop_assert_eq!(refused.left(), []);
                prop_assert_eq!(world.picture(), before, "{}", refused);
            }
        }
    }
}
