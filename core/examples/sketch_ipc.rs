//! A sketch of the IPC client: set-up over a socket, then messages from a ring in shared memory. The traits carry
//! `standin::ipc`: abstract addresses, credentials, a file mapped twice in a row, a futex as the semaphore.

use standin::backend::{Address, Backend, Deadline, Message, OpenOptions, Receive};
use standin::backend::{SendFlags, SocketFlags, SocketOption, SocketType};
use standin::handle::{Map, Socket};
use standin::{Errno, Failure, KPath, Place, Uid, id::Bytes};

const COUNT: Bytes = Bytes(0);

/// Connects to a server, and checks who it is before anything is said.
fn connect(kernel: &dyn Backend, service: &[u8]) -> Result<Socket, Failure> {
    let socket = kernel.socket(SocketType::Stream, SocketFlags::empty())?;
    kernel.set_socket_option(&socket, SocketOption::PassCredentials, 1)?;
    kernel.connect(&socket, &Address::Abstract(service.to_vec()))?;
    if kernel.peer_credentials(&socket)?.uid != Uid::ROOT {
        return Err(Errno::EPROTO.into());
    }
    let hello = Message { bytes: b"connect", ..Message::default() };
    kernel.send(&socket, &hello, SendFlags::empty())?;
    kernel.receive(&socket, &mut [0; 64], Receive { wait_all: true, ..Receive::default() })?;
    Ok(socket)
}

/// Maps the ring that the server made, twice in a row, so that no message wraps.
fn ring(kernel: &dyn Backend, path: &KPath) -> Result<Map, Failure> {
    let file = kernel.open(Place::cwd(path), &OpenOptions::read_write())?;
    kernel.map(&file, Bytes(128 * 1024), true)
}

/// Takes one message out of the ring; ETIMEDOUT at the deadline.
fn take(kernel: &dyn Backend, ring: &Map, into: &mut [u8], by: Deadline) -> Result<(), Failure> {
    loop {
        let count = kernel.map_load(ring, COUNT)?;
        if count == 0 {
            kernel.futex_wait(ring, COUNT, 0, by)?;
        } else if kernel.map_compare_exchange(ring, COUNT, count, count - 1)? == count {
            return kernel.map_read(ring, Bytes(64), into);
        }
    }
}

fn main() {
    let machine = standin_sim::Machine::builder().allow_unmodelled().build();
    let (kernel, path) = (machine.root(), KPath::new("/dev/shm/qb-1/ring").expect("no NUL"));
    let message =
        ring(&kernel, path).and_then(|ring| take(&kernel, &ring, &mut [0; 64], Deadline::Never));
    println!("on a machine: {:?}, {message:?}", connect(&kernel, b"pacemakerd"));
}
