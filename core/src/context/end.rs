//! How a context ended.

use std::fmt;

use crate::signal::Signal;

/// How a context ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// How its last task did. `None` if the kernel does not tell the caller: emulated, only a parent is told.
    pub exit: Option<Exit>,
    /// The last command that reboot(2) inside accepted, as its number.
    pub reboot_command: Option<u32>,
}

/// How a task ended (wait(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It exited with a code.
    Code(u8),
    /// A signal ended it.
    Signal(Signal),
}

impl Exit {
    /// As wait(2) packs it: a code in the second byte, or a signal's number in the low seven bits.
    #[must_use]
    pub fn packed(self) -> i32 {
        match self {
            Self::Code(code) => i32::from(code) << 8,
            Self::Signal(signal) => signal.number(),
        }
    }

    /// What wait(2) packed; `None` if it is no end.
    #[must_use]
    pub fn from_packed(packed: i32) -> Option<Self> {
        let [low, code, ..] = packed.to_le_bytes();
        match low & 0x7f {
            0 => Some(Self::Code(code)),
            number => Signal::new(number.into()).map(Self::Signal),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(out, "exited {code}"),
            Self::Signal(signal) => write!(out, "killed {signal}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exit {
            Some(exit) => fmt::Display::fmt(&exit, out)?,
            None => out.write_str("ended")?,
        }
        match self.reboot_command {
            Some(command) => write!(out, ", reboot {command:#x}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use crate::signal::Signal;

    #[test]
    fn an_exit_is_packed_as_wait_does() {
        for (exit, packed) in [
            (Exit::Code(0), 0),
            (Exit::Code(7), 0x700),
            (Exit::Code(255), 0xff00),
            (Exit::Signal(Signal::KILL), 9),
        ] {
            assert_eq!((exit.packed(), Exit::from_packed(packed)), (packed, Some(exit)));
        }
        assert_eq!(Exit::from_packed(11 | 0x80), Some(Exit::Signal(Signal::SEGV)), "with a core");
        assert_eq!(Exit::from_packed(0x7f), None, "stopped");
    }
}
