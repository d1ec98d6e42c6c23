//! Namespaces, those of UTS above all, and what tells of namespaces: what the transcripts' language has no words for.

use standin::backend::{
    AccessMode, Backend, Channels, Files, MountFlags, NamespaceKind, NamespaceKinds, Namespaces,
    OpenOptions, Processes, SocketFlags, SocketType, Spawn, SpawnDescriptor, WaitOptions,
    WaitStatus,
};
use standin::handle::{Descriptor, File, NsHandle, PidHandle};
use standin::id::Bytes;
use standin::{Errno, ExitCode, KPath, Place, fs};
use standin_linux::Linux;
use standin_sim::{Machine, View};

fn path(text: &str) -> &KPath {
    KPath::new(text).expect("no NUL")
}

fn hostname(kernel: &dyn Backend) -> String {
    String::from_utf8(kernel.uname().expect("names").nodename.as_bytes().to_vec()).expect("UTF-8")
}

/// A machine with a process in a UTS namespace of its own, and root's handle on it.
fn with_container() -> (Machine, View, View, PidHandle) {
    let machine = Machine::builder().build();
    let root = machine.root();
    let container = root.fork().expect("a child");
    container.unshare(NamespaceKinds::UTS).expect("root may");
    container.set_hostname(path("web-1")).expect("root may");
    let handle = root.open_pid(container.pid().expect("a number")).expect("a handle");
    (machine, root, container, handle)
}

fn end(machine: &Machine) {
    machine.check().expect("a sound machine");
    machine.clone().finish().expect("nothing but what is modelled");
}

#[test]
fn a_helper_born_in_the_namespace_of_another_says_its_name_through_a_pipe() {
    let (machine, root, _container, handle) = with_container();
    machine.program("/bin/hostname", |kernel, _| {
        let out = File::from(kernel.inherited(1).unwrap());
        kernel.write(&out, kernel.uname().unwrap().nodename.as_bytes()).unwrap();
        ExitCode::SUCCESS
    });
    let (reader, writer) = root.pipe(SocketFlags::empty()).unwrap();
    let out = [SpawnDescriptor { from: writer.descriptor(), to: 1 }];
    let mut spawn = Spawn::new(path("/bin/hostname"), &[b"hostname"]);
    (spawn.join, spawn.descriptors) = (Some((&handle, NamespaceKinds::UTS)), &out);
    let child = root.spawn(&spawn).unwrap();
    drop(writer);
    let mut said = [0; 65];
    let length = root.read(&reader, &mut said).unwrap();
    assert_eq!(&said[..length], b"web-1");
    assert_eq!(root.read(&reader, &mut said), Ok(0));
    let status = root.wait(&child, WaitOptions::default());
    assert_eq!(status, Ok(Some(WaitStatus::Exited(0))));
    assert_eq!(hostname(&root), "(none)", "the parent stays where it is");
    end(&machine);
}

#[test]
fn a_child_in_a_new_namespace_begins_with_the_names_of_the_one_it_would_be_in() {
    let (machine, root, container, handle) = with_container();
    machine.program("/bin/check", |kernel, _| {
        kernel.set_hostname(path("inner")).unwrap();
        ExitCode::SUCCESS
    });
    let mut spawn = Spawn::new(path("/bin/check"), &[b"check"]);
    spawn.join = Some((&handle, NamespaceKinds::UTS));
    spawn.namespaces = NamespaceKinds::UTS;
    let child = root.spawn(&spawn).unwrap();
    assert_ne!(
        root.namespace_of(Some(&child), NamespaceKind::Uts),
        root.namespace_of(Some(&handle), NamespaceKind::Uts)
    );
    root.wait(&child, WaitOptions::default()).unwrap();
    assert_eq!(hostname(&container), "web-1");
    end(&machine);
}

#[test]
fn what_a_child_may_not_join_leaves_no_child() {
    let (machine, root, container, handle) = with_container();
    let user = machine.user(1000);
    let held = user.open_pid(container.pid().unwrap()).unwrap();
    let own = user.open_pid(user.pid().unwrap()).unwrap();
    let before = machine.look().processes().len();
    let refusal = |kernel: &View, join, new| {
        let mut spawn = Spawn::new(path("/bin/true"), &[b"true"]);
        (spawn.join, spawn.namespaces) = (join, new);
        kernel.spawn(&spawn).unwrap_err().errno()
    };
    let (uts, none) = (NamespaceKinds::UTS, NamespaceKinds::empty());
    assert_eq!(refusal(&user, Some((&held, uts)), none), Some(Errno::EPERM));
    assert_eq!(refusal(&user, Some((&own, uts)), none), Some(Errno::EPERM));
    assert_eq!(refusal(&user, None, uts), Some(Errno::EPERM));
    assert_eq!(refusal(&root, Some((&handle, none)), none), Some(Errno::EINVAL));
    let unknown = NamespaceKinds::from_bits_retain(1);
    assert_eq!(refusal(&root, Some((&handle, unknown)), none), Some(Errno::EINVAL));
    assert!(container.exit(ExitCode(0)).is_err());
    assert_eq!(refusal(&root, Some((&handle, uts)), none), Some(Errno::ESRCH));
    assert_eq!(machine.look().processes().len(), before);
    end(&machine);
}

#[test]
fn a_namespace_lives_while_a_handle_holds_it() {
    let (machine, root, container, handle) = with_container();
    let namespace = root.open_namespace(&handle, NamespaceKind::Uts).unwrap();
    let number = root.namespace_of(Some(&handle), NamespaceKind::Uts).unwrap();
    assert!(container.exit(ExitCode(0)).is_err());
    let zombie = |kind| root.namespace_of(Some(&handle), kind).map_err(|failure| failure.errno());
    assert_eq!(zombie(NamespaceKind::Uts), Err(Some(Errno::ENOENT)));
    assert_eq!(zombie(NamespaceKind::Mount), Err(Some(Errno::ENOENT)));
    assert_eq!(
        zombie(NamespaceKind::User),
        root.namespace_of(None, NamespaceKind::User).map_err(|_| None)
    );
    root.wait(&handle, WaitOptions::default()).unwrap();
    assert_eq!(zombie(NamespaceKind::Pid), Err(Some(Errno::ESRCH)));

    machine.check().unwrap();
    root.join_handle(&namespace).unwrap();
    drop(namespace);
    assert_eq!(hostname(&root), "web-1");
    assert_eq!(root.namespace_of(None, NamespaceKind::Uts), Ok(number));
    end(&machine);
}

#[test]
fn a_handle_of_a_namespace_is_a_file_of_which_nothing_is_read() {
    let (machine, root, _container, handle) = with_container();
    let file = root.open_namespace(&handle, NamespaceKind::Uts).unwrap();
    let file = File::from(Descriptor::from(file));
    assert!(root.read(&file, &mut [0; 4]).unwrap_err().is(Errno::EINVAL));
    assert!(root.pread(&file, &mut [0; 4], Bytes(0)).unwrap_err().is(Errno::EINVAL));
    assert!(root.write(&file, b"x").unwrap_err().is(Errno::EBADF));
    assert!(root.fsync(&file).unwrap_err().is(Errno::EINVAL));
    assert!(root.map(&file, Bytes(4096), false).unwrap_err().is(Errno::ENODEV));

    let other = root.open(Place::cwd(path("/proc/self/status")), &OpenOptions::read()).unwrap();
    let other = NsHandle::from(Descriptor::from(other));
    assert!(root.join_handle(&other).unwrap_err().is(Errno::EINVAL));
    let pid = NsHandle::from(Descriptor::from(handle));
    assert!(root.join_handle(&pid).unwrap_err().is(Errno::EINVAL));
    end(&machine);
}

#[test]
fn the_lowest_free_number_is_a_new_namespaces() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let number = || root.namespace_of(None, NamespaceKind::Uts).unwrap().0;
    let first = number();
    let seen: Vec<u64> = (0..3)
        .map(|_| {
            root.unshare(NamespaceKinds::UTS).unwrap();
            number()
        })
        .collect();
    assert_eq!(first, 4_026_531_838);
    assert_eq!(seen, [4_026_532_114, 4_026_532_115, 4_026_532_114], "as seen on 6.1 and 6.12");
    end(&machine);
}

#[test]
fn links_in_proc_name_every_namespace_of_a_process_to_who_may_look_into_it() {
    let (machine, root, container, handle) = with_container();
    let number = root.namespace_of(Some(&handle), NamespaceKind::Uts).unwrap().0;
    let link = format!("/proc/{}/ns/uts", container.pid().unwrap().0);
    let read = |kernel: &View, link: &str| kernel.readlink(Place::cwd(path(link)));
    assert_eq!(read(&root, &link).unwrap().as_bytes(), format!("uts:[{number}]").as_bytes());
    let children = read(&root, "/proc/self/ns/pid_for_children").unwrap();
    assert_eq!(children.as_bytes(), b"pid:[4026531836]");
    let user = machine.user(1000);
    assert!(read(&user, &link).unwrap_err().is(Errno::EACCES));
    let theirs = user.open_pid(container.pid().unwrap()).unwrap();
    let asked = user.namespace_of(Some(&theirs), NamespaceKind::Uts);
    assert!(asked.unwrap_err().is(Errno::EACCES));
    let listed = fs::read_dir(&user, link.trim_end_matches("/uts"));
    assert_eq!(listed.unwrap_err().errno(), Some(Errno::EACCES));
    end(&machine);
}

#[test]
fn a_user_has_as_many_namespaces_as_the_kernel_lets_it() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let handle = root.open_pid(root.pid().unwrap()).unwrap();
    let mut held = Vec::new();
    let refused = loop {
        match root.unshare(NamespaceKinds::UTS) {
            Ok(()) => held.push(root.fork().unwrap()),
            Err(refused) => break refused,
        }
    };
    assert!(refused.is(Errno::ENOSPC));
    assert_eq!(held.len(), 3825, "half of the threads that 6.12 lets be with 1 GiB");
    let other = held.pop().unwrap();
    root.join(&root.open_pid(held[0].pid().unwrap()).unwrap(), NamespaceKinds::UTS).unwrap();
    assert!(other.exit(ExitCode(0)).is_err());
    root.unshare(NamespaceKinds::UTS).unwrap();
    drop(handle);
    end(&machine);
}

#[test]
fn settings_are_read_and_written_from_any_offset() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let name = Place::cwd(path("/proc/sys/kernel/hostname"));
    let options = OpenOptions { access: AccessMode::ReadWrite, ..OpenOptions::read() };
    let file = root.open(name, &options).unwrap();
    let mut room = [0; 3];
    root.write(&file, b"0123456789").unwrap();
    for (bytes, offset, then) in [("QQ", 3, "012QQ"), ("ZZ", 5, "012QQZZ"), ("YY", 8, "012QQZZ")] {
        assert_eq!(root.pwrite(&file, bytes.as_bytes(), Bytes(offset)), Ok(2));
        assert_eq!(hostname(&root), then, "as seen on 6.1 and 6.12");
    }
    assert_eq!(root.pread(&file, &mut room, Bytes(5)), Ok(3));
    assert_eq!(&room, b"ZZ\n");
    assert_eq!(root.pread(&file, &mut room, Bytes(8)), Ok(0));
    let other =
        root.open(Place::cwd(path("/proc/sys/kernel/ostype")), &OpenOptions::read()).unwrap();
    assert_eq!((root.read(&other, &mut room), room), (Ok(3), *b"Lin"));
    assert_eq!((root.read(&other, &mut room), room), (Ok(3), *b"ux\n"));
    end(&machine);
}

#[test]
fn the_host_and_the_machine_tell_of_themselves_alike() {
    let machine = Machine::builder().build();
    for kernel in [&machine.root() as &dyn Backend, &Linux::here()] {
        let names = kernel.uname().unwrap();
        assert_eq!(names.sysname.as_bytes(), b"Linux");
        let own = kernel.open_pid(kernel.pid().unwrap()).unwrap();
        for kind in [NamespaceKind::Uts, NamespaceKind::Net, NamespaceKind::PidForChildren] {
            let number = kernel.namespace_of(None, kind).unwrap();
            assert_eq!(kernel.namespace_of(Some(&own), kind), Ok(number));
            kernel.open_namespace(&own, kind).unwrap();
        }
        let ostype = fs::read_to_string(kernel, "/proc/sys/kernel/ostype").unwrap();
        assert_eq!(ostype, "Linux\n");
        let release = fs::read_to_string(kernel, "/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(release.trim_end().as_bytes(), names.release.as_bytes());
    }
    end(&machine);
}

#[test]
fn a_machine_is_sound_while_namespaces_of_all_kinds_come_and_go() {
    let machine = Machine::builder().build();
    let sound = || machine.check().expect("a sound machine");
    let every = NamespaceKinds::all() - NamespaceKinds::PID;
    let root = machine.root();
    let outer = root.fork().expect("a child");
    outer.unshare(every).expect("root may");
    sound();
    let pid = outer.pid().expect("a number");
    for map in ["uid_map", "gid_map"] {
        fs::write(&root, format!("/proc/{pid}/{map}").as_str(), "0 0 10").expect("root may");
    }
    let inner = outer.fork().expect("a child");
    inner.unshare(every).expect("its ids are mapped");
    let (tmpfs, flags) = (path("tmpfs"), MountFlags::empty());
    inner.mount(tmpfs, Place::cwd(path("/mnt")), flags, path("")).expect("its mounts");
    let _file = inner.socket(SocketType::Stream, SocketFlags::empty()).expect("a socket");
    sound();
    let children = [(&outer, &inner), (&root, &outer)];
    for (parent, child) in children {
        let handle = parent.open_pid(child.pid().expect("a number")).expect("a handle");
        let _ = child.exit(ExitCode::SUCCESS);
        sound();
        parent.wait(&handle, WaitOptions::default()).expect("a child");
        sound();
    }
    end(&machine);
}
