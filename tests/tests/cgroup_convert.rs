//! The cgroup library where groups go from v1 to v2 or back: what is said of them is what both kernels take.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use standin::Controller;
use standin::cgroup::{
    Code, Description, Ensure, GroupPath, Hierarchies, Rule, Subsystem, Version,
};
use standin_sim::{Layout, Machine, Release};

fn described(values: &[(&str, &str)]) -> Description {
    let mut group = Description::new(GroupPath::new("a").unwrap());
    for (file, value) in values {
        let subsystem: Subsystem = file.split('.').next().unwrap().parse().unwrap();
        if group.part(&subsystem).is_none() {
            group.add(subsystem.clone()).unwrap();
        }
        group.part_mut(&subsystem).unwrap().add(file, *value).unwrap();
    }
    group
}

/// Makes the group on a machine, and shows that its files say what was wanted.
#[track_caller]
fn is_taken(layout: Layout, group: &Description) {
    let machine = Machine::builder().kernel(Release::V6_1).layout(layout).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    let wanted = Ensure::new().present(group.clone());
    wanted.apply(&root, &hierarchies).unwrap();
    assert!(wanted.plan(&root, &hierarchies).unwrap().is_empty());
}

const V1: &[(&str, &str)] = &[
    ("cpu.shares", "512"),
    ("cpu.cfs_period_us", "50000"),
    ("cpu.cfs_quota_us", "20000"),
    ("cpuset.cpus", "0-1"),
    ("cpuset.mems", "0"),
    ("memory.limit_in_bytes", "64M"),
    ("memory.soft_limit_in_bytes", "-1"),
    ("hugetlb.2MB.limit_in_bytes", "4194304"),
    ("pids.max", "7"),
    ("freezer.state", "FROZEN"),
];

#[test]
fn a_group_of_v1_is_made_in_v2_and_a_group_of_v2_in_v1() {
    let v1 = described(V1);
    is_taken(Layout::Legacy, &v1);
    let v2 = v1.convert(Version::V2).whole().unwrap();
    is_taken(Layout::Unified, &v2);
    let back = v2.convert(Version::V1).whole().unwrap();
    is_taken(Layout::Legacy, &back);
    for (file, value) in V1 {
        let subsystem: Subsystem = file.split('.').next().unwrap().parse().unwrap();
        let said = back.part(&subsystem).unwrap().get(file).unwrap();
        assert_eq!(said.text().unwrap(), *value, "{file}");
    }
}

#[test]
fn all_weights_at_the_ends_of_their_range_are_taken_by_both() {
    for shares in ["0", "2", "262144", "99999999"] {
        let v2 = described(&[("cpu.shares", shares)]).convert(Version::V2).whole().unwrap();
        is_taken(Layout::Unified, &v2);
        is_taken(Layout::Legacy, &v2.convert(Version::V1).whole().unwrap());
    }
}

#[test]
fn what_cannot_be_said_is_told_and_the_rest_is_said() {
    let mut v1 = described(&[("memory.limit_in_bytes", "1M"), ("memory.swappiness", "10")]);
    v1.add(Controller::Devices).unwrap();
    v1.add("name=mine".parse::<Subsystem>().unwrap()).unwrap();
    let converted = v1.convert(Version::V2);
    assert_eq!(converted.refused.len(), 3);
    for refused in &converted.refused {
        assert!(matches!(refused.rule(), Some(Rule::NoCounterpart { .. })));
        assert_eq!((refused.code(), refused.code().number()), (Code::NO_VERSION_CONVERT, 50031));
        assert_eq!(refused.group(), Some(v1.path()));
    }
    assert_eq!(converted.refused[0].file(), Some("memory.swappiness"));
    is_taken(Layout::Unified, &converted.description);
    let first = converted.whole().unwrap_err();
    assert_eq!(first.left().len(), 2);
}

#[test]
fn the_group_alone_and_its_accounts_are_in_every_group_of_v2() {
    let mut v1 = described(&[]);
    v1.add(Controller::Cpuacct).unwrap();
    v1.add(Controller::Freezer).unwrap();
    let v2 = v1.convert(Version::V2).whole().unwrap();
    assert_eq!(
        v2.parts().map(|part| part.subsystem().clone()).collect::<Vec<_>>(),
        [Subsystem::Core]
    );
    is_taken(Layout::Unified, &v2);
    let refused = v2.convert(Version::V1).whole().unwrap_err();
    assert_eq!(refused.code(), Code::NO_VERSION_CONVERT);
}

#[test]
fn what_the_kernel_alone_says_is_not_written() {
    let v1 =
        described(&[("cpuset.cpus", "0"), ("cpuset.mems", "0"), ("cpuset.effective_cpus", "0")]);
    let v2 = v1.convert(Version::V2).whole().unwrap();
    let cpuset = v2.part(&Controller::Cpuset.into()).unwrap();
    assert_eq!(cpuset.get("cpuset.cpus.effective").unwrap().text().unwrap(), "0");
    is_taken(Layout::Unified, &v2);
}
