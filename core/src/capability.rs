//! Capabilities: [`Capability`], [`CapabilitySet`], and the process's [`Securebits`].
//!
//! Facts are those of capabilities(7). This file knows names and numbers; who may do what with
//! them, and what exec does to them, is the kernel's, and so the backend's. The context library
//! keeps its own capability words, since older patches numbered some differently.

use std::fmt;

use bitflags::bitflags;

use crate::bit_set::bit_set;

/// One of the privileges that root's is divided into, 0 to 40.
///
/// It prints in lower case without `cap_`.
///
/// ```
/// use standin::Capability;
///
/// assert_eq!(Capability::SYS_ADMIN.number(), 21);
/// assert_eq!(Capability::SYS_ADMIN.to_string(), "sys_admin");
/// assert_eq!(Capability::from_name("CAP_SYS_ADMIN"), Some(Capability::SYS_ADMIN));
/// assert_eq!(Capability::from_name("sys_admin"), Some(Capability::SYS_ADMIN));
/// assert_eq!(Capability::new(41), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(u8);

/// One row of the table below.
struct Row {
    #[cfg(test)]
    capability: (Capability, &'static str),
    name: &'static str,
    meaning: &'static str,
}

/// Makes a constant and a table row of each row `number NAME name "what it permits";`.
macro_rules! capabilities {
    ($($number:literal $constant:ident $name:literal $meaning:literal;)*) => {
        impl Capability {
            $(#[doc = concat!($meaning, " (", $number, ").")]
            pub const $constant: Capability = Capability($number);)*
        }

        /// All of them; row N is capability N.
        const TABLE: &[Row] = &[$(Row {
            #[cfg(test)]
            capability: (Capability::$constant, stringify!($constant)),
            name: $name,
            meaning: $meaning,
        },)*];
    };
}

capabilities! {
    0 CHOWN "chown" "give a file to any owner or group";
    1 DAC_OVERRIDE "dac_override" "read, write and search whatever the permission bits say";
    2 DAC_READ_SEARCH "dac_read_search" "read and search whatever the permission bits say";
    3 FOWNER "fowner" "do what is a file owner's alone";
    4 FSETID "fsetid" "keep the set-id bits when a file changes";
    5 KILL "kill" "signal any process";
    6 SETGID "setgid" "take any group id and any list of groups";
    7 SETUID "setuid" "take any user id";
    8 SETPCAP "setpcap" "add to the inheritable set, shrink the bounding set, set securebits";
    9 LINUX_IMMUTABLE "linux_immutable" "set and clear the immutable and append-only marks";
    10 NET_BIND_SERVICE "net_bind_service" "bind to the low, reserved ports";
    11 NET_BROADCAST "net_broadcast" "send broadcasts; the kernel asks for it nowhere";
    12 NET_ADMIN "net_admin" "configure interfaces, routes and filters";
    13 NET_RAW "net_raw" "open raw and packet sockets";
    14 IPC_LOCK "ipc_lock" "lock memory beyond the limit";
    15 IPC_OWNER "ipc_owner" "use System V objects whatever their permission bits say";
    16 SYS_MODULE "sys_module" "load and remove kernel modules";
    17 SYS_RAWIO "sys_rawio" "reach I/O ports and physical memory";
    18 SYS_CHROOT "sys_chroot" "change the root directory, and join mount namespaces";
    19 SYS_PTRACE "sys_ptrace" "trace and inspect any process";
    20 SYS_PACCT "sys_pacct" "switch process accounting";
    21 SYS_ADMIN "sys_admin" "mount, join namespaces, and most other administration";
    22 SYS_BOOT "sys_boot" "restart the machine, and load another kernel";
    23 SYS_NICE "sys_nice" "raise priorities, and set the scheduling of any process";
    24 SYS_RESOURCE "sys_resource" "exceed limits, and raise hard ones";
    25 SYS_TIME "sys_time" "set the clocks";
    26 SYS_TTY_CONFIG "sys_tty_config" "hang up and configure terminals";
    27 MKNOD "mknod" "make device files";
    28 LEASE "lease" "take leases on files of others";
    29 AUDIT_WRITE "audit_write" "write to the audit log";
    30 AUDIT_CONTROL "audit_control" "configure auditing";
    31 SETFCAP "setfcap" "put capabilities on files, and map user id 0";
    32 MAC_OVERRIDE "mac_override" "pass over a security module's mandatory rules";
    33 MAC_ADMIN "mac_admin" "configure a security module's mandatory rules";
    34 SYSLOG "syslog" "read and clear the kernel's log, and see its addresses";
    35 WAKE_ALARM "wake_alarm" "set alarms that wake the machine";
    36 BLOCK_SUSPEND "block_suspend" "keep the machine from suspending";
    37 AUDIT_READ "audit_read" "read the audit log";
    38 PERFMON "perfmon" "measure performance of the whole system";
    39 BPF "bpf" "load privileged BPF programs";
    40 CHECKPOINT_RESTORE "checkpoint_restore" "choose process ids, and restore saved processes";
}

impl Capability {
    /// The capability with this number, 0 to 40.
    #[must_use]
    pub fn new(number: u32) -> Option<Capability> {
        let number = u8::try_from(number).ok()?;
        (usize::from(number) < TABLE.len()).then_some(Capability(number))
    }

    /// The number, 0 to 40; in a [`CapabilitySet`] its bit.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// The name in lower case without prefix: `sys_admin`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The capability with this name: with or without `cap_`, case of ASCII letters aside.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Capability> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix("cap_").unwrap_or(&name);
        CapabilitySet::ALL.iter().find(|capability| capability.name() == name)
    }

    /// What it permits, as half a sentence without a full stop.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    const fn bit(self) -> u32 {
        self.number()
    }

    fn from_bit(bit: u32) -> Option<Capability> {
        Capability::new(bit)
    }

    fn row(self) -> &'static Row {
        TABLE.get(usize::from(self.0)).expect("a capability's number is one of the table's")
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

bit_set! {
    /// A set of capabilities in 64 bits; bit N is capability N, as in the `Cap` lines of
    /// /proc/PID/status. It prints as there: 16 hexadecimal digits.
    ///
    /// ```
    /// use standin::{Capability, CapabilitySet};
    ///
    /// let mut bounding = CapabilitySet::ALL;
    /// assert_eq!(bounding.to_string(), "000001ffffffffff");
    /// bounding.remove(Capability::SYS_RESOURCE);
    /// assert_eq!(bounding.to_string(), "000001fffeffffff");
    /// assert!(bounding.contains(Capability::KILL));
    /// let few = CapabilitySet::from_iter([Capability::KILL, Capability::CHOWN]);
    /// assert_eq!(format!("{:?}", few.intersection(bounding)), "{chown, kill}");
    /// ```
    CapabilitySet of Capability, known (1 << TABLE.len()) - 1,
    /// The members of a [`CapabilitySet`] in order of number.
    CapabilitySetIter
}

impl fmt::Display for CapabilitySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:016x}")
    }
}

bitflags! {
    /// A thread's securebits: what the kernel does not do for user id 0, and which of these bits
    /// can no more be changed (capabilities(7); prctl(2), `PR_SET_SECUREBITS`).
    ///
    /// Bits without a name are kept by [`from_bits_retain`](Self::from_bits_retain). Which of them a
    /// kernel accepts is the kernel's matter: the `EXEC_` ones came with 6.14.
    ///
    /// ```
    /// use standin::Securebits;
    ///
    /// let bits = Securebits::NOROOT | Securebits::NO_SETUID_FIXUP;
    /// assert_eq!(format!("{bits:x}"), "5");
    /// let names: Vec<_> = bits.iter_names().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["NOROOT", "NO_SETUID_FIXUP"]);
    /// assert_eq!(Securebits::from_name("KEEP_CAPS"), Some(Securebits::KEEP_CAPS));
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
    pub struct Securebits: u32 {
        /// Running a program as user id 0 gives no capabilities.
        const NOROOT = 1 << 0;
        /// `NOROOT` stays as it is.
        const NOROOT_LOCKED = 1 << 1;
        /// Changing user ids leaves the capability sets alone.
        const NO_SETUID_FIXUP = 1 << 2;
        /// `NO_SETUID_FIXUP` stays as it is.
        const NO_SETUID_FIXUP_LOCKED = 1 << 3;
        /// Giving up user id 0 keeps the permitted set; running a program clears this bit.
        const KEEP_CAPS = 1 << 4;
        /// `KEEP_CAPS` stays as it is.
        const KEEP_CAPS_LOCKED = 1 << 5;
        /// Nothing can be added to the ambient set.
        const NO_CAP_AMBIENT_RAISE = 1 << 6;
        /// `NO_CAP_AMBIENT_RAISE` stays as it is.
        const NO_CAP_AMBIENT_RAISE_LOCKED = 1 << 7;
        /// Interpreters are asked to run only files that the kernel would let run.
        const EXEC_RESTRICT_FILE = 1 << 8;
        /// `EXEC_RESTRICT_FILE` stays as it is.
        const EXEC_RESTRICT_FILE_LOCKED = 1 << 9;
        /// Interpreters are asked to take no commands but from files.
        const EXEC_DENY_INTERACTIVE = 1 << 10;
        /// `EXEC_DENY_INTERACTIVE` stays as it is.
        const EXEC_DENY_INTERACTIVE_LOCKED = 1 << 11;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_number_in_order() {
        for (row, number) in TABLE.iter().zip(0..) {
            assert_eq!(row.capability.0.number(), number, "{}", row.name);
        }
        assert_eq!(TABLE.len(), 41);
    }

    #[test]
    fn every_name_leads_back_to_its_capability_in_each_spelling() {
        for capability in CapabilitySet::ALL {
            let name = capability.name();
            assert_eq!(Capability::from_name(name), Some(capability));
            assert_eq!(Capability::from_name(&format!("cap_{name}")), Some(capability));
            let upper = format!("CAP_{}", name.to_uppercase());
            assert_eq!(Capability::from_name(&upper), Some(capability));
        }
    }

    #[test]
    fn the_constants_are_named_as_the_capabilities_are_printed() {
        for row in TABLE {
            assert_eq!(row.capability.1.to_lowercase(), row.name);
        }
    }

    #[test]
    fn no_name_is_guessed_from_other_spellings() {
        for text in ["", "cap_", "cap_cap_kill", "sys admin", "sys-admin", "21", "all"] {
            assert_eq!(Capability::from_name(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_meaning_is_half_a_sentence_and_belongs_to_one_capability() {
        let mut seen = std::collections::BTreeSet::new();
        for row in TABLE {
            assert!(seen.insert(row.meaning), "{}: said twice", row.name);
            assert!((8..=72).contains(&row.meaning.len()), "{}: {}", row.name, row.meaning);
            assert!(!row.meaning.ends_with('.'), "{}: {}", row.name, row.meaning);
        }
    }

    #[test]
    fn numbers_beyond_the_last_are_no_capabilities() {
        for number in [41, 63, 64, 255, 256, 257, u32::MAX] {
            assert_eq!(Capability::new(number), None, "{number}");
        }
    }

    #[test]
    fn a_set_keeps_bits_that_a_later_kernel_may_have() {
        let set = CapabilitySet::from_bits(1 << 63 | 1 << 5);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Capability::KILL]);
        assert_eq!(set.to_string(), "8000000000000020");
        assert_eq!(format!("{set:?}"), "{kill, 0x8000000000000000}");
        assert!(!CapabilitySet::ALL.contains_all(set));
    }

    #[test]
    fn sets_are_joined_cut_and_subtracted() {
        let [a, b, c] = [Capability::CHOWN, Capability::KILL, Capability::BPF];
        let left: CapabilitySet = [a, b].into_iter().collect();
        let right: CapabilitySet = [b, c].into_iter().collect();
        assert_eq!(left.union(right).iter().collect::<Vec<_>>(), [a, b, c]);
        assert_eq!(left.intersection(right), CapabilitySet::from(b));
        assert_eq!(left.difference(right), CapabilitySet::from(a));
        assert_eq!(left.without(a).with(c), right);
        assert!(left.contains_all(CapabilitySet::EMPTY) && !left.contains_all(right));
        let mut grown = left;
        grown.extend(right);
        assert_eq!(grown, left.union(right));
    }

    #[test]
    fn a_securebit_and_its_lock_are_neighbours() {
        for (name, flag) in Securebits::all().iter_names() {
            let lock = Securebits::from_name(&format!("{name}_LOCKED"));
            let is_lock = name.ends_with("_LOCKED");
            assert_eq!(lock.is_none(), is_lock, "{name}");
            assert!(lock.is_none_or(|lock| lock.bits() == flag.bits() << 1), "{name}");
        }
    }
}
