//! The recordings in `fixtures/transcripts`: found, read and named.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use standin::transcript::{Layout, Release, Transcript, parse};

/// The folder of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// A file below `fixtures/`.
#[must_use]
pub fn fixture_path(name: &str) -> PathBuf {
    workspace().join("fixtures").join(name)
}

/// What a real kernel printed.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// `KERNEL/LAYOUT/NAME`.
    pub name: String,
    /// The file, byte for byte.
    pub text: String,
    /// The file, read.
    pub transcript: Transcript,
}

impl Fixture {
    /// Reads the fixture `name` from `path`.
    ///
    /// # Panics
    /// If it is no complete transcript: then the fixture is broken, whatever is tested.
    #[must_use]
    pub fn read(name: &str, path: &Path) -> Self {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let transcript = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(transcript.is_complete(), "{name}: an operation has no answer");
        Self { name: name.to_owned(), text, transcript }
    }

    /// The part of the name behind kernel and layout.
    #[must_use]
    pub fn topic(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// Every fixture, in the order of its name; that of kernel and layout is the language's own.
///
/// # Panics
/// If a folder cannot be read, or a file in it is no transcript.
#[must_use]
pub fn all() -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    for kernel in Release::ALL {
        for layout in Layout::ALL {
            let folder = format!("{}/{}", kernel.word(), layout.word());
            fixtures.extend(
                names_in(&fixture_path("transcripts").join(&folder))
                    .into_iter()
                    .map(|(name, path)| Fixture::read(&format!("{folder}/{name}"), &path)),
            );
        }
    }
    fixtures
}

/// As [`all`], read once in this program.
#[must_use]
pub fn cached() -> &'static [Fixture] {
    static FIXTURES: LazyLock<Vec<Fixture>> = LazyLock::new(all);
    &FIXTURES
}

/// The transcripts of one folder, sorted; none if there is no such folder.
fn names_in(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries
        .map(|entry| entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path());
    let named = paths.filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(".transcript")?.to_owned();
        Some((name, path))
    });
    let mut named: Vec<_> = named.collect();
    named.sort();
    named
}
