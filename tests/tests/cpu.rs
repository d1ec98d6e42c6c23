//! Processor time of groups on the machine, to the microsecond: what no recording can hold.

use std::time::Duration;

use standin::backend::{Clock, Processes, Spawn, WaitOptions};
use standin::transcript::parse;
use standin::{Backend, ExitCode, KPath, fs};
use standin_sim::Machine;
use standin_tests::replay;

/// A group `h` with the groups `a` and `b` below it, all with the cpu controller.
const GROUPS: &str = "init> write /sys/fs/cgroup/cgroup.subtree_control +cpu\nok\ninit> mkdir /sys/fs/cgroup/h\nok\n\
    init> write /sys/fs/cgroup/h/cgroup.subtree_control +cpu\nok\ninit> mkdir /sys/fs/cgroup/h/a\nok\n\
    init> mkdir /sys/fs/cgroup/h/b\nok\n";

/// Processes p and q in a and b want to run for a second each, and may at once when `h` is thawed.
const TWO: &str = "init> fork p into=/sys/fs/cgroup/h/a\nok\ninit> fork q into=/sys/fs/cgroup/h/b\nok\n\
    init> write /sys/fs/cgroup/h/cgroup.freeze 1\nok\np> burn 1000\nblocked\nq> burn 1000\nblocked\n";

const GO: &str = "init> write /sys/fs/cgroup/h/cgroup.freeze 0\nok\n";

/// The script, which holds its answers, prints as it stands on a machine with so many processors.
#[track_caller]
fn check(cpus: u32, text: &str) {
    let text = format!("machine kernel=6.12 layout=unified cpus={cpus}\n{GROUPS}{text}");
    let script = parse(text.as_bytes()).expect("a script");
    let report = replay::on_machine(&script).expect("the run ends");
    assert_eq!(report.transcript.to_string(), text);
}

/// An operation that reads what a group has used.
fn used(group: &str, usec: u64) -> String {
    format!("init> key /sys/fs/cgroup/{group}/cpu.stat usage_usec\n| {usec}\n")
}

/// An operation that reads another number of a group's.
fn stat(group: &str, key: &str, value: u64) -> String {
    format!("init> key /sys/fs/cgroup/{group}/cpu.stat {key}\n| {value}\n")
}

#[test]
fn a_process_uses_what_it_asks_for_and_no_more() {
    let (all, clock) = (used("h", 50_000), "init> clock monotonic\n0\n");
    check(1, &format!("init> fork p into=/sys/fs/cgroup/h/a\nok\np> burn 50\nok\n{all}{clock}"));
}

#[test]
fn weights_share_a_processor_in_their_ratio() {
    let weight = "init> write /sys/fs/cgroup/h/a/cpu.weight 300\nok\n";
    let (a, b, all) = (used("h/a", 300_000), used("h/b", 100_000), used("h", 400_000));
    check(1, &format!("{weight}{TWO}{GO}init> sleep 400\nok\n{a}{b}{all}"));
}

#[test]
fn a_weight_that_is_written_counts_from_then_on() {
    let weight = "init> write /sys/fs/cgroup/h/a/cpu.weight 300\nok\n";
    let (a, b) = (used("h/a", 500_000), used("h/b", 300_000));
    check(1, &format!("{TWO}{GO}init> sleep 400\nok\n{weight}init> sleep 400\nok\n{a}{b}"));
}

#[test]
fn two_processes_on_two_processors_have_one_each() {
    let weight = "init> write /sys/fs/cgroup/h/a/cpu.weight 10000\nok\n";
    let (a, b) = (used("h/a", 400_000), used("h/b", 400_000));
    check(2, &format!("{weight}{TWO}{GO}init> sleep 400\nok\n{a}{b}"));
}

#[test]
fn who_has_done_its_work_leaves_its_share_to_the_others() {
    let weight = "init> write /sys/fs/cgroup/h/a/cpu.weight 300\nok\n";
    // p has done its second after 1333 ms; q then has the processor alone.
    let b = used("h/b", 333_333);
    check(1, &format!("{weight}{TWO}{GO}init> join p\nblocked\ninit> join p\nok\n{b}"));
}

#[test]
fn nobody_in_a_group_uses_more_than_its_quota_in_a_period() {
    let max = "init> write /sys/fs/cgroup/h/cpu.max \"30000 100000\"\nok\n";
    let freeze = "init> write /sys/fs/cgroup/h/cgroup.freeze 1\nok\n";
    // The quota is for both; ten periods end, and each of them was used up after 15 ms on two processors.
    let counts = [
        used("h", 300_000),
        used("h/a", 150_000),
        stat("h", "nr_periods", 10),
        stat("h", "nr_throttled", 10),
        stat("h", "throttled_usec", 2 * 850_000),
        stat("h/a", "nr_throttled", 0),
        "init> read /sys/fs/cgroup/h/a/cpu.stat.local\n| throttled_usec 850000\n".to_owned(),
    ];
    let counts = counts.concat();
    check(2, &format!("{TWO}{freeze}{max}{GO}init> sleep 1000\nok\n{counts}"));
}

#[test]
fn a_quota_shared_by_weight_is_shared_by_weight() {
    let max = "init> write /sys/fs/cgroup/h/cpu.max \"40000 100000\"\nok\n\
        init> write /sys/fs/cgroup/h/a/cpu.weight 300\nok\n";
    let (a, b) = (used("h/a", 300_000), used("h/b", 100_000));
    check(1, &format!("{max}{TWO}{GO}init> sleep 1000\nok\n{a}{b}"));
}

#[test]
fn a_burst_lets_a_group_use_what_it_saved() {
    let max = "init> write /sys/fs/cgroup/h/cpu.max \"40000 100000\"\nok\n\
        init> write /sys/fs/cgroup/h/cpu.max.burst 40000\nok\n\
        init> sleep 500\nok\ninit> fork p into=/sys/fs/cgroup/h/a\nok\np> burn 100\nok\n";
    // 80 ms were there; the other 20 are of the next period.
    let counts = [stat("h", "nr_throttled", 1), stat("h", "throttled_usec", 20_000)].concat();
    let saved = [stat("h", "nr_bursts", 1), stat("h", "burst_usec", 40_000)].concat();
    check(1, &format!("{max}{counts}init> sleep 100\nok\n{saved}"));
}

#[test]
fn who_moves_away_uses_what_its_new_group_has() {
    let moves = "init> write /sys/fs/cgroup/h/b/cgroup.procs <p>\nok\n";
    let (a, b) = (used("h/a", 200_000), used("h/b", 600_000));
    check(1, &format!("{TWO}{GO}init> sleep 400\nok\n{moves}init> sleep 400\nok\n{a}{b}"));
}

#[test]
fn who_dies_in_the_middle_has_used_what_it_had() {
    let (a, b) = (used("h/a", 200_000), used("h/b", 600_000));
    let kill = "init> kill p KILL\nok\ninit> wait p\nkilled KILL\n";
    check(1, &format!("{TWO}{GO}init> sleep 400\nok\n{kill}init> sleep 400\nok\n{a}{b}"));
}

#[test]
fn threads_of_the_root_group_share_as_one_with_its_groups() {
    let root = "init> fork p\nok\ninit> fork q\nok\ninit> fork r into=/sys/fs/cgroup/h/a\nok\n\
        init> kill p STOP\nok\ninit> kill q STOP\nok\ninit> kill r STOP\nok\np> burn 1000\nblocked\n\
        q> burn 1000\nblocked\nr> burn 1000\nblocked\ninit> kill p CONT\nok\ninit> kill q CONT\nok\n\
        init> kill r CONT\nok\ninit> sleep 400\nok\n";
    check(1, &format!("{root}{}", used("h/a", 200_000)));
}

/// Process p may use the second processor alone.
const CPUSET: &str = "init> write /sys/fs/cgroup/cgroup.subtree_control +cpuset\nok\n\
    init> write /sys/fs/cgroup/h/cgroup.subtree_control +cpuset\nok\ninit> write /sys/fs/cgroup/h/a/cpuset.cpus 1\nok\n";

#[test]
fn who_may_use_one_processor_alone_shares_that_one() {
    let both = "init> write /sys/fs/cgroup/h/b/cpuset.cpus 1\nok\n";
    let (a, b) = (used("h/a", 200_000), used("h/b", 200_000));
    check(2, &format!("{CPUSET}{both}{TWO}{GO}init> sleep 400\nok\n{a}{b}"));
}

#[test]
fn work_at_once_of_who_may_use_different_processors_is_not_modelled() {
    check(
        2,
        &format!(
            "{CPUSET}init> fork p into=/sys/fs/cgroup/h/a\nok\ninit> fork q into=/sys/fs/cgroup/h/b\nok\n\
             init> write /sys/fs/cgroup/h/a/cpu.max \"1000 1000000\"\nok\np> burn 20\nblocked\nq> burn 10\n\
             NotModelled burn\n{}",
            used("h/b", 0)
        ),
    );
}

#[test]
fn the_limit_of_processor_time_warns_each_second_and_ends_at_last() {
    check(
        1,
        "init> fork p into=/sys/fs/cgroup/h/a\nok\np> signal XCPU count\nok\ninit> rlimit p cpu 1:3\nok\n\
         p> burn 2500\nok\np> sigcount XCPU\n2\np> rlimit 0 cpu\n3:3\np> burn 1000\nkilled KILL\n\
         init> key /sys/fs/cgroup/h/a/cpu.stat usage_usec\n| 3000000\n\
         init> fork q\nok\ninit> rlimit q cpu 1:3\nok\nq> burn 5000\nkilled XCPU\n",
    );
}

/// Runs a process for each entry, for so long, and says when all are done, in ms.
fn run(machine: &Machine, work_ms: &[u64]) -> u64 {
    machine.program("/bin/work", |kernel, arguments| {
        let ms = arguments.last().map(|ms| String::from_utf8_lossy(ms).parse());
        let ms = ms.and_then(Result::ok).expect("a number");
        kernel.use_processor(Duration::from_millis(ms)).expect("work");
        ExitCode::SUCCESS
    });
    let root = machine.root();
    let before = root.monotonic().expect("a clock");
    let spawn = |ms: &u64| {
        let ms = ms.to_string();
        let arguments: [&[u8]; 2] = [b"work", ms.as_bytes()];
        root.spawn(&Spawn::new(KPath::new("/bin/work").expect("no NUL"), &arguments))
    };
    let children: Vec<_> = work_ms.iter().map(spawn).collect();
    for child in &children {
        let child = child.as_ref().expect("a child");
        root.wait(child, WaitOptions::default()).expect("its end");
    }
    (root.monotonic().expect("a clock").ns - before.ns) / 1_000_000
}

#[test]
fn work_takes_as_long_as_the_processors_need_for_it() {
    for (processors, took_ms) in [(1, 600), (2, 300), (3, 200), (8, 200)] {
        let machine = Machine::builder().processors(processors).build();
        assert_eq!(run(&machine, &[200, 200, 200]), took_ms, "on {processors}");
    }
}

#[test]
fn proc_tells_what_a_process_and_its_children_have_used() {
    let machine = Machine::builder().processors(1).build();
    run(&machine, &[120, 80]);
    let root = machine.root();
    root.use_processor(Duration::from_millis(70)).unwrap();
    let stat = fs::read_to_string(&root as &dyn Backend, "/proc/self/stat").unwrap();
    let times: Vec<&str> = stat.split(' ').skip(13).take(4).collect();
    assert_eq!(times, ["7", "0", "20", "0"], "in hundredths of a second");
}

#[test]
fn how_long_threads_waited_for_a_processor_is_not_made_up() {
    let none = "| some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n| full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
    let read = "init> read /sys/fs/cgroup/h/cpu.pressure\n";
    check(2, &format!("{TWO}{GO}init> sleep 400\nok\n{read}{none}"));
    check(1, &format!("{TWO}{GO}init> sleep 400\nok\n{read}NotModelled read\n"));
}
