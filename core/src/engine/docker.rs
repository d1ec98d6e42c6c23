//! Docker's records: a directory for each container, with a JSON file that Docker replaces whenever something changes.

use serde_json::Value;

use super::files::StateFiles;
use super::{Container, ContainerState, Engine, FindError};
use crate::backend::Backend;
use crate::failure::Result;
use crate::id::Pid;
use crate::path::{KPath, KPathBuf};

pub(super) const CONTAINERS: &str = "containers";
/// The record, by the name that it has and by the one that it had before Docker 1.10.
const RECORDS: [&str; 2] = ["config.v2.json", "config.json"];
/// How many hexadecimal digits an id has.
const ID_DIGITS: usize = 64;

pub(super) fn is_id(name: &str) -> bool {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.len() == ID_DIGITS && name.bytes().all(hex)
}

fn path(text: &str) -> KPathBuf {
    // Ids and the names above hold no NUL.
    KPathBuf::new(text).unwrap_or_default()
}

pub(super) fn ids(kernel: &dyn Backend, files: &StateFiles) -> Result<Vec<String>, FindError> {
    let mut ids = files.names(kernel, &path(CONTAINERS))?;
    ids.retain(|name| is_id(name));
    ids.sort_unstable();
    Ok(ids)
}

pub(super) fn read(
    kernel: &dyn Backend,
    files: &StateFiles,
    id: &str,
) -> Result<Option<Container>, FindError> {
    if !is_id(id) {
        return Ok(None);
    }
    for record in RECORDS {
        let path = path(&format!("{CONTAINERS}/{id}/{record}"));
        if let Some(content) = files.read(kernel, &path)? {
            return parse(files, &path, id, &content).map(Some);
        }
    }
    Ok(None)
}

fn parse(
    files: &StateFiles,
    path: &KPath,
    id: &str,
    content: &[u8],
) -> Result<Container, FindError> {
    let record: Value = serde_json::from_slice(content)
        .map_err(|error| files.damaged(path, format!("no JSON: {error}")))?;
    if !record.is_object() {
        return Err(files.damaged(path, "no JSON object"));
    }
    let is = |flag| record.pointer(flag).and_then(Value::as_bool).unwrap_or(false);
    // Docker leaves `Running` as it is in a container that is paused, or about to start again.
    let state = if is("/State/Paused") {
        ContainerState::Paused
    } else if is("/State/Restarting") {
        ContainerState::Restarting
    } else if is("/State/Running") {
        ContainerState::Running
    } else {
        ContainerState::Stopped
    };
    let number = match record.pointer("/State/Pid") {
        None | Some(Value::Null) => 0,
        Some(pid) => pid
            .as_u64()
            .and_then(|pid| i32::try_from(pid).ok())
            .ok_or_else(|| files.damaged(path, format!("State.Pid is {pid}: no process id")))?,
    };
    let pid = Some(Pid(number.unsigned_abs())).filter(|pid| *pid != Pid::ZERO);
    let name = record.get("Name").and_then(Value::as_str).map(str::to_owned);
    let names = name.map(|name| name.strip_prefix('/').unwrap_or(&name).to_owned());
    Ok(Container {
        engine: Engine::Docker,
        id: id.to_owned(),
        names: names.into_iter().filter(|name| !name.is_empty()).collect(),
        state,
        pid: pid.filter(|_| state.has_processes()),
    })
}
