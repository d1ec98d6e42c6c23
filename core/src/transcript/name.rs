//! Signals and capabilities as words.

use super::argument::{Value, Wrong};
use super::value::number;
use crate::capability::Capability;
use crate::signal::Signal;

/// What `kill` and its like are given: a signal, or a number that is none (0 probes; others are for
/// the kernel to refuse). A signal prints by its name.
///
/// ```
/// use standin::transcript::SignalArg;
/// assert_eq!(SignalArg(9).to_string(), "KILL");
/// assert_eq!(SignalArg(0).to_string(), "0");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignalArg(pub i32);

impl SignalArg {
    /// The signal, unless the number is none's.
    #[must_use]
    pub fn signal(self) -> Option<Signal> {
        Signal::new(self.0)
    }
}

impl std::fmt::Display for SignalArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.signal() {
            Some(signal) => signal.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

impl Value for SignalArg {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let help = "a name without SIG, such as KILL, or a number";
        let name = std::str::from_utf8(word).ok().filter(|name| !name.starts_with("SIG"));
        let named = name.and_then(Signal::from_name).map(Signal::number);
        let signal = named.or_else(|| number(word)).map(Self);
        signal.ok_or_else(|| Wrong::not(word, "a signal", help))
    }

    fn spell(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl Value for Capability {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let help = "a name in small letters without cap_, such as sys_admin";
        let capability = std::str::from_utf8(word).ok().and_then(Self::from_name);
        // One spelling alone, so that scripts read alike.
        let capability = capability.filter(|capability| capability.name().as_bytes() == word);
        capability.ok_or_else(|| Wrong::not(word, "a capability", help))
    }

    fn spell(&self) -> Vec<u8> {
        self.name().as_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_read_by_its_name_and_number() {
        for signal in -1..=70 {
            let signal = SignalArg(signal);
            assert_eq!(SignalArg::read(&signal.spell()), Ok(signal));
        }
        assert_eq!(SignalArg::read(b"9"), Ok(SignalArg(9)));
        assert_eq!(SignalArg::read(b"XFSZ"), Ok(SignalArg(25)));
        assert!(SignalArg::read(b"SIGKILL").is_err());
        assert!(SignalArg::read(b"kill").is_err());
    }

    #[test]
    fn every_capability_is_read_by_its_name_alone() {
        for number in 0..=40 {
            let capability = Capability::new(number).unwrap();
            assert_eq!(Capability::read(&capability.spell()), Ok(capability));
        }
        for word in ["21", "CAP_SYS_ADMIN", "cap_kill", "KILL", ""] {
            assert!(Capability::read(word.as_bytes()).is_err(), "{word}");
        }
    }
}
