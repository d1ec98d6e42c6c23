//! Running the program, and files to run it on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;

/// The program, which must come to an end by itself.
pub fn standin(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
    command.args(arguments).timeout(Duration::from_secs(60));
    command
}

/// What a call printed and how it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit status.
    pub status: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs the program to its end.
#[track_caller]
pub fn run(arguments: &[&str]) -> Ended {
    end(&mut standin(arguments))
}

/// Runs a command to its end.
#[track_caller]
pub fn end(command: &mut Command) -> Ended {
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    Ended { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A directory of files that goes away with it.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Holds nothing.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory can be made"))
    }

    /// Writes a file; says its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where it is, as an argument.
    pub fn name(&self) -> &str {
        self.path().to_str().unwrap()
    }
}

/// The workspace's script for a first look.
pub fn first_steps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/first-steps.script")
}
