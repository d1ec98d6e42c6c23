//! A machine as it stands when its script has ended, before everything is undone.

use std::collections::BTreeMap;
use std::time::Duration;

use standin::Errno;
use standin::id::{Moment, NsId, Pid};
use standin::transcript::{
    ActorId, ClockName, Condition, Label, Layout, NamespaceLink, Op, ProcessOp, Report, Request,
    Settled, Stage, Transcript, Trouble, run,
};
use standin_sim::StateLook;

use crate::error::Complaint;
use crate::groups::{Hierarchy, Kind, Mount, hierarchy};
use crate::input::Input;
use crate::kernel::{Choice, On, Stopped};
use crate::ps::Process;

/// What is seen of a machine.
pub(crate) struct Picture {
    /// Its hierarchies.
    pub(crate) hierarchies: Vec<Hierarchy>,
    /// Its processes, by number.
    pub(crate) processes: Vec<Process>,
}

/// A machine's stage that is looked at when the script has ended.
struct Watched {
    stage: standin_sim::Stage,
    layout: Layout,
    picture: Option<Picture>,
    /// The numbers of the actors, in the order of their making.
    actors: Vec<Pid>,
}

/// Runs a script on a machine and looks at the machine then; without a script, looks at a new machine.
///
/// # Errors
/// If the script cannot be read or run.
pub(crate) fn take(file: Option<&std::path::Path>, choice: Choice) -> Result<Picture, Complaint> {
    let Some(file) = file else {
        return look_after(&Transcript::new(choice.machine_line()), |error| {
            Complaint::failure(format!("the machine did not start: {error}"), "")
        });
    };
    let input = Input::read(file)?;
    let mut script = input.parse()?;
    choice.apply(&mut script, &input)?;
    look_after(&script, |error| Stopped::Broken(error).complaint(On::Sim, &input))
}

fn look_after(
    script: &Transcript,
    complain: impl FnOnce(standin::transcript::RunError) -> Complaint,
) -> Result<Picture, Complaint> {
    let stage = standin_sim::Stage::new(&script.machine);
    let layout = script.machine.layout.unwrap_or(Layout::Unified);
    let mut watched = Watched { stage, layout, picture: None, actors: Vec::new() };
    let report = run(script, &mut watched).map_err(complain)?;
    let mut picture = watched.picture.ok_or_else(|| {
        Complaint::failure("the script ended before its machine could be looked at", "")
    })?;
    let labels = labels(&report, &watched.actors);
    for process in &mut picture.processes {
        process.actor = labels.get(&process.pid).cloned();
    }
    Ok(picture)
}

/// Which process is which actor. It follows from the answers of what makes actors, unless one of those was still blocked or
/// made a child that it then did not tell of: nothing is said then.
fn labels(report: &Report, actors: &[Pid]) -> BTreeMap<Pid, String> {
    let births = report.transcript.operations().filter_map(|operation| {
        let Op::Processes(
            ProcessOp::Fork { child: label, .. } | ProcessOp::Thread { thread: label },
        ) = operation.op()
        else {
            return None;
        };
        Some((
            label.to_string(),
            operation.answer.as_ref().and_then(|answer| answer.as_status()).unwrap_or_default(),
        ))
    });
    let births: Vec<(String, &str)> = births.collect();
    let is_blocked = births.iter().any(|(_, status)| *status == "blocked");
    let made = births.into_iter().filter(|(_, status)| *status == "ok").map(|(label, _)| label);
    let labels: Vec<String> = std::iter::once(Label::init().to_string()).chain(made).collect();
    if is_blocked || labels.len() != actors.len() {
        return BTreeMap::new();
    }
    actors.iter().copied().zip(labels).collect()
}

impl Watched {
    fn look(&mut self) -> Picture {
        let machine = self.stage.machine();
        // Before anything is read, which takes a process.
        let processes = machine.look().processes();
        let reader = machine.user(0);
        let mounts = mounts(self.layout);
        let hierarchies = mounts.iter().map(|mount| hierarchy(&reader, mount)).collect();
        let processes = processes
            .into_iter()
            .map(|process| Process {
                pid: process.pid,
                parent: process.parent,
                state: word(process.state),
                cgroup: process.cgroup,
                v1: Vec::new(),
                name: process.name,
                actor: None,
            })
            .collect();
        Picture { hierarchies, processes }
    }
}

/// Where a machine has its v2 hierarchy. The machine has no v1 hierarchies to show yet.
fn mounts(layout: Layout) -> Vec<Mount> {
    let point = match layout {
        Layout::Unified => "/sys/fs/cgroup",
        Layout::Hybrid => "/sys/fs/cgroup/unified",
        Layout::Legacy => return Vec::new(),
    };
    vec![Mount {
        point: point.to_owned(),
        kind: Kind::Cgroup2,
        options: Vec::new(),
        read_only: false,
    }]
}

const fn word(state: StateLook) -> &'static str {
    match state {
        StateLook::Running => "running",
        StateLook::Frozen => "frozen",
        StateLook::Stopped => "stopped",
        StateLook::Zombie(_) => "zombie",
    }
}

impl Stage for Watched {
    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble> {
        self.stage.begin(actor, request)
    }

    fn settle(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        self.stage.settle(actor, patience)
    }

    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid> {
        self.stage.number(who, seen_by)
    }

    fn condition(&mut self, actor: ActorId) -> Condition {
        self.stage.condition(actor)
    }

    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno> {
        self.stage.namespace(actor, link)
    }

    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool {
        self.stage.in_initial_pid_namespace(actor)
    }

    fn initial_clock(&mut self, clock: ClockName) -> Moment {
        self.stage.initial_clock(clock)
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        let numbers = (0..).map_while(|id| self.stage.number(ActorId(id), ActorId::INIT));
        self.actors = numbers.collect();
        self.picture = Some(self.look());
        self.stage.finish()
    }
}
