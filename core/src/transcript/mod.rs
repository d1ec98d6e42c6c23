//! Transcripts: a text file of kernel operations and what they printed, for every kernel (spec,
//! `transcript.md`).
//!
//! [`parse`] reads text into a [`Transcript`]; its `Display` writes it back. An [`Operation`] is an
//! actor's [`Label`], an [`Op`] and an optional [`Answer`]. The operations are tables, [`op_rows`]:
//! name, usage, one line of help, parser and printer in one row.
//!
//! That part is the language alone: it carries nothing out and knows no errno and no file; an answer is text to it.
//!
//! [`run`] plays a script on a [`Stage`], which gives each actor a process of a machine or of a host; the stage calls
//! [`perform`] inside the actor, with the actor's view of the kernel and what it keeps ([`Actor`]). What comes back is an
//! [`Outcome`], plain data, and `run` prints it as the spec says. So a kernel, simulated or real, is compared by one
//! program, and this module knows no kernel.

mod actor;
mod answer;
mod argument;
mod choice;
mod error;
mod line;
mod machine;
mod name;
mod needs;
mod op;
mod outcome;
mod parse;
mod perform;
mod print;
mod run;
mod script;
mod stage;
mod value;
mod wire;
mod word;

pub use actor::{Actor, ActorId};
pub use answer::{Answer, Difference, shape};
pub use choice::{List, ListOrNone, Nonblock, Switch};
pub use error::ParseError;
pub use machine::{Layout, MAX_CPUS, MAX_DISKS, MachineLine, Release};
pub use name::SignalArg;
pub use needs::Needs;
pub use op::{
    AccessMode, Address, AtLeastOne, CapabilityChange, CapabilitySetName, ClockName, Comparison,
    Copies, Credentials, EventfdOptions, FileOp, FileSystem, Flock, ForkOptions, IdKind,
    IdentityOp, Limit, LimitPair, LinkOp, MaskChange, MountFlag, MountOptions, NamespaceKind,
    NamespaceLink, NamespaceOp, Nohang, Op, OpRow, OpenAt, OpenAtFlag, OpenAtMode, OpenMode,
    PollEvent, Prctl, PriorityOf, ProcessOp, RebootHow, RecvOptions, ResourceOp, RlimitName,
    SendOptions, SetgroupsTo, ShutdownHow, SignalAction, SocketName, SocketOp, SocketType,
    SystemOp, Test, Theme, UnameField, WatchEvent, op_rows,
};
pub use outcome::{Form, Outcome, Part, PidRule};
pub use parse::{MAX_COMMENTS, MAX_INPUT_BYTES, MAX_LINE_BYTES, MAX_OPERATIONS, parse};
pub use perform::perform;
pub use run::{Mismatch, Report, RunError, run};
pub use script::{Item, Operation, Transcript};
pub use stage::{Aim, Condition, End, Request, Settled, Stage, Task, Trouble, UNSEEN};
pub use value::{Data, Id, Label, MAX_LABEL_BYTES, Owner, Piece, Size, Who};
pub use wire::WireError;
pub use word::{MAX_WORDS, print_address, print_data, print_word};
