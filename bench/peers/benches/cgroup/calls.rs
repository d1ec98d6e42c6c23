//! System calls of a job, where strace(1) is installed: this program does the job again under it, between two getppid(2).

use std::fs;
use std::process::{Command, Stdio};

use crate::contender::Job;

/// The first argument of this program when it is traced.
pub(crate) const SHOW: &str = "--show";
/// How often a job is done; of the last the calls are counted.
pub(crate) const TIMES: u32 = 3;

/// How many calls a contender, by its number, makes for a job.
pub(crate) fn count(kit: usize, contender: usize, job: Job) -> Option<usize> {
    let log =
        format!("{}/standin-bench-{}.strace", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-o", &log])
        .arg(std::env::current_exe().ok()?)
        .args([SHOW, &kit.to_string(), &contender.to_string(), job.word()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let text = fs::read_to_string(&log);
    let _ = fs::remove_file(&log);
    if traced.ok()?.success() { between(&text.ok()?) } else { None }
}

/// The calls between the last two getppid(2), of the process that made them.
fn between(log: &str) -> Option<usize> {
    let last = log.lines().rfind(|line| line.contains(" getppid("))?;
    let process = last.split(' ').next()?;
    let of_process = log.lines().filter(|line| line.split(' ').next() == Some(process));
    // A call that was interrupted in the log stands there twice; signals and ends are no calls.
    let is_call = |line: &&str| !line.contains(" resumed>") && !line.contains(" --- ");
    let calls: Vec<&str> = of_process.filter(is_call).collect();
    let marks: Vec<usize> = (0..calls.len())
        .filter(|index| calls.get(*index).is_some_and(|call| call.contains(" getppid(")))
        .collect();
    // Marks come in pairs.
    (marks.len() == 2 * TIMES as usize).then_some(())?;
    let (from, to) = (marks.iter().rev().nth(1)?, marks.last()?);
    Some(to - from - 1)
}
