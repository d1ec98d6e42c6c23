//! Fault plans as text: what is printed is read again, what is no plan is refused with its reason, and a plan says whose calls
//! go wrong in a transcript.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use standin::backend::WaitStatus;
use standin::transcript::{parse, run};
use standin::{Errno, Pid, Signal};
use standin_sim::property::fault_plans;
use standin_sim::{Fault, FaultPlan, FaultPlanError, Machine, Stage};

/// Which calls a fault is about, as far as the strategy leaves it open.
type About = (Option<String>, Option<u32>, Option<String>, Option<u64>, Option<(u64, u64)>, bool);

fn about() -> impl Strategy<Value = About> {
    let who = option::of(any::<String>());
    let chance = option::of((1..=u64::MAX, any::<u64>()));
    (who.clone(), any::<Option<u32>>(), who, any::<Option<u64>>(), chance, any::<bool>())
}

fn narrowed(fault: Fault, about: About) -> Fault {
    let (of, process, on, most, chance, perhaps) = about;
    let fault = of.into_iter().fold(fault, |fault, of| fault.of(&of));
    let fault = process.into_iter().fold(fault, |fault, number| fault.of_process(Pid(number)));
    let fault = on.into_iter().fold(fault, |fault, path| fault.on(&path));
    let fault = most.into_iter().fold(fault, Fault::at_most);
    let fault = chance.into_iter().fold(fault, |fault, (calls, seed)| fault.once_in(calls, seed));
    if perhaps { fault.perhaps() } else { fault }
}

/// What the strategy does not make.
fn rare() -> impl Strategy<Value = Fault> {
    let time = any::<std::time::Duration>().prop_map(|time| Fault::waits("read", time));
    let short = any::<usize>().prop_map(|bytes| Fault::shortens("pwrite", bytes));
    let errno = any::<i32>().prop_map(|raw| Fault::fails("fork", Errno::from_raw(raw)));
    prop_oneof![time, short, errno, Just(Fault::dies()), Just(Fault::dies().in_calls("open"))]
}

proptest! {
    #[test]
    fn a_plan_is_read_back_from_its_text(
        kit in fault_plans(), rare in vec(rare(), 0..3), about in vec(about(), 6)
    ) {
        let all = kit.into_iter().chain(rare).zip(about);
        let plan = FaultPlan::new(all.map(|(fault, about)| narrowed(fault, about)));
        let text = plan.to_string();
        prop_assert_eq!(text.parse(), Ok(plan.clone()), "{}", text);
        prop_assert_eq!(text.lines().count(), 1, "{}", text);
        // A fault a line, with remarks, is the same.
        let lines = text.replace("; ", "\n").replacen(": ", ":\n# what goes wrong\n  ", 1);
        prop_assert_eq!(lines.parse(), Ok(plan.clone()), "{}", lines);
        // In another format it is that text.
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(&json, &serde_json::to_string(&text).unwrap());
        prop_assert_eq!(serde_json::from_str::<FaultPlan>(&json).unwrap(), plan);
    }

    #[test]
    fn any_text_is_a_plan_or_refused(text in "(standin-faults-1: )?[a-z0-9;=\\\\# \n]{0,60}(; end)?") {
        if let Ok(plan) = text.parse::<FaultPlan>() {
            prop_assert_eq!(plan.to_string().parse(), Ok(plan));
        }
    }
}

#[test]
fn a_part_of_a_plan_is_refused() {
    let plan = FaultPlan::new([
        Fault::fails("mkdir", Errno::ENOSPC).of("init").on("/sys/fs/cgroup/*").nth(12),
        Fault::dies().of_process(Pid(7)).at_most(1),
    ]);
    let text = plan.to_string();
    for cut in 0..text.len() {
        let error = text.get(..cut).unwrap().parse::<FaultPlan>().unwrap_err();
        let is_cut = matches!(error, FaultPlanError::Foreign { .. } | FaultPlanError::Cut);
        assert!(is_cut, "{cut} bytes of {text}: {error}");
    }
    assert_eq!(FaultPlan::default().to_string().parse(), Ok(FaultPlan::default()));
}

#[test]
fn a_plan_of_another_version_is_refused_with_both_versions() {
    for other in ["0", "2", "12", "one", ""] {
        let error = format!("standin-faults-{other}: any dies; end").parse::<FaultPlan>();
        let error = error.unwrap_err();
        let expected = FaultPlanError::Version { written: other.to_owned(), reads: 1 };
        assert_eq!(error, expected);
        assert!(error.to_string().contains(&format!("version {other} of the form")), "{error}");
        assert!(error.to_string().contains("reads version 1"), "{error}");
    }
}

#[test]
fn a_word_that_means_nothing_is_named_with_what_would_be_right() {
    for (fault, word, wanted) in [
        ("mkdri fails ENOSPC", "mkdri", "named as the backend's methods are"),
        ("mkdir explodes", "explodes", "`fails ERRNO`"),
        ("mkdir", "", "`fails ERRNO`"),
        ("mkdir fails ENOPE", "ENOPE", "as ENOSPC"),
        ("mkdir fails", "", "as ENOSPC"),
        ("any waits 5", "5", "as 5ms"),
        ("any waits 5min", "5min", "as 5ms"),
        ("read shortens few", "few", "whole number"),
        ("any dies nth=x", "nth=x", "whole number"),
        ("any dies process=-1", "process=-1", "whole number"),
        ("any dies on=a\\q", "on=a\\q", "\\x20"),
        ("any dies on=\"a b\"", "b\"", "of=, process=, on="),
        ("any dies of=a of=b", "of=b", "each once"),
        ("any dies seed=3", "seed=3", "once-in= with seed="),
        ("any dies perhaps=yes", "perhaps=yes", "and perhaps"),
        ("end; any dies", "any dies", "nothing stands behind"),
    ] {
        let text = format!("standin-faults-1: any dies nth=3; {fault}; end");
        let error = text.parse::<FaultPlan>().unwrap_err();
        assert!(
            matches!(&error, FaultPlanError::Word { fault: 2, word: it, .. } if it == word),
            "{text}: {error:?}"
        );
        assert!(error.to_string().contains(wanted), "{text}: {error}");
    }
}

/// What a script comes to with these faults, and how often each happened.
fn played(script: &str, plan: &str) -> (String, Vec<u64>, Vec<String>) {
    let script = parse(script.as_bytes()).unwrap();
    let plan: FaultPlan = format!("standin-faults-1: {plan}; end").parse().unwrap();
    let machine = Stage::builder(&script.machine).fault_plan(&plan).build();
    let report = run(&script, &mut Stage::on(machine.clone())).unwrap();
    let times = machine.look().faults().into_iter().map(|(_, times)| times).collect();
    (report.transcript.to_string(), times, machine.look().went_wrong())
}

const SCRIPT: &str = "machine kernel=6.12 layout=unified
init> fork p
init> fork q
p> mkdir /sys/fs/cgroup/p
q> mkdir /sys/fs/cgroup/q
init> mkdir /sys/fs/cgroup/a
init> status q
";

#[test]
fn a_fault_concerns_the_actor_that_it_names() {
    let (told, times, wrong) = played(SCRIPT, "mkdir fails ENOSPC of=q");
    assert!(told.contains("p> mkdir /sys/fs/cgroup/p\nok\n"), "{told}");
    assert!(told.contains("q> mkdir /sys/fs/cgroup/q\nENOSPC\n"), "{told}");
    assert_eq!(times, [1]);
    assert_eq!(wrong, ["q: mkdir(\"/sys/fs/cgroup/q\", Mode(0755)) fails with ENOSPC"]);
}

#[test]
fn a_fault_concerns_the_process_that_it_names_by_number() {
    // Numbers are given in order, so those of a script are the same in every run: one each of init, p and q makes a group.
    let is_refused = |number: &u32| {
        let (_, times, _) = played(SCRIPT, &format!("mkdir fails ENOSPC process={number}"));
        times == [1]
    };
    assert_eq!((1..20).filter(is_refused).count(), 3);
}

#[test]
fn an_actor_that_dies_by_a_plan_is_dead_and_the_others_go_on() {
    let (told, times, _) =
        played(SCRIPT, "mkdir dies of=q; fork fails EAGAIN nth=3; any waits 2ms of=p");
    assert!(told.contains("q> mkdir /sys/fs/cgroup/q\nkilled KILL\n"), "{told}");
    assert!(told.ends_with("init> mkdir /sys/fs/cgroup/a\nok\ninit> status q\nzombie\n"), "{told}");
    assert_eq!(times[..2], [1, 0]);
    let (told, ..) = played(SCRIPT, "fork fails EAGAIN nth=2; open fails EIO of=p");
    assert!(told.contains("init> fork q\nEAGAIN\n"), "{told}");
}

#[test]
fn a_program_whose_number_is_named_dies_and_another_does_not() {
    let pid = Machine::builder().build().launch(&["/bin/true"]).unwrap();
    let plan: FaultPlan = format!("standin-faults-1: any dies process={pid}; end").parse().unwrap();
    let machine = Machine::builder().fault_plan(&plan).build();
    let ended = [(); 2].map(|()| machine.run("/bin/true", &[]).unwrap());
    assert_eq!(ended, [WaitStatus::Killed(Signal::KILL), WaitStatus::Exited(0)]);
}
