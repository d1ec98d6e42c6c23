//! What an operation may change in files, by path: a row for each operation that changes anything.
//!
//! `refusal` asks before a run, `ahead` before each operation; neither the kernel nor a file is asked here.

use standin::path::{KPath, KPathBuf};
use standin::transcript::{
    Address, Data, FileOp, FileSystem, LinkOp, MountOptions, Op, OpenAt, OpenAtFlag, OpenAtMode,
    OpenMode, SocketOp,
};

/// How a path is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A directory comes to be there.
    MakeDirectory,
    /// Something else comes to be there.
    Make,
    /// What is there goes away.
    Remove,
    /// What is there is written to.
    Write,
    /// Its mode or owner changes.
    Inode,
    /// An extended attribute of it changes.
    Attribute,
}

impl Change {
    pub(super) const fn makes(self) -> bool {
        matches!(self, Self::MakeDirectory | Self::Make)
    }
}

/// A path that an operation changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Touch<'a> {
    pub(super) path: KPathBuf,
    pub(super) change: Change,
    /// What is written, where that is known.
    pub(super) data: Option<&'a Data>,
    /// The name of the extended attribute.
    pub(super) attribute: Option<&'a KPath>,
    /// A symbolic link at the end is followed.
    pub(super) follows: bool,
}

impl<'a> Touch<'a> {
    fn new(path: &KPath, change: Change) -> Self {
        let follows = matches!(change, Change::Write | Change::Inode | Change::Attribute);
        Self { path: path.to_owned(), change, data: None, attribute: None, follows }
    }

    fn with_data(self, data: &'a Data) -> Self {
        Self { data: Some(data), ..self }
    }

    fn of_attribute(path: &KPath, name: &'a KPath) -> Self {
        Self { attribute: Some(name), ..Self::new(path, Change::Attribute) }
    }
}

/// The paths that an operation changes. What it does through descriptors was its opening's to say.
pub(super) fn touches(op: &Op) -> Vec<Touch<'_>> {
    use Change::{Inode, Make, MakeDirectory, Remove, Write};
    match op {
        Op::Files(op) => match op {
            FileOp::Mkdir { path, .. } => vec![Touch::new(path, MakeDirectory)],
            FileOp::Rmdir { path } | FileOp::Unlink { path } => vec![Touch::new(path, Remove)],
            FileOp::Write { path, data } => vec![Touch::new(path, Write).with_data(data)],
            FileOp::Chmod { path, .. } => vec![Touch::new(path, Inode)],
            FileOp::Chown { path, .. } => {
                vec![Touch { follows: false, ..Touch::new(path, Inode) }]
            }
            FileOp::Create { path }
            | FileOp::Symlink { path, .. }
            | FileOp::Link { new: path, .. } => {
                vec![Touch::new(path, Make)]
            }
            FileOp::Rename { old, new } => {
                vec![Touch::new(old, Remove), Touch::new(new, MakeDirectory)]
            }
            FileOp::Xset { path, name, .. } | FileOp::Xdel { path, name } => {
                vec![Touch::of_attribute(path, name)]
            }
            FileOp::Open { path, mode: OpenMode::Write | OpenMode::ReadWrite, .. } => {
                vec![Touch::new(path, Write)]
            }
            FileOp::Open { mode: OpenMode::Read, .. }
            | FileOp::Read { .. }
            | FileOp::ReadShape { .. }
            | FileOp::Key { .. }
            | FileOp::Test { .. }
            | FileOp::Ls { .. }
            | FileOp::Stat { .. }
            | FileOp::Chdir { .. }
            | FileOp::Access { .. }
            | FileOp::Statfs { .. }
            | FileOp::Xget { .. }
            | FileOp::Xlist { .. }
            | FileOp::Fread { .. }
            | FileOp::Fwrite { .. }
            | FileOp::Close { .. }
            | FileOp::Pollpri { .. }
            | FileOp::Mount { .. }
            | FileOp::Umount { .. } => Vec::new(),
        },
        Op::Links(LinkOp::Truncate { path, .. }) => vec![Touch::new(path, Write)],
        Op::Links(LinkOp::Openat2 { dir: OpenAt::WorkingDirectory, path, mode, flags, .. }) => {
            let has = |flag| flags.iter().any(|flags| flags.0.contains(&flag));
            let writes = matches!(mode, OpenAtMode::Write | OpenAtMode::ReadWrite);
            let mut touched = Vec::new();
            if has(OpenAtFlag::Creat) {
                touched.push(Touch::new(path, Make));
            }
            if writes || has(OpenAtFlag::Trunc) {
                touched.push(Touch::new(path, Write));
            }
            touched
        }
        Op::Sockets(SocketOp::Bind { address: Address::Path(path), .. }) => {
            let name = path.split(|byte| *byte == 0).next().unwrap_or_default();
            KPath::new(name).map(|path| vec![Touch::new(path, Make)]).unwrap_or_default()
        }
        Op::Links(_)
        | Op::Sockets(_)
        | Op::Processes(_)
        | Op::Namespaces(_)
        | Op::Resources(_)
        | Op::Identity(_)
        | Op::System(_) => Vec::new(),
    }
}

/// What an operation mounts, if it mounts a hierarchy.
pub(super) fn mounts_hierarchy(op: &Op) -> Option<(FileSystem, Option<&MountOptions>)> {
    let Op::Files(FileOp::Mount { kind, options, .. }) = op else { return None };
    let is_hierarchy = matches!(kind, FileSystem::Cgroup | FileSystem::Cgroup2);
    is_hierarchy.then_some((*kind, options.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_that_an_operation_changes_are_found() {
        for (line, paths) in [
            ("mkdir /a", vec!["/a"]),
            ("rename /a /b", vec!["/a", "/b"]),
            ("write /a 1", vec!["/a"]),
            ("open f /a rw", vec!["/a"]),
            ("open f /a r", vec![]),
            ("read /a", vec![]),
            ("openat2 n cwd /a path creat", vec!["/a"]),
            ("bind s /mnt/s", vec!["/mnt/s"]),
            ("bind s @a", vec![]),
            ("xset /a user.b c", vec!["/a"]),
        ] {
            let op: Op = line.parse().unwrap();
            let touched = touches(&op);
            let touched: Vec<_> = touched.iter().map(|it| it.path.display().into_owned()).collect();
            assert_eq!(touched, paths, "{line}");
        }
    }
}
