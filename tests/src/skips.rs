//! `fixtures/skips.toml`: which fixtures cannot be checked on the machine yet, and why.
//!
//! A row names patterns of operations, never a fixture: what is skipped follows from what a fixture does. The format is
//! described at the head of the file. `tests/skips.rs` proves that nothing in it is idle and that no fixture is skipped that
//! would pass.

use std::fs;

use standin::transcript::{Operation, Transcript};
use toml::{Table, Value};

use crate::fixtures::fixture_path;

/// A reason to skip, and which fixtures it holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// A short name.
    pub id: String,
    /// Why such a fixture cannot be checked yet.
    pub reason: String,
    /// Only fixtures of these kernels; of all if there is none.
    kernels: Vec<String>,
    /// Only fixtures of these layouts; of all if there is none.
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
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
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

/// All rows, in the order of the file.
///
/// # Panics
/// If the file does not say what its head promises.
#[must_use]
pub fn all() -> Vec<Skip> {
    let path = fixture_path("skips.toml");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(&text).unwrap_or_else(|complaint| panic!("fixtures/skips.toml: {complaint}"))
}

/// The first row that skips the transcript.
#[must_use]
pub fn first<'a>(skips: &'a [Skip], transcript: &Transcript) -> Option<&'a Skip> {
    skips.iter().find(|skip| skip.hit(transcript).is_some())
}

/// Reads the rows.
///
/// # Errors
/// What is wrong, in words.
pub fn read(text: &str) -> Result<Vec<Skip>, String> {
    let table: Table = text.parse().map_err(|error| format!("{error}"))?;
    if let Some(other) = table.keys().find(|key| *key != "skip") {
        return Err(format!("{other}: the only tables are [[skip]]"));
    }
    let rows = table.get("skip").and_then(Value::as_array).cloned().unwrap_or_default();
    rows.iter().map(row).collect()
}

fn row(value: &Value) -> Result<Skip, String> {
    const KEYS: [&str; 5] = ["id", "reason", "kernels", "layouts", "operations"];
    let table = value.as_table().ok_or("a [[skip]] is a table")?;
    if let Some(other) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("`{other}` is none of {}", KEYS.join(", ")));
    }
    let text = |key: &str| {
        let text = table.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(str::to_owned)
            .ok_or_else(|| format!("each [[skip]] has a text `{key}`: {table:?}"))
    };
    let list = |key: &str| {
        let Some(value) = table.get(key) else { return Ok(Vec::new()) };
        let words = value
            .as_array()
            .map(|words| words.iter().map(|word| word.as_str().map(str::to_owned)).collect());
        words.flatten().ok_or_else(|| format!("`{key}` is a list of texts: {table:?}"))
    };
    let skip = Skip {
        id: text("id")?,
        reason: text("reason")?,
        kernels: list("kernels")?,
        layouts: list("layouts")?,
        operations: list("operations")?,
    };
    if skip.operations.is_empty() {
        return Err(format!("{}: a row without operations skips nothing", skip.id));
    }
    Ok(skip)
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
