//! What the generators expect of a line before they write it.

/// Whether a line may stand in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answers at once.
    Quick,
    /// It may wait for somebody, or until somebody gives up.
    Slow,
    /// It would end the script, or hold it up.
    Fatal,
    /// Its answer is not the kernel's alone: it depends on luck, or on a patch level.
    Luck,
}
