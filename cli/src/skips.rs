//! `skips.toml`: which transcripts cannot be checked on the machine yet, and why.
//!
//! A row names patterns of operations, never a file: what is skipped follows from what a transcript does.
//!
//! ```
//! use standin::transcript::parse;
//! use standin_cli::skips;
//!
//! let rows = skips::read("
//!     [[skip]]
//!     id = 'swap'
//!     reason = 'the machine has no swap'
//!     operations = ['write *memory.swap.max *']
//! ")?;
//! let script = parse(b"machine\ninit> write /sys/fs/cgroup/a/memory.swap.max 0\n").unwrap();
//! assert_eq!(skips::first(&rows, &script).unwrap().id, "swap");
//! # Ok::<_, String>(())
//! ```

use serde::Deserialize;
use standin::transcript::{Operation, Transcript};

/// A reason to skip, and which transcripts it holds for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// A short name.
    pub id: String,
    /// Why such a transcript cannot be checked yet.
    pub reason: String,
    /// Only transcripts of these kernels; of all if there is none.
    #[serde(default)]
    kernels: Vec<String>,
    /// Only transcripts of these layouts; of all if there is none.
    #[serde(default)]
    layouts: Vec<String>,
    /// What one of the operations looks like, `*` standing for anything.
    pub operations: Vec<String>,
}

impl Skip {
    /// The first operation that one of the patterns is about; `None` if the row is not about this transcript.
    #[must_use]
    pub fn hit<'a>(&self, transcript: &'a Transcript) -> Option<&'a Operation> {
        self.operations.iter().find_map(|pattern| self.hit_by(pattern, transcript))
    }

    /// The first operation that this pattern of the row is about.
    #[must_use]
    pub fn hit_by<'a>(&self, pattern: &str, transcript: &'a Transcript) -> Option<&'a Operation> {
        let machine = &transcript.machine;
        let is_meant = |list: &[String], word: Option<&str>| {
            list.is_empty() || list.iter().any(|listed| Some(listed.as_str()) == word)
        };
        if !is_meant(&self.kernels, machine.kernel.map(|kernel| kernel.word()))
            || !is_meant(&self.layouts, machine.layout.map(|layout| layout.word()))
        {
            return None;
        }
        transcript.operations().find(|operation| is_like(pattern, &operation.op().to_string()))
    }
}

/// Whether `text` looks like `pattern`, in which `*` stands for any characters or none.
#[must_use]
pub fn is_like(pattern: &str, text: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(begin) else { return false };
    let (inner, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in inner.split('*') {
        // The earliest place leaves the most for what follows.
        let Some((_, behind)) =
            text.split_once(piece).or_else(|| piece.is_empty().then_some(("", text)))
        else {
            return false;
        };
        text = behind;
    }
    text.ends_with(end)
}

/// The first row that skips the transcript.
#[must_use]
pub fn first<'a>(skips: &'a [Skip], transcript: &Transcript) -> Option<&'a Skip> {
    skips.iter().find(|skip| skip.hit(transcript).is_some())
}

/// Reads the rows, in their order.
///
/// # Errors
/// What is wrong, and where.
pub fn read(text: &str) -> Result<Vec<Skip>, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        #[serde(default)]
        skip: Vec<Skip>,
    }
    let List { skip: rows } = toml::from_str(text).map_err(|error| error.to_string())?;
    match rows.iter().find(|row| row.reason.is_empty() || row.operations.is_empty()) {
        Some(row) => Err(format!("{}: a row has a reason, and skips an operation", row.id)),
        None => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::{first, is_like, read};
    use standin::transcript::parse;

    #[test]
    fn a_star_stands_for_anything_or_nothing() {
        for (pattern, text) in [
            ("send", "send"),
            ("send *", "send s x"),
            ("* /a/*.max*", "write /a/b.max 7"),
            ("*", ""),
            ("a*a", "aa"),
            ("fork *new=*", "fork p new=pid"),
            ("**", "x"),
        ] {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("send", "send s"),
            ("send *", "sendto s"),
            ("send", "resend"),
            ("a*a", "a"),
            ("* /a/*.max*", "write /b/a.max 7"),
            ("mount cgroup *", "mount cgroup2 /mnt"),
            ("*x*x", "x"),
        ] {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_row_is_about_its_kernels_and_layouts_alone() {
        let script = parse(b"machine kernel=6.12 layout=unified\ninit> pid\n").unwrap();
        for (more, is_about) in [
            ("", true),
            ("kernels = ['6.1', '6.12']", true),
            ("kernels = ['6.1']", false),
            ("layouts = ['unified']", true),
            ("layouts = ['legacy']", false),
            ("kernels = ['6.12']\nlayouts = ['legacy']", false),
        ] {
            let row =
                format!("[[skip]]\nid = 'x'\nreason = 'y'\noperations = ['ppid', 'pid']\n{more}");
            assert_eq!(first(&read(&row).unwrap(), &script).is_some(), is_about, "{more}");
        }
    }

    #[test]
    fn a_row_without_a_reason_or_with_an_unknown_key_is_refused() {
        for rows in [
            "[[skip]]\nid = 'x'\noperations = ['a']",
            "[[skip]]\nid = 'x'\nreason = ''\noperations = ['a']",
            "[[skip]]\nid = 'x'\nreason = 'y'",
            "[[skip]]\nid = 'x'\nreason = 'y'\noperations = ['a']\nfixtures = ['6.1/unified/a']",
            "[[skip]]\nid = 'x'\nreason = 'y'\noperations = 'a'",
            "[[skips]]\nid = 'x'",
        ] {
            assert!(read(rows).is_err(), "{rows}");
        }
    }
}
