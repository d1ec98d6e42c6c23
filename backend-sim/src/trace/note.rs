//! Notes calls at the door.

use std::fmt::Debug;

use standin::{Failure, Pid, Tid};

use super::{Answer, Entry, Parts, Value};
use crate::door::Operation;
use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// A call reaches the kernel: its place in the trace, if that is kept and the caller is there.
#[cold]
pub(crate) fn begin<O: Operation>(
    kernel: &mut Kernel,
    caller: ThreadKey,
    operation: &O,
) -> Option<usize> {
    let thread = kernel.tasks.threads.get(caller).filter(|_| O::IS_TOLD)?;
    let process = kernel.tasks.processes.at(thread.process).number;
    let entry = Entry {
        began: kernel.clock.monotonic(),
        process: Pid(process),
        thread: Tid(thread.number),
        name: String::from_utf8_lossy(&thread.name).into_owned(),
        operation: O::NAME,
        arguments: parts(operation, None),
        answer: None,
    };
    let entries = &mut kernel.trace.as_mut()?.entries;
    entries.push(entry);
    Some(entries.len() - 1)
}

/// The answer of the call at this place.
#[cold]
pub(crate) fn end<O: Operation>(
    kernel: &mut Kernel,
    place: usize,
    operation: &O,
    answer: &Result<O::Answer, Failure>,
) {
    let at = kernel.clock.monotonic();
    // Who died in a call is not there to hear of it.
    if matches!(answer, Err(Failure::CallerDied)) {
        return;
    }
    let Some(trace) = &mut kernel.trace else { return };
    let behind = trace.entries.len();
    let Some(entry) = trace.entries.get_mut(place) else { return };
    let outcome = match answer {
        Ok(answer) => Ok(print(answer)),
        Err(failure) => Err(failure.clone()),
    };
    if let Ok(printed) = &outcome {
        entry.arguments = parts(operation, Some(printed));
        if O::MAKES_PROCESS {
            entry.arguments.push(("child", Value::Number(kernel.tasks.last_number.into())));
        }
    }
    entry.answer = Some(Answer { at, behind, outcome });
}

/// A descriptor was closed: no call that the door sees, and one that does not fail.
#[cold]
pub(crate) fn close(kernel: &mut Kernel, caller: ThreadKey, number: u32) {
    if !kernel.tasks.is_alive(caller) {
        return;
    }
    let thread = kernel.tasks.threads.at(caller);
    let at = kernel.clock.monotonic();
    let mut entry = Entry {
        began: at,
        process: Pid(kernel.tasks.processes.at(thread.process).number),
        thread: Tid(thread.number),
        name: String::from_utf8_lossy(&thread.name).into_owned(),
        operation: "close",
        arguments: vec![("file", Value::Number(number.into()))],
        answer: None,
    };
    let Some(trace) = &mut kernel.trace else { return };
    let behind = trace.entries.len() + 1;
    entry.answer = Some(Answer { at, behind, outcome: Ok("ok".to_owned()) });
    trace.entries.push(entry);
}

fn print(answer: &impl Debug) -> String {
    let text = format!("{answer:?}");
    if text == "()" { "ok".to_owned() } else { text }
}

/// The parts of a call; of a buffer, what was put there, once the call has answered.
fn parts<O: Operation>(operation: &O, answer: Option<&str>) -> Vec<(&'static str, Value)> {
    let mut parts = Parts::default();
    operation.show(&mut parts);
    let length = answer.map(|answer| answer.parse().unwrap_or(usize::MAX));
    parts.behind(length)
}
