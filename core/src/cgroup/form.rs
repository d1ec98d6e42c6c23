//! How a file says what was written to it, where it says it in other words: [`says`], [`back`].
//!
//! A kernel rounds bytes to pages, sorts lists, and answers with lines for what was never named. The table here has the files
//! of which this is known; all others say exactly what was written. It knows no backend: text in, answer out.

use super::name::FileName;
use super::value::Value;

/// What a file makes of what is written.
#[derive(Clone, Copy)]
enum Form {
    /// Nothing.
    Plain,
    /// An order that is carried out: nothing is kept.
    Command,
    /// Bytes, rounded down to whole pages; the word for no limit.
    Bytes(&'static str),
    /// A list of numbers and ranges.
    List,
    /// Words, of which the last may be left out: then they stay as they are.
    Words,
    /// Lines of a key and a value; the key that may be left out, and the value that takes a line away.
    Lines { unsaid: &'static str, gone: &'static str },
    /// Lines of a key and any of its `NAME=VALUE`; the value that each has where there is no line.
    Nested { gone: &'static str },
    /// A state that may take a while to be reached.
    Frozen,
}

const V2_BYTES: Form = Form::Bytes("max");
const V1_BYTES: Form = Form::Bytes("-1");
const DEVICES: Form = Form::Lines { unsaid: "", gone: "0" };
const WEIGHTS: Form = Form::Lines { unsaid: "default", gone: "default" };
const LIMITS: Form = Form::Nested { gone: "max" };

/// Files (a star stands for any text), and their forms: cgroup-v2.rst and cgroup-v1/ of the kernel's documents.
const TABLE: &[(&str, Form)] = &[
    ("cgroup.procs", Form::Command),
    ("cgroup.threads", Form::Command),
    ("tasks", Form::Command),
    ("cgroup.subtree_control", Form::Command),
    ("cgroup.kill", Form::Command),
    ("cgroup.event_control", Form::Command),
    ("memory.reclaim", Form::Command),
    ("memory.force_empty", Form::Command),
    ("*.pressure", Form::Command),
    ("devices.allow", Form::Command),
    ("devices.deny", Form::Command),
    ("memory.min", V2_BYTES),
    ("memory.low", V2_BYTES),
    ("memory.high", V2_BYTES),
    ("memory.max", V2_BYTES),
    ("memory.swap.high", V2_BYTES),
    ("memory.swap.max", V2_BYTES),
    ("memory.zswap.max", V2_BYTES),
    ("hugetlb.*.max", V2_BYTES),
    ("memory.*limit_in_bytes", V1_BYTES),
    ("hugetlb.*.limit_in_bytes", V1_BYTES),
    ("cpuset.cpus", Form::List),
    ("cpuset.cpus.exclusive", Form::List),
    ("cpuset.mems", Form::List),
    ("cpu.max", Form::Words),
    ("io.weight", WEIGHTS),
    ("io.bfq.weight", WEIGHTS),
    ("io.max", LIMITS),
    ("io.latency", LIMITS),
    ("rdma.max", LIMITS),
    ("misc.max", Form::Lines { unsaid: "", gone: "max" }),
    ("dmem.*", Form::Lines { unsaid: "", gone: "max" }),
    ("blkio.throttle.*_device", DEVICES),
    ("blkio*.weight_device", DEVICES),
    ("net_prio.ifpriomap", DEVICES),
    ("memory.oom_control", Form::Lines { unsaid: "oom_kill_disable", gone: "" }),
    ("freezer.state", Form::Frozen),
];

/// The least page that Linux has. Where pages are longer, a value that is no whole number of them is told to the caller.
const PAGE: u64 = 4096;
/// Within this of the greatest number a limit is none: the kernel's own is rounded to whole pages, huge ones too.
const NO_LIMIT: u64 = i64::MAX.unsigned_abs() - (1 << 30);

fn form(file: &FileName) -> Form {
    let name = file.to_string();
    let fits = |pattern: &str| match pattern.split_once('*') {
        Some((start, end)) => name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
        None => name == pattern,
    };
    TABLE.iter().find(|(pattern, _)| fits(pattern)).map_or(Form::Plain, |(_, form)| *form)
}

/// Whether a file takes orders, of which nothing is left to be read.
pub(super) fn is_command(file: &FileName) -> bool {
    matches!(form(file), Form::Command)
}

/// Whether a file that says this has the value.
pub(super) fn says(file: &FileName, said: &[u8], value: &Value) -> bool {
    let said = said.strip_suffix(b"\n").unwrap_or(said);
    if said == value.as_bytes() {
        return true;
    }
    let (Ok(said), Ok(wanted)) = (str::from_utf8(said), str::from_utf8(value.as_bytes())) else {
        return false;
    };
    let equal = |one: Option<_>, other: Option<_>| one.is_some() && one == other;
    match form(file) {
        Form::Plain | Form::Command => false,
        Form::Bytes(none) => {
            let page = huge_page(file).unwrap_or(PAGE);
            bytes(said, "max", page).is_some_and(|said| bytes(wanted, none, page) == Some(said))
        }
        Form::List => equal(ranges(said), ranges(wanted)),
        Form::Words => {
            let mut said = said.split_ascii_whitespace();
            !wanted.is_empty()
                && wanted.split_ascii_whitespace().all(|word| said.next() == Some(word))
        }
        Form::Lines { unsaid, gone } => {
            let (key, wanted) = keyed(wanted, unsaid);
            line(said, key).unwrap_or(gone) == wanted
        }
        Form::Nested { gone } => {
            let (key, wanted) = keyed(wanted, "");
            let has = |pair: &str| match line(said, key) {
                Some(line) => line.split_ascii_whitespace().any(|it| it == pair),
                None => pair.split_once('=').is_some_and(|(_, value)| value == gone),
            };
            !wanted.is_empty() && wanted.split_ascii_whitespace().all(has)
        }
        Form::Frozen => frozen(said) == wanted,
    }
}

/// What has to be written for the file to say again what it says, once this value was written.
pub(super) fn back(file: &FileName, said: &[u8], value: &Value) -> Option<Value> {
    let said = said.strip_suffix(b"\n").unwrap_or(said);
    let (text, wanted) = (str::from_utf8(said).ok(), str::from_utf8(value.as_bytes()).ok());
    let old = match (form(file), text.zip(wanted)) {
        (Form::Command, _) => return None,
        (Form::Lines { unsaid, gone }, Some((said, wanted))) => {
            let (key, _) = keyed(wanted, unsaid);
            let old = line(said, key).unwrap_or(gone);
            if key == unsaid { old.to_owned() } else { format!("{key} {old}") }.into_bytes()
        }
        (Form::Nested { gone }, Some((said, wanted))) => {
            let (key, wanted) = keyed(wanted, "");
            let old = line(said, key).map_or_else(
                || {
                    let names = wanted.split_ascii_whitespace().filter_map(|it| it.split_once('='));
                    names.map(|(name, _)| format!("{name}={gone} ")).collect()
                },
                str::to_owned,
            );
            format!("{key} {}", old.trim_end()).into_bytes()
        }
        (Form::Frozen, Some((said, _))) => frozen(said).into(),
        _ => said.to_vec(),
    };
    Value::new(old).ok()
}

/// A key and what is said of it; the unsaid key if there is one word alone.
fn keyed<'a>(text: &'a str, unsaid: &'a str) -> (&'a str, &'a str) {
    let text = text.trim_ascii();
    text.split_once(' ').map_or((unsaid, text), |(key, rest)| (key, rest.trim_ascii_start()))
}

/// What a line says of its key.
fn line<'a>(said: &'a str, key: &str) -> Option<&'a str> {
    said.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(' ')?.trim_ascii()))
}

/// The size of the pages that a file of hugetlb is about: of `hugetlb.2MB.max` two MiB.
fn huge_page(file: &FileName) -> Option<u64> {
    let name = file.to_string();
    let size = name.strip_prefix("hugetlb.")?.split_once('.')?.0;
    bytes(size.strip_suffix('B')?, "", 1)
}

/// Whole pages of bytes, with the suffixes that the kernel knows (memparse); the greatest number of all for no limit.
pub(super) fn bytes(text: &str, none: &str, page: u64) -> Option<u64> {
    const SUFFIXES: &str = "KMGTPE";
    if text == none {
        return Some(u64::MAX);
    }
    let digits = text.trim_end_matches(|last: char| last.is_ascii_alphabetic());
    let power = match text.strip_prefix(digits)?.to_ascii_uppercase().as_str() {
        "" => 0,
        suffix => SUFFIXES.find(suffix).filter(|_| suffix.len() == 1)? + 1,
    };
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = if is_plain { digits.parse().ok()? } else { return None };
    let number = number.checked_mul(1 << (10 * power))?;
    Some(if number > NO_LIMIT { u64::MAX } else { number / page * page })
}

/// The ranges of a list, sorted and joined.
fn ranges(text: &str) -> Option<Vec<(u32, u32)>> {
    let words = text.split(',').map(str::trim_ascii).filter(|word| !word.is_empty());
    let mut all: Vec<(u32, u32)> = words
        .map(|word| {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            Some((first.parse().ok()?, last.parse().ok()?)).filter(|(first, last)| first <= last)
        })
        .collect::<Option<_>>()?;
    all.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (first, last) in all {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    Some(joined)
}

/// The state that a freezer is in or on its way to (cgroup-v1/freezer-subsystem.rst).
fn frozen(said: &str) -> &str {
    if said == "FREEZING" { "FROZEN" } else { said }
}

#[cfg(test)]
mod tests {
    use super::{back, says};
    use crate::cgroup::{FileName, Value};

    #[track_caller]
    fn check(file: &str, said: &str, same: &[&str], other: &[&str]) {
        let file = FileName::new(file).unwrap();
        let says = |wanted: &&str| says(&file, said.as_bytes(), &Value::try_from(*wanted).unwrap());
        for wanted in same {
            assert!(says(wanted), "{file} that says {said:?} has {wanted:?}");
        }
        for wanted in other {
            assert!(!says(wanted), "{file} that says {said:?} does not have {wanted:?}");
        }
    }

    #[test]
    fn bytes_are_whole_pages_and_no_limit_has_a_word_for_each_version() {
        check(
            "memory.max",
            "1048576\n",
            &["1M", "1m", "1049000", "1024K"],
            &["1M1", "1052672", "max"],
        );
        check("memory.max", "max\n", &["max", "9223372036854775807", "8E"], &["-1", "1M", ""]);
        check("memory.limit_in_bytes", "9223372036854771712\n", &["-1"], &["max", "4096"]);
        check("memory.memsw.limit_in_bytes", "9223372036854771712\n", &["-1"], &[]);
        check("hugetlb.2MB.max", "2097152\n", &["3000000", "2M"], &["4194304", "2000000"]);
        check("hugetlb.1GB.rsvd.max", "0\n", &["1M"], &["1G"]);
        check("pids.max", "5\n", &["5"], &["5K", "05", "max"]);
    }

    #[test]
    fn lists_are_the_same_in_any_order_and_words_may_be_left_out_at_the_end() {
        check("cpuset.cpus", "0-3,5\n", &["5,0-3", "0,1,2,3,5", "0-1,2-3,5"], &["0-5", "", "all"]);
        check("cpuset.mems", "\n", &["", " "], &["0"]);
        check("cpu.max", "max 100000\n", &["max", "max 100000"], &["", "100000", "max 5"]);
    }

    #[test]
    fn of_lines_with_keys_only_those_count_that_are_wanted() {
        let weights = "default 100\n8:0 200\n";
        check(
            "io.weight",
            weights,
            &["100", "default 100", "8:0 200", "8:16 default"],
            &["200", "8:0 default"],
        );
        let limits = "8:0 rbps=1000 wbps=max riops=max wiops=max\n";
        check(
            "io.max",
            limits,
            &["8:0 rbps=1000", "8:0 wiops=max rbps=1000", "8:16 rbps=max"],
            &["8:0 rbps=1", "8:16 rbps=1"],
        );
        check("memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n", &["1"], &["0"]);
        check("blkio.throttle.read_bps_device", "", &["8:0 0"], &["8:0 5"]);
        check("freezer.state", "FREEZING\n", &["FROZEN"], &["THAWED"]);
        check("cgroup.procs", "1\n5\n", &[], &["5"]);
    }

    #[test]
    fn what_was_there_can_be_said_again_in_one_line() {
        let back = |file: &str, said: &str, written: &str| {
            let file = FileName::new(file).unwrap();
            back(&file, said.as_bytes(), &Value::try_from(written).unwrap())
                .map(|it| it.to_string())
        };
        assert_eq!(back("pids.max", "max\n", "5").unwrap(), "max");
        let weights = "default 100\n8:0 200\n";
        assert_eq!(back("io.weight", weights, "7").unwrap(), "100");
        assert_eq!(back("io.weight", weights, "8:0 7").unwrap(), "8:0 200");
        assert_eq!(back("io.weight", weights, "8:16 7").unwrap(), "8:16 default");
        assert_eq!(back("io.max", "", "8:0 rbps=5 wbps=5").unwrap(), "8:0 rbps=max wbps=max");
        assert_eq!(
            back("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n", "1").unwrap(),
            "0"
        );
        assert_eq!(back("cgroup.procs", "1\n5\n", "7"), None);
        assert_eq!(back("x.y", "1\n5\n", "7"), None, "two lines are no value");
    }
}
