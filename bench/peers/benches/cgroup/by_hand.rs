//! The same jobs by hand: the fewest calls that do them, and the fewest with the guarantees of `standin::cgroup` (what these
//! are is in `tests/cgroup_calls.rs`). File descriptors of the hierarchies' roots and of the group that stays are held, as a
//! manager would.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, mkdirat, openat, statat, unlinkat};
use standin_tests::manager::FOUR;

use crate::contender::{Contender, Job, Scene};

const FILE: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW);
const DIRECTORY: OFlags = FILE.union(OFlags::DIRECTORY);

pub(crate) struct ByHand {
    /// With the guarantees.
    is_guarded: bool,
    home: OwnedFd,
    four: Vec<OwnedFd>,
    stays: OwnedFd,
}

fn directory(at: impl AsFd, name: &str) -> OwnedFd {
    openat(at, name, DIRECTORY, Mode::empty()).unwrap()
}

fn write(at: impl AsFd, file: &str, line: &str) {
    let file = openat(at, file, FILE | OFlags::WRONLY, Mode::empty()).unwrap();
    assert_eq!(rustix::io::write(file, line.as_bytes()).unwrap(), line.len());
}

/// A file that fits into a page.
fn read<T>(at: impl AsFd, file: &str, look: impl FnOnce(&str) -> T) -> T {
    let file = openat(at, file, FILE | OFlags::RDONLY, Mode::empty()).unwrap();
    let mut text = [MaybeUninit::uninit(); 4096];
    let (text, _) = rustix::io::read(file, &mut text).unwrap();
    look(std::str::from_utf8(text).unwrap())
}

fn children(at: &OwnedFd) -> Vec<Vec<u8>> {
    let mut room = Vec::with_capacity(32 * 1024);
    let mut entries = RawDir::new(at, room.spare_capacity_mut());
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry.unwrap();
        let is_child = entry.file_type() == rustix::fs::FileType::Directory;
        if is_child && !entry.file_name().to_bytes().starts_with(b".") {
            names.push(entry.file_name().to_bytes().to_vec());
        }
    }
    names
}

impl ByHand {
    pub(crate) fn new(scene: &Scene, is_guarded: bool) -> Self {
        let four = if scene.is_v1() { FOUR.as_slice() } else { &[] };
        Self {
            is_guarded,
            home: directory(CWD, &scene.home),
            four: four.iter().map(|row| directory(CWD, &scene.mount(row.0))).collect(),
            stays: directory(CWD, &format!("{}/{}", scene.home, scene.group("stays"))),
        }
    }

    /// Makes a group; its directory is held if there are guarantees.
    fn make(&self, root: &OwnedFd, name: &str) -> Option<OwnedFd> {
        mkdirat(root, name, Mode::from_raw_mode(0o755)).unwrap();
        self.is_guarded.then(|| directory(root, name))
    }

    fn remove(root: &OwnedFd, name: &str, held: Option<&OwnedFd>) {
        if let Some(held) = held {
            let there = statat(root, name, AtFlags::SYMLINK_NOFOLLOW).unwrap();
            assert_eq!(rustix::fs::fstat(held).unwrap().st_ino, there.st_ino);
        }
        unlinkat(root, name, AtFlags::REMOVEDIR).unwrap();
    }

    fn life(&self, root: &OwnedFd, name: &str, values: &[(&str, &str)], mover: &str) {
        let held = self.make(root, name);
        let (at, prefix) = match &held {
            Some(held) => (held, String::new()),
            None => (root, format!("{name}/")),
        };
        let file = |file: &str| format!("{prefix}{file}");
        values.iter().for_each(|(name, value)| write(at, &file(name), value));
        write(at, &file("cgroup.procs"), mover);
        for (name, _) in values {
            assert!(read(at, &file(name), |text| !text.is_empty()));
        }
        write(root, "cgroup.procs", mover);
        Self::remove(root, name, held.as_ref());
    }

    fn fell(&self, scene: &Scene) {
        let name = scene.group("tree");
        let tree = directory(&self.home, &name);
        if self.is_guarded && !scene.is_v1() {
            assert!(read(&tree, "cgroup.events", |text| text.contains("populated 0\n")));
        } else if self.is_guarded {
            assert!(read(&tree, "tasks", str::is_empty));
        }
        let children = children(&tree);
        if self.is_guarded && scene.is_v1() {
            for child in &children {
                let stat = statat(&tree, child.as_slice(), AtFlags::SYMLINK_NOFOLLOW).unwrap();
                assert_eq!(stat.st_nlink, 2);
                let tasks = format!("{}/tasks", std::str::from_utf8(child).unwrap());
                assert!(read(&tree, &tasks, str::is_empty));
            }
        }
        for child in &children {
            unlinkat(&tree, child.as_slice(), AtFlags::REMOVEDIR).unwrap();
        }
        Self::remove(&self.home, &name, self.is_guarded.then_some(&tree));
    }
}

impl Contender for ByHand {
    fn name(&self) -> &'static str {
        if self.is_guarded { "by hand, same guarantees" } else { "by hand, fewest calls" }
    }

    fn can(&self, scene: &Scene, job: Job) -> bool {
        job != Job::LifeInFour || scene.is_v1()
    }

    fn run(&mut self, scene: &Scene, job: Job) {
        let kit = &scene.kit;
        match job {
            Job::Life => {
                if self.is_guarded && !scene.is_v1() {
                    let controller = kit.controller.name();
                    let has = |text: &str| text.split_ascii_whitespace().any(|it| it == controller);
                    assert!(read(&self.home, "cgroup.subtree_control", has));
                }
                self.life(&self.home, &scene.group("life"), &kit.values, &scene.mover());
            }
            Job::LifeInFour => {
                for (root, (_, file, value)) in self.four.iter().zip(FOUR) {
                    self.life(root, &scene.group("four"), &[(file, value)], &scene.mover());
                }
            }
            Job::Change => write(&self.stays, kit.values[0].0, kit.values[0].1),
            Job::Statistic => assert!(read(&self.stays, kit.statistic, |text| !text.is_empty())),
            Job::List => {
                let parse =
                    |text: &str| text.lines().map(str::parse).collect::<Result<Vec<u32>, _>>();
                assert_eq!(read(&self.stays, "cgroup.procs", parse).unwrap().len(), 1);
            }
            Job::Tree => self.fell(scene),
        }
    }
}
