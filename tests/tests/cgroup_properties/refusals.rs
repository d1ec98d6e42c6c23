//! A change that is refused anywhere leaves all as it was, and what it cannot take back it names.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;

use proptest::prelude::*;
use standin::cgroup::{Created, Creation, Error, Existing, Modes, Result, Rule};
use standin::layer::Layered;
use standin::{Backend, Errno, Failure, Mode};
use standin_sim::Layout;

use super::steps::{Before, NoMoreChanges};
use super::wanted::{Wanted, wanted};
use super::world::{Picture, World, boot, changed, is_unexplained, left, path};

const ERRNOS: [Errno; 6] =
    [Errno::EACCES, Errno::EINTR, Errno::ENOMEM, Errno::ENOSPC, Errno::EBUSY, Errno::EIO];
/// No change here takes so many calls.
const MOST_CALLS: usize = 4000;

fn apply(kernel: &dyn Backend, world: &World, wanted: &Wanted) -> Result<Vec<Created>> {
    wanted.description().plan(kernel, &world.hierarchies)?.apply(kernel)
}

fn take_back(kernel: &dyn Backend, created: &[Created]) {
    for created in created.iter().rev() {
        created.undo(kernel).unwrap();
    }
}

/// The groups of which a file is named that came with a controller: a picture from before says nothing about it.
fn files_that_came(mounts: &[String], before: &Picture, error: &Error) -> BTreeSet<String> {
    let files = error.left().iter().filter_map(|left| Some((left.group()?, left.file()?)));
    let came = files.filter(|(group, file)| {
        let group = group.to_string();
        let directory = group.trim_end_matches('/');
        !mounts.iter().any(|mount| before.contains_key(&format!("{mount}{directory}/{file}")))
    });
    came.map(|(group, _)| group.to_string()).collect()
}

proptest! {
    #![proptest_config(super::config(8))]

    #[test]
    fn a_change_that_is_refused_at_any_single_call_leaves_all_as_it_was(wanted in wanted()) {
        let world = boot(wanted.layout);
        let before = world.picture();
        let (mut refused, mut nth) = (0, 0);
        loop {
            nth += 1;
            prop_assert!(nth < MOST_CALLS, "no end of calls");
            let errno = ERRNOS[nth % ERRNOS.len()];
            let faulty = Layered::new(&world.root, Before::call(nth, || Err(errno.into())));
            match apply(&faulty, &world, &wanted) {
                Ok(created) => {
                    take_back(&world.root, &created);
                    prop_assert_eq!(world.picture(), before.clone(), "call {}, taken back", nth);
                    // Else the refused call was a look that nothing depends on.
                    if !faulty.layer().was_reached() {
                        break;
                    }
                }
                Err(error) => {
                    refused += 1;
                    prop_assert_eq!(error.left(), [], "call {}: {}", nth, error);
                    let is_it = error.errno() == Some(errno) || is_unexplained(&error);
                    prop_assert!(is_it, "call {nth}: {error}");
                    prop_assert!(error.group().is_some() || error.file().is_some(), "{}", error);
                    let said = error.errno().map(|errno| errno.to_string()).unwrap_or_default();
                    prop_assert!(error.to_string().contains(&said), "{}", error);
                    prop_assert_eq!(world.picture(), before.clone(), "call {}: {}", nth, error);
                }
            }
        }
        prop_assert!(refused >= 3, "only {refused} calls were refused: this proves little");
        prop_assert_eq!(world.machine.check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_taken_back_is_named_and_nothing_else(wanted in wanted()) {
        for nth in 0.. {
            let world = boot(wanted.layout);
            let before = world.picture();
            let with = Failure::from(ERRNOS[nth % ERRNOS.len()]);
            let faulty = NoMoreChanges { left: AtomicUsize::new(nth), with };
            let Err(error) = apply(&Layered::new(&world.root, faulty), &world, &wanted) else {
                break;
            };
            prop_assert_eq!(error.errno(), Some(ERRNOS[nth % ERRNOS.len()]), "{}", error);
            let differ = changed(&world.mounts(), &before, &world.picture());
            let came = files_that_came(&world.mounts(), &before, &error);
            let named = left(&error);
            prop_assert!(differ.is_subset(&named), "change {nth}: {differ:?}: {error}");
            prop_assert!(
                named.difference(&differ).all(|group| came.contains(group)),
                "change {nth}: {differ:?}: {error}"
            );
        }
    }
}

/// Between the two things that giving a file away is, and while it is taken back.
#[test]
fn a_file_whose_mode_was_changed_and_cannot_be_changed_back_is_named() {
    let world = boot(Layout::Unified);
    let owner = standin::cgroup::Owner { user: Some(standin::Uid(7)), group: None };
    let change = Creation::new(path("there"))
        .on_existing(Existing::Demand)
        .owned_by(standin::cgroup::Owners { control: owner, members: owner })
        .allowing(Modes { files: Some(Mode::new(0o600)), ..Modes::default() });
    let faulty = NoMoreChanges { left: AtomicUsize::new(1), with: Errno::EIO.into() };
    let refused = change
        .create(&Layered::new(&world.root, faulty), world.hierarchies.unified().unwrap())
        .unwrap_err();
    assert_eq!(left(&refused), BTreeSet::from(["/there".to_owned()]), "{refused}");
    assert_eq!(refused.left()[0].file(), refused.file(), "the file that was begun with");
}

/// An order has no opposite: what it did is told, not passed over.
#[test]
fn a_written_order_that_cannot_be_taken_back_is_named() {
    let world = boot(Layout::Unified);
    let hierarchy = world.hierarchies.unified().unwrap();
    let orders = [("cgroup.kill", "1"), ("cgroup.subtree_control", "+pids"), ("cgroup.procs", "1")];
    for (file, order) in orders {
        let change = Creation::new(path("beside")).on_existing(Existing::Demand);
        let change = change.set(file, order).unwrap().set("cgroup.max.depth", "deep").unwrap();
        let refused = change.create(&world.root, hierarchy).unwrap_err();
        assert_eq!(
            (refused.errno(), refused.file()),
            (Some(Errno::EINVAL), Some("cgroup.max.depth"))
        );
        let [left] = refused.left() else { panic!("{refused}") };
        assert_eq!((left.group(), left.file()), (Some(&path("beside")), Some(file)), "{refused}");
        assert_eq!(left.rule(), Some(&Rule::Irrevocable), "{refused}");
    }
}
