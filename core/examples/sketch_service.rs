//! A sketch of the privileged service: answers one client's question for a container's host name. The traits carry
//! `standin::service`: peer credentials, and a helper program born in the container's UTS namespace, so that the service
//! never changes its own.

use standin::backend::{
    Address, Backend, Message, NamespaceKinds, Receive, SendFlags, SocketFlags, SocketType, Spawn,
    SpawnDescriptor, WaitOptions,
};
use standin::{Errno, Failure, KPath, Pid, Uid};

/// The host name that a process sees: the helper prints its own.
fn hostname(kernel: &dyn Backend, container: Pid, helper: &KPath) -> Result<Vec<u8>, Failure> {
    let process = kernel.open_pid(container)?;
    let (reader, writer) = kernel.pipe(SocketFlags::empty())?;
    let out = [SpawnDescriptor { from: writer.descriptor(), to: 1 }];
    let mut spawn = Spawn::new(helper, &[b"hostname"]);
    (spawn.join, spawn.descriptors) = (Some((&process, NamespaceKinds::UTS)), &out);
    let child = kernel.spawn(&spawn)?;
    drop(writer);
    let mut name = [0; 65];
    let length = kernel.read(&reader, &mut name)?;
    kernel.wait(&child, WaitOptions::default())?;
    Ok(name.get(..length).unwrap_or_default().to_vec())
}

/// Serves one client; only root may ask.
fn serve_one(kernel: &dyn Backend, path: &KPath, helper: &KPath) -> Result<(), Failure> {
    let socket = kernel.socket(SocketType::Stream, SocketFlags::empty())?;
    kernel.bind(&socket, &Address::Path(path.to_owned()))?;
    kernel.listen(&socket, 5)?;
    let client = kernel.accept(&socket, SocketFlags::empty())?;
    if kernel.peer_credentials(&client)?.uid != Uid::ROOT {
        return Err(Errno::EPERM.into());
    }
    let mut request = [0; 4];
    kernel.receive(&client, &mut request, Receive { wait_all: true, ..Receive::default() })?;
    let name = hostname(kernel, Pid(u32::from_be_bytes(request)), helper)?;
    kernel
        .send(&client, &Message { bytes: &name, ..Message::default() }, SendFlags::empty())
        .map(drop)
}

fn main() {
    let machine = standin_sim::Machine::builder().allow_unmodelled().build();
    let [path, helper] =
        ["/run/pmcd.socket", "/bin/hostname"].map(|path| KPath::new(path).expect("no NUL"));
    println!("on a machine: {:?}", serve_one(&machine.root(), path, helper));
}
