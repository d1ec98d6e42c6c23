//! `standin ps`: processes with the groups they are in.

use std::fmt::Write as _;

use clap::Args;
use serde::{Serialize, Serializer};
use standin::backend::{Backend, Processes as _};
use standin::{Pid, fs};
use standin_linux::Linux;

use crate::error::{Complaint, Status, visible};
use crate::output::Output;
use crate::tree::Target;

/// Show processes with their parents, states and cgroups
///
/// Those of this host; or with FILE, those of a machine when that script has ended.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
}

/// A process.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Process {
    #[serde(serialize_with = "number")]
    pub(crate) pid: Pid,
    #[serde(serialize_with = "number")]
    pub(crate) parent: Pid,
    pub(crate) state: &'static str,
    /// Its path in the v2 hierarchy.
    pub(crate) cgroup: String,
    /// Its paths in v1 hierarchies, where it is not in the root: controllers and path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) v1: Vec<(String, String)>,
    pub(crate) name: String,
    /// Of a machine: the actor's label, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
}

fn number<S: Serializer>(pid: &Pid, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(i64::from(pid.0))
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    processes: Vec<Process>,
}

/// Runs the command.
///
/// # Errors
/// If there is nothing to show.
pub(crate) fn run(options: &Options) -> Result<Status, Complaint> {
    let processes = match options.target.picture()? {
        Some(picture) => picture.processes,
        None => here()?,
    };
    let mut output = Output::new();
    if options.target.json {
        output.json(&Json { processes });
    } else {
        output.text(&table(&processes));
    }
    output.finish()?;
    Ok(Status::Fine)
}

fn here() -> Result<Vec<Process>, Complaint> {
    let kernel = Linux::here();
    let failed = |error| {
        Complaint::failure(format!("the processes cannot be listed: {error}"), "is /proc mounted?")
    };
    let mut pids = kernel.processes().map_err(failed)?;
    if pids.is_empty() {
        return Err(Complaint::failure(
            "no process can be seen, not even this one",
            "is /proc mounted?",
        ));
    }
    pids.sort_unstable();
    // One that is gone by now is not shown.
    Ok(pids.into_iter().filter_map(|pid| process(&kernel, pid)).collect())
}

/// What /proc says of a process (proc_pid_stat(5), cgroups(7)).
fn process(kernel: &dyn Backend, pid: Pid) -> Option<Process> {
    let text = |file: &str| {
        let bytes = fs::read(kernel, format!("/proc/{}/{file}", pid.0)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let stat = text("stat")?;
    // A name may hold anything, also `) `.
    let (before, behind) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once('(')?;
    let mut fields = behind.split(' ');
    let (state, parent) = (state(fields.next()?), fields.next()?.parse().ok()?);
    let (mut cgroup, mut v1) = (String::new(), Vec::new());
    for line in text("cgroup").unwrap_or_default().lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        match (parts.next(), parts.next()) {
            (Some(""), Some(path)) => cgroup = path.to_owned(),
            (Some(controllers), Some(path)) if path != "/" => {
                v1.push((controllers.to_owned(), path.to_owned()))
            }
            _ => {}
        }
    }
    Some(Process {
        pid,
        parent: Pid(parent),
        state,
        cgroup,
        v1,
        name: name.to_owned(),
        actor: None,
    })
}

/// The word for a letter of proc_pid_stat(5).
fn state(letter: &str) -> &'static str {
    match letter {
        "R" => "running",
        "S" => "sleeping",
        "D" => "waiting",
        "T" => "stopped",
        "t" => "traced",
        "Z" => "zombie",
        "X" | "x" => "dead",
        "I" => "idle",
        _ => "unknown",
    }
}

fn table(processes: &[Process]) -> String {
    let groups: Vec<String> = processes.iter().map(Process::groups).collect();
    let wide = |text: &String| text.chars().count();
    let width =
        groups.iter().map(wide).filter(|&width| width <= 60).max().unwrap_or(0).max("CGROUP".len());
    let mut text = format!("{:>7} {:>7} {:<8} {:<width$} NAME\n", "PID", "PPID", "STATE", "CGROUP");
    for (Process { pid, parent, state, name, actor, .. }, group) in processes.iter().zip(&groups) {
        let name = visible(name).replace('\n', r"\n");
        let actor = actor.as_ref().map(|label| format!(" <{label}>")).unwrap_or_default();
        let _ =
            writeln!(text, "{:>7} {:>7} {state:<8} {group:<width$} {name}{actor}", pid.0, parent.0);
    }
    text
}

impl Process {
    /// Its groups in one word: the v2 path, then v1 paths other than the root.
    fn groups(&self) -> String {
        let v2 = if self.cgroup.is_empty() { "-" } else { &self.cgroup };
        let v1 = self.v1.iter().map(|(controllers, path)| format!(" {controllers}:{path}"));
        visible(&format!("{v2}{}", v1.collect::<String>())).replace('\n', r"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, table};
    use standin::Pid;

    #[test]
    fn a_table_is_as_wide_as_its_groups() {
        let process = |pid, cgroup: &str, name: &str| Process {
            pid: Pid(pid),
            parent: Pid(1),
            state: "running",
            cgroup: cgroup.to_owned(),
            v1: Vec::new(),
            name: name.to_owned(),
            actor: None,
        };
        let moved = Process {
            actor: Some("worker".to_owned()),
            v1: vec![("pids".to_owned(), "/x".to_owned())],
            ..process(12, "/", "c\u{1b}")
        };
        let text = table(&[process(2, "/web/inner", "a b"), process(3, "", "c"), moved]);
        let wanted = "    PID    PPID STATE    CGROUP     NAME\n      2       1 running  /web/inner a b\n      3       1 running  -          c\n     12       1 running  / pids:/x  c\\u{1b} <worker>\n";
        assert_eq!(text, wanted);
    }
}
