//! The C library: the driver beside this file, built and run.

use std::env;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The driver, in a directory that every user can reach.
pub(crate) struct Driver {
    program: PathBuf,
    _directory: tempfile::TempDir,
}

/// What is missing, if the driver cannot be built here.
pub(crate) fn missing() -> Option<String> {
    let header = Path::new("/usr/include/libcgroup.h");
    (!header.exists()).then(|| "needs the C library: apt-get install libcgroup-dev".to_owned())
}

impl Driver {
    pub(crate) fn build() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let open_to_all = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open_to_all).unwrap();
        let program = directory.path().join("driver");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libcgroup/driver.c");
        let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let built = Command::new(compiler)
            .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-o"])
            .arg(&program)
            .arg(source)
            .arg("-lcgroup")
            .status();
        assert!(built.unwrap().success(), "the driver cannot be built");
        Self { program, _directory: directory }
    }

    /// What each call came to. The first is `init`, which is not told.
    pub(crate) fn run(&self, calls: &[String], user: u32) -> Vec<String> {
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        if user != 0 {
            command.uid(user).gid(user);
        }
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        write!(input, "init\n{}\n", calls.join("\n")).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "the driver ended with {}", output.status);
        let printed = String::from_utf8(output.stdout).unwrap();
        printed.lines().skip(1).map(str::to_owned).collect()
    }
}
