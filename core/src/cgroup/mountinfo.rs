//! Where cgroup filesystems are mounted: /proc/self/mountinfo, as bytes (proc_pid_mountinfo(5)).
//!
//! A pure parser: text in, rows out. Which of them is used is `hierarchy`'s business.

use crate::controller::{Controller, ControllerSet};
use crate::path::KPathBuf;

/// The list of the caller's mounts.
pub(super) const FILE: &str = "/proc/self/mountinfo";

/// A mounted filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The number of its device: mounts that show one hierarchy share it.
    pub(super) device: Vec<u8>,
    /// What is mounted.
    pub(super) kind: Kind,
    /// Which group of the hierarchy the mount shows as its root.
    pub(super) shows: KPathBuf,
    /// Where it is mounted.
    pub(super) at: KPathBuf,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The hierarchy of v2.
    V2,
    /// One of v1: its controllers, or its name.
    V1 { controllers: ControllerSet, name: Option<Vec<u8>> },
    /// No control groups.
    Other,
}

/// A line that is not as the manual page has it, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadLine(pub(super) usize);

/// The cgroup mounts, in the order in which they were made.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Row>, BadLine> {
    let lines = text.split(|byte| *byte == b'\n').zip(1..).filter(|(line, _)| !line.is_empty());
    let rows = lines.map(|(line, number)| row(line).ok_or(BadLine(number)));
    rows.filter(|row| row.as_ref().map_or(true, |row| row.kind != Kind::Other)).collect()
}

/// One line: number, number above, device, root, place, flags, any number of marks, a dash, type, source, options.
fn row(line: &[u8]) -> Option<Row> {
    let mut fields = line.split(|byte| *byte == b' ');
    let (device, shows, at) = (fields.nth(2)?, fields.next()?, fields.next()?);
    let _flags = fields.next()?;
    fields.find(|field| *field == b"-")?;
    let kind = fields.next()?;
    let (shows, at) = (unescape(shows)?, unescape(at)?);
    let kind = match kind {
        b"cgroup2" => Kind::V2,
        b"cgroup" => v1(fields.nth(1)?),
        _ => Kind::Other,
    };
    at.is_absolute().then(|| Row { device: device.to_vec(), kind, shows, at })
}

/// The options of a v1 hierarchy: controllers and `name=` among others. /proc/PID/cgroup has them too.
pub(super) fn v1(options: &[u8]) -> Kind {
    let words = || options.split(|byte| *byte == b',');
    let known = |word| Controller::from_v1_name(std::str::from_utf8(word).ok()?);
    let name = words().find_map(|word| word.strip_prefix(b"name="));
    Kind::V1 { controllers: words().filter_map(known).collect(), name: name.map(<[u8]>::to_vec) }
}

/// A path in which blanks, newlines and backslashes stand as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Option<KPathBuf> {
    let mut path = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        if *byte != b'\\' {
            path.push(*byte);
            continue;
        }
        let mut code = 0_u16;
        for _ in 0..3 {
            let digit = bytes.next().filter(|digit| matches!(digit, b'0'..=b'7'))?;
            code = code * 8 + u16::from(digit - b'0');
        }
        path.push(u8::try_from(code).ok()?);
    }
    KPathBuf::new(path).ok()
}

#[cfg(test)]
mod tests {
    use super::{BadLine, Kind, parse};
    use crate::controller::{Controller, ControllerSet};

    const BEFORE: &str = "23 27 0:22 / /sys rw,relatime - sysfs sysfs rw\n\
        32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n";

    /// Where the cgroup2 mounts of these lines are, and what they show.
    fn found(lines: &str) -> Result<Vec<(String, String)>, BadLine> {
        let mut rows = parse(format!("{BEFORE}{lines}").as_bytes())?;
        rows.retain(|row| row.kind == Kind::V2);
        Ok(rows.into_iter().map(|row| (row.at.to_string(), row.shows.to_string())).collect())
    }

    #[test]
    fn a_v1_mount_says_its_controllers_or_its_name() {
        let kinds = |options: &str| {
            let line = format!("32 31 0:29 / /a rw - cgroup x {options}\n");
            parse(line.as_bytes()).unwrap().remove(0).kind
        };
        let both = ControllerSet::from_iter([Controller::Cpu, Controller::Cpuacct]);
        assert_eq!(kinds("rw,cpu,cpuacct"), Kind::V1 { controllers: both, name: None });
        let named = kinds("rw,xattr,release_agent=/bin/x,name=systemd");
        let expected =
            Kind::V1 { controllers: ControllerSet::EMPTY, name: Some(b"systemd".to_vec()) };
        assert_eq!(named, expected);
    }

    #[test]
    fn a_cgroup2_mount_is_found_among_others_with_any_number_of_marks() {
        let line = "41 31 0:38 /a /sys/fs/cgroup/unified rw shared:4 master:9 - cgroup2 none rw";
        assert_eq!(found(line), Ok(vec![("/sys/fs/cgroup/unified".into(), "/a".into())]));
        assert_eq!(found(""), Ok(Vec::new()));
    }

    #[test]
    fn an_escaped_place_is_read_back() {
        let line = r"41 31 0:38 / /mnt/a\040b\134\011\012 rw - cgroup2 cgroup2 rw";
        assert_eq!(found(line), Ok(vec![("/mnt/a b\\\t\n".into(), "/".into())]));
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named_and_not_passed_over() {
        let bad = [
            "41",
            "41 31 0:38 / /a rw",
            "41 31 0:38 / /a rw -",
            r"41 31 0:38 / /a\04 rw - cgroup2 cgroup2 rw",
            r"41 31 0:38 / /a\777 rw - cgroup2 cgroup2 rw",
            r"41 31 0:38 / /a\000 rw - cgroup2 cgroup2 rw",
            "41 31 0:38 / here rw - cgroup2 cgroup2 rw",
            "\0",
        ];
        for line in bad {
            assert_eq!(found(line), Err(BadLine(3)), "{line:?}");
        }
    }
}
