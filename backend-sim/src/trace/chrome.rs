//! The trace event format that Chrome's and Perfetto's viewers read: an array of events, times in microseconds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Entry, Trace, json};

/// How long a call is drawn that took no time, in ns.
const INSTANT_NS: u64 = 1;

/// The whole trace, as one object.
pub(super) fn events(trace: &Trace) -> String {
    let mut out = String::from("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
    let mut is_first = true;
    // The last name of each thread is its lane's.
    let lanes: BTreeMap<_, &str> =
        trace.entries.iter().map(|entry| ((entry.process, entry.thread), &*entry.name)).collect();
    for ((process, thread), name) in lanes {
        for (kind, number) in [("process_name", process.0), ("thread_name", thread.0)] {
            if kind == "process_name" && process.0 != thread.0 {
                continue;
            }
            separate(&mut out, &mut is_first);
            let _ = write!(
                out,
                "{{\"ph\":\"M\",\"name\":\"{kind}\",\"pid\":{},\"tid\":{},\"args\":{{\"name\":",
                process.0, thread.0
            );
            json::string(&mut out, &format!("{number} {name}"));
            out.push_str("}}");
        }
    }
    for entry in &trace.entries {
        separate(&mut out, &mut is_first);
        slice(&mut out, entry);
    }
    out.push_str("]}\n");
    out
}

fn separate(out: &mut String, is_first: &mut bool) {
    out.push_str(if std::mem::take(is_first) { "\n" } else { ",\n" });
}

fn slice(out: &mut String, entry: &Entry) {
    let (from, ended) = (entry.began.ns, entry.answer.as_ref());
    let took = ended.map_or(0, |answer| answer.at.ns.saturating_sub(from)).max(INSTANT_NS);
    out.push_str("{\"ph\":\"X\",\"name\":");
    json::string(out, entry.operation);
    let _ = write!(
        out,
        ",\"pid\":{},\"tid\":{},\"ts\":{}.{:03},\"dur\":{}.{:03},\"args\":{{\"answer\":",
        entry.process.0,
        entry.thread.0,
        from / 1_000,
        from % 1_000,
        took / 1_000,
        took % 1_000,
    );
    match ended.map(|answer| &answer.outcome) {
        Some(Ok(text)) => json::string(out, text),
        Some(Err(failure)) => json::string(out, &failure.to_string()),
        None => json::string(out, "none: it waits, or died"),
    }
    out.push_str(",\"arguments\":");
    json::arguments(out, entry);
    out.push_str("}}");
}
