//! What an operation may change in files, by path: a row for each operation that changes anything.
//!
//! `refusal` asks before a run, `ahead` before each operation; neither the kernel nor a file is asked here.

use standin::path::{KPath, KPathBuf};
use standin::transcript::{
    Address, Data, FileOp, FileSystem, Label, LinkOp, MountOptions, Op, OpenAt, OpenAtFlag,
    OpenAtMode, OpenMode, SocketOp, Transcript,
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

/// Which paths a script opens: what a path below a descriptor may begin with.
#[derive(Clone, Debug, Default)]
pub(super) struct Opened {
    paths: Vec<(Label, KPathBuf)>,
}

impl Opened {
    pub(super) fn of(script: &Transcript) -> Self {
        let mut opened = Self::default();
        for operation in script.operations() {
            match operation.op() {
                Op::Files(FileOp::Open { fd, path, .. }) => {
                    opened.paths.push((fd.clone(), path.clone()));
                }
                Op::Links(LinkOp::Openat2 { new, dir, path, .. }) => {
                    let places = opened.places(dir, path);
                    opened.paths.extend(places.into_iter().map(|place| (new.clone(), place)));
                }
                Op::Files(_)
                | Op::Links(_)
                | Op::Sockets(_)
                | Op::Processes(_)
                | Op::Namespaces(_)
                | Op::Resources(_)
                | Op::Identity(_)
                | Op::System(_) => {}
            }
        }
        opened
    }

    /// Where a path may lead that begins at a directory; under a label that nothing was opened as, at any of them.
    fn places(&self, dir: &OpenAt, path: &KPath) -> Vec<KPathBuf> {
        let OpenAt::Descriptor(label) = dir else { return vec![path.to_owned()] };
        if path.is_absolute() {
            return vec![path.to_owned()];
        }
        let is_known = self.paths.iter().any(|(known, _)| known == label);
        let begins = self.paths.iter().filter(|(known, _)| !is_known || known == label);
        begins.map(|(_, begin)| begin.join(path)).collect()
    }
}

/// The paths that an operation changes. What it does through descriptors was their opening's to say.
pub(super) fn touches<'a>(op: &'a Op, opened: &Opened) -> Vec<Touch<'a>> {
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
        Op::Links(LinkOp::Openat2 { dir, path, mode, flags, .. }) => {
            let has = |flag| flags.iter().any(|flags| flags.0.contains(&flag));
            let writes = matches!(mode, OpenAtMode::Write | OpenAtMode::ReadWrite);
            let mut touched = Vec::new();
            for place in opened.places(dir, path) {
                if has(OpenAtFlag::Creat) {
                    touched.push(Touch::new(&place, Make));
                }
                if writes || has(OpenAtFlag::Trunc) {
                    touched.push(Touch::new(&place, Write));
                }
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
            let touched = touches(&op, &Opened::default());
            let touched: Vec<_> = touched.iter().map(|it| it.path.display().into_owned()).collect();
            assert_eq!(touched, paths, "{line}");
        }
    }

    #[test]
    fn a_path_below_a_descriptor_is_below_what_was_opened() {
        let text =
            "machine\ninit> open d /etc r\ninit> openat2 e d a path\ninit> openat2 f e b rw\n";
        let script = standin::transcript::parse(text.as_bytes()).unwrap();
        let opened = Opened::of(&script);
        let last = script.operations().last().unwrap();
        let touched = touches(last.op(), &opened);
        assert_eq!(touched[0].path.display(), "/etc/a/b");
        let unknown: Op = "openat2 n x c w".parse().unwrap();
        assert!(touches(&unknown, &opened).iter().any(|it| it.path.display() == "/etc/c"));
    }
}
