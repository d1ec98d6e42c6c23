//! Files, more: links, locks, watches, events, handles.

use super::operations;
use crate::path::KPathBuf;
use crate::transcript::argument::{Argument, Value, Words};
use crate::transcript::choice::{List, ListOrNone, Nonblock, choices};
use crate::transcript::error::Complaint;
use crate::transcript::value::Label;

operations! {
    /// More operations on files and on descriptors of other kinds.
    LinkOp of Links {
        /// Prints what a symbolic link says: readlink(2).
        Readlink is "readlink" "PATH" { path: KPathBuf }
        /// Cuts or extends a file to SIZE bytes: truncate(2).
        Truncate is "truncate" "PATH SIZE" { path: KPathBuf, size_bytes: i64 }
        /// Opens below a directory (an FD or `cwd`) as the FLAGs say: openat2(2).
        Openat2 is "openat2" "NEW DIR PATH r|w|rw|path [FLAG,...]" {
            new: Label, dir: OpenAt, path: KPathBuf, mode: OpenAtMode, flags: Option<List<OpenAtFlag>>,
        }
        /// Locks an open file, or unlocks it: flock(2).
        Flock is "flock" "FD sh|ex|un [nonblock]" { fd: Label, to: Flock, nonblock: Option<Nonblock> }
        /// Makes an inotify descriptor: inotify_init1(2).
        Inotify is "inotify" "FD [nonblock]" { fd: Label, nonblock: Option<Nonblock> }
        /// Watches a path under the name NAME: inotify_add_watch(2).
        Watch is "watch" "FD NAME PATH EVENTS" {
            fd: Label, name: Label, path: KPathBuf, events: ListOrNone<WatchEvent>,
        }
        /// Ends a watch: inotify_rm_watch(2).
        Unwatch is "unwatch" "FD NAME" { fd: Label, name: Label }
        /// Reads all queued events of an inotify descriptor, with one read(2).
        Events is "events" "FD" { fd: Label }
        /// Makes an eventfd whose counter is N: eventfd2(2).
        Eventfd is "eventfd" "FD N [nonblock] [semaphore]" { fd: Label, count: u32, options: EventfdOptions }
        /// Reads an eventfd's counter.
        Evread is "evread" "FD" { fd: Label }
        /// Adds N to an eventfd's counter.
        Evwrite is "evwrite" "FD N" { fd: Label, count: u64 }
        /// Keeps a file's handle under the name NAME: name_to_handle_at(2).
        Handle is "handle" "NAME PATH" { name: Label, path: KPathBuf }
        /// Compares a file's handle with the kept one.
        Samehandle is "samehandle" "NAME PATH" { name: Label, path: KPathBuf }
    }
}

choices! {
    /// How `openat2` opens.
    pub OpenAtMode is "a way to open" { Read = "r", Write = "w", ReadWrite = "rw", Path = "path" }

    /// A flag of openat2(2): O_ ones, then RESOLVE_ ones.
    pub OpenAtFlag is "a flag of openat2" {
        Creat = "creat", Excl = "excl", Directory = "directory", Nofollow = "nofollow", Trunc = "trunc",
        Append = "append", NoXdev = "no_xdev", NoMagiclinks = "no_magiclinks", NoSymlinks = "no_symlinks",
        Beneath = "beneath", InRoot = "in_root", Cached = "cached",
    }

    /// What `flock` does.
    pub Flock is "a kind of lock" { Shared = "sh", Exclusive = "ex", Unlock = "un" }

    /// An event or flag of inotify_add_watch(2); `all` is the first twelve.
    pub WatchEvent is "an event of inotify" {
        Access = "access", Modify = "modify", Attrib = "attrib", CloseWrite = "close_write",
        CloseNowrite = "close_nowrite", Open = "open", MovedFrom = "moved_from", MovedTo = "moved_to",
        Create = "create", Delete = "delete", DeleteSelf = "delete_self", MoveSelf = "move_self",
        Onlydir = "onlydir", DontFollow = "dont_follow", Oneshot = "oneshot", MaskAdd = "mask_add",
        MaskCreate = "mask_create", All = "all",
    }

}

/// Where `openat2` begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenAt {
    /// `cwd`: the working directory (AT_FDCWD).
    WorkingDirectory,
    /// A descriptor.
    Descriptor(Label),
}

impl Value for OpenAt {
    fn read(word: &[u8]) -> Result<Self, crate::transcript::argument::Wrong> {
        if word == b"cwd" {
            return Ok(Self::WorkingDirectory);
        }
        Label::read(word).map(Self::Descriptor)
    }

    fn spell(&self) -> Vec<u8> {
        match self {
            Self::WorkingDirectory => b"cwd".to_vec(),
            Self::Descriptor(label) => label.spell(),
        }
    }
}

/// Flags of eventfd2(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventfdOptions {
    /// EFD_NONBLOCK.
    pub nonblock: bool,
    /// EFD_SEMAPHORE.
    pub semaphore: bool,
}

impl Argument for EventfdOptions {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let mut options = Self::default();
        while let Some(option) = words.option() {
            match option.key {
                "nonblock" => option.flag(&mut options.nonblock)?,
                "semaphore" => option.flag(&mut options.semaphore)?,
                _ => return Err(option.unknown()),
            }
        }
        Ok(options)
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        let flags = [(self.nonblock, "nonblock"), (self.semaphore, "semaphore")];
        out.extend(flags.iter().filter(|(on, _)| *on).map(|(_, word)| word.as_bytes().to_vec()));
    }
}
