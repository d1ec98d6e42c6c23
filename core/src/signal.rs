//! Signals: [`Signal`], what each does to a process by default, and [`SignalSet`].
//!
//! Numbers are those of x86-64 and arm64 (signal(7)). Signal 0, with which kill(2) only probes, is
//! no signal. This file knows names and defaults; masks, queues and delivery are the kernel's, and
//! so the backend's.

use std::fmt;
use std::num::NonZero;

use crate::bit_set::bit_set;

/// A signal, 1 to 64.
///
/// It prints as the kernel's name without `SIG`; real-time signals print as C libraries count them,
/// from `RTMIN` = 34. The two below, which those libraries keep for themselves, are `RTMIN-2` and
/// `RTMIN-1`.
///
/// ```
/// use standin::Signal;
///
/// assert_eq!(Signal::KILL.number(), 9);
/// assert_eq!(Signal::new(15), Some(Signal::TERM));
/// assert_eq!(Signal::new(0), None);
/// assert_eq!(Signal::from_name("SIGUSR1"), Signal::from_name("USR1"));
/// assert_eq!(Signal::new(37).unwrap().to_string(), "RTMIN+3");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(NonZero<u8>);

/// What a signal does to a process that neither handles nor ignores it (signal(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// The process ends.
    Terminate,
    /// The process ends and leaves a core file if its limits allow one.
    Core,
    /// Nothing happens.
    Ignore,
    /// Every thread of the process stops.
    Stop,
    /// The process goes on if it was stopped.
    Continue,
}

/// One row of the table below.
struct Row {
    #[cfg(test)]
    signal: Signal,
    name: &'static str,
    default: Disposition,
}

/// Makes a constant and a table row of each row `number NAME Default "when it is sent";`.
macro_rules! signals {
    ($($number:literal $name:ident $default:ident $meaning:literal;)*) => {
        impl Signal {
            $(#[doc = concat!($meaning, " (", $number, ").")]
            pub const $name: Signal = Signal(NonZero::new($number).expect("a row has a number"));)*
        }

        /// The signals below the real-time ones; row N - 1 is signal N.
        const STANDARD: &[Row] = &[$(Row {
            #[cfg(test)]
            signal: Signal::$name,
            name: stringify!($name),
            default: Disposition::$default,
        },)*];
    };
}

signals! {
    1 HUP Terminate "the terminal or its session leader is gone";
    2 INT Terminate "the interrupt key was pressed";
    3 QUIT Core "the quit key was pressed";
    4 ILL Core "an instruction the processor does not have";
    5 TRAP Core "a breakpoint or trace trap";
    6 ABRT Core "the program gave itself up";
    7 BUS Core "memory that is mapped but cannot be reached";
    8 FPE Core "arithmetic that has no result";
    9 KILL Terminate "ends the process, whatever it does about signals";
    10 USR1 Terminate "means what the program says";
    11 SEGV Core "memory that is not mapped, or not for this";
    12 USR2 Terminate "means what the program says, the second";
    13 PIPE Terminate "written to where nobody reads";
    14 ALRM Terminate "the alarm's time has come";
    15 TERM Terminate "asks the process to end";
    16 STKFLT Terminate "a fault of the coprocessor's stack; Linux never sends it";
    17 CHLD Ignore "a child ended, stopped or went on";
    18 CONT Continue "a stopped process goes on, whatever it does about signals";
    19 STOP Stop "stops the process, whatever it does about signals";
    20 TSTP Stop "the suspend key was pressed";
    21 TTIN Stop "read from the terminal out of the background";
    22 TTOU Stop "written to the terminal out of the background";
    23 URG Ignore "urgent data came in";
    24 XCPU Core "the soft limit of processor time is reached";
    25 XFSZ Core "a file would grow beyond the limit";
    26 VTALRM Terminate "the alarm of the process's own processor time";
    27 PROF Terminate "the profiling alarm";
    28 WINCH Ignore "the terminal's window changed its size";
    29 IO Terminate "a descriptor became ready";
    30 PWR Terminate "the power is failing";
    31 SYS Core "a system call that is not there or not allowed";
}

/// Names that are read and never printed.
const ALIASES: &[(&str, Signal)] = &[
    ("IOT", Signal::ABRT),
    ("CLD", Signal::CHLD),
    ("POLL", Signal::IO),
    ("RTMAX", Signal(NonZero::new(MAX).expect("64"))),
];

/// The highest number.
const MAX: u8 = 64;
/// The lowest real-time signal as the kernel counts them, the first of `REAL_TIME`.
const KERNEL_RTMIN: u8 = 32;
/// The lowest real-time signal as programs count them.
const RTMIN: u8 = 34;

/// The real-time signals' names, from 32 on.
#[rustfmt::skip]
const REAL_TIME: &[&str] = &[
    "RTMIN-2", "RTMIN-1", "RTMIN",
    "RTMIN+1", "RTMIN+2", "RTMIN+3", "RTMIN+4", "RTMIN+5", "RTMIN+6", "RTMIN+7", "RTMIN+8",
    "RTMIN+9", "RTMIN+10", "RTMIN+11", "RTMIN+12", "RTMIN+13", "RTMIN+14", "RTMIN+15", "RTMIN+16",
    "RTMIN+17", "RTMIN+18", "RTMIN+19", "RTMIN+20", "RTMIN+21", "RTMIN+22", "RTMIN+23", "RTMIN+24",
    "RTMIN+25", "RTMIN+26", "RTMIN+27", "RTMIN+28", "RTMIN+29", "RTMIN+30",
];

impl Signal {
    /// The signal with this number, 1 to 64.
    #[must_use]
    pub fn new(number: i32) -> Option<Signal> {
        let number = NonZero::new(u8::try_from(number).ok()?)?;
        (number.get() <= MAX).then_some(Signal(number))
    }

    /// The real-time signal `RTMIN+n`, `n` 0 to 30.
    #[must_use]
    pub fn real_time(n: u8) -> Option<Signal> {
        Signal::new(i32::from(RTMIN) + i32::from(n))
    }

    /// The number, 1 to 64.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0.get() as i32
    }

    /// The name without `SIG`: `KILL`, `RTMIN+3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.standard().map_or_else(|| self.real_time_name(), |row| row.name)
    }

    /// The signal with this name, in upper case, with or without `SIG`. Read besides the printed
    /// names are `IOT`, `CLD`, `POLL`, `RTMAX` and `RTMAX-N`.
    ///
    /// ```
    /// use standin::Signal;
    ///
    /// assert_eq!(Signal::from_name("KILL"), Some(Signal::KILL));
    /// assert_eq!(Signal::from_name("SIGRTMIN+2"), Signal::new(36));
    /// assert_eq!(Signal::from_name("RTMAX-1"), Signal::new(63));
    /// assert_eq!(Signal::from_name("9"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Signal> {
        let name = name.strip_prefix("SIG").unwrap_or(name);
        if let Some(below) = name.strip_prefix("RTMAX-") {
            return Signal::all().rev().find(|s| {
                s.is_real_time() && (MAX - s.0.get()).to_string() == below && below != "0"
            });
        }
        let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, signal)| *signal);
        alias.or_else(|| Signal::all().find(|signal| signal.name() == name))
    }

    /// What it does to a process that neither handles nor ignores it.
    ///
    /// ```
    /// use standin::{Disposition, Signal};
    ///
    /// assert_eq!(Signal::SEGV.default_disposition(), Disposition::Core);
    /// assert_eq!(Signal::CHLD.default_disposition(), Disposition::Ignore);
    /// ```
    #[must_use]
    pub fn default_disposition(self) -> Disposition {
        self.standard().map_or(Disposition::Terminate, |row| row.default)
    }

    /// Whether a process can handle, ignore or block it: all but KILL and STOP.
    #[must_use]
    pub const fn can_be_caught(self) -> bool {
        !matches!(self, Signal::KILL | Signal::STOP)
    }

    /// Whether each sending of it is queued, 32 and up; of the others one is pending at most.
    #[must_use]
    pub const fn is_real_time(self) -> bool {
        self.0.get() >= KERNEL_RTMIN
    }

    const fn bit(self) -> u32 {
        self.0.get() as u32 - 1
    }

    fn from_bit(bit: u32) -> Option<Signal> {
        Signal::new(i32::try_from(bit).ok()?.checked_add(1)?)
    }

    fn all() -> impl DoubleEndedIterator<Item = Signal> {
        (1..=i32::from(MAX)).filter_map(Signal::new)
    }

    fn standard(self) -> Option<&'static Row> {
        STANDARD.get(usize::from(self.0.get()) - 1)
    }

    fn real_time_name(self) -> &'static str {
        let at = self.0.get().checked_sub(KERNEL_RTMIN).map(usize::from);
        at.and_then(|at| REAL_TIME.get(at)).expect("a signal from 32 to 64 has a name")
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

bit_set! {
    /// A set of signals in 64 bits; bit N - 1 is signal N, as in the masks of /proc/PID/status.
    ///
    /// It prints the names in order of number, behind each other, or `none`.
    ///
    /// ```
    /// use standin::{Signal, SignalSet};
    ///
    /// let mut set: SignalSet = [Signal::TERM, Signal::INT].into_iter().collect();
    /// assert_eq!(set.to_string(), "INT TERM");
    /// assert_eq!(format!("{set:016x}"), "0000000000004002");
    /// assert!(set.remove(Signal::TERM));
    /// assert_eq!(set.iter().collect::<Vec<_>>(), [Signal::INT]);
    /// assert_eq!(SignalSet::EMPTY.to_string(), "none");
    /// ```
    SignalSet of Signal, known u64::MAX,
    /// The members of a [`SignalSet`] in order of number.
    SignalSetIter
}

impl fmt::Display for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (at, signal) in self.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            write!(f, "{gap}{signal}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_have_a_row_for_each_number_in_order() {
        for (row, number) in STANDARD.iter().zip(1..) {
            assert_eq!(row.signal.number(), number, "{}", row.name);
        }
        assert_eq!(STANDARD.len() + REAL_TIME.len(), 64);
        for (name, number) in REAL_TIME.iter().zip(32..) {
            let offset = match number - 34 {
                0 => String::new(),
                offset => format!("{offset:+}"),
            };
            assert_eq!(*name, format!("RTMIN{offset}"));
        }
    }

    #[test]
    fn numbers_outside_1_to_64_are_no_signals() {
        for number in [i32::MIN, -1, 0, 65, 256, 257, i32::MAX] {
            assert_eq!(Signal::new(number), None, "{number}");
        }
        assert_eq!(Signal::all().count(), 64);
    }

    #[test]
    fn every_name_leads_back_to_its_signal_with_and_without_prefix() {
        for signal in Signal::all() {
            assert_eq!(Signal::from_name(signal.name()), Some(signal));
            assert_eq!(Signal::from_name(&format!("SIG{signal}")), Some(signal));
            assert_eq!(Signal::new(signal.number()), Some(signal));
        }
    }

    #[test]
    fn second_names_are_read_and_never_printed() {
        for (alias, signal) in ALIASES {
            assert_eq!(Signal::from_name(alias), Some(*signal));
            assert_ne!(signal.name(), *alias);
        }
        assert_eq!(Signal::from_name("SIGRTMAX-30"), Signal::from_name("RTMIN"));
    }

    #[test]
    fn no_name_is_guessed_from_other_spellings() {
        for text in [
            "",
            "SIG",
            "kill",
            "9",
            "SIGSIGKILL",
            "RTMIN+0",
            "RTMIN+31",
            "RTMIN+03",
            "RTMIN-3",
            "RTMAX-0",
            "RTMAX-01",
            "RTMAX-+1",
            "RTMAX-33",
            "RTMAX+1",
        ] {
            assert_eq!(Signal::from_name(text), None, "{text:?}");
        }
    }

    #[test]
    fn real_time_signals_count_from_34_and_end_at_64() {
        assert_eq!(Signal::real_time(0).map(Signal::number), Some(34));
        assert_eq!(Signal::real_time(30).map(Signal::number), Some(64));
        assert_eq!(Signal::real_time(31), None);
        assert_eq!(Signal::real_time(u8::MAX), None);
    }

    #[test]
    fn signals_terminate_unless_the_manual_says_otherwise() {
        let with = |wanted| {
            let set: SignalSet =
                Signal::all().filter(|s| s.default_disposition() == wanted).collect();
            set.to_string()
        };
        assert_eq!(with(Disposition::Core), "QUIT ILL TRAP ABRT BUS FPE SEGV XCPU XFSZ SYS");
        assert_eq!(with(Disposition::Ignore), "CHLD URG WINCH");
        assert_eq!(with(Disposition::Stop), "STOP TSTP TTIN TTOU");
        assert_eq!(with(Disposition::Continue), "CONT");
    }

    #[test]
    fn only_kill_and_stop_cannot_be_caught() {
        let uncatchable: SignalSet = Signal::all().filter(|s| !s.can_be_caught()).collect();
        assert_eq!(uncatchable.to_string(), "KILL STOP");
    }

    #[test]
    fn a_set_lists_its_signals_in_order_of_number() {
        let set: SignalSet =
            [Signal::WINCH, Signal::USR1, Signal::CHLD, Signal::USR1].into_iter().collect();
        assert_eq!(set.to_string(), "USR1 CHLD WINCH");
        assert_eq!(format!("{set:?}"), "{USR1, CHLD, WINCH}");
    }

    #[test]
    fn a_set_holds_the_first_and_the_last_signal() {
        let mut set = SignalSet::EMPTY;
        let last = Signal::real_time(30).unwrap();
        assert!(set.insert(Signal::HUP) && set.insert(last) && !set.insert(last));
        assert_eq!(set.bits(), 1 << 63 | 1);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Signal::HUP, last]);
        assert!(set.remove(last) && !set.remove(last) && !set.contains(last));
        assert_eq!(SignalSet::ALL.iter().count(), 64);
    }
}
