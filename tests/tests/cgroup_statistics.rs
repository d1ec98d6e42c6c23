//! The cgroup library where it counts: the same numbers in v1 and v2, none that a kernel does not have, files of any length.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use std::time::Duration;

use standin::backend::Processes as _;
use standin::cgroup::{Creation, Device, Group, GroupPath, Hierarchies, Rule};
use standin::id::Bytes;
use standin::{Controller, fs};
use standin_sim::{BlockDevice, Layout, Machine, Release, View};

const LAYOUTS: [Layout; 3] = [Layout::Unified, Layout::Legacy, Layout::Hybrid];

fn boot(layout: Layout) -> (Machine, View, Hierarchies) {
    let joined = [Controller::Cpu, Controller::Cpuacct];
    let builder = Machine::builder().kernel(Release::V6_1).layout(layout);
    let disk = BlockDevice { major: 259, minor: 0 };
    let machine = builder.join_controllers(&joined).disk(disk).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    (machine, root, hierarchies)
}

/// A group with a controller, wherever that is.
fn group(kernel: &View, hierarchies: &Hierarchies, controller: Controller) -> Group {
    let creation = Creation::new(GroupPath::new("a").unwrap()).with(controller);
    creation.create(kernel, hierarchies.with(kernel, controller).unwrap()).unwrap()
}

#[test]
fn processor_time_is_told_in_one_unit_whatever_the_version() {
    for layout in LAYOUTS {
        let (machine, root, hierarchies) = boot(layout);
        let group = group(&root, &hierarchies, Controller::Cpu);
        let worker = root.fork().unwrap();
        group.attach(&root, worker.pid().unwrap()).unwrap();
        worker.use_processor(Duration::from_millis(30)).unwrap();
        let cpu = group.cpu_statistics(&root).unwrap();
        assert_eq!(cpu.usage, Some(Duration::from_millis(30)), "{layout:?}");
        assert_eq!(cpu.user.zip(cpu.system).map(|(user, system)| user + system), cpu.usage);
        assert_eq!((cpu.periods, cpu.throttled), (Some(0), Some(Duration::ZERO)), "{layout:?}");
        assert_eq!(cpu.bursts, Some(0), "{layout:?}");
        assert_eq!(cpu.nice, None, "older kernels do not count it");
        machine.finish().unwrap();
    }
}

#[test]
fn memory_is_told_by_the_same_names_and_what_a_kernel_has_not_is_none() {
    for layout in LAYOUTS {
        let (_machine, root, hierarchies) = boot(layout);
        let group = group(&root, &hierarchies, Controller::Memory);
        let worker = root.fork().unwrap();
        group.attach(&root, worker.pid().unwrap()).unwrap();
        worker.use_memory(Bytes(8 << 20)).unwrap();
        let memory = group.memory_statistics(&root).unwrap();
        assert!(memory.current.unwrap() >= Bytes(8 << 20), "{layout:?} {memory:?}");
        assert!(memory.anonymous.unwrap() >= Bytes(8 << 20), "{layout:?} {memory:?}");
        assert_eq!((memory.limit_hits, memory.oom_kills), (Some(0), Some(0)), "{layout:?}");
        let is_v2 = layout == Layout::Unified;
        assert_eq!(memory.high_hits.is_some(), is_v2, "v1 has no such bound");
        assert!(memory.peak.is_some(), "{layout:?}");
        // Below a group that does not share memory out, or where another controller is.
        let pids = hierarchies.with(&root, Controller::Pids).unwrap();
        let other = Creation::new(GroupPath::new("a/b").unwrap()).create(&root, pids).unwrap();
        let refused = other.memory_statistics(&root).unwrap_err();
        let is_told =
            matches!(refused.rule(), Some(Rule::ControllerOff(_) | Rule::ControllerMissing(_)));
        assert!(is_told, "{layout:?} {refused}");
    }
}

#[test]
fn tasks_that_are_there_and_those_that_were_refused_are_counted() {
    for layout in LAYOUTS {
        let (_machine, root, hierarchies) = boot(layout);
        let group = group(&root, &hierarchies, Controller::Pids);
        group.set(&root, "pids.max", 1).unwrap();
        let worker = root.fork().unwrap();
        group.attach(&root, worker.pid().unwrap()).unwrap();
        worker.fork().unwrap_err();
        let pids = group.pids_statistics(&root).unwrap();
        assert_eq!((pids.current, pids.limit_hits), (Some(1), Some(1)), "{layout:?}");
    }
}

#[test]
fn devices_are_told_one_by_one_and_groups_below_are_counted_in_v2() {
    let (_machine, root, hierarchies) = boot(Layout::Unified);
    let a = group(&root, &hierarchies, Controller::Io);
    assert!(a.io_statistics(&root).unwrap().is_empty());
    a.set(&root, "io.max", "259:0 rbps=5").unwrap();
    let devices = a.io_statistics(&root).unwrap();
    assert!(devices.is_empty(), "its line has no numbers yet: {devices:?}");
    let below = Creation::new(GroupPath::new("a/b").unwrap());
    below.create(&root, hierarchies.unified().unwrap()).unwrap();
    let groups = a.group_statistics(&root).unwrap();
    assert_eq!((groups.groups, groups.dying), (Some(1), Some(0)));

    let (_machine, root, hierarchies) = boot(Layout::Legacy);
    let a = group(&root, &hierarchies, Controller::Io);
    assert!(a.io_statistics(&root).unwrap().is_empty());
    assert_eq!(a.group_statistics(&root).unwrap_err().rule(), Some(&Rule::NoFile));
    assert_eq!(Device { major: 259, minor: 0 }.to_string(), "259:0");
}

#[test]
fn huge_pages_are_told_by_size() {
    for layout in LAYOUTS {
        let (_machine, root, hierarchies) = boot(layout);
        let a = group(&root, &hierarchies, Controller::Hugetlb);
        let sizes = a.hugetlb_statistics(&root).unwrap();
        assert_eq!(sizes.keys().collect::<Vec<_>>(), ["1GB", "2MB"], "{layout:?}");
        let pages = sizes["2MB"];
        assert_eq!((pages.current, pages.limit_hits), (Some(Bytes(0)), Some(0)), "{layout:?}");
        assert_eq!(pages.peak.is_some(), layout != Layout::Unified, "v2 does not keep it");
    }
    let (_machine, root, hierarchies) = boot(Layout::Unified);
    let refused = group(&root, &hierarchies, Controller::Pids).hugetlb_statistics(&root);
    assert_eq!(refused.unwrap_err().rule(), Some(&Rule::ControllerOff(Controller::Hugetlb)));
}

#[test]
fn keys_that_nobody_knows_yet_are_reachable_in_files_of_any_length() {
    let (_machine, root, hierarchies) = boot(Layout::Unified);
    let a = group(&root, &hierarchies, Controller::Memory);
    let stat = a.get(&root, "memory.stat").unwrap();
    let entries = stat.entries::<u64>().unwrap();
    assert_eq!(entries.len(), stat.text().unwrap().lines().count());
    assert!(entries.iter().any(|(key, _)| *key == "pgscan"));
    let stat = a.get(&root, "memory.numa_stat").unwrap();
    let rows = stat.table::<u64>().unwrap();
    assert_eq!((rows[0].0, rows[0].1[0].0), ("anon", "N0"));

    // Longer than a page: every process of a group in its list.
    let (_machine, root, hierarchies) = boot(Layout::Legacy);
    let a = group(&root, &hierarchies, Controller::Pids);
    let workers: Vec<_> = (0..2000).map(|_| root.fork().unwrap()).collect();
    for worker in &workers {
        a.attach(&root, worker.pid().unwrap()).unwrap();
    }
    let list = a.get(&root, "cgroup.procs").unwrap();
    assert!(list.as_bytes().len() > 4096);
    assert_eq!(list.numbers::<u32>().unwrap().len(), workers.len());
    assert!(fs::exists(&root, "/sys/fs/cgroup/pids/a"));
}
