//! Files on the running kernel, through the calling process's view.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use standin::backend::{
    Access, Backend, FileKind, Files, FilesystemType, Lock, OpenFlags, OpenOptions, WatchFlags,
    XattrMode,
};
use standin::id::{Bytes, Mode};
use standin::path::{Follow, KPath, KPathBuf, Place};
use standin::{Errno, fs};
use standin_linux::Linux;

fn path(text: &str) -> KPathBuf {
    KPathBuf::new(text).unwrap()
}

/// A directory of its own, and its path.
fn scratch() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().to_str().unwrap().to_owned();
    (directory, name)
}

#[test]
fn what_was_written_is_read_and_listed() {
    let (_keep, root) = scratch();
    let kernel = Linux::here();
    fs::write(&kernel, format!("{root}/a"), "one").unwrap();
    fs::create_dir(&kernel, format!("{root}/d")).unwrap();
    assert_eq!(fs::read_to_string(&kernel, format!("{root}/a")).unwrap(), "one");

    let directory = kernel.open_dir(Place::cwd(&path(&root))).unwrap();
    for _ in 0..2 {
        let listing = kernel.list(&directory).unwrap();
        let mut names: Vec<_> = listing.iter().map(|e| (e.name.to_string(), e.kind)).collect();
        names.sort();
        assert_eq!(names, [("a".to_owned(), FileKind::File), ("d".to_owned(), FileKind::Dir)]);
    }
}

#[test]
fn a_place_beneath_a_directory_never_leads_out_of_it() {
    let (_keep, root) = scratch();
    let kernel = Linux::here();
    fs::create_dir(&kernel, format!("{root}/in")).unwrap();
    fs::write(&kernel, format!("{root}/out"), "secret").unwrap();
    let link = path(&format!("{root}/in/link"));
    kernel.symlink(&path("../out"), Place::cwd(&link)).unwrap();
    let directory = kernel.open_dir(Place::cwd(&path(&format!("{root}/in")))).unwrap();
    let refusal = |name: &str| {
        let (name, read) = (path(name), OpenOptions::read());
        kernel.open(Place::beneath(directory.descriptor(), &name), &read).unwrap_err()
    };
    assert!(refusal("../out").is(Errno::EXDEV));
    assert!(refusal("/etc/passwd").is(Errno::EXDEV));
    assert!(refusal("link").is(Errno::ELOOP));

    let made = path("sub");
    kernel.mkdir(Place::beneath(directory.descriptor(), &made), Mode::new(0o755)).unwrap();
    let below = path("sub/below");
    kernel.mkdir(Place::beneath(directory.descriptor(), &below), Mode::new(0o755)).unwrap();
    let out = path("../sub2/below");
    let refused = kernel.mkdir(Place::beneath(directory.descriptor(), &out), Mode::new(0o755));
    assert!(refused.unwrap_err().is(Errno::EXDEV));
    let stat = kernel.stat(Place::beneath(directory.descriptor(), &below), Follow::No).unwrap();
    assert_eq!(stat.kind, FileKind::Dir);
    assert!(
        kernel.stat(Place::beneath(directory.descriptor(), &path("link")), Follow::No).is_ok(),
        "a link is told of itself"
    );
    kernel.rmdir(Place::beneath(directory.descriptor(), &below)).unwrap();
}

#[test]
fn an_open_object_is_a_place_for_every_call_on_names() {
    let (_keep, root) = scratch();
    let kernel = Linux::here();
    let name = path(&format!("{root}/f"));
    fs::write(&kernel, format!("{root}/f"), "12345").unwrap();
    for options in [OpenOptions::read_write(), OpenOptions::path()] {
        let file = kernel.open(Place::cwd(&name), &options).unwrap();
        let place = Place::of(file.descriptor());
        assert_eq!(kernel.stat(place, Follow::Link).unwrap().size, Bytes(5));
        kernel.chmod(place, Mode::new(0o600)).unwrap();
        assert_eq!(kernel.stat(place, Follow::Link).unwrap().mode, Mode::new(0o600));
        kernel.chown(place, None, None, Follow::Link).unwrap();
        kernel.access(place, Access::READ).unwrap();
        kernel.statfs(place).unwrap();
        let again = kernel.open(place, &OpenOptions::read()).unwrap();
        let mut room = [0; 8];
        assert_eq!(kernel.read(&again, &mut room).unwrap(), 5);
    }
    let file = kernel.open(Place::cwd(&name), &OpenOptions::write()).unwrap();
    kernel.truncate(Place::of(file.descriptor()), Bytes(2)).unwrap();
    assert_eq!(fs::read(&kernel, format!("{root}/f")).unwrap(), b"12");
}

#[test]
fn attributes_of_open_objects_and_names_are_the_same() {
    let (_keep, root) = scratch();
    let kernel = Linux::here();
    fs::write(&kernel, format!("{root}/f"), "").unwrap();
    let (file, attribute) = (path("f"), path("user.standin"));
    let directory = kernel.open_dir(Place::cwd(&path(&root))).unwrap();
    let place = Place::at(directory.descriptor(), &file);
    let set = kernel.set_xattr(place, Follow::Link, &attribute, b"v", XattrMode::Create);
    if set.as_ref().is_err_and(|failure| failure.is(Errno::EOPNOTSUPP)) {
        println!("skipped: needs user attributes on {root}");
        return;
    }
    set.unwrap();
    let again = kernel.set_xattr(place, Follow::Link, &attribute, b"w", XattrMode::Create);
    assert!(again.unwrap_err().is(Errno::EEXIST));
    let open = kernel.open(place, &OpenOptions::read()).unwrap();
    let itself = Place::of(open.descriptor());
    let long = vec![b'x'; 3000];
    kernel.set_xattr(itself, Follow::Link, &attribute, &long, XattrMode::Replace).unwrap();
    for place in [place, itself, Place::beneath(directory.descriptor(), &file)] {
        assert_eq!(kernel.get_xattr(place, Follow::No, &attribute).unwrap(), long);
        let names = kernel.list_xattrs(place, Follow::Link).unwrap();
        assert_eq!(names, std::slice::from_ref(&attribute));
    }
    kernel.remove_xattr(place, Follow::Link, &attribute).unwrap();
    let gone = kernel.get_xattr(place, Follow::Link, &attribute);
    assert!(gone.unwrap_err().is(Errno::ENODATA));
}

#[test]
fn a_watched_directory_tells_what_was_made_in_it() {
    let (_keep, root) = scratch();
    let kernel = Linux::here();
    let watcher = kernel.watcher(true).unwrap();
    let directory = kernel.open_dir(Place::cwd(&path(&root))).unwrap();
    let events = WatchFlags::CREATE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
    let watch = kernel.watch(&watcher, Place::of(directory.descriptor()), events).unwrap();
    assert!(kernel.watched(&watcher).unwrap_err().is(Errno::EAGAIN));
    fs::create_dir(&kernel, format!("{root}/new")).unwrap();
    fs::rename(&kernel, format!("{root}/new"), format!("{root}/newer")).unwrap();
    let told = kernel.watched(&watcher).unwrap();
    let told: Vec<_> = told.iter().map(|e| (e.watch, e.flags, e.name.clone().unwrap())).collect();
    assert_eq!(
        told,
        [
            (watch, WatchFlags::CREATE | WatchFlags::IS_DIR, path("new")),
            (watch, WatchFlags::MOVED_FROM | WatchFlags::IS_DIR, path("new")),
            (watch, WatchFlags::MOVED_TO | WatchFlags::IS_DIR, path("newer")),
        ]
    );
    kernel.unwatch(&watcher, watch).unwrap();
    assert_eq!(kernel.watched(&watcher).unwrap()[0].flags, WatchFlags::IGNORED);
}

#[test]
fn an_exclusive_lock_keeps_another_open_file_out() {
    let (_keep, root) = scratch();
    let kernel = Linux::here();
    let name = path(&root);
    let one = kernel.open_dir(Place::cwd(&name)).unwrap();
    let two = kernel.open_dir(Place::cwd(&name)).unwrap();
    kernel.flock(one.descriptor(), Lock::Exclusive { nonblocking: false }).unwrap();
    let refused = kernel.flock(two.descriptor(), Lock::Shared { nonblocking: true });
    assert!(refused.unwrap_err().is(Errno::EAGAIN));
    kernel.flock(one.descriptor(), Lock::Unlock).unwrap();
    kernel.flock(two.descriptor(), Lock::Shared { nonblocking: true }).unwrap();
}

#[test]
fn a_bounded_open_takes_every_bound() {
    let (_keep, root) = scratch();
    let kernel = Linux::here();
    fs::write(&kernel, format!("{root}/f"), "x").unwrap();
    let directory = kernel.open_dir(Place::cwd(&path(&root))).unwrap();
    let file = path("/f");
    let place = Place::at(directory.descriptor(), &file);
    let in_root = OpenOptions::read().with(OpenFlags::IN_ROOT);
    kernel.open(place, &in_root).unwrap();
    let beneath = OpenOptions::read().with(OpenFlags::BENEATH);
    assert!(kernel.open(place, &beneath).unwrap_err().is(Errno::EXDEV));
    let proc = path("/proc/self/status");
    let one_filesystem = OpenOptions::read().with(OpenFlags::NO_CROSSING);
    let refused = kernel.open(Place::cwd(&proc), &one_filesystem).unwrap_err();
    assert!(refused.is(Errno::EXDEV), "{refused}");
}

#[test]
fn proc_tells_its_filesystem_type() {
    let kernel = Linux::here();
    assert_eq!(kernel.statfs(Place::cwd(&path("/proc"))).unwrap(), FilesystemType::PROC);
}

#[test]
fn the_calling_process_does_not_change_its_directory() {
    let kernel: &dyn Backend = &Linux::here();
    let refusal = kernel.chdir(Place::cwd(KPath::dot())).unwrap_err();
    assert_eq!(refusal.errno(), None);
}
