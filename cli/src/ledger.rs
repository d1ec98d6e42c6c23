//! `ledger.toml`: the known differences between the machine and real kernels. It only shrinks.
//!
//! A row is one operation of one transcript, with the clause that the machine does not follow.
//!
//! ```
//! use standin_cli::ledger;
//!
//! let ledger = ledger::read("
//!     [[difference]]
//!     fixture = '6.12/unified/kill_again'
//!     line = 13
//!     clause = 'cgroup-v2.rst, cgroup.kill'
//!     why = 'the next build answers otherwise'
//! ")?;
//! assert_eq!(ledger::lines_of(&ledger, "6.12/unified/kill_again"), [13]);
//! # Ok::<_, String>(())
//! ```

use std::path::Path;

use serde::Deserialize;

/// One operation that the machine answers otherwise than the kernel did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The fixture's name.
    pub fixture: String,
    /// The operation's line in it, from 1.
    pub line: usize,
    /// Where the rule is written that the machine does not follow.
    pub clause: String,
    /// What differs, and why it stays so.
    pub why: String,
}

/// The lines of a transcript that are known to differ, in order; it is named by its path without an ending, of which a row
/// has the last parts.
#[must_use]
pub fn lines_of(ledger: &[Known], transcript: impl AsRef<Path>) -> Vec<usize> {
    let transcript = transcript.as_ref();
    let known = ledger.iter().filter(|known| transcript.ends_with(&known.fixture));
    let mut lines: Vec<usize> = known.map(|known| known.line).collect();
    lines.sort_unstable();
    lines
}

/// Reads the rows, in their order.
///
/// # Errors
/// What is wrong, and where.
pub fn read(text: &str) -> Result<Vec<Known>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ledger {
        #[serde(default)]
        difference: Vec<Known>,
    }
    let Ledger { difference: rows } = toml::from_str(text).map_err(|error| error.to_string())?;
    match rows.iter().find(|row| row.clause.is_empty() || row.why.is_empty()) {
        Some(row) => Err(format!("{}:{}: a row has `clause` and `why`", row.fixture, row.line)),
        None => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::{lines_of, read};

    #[test]
    fn a_row_names_fixture_line_clause_and_reason() {
        let row = "[[difference]]\nfixture = 'a'\nline = 7\nclause = 'c'\nwhy = 'w'\n";
        let ledger = read(&format!("{row}{row}")).unwrap();
        assert_eq!(lines_of(&ledger, "a"), [7, 7]);
        assert!(lines_of(&ledger, "b").is_empty());
        for key in ["fixture", "line", "clause", "why"] {
            let without: String = row
                .lines()
                .filter(|line| !line.starts_with(key))
                .map(|line| format!("{line}\n"))
                .collect();
            assert!(read(&without).unwrap_err().contains(key));
        }
    }
}
