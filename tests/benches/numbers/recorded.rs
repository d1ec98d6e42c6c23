//! What takes longer than calls: all recordings, and finding a container among many.

use std::time::Instant;

use standin::engine::{ContainerName, Engine, Engines, Index};
use standin::fs;
use standin::transcript::parse;
use standin_sim::Machine;
use standin_tests::{fixtures, replay};

use crate::measure::{Row, each};

/// Scripts that are checked.
const SCRIPTS: usize = 20_000;
const SECOND: f64 = 1e9;

pub(crate) fn all(print: &mut dyn FnMut(&Row)) {
    let what = "check of 20,000 recorded scripts";
    print(&Row::alone(what, [30.0 * SECOND, 10.0 * SECOND], check()));
    for (containers, wanted, what) in [
        (1, id(0), "a container by its id, of 1"),
        (1_000, id(500), "a container by its id, of 1,000"),
        (1, "c0".to_owned(), "a container by its name, of 1"),
        (1_000, "c500".to_owned(), "a container by its name, of 1,000"),
    ] {
        print(&Row::alone(what, [25_000.0, 12_000.0], find(containers, &wanted)));
    }
}

/// Read, played and compared, each as often as it takes.
fn check() -> f64 {
    let all = fixtures::cached();
    let start = Instant::now();
    for fixture in all.iter().cycle().take(SCRIPTS) {
        let script = parse(fixture.text.as_bytes()).unwrap();
        let _ = std::hint::black_box(replay::on_machine(&script));
    }
    start.elapsed().as_secs_f64() * SECOND
}

fn id(number: u32) -> String {
    format!("{number:064x}")
}

fn find(containers: u32, wanted: &str) -> f64 {
    let machine = Machine::builder().build();
    let root = machine.root();
    for number in 0..containers {
        let directory = format!("/run/docker/containers/{}", id(number));
        fs::create_dir_all(&root, &directory).unwrap();
        let record =
            format!(r#"{{"State":{{"Running":true,"Pid":{}}},"Name":"/c{number}"}}"#, number + 10);
        fs::write(&root, format!("{directory}/config.v2.json"), record).unwrap();
    }
    let engines = Engines::none().with(Engine::Docker, "/run/docker".try_into().unwrap());
    let (mut index, name) = (Index::of(engines), ContainerName::new(wanted).unwrap());
    // The first look-up reads all records, once in a server's life.
    drop(index.find(&root, &name).unwrap());
    each(20, || drop(index.find(&root, &name).unwrap()))
}
