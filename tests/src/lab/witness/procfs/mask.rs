//! What is a host's own in what tools read of /proc, hidden: a `#` stands for it.
//!
//! The same rows hide it in a recording and in what a machine answers, so all else is compared byte for byte.
//! `fixtures/witness/left_out.toml` has the reasons.

use std::collections::BTreeMap;

use standin::transcript::shape;

/// What is hidden of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    /// Fields, counted from 1; the second, the name, may have blanks and ends with the last bracket.
    Fields(&'static [usize]),
    /// What is behind these names and a colon.
    Values(&'static [&'static str]),
    /// Every number.
    Numbers,
    /// Every number, and how much room it takes.
    Amounts,
    /// Every number, and behind these words how many there are.
    Counts(&'static [&'static str]),
    /// Of mounts: their numbers and those of their devices, which are told apart by the order; the room of what the kernel mounts
    /// first; and the mount that the recorder has made.
    Mounts,
}

/// Files of processes.
const OF_PROCESSES: [(&str, Hidden); 3] = [
    ("mountinfo", Hidden::Mounts),
    ("stat", Hidden::Fields(&STAT)),
    (
        "status",
        Hidden::Values(&[
            "FDSize",
            "VmPeak",
            "VmSize",
            "VmHWM",
            "VmRSS",
            "RssAnon",
            "RssFile",
            "RssShmem",
            "VmData",
            "VmStk",
            "VmExe",
            "VmLib",
            "VmPTE",
            "voluntary_ctxt_switches",
            "nonvoluntary_ctxt_switches",
        ]),
    ),
];
/// Faults and times; start, sizes, addresses of code and stack; processor and waiting for disks; addresses of data.
const STAT: [usize; 23] =
    [10, 11, 12, 13, 14, 15, 16, 17, 22, 23, 24, 26, 27, 28, 39, 42, 45, 46, 47, 48, 49, 50, 51];
/// The field of flags, and the one that says that a task made use of a privilege (`PF_SUPERPRIV`).
const FLAGS: usize = 9;
const USED_PRIVILEGE: u64 = 0x100;
/// Signals 32 and 33, which the C library has for itself: what it does with them its programs do not say.
const OF_C_LIBRARY: u64 = 3 << 31;
/// Files of the whole system.
const OF_SYSTEM: [(&str, Hidden); 4] = [
    ("/proc/loadavg", Hidden::Numbers),
    ("/proc/stat", Hidden::Counts(&["intr", "softirq"])),
    ("/proc/meminfo", Hidden::Amounts),
    ("/proc/sys/kernel/pid_max", Hidden::Numbers),
];
/// Columns of what tools print.
const COLUMNS: [&str; 5] = ["C", "STIME", "TIME", "SZ", "RSS"];
/// Tools that print such numbers alone.
const OF_NUMBERS: [&str; 2] = ["uptime", "free"];
/// Numbers of namespaces begin near here.
const FIRST_NAMESPACE: u64 = 4_026_531_800;

/// A transcript with what is a host's own hidden. Namespaces are numbered in their order, kind by kind.
#[must_use]
pub fn hidden(transcript: &str) -> String {
    let (mut namespaces, mut mounts) = (Namespaces::default(), Mounts::default());
    let (mut about, mut lines) = (None, Vec::new());
    for line in transcript.lines() {
        let line = if let Some((_, op)) = line.split_once("> ") {
            about = op.strip_prefix("read ").and_then(row);
            mounts = Mounts::default();
            line.to_owned()
        } else if let Some(told) = line.strip_prefix("| ") {
            let told = match about {
                None => namespaces.number(told),
                Some(Hidden::Mounts) => match mounts.line(told) {
                    Some(told) => told,
                    None => continue,
                },
                Some(hidden) => hide(hidden, told),
            };
            format!("| {told}")
        } else {
            line.to_owned()
        };
        lines.push(line);
    }
    let printed = |line: String| {
        if line.starts_with("# ") { namespaces.in_comment(&line) } else { line }
    };
    lines.into_iter().map(|line| printed(line) + "\n").collect()
}

/// What is hidden of a file.
fn row(path: &str) -> Option<Hidden> {
    if let Some((_, hidden)) = OF_SYSTEM.iter().find(|(file, _)| *file == path) {
        return Some(*hidden);
    }
    let (process, inside) = path.strip_prefix("/proc/")?.split_once('/')?;
    let file = inside.rsplit_once('/').map_or(inside, |(_, file)| file);
    let row = OF_PROCESSES.iter().find(|(name, _)| *name == file && process != "sys");
    row.map(|(_, hidden)| *hidden)
}

fn hide(hidden: Hidden, line: &str) -> String {
    match hidden {
        Hidden::Mounts => line.to_owned(),
        Hidden::Numbers => numbers(line),
        Hidden::Amounts => match line.split_once(':') {
            Some((name, amount)) => format!("{}: {}", numbers(name), numbers(amount.trim())),
            None => line.to_owned(),
        },
        Hidden::Counts(names) => match line.split_once(' ') {
            Some((name, _)) if names.contains(&name) => format!("{name} #"),
            _ => numbers(line),
        },
        Hidden::Values(names) => match line.split_once(':') {
            Some((name, _)) if names.contains(&name) => format!("{name}:\t#"),
            // The most signals are as many as there is memory for.
            Some(("SigQ", count)) => {
                format!("SigQ:{}/#", count.split('/').next().unwrap_or_default())
            }
            Some((name @ ("SigIgn" | "SigCgt"), set)) => {
                let set = u64::from_str_radix(set.trim(), 16).unwrap_or_default();
                format!("{name}:\t{:016x}", set & !OF_C_LIBRARY)
            }
            _ => line.to_owned(),
        },
        Hidden::Fields(fields) => {
            let Some((head, rest)) = line.rsplit_once(") ") else { return line.to_owned() };
            let words = rest.split(' ').zip(3..);
            let words: Vec<String> = words
                .map(|(word, at)| match word.parse::<u64>() {
                    _ if fields.contains(&at) => "#".to_owned(),
                    Ok(flags) if at == FLAGS => (flags & !USED_PRIVILEGE).to_string(),
                    _ => word.to_owned(),
                })
                .collect();
            format!("{head}) {}", words.join(" "))
        }
    }
}

fn numbers(text: &str) -> String {
    String::from_utf8_lossy(&shape(text.as_bytes())).into_owned()
}

/// What the recorder's mount is called.
const RECORDERS: &str = "standin";
/// Filesystems that the kernel mounts while it counts its memory.
const FIRST: [&str; 2] = ["rootfs", "devtmpfs"];

/// The numbers of the mounts of one list, and which line each has.
#[derive(Debug, Default)]
struct Mounts(Vec<(String, usize)>);

impl Mounts {
    /// A line with what is a host's own hidden; none of the recorder's, whose number then stands for what is below.
    fn line(&mut self, line: &str) -> Option<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let [number, above, device, rest @ ..] = &words[..] else { return Some(line.to_owned()) };
        if number.starts_with('#') {
            return Some(line.to_owned());
        }
        let known = |number: &str| self.0.iter().find(|(it, _)| it == number).map(|(_, at)| *at);
        let next = self.0.iter().map(|(_, at)| at + 1).max().unwrap_or_default();
        let above = known(above).unwrap_or(next);
        // The source stands before the last word, the filesystem's options.
        if rest.iter().rev().nth(1) == Some(&RECORDERS) {
            self.0.push(((*number).to_owned(), above));
            return None;
        }
        self.0.push(((*number).to_owned(), next));
        let (major, _) = device.split_once(':')?;
        let is_first = rest.iter().any(|word| FIRST.contains(word));
        let option = |option: &str| match option.split_once('=') {
            Some((name @ ("size" | "nr_inodes"), _)) if is_first => format!("{name}=#"),
            _ => option.to_owned(),
        };
        let rest = rest.iter().map(|word| {
            let options: Vec<String> = word.split(',').map(option).collect();
            options.join(",")
        });
        let rest: Vec<String> = rest.collect();
        Some(format!("#{next} #{above} {major}:# {}", rest.join(" ")))
    }
}

/// Which namespaces were told of.
#[derive(Debug, Default)]
struct Namespaces(BTreeMap<String, Vec<u64>>);

impl Namespaces {
    /// `KIND:[NUMBER]` as `KIND:[#N]`; what is none stays.
    fn number(&mut self, told: &str) -> String {
        let parts = told.split_once(":[");
        let number = parts.and_then(|(_, rest)| rest.strip_suffix(']')?.parse().ok());
        let (Some((kind, _)), Some(number)) = (parts, number) else { return told.to_owned() };
        let seen = self.0.entry(kind.to_owned()).or_default();
        let at = seen.iter().position(|known| *known == number).unwrap_or_else(|| {
            seen.push(number);
            seen.len() - 1
        });
        format!("{kind}:[#{at}]")
    }

    /// What a tool printed, its numbers replaced.
    fn in_comment(&self, line: &str) -> String {
        let word = |word: &str| {
            let Ok(number) = word.parse::<u64>() else { return word.to_owned() };
            let mut all = self.0.iter();
            let found = all.find_map(|(kind, seen)| {
                Some((kind, seen.iter().position(|known| *known == number)?))
            });
            match found {
                Some((kind, at)) => format!("{kind}#{at}"),
                None if number > FIRST_NAMESPACE => "#".to_owned(),
                None => word.to_owned(),
            }
        };
        line.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }
}

/// What a tool printed, without what is a host's own: words below the heads of such columns.
#[must_use]
pub fn columns(command: &str, printed: &[String]) -> Vec<String> {
    if OF_NUMBERS.contains(&command) {
        let amounts = |line: &String| {
            let words: Vec<String> = line.split_whitespace().map(numbers).collect();
            words.join(" ")
        };
        return printed.iter().map(amounts).collect();
    }
    let heads: Vec<&str> = printed.first().map_or("", String::as_str).split_whitespace().collect();
    let is_hidden = |at: usize| heads.get(at).is_some_and(|head| COLUMNS.contains(head));
    let rest = printed.iter().skip(1).map(|line| {
        let (mut told, mut words) = (String::new(), 0);
        for word in line.split_inclusive(char::is_whitespace) {
            let is_word = !word.trim().is_empty();
            if is_word && is_hidden(words) {
                told.truncate(told.trim_end().len());
                told.push_str(" # ");
            } else {
                told.push_str(word);
            }
            words += usize::from(is_word);
        }
        told.trim_end().to_owned()
    });
    printed.iter().take(1).cloned().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_values_and_numbers_of_a_host_are_hidden_and_nothing_else() {
        let text = "\
            t> read /proc/2/stat\n\
            | 2 (a) b) S 1 2 2 0 -1 320 9 8 7 6 5 4 3 2 20 0 1 0 77 88 99 123\n\
            t> read /proc/2/task/2/status\n| Name:\ta\n| VmRSS:\t  12 kB\n\
            t> read /proc/loadavg\n| 12.3 4.5\n\
            t> read /proc/sys/kernel/pid_max\n| 32768\n\
            t> read /proc/sys/kernel/overflowuid\n| 65534\n";
        let expected = "\
            t> read /proc/2/stat\n\
            | 2 (a) b) S 1 2 2 0 -1 64 # # # # # # # # 20 0 1 0 # # # 123\n\
            t> read /proc/2/task/2/status\n| Name:\ta\n| VmRSS:\t#\n\
            t> read /proc/loadavg\n| #.# #.#\n\
            t> read /proc/sys/kernel/pid_max\n| #\n\
            t> read /proc/sys/kernel/overflowuid\n| 65534\n";
        assert_eq!(hidden(text), expected);
        assert_eq!(hidden(expected), expected);
    }

    #[test]
    fn amounts_lose_their_room_and_mounts_have_the_numbers_of_their_lines() {
        let text = "\
            t> read /proc/meminfo\n| MemFree:    12 kB\n| DirectMap4k:  3 kB\n\
            t> read /proc/stat\n| cpu  1 2\n| intr 1 2 3\n\
            t> read /proc/self/mountinfo\n\
            | 40 40 0:2 / / rw - rootfs rootfs rw,size=7k\n\
            | 47 40 0:28 / /mnt rw - tmpfs standin rw\n\
            | 50 47 0:30 / /mnt/x rw - tmpfs tmpfs rw,size=7k\n";
        let expected = "\
            t> read /proc/meminfo\n| MemFree: # kB\n| DirectMap#k: # kB\n\
            t> read /proc/stat\n| cpu  # #\n| intr #\n\
            t> read /proc/self/mountinfo\n\
            | #0 #0 0:# / / rw - rootfs rootfs rw,size=#\n\
            | #1 #0 0:# / /mnt/x rw - tmpfs tmpfs rw,size=7k\n";
        assert_eq!(hidden(text), expected);
        assert_eq!(hidden(expected), expected);
    }

    #[test]
    fn namespaces_are_numbered_kind_by_kind_in_their_order() {
        let text = "\
            #  4026531836 pid 1\n#  4026539999 net 1\n\
            t> readlink /proc/1/ns/pid\n| pid:[4026531836]\n\
            t> readlink /proc/2/ns/pid\n| pid:[4026532000]\n\
            t> readlink /proc/3/ns/pid\n| pid:[4026531836]\n";
        let expected = "\
            #  pid#0 pid 1\n#  # net 1\n\
            t> readlink /proc/1/ns/pid\n| pid:[#0]\n\
            t> readlink /proc/2/ns/pid\n| pid:[#1]\n\
            t> readlink /proc/3/ns/pid\n| pid:[#0]\n";
        assert_eq!(hidden(text), expected);
        assert_eq!(hidden(expected), expected);
    }

    #[test]
    fn columns_that_are_a_hosts_are_hidden_in_what_is_printed() {
        let printed = ["UID   PID  C STIME CMD", "root    1 11 09:20 a  b"].map(str::to_owned);
        assert_eq!(columns("ps", &printed), ["UID   PID  C STIME CMD", "root    1 # # a  b"]);
        let printed = [" 09:20 up 3 min".to_owned()];
        assert_eq!(columns("uptime", &printed), ["#:# up # min"]);
    }
}
