//! The runner over a stage that answers what it is told to: the rules of the spec's sections 2 and 3.

mod fake;

use super::*;
use crate::errno::Errno;
use crate::id::{Moment, NsId, Pid};
use crate::signal::Signal;
use crate::transcript::{Condition, Settled};
use crate::transcript::{Form, NamespaceLink, Part, PidRule, UNSEEN, parse};
use fake::Fake;

const P: ActorId = ActorId(1);
const Q: ActorId = ActorId(2);

/// Runs the operations of `text` and asks for exactly its answers.
#[track_caller]
fn check(mut stage: Fake, text: &str) -> Fake {
    let expected = format!("machine kernel=6.12 layout=unified\n{text}");
    let script = parse(expected.as_bytes()).unwrap();
    let report = run(&script, &mut stage).unwrap();
    assert_eq!(report.transcript.to_string(), expected);
    assert!(report.is_as_expected(), "{:?}", report.mismatches);
    assert!(stage.finished);
    stage
}

fn answered(outcome: Outcome) -> Settled {
    Settled::Answered(outcome)
}

#[test]
fn what_has_not_returned_prints_blocked_until_it_is_joined() {
    let text = Outcome::text("late\n");
    let stage = Fake::new().reply("read /f", [Settled::Busy, Settled::Busy, answered(text)]);
    check(
        stage,
        "init> fork p\nok\np> read /f\nblocked\ninit> join p\nblocked\np> join p\n| late\n\
         init> join p\nidle\n",
    );
}

#[test]
fn a_busy_actor_addressed_again_carries_nothing_out() {
    let stage = Fake::new().reply("sleep 9", [Settled::Busy]);
    let stage = check(stage, "init> fork p\nok\np> sleep 9\nblocked\np> rmdir /a\nblocked\n");
    assert!(!stage.requests.iter().any(|(_, op, _)| op == "rmdir /a"));
}

#[test]
fn the_result_of_one_who_has_returned_is_dropped_by_the_next_operation() {
    let stage = Fake::new().reply("read /f", [Settled::Busy, answered(Outcome::text("x"))]);
    check(stage, "init> fork p\nok\np> read /f\nblocked\np> rmdir /a\nok\ninit> join p\nidle\n");
}

#[test]
fn whoever_dies_in_an_operation_says_how() {
    let killed = Settled::Died(End::Killed(Signal::KILL));
    let stage = Fake::new()
        .reply("alloc 1G", [killed.clone()])
        .reply("exit 3", [Settled::Died(End::Exited(3))])
        .reply("reboot halt", [killed])
        .reply("exec /bin/false", [Settled::Died(End::Exited(1))]);
    check(
        stage,
        "init> fork a\nok\na> alloc 1G\nkilled KILL\na> pid\ngone\ninit> fork b\nok\nb> exit 3\nok\n\
         init> fork c\nok\nc> reboot halt\nok\ninit> fork d\nok\nd> exec /bin/false\nexited 1\n\
         init> join d\nidle\nd> join d\ngone\n",
    );
}

#[test]
fn a_busy_actor_that_died_says_how_when_it_is_joined() {
    let stage =
        Fake::new().reply("alloc 1G", [Settled::Busy, Settled::Died(End::Killed(Signal::KILL))]);
    check(
        stage,
        "init> fork p\nok\np> alloc 1G\nblocked\np> pid\ngone\ninit> join p\nkilled KILL\n\
         init> join p\nidle\n",
    );
}

#[test]
fn the_dead_and_the_never_made_are_gone() {
    let stage = Fake::new()
        .change("kill p KILL", P, Condition::Zombie)
        .change("wait p", P, Condition::Gone)
        .answer("wait q", Errno::ECHILD.into());
    let stage = check(
        stage,
        "x> pid\ngone\ninit> status x\ngone\ninit> proc x cgroup\ngone\ninit> kill x 0\ngone\n\
         init> wait x\ngone\ninit> setns x uts\ngone\ninit> getpgid x\ngone\ninit> attach x\ngone\n\
         init> setpgid 0 x\ngone\ninit> join x\ngone\ninit> nsid x uts\ngone\nx> nsid init uts\ngone\n\
         init> fork p\nok\ninit> fork q\nok\ninit> wait q\nECHILD\ninit> kill p KILL\nok\n\
         p> pid\ngone\ninit> status p\nzombie\ninit> nsid p uts\nENOENT\ninit> proc p stat\nok\n\
         init> wait p\nok\ninit> status p\ngone\ninit> proc p stat\ngone\n\
         init> idmap p uid \"0 0 1\"\ngone\ninit> setgroups p deny\ngone\ninit> nsid p uts\ngone\n\
         init> wait p\nok\ninit> kill p TERM\nok\ninit> getsid p\nok\n",
    );
    let aims: Vec<_> = stage.requests.iter().rev().take(2).map(|(_, _, aim)| aim).collect();
    assert_eq!(aims[0].numbers, [(Label::new("p").unwrap(), Pid(101))]);
    assert_eq!(aims[1].target, Some(P));
}

#[test]
fn a_fork_that_fails_leaves_its_label_as_it_was() {
    let failed = || answered(Errno::EAGAIN.into());
    let stage = Fake::new().reply("fork", [failed(), answered(Outcome::ok()), failed()]);
    let stage = check(
        stage,
        "init> fork p\nEAGAIN\ninit> status p\ngone\ninit> fork p\nok\ninit> fork p\nEAGAIN\n\
         p> rmdir /a\nok\n",
    );
    assert_eq!(stage.requests.last().unwrap().0, P);
}

#[test]
fn a_label_means_who_was_made_last_under_it() {
    let stage = Fake::new().answer("ppid", Outcome::process(Pid(101), PidRule::Label));
    let stage = check(stage, "init> fork p\nok\ninit> fork p\nok\np> ppid\n<p>\n");
    assert_eq!(stage.requests.last().unwrap().0, Q);
}

#[test]
fn a_child_takes_its_id_before_anything_else() {
    let stage = Fake::new().answer("setid 7:7", Errno::EPERM.into());
    let stage =
        check(stage, "init> fork p uid=1000\nok\np> rmdir /a\nok\ninit> fork q uid=7\nEPERM\n");
    let asked: Vec<_> = stage.requests.iter().map(|(who, op, _)| (who.0, op.as_str())).collect();
    let expected =
        [(0, "fork"), (1, "setid 1000:1000"), (1, "rmdir /a"), (0, "fork"), (2, "setid 7:7")];
    assert_eq!(asked, expected);
}

#[test]
fn listing_files_are_sorted_by_actor_and_leave_others_out() {
    let stage = Fake::new()
        .answer("read /g/tasks", Outcome::listing("0\n5\n102\n100\n7\n0\n101\n"))
        .answer("read /g/cgroup.procs", Outcome::listing("5\n"))
        .answer("fread f", Outcome::listing("no list\n7\n"));
    check(
        stage,
        "init> fork p\nok\ninit> thread t\nok\ninit> read /g/tasks\n| <init>\n| <p>\n| <t>\n| 0\n| 0\n\
         init> read /g/cgroup.procs\nok\ninit> fread f\n| no list\n| 7\n",
    );
}

#[test]
fn inside_another_pid_namespace_others_are_numbers() {
    let two = |first, second| Outcome::Printed {
        form: Form::Status,
        parts: vec![Part::Process(Pid(first), PidRule::Number), Part::Bytes(second)],
    };
    let mut stage = Fake::new()
        .answer("read /g/tasks", Outcome::listing("3\n12\n0\n11\n"))
        .answer("pid", Outcome::process(Pid(12), PidRule::Number))
        .answer("ppid", Outcome::process(Pid(11), PidRule::Label))
        .answer("getpgid 0", Outcome::process(Pid(3), PidRule::Label))
        .answer("getsid 0", Outcome::process(Pid(0), PidRule::Label))
        .answer("peercred s", two(12, b" 0:0".to_vec()));
    stage.inside = vec![P, Q];
    check(
        stage,
        "init> fork p\nok\np> fork q\nok\nq> read /g/tasks\n| <p>\n| <q>\n| 3\n| 0\nq> pid\n12\n\
         q> ppid\n<p>\nq> getpgid 0\n<other>\nq> getsid 0\n0\nq> peercred s\n12 0:0\n",
    );
}

#[test]
fn in_the_initial_pid_namespace_processes_are_labels() {
    let stage = Fake::new()
        .answer("pid", Outcome::process(Pid(101), PidRule::Number))
        .answer("ppid", Outcome::process(Pid(1), PidRule::Label))
        .answer("peercred s", Outcome::process(Pid(4), PidRule::Number));
    check(stage, "init> fork p\nok\np> pid\n<p>\np> ppid\n<other>\np> peercred s\n<other>\n");
}

#[test]
fn namespaces_are_numbered_as_they_appear_kind_by_kind() {
    let mut stage = Fake::new();
    stage.namespaces.insert((P, NamespaceLink::Uts), NsId(30));
    stage.namespaces.insert((Q, NamespaceLink::Uts), NsId(20));
    stage.namespaces.insert((Q, NamespaceLink::PidForChildren), NsId(20));
    check(
        stage,
        "init> fork p\nok\ninit> fork q\nok\ninit> nsid q uts\nuts#1\ninit> nsid p uts\nuts#2\n\
         p> nsid init uts\nuts#0\ninit> nsid q pid\npid#0\ninit> nsid q pid_for_children\npid#1\n\
         init> nsid q uts\nuts#1\n",
    );
}

#[test]
fn refusals_are_printed_with_where_they_happened() {
    let stage = Fake::new()
        .answer("write /f x", Outcome::failed(Errno::EACCES).while_opening())
        .answer("write /g x", Outcome::failed(Errno::EINVAL))
        .answer("mount proc /p", Outcome::NotModelled);
    check(
        stage,
        "init> write /f x\nEACCES open\ninit> write /g x\nEINVAL\ninit> mount proc /p\n\
         NotModelled mount\n",
    );
}

#[test]
fn marks_in_data_become_the_numbers_that_the_writer_sees() {
    let mut stage = Fake::new();
    stage.inside = vec![P, Q];
    let stage = check(
        stage,
        "init> fork p\nok\np> fork q\nok\np> write /f \"<q> <init> <nobody> <q>\"\nok\n\
         p> clock monotonic\nok\n",
    );
    let label = |name: &str| Label::new(name).unwrap();
    let numbers = [(label("q"), Pid(12)), (label("init"), UNSEEN), (label("nobody"), UNSEEN)];
    let aims: Vec<_> = stage.requests.iter().rev().map(|(_, _, aim)| aim).collect();
    assert_eq!(aims[1].numbers, numbers);
    assert_eq!(aims[0].initial, Some(Moment { ns: 5 }));
}

#[test]
fn a_report_says_where_a_kernel_answered_otherwise() {
    let script = parse(b"machine\n# c\ninit> rmdir /a\nEBUSY\ninit> mkdir /a\n").unwrap();
    let mut stage = Fake::new().answer("mkdir /a", Outcome::NotModelled);
    let report = run(&script, &mut stage).unwrap();
    assert_eq!((report.operations, report.not_modelled), (2, 1));
    assert_eq!(report.mismatches.len(), 1);
    assert_eq!(
        report.mismatches[0].to_string(),
        "line 3: init> rmdir /a: expected `EBUSY`, got `ok`"
    );
    assert_eq!(
        report.transcript.to_string(),
        "machine kernel=6.12 layout=unified\n# c\ninit> rmdir /a\nok\ninit> mkdir /a\n\
         NotModelled mkdir\n"
    );
}

#[test]
fn a_stage_in_trouble_ends_the_run_and_is_still_undone() {
    let script = parse(b"machine\ninit> mkdir /a\n").unwrap();
    let mut stage = Fake::new().answer("mkdir /a", Outcome::Broken("too many groups".to_owned()));
    let error = run(&script, &mut stage).unwrap_err();
    assert_eq!(error.to_string(), "line 2: init> mkdir /a: too many groups");
    assert!(stage.finished);
}
