//! standin::cgroup beside the C library libcgroup: the same scenarios with both on this host, and with ours on the machine.
//!
//! What ours comes to is in the file `expected`, recorded on a real kernel; the machine must come to the same, and so must this
//! host. With libcgroup it must be the same too, or stand in the table `intended.toml` with the hazard that is kept away from
//! and with what ours guarantees. The host's half needs root, its v1 and v2 hierarchies and libcgroup's header; without them
//! only the machine is asked, and the rest is listed as skipped.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what does not work is what a test is to show"
)]

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use standin::backend::{Processes as _, SpawnCredentials};
use standin::cgroup::Hierarchies;
use standin::{Backend, CapabilitySet, Gid, Uid, fs};
use standin_linux::{AgentOptions, Linux};
use standin_sim::{Layout, Machine, Release};

mod intended;
mod original;
mod ours;
mod recorded;
mod scenario;
mod scene;
mod table;

use intended::Intended;
use original::Driver;
use ours::Ours;
use recorded::Record;
use scenario::Scenario;
use scene::Scene;

/// What `expected` was recorded on, and what the machine is.
const RELEASE: &str = "6.18";

fn main() -> ExitCode {
    standin_linux::start(&standin_linux::Registry::new());
    let scenarios = scenario::all();
    let intended = Arc::new(Intended::read(&scenarios));
    let expected = recorded::read();
    let recorded = Arc::new(Mutex::new(expected.clone()));
    let missing = original::missing().or_else(missing_here);
    let driver = missing.is_none().then(|| Arc::new(Mutex::new(Driver::build())));
    let mut trials = vec![
        Trial::test("table/every_name_of_the_header_has_a_row", table::has_every_name),
        Trial::test("table/every_error_code_has_a_row", table::has_every_code),
    ];
    for scenario in scenarios.iter().cloned() {
        let label = &scenario.label;
        let (here, there) = (format!("host/{label}"), format!("machine/{label}"));
        let expected = expected.get(label).cloned().unwrap_or_default();
        if !recorded::is_update() {
            let (scenario, expected) = (scenario.clone(), expected.ours.clone());
            trials.push(Trial::test(there, move || same(&expected, &on_the_machine(&scenario))));
        }
        trials.push(match (&driver, &missing) {
            (Some(driver), _) => {
                let (driver, intended) = (Arc::clone(driver), Arc::clone(&intended));
                let recorded = Arc::clone(&recorded);
                Trial::test(here, move || {
                    let driver = driver.lock().unwrap_or_else(PoisonError::into_inner);
                    let record = on_this_host(&driver, &scenario);
                    if recorded::is_update() {
                        recorded.lock().unwrap().insert(scenario.label.clone(), record.clone());
                    } else {
                        same(&expected.ours, &record.ours)?;
                        same(&expected.difference, &record.difference)?;
                    }
                    meant(&record, &scenario, &intended)
                })
            }
            (None, missing) => {
                let reason = missing.as_deref().unwrap_or_default();
                Trial::test(format!("{here} (skipped: {reason})"), || Ok(()))
                    .with_ignored_flag(true)
            }
        });
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    if recorded::is_update() {
        recorded::write(&recorded.lock().unwrap(), &scenarios);
    }
    println!(
        "libcgroup: {} passed, {} failed, {} skipped",
        conclusion.num_passed, conclusion.num_failed, conclusion.num_ignored
    );
    conclusion.exit_code()
}

/// Why this host cannot show it.
fn missing_here() -> Option<String> {
    let kernel = Linux::here();
    if kernel.credentials().unwrap().user.effective != Uid::ROOT {
        return Some("needs root".to_owned());
    }
    let release = fs::read_to_string(&kernel, "/proc/sys/kernel/osrelease").unwrap();
    if !release.starts_with(RELEASE) {
        return Some(format!("needs Linux {RELEASE}"));
    }
    let hierarchies = Hierarchies::find(&kernel).unwrap();
    scene::HIERARCHIES.iter().find_map(|(controller, at)| {
        let found = hierarchies.with(&kernel, *controller);
        let is_there = found.is_ok_and(|it| it.mount_point().as_bytes() == at.as_bytes());
        (!is_there).then(|| format!("needs {controller} in {at}"))
    })
}

fn on_the_machine(scenario: &Scenario) -> Vec<String> {
    let machine = Machine::builder().kernel(Release::V6_18).layout(Layout::Hybrid).build();
    let root = machine.root();
    let caller = if scenario.user == 0 { machine.root() } else { machine.user(scenario.user) };
    let scene = Scene::set(&root, &scenario.given, &|| Box::new(root.fork().unwrap()));
    with_ours(scenario, &scene, &caller)
}

/// Both on this host.
fn on_this_host(driver: &Driver, scenario: &Scenario) -> Record {
    let kernel = Linux::here();
    let born = || -> Box<dyn Backend> { Box::new(Linux::agent(&AgentOptions::default()).unwrap()) };
    let theirs = {
        let scene = Scene::set(&kernel, &scenario.given, &born);
        let told = driver.run(&scenario.calls, scenario.user);
        outcome(scenario, &scene, &told)
    };
    let scene = Scene::set(&kernel, &scenario.given, &born);
    let credentials = SpawnCredentials {
        uid: Uid(scenario.user),
        gid: Gid(scenario.user),
        groups: &[],
        bounding: CapabilitySet::ALL,
        no_new_privileges: false,
    };
    let options = AgentOptions { credentials: Some(&credentials), ..AgentOptions::default() };
    let ours = with_ours(scenario, &scene, &Linux::agent(&options).unwrap());
    let difference = recorded::difference(&ours, &theirs);
    Record { ours, difference }
}

/// The scenario's calls with ours.
fn with_ours(scenario: &Scenario, scene: &Scene<'_>, caller: &dyn Backend) -> Vec<String> {
    let mut ours = Ours::new(caller);
    let told: Vec<String> = scenario.calls.iter().map(|call| ours.call(call)).collect();
    outcome(scenario, scene, &told)
}

/// What each call came to, and a picture of what is there.
fn outcome(scenario: &Scenario, scene: &Scene<'_>, told: &[String]) -> Vec<String> {
    assert_eq!(told.len(), scenario.calls.len(), "each call comes to something");
    let calls = scenario.written.iter().zip(told).enumerate();
    let mut lines: Vec<String> = calls
        .map(|(index, (call, told))| {
            format!("{} {call}: {}", index + 1, short(&scene.labelled(told)))
        })
        .collect();
    lines.extend(scene.picture());
    lines
}

/// A long text by its beginning and its length.
fn short(told: &str) -> String {
    const MOST: usize = 200;
    match told.get(..MOST) {
        Some(begin) => format!("{begin}... ({} bytes)", told.len()),
        None => told.to_owned(),
    }
}

/// Ours and the C library's differ if, and only if, the table says why.
fn meant(record: &Record, scenario: &Scenario, intended: &Intended) -> Result<(), Failed> {
    match (record.difference.is_empty(), intended.of(&scenario.label)) {
        (true, Some(row)) => Err(format!("it is the same, and was to differ: {row}").into()),
        (false, None) => {
            let lines = record.difference.join("\n");
            Err(format!("libcgroup does otherwise, and no row says why:\n{lines}").into())
        }
        (true, None) | (false, Some(_)) => Ok(()),
    }
}

fn same(expected: &[String], found: &[String]) -> Result<(), Failed> {
    if expected == found {
        return Ok(());
    }
    let difference = recorded::difference(expected, found).join("\n");
    Err(format!("it is otherwise than recorded:\n{difference}").into())
}
