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

#[test]
fn who_may_not_be_ended_waits_for_room_until_somebody_leaves_some() {
    check(
        "init> write /sys/fs/cgroup/t/memory.max 32M\nok\ninit> fork p into=/sys/fs/cgroup/t/a\nok\n\
         init> fork q into=/sys/fs/cgroup/t/a\nok\np> write /proc/self/oom_score_adj -1000\nok\n\
         q> write /proc/self/oom_score_adj -1000\nok\np> alloc 16M\nok\nq> alloc 24M\nblocked\n\
         init> key /sys/fs/cgroup/t/memory.events oom_kill\n| 0\np> release\nok\ninit> join q\nok\n\
         init> test /sys/fs/cgroup/t/memory.current >= 25165824\ntrue\n",
    );
}

#[test]
fn who_waits_for_room_finds_it_where_it_is_moved() {
    check(
        "init> mkdir /sys/fs/cgroup/t/b\nok\ninit> write /sys/fs/cgroup/t/a/memory.max 8M\nok\n\
         init> fork p into=/sys/fs/cgroup/t/a\nok\np> write /proc/self/oom_score_adj -1000\nok\n\
         p> alloc 24M\nblocked\ninit> write /sys/fs/cgroup/t/b/cgroup.procs <p>\nok\ninit> join p\nok\n\
         init> read /sys/fs/cgroup/t/a/memory.current\n| 8388608\n\
         init> test /sys/fs/cgroup/t/b/memory.current >= 16777216\ntrue\np> release\nok\n\
         init> read /sys/fs/cgroup/t/memory.current\n| 0\n",
    );
}

#[test]
fn who_waits_for_room_dies_by_a_signal_and_leaves_what_it_had() {
    check(
        "init> write /sys/fs/cgroup/t/a/memory.max 8M\nok\ninit> fork p into=/sys/fs/cgroup/t/a\nok\n\
         p> write /proc/self/oom_score_adj -1000\nok\np> alloc 24M\nblocked\ninit> kill p KILL\nok\n\
         init> wait p\nkilled KILL\ninit> read /sys/fs/cgroup/t/memory.current\n| 0\n",
    );
}

#[test]
fn beyond_memory_high_who_asks_for_little_goes_on_and_who_asks_for_much_sleeps() {
    check(
        "init> write /sys/fs/cgroup/t/memory.high 64M\nok\ninit> fork p into=/sys/fs/cgroup/t/a\nok\n\
         p> alloc 65M\nok\ninit> test /sys/fs/cgroup/t/memory.events high > 0\ntrue\n\
         init> key /sys/fs/cgroup/t/a/memory.events high\n| 0\np> alloc 64M\nblocked\n\
         init> sleep 90000\nok\ninit> join p\nok\ninit> key /sys/fs/cgroup/t/memory.events max\n| 0\n",
    );
}

#[test]
fn a_parent_has_only_so_much_protection_for_its_children() {
    let reclaim = |parents: &str, low: &str| {
        check(&format!(
            "init> write /sys/fs/cgroup/t/a/cgroup.subtree_control +memory\nok\ninit> mkdir /sys/fs/cgroup/t/a/c\nok\n\
             init> mkdir /sys/fs/cgroup/t/a/d\nok\ninit> write /sys/fs/cgroup/t/a/memory.low {parents}\nok\n\
             init> write /sys/fs/cgroup/t/a/c/memory.low 16M\nok\n\
             init> write /sys/fs/cgroup/t/a/d/memory.low 16M\nok\n\
             init> fork p into=/sys/fs/cgroup/t/a/c\nok\ninit> fork q into=/sys/fs/cgroup/t/a/d\nok\n\
             p> alloc 8M\nok\nq> alloc 8M\nok\ninit> write /sys/fs/cgroup/t/memory.reclaim 1M\nEAGAIN\n\
             init> test /sys/fs/cgroup/t/a/c/memory.events low > 0\n{low}\n"
        ));
    };
    reclaim("20M", "true");
    reclaim("12M", "false");
}

#[test]
fn a_group_that_ends_as_a_whole_leaves_those_beside_it() {
    check(
        "init> mkdir /sys/fs/cgroup/t/b\nok\ninit> write /sys/fs/cgroup/t/a/memory.oom.group 1\nok\n\
         init> write /sys/fs/cgroup/t/memory.max 32M\nok\ninit> fork p into=/sys/fs/cgroup/t/a\nok\n\
         init> fork q into=/sys/fs/cgroup/t/a\nok\ninit> fork r into=/sys/fs/cgroup/t/b\nok\np> alloc 20M\nok\n\
         r> alloc 16M\nok\ninit> wait p\nkilled KILL\ninit> wait q\nkilled KILL\nr> ppid\n<init>\n\
         init> key /sys/fs/cgroup/t/a/memory.events.local oom_kill\n| 3\n\
         init> key /sys/fs/cgroup/t/memory.events oom_group_kill\n| 1\n",
    );
}

#[test]
fn what_is_charged_on_a_machine_with_swap_is_not_modelled() {
    let text = format!(
        "machine kernel=6.12 layout=unified swap=64M\n{GROUPS}init> fork p into=/sys/fs/cgroup/t/a\nok\n\
         p> alloc 4M\nNotModelled alloc\n"
    );
    let script = parse(text.as_bytes()).expect("a script");
    let report = replay::on_machine(&script).expect("the run ends");
    assert_eq!(report.transcript.to_string(), text);
}
