//! Error numbers of Linux: [`Errno`], and the one table of numbers, names and meanings.
//!
//! The numbers are the generic ones (errno(3), asm-generic/errno.h), which x86-64 and arm64 use; they
//! are the same wherever this crate is built, also where the host counts its errors otherwise.
//! Neighbour: the failure type wraps an errno. This file must never know which operation failed
//! or why, and never asks the operating system for a text.

use std::{fmt, io};

/// The number with which a Linux system call says why it failed.
///
/// It prints as its name. A kernel may answer a number that has no name here; it is kept as it is
/// and prints as `errno N`.
///
/// ```
/// use standin::Errno;
///
/// assert_eq!(Errno::EBUSY.raw(), 16);
/// assert_eq!(Errno::from_raw(16), Errno::EBUSY);
/// assert_eq!(Errno::EBUSY.to_string(), "EBUSY");
/// assert_eq!(Errno::from_raw(524).to_string(), "errno 524");
/// assert_eq!(Errno::from_name("EWOULDBLOCK"), Some(Errno::EAGAIN));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Errno(i32);

/// One row of the table below.
struct Row {
    errno: Errno,
    name: &'static str,
    meaning: &'static str,
}

/// Makes a constant and a table row of each row `number NAME "meaning";`.
macro_rules! errnos {
    ($($number:literal $name:ident $meaning:literal;)*) => {
        impl Errno {
            $(#[doc = concat!($meaning, " (", $number, ").")] pub const $name: Errno = Errno($number);)*
        }

        /// Every number that has a name, ascending.
        const TABLE: &[Row] =
            &[$(Row { errno: Errno::$name, name: stringify!($name), meaning: $meaning },)*];
    };
}

/// Makes a constant and a table row of each second name `ALIAS = NAME;`.
macro_rules! aliases {
    ($($alias:ident = $name:ident;)*) => {
        impl Errno {
            $(#[doc = concat!("Another name of [`", stringify!($name), "`](Self::", stringify!($name), ").")]
            pub const $alias: Errno = Errno::$name;)*
        }

        /// Names that are read and never printed.
        const ALIASES: &[(&str, Errno)] = &[$((stringify!($alias), Errno::$name),)*];
    };
}

errnos! {
    1 EPERM "the caller lacks the privilege";
    2 ENOENT "nothing has that name";
    3 ESRCH "no such process or thread";
    4 EINTR "a signal came before the call was done";
    5 EIO "the device failed, or the target is going away";
    6 ENXIO "nothing is behind that device or address";
    7 E2BIG "the arguments take more room than allowed";
    8 ENOEXEC "the file is not a program this kernel can start";
    9 EBADF "the descriptor is not open, or not open for this";
    10 ECHILD "the caller has no such child to wait for";
    11 EAGAIN "not now: it would wait, or a limit is reached";
    12 ENOMEM "the kernel has no memory to spare for it";
    13 EACCES "the permission bits or rules forbid it";
    14 EFAULT "an argument points outside the caller's memory";
    15 ENOTBLK "only a block device will do";
    16 EBUSY "it is in use";
    17 EEXIST "that name is already taken";
    18 EXDEV "the two places are not on one filesystem or in one scope";
    19 ENODEV "no such device, or it cannot do this";
    20 ENOTDIR "a directory was needed and this is none";
    21 EISDIR "this is a directory and must not be one";
    22 EINVAL "an argument makes no sense here";
    23 ENFILE "the whole system has too many open files";
    24 EMFILE "the process has no descriptor number left";
    25 ENOTTY "the device or file knows no such request";
    26 ETXTBSY "the program file is being run or being written";
    27 EFBIG "the file would grow beyond the permitted size";
    28 ENOSPC "no room is left on the device or in the table";
    29 ESPIPE "this cannot be positioned, like a pipe";
    30 EROFS "the filesystem is mounted read-only";
    31 EMLINK "the file has as many names as it can have";
    32 EPIPE "nobody is left to read what is written";
    33 EDOM "the number lies outside the function's domain";
    34 ERANGE "the value is too large, or too large for the buffer";
    35 EDEADLK "waiting would never end";
    36 ENAMETOOLONG "a name or path is longer than allowed";
    37 ENOLCK "no record of a lock is free";
    38 ENOSYS "this kernel has no such system call";
    39 ENOTEMPTY "the directory still has entries";
    40 ELOOP "too many symbolic links, or one where none may be";
    42 ENOMSG "no message of the wanted type is queued";
    43 EIDRM "the object was removed meanwhile";
    44 ECHRNG "the channel number is outside the range";
    45 EL2NSYNC "level 2 is out of step";
    46 EL3HLT "level 3 has halted";
    47 EL3RST "level 3 was reset";
    48 ELNRNG "the link number is outside the range";
    49 EUNATCH "the protocol's driver is not attached";
    50 ENOCSI "no CSI structure is free";
    51 EL2HLT "level 2 has halted";
    52 EBADE "the exchange is not valid";
    53 EBADR "the request descriptor is not valid";
    54 EXFULL "the exchange has no room";
    55 ENOANO "no anode is there";
    56 EBADRQC "the request code is not valid";
    57 EBADSLT "the slot is not valid";
    59 EBFONT "the font file is malformed";
    60 ENOSTR "the device is no stream";
    61 ENODATA "nothing is stored under that attribute, or nothing came";
    62 ETIME "the timer ran out";
    63 ENOSR "no resources are left for streams";
    64 ENONET "the machine is on no network";
    65 ENOPKG "the package is not installed";
    66 EREMOTE "the object is on another machine";
    67 ENOLINK "the link was cut";
    68 EADV "an error in advertising a resource";
    69 ESRMNT "an error in mounting a remote resource";
    70 ECOMM "sending failed on the way";
    71 EPROTO "the other side broke the protocol";
    72 EMULTIHOP "the way would take more than one hop";
    73 EDOTDOT "an error of the remote file sharing protocol";
    74 EBADMSG "the message is damaged or not of the wanted kind";
    75 EOVERFLOW "the value does not fit its field";
    76 ENOTUNIQ "the name occurs more than once on the network";
    77 EBADFD "the descriptor is not in a state for this";
    78 EREMCHG "the remote address changed";
    79 ELIBACC "a needed shared library cannot be opened";
    80 ELIBBAD "a needed shared library is damaged";
    81 ELIBSCN "a library section of the program is damaged";
    82 ELIBMAX "more shared libraries are asked for than allowed";
    83 ELIBEXEC "a shared library cannot be run as a program";
    84 EILSEQ "the bytes are no valid character";
    85 ERESTART "the interrupted call is to be made again";
    86 ESTRPIPE "a pipe of streams failed";
    87 EUSERS "too many users, or namespaces nested too deeply";
    88 ENOTSOCK "the descriptor is no socket";
    89 EDESTADDRREQ "sending needs an address and none was given";
    90 EMSGSIZE "the message is longer than one message may be";
    91 EPROTOTYPE "the socket's type does not fit the protocol";
    92 ENOPROTOOPT "the protocol knows no such option";
    93 EPROTONOSUPPORT "the kernel does not have that protocol";
    94 ESOCKTNOSUPPORT "the kernel does not have that type of socket";
    95 EOPNOTSUPP "the object cannot do this";
    96 EPFNOSUPPORT "the kernel does not have that protocol family";
    97 EAFNOSUPPORT "the address family does not fit here";
    98 EADDRINUSE "the address is already bound";
    99 EADDRNOTAVAIL "the address is not this machine's to give";
    100 ENETDOWN "the network is down";
    101 ENETUNREACH "no route leads to that network";
    102 ENETRESET "the network dropped the connection";
    103 ECONNABORTED "the connection was given up on this side";
    104 ECONNRESET "the other side broke the connection off";
    105 ENOBUFS "no buffer space is left";
    106 EISCONN "the socket is connected already";
    107 ENOTCONN "the socket is not connected";
    108 ESHUTDOWN "sending was shut down before";
    109 ETOOMANYREFS "too many descriptors are on their way, or too many references";
    110 ETIMEDOUT "the time allowed for it ran out";
    111 ECONNREFUSED "nobody listens there";
    112 EHOSTDOWN "the other machine is down";
    113 EHOSTUNREACH "no route leads to that machine";
    114 EALREADY "the same is under way already";
    115 EINPROGRESS "it has begun and will go on by itself";
    116 ESTALE "the handle names a file that is gone";
    117 EUCLEAN "the stored structure is damaged and wants repair";
    118 ENOTNAM "the file is no XENIX named type";
    119 ENAVAIL "no XENIX semaphore is there";
    120 EISNAM "the file is of a named type";
    121 EREMOTEIO "the device on the far side failed";
    122 EDQUOT "the quota is used up";
    123 ENOMEDIUM "no medium is in the drive";
    124 EMEDIUMTYPE "the medium is of the wrong type";
    125 ECANCELED "it was called off";
    126 ENOKEY "the needed key is not there";
    127 EKEYEXPIRED "the key's time is over";
    128 EKEYREVOKED "the key was withdrawn";
    129 EKEYREJECTED "the key was not accepted";
    130 EOWNERDEAD "the lock's owner died holding it";
    131 ENOTRECOVERABLE "the lock's state was lost for good";
    132 ERFKILL "a switch holds the radio off";
    133 EHWPOISON "the memory page is damaged";
}

aliases! {
    EWOULDBLOCK = EAGAIN;
    EDEADLOCK = EDEADLK;
    ENOTSUP = EOPNOTSUPP;
}

/// Whether the host's own error numbers are the ones of this file.
const HOST_NUMBERS_ARE_OURS: bool = cfg!(all(
    any(target_os = "linux", target_os = "android"),
    not(any(
        target_arch = "mips",
        target_arch = "mips32r6",
        target_arch = "mips64",
        target_arch = "mips64r6",
        target_arch = "sparc",
        target_arch = "sparc64"
    ))
));

impl Errno {
    /// The errno with this number, known here or not. 0 and negative numbers are no error of any
    /// system call; they are kept, and print as numbers.
    #[must_use]
    pub const fn from_raw(number: i32) -> Errno {
        Errno(number)
    }

    /// The number, as a Linux program sees it.
    #[must_use]
    pub const fn raw(self) -> i32 {
        self.0
    }

    /// The name, `EBUSY`; `None` for a number without one. Where two names share a number this is
    /// the one the kernel's documents use: `EAGAIN`, `EDEADLK`, `EOPNOTSUPP`.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// The errno with this name, `EBUSY`, or second name, `EWOULDBLOCK`; upper case only.
    ///
    /// ```
    /// use standin::Errno;
    ///
    /// assert_eq!(Errno::from_name("ENOTSUP"), Some(Errno::EOPNOTSUPP));
    /// assert_eq!(Errno::from_name("ebusy"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Errno> {
        let row = TABLE.iter().find(|row| row.name == name).map(|row| row.errno);
        row.or_else(|| ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, errno)| *errno))
    }

    /// What it says in general, as half a sentence without a full stop. What it means for one call
    /// only the caller of that call can tell.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().map_or("a number without a name here", |row| row.meaning)
    }

    /// The kind the standard library gives this errno on Linux; [`io::ErrorKind::Other`] where it
    /// has none, or none that is stable.
    ///
    /// ```
    /// use std::io::ErrorKind;
    ///
    /// assert_eq!(standin::Errno::ENOENT.kind(), ErrorKind::NotFound);
    /// assert_eq!(standin::Errno::from_raw(524).kind(), ErrorKind::Other);
    /// ```
    #[must_use]
    pub fn kind(self) -> io::ErrorKind {
        KINDS.iter().find(|(errno, _)| *errno == self).map_or(io::ErrorKind::Other, |row| row.1)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.binary_search_by_key(&self, |row| row.errno).ok().and_then(|at| TABLE.get(at))
    }
}

/// Which kind the standard library gives an errno; tested against the library itself on Linux.
const KINDS: &[(Errno, io::ErrorKind)] = &[
    (Errno::EPERM, io::ErrorKind::PermissionDenied),
    (Errno::ENOENT, io::ErrorKind::NotFound),
    (Errno::EINTR, io::ErrorKind::Interrupted),
    (Errno::E2BIG, io::ErrorKind::ArgumentListTooLong),
    (Errno::EAGAIN, io::ErrorKind::WouldBlock),
    (Errno::ENOMEM, io::ErrorKind::OutOfMemory),
    (Errno::EACCES, io::ErrorKind::PermissionDenied),
    (Errno::EBUSY, io::ErrorKind::ResourceBusy),
    (Errno::EEXIST, io::ErrorKind::AlreadyExists),
    (Errno::EXDEV, io::ErrorKind::CrossesDevices),
    (Errno::ENOTDIR, io::ErrorKind::NotADirectory),
    (Errno::EISDIR, io::ErrorKind::IsADirectory),
    (Errno::EINVAL, io::ErrorKind::InvalidInput),
    (Errno::ETXTBSY, io::ErrorKind::ExecutableFileBusy),
    (Errno::EFBIG, io::ErrorKind::FileTooLarge),
    (Errno::ENOSPC, io::ErrorKind::StorageFull),
    (Errno::ESPIPE, io::ErrorKind::NotSeekable),
    (Errno::EROFS, io::ErrorKind::ReadOnlyFilesystem),
    (Errno::EMLINK, io::ErrorKind::TooManyLinks),
    (Errno::EPIPE, io::ErrorKind::BrokenPipe),
    (Errno::EDEADLK, io::ErrorKind::Deadlock),
    (Errno::ENAMETOOLONG, io::ErrorKind::InvalidFilename),
    (Errno::ENOSYS, io::ErrorKind::Unsupported),
    (Errno::ENOTEMPTY, io::ErrorKind::DirectoryNotEmpty),
    (Errno::EOPNOTSUPP, io::ErrorKind::Unsupported),
    (Errno::EADDRINUSE, io::ErrorKind::AddrInUse),
    (Errno::EADDRNOTAVAIL, io::ErrorKind::AddrNotAvailable),
    (Errno::ENETDOWN, io::ErrorKind::NetworkDown),
    (Errno::ENETUNREACH, io::ErrorKind::NetworkUnreachable),
    (Errno::ECONNABORTED, io::ErrorKind::ConnectionAborted),
    (Errno::ECONNRESET, io::ErrorKind::ConnectionReset),
    (Errno::ENOTCONN, io::ErrorKind::NotConnected),
    (Errno::ETIMEDOUT, io::ErrorKind::TimedOut),
    (Errno::ECONNREFUSED, io::ErrorKind::ConnectionRefused),
    (Errno::EHOSTUNREACH, io::ErrorKind::HostUnreachable),
    (Errno::ESTALE, io::ErrorKind::StaleNetworkFileHandle),
    (Errno::EDQUOT, io::ErrorKind::QuotaExceeded),
];

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("errno {}", self.0)),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Errno {}

/// Where the host counts its errors as Linux does, the result carries the number and
/// [`io::Error::raw_os_error`] gives it back; elsewhere it carries the [`Errno`] itself. The
/// [`io::Error::kind`] is the same everywhere, but for what has no stable kind.
impl From<Errno> for io::Error {
    fn from(errno: Errno) -> io::Error {
        if HOST_NUMBERS_ARE_OURS {
            io::Error::from_raw_os_error(errno.raw())
        } else {
            io::Error::new(errno.kind(), errno)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_numbers_ascend_so_none_occurs_twice() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].errno < pair[1].errno, "{} {}", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn every_number_up_to_133_has_a_name_but_the_two_that_linux_leaves_out() {
        let nameless: Vec<i32> =
            (1..=133).filter(|n| Errno::from_raw(*n).name().is_none()).collect();
        assert_eq!(nameless, [41, 58]);
        assert_eq!(TABLE.len(), 131);
    }

    #[test]
    fn every_name_leads_back_to_its_number() {
        for row in TABLE {
            assert_eq!(Errno::from_name(row.name), Some(row.errno));
            assert_eq!(row.errno.name(), Some(row.name));
            assert_eq!(Errno::from_raw(row.errno.raw()), row.errno);
        }
    }

    #[test]
    fn a_second_name_is_read_and_the_first_is_printed() {
        for (alias, errno) in ALIASES {
            assert_eq!(Errno::from_name(alias), Some(*errno));
            assert_ne!(errno.name(), Some(*alias));
        }
        assert_eq!(Errno::EWOULDBLOCK.to_string(), "EAGAIN");
    }

    #[test]
    fn a_meaning_is_half_a_sentence_and_belongs_to_one_number() {
        let mut seen = std::collections::BTreeSet::new();
        for row in TABLE {
            assert!(seen.insert(row.meaning), "{}: said twice", row.name);
            assert!((8..=72).contains(&row.meaning.len()), "{}: {}", row.name, row.meaning);
            assert!(!row.meaning.ends_with('.'), "{}: {}", row.name, row.meaning);
        }
    }

    #[test]
    fn a_number_without_a_name_is_kept_and_printed_as_a_number() {
        for number in [-1, 0, 41, 58, 134, 524, i32::MAX, i32::MIN] {
            let errno = Errno::from_raw(number);
            assert_eq!(errno.raw(), number);
            assert_eq!(errno.name(), None);
            assert_eq!(format!("{errno} {errno:?}"), format!("errno {number} errno {number}"));
        }
    }

    #[test]
    fn a_width_pads_the_printed_name() {
        assert_eq!(format!("[{:<8}] [{:>10}]", Errno::EIO, Errno(524)), "[EIO     ] [ errno 524]");
    }

    #[test]
    fn no_name_is_guessed_from_other_spellings() {
        for text in ["", "ebusy", "EBUSY ", "BUSY", "16", "errno 524", "ENOTSUPP"] {
            assert_eq!(Errno::from_name(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_kinds_are_those_of_the_standard_library_on_linux() {
        const UNSTABLE: &[&str] = &["Uncategorized", "FilesystemLoop", "InProgress"];
        if HOST_NUMBERS_ARE_OURS {
            for number in 1..=134 {
                let theirs = io::Error::from_raw_os_error(number).kind();
                let ours = Errno::from_raw(number).kind();
                if UNSTABLE.contains(&format!("{theirs:?}").as_str()) {
                    assert_eq!(ours, io::ErrorKind::Other, "errno {number}");
                } else {
                    assert_eq!(ours, theirs, "errno {number}");
                }
            }
        }
    }

    #[test]
    fn an_io_error_keeps_the_number_where_the_host_counts_as_linux_does() {
        let error = io::Error::from(Errno::ENOTEMPTY);
        assert_eq!(error.kind(), io::ErrorKind::DirectoryNotEmpty);
        if HOST_NUMBERS_ARE_OURS {
            assert_eq!(error.raw_os_error(), Some(39));
        }
    }
}
