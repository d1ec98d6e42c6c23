//! An index of containers answers as reading all records does, whatever happens to them, and asks the kernel for one.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use proptest::prelude::*;
use standin::engine::{ContainerName, Engine, Engines, FindError, Index};
use standin::layer::{Call, Layer, Layered};
use standin::{Backend, Errno, Failure, KPath, Place, fs};
use standin_sim::{Machine, View};

const DOCKER: &str = "/tmp/docker";

fn id(number: usize) -> String {
    format!("{number:x}").repeat(64)
}

fn place(number: usize) -> String {
    format!("{DOCKER}/containers/{}", id(number))
}

fn engines() -> Engines {
    Engines::none().with(Engine::Docker, DOCKER.try_into().unwrap())
}

fn record(name: usize) -> String {
    format!(r#"{{"State":{{"Running":true,"Pid":7}},"Name":"/n{name}"}}"#)
}

/// What somebody does to the records; most of it fails now and then, as it would.
#[derive(Clone, Debug)]
enum Change {
    Make(usize),
    /// As Docker does: beside,
    Beside(usize, usize),
    /// and over the old one.
    Replace(usize),
    InPlace(usize, usize),
    Damage(usize),
    Forget(usize),
    Remove(usize),
    Rename(usize, usize),
    /// All of it, the directory too.
    RemoveAll,
    Ask,
}

fn change() -> impl Strategy<Value = Change> {
    let (container, name) = (0..4_usize, 0..3_usize);
    prop_oneof![
        3 => container.clone().prop_map(Change::Make),
        5 => (container.clone(), name.clone()).prop_map(|(of, name)| Change::Beside(of, name)),
        5 => container.clone().prop_map(Change::Replace),
        3 => (container.clone(), name).prop_map(|(of, name)| Change::InPlace(of, name)),
        1 => container.clone().prop_map(Change::Damage),
        1 => container.clone().prop_map(Change::Forget),
        2 => container.clone().prop_map(Change::Remove),
        2 => (container.clone(), container).prop_map(|(from, to)| Change::Rename(from, to)),
        1 => Just(Change::RemoveAll),
        6 => Just(Change::Ask),
    ]
}

fn remove(root: &View, container: usize) {
    for file in ["config.v2.json", "next"] {
        fs::remove_file(root, format!("{}/{file}", place(container))).ok();
    }
    fs::remove_dir(root, place(container)).ok();
}

fn rename(root: &View, from: &str, to: &str) {
    let [from, to] = [from, to].map(|path| KPath::new(path).unwrap());
    standin::backend::Files::rename(root, Place::cwd(from), Place::cwd(to)).ok();
}

fn make(root: &View, change: &Change) {
    match change {
        Change::Make(of) => {
            fs::create_dir_all(root, place(*of)).unwrap();
        }
        Change::Beside(of, name) => {
            fs::write(root, format!("{}/next", place(*of)), record(*name)).ok();
        }
        Change::Replace(of) => {
            let at = |file: &str| format!("{}/{file}", place(*of));
            rename(root, &at("next"), &at("config.v2.json"));
        }
        Change::InPlace(of, name) => {
            fs::write(root, format!("{}/config.v2.json", place(*of)), record(*name)).ok();
        }
        Change::Damage(of) => {
            fs::write(root, format!("{}/config.v2.json", place(*of)), "{").ok();
        }
        Change::Forget(of) => {
            fs::remove_file(root, format!("{}/config.v2.json", place(*of))).ok();
        }
        Change::Remove(of) => remove(root, *of),
        Change::Rename(from, to) => rename(root, &place(*from), &place(*to)),
        Change::RemoveAll => {
            (0..4).for_each(|container| remove(root, container));
            fs::remove_dir(root, format!("{DOCKER}/containers")).ok();
            fs::remove_dir(root, DOCKER).ok();
        }
        Change::Ask => {}
    }
}

/// Names, ids, and beginnings of ids, of which some stand for none or several.
fn asked() -> Vec<ContainerName> {
    let ids = (0..4).map(id);
    let all = ["n0", "n1", "n2", "n3", "0", "1", "22", "docker:3", "01"].map(str::to_owned);
    all.into_iter().chain(ids).map(|name| ContainerName::new(&name).unwrap()).collect()
}

fn agree(index: &mut Index, kernel: &dyn Backend) -> Result<(), TestCaseError> {
    for name in asked() {
        prop_assert_eq!(index.find(kernel, &name), engines().find(kernel, &name), "{}", name);
    }
    Ok(())
}

/// No watch is to be had from the nth on.
struct NoWatch(usize, AtomicUsize);

impl Layer for NoWatch {
    fn before(&self, call: &Call) -> Result<(), Failure> {
        let is_watch = ["watch", "watcher"].contains(&call.name);
        if is_watch && self.1.fetch_add(1, SeqCst) >= self.0 {
            return Err(Errno::ENOSPC.into());
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(standin_tests::generate::config())]

    #[test]
    fn whatever_happens_to_the_records_it_answers_as_who_reads_them_all(
        changes in proptest::collection::vec(change(), 1..40),
        watches in prop_oneof![Just(usize::MAX), 0..12_usize],
    ) {
        let machine = Machine::builder().build();
        let root = machine.root();
        let scarce = Layered::new(&root, NoWatch(watches, AtomicUsize::new(0)));
        let mut index = Index::of(engines());
        for change in &changes {
            make(&root, change);
            if matches!(change, Change::Ask) {
                agree(&mut index, &scarce)?;
            }
        }
        agree(&mut index, &scarce)?;
        drop(index);
        prop_assert_eq!(machine.finish(), Ok(()));
    }
}

/// The calls that were made.
#[derive(Default)]
struct Calls(Mutex<Vec<&'static str>>);

impl Layer for Calls {
    fn before(&self, call: &Call) -> Result<(), Failure> {
        self.0.lock().unwrap().push(call.name);
        Ok(())
    }
}

/// The calls of the second lookup of a name, of so many containers.
fn calls(containers: usize) -> Vec<&'static str> {
    let machine = Machine::builder().build();
    let root = machine.root();
    for number in 0..containers {
        let directory = format!("{DOCKER}/containers/{number:064x}");
        fs::create_dir_all(&root, &directory).unwrap();
        fs::write(&root, format!("{directory}/config.v2.json"), record(number)).unwrap();
    }
    let mut index = Index::of(engines());
    let name = ContainerName::new("n0").unwrap();
    index.find(&root, &name).unwrap();
    let counted = Layered::new(&root, Calls::default());
    index.find(&counted, &name).unwrap();
    std::mem::take(&mut *counted.layer().0.lock().unwrap())
}

#[test]
fn a_name_costs_as_many_calls_among_a_thousand_containers_as_alone() {
    let alone = calls(1);
    assert_eq!(alone.iter().filter(|call| **call == "read").count(), 2, "{alone:?}");
    assert_eq!(calls(1_000), alone);
}

/// The noise of one container hides what happens to another.
#[test]
fn more_events_than_the_kernel_keeps_are_no_loss() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let mut index = Index::of(engines());
    for container in [1, 2] {
        fs::create_dir_all(&root, place(container)).unwrap();
        make(&root, &Change::InPlace(container, 0));
    }
    let name = ContainerName::new("n1").unwrap();
    assert!(matches!(index.find(&root, &name), Err(FindError::NotFound { .. })));
    for number in 0..9_000 {
        let path = format!("{}/log{number}", place(1));
        fs::write(&root, &path, "a line").unwrap();
        fs::remove_file(&root, &path).unwrap();
    }
    make(&root, &Change::InPlace(2, 1));
    assert_eq!(index.find(&root, &name).unwrap().id, id(2));
    drop(index);
    machine.finish().unwrap();
}
