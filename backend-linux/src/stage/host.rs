//! What this host is, as far as a script cares: its release, its cgroup hierarchies and where they are mounted.
//!
//! It looks and changes nothing. `refusal` compares it with a script, `place` finds a group's path by it.

use std::io;

use standin::transcript::{Layout, Release};

use super::escape::from_octal;

/// Where cgroup filesystems belong.
const CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// A line of mountinfo (proc_pid_mountinfo(5)).
#[derive(Clone, Debug)]
pub(super) struct Mount {
    /// Major and minor number of the filesystem.
    pub(super) device: (u32, u32),
    /// Which directory of the filesystem is mounted.
    pub(super) root: Vec<u8>,
    pub(super) point: Vec<u8>,
    pub(super) kind: Vec<u8>,
    /// The filesystem's own options.
    pub(super) options: Vec<u8>,
}

impl Mount {
    fn read(line: &[u8]) -> Option<Self> {
        let mut words = line.split(|byte| *byte == b' ');
        let device = std::str::from_utf8(words.nth(2)?).ok()?;
        let (major, minor) = device.split_once(':')?;
        let (root, point) = (from_octal(words.next()?), from_octal(words.next()?));
        words.by_ref().find(|word| *word == b"-")?;
        let (kind, _source, options) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            device: (major.parse().ok()?, minor.parse().ok()?),
            root,
            point,
            kind: kind.to_vec(),
            options: options.to_vec(),
        })
    }

    pub(super) fn is_cgroup(&self) -> bool {
        self.kind == b"cgroup" || self.kind == b"cgroup2"
    }

    pub(super) fn has_option(&self, option: &str) -> bool {
        self.options.split(|byte| *byte == b',').any(|word| word == option.as_bytes())
    }
}

/// The mounts that the calling process sees.
///
/// # Errors
/// If /proc is not mounted.
pub(super) fn mounts() -> io::Result<Vec<Mount>> {
    let text = std::fs::read("/proc/self/mountinfo")?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(Mount::read).collect())
}

/// This host.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) mounts: Vec<Mount>,
    /// The kernel's release, as uname(2) tells it.
    pub(super) release: String,
}

impl Host {
    /// Looks around.
    ///
    /// # Errors
    /// If /proc is not mounted.
    pub(super) fn look() -> io::Result<Self> {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
        Ok(Self { mounts: mounts()?, release: release.trim_end().to_owned() })
    }

    /// Which of the modelled kernels it runs, if it is one.
    pub(super) fn kernel(&self) -> Option<Release> {
        let (major, rest) = self.release.split_once('.')?;
        let minor = rest.split(|byte: char| !byte.is_ascii_digit()).next()?;
        Release::ALL.iter().copied().find(|release| release.word() == format!("{major}.{minor}"))
    }

    /// How its hierarchies are mounted, if in one of the three ways.
    pub(super) fn layout(&self) -> Option<Layout> {
        let unified = |at: &str| {
            self.hierarchies().any(|it| it.kind == b"cgroup2" && it.point == at.as_bytes())
        };
        let has_v1 = self.hierarchies().any(|it| it.kind == b"cgroup");
        if unified(CGROUP_ROOT) {
            Some(Layout::Unified)
        } else if has_v1 && unified("/sys/fs/cgroup/unified") {
            Some(Layout::Hybrid)
        } else if has_v1 && !self.hierarchies().any(|it| it.kind == b"cgroup2") {
            Some(Layout::Legacy)
        } else {
            None
        }
    }

    /// Whether a controller is mounted as v1 where scripts look for it.
    pub(super) fn has_v1(&self, controller: &str) -> bool {
        let point = format!("{CGROUP_ROOT}/{controller}");
        self.hierarchies().any(|it| {
            it.kind == b"cgroup" && it.point == point.as_bytes() && it.has_option(controller)
        })
    }

    /// The mounts of whole hierarchies.
    pub(super) fn hierarchies(&self) -> impl Iterator<Item = &Mount> {
        self.mounts.iter().filter(|mount| mount.is_cgroup() && mount.root == b"/")
    }

    /// Where the hierarchy on a device is mounted.
    pub(super) fn hierarchy(&self, device: (u32, u32)) -> Option<&Mount> {
        self.hierarchies().find(|mount| mount.device == device)
    }

    /// Whether a filesystem is mounted anywhere on the host.
    pub(super) fn knows(&self, device: (u32, u32)) -> bool {
        self.mounts.iter().any(|mount| mount.device == device)
    }

    /// Where cgroup2 is mounted.
    pub(super) fn cgroup2(&self) -> Option<&Mount> {
        self.hierarchies().find(|mount| mount.kind == b"cgroup2")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(release: &str, lines: &[&str]) -> Host {
        let mounts = lines.iter().filter_map(|line| Mount::read(line.as_bytes())).collect();
        Host { mounts, release: release.to_owned() }
    }

    const PIDS: &str = "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids";

    #[test]
    fn a_layout_is_told_by_where_cgroup2_is_mounted() {
        let at = |point: &str| format!("41 31 0:38 / {point} rw,nosuid shared:4 - cgroup2 none rw");
        let (root, below) = (at("/sys/fs/cgroup"), at("/sys/fs/cgroup/unified"));
        for (lines, layout) in [
            (vec![root.as_str()], Some(Layout::Unified)),
            (vec![PIDS, below.as_str()], Some(Layout::Hybrid)),
            (vec![PIDS], Some(Layout::Legacy)),
            (vec![below.as_str()], None),
            (vec![], None),
        ] {
            assert_eq!(host("6.18.44", &lines).layout(), layout, "{lines:?}");
        }
        assert!(host("6.1", &[PIDS]).has_v1("pids"));
        assert!(!host("6.1", &[PIDS]).has_v1("memory"));
    }

    #[test]
    fn a_release_is_told_by_its_first_two_numbers() {
        for (release, kernel) in [
            ("6.18.44-fc", Some("6.18")),
            ("6.1.0-13-amd64", Some("6.1")),
            ("6.12-rc1", Some("6.12")),
            ("5.15.2", None),
        ] {
            assert_eq!(host(release, &[]).kernel().map(Release::word), kernel, "{release}");
        }
    }
}
