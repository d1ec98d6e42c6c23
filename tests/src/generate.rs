//! Random scripts: what a manager, its processes and somebody without rights might do, in any order.
//!
//! Data, not code: a line is a template with its weight, whose `{slots}` are filled with words. The
//! words are few, so that operations meet: a handful of groups, actors and values, the odd ones among them. A case shrinks
//! to fewer lines, towards the first template and the first words.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any};

/// An actor's name and what it is asked to do; the number says how often it comes among the others.
const TEMPLATES: &[(u16, &str)] = &[
    // Groups.
    (12, "{actor}> mkdir {group}"),
    (8, "{actor}> rmdir {group}"),
    (2, "{actor}> mkdir {odd}"),
    (2, "{actor}> mkdir {path} {mode}"),
    (1, "{actor}> rmdir {path}"),
    (1, "{actor}> rename {group} {group}"),
    // Control files.
    (10, "{actor}> write {group}/cgroup.subtree_control {controllers}"),
    (12, "{actor}> write {group}/cgroup.procs {member}"),
    (4, "{actor}> write {group}/cgroup.threads {member}"),
    (5, "{actor}> write {group}/cgroup.type threaded"),
    (8, "{actor}> write {group}/cgroup.freeze {flag}"),
    (2, "{actor}> write {group}/cgroup.kill {flag}"),
    (6, "{actor}> write {group}/pids.max {value}"),
    (3, "{actor}> write {group}/cgroup.max.depth {value}"),
    (3, "{actor}> write {group}/cgroup.max.descendants {value}"),
    (2, "{actor}> write {group}/cgroup.pressure {flag}"),
    (4, "{actor}> write {group}/{file} {value}"),
    (10, "{actor}> read {group}/{file}"),
    (2, "{actor}> read~ {group}/{file}"),
    (2, "{actor}> key {group}/cgroup.events {key}"),
    (2, "{actor}> test {group}/pids.current >= {number}"),
    (2, "{actor}> ls {group}"),
    // Ownership, names, attributes, open files.
    (3, "{actor}> stat {path}"),
    (3, "{actor}> chmod {path} {mode}"),
    (3, "{actor}> chown {path} {owner}"),
    (2, "{actor}> access {path} rwx"),
    (3, "{actor}> chdir {path}"),
    (1, "{actor}> create {path}"),
    (1, "{actor}> unlink {path}"),
    (1, "{actor}> symlink {path} {path}"),
    (1, "{actor}> link {path} {path}"),
    (1, "{actor}> statfs {path}"),
    (1, "{actor}> xset {path} {attribute} {value}"),
    (1, "{actor}> xget {path} {attribute}"),
    (1, "{actor}> xlist {path}"),
    (1, "{actor}> xdel {path} {attribute}"),
    (6, "{actor}> open {fd} {group}/{file} rw"),
    (2, "{actor}> open {fd} {path} r"),
    (4, "{actor}> fread {fd}"),
    (4, "{actor}> fwrite {fd} {value}"),
    (2, "{actor}> fwrite {fd} {member}"),
    (2, "{actor}> close {fd}"),
    (2, "{actor}> pollpri {fd} {time}"),
    (1, "{actor}> mount tmpfs {path}"),
    (1, "{actor}> mount proc {path}"),
    (1, "{actor}> umount {path}"),
    // Processes.
    (12, "{actor}> fork {child}"),
    (6, "{actor}> fork {child} into={group}"),
    (3, "{actor}> fork {child} uid=1000"),
    (3, "{actor}> thread {child}"),
    (4, "{actor}> fork {child} new={kinds}"),
    (2, "{actor}> unshare {kinds}"),
    (2, "{actor}> setns {target} {kinds}"),
    (1, "{actor}> setsid"),
    (1, "{actor}> setpgid 0 0"),
    (1, "{actor}> write /proc/sys/kernel/ns_last_pid {number}"),
    (1, "{actor}> signal CHLD ignore"),
    (1, "{actor}> reboot halt"),
    (4, "{actor}> exit {number}"),
    (8, "{actor}> kill {target} {signal}"),
    (6, "{actor}> wait {target} nohang"),
    (4, "{actor}> wait {target}"),
    (4, "{actor}> status {target}"),
    (2, "{actor}> join {target}"),
    (1, "{actor}> pid"),
    (2, "{actor}> ppid"),
    (2, "{actor}> subreaper on"),
    (2, "{actor}> setid 1000:1000"),
    (2, "{actor}> capdrop sys_admin"),
    (1, "{actor}> capdrop dac_override kill setuid"),
    (4, "{actor}> proc {target} {proc}"),
    (1, "{actor}> sleep {time}"),
];

/// What may stand in a slot.
const WORDS: &[(&str, &[&str])] = &[
    ("actor", &["init", "init", "init", "p", "q", "r", "s", "t"]),
    ("target", &["p", "q", "r", "s", "t", "init"]),
    ("child", &["p", "q", "r", "s", "t", "u", "v"]),
    (
        "group",
        &[
            "/sys/fs/cgroup/a",
            "/sys/fs/cgroup/a/b",
            "/sys/fs/cgroup",
            "/sys/fs/cgroup/a/b/c",
            "/sys/fs/cgroup/d",
            "/sys/fs/cgroup/a/e",
            "/mnt/a",
            "b",
            "..",
        ],
    ),
    (
        "path",
        &[
            "/sys/fs/cgroup/a",
            "/sys/fs/cgroup/a/cgroup.procs",
            "/sys/fs/cgroup/a/b/cgroup.subtree_control",
            "/sys/fs/cgroup",
            "/mnt",
            "/mnt/f",
            "/mnt/g/h",
            "/proc/self/status",
            "/proc/1/cgroup",
            "/",
            ".",
            "f",
            "",
        ],
    ),
    (
        "odd",
        &[
            "/sys/fs/cgroup/a/.",
            "/sys/fs/cgroup/..",
            "\"/sys/fs/cgroup/a\\nb\"",
            "\"/mnt/\\xff\"",
            "/sys/fs/cgroup/a/pids.max",
            "/mnt/a/",
            "//",
            "/sys/fs/cgroup/a/cgroup.procs/x",
        ],
    ),
    (
        "file",
        &[
            "cgroup.procs",
            "cgroup.events",
            "pids.max",
            "pids.current",
            "cgroup.freeze",
            "cgroup.threads",
            "cgroup.type",
            "cgroup.subtree_control",
            "cgroup.controllers",
            "cgroup.stat",
            "pids.events",
            "pids.peak",
            "cgroup.kill",
            "cpu.stat",
            "memory.pressure",
            "nothing",
        ],
    ),
    (
        "controllers",
        &[
            "+pids",
            "-pids",
            "+memory",
            "\"+cpu +pids\"",
            "\"+pids -pids\"",
            "-memory",
            "+nothing",
            "\"\"",
            "\"\\n\"",
        ],
    ),
    ("kinds", &["pid", "user,pid", "pid,uts", "user"]),
    ("member", &["<p>", "0", "<q>", "<r>", "<init>", "<s>", "1", "-1", "999999", "\"\""]),
    ("flag", &["1", "0", "2", "-1", "\"\"", "x"]),
    (
        "value",
        &[
            "1",
            "max",
            "0",
            "2",
            "3",
            "-1",
            "\"\"",
            "\"\\n\"",
            "0x10",
            "010",
            "+3",
            "\" 5 \"",
            "\"5 6\"",
            "4194304",
            "18446744073709551616",
            "\"\\xff\\0\"",
            "maximum",
        ],
    ),
    ("key", &["populated", "frozen", "max", "nothing"]),
    ("number", &["0", "1", "2", "255", "-1"]),
    ("mode", &["0755", "0700", "0000", "0777", "01777", "06755"]),
    ("owner", &["1000:1000", "0:0", "-1:1000", "1000:-1", "4294967294:0"]),
    ("attribute", &["user.a", "trusted.a", "security.a", "system.a", "a", "\"\""]),
    ("fd", &["f", "g", "h"]),
    ("time", &["0", "10", "100"]),
    ("signal", &["KILL", "STOP", "CONT", "TERM", "0", "CHLD", "USR1"]),
    ("proc", &["cgroup", "status", "stat", "comm", "nothing"]),
];

/// Most slots that a template has.
const MAX_SLOTS: usize = 4;

/// How property tests run: `STANDIN_CASES` cases, or 256. A failure prints its smallest case in full, which is all that is
/// needed to try it again, so no file remembers it.
#[must_use]
pub fn config() -> ProptestConfig {
    let cases = std::env::var("STANDIN_CASES").ok();
    let cases = cases.and_then(|cases| cases.replace('_', "").parse().ok()).unwrap_or(256);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A random script of `lines` operations for a machine in the unified layout.
pub fn scripts(lines: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let kernels = proptest::sample::select(&["6.12", "6.1", "6.18"][..]);
    (kernels, vec(line(), lines)).prop_map(|(kernel, lines)| {
        format!("machine kernel={kernel} layout=unified\n{}\n", lines.join("\n"))
    })
}

/// A random operation line.
pub fn line() -> impl Strategy<Value = String> {
    let all: u16 = TEMPLATES.iter().map(|(weight, _)| weight).sum();
    (0..all, any::<[u8; MAX_SLOTS]>()).prop_map(|(at, picks)| fill(template_at(at), &picks))
}

/// The template that a number below the sum of all weights falls on.
fn template_at(mut at: u16) -> &'static str {
    for (weight, template) in TEMPLATES {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return template,
        }
    }
    ""
}

/// The template with a word for each slot.
fn fill(template: &str, picks: &[u8; MAX_SLOTS]) -> String {
    let mut line = String::new();
    let mut rest = template;
    let mut picks = picks.iter().cycle();
    while let Some((before, slot, behind)) = next_slot(rest) {
        let words =
            WORDS.iter().find(|(name, _)| *name == slot).map_or(&[][..], |(_, words)| words);
        let pick = usize::from(picks.next().copied().unwrap_or_default()) % words.len().max(1);
        let word = words.get(pick).copied().unwrap_or_default();
        line.push_str(before);
        // A word of its own needs quotes to be empty; in front of more it does not.
        let alone = before.ends_with(' ') && (behind.is_empty() || behind.starts_with(' '));
        line.push_str(if word.is_empty() && alone { "\"\"" } else { word });
        rest = behind;
    }
    line.push_str(rest);
    line
}

/// What stands before, in and behind the first slot.
fn next_slot(template: &str) -> Option<(&str, &str, &str)> {
    let (before, slot) = template.split_once('{')?;
    let (slot, behind) = slot.split_once('}')?;
    Some((before, slot, behind))
}

#[cfg(test)]
mod tests {
    use super::{MAX_SLOTS, TEMPLATES, WORDS, fill, next_slot, template_at};
    use standin::transcript::parse;

    #[test]
    fn every_template_is_an_operation_whatever_fills_it() {
        for (_, template) in TEMPLATES {
            for pick in 0..=u8::MAX {
                let line = fill(template, &[pick, pick / 3, pick / 7, pick / 11]);
                let read = parse(format!("machine\n{line}\n").as_bytes());
                assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
            }
        }
    }

    #[test]
    fn every_slot_has_words_and_every_list_of_words_a_slot() {
        for (name, words) in WORDS {
            assert!(!words.is_empty() && words.len() <= usize::from(u8::MAX), "{name}");
            let slot = format!("{{{name}}}");
            assert!(
                TEMPLATES.iter().any(|(_, template)| template.contains(&slot)),
                "{name} is never used"
            );
        }
        for (_, template) in TEMPLATES {
            let (mut rest, mut slots) = (*template, 0);
            while let Some((_, slot, behind)) = next_slot(rest) {
                assert!(WORDS.iter().any(|(name, _)| *name == slot), "{template}: {slot}");
                (rest, slots) = (behind, slots + 1);
            }
            assert!(slots <= MAX_SLOTS, "{template}");
        }
    }

    #[test]
    fn every_template_is_reached() {
        let all: u16 = TEMPLATES.iter().map(|(weight, _)| weight).sum();
        let mut reached: Vec<&str> = (0..all).map(template_at).collect();
        reached.dedup();
        assert_eq!(reached, TEMPLATES.iter().map(|(_, template)| *template).collect::<Vec<_>>());
    }
}
