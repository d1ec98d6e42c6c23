//! A second machine at the same point, programs in the middle of their calls and all: [`Machine::branch`](crate::Machine::branch).
//!
//! A stack cannot be copied, but it can be made again: the last snapshot is gone back to, and everything since is done once
//! more in the same order. So a machine that is to be branched keeps that snapshot, what it was driven by since
//! ([`Drive`]), and its trace. The second run must make the same calls: if not, something but the machine decides what its
//! programs do. Neighbours: `snapshot`, `trace`, `schedule` (the decisions).

use std::fmt;
use std::time::Duration;

use standin::Failure;

use crate::machine::Machine;
use crate::snapshot::Snapshot;
use crate::trace::{Difference, first_difference};

/// What a machine is driven by from outside: this, and nothing else, may have happened since the last snapshot.
#[derive(Clone, Debug)]
pub(crate) enum Drive {
    /// `launch`
    Launch(Vec<String>),
    /// `run`, `run_together`
    Run(Vec<Vec<String>>),
    /// `settle`
    Settle,
    /// `pass`
    Pass(Duration),
}

/// What a machine keeps so that it can be branched.
pub(crate) struct Course {
    base: Snapshot,
    drives: Vec<Drive>,
    /// A call from outside since the snapshot, or something else that is not driven.
    foreign: Option<&'static str>,
    /// A drive is under way: calls from outside are its own.
    is_driving: bool,
}

impl Course {
    /// From this snapshot on.
    pub(crate) const fn new(base: Snapshot) -> Self {
        Self { base, drives: Vec::new(), foreign: None, is_driving: false }
    }

    /// A drive begins; whether it is none inside of another.
    pub(crate) fn begin(&mut self, drive: Drive) -> bool {
        let is_outer = !std::mem::replace(&mut self.is_driving, true);
        if is_outer {
            self.drives.push(drive);
        }
        is_outer
    }

    /// The outer drive has ended.
    pub(crate) const fn end(&mut self) {
        self.is_driving = false;
    }

    /// Something came from outside.
    pub(crate) fn note_foreign(&mut self, call: &'static str) {
        if !self.is_driving {
            self.foreign.get_or_insert(call);
        }
    }
}

/// Why a machine could not be branched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BranchError {
    /// It was not built to be: [`Builder::branching`](crate::Builder::branching).
    NotKept,
    /// It was driven by this call from outside since the last snapshot: that cannot be done again. Take a snapshot behind such
    /// calls, or let a program make them.
    Driven {
        /// The call.
        call: &'static str,
    },
    /// A program made other calls the second time, or was answered otherwise: it depends on something that is not the machine's
    /// (a clock, random numbers or variables of the host). `first` is what was done, `second` what was done again.
    Uncontrolled(Difference),
    /// The second run failed where the first did not.
    Failed(Failure),
}

impl fmt::Display for BranchError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotKept => out.write_str("the machine was not built with Builder::branching"),
            Self::Driven { call } => write!(
                out,
                "`{call}` came from outside since the last snapshot, which cannot be done again; take a snapshot behind it"
            ),
            Self::Uncontrolled(difference) => write!(
                out,
                "uncontrolled nondeterminism: the same run again went another way {difference}"
            ),
            Self::Failed(failure) => write!(out, "the same run again failed: {failure}"),
        }
    }
}

impl std::error::Error for BranchError {}

/// The second machine.
pub(crate) fn branch(machine: &Machine) -> Result<Machine, BranchError> {
    let (base, drives) = {
        let course = machine.shared().course.lock();
        let course = course.as_ref().ok_or(BranchError::NotKept)?;
        if let Some(call) = course.foreign {
            return Err(BranchError::Driven { call });
        }
        (course.base.clone(), course.drives.clone())
    };
    let (order, trace) = {
        let kernel = machine.shared().lock();
        (kernel.order.clone(), kernel.trace.clone().unwrap_or_default())
    };
    let again = base.machine();
    let programs = machine.shared().programs.lock().clone();
    *again.shared().programs.lock() = programs;
    again.shared().lock().order = order.as_ref().map(|order| Box::new(order.again()));
    again.shared().keep_course(base);
    for drive in drives {
        carry_out(&again, drive).map_err(BranchError::Failed)?;
    }
    let made = again.trace();
    if let Some(difference) = first_difference(&trace.entries, &made.entries) {
        return Err(BranchError::Uncontrolled(difference));
    }
    again.shared().lock().order = order;
    Ok(again)
}

fn carry_out(machine: &Machine, drive: Drive) -> Result<(), Failure> {
    match drive {
        Drive::Launch(command) => {
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            machine.launch(&command).map(drop)
        }
        Drive::Run(commands) => {
            let commands: Vec<Vec<&str>> = commands
                .iter()
                .map(|command| command.iter().map(String::as_str).collect())
                .collect();
            let commands: Vec<&[&str]> = commands.iter().map(Vec::as_slice).collect();
            machine.run_together(&commands).map(drop)
        }
        Drive::Settle => {
            machine.settle();
            Ok(())
        }
        Drive::Pass(time) => machine.pass(time),
    }
}
