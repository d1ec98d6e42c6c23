//! Files by path, control files and mounts.

use super::operations;
use crate::id::Mode;
use crate::path::KPathBuf;
use crate::transcript::argument::{Argument, Value, Words, Wrong};
use crate::transcript::choice::choices;
use crate::transcript::error::Complaint;
use crate::transcript::value::{Data, Label, Owner};

operations! {
    /// Operations on files by path, on kept open files, and mounts.
    FileOp of Files {
        /// Makes a directory: mkdir(2), mode 0755 unless given, umask 0.
        Mkdir is "mkdir" "PATH [MODE]" { path: KPathBuf, mode: Option<Mode> }
        /// Removes a directory: rmdir(2).
        Rmdir is "rmdir" "PATH" { path: KPathBuf }
        /// Opens, writes DATA with one write(2), closes; `<LABEL>` in DATA is that actor's pid.
        Write is "write" "PATH DATA" { path: KPathBuf, data: Data }
        /// Opens and reads to the end.
        Read is "read" "PATH" { path: KPathBuf }
        /// Reads the shape of a volatile file: every decimal number becomes `#`.
        ReadShape is "read~" "PATH" { path: KPathBuf }
        /// Prints the value behind KEY in a flat-keyed file, or `nokey`.
        Key is "key" "PATH KEY" { path: KPathBuf, key: Data }
        /// Compares the file's (or key's) number; CMP is `== != < <= > >=`.
        Test is "test" "PATH [KEY] CMP VALUE" { test: Test }
        /// Lists the names in a directory, sorted bytewise.
        Ls is "ls" "PATH" { path: KPathBuf }
        /// Prints type, permission bits and owner: lstat(2).
        Stat is "stat" "PATH" { path: KPathBuf }
        /// Changes permission bits: chmod(2).
        Chmod is "chmod" "PATH MODE" { path: KPathBuf, mode: Mode }
        /// Changes the owner: lchown(2).
        Chown is "chown" "PATH UID:GID" { path: KPathBuf, owner: Owner }
        /// Changes the working directory: chdir(2).
        Chdir is "chdir" "PATH" { path: KPathBuf }
        /// Makes a file: open(2) O_CREAT|O_EXCL|O_WRONLY, mode 0644, and closes it.
        Create is "create" "PATH" { path: KPathBuf }
        /// Removes a name: unlink(2).
        Unlink is "unlink" "PATH" { path: KPathBuf }
        /// Renames: rename(2).
        Rename is "rename" "OLD NEW" { old: KPathBuf, new: KPathBuf }
        /// Makes the symbolic link PATH, which says TO: symlink(2).
        Symlink is "symlink" "TO PATH" { to: KPathBuf, path: KPathBuf }
        /// Makes a hard link: link(2).
        Link is "link" "OLD NEW" { old: KPathBuf, new: KPathBuf }
        /// Asks for permission with the effective ids; MODE is letters of `rwx`, or `f`.
        Access is "access" "PATH MODE" { path: KPathBuf, mode: AccessMode }
        /// Prints the filesystem's type: statfs(2).
        Statfs is "statfs" "PATH" { path: KPathBuf }
        /// Sets an extended attribute: setxattr(2).
        Xset is "xset" "PATH NAME DATA" { path: KPathBuf, name: KPathBuf, data: Data }
        /// Prints an extended attribute: getxattr(2).
        Xget is "xget" "PATH NAME" { path: KPathBuf, name: KPathBuf }
        /// Lists the names of the extended attributes, sorted bytewise.
        Xlist is "xlist" "PATH" { path: KPathBuf }
        /// Removes an extended attribute: removexattr(2).
        Xdel is "xdel" "PATH NAME" { path: KPathBuf, name: KPathBuf }
        /// Keeps an open file under the label FD; MODE is `r`, `w` or `rw`.
        Open is "open" "FD PATH r|w|rw" { fd: Label, path: KPathBuf, mode: OpenMode }
        /// Reads a kept file from its beginning: pread(2).
        Fread is "fread" "FD" { fd: Label }
        /// Writes DATA to a kept file's beginning: one pwrite(2).
        Fwrite is "fwrite" "FD DATA" { fd: Label, data: Data }
        /// Closes a kept descriptor.
        Close is "close" "FD" { fd: Label }
        /// Waits up to MS milliseconds for POLLPRI: poll(2).
        Pollpri is "pollpri" "FD MS" { fd: Label, timeout_ms: i32 }
        /// Mounts cgroup, cgroup2, proc or tmpfs: mount(2); OPTIONS that are no flag are data.
        Mount is "mount" "TYPE TARGET [OPTIONS]" {
            kind: FileSystem, target: KPathBuf, options: Option<MountOptions>,
        }
        /// Unmounts: umount(2).
        Umount is "umount" "TARGET" { target: KPathBuf }
    }
}

choices! {
    /// How `open` opens.
    pub OpenMode is "a way to open" { Read = "r", Write = "w", ReadWrite = "rw" }

    /// How `test` compares.
    pub Comparison is "a comparison" {
        Equal = "==", NotEqual = "!=", Less = "<", AtMost = "<=", Greater = ">", AtLeast = ">=",
    }

    /// What `mount` mounts.
    pub FileSystem is "a type of filesystem here" {
        Cgroup = "cgroup", Cgroup2 = "cgroup2", Proc = "proc", Tmpfs = "tmpfs",
    }

    /// The mount options that are flags of mount(2); all others are data for the filesystem.
    pub MountFlag is "a mount flag" {
        Ro = "ro", Nosuid = "nosuid", Nodev = "nodev", Noexec = "noexec", Remount = "remount",
        Private = "private", Shared = "shared", Slave = "slave", Rec = "rec",
    }
}

impl Comparison {
    /// Whether `left` compares so with `right`.
    #[must_use]
    pub const fn holds(self, left: i128, right: i128) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// `PATH [KEY] CMP VALUE`: the question that `test` asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The file.
    pub path: KPathBuf,
    /// The key of a flat-keyed file; without it, the file holds one number.
    pub key: Option<Data>,
    /// How to compare.
    pub comparison: Comparison,
    /// With what.
    pub value: i128,
}

impl Argument for Test {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let path = KPathBuf::take(words)?;
        // A key may look like a comparison, so the number of words decides.
        let key = (words.len() > 2).then(|| Data::take(words)).transpose()?;
        Ok(Self { path, key, comparison: Argument::take(words)?, value: Argument::take(words)? })
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        self.path.put(out);
        self.key.put(out);
        self.comparison.put(out);
        self.value.put(out);
    }
}

/// What `access` asks for; none of the three means: does it exist?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccessMode {
    /// May it be read?
    pub read: bool,
    /// May it be written?
    pub write: bool,
    /// May it be executed, or searched?
    pub execute: bool,
}

impl Value for AccessMode {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let mut mode = Self::default();
        if word == b"f" {
            return Ok(mode);
        }
        let wrong = || Wrong::not(word, "a mode of access", "letters of r, w and x, or f");
        for letter in word {
            let slot = match letter {
                b'r' => &mut mode.read,
                b'w' => &mut mode.write,
                b'x' => &mut mode.execute,
                _ => return Err(wrong()),
            };
            if std::mem::replace(slot, true) {
                return Err(wrong());
            }
        }
        if word.is_empty() { Err(wrong()) } else { Ok(mode) }
    }

    fn spell(&self) -> Vec<u8> {
        let letters = [(self.read, b'r'), (self.write, b'w'), (self.execute, b'x')];
        let word: Vec<u8> =
            letters.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect();
        if word.is_empty() { b"f".to_vec() } else { word }
    }
}

/// The options of `mount`, flags apart from data; each keeps its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MountOptions {
    /// Flags of mount(2).
    pub flags: Vec<MountFlag>,
    /// The other options, as the filesystem gets them: each between commas.
    pub data: Vec<Vec<u8>>,
}

impl Value for MountOptions {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        if word.contains(&0) {
            return Err(Wrong::not(word, "a list of mount options", "any bytes but NUL"));
        }
        let mut options = Self::default();
        if word.is_empty() {
            return Ok(options);
        }
        for option in word.split(|&byte| byte == b',') {
            match MountFlag::read(option) {
                Ok(flag) => options.flags.push(flag),
                Err(_) => options.data.push(option.to_vec()),
            }
        }
        Ok(options)
    }

    fn spell(&self) -> Vec<u8> {
        let flags = self.flags.iter().map(Value::spell);
        flags.chain(self.data.iter().cloned()).collect::<Vec<_>>().join(&b',')
    }
}
