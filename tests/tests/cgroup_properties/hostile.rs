//! Hostile words: refused before any kernel is asked, or taken as they stand; never followed out of the hierarchy.

use proptest::prelude::*;
use standin::cgroup::{
    Code, Creation, Description, Error, Existing, FileName, GroupName, GroupPath, Hierarchies,
    MAX_NAME, MAX_PATH, Rule, Subsystem, Value,
};
use standin::layer::Layered;
use standin::{Controller, Errno, fs};
use standin_sim::Layout;

use super::steps::Count;
use super::world::{bare, boot, changed, path};

/// What no single name may be.
fn no_names() -> Vec<String> {
    let mut all: Vec<String> =
        ["", ".", "..", "/", "/etc/passwd", "../b", "a/../b", "a/b", "a\0", "\0", "a\nb", "\n"]
            .map(str::to_owned)
            .to_vec();
    all.extend(["x".repeat(MAX_NAME + 1), "x".repeat(1 << 20), "../".repeat(2000)]);
    all
}

#[track_caller]
fn assert_refused(refused: &Error, what: &str) {
    let what: String = what.chars().take(20).collect();
    assert_eq!((refused.failure(), refused.code()), (None, Code::INVALID), "{what:?}");
    assert!(matches!(refused.rule(), Some(Rule::Name(_) | Rule::Value(_))), "{what:?}: {refused}");
    assert!(refused.to_string().len() < 400, "{what:?}: the message stays short");
}

#[test]
fn a_word_that_is_no_name_reaches_no_kernel_by_any_way_in() {
    let world = boot(Layout::Unified);
    let there = world.hierarchies.unified().unwrap().open(&world.root, &path("there")).unwrap();
    let counted = Layered::new(&world.root, Count::default());
    let mut description = Description::new(path("a"));
    let part = description.add(Controller::Pids).unwrap();
    for name in no_names() {
        assert_refused(&there.get(&counted, &name).unwrap_err(), &name);
        assert_refused(&there.set(&counted, &name, 1).unwrap_err(), &name);
        assert_refused(&Creation::new(path("a")).set(&name, 1).unwrap_err(), &name);
        assert_refused(&part.add(&name, 1).unwrap_err(), &name);
        assert_refused(&part.set(&name, 1).unwrap_err(), &name);
        assert_refused(&part.get(&name).unwrap_err(), &name);
        assert_refused(&GroupName::new(&name).unwrap_err().into(), &name);
        assert_refused(&FileName::new(&name).unwrap_err().into(), &name);
        if name != "/" {
            assert_refused(&format!("name={name}").parse::<Subsystem>().unwrap_err(), &name);
            let (below, above) = (format!("a/{name}"), format!("{name}/a"));
            let refused = [GroupPath::new(&below), GroupPath::new(&above)];
            // A slash in front, and one between names, are a path's own.
            if !["/etc/passwd", "a/b", ""].contains(&&*name) {
                for refused in refused {
                    assert_refused(&refused.unwrap_err().into(), &name);
                }
            }
        }
        let unknown = name.parse::<Subsystem>().unwrap_err();
        assert_eq!(unknown.code(), Code::SUBSYSTEM_NOT_MOUNTED, "{unknown}");
        assert!(unknown.to_string().len() < 400, "the message stays short");
    }
    assert_eq!((part.files().len(), counted.layer().calls()), (0, 0));
}

#[test]
fn a_value_of_several_lines_or_with_a_nul_reaches_no_kernel_by_any_way_in() {
    let world = boot(Layout::Unified);
    let there = world.hierarchies.unified().unwrap().open(&world.root, &path("there")).unwrap();
    let counted = Layered::new(&world.root, Count::default());
    let mut description = Description::new(path("a"));
    let part = description.add(Controller::Pids).unwrap();
    for value in ["\n", "5\n", "5\n6", "\0", "5\0", &("5".repeat(5000) + "\n")] {
        assert_refused(&there.set(&counted, "pids.max", value).unwrap_err(), value);
        assert_refused(&Creation::new(path("a")).set("pids.max", value).unwrap_err(), value);
        assert_refused(&part.add("pids.max", value).unwrap_err(), value);
        assert_refused(&part.set("pids.max", value).unwrap_err(), value);
        assert_refused(&Value::new(value).unwrap_err().into(), value);
    }
    assert_eq!((part.files().len(), counted.layer().calls()), (0, 0));
}

/// How much a file takes at once is the kernel's to say: a page as a rule, and its pages differ in size.
#[test]
fn a_value_that_is_too_long_is_refused_whole_by_the_kernel_and_taken_back_with_the_rest() {
    for layout in Layout::ALL {
        let world = boot(layout);
        let before = world.picture();
        for name in ["there", "new"] {
            let mut long = Description::new(path(name));
            let part = long.add(Controller::Pids).unwrap();
            part.add("pids.max", "1".repeat(4097)).unwrap();
            let refused = long.create(&world.root, &world.hierarchies).unwrap_err();
            assert_eq!(refused.errno(), Some(Errno::E2BIG), "{refused}");
            assert_eq!(refused.rule(), Some(&Rule::TooLong { length: 4097 }));
            assert_eq!((refused.left(), world.picture()), (&[][..], before.clone()));
        }
    }
}

#[test]
fn the_longest_names_and_paths_are_taken_and_one_byte_more_is_not() {
    let world = bare(Layout::Unified);
    let hierarchy = world.hierarchies.unified().unwrap();
    let before = world.picture();
    let longest = "x".repeat(MAX_NAME);
    let mut deepest = vec![longest.as_str(); MAX_PATH / (MAX_NAME + 1)].join("/");
    deepest += &format!("/{}", "y".repeat(MAX_PATH - deepest.len() - 1));
    assert_eq!(deepest.len(), MAX_PATH);
    assert!(GroupPath::new(format!("{deepest}y")).is_err());
    for name in [longest, deepest] {
        let created = Creation::new(path(&name)).plan(&world.root, hierarchy).unwrap();
        let created = created.apply(&world.root).unwrap();
        created.group().set(&world.root, "cgroup.max.depth", 0).unwrap();
        created.undo(&world.root).unwrap();
        assert_eq!(world.picture(), before);
    }
}

#[test]
fn a_group_with_the_name_of_a_file_is_taken_or_missing_and_never_opened() {
    let world = boot(Layout::Unified);
    let hierarchy = world.hierarchies.unified().unwrap();
    let before = world.picture();
    for name in ["cgroup.procs", "there/pids.max"] {
        assert_eq!(
            hierarchy.open(&world.root, &path(name)).unwrap_err().rule(),
            Some(&Rule::Missing)
        );
        let refused = Creation::new(path(name)).create(&world.root, hierarchy).unwrap_err();
        assert_eq!(refused.rule(), Some(&Rule::Taken));
        let below = path(&format!("{name}/a"));
        let refused = Creation::new(below).create(&world.root, hierarchy).unwrap_err();
        assert_eq!((refused.rule(), refused.left()), (Some(&Rule::Missing), &[][..]), "{refused}");
    }
    assert_eq!(world.picture(), before);
}

/// Words that lead elsewhere, and such as only look like it.
fn words() -> impl Strategy<Value = Vec<u8>> {
    const HOSTILE: [&[u8]; 14] = [
        b"..",
        b".",
        b"",
        b"a",
        b"...",
        b"..a",
        b"~",
        b"a b",
        b"-rf",
        b"%2e%2e",
        b"\xff\xfe",
        b"\xc0\xae\xc0\xae",
        b"a\0",
        b"a\nb",
    ];
    let word = prop_oneof![
        3 => proptest::sample::select(&HOSTILE[..]).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(word, 1..5).prop_map(|words| words.join(&b'/'))
}

proptest! {
    #![proptest_config(super::config(150))]

    #[test]
    fn whatever_its_name_a_group_is_made_in_the_hierarchy_and_nothing_anywhere_else(
        name in words(),
        file in words(),
    ) {
        let world = bare(Layout::Unified);
        let hierarchy = world.hierarchies.unified().unwrap();
        let outside = || {
            ["/", "/etc", "/sys", "/sys/fs"]
                .map(|directory| fs::read_dir(&world.root, directory).map(|names| names.len()).ok())
        };
        let (before, elsewhere) = (world.picture(), outside());
        let Ok(path) = GroupPath::new(&name) else {
            let is_plain = |word: &[u8]| {
                !word.is_empty() && word != b"." && word != b".." && !word.contains(&0)
                    && !word.contains(&b'\n')
            };
            let relative = name.strip_prefix(b"/").unwrap_or(&name);
            prop_assert!(!relative.split(|byte| *byte == b'/').all(is_plain), "{name:?}");
            return Ok(());
        };
        let Ok(created) = Creation::new(path.clone()).on_existing(Existing::Change)
            .plan(&world.root, hierarchy).unwrap().apply(&world.root) else { return Ok(()) };
        let mut real = b"/sys/fs/cgroup/".to_vec();
        real.extend(name.strip_prefix(b"/").unwrap_or(&name));
        prop_assert!(fs::is_dir(&world.root, &real));
        prop_assert_eq!(outside(), elsewhere);
        let text = String::from_utf8_lossy(&file);
        if let Err(refused) = created.group().get(&world.root, &text) {
            prop_assert!(refused.rule().is_some(), "{}", refused);
        }
        created.undo(&world.root).unwrap();
        prop_assert_eq!(changed(&world.mounts(), &before, &world.picture()).len(), 0);
    }
}

#[test]
fn hierarchies_with_hostile_names_are_looked_for_without_a_call() {
    let world = bare(Layout::Legacy);
    let hierarchies = Hierarchies::find(&world.root).unwrap();
    let counted = Layered::new(&world.root, Count::default());
    for name in no_names() {
        assert_eq!(hierarchies.named(&name).unwrap_err().rule(), Some(&Rule::NotMounted));
        let refused = hierarchies.of(&counted, &Subsystem::Named(name)).unwrap_err();
        assert_eq!(refused.rule(), Some(&Rule::NotMounted));
    }
    assert_eq!(counted.layer().calls(), 0);
}
