//! Local sockets (unix(7)) and what all descriptors share.

use super::operations;
use crate::transcript::argument::{Argument, Value, Words, Wrong, spell_option};
use crate::transcript::choice::{List, ListOrNone, Nonblock, Switch, choices};
use crate::transcript::error::Complaint;
use crate::transcript::value::{Data, Id, Label, Size, number};

operations! {
    /// Operations on sockets, and on descriptors of any kind.
    SocketOp of Sockets {
        /// Makes a socket: socket(2).
        Socket is "socket" "FD stream|dgram|seqpacket [nonblock]" {
            fd: Label, kind: SocketType, nonblock: Option<Nonblock>,
        }
        /// Makes two connected sockets: socketpair(2).
        Socketpair is "socketpair" "FD NEW stream|dgram|seqpacket [nonblock]" {
            fd: Label, new: Label, kind: SocketType, nonblock: Option<Nonblock>,
        }
        /// Gives a socket its address: bind(2); ADDR is a path, `@NAME`, `@` or `unspec`.
        Bind is "bind" "FD ADDR" { fd: Label, address: Address }
        /// Connects a socket: connect(2); ADDR is a path, `@NAME`, `@` or `unspec`.
        Connect is "connect" "FD ADDR" { fd: Label, address: Address }
        /// Takes connections from now on: listen(2).
        Listen is "listen" "FD BACKLOG" { fd: Label, backlog: i32 }
        /// Takes a connection: accept4(2).
        Accept is "accept" "FD NEW [nonblock]" { fd: Label, new: Label, nonblock: Option<Nonblock> }
        /// Sends a message: one sendmsg(2), MSG_NOSIGNAL unless `sigpipe`.
        Send is "send" "FD DATA [to=ADDR] [fds=FD,...] [cred=<LABEL>:UID:GID] [nonblock] [sigpipe]" {
            fd: Label, data: Data, options: SendOptions,
        }
        /// Sends SIZE bytes again and again without blocking, until it fails; prints how.
        Fill is "fill" "FD SIZE" { fd: Label, size: Size }
        /// Receives up to SIZE bytes: one recvmsg(2) with room for exactly what is named.
        Recv is "recv" "FD SIZE [peek] [waitall] [nonblock] [cred] [fds=NEW,...] [pidfd]" {
            fd: Label, size: Size, options: RecvOptions,
        }
        /// Sets a socket option, or prints it.
        Sockopt is "sockopt" "FD NAME [on|off]" { fd: Label, name: SocketName, to: Option<Switch> }
        /// Prints the process and ids at the other end: SO_PEERCRED.
        Peercred is "peercred" "FD" { fd: Label }
        /// Prints whose pidfd the other end's is: SO_PEERPIDFD.
        Peerpidfd is "peerpidfd" "FD" { fd: Label }
        /// Shuts a connection down, in part or all: shutdown(2).
        Shutdown is "shutdown" "FD r|w|rw" { fd: Label, how: ShutdownHow }
        /// Waits up to MS milliseconds for events of one descriptor: poll(2).
        Poll is "poll" "FD EVENTS|none MS" { fd: Label, events: ListOrNone<PollEvent>, timeout_ms: i32 }
        /// Prints a socket's own address: getsockname(2).
        Sockname is "sockname" "FD" { fd: Label }
        /// Prints the other end's address: getpeername(2).
        Peername is "peername" "FD" { fd: Label }
        /// Makes a second descriptor of the same open file: dup(2).
        Dup is "dup" "FD NEW" { fd: Label, new: Label }
    }
}

choices! {
    /// The type of a socket.
    pub SocketType is "a type of socket" { Stream = "stream", Dgram = "dgram", Seqpacket = "seqpacket" }

    /// A socket option.
    pub SocketName is "a socket option" {
        Passcred = "passcred", Passpidfd = "passpidfd", Passrights = "passrights", Acceptconn = "acceptconn",
        Error = "error",
    }

    /// Which direction is shut down.
    pub ShutdownHow is "a direction" { Read = "r", Write = "w", ReadWrite = "rw" }

    /// An event of poll(2), in the order in which they are printed.
    pub PollEvent is "an event of poll" {
        In = "in", Pri = "pri", Out = "out", Err = "err", Hup = "hup", Nval = "nval", Rdhup = "rdhup",
    }
}

/// The address of a local socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A path: these bytes and a final NUL. (The kernel reads up to the first NUL.)
    Path(Vec<u8>),
    /// `@NAME`: an abstract name of these bytes, one at least.
    Abstract(Vec<u8>),
    /// `@`: no name, so that the kernel chooses one.
    Autobind,
    /// `unspec`: AF_UNSPEC.
    Unspec,
}

impl Value for Address {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        Ok(match word.split_first() {
            Some((b'@', [])) => Self::Autobind,
            Some((b'@', name)) => Self::Abstract(name.to_vec()),
            _ if word == b"unspec" => Self::Unspec,
            _ => Self::Path(word.to_vec()),
        })
    }

    fn spell(&self) -> Vec<u8> {
        match self {
            Self::Path(path) => path.clone(),
            Self::Abstract(name) => [b"@", name.as_slice()].concat(),
            Self::Autobind => b"@".to_vec(),
            Self::Unspec => b"unspec".to_vec(),
        }
    }
}

/// What `send` sends besides its data, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendOptions {
    /// To whom; without it, to the connected end.
    pub to: Option<Address>,
    /// Descriptors, in one SCM_RIGHTS.
    pub fds: Option<List<Copies>>,
    /// Credentials, in one SCM_CREDENTIALS.
    pub cred: Option<Credentials>,
    /// MSG_DONTWAIT.
    pub nonblock: bool,
    /// Without MSG_NOSIGNAL.
    pub sigpipe: bool,
}

impl Argument for SendOptions {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let mut options = Self::default();
        while let Some(option) = words.option() {
            match option.key {
                "to" => option.set(&mut options.to)?,
                "fds" => option.set(&mut options.fds)?,
                "cred" => option.set(&mut options.cred)?,
                "nonblock" => option.flag(&mut options.nonblock)?,
                "sigpipe" => option.flag(&mut options.sigpipe)?,
                _ => return Err(option.unknown()),
            }
        }
        Ok(options)
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        out.extend(self.to.iter().map(|to| spell_option("to", to)));
        out.extend(self.fds.iter().map(|fds| spell_option("fds", fds)));
        out.extend(self.cred.iter().map(|cred| spell_option("cred", cred)));
        let flags = [(self.nonblock, "nonblock"), (self.sigpipe, "sigpipe")];
        out.extend(flags.iter().filter(|(on, _)| *on).map(|(_, word)| word.as_bytes().to_vec()));
    }
}

/// `FD` or `FD*N`: a descriptor that is sent N times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// The descriptor.
    pub fd: Label,
    /// How often, 1 at least.
    pub times: u32,
}

impl Value for Copies {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let mut parts = word.splitn(2, |&byte| byte == b'*');
        let fd = Label::read(parts.next().unwrap_or_default())?;
        let times = parts.next().map_or(Some(1), number).filter(|&times| times > 0);
        let help = "FD, or FD*N for N of it";
        times
            .map(|times| Self { fd, times })
            .ok_or_else(|| Wrong::not(word, "a descriptor to send", help))
    }

    fn spell(&self) -> Vec<u8> {
        match self.times {
            1 => self.fd.spell(),
            times => format!("{}*{times}", self.fd).into_bytes(),
        }
    }
}

/// `<LABEL>:UID:GID`: what `send` claims to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The process.
    pub actor: Label,
    /// The user.
    pub uid: Id,
    /// The group.
    pub gid: Id,
}

impl Value for Credentials {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let mut parts = word.splitn(3, |&byte| byte == b':');
        let actor = parts.next().and_then(|actor| actor.strip_prefix(b"<")?.strip_suffix(b">"));
        let (Some(actor), Some(uid), Some(gid)) = (actor, parts.next(), parts.next()) else {
            return Err(Wrong::not(
                word,
                "a set of credentials",
                "<LABEL>:UID:GID, such as <p>:0:0",
            ));
        };
        Ok(Self { actor: Label::read(actor)?, uid: Id::read(uid)?, gid: Id::read(gid)? })
    }

    fn spell(&self) -> Vec<u8> {
        let actor = format!("<{}>", self.actor).into_bytes();
        [actor, self.uid.spell(), self.gid.spell()].join(&b':')
    }
}

/// What `recv` has room for besides data, and how it receives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecvOptions {
    /// MSG_PEEK.
    pub peek: bool,
    /// MSG_WAITALL.
    pub waitall: bool,
    /// MSG_DONTWAIT.
    pub nonblock: bool,
    /// Room for one SCM_CREDENTIALS.
    pub cred: bool,
    /// Room for this many descriptors, and the labels they get.
    pub fds: Option<List<Label>>,
    /// Room for one SCM_PIDFD.
    pub pidfd: bool,
}

impl Argument for RecvOptions {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let mut options = Self::default();
        while let Some(option) = words.option() {
            match option.key {
                "peek" => option.flag(&mut options.peek)?,
                "waitall" => option.flag(&mut options.waitall)?,
                "nonblock" => option.flag(&mut options.nonblock)?,
                "cred" => option.flag(&mut options.cred)?,
                "fds" => option.set(&mut options.fds)?,
                "pidfd" => option.flag(&mut options.pidfd)?,
                _ => return Err(option.unknown()),
            }
        }
        Ok(options)
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        let flag = |on: bool, word: &str| on.then(|| word.as_bytes().to_vec());
        out.extend(flag(self.peek, "peek"));
        out.extend(flag(self.waitall, "waitall"));
        out.extend(flag(self.nonblock, "nonblock"));
        out.extend(flag(self.cred, "cred"));
        out.extend(self.fds.iter().map(|fds| spell_option("fds", fds)));
        out.extend(flag(self.pidfd, "pidfd"));
    }
}
