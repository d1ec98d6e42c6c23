//! Code under test cannot hide that the machine did not know the answer.

use std::panic::{AssertUnwindSafe, catch_unwind};

use standin::backend::Files;
use standin::{KPath, Place};
use standin_sim::{Machine, View};

/// A careless library: what cannot be done is passed over.
fn careless(kernel: &View) {
    let root = KPath::new("/").expect("a path");
    let _ = kernel.umount(Place::cwd(root));
}

#[test]
fn a_run_that_ignored_what_is_not_modelled_does_not_finish_well() {
    let machine = Machine::builder().build();
    careless(&machine.root());
    let unmodelled = machine.finish().expect_err("the run proves nothing");
    assert_eq!(unmodelled.operations, [("umount of the root", 1)]);
    assert!(unmodelled.to_string().contains("umount of the root (1 times)"), "{unmodelled}");
}

#[test]
fn a_machine_that_is_dropped_after_such_a_run_panics() {
    let machine = Machine::builder().build();
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        careless(&machine.root());
        drop(machine);
    }));
    assert!(dropped.is_err());
}

#[test]
fn a_machine_may_be_built_to_allow_it() {
    let machine = Machine::builder().allow_unmodelled().build();
    careless(&machine.root());
    machine.finish().expect("it was allowed");
}
