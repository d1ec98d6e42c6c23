//! Who is whom when forks wait: names on the machine's stage that no recording has tried.

use standin::transcript::parse;
use standin_tests::replay;

/// The script, which holds its answers, prints as it stands.
#[track_caller]
fn check(text: &str) {
    let text = format!("machine kernel=6.12 layout=unified\n{text}");
    let script = parse(text.as_bytes()).expect("a script");
    let report = replay::on_machine(&script).expect("the run ends");
    assert_eq!(report.transcript.to_string(), text);
}

#[test]
fn a_child_made_while_another_fork_waits_keeps_its_own_name() {
    check(
        "init> fork p\nok\ninit> kill p STOP\nok\np> fork waits\nblocked\ninit> fork r\nok\nr> pid\n<r>\nr> ppid\n<init>\n\
         init> kill p CONT\nok\njoined> pid\ngone\ninit> join p\nok\nwaits> ppid\n<p>\nr> ppid\n<init>\n",
    );
}

#[test]
fn a_child_that_is_not_made_yet_is_nobody() {
    check(
        "init> fork p\nok\ninit> kill p STOP\nok\np> fork waits\nblocked\ninit> kill waits KILL\ngone\n\
         init> wait waits\ngone\ninit> status waits\ngone\ninit> proc waits cgroup\ngone\nwaits> pid\ngone\n",
    );
}

#[test]
fn a_name_given_again_means_the_new_process() {
    check(
        "init> fork p\nok\ninit> fork p\nok\np> fork q\nok\nq> ppid\n<p>\ninit> kill p KILL\nok\ninit> wait p\nkilled KILL\n\
         init> wait p\nECHILD\nq> ppid\n<other>\n",
    );
}
