//! A temporary directory in the place of a kernel: what people use today, measured at the same operations.
//!
//! It accepts everything and knows nothing, so its figures say what the least effort costs, not what a right answer does. Its
//! groups have the control files that a row needs, made by the row as such a fake's set-up makes them.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use tempfile::TempDir;

use crate::measure::each;

type Measurement = (&'static str, fn(&Path) -> f64);

/// What, as in the rows of the machine, and the measurement.
const ROWS: &[Measurement] = &[
    ("mkdir + rmdir", |group| {
        let group = group.join("x");
        each(500, || {
            fs::create_dir(&group).unwrap();
            fs::remove_dir(&group).unwrap();
        })
    }),
    ("write a limit by path", |group| {
        let file = group.join("cgroup.max.descendants");
        each(2_000, || put(&file, b"1000"))
    }),
    ("read a limit by path", |group| {
        let file = group.join("cgroup.max.descendants");
        put(&file, b"1000\n");
        each(2_000, || get(&file))
    }),
    ("write a limit by open handle", |group| {
        let file = File::create(group.join("cgroup.max.descendants")).unwrap();
        each(2_000, || {
            file.write_at(b"1000", 0).unwrap();
        })
    }),
    ("migrate", |group| {
        let file = group.join("cgroup.procs");
        each(2_000, || put(&file, b"4711"))
    }),
    ("list a group's files", |group| each(500, || list(group))),
    ("list 1,000 children", |group| {
        (0..1_000).for_each(|n| fs::create_dir(group.join(format!("c{n}"))).unwrap());
        each(20, || list(group))
    }),
    ("freeze + thaw of one process", |group| {
        let file = group.join("cgroup.freeze");
        each(2_000, || {
            put(&file, b"1");
            put(&file, b"0");
        })
    }),
    ("one manager's job (core files)", |group| {
        let (group, home) = (group.join("job"), group.join("cgroup.procs"));
        each(500, || {
            fs::create_dir(&group).unwrap();
            for (file, value) in [
                ("cgroup.max.depth", "3"),
                ("cgroup.max.descendants", "10"),
                ("cgroup.freeze", "0"),
            ] {
                put(&group.join(file), value.as_bytes());
            }
            put(&group.join("cgroup.procs"), b"4711");
            for file in ["cgroup.max.depth", "cgroup.freeze", "cgroup.procs"] {
                get(&group.join(file));
            }
            put(&home, b"4711");
            fs::remove_dir_all(&group).unwrap();
        })
    }),
];

/// Nothing is cut off: that makes some filesystems wait for the disk.
fn put(file: &Path, value: &[u8]) {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(file);
    file.unwrap().write_all(value).unwrap();
}

fn get(file: &Path) {
    let mut buffer = [0; 4096];
    std::hint::black_box(File::open(file).unwrap().read(&mut buffer).unwrap());
}

fn list(group: &Path) {
    std::hint::black_box(fs::read_dir(group).unwrap().count());
}

/// Nanoseconds of the row of this name, if a directory can do it at all.
pub(crate) fn measure(what: &str) -> Option<f64> {
    let (_, measurement) = ROWS.iter().find(|row| row.0 == what)?;
    let group = TempDir::new().unwrap();
    (1..=16).for_each(|n| put(&group.path().join(format!("file.{n}")), b""));
    Some(measurement(group.path()))
}
