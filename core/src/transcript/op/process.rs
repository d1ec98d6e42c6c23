//! Processes and threads.

use super::namespace::NamespaceKind;
use super::operations;
use crate::capability::Capability;
use crate::path::KPathBuf;
use crate::transcript::argument::{Argument, Value, Words, spell_option};
use crate::transcript::choice::{List, Switch, choices};
use crate::transcript::error::Complaint;
use crate::transcript::name::SignalArg;
use crate::transcript::value::{Data, Id, Label, Owner};

operations! {
    /// Operations on processes and threads, and what an actor is asked about itself.
    ProcessOp of Processes {
        /// Makes a child, which is an actor: clone3(2).
        Fork is "fork" "LABEL [into=PATH] [new=KINDS] [uid=N]" { child: Label, options: ForkOptions }
        /// Makes a thread of the actor's process, which is an actor.
        Thread is "thread" "LABEL" { thread: Label }
        /// Ends the process: _exit(2); a thread actor ends its thread alone.
        Exit is "exit" "CODE" { code: i32 }
        /// Sends a signal to an actor's process, by pidfd.
        Kill is "kill" "TARGET SIG" { target: Label, signal: SignalArg }
        /// Waits for an actor's process, by pidfd: waitid(2).
        Wait is "wait" "TARGET [nohang]" { target: Label, nohang: Option<Nohang> }
        /// Prints what the runner sees: gone, zombie, frozen, stopped or running.
        Status is "status" "TARGET" { target: Label }
        /// Prints the actor's own pid: getpid(2).
        Pid is "pid" "" {}
        /// Prints the pid of the actor's parent: getppid(2).
        Ppid is "ppid" "" {}
        /// Becomes the one that orphans below are given to, or stops: PR_SET_CHILD_SUBREAPER.
        Subreaper is "subreaper" "on|off" { to: Switch }
        /// Drops the groups and sets all user and group ids of this thread.
        Setid is "setid" "UID:GID" { owner: Owner }
        /// Drops capabilities from all sets.
        Capdrop is "capdrop" "NAME..." { capabilities: AtLeastOne<Capability> }
        /// Reads /proc/PID/FILE of an actor.
        Proc is "proc" "TARGET FILE" { target: Label, file: KPathBuf }
        /// Runs a program: execve(2).
        Exec is "exec" "PROGRAM ARG..." { program: KPathBuf, arguments: Vec<Data> }
        /// Prints the result of the operation an actor was busy with, `blocked` or `idle`.
        Join is "join" "ACTOR" { actor: Label }
    }
}

choices! {
    /// `nohang`: do not wait (WNOHANG).
    pub Nohang is "an option here" { Nohang = "nohang" }
}

/// How `fork` makes the child.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForkOptions {
    /// The cgroup to be born in (CLONE_INTO_CGROUP).
    pub into: Option<KPathBuf>,
    /// Namespaces to be made.
    pub new: Option<List<NamespaceKind>>,
    /// The child then sets its user and group ids to this number.
    pub uid: Option<Id>,
}

impl Argument for ForkOptions {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let mut options = Self::default();
        while let Some(option) = words.option() {
            match option.key {
                "into" => option.set(&mut options.into)?,
                "new" => option.set(&mut options.new)?,
                "uid" => option.set(&mut options.uid)?,
                _ => return Err(option.unknown()),
            }
        }
        Ok(options)
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        out.extend(self.into.iter().map(|path| spell_option("into", path)));
        out.extend(self.new.iter().map(|kinds| spell_option("new", kinds)));
        out.extend(self.uid.iter().map(|uid| spell_option("uid", uid)));
    }
}

/// Words to the end of the line, one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtLeastOne<T>(pub Vec<T>);

impl<T: Value> Argument for AtLeastOne<T> {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let mut values = vec![T::take(words)?];
        values.extend(Vec::<T>::take(words)?);
        Ok(Self(values))
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        self.0.put(out);
    }
}
