//! What a guest needs beside the lab's program to run the sessions' tools under strace(1): this host's, with what they load.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::super::LabError;
use super::super::cpio::Archive;

/// In which of Debian's packages the programs are.
const HOW: &str = "apt-get install strace cgroup-tools procps util-linux coreutils";
/// Where a guest finds programs.
const BIN: &str = "bin";
/// The users and groups that sessions name, and where the C library looks for them.
const ACCOUNTS: [(&str, &str); 3] = [
    ("etc/passwd", "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\nbin:x:2:2::/:/bin/sh\n"),
    ("etc/group", "root:x:0:\ndaemon:x:1:\nbin:x:2:\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\n"),
];

/// A file for a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, without the slash that it begins with.
    pub path: String,
    /// Its permissions.
    pub mode: u32,
    /// What is in it.
    pub content: Vec<u8>,
}

/// Programs by their names, what they load, and the accounts.
///
/// # Errors
/// [`LabError::Setup`] if a tool is missing: which, and what to install.
pub fn files(programs: &BTreeSet<&str>) -> Result<Vec<File>, LabError> {
    let mut files = Vec::new();
    let mut libraries = BTreeSet::new();
    for name in programs {
        let program = find(name)?;
        libraries.extend(loaded_by(&program)?);
        let content = read(&program)?;
        files.push(File { path: format!("{BIN}/{name}"), mode: 0o755, content });
    }
    for library in libraries {
        let path = library.trim_start_matches('/').to_owned();
        files.push(File { path, mode: 0o755, content: read(Path::new(&library))? });
    }
    for (path, text) in ACCOUNTS {
        files.push(File { path: path.to_owned(), mode: 0o644, content: text.into() });
    }
    Ok(files)
}

/// Adds files to an archive, each behind the directories above it.
///
/// # Errors
/// As [`Archive::file`].
pub fn add(archive: &mut Archive, files: &[File]) -> Result<(), LabError> {
    let above = |file: &File| {
        let parents = Path::new(&file.path).ancestors().skip(1).map(Path::to_path_buf);
        parents.collect::<Vec<_>>()
    };
    let directories: BTreeSet<PathBuf> = files.iter().flat_map(above).collect();
    for directory in directories.iter().filter_map(|path| path.to_str()) {
        if !directory.is_empty() {
            archive.directory(directory)?;
        }
    }
    for file in files {
        archive.file(&file.path, file.mode, &file.content)?;
    }
    Ok(())
}

fn find(name: &str) -> Result<PathBuf, LabError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let administrators = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    let mut places = env::split_paths(&path).chain(administrators);
    places
        .find_map(|place| Some(place.join(name)).filter(|program| program.is_file()))
        .ok_or_else(|| LabError::Setup(format!("there is no {name}: {HOW}")))
}

fn read(path: &Path) -> Result<Vec<u8>, LabError> {
    fs::read(path).map_err(|error| LabError::Failed(format!("{}: {error}", path.display())))
}

/// The libraries that a program loads, and the loader.
fn loaded_by(program: &Path) -> Result<Vec<String>, LabError> {
    let output = Command::new("ldd")
        .arg(program)
        .output()
        .map_err(|error| LabError::Setup(format!("ldd: {error}; it is in libc-bin")))?;
    libraries(&String::from_utf8_lossy(&output.stdout))
        .map_err(|line| LabError::Setup(format!("{}: {line}: {HOW}", program.display())))
}

/// The paths in what ldd(1) prints; a library that it does not find is the error.
fn libraries(printed: &str) -> Result<Vec<String>, String> {
    let mut paths = Vec::new();
    for line in printed.lines().map(str::trim) {
        if line.ends_with("not found") {
            return Err(line.to_owned());
        }
        let place = line.split_once("=> ").map_or(line, |(_, place)| place);
        if place.starts_with('/') {
            paths.extend(place.split(' ').next().map(str::to_owned));
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_by_their_paths_and_the_loader_too() {
        let printed = "\tlinux-vdso.so.1 (0x7f)\n\tlibx.so.2 => /lib/libx.so.2 (0x7f)\n\t/lib64/ld.so (0x7f)\n";
        assert_eq!(libraries(printed).unwrap(), ["/lib/libx.so.2", "/lib64/ld.so"]);
        let missing = libraries("\tlibx.so.2 => not found\n").unwrap_err();
        assert!(missing.contains("libx.so.2"), "{missing}");
        assert_eq!(libraries("\tstatically linked\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_tool_that_is_missing_is_named_with_what_to_install() {
        let LabError::Setup(text) = find("cgnothing").unwrap_err() else {
            panic!("a missing tool is a matter of set-up")
        };
        assert!(text.contains("cgnothing") && text.contains("apt-get install strace"));
    }

    #[test]
    fn files_lie_in_directories_that_come_first() {
        let file = |path: &str| File { path: path.to_owned(), mode: 0o644, content: Vec::new() };
        let mut archive = Archive::default();
        add(&mut archive, &[file("usr/bin/a"), file("usr/b")]).unwrap();
        let bytes = archive.finish().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let at = |name: &str| text.find(&format!("{name}\0")).unwrap();
        assert!(at("usr") < at("usr/bin") && at("usr/bin") < at("usr/bin/a"));
    }
}
