//! Memory of groups on the machine: who is ended when there is no room, and where charges stand, where no recording goes.

use standin::transcript::parse;
use standin_tests::replay;

/// A group below another one, both with the memory controller.
const GROUPS: &str = "init> write /sys/fs/cgroup/cgroup.subtree_control +memory\nok\ninit> mkdir /sys/fs/cgroup/t\nok\n\
    init> write /sys/fs/cgroup/t/cgroup.subtree_control +memory\nok\ninit> mkdir /sys/fs/cgroup/t/a\nok\n";

/// The script, which holds its answers, prints as it stands; the machine's counts agree with one another at its end.
#[track_caller]
fn check(text: &str) {
    let text = format!("machine kernel=6.12 layout=unified\n{GROUPS}{text}");
    let script = parse(text.as_bytes()).expect("a script");
    let report = replay::on_machine(&script).expect("the run ends");
    assert_eq!(report.transcript.to_string(), text);
}

#[test]
fn the_process_with_most_dies_and_who_asked_goes_on() {
    check(
        "init> write /sys/fs/cgroup/t/memory.max 16M\nok\ninit> fork p into=/sys/fs/cgroup/t/a\nok\n\
         init> fork q into=/sys/fs/cgroup/t/a\nok\np> alloc 10M\nok\nq> alloc 4M\nok\nq> alloc 4M\nok\n\
         init> wait p\nkilled KILL\nq> ppid\n<init>\n\
         init> key /sys/fs/cgroup/t/memory.events oom_kill\n| 1\n\
         init> key /sys/fs/cgroup/t/memory.events.local oom_kill\n| 0\n\
         init> key /sys/fs/cgroup/t/memory.events.local oom\n| 1\n\
         init> key /sys/fs/cgroup/t/a/memory.events.local oom_kill\n| 1\n\
         init> key /sys/fs/cgroup/t/a/memory.events max\n| 0\n\
         init> test /sys/fs/cgroup/t/memory.peak == 16777216\ntrue\n",
    );
}

#[test]
fn an_adjustment_protects_who_has_most() {
    check(
        "init> write /sys/fs/cgroup/t/memory.max 16M\nok\ninit> fork p into=/sys/fs/cgroup/t/a\nok\n\
         init> fork q into=/sys/fs/cgroup/t/a\nok\np> write /proc/self/oom_score_adj -1000\nok\np> alloc 10M\nok\n\
         q> alloc 8M\nkilled KILL\np> ppid\n<init>\n",
    );
}

#[test]
fn a_limit_below_what_is_used_ends_processes_until_it_holds() {
    check(
        "init> fork p into=/sys/fs/cgroup/t/a\nok\ninit> fork q into=/sys/fs/cgroup/t/a\nok\np> alloc 8M\nok\n\
         q> alloc 4M\nok\ninit> write /sys/fs/cgroup/t/memory.max 6M\nok\ninit> wait p\nkilled KILL\nq> ppid\n<init>\n\
         init> write /sys/fs/cgroup/t/a/memory.max 0\nok\ninit> wait q\nkilled KILL\n\
         init> read /sys/fs/cgroup/t/memory.current\n| 0\n\
         init> key /sys/fs/cgroup/t/memory.events oom_kill\n| 2\n",
    );
}

#[test]
fn a_removed_group_is_remembered_while_something_is_charged_to_it() {
    check(
        "init> fork p into=/sys/fs/cgroup/t/a\nok\np> alloc 4M\nok\np> write /sys/fs/cgroup/cgroup.procs 0\nok\n\
         init> rmdir /sys/fs/cgroup/t/a\nok\ninit> key /sys/fs/cgroup/cgroup.stat nr_dying_descendants\n| 1\n\
         init> read /sys/fs/cgroup/t/memory.current\n| 4202496\np> release\nok\n\
         init> read /sys/fs/cgroup/t/memory.current\n| 0\n\
         init> key /sys/fs/cgroup/cgroup.stat nr_dying_descendants\n| 0\n",
    );
}

#[test]
fn what_was_charged_before_a_controller_came_back_counts_above_alone() {
    check(
        "init> fork p into=/sys/fs/cgroup/t/a\nok\np> alloc 4M\nok\n\
         init> write /sys/fs/cgroup/t/cgroup.subtree_control -memory\nok\n\
         init> write /sys/fs/cgroup/t/cgroup.subtree_control +memory\nok\n\
         init> read /sys/fs/cgroup/t/a/memory.current\n| 0\ninit> read /sys/fs/cgroup/t/memory.current\n| 4202496\n\
         p> alloc 2M\nok\ninit> read /sys/fs/cgroup/t/a/memory.current\n| 2101248\np> release\nok\n\
         init> read /sys/fs/cgroup/t/a/memory.current\n| 0\ninit> read /sys/fs/cgroup/t/memory.current\n| 0\n",
    );
}

#[test]
fn a_peak_begins_anew_for_the_open_file_that_was_written() {
    check(
        "init> fork p into=/sys/fs/cgroup/t/a\nok\np> alloc 4M\nok\np> release\nok\n\
         init> open e /sys/fs/cgroup/t/memory.peak rw\nok\ninit> fread e\n| 4202496\ninit> fwrite e reset\nok\n\
         init> fread e\n| 0\np> alloc 2M\nok\np> release\nok\ninit> fread e\n| 2101248\n\
         init> read /sys/fs/cgroup/t/memory.peak\n| 4202496\n",
    );
}

#[test]
fn how_long_processes_waited_for_memory_is_not_made_up() {
    check(
        "init> write /sys/fs/cgroup/t/memory.max 16M\nok\ninit> fork p into=/sys/fs/cgroup/t/a\nok\n\
         init> key /sys/fs/cgroup/t/memory.pressure some\n| avg10=0.00 avg60=0.00 avg300=0.00 total=0\n\
         p> alloc 32M\nkilled KILL\ninit> read /sys/fs/cgroup/t/memory.pressure\nNotModelled read\n",
    );
}
