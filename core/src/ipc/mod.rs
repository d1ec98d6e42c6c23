//! Pacemaker's daemon IPC, client and server, in libqb's wire format.
//!
//! A daemon listens at a name; a client connects, and each learns from the kernel who the other is. Then messages go
//! through three rings in shared memory: requests, responses, events. [`Client`] and [`Server`] are the two sides, over
//! any [`Backend`](crate::Backend); they talk to Pacemaker 2.1 and 3.0.0 as these talk among themselves.
//!
//! ```
//! # use standin::backend::{Backend, Deadline, Spawn, WaitStatus};
//! # use standin::{ExitCode, KPath};
//! use standin::ipc::{Client, ClientOptions, Endpoint, Error, Event, Launcher, LauncherState, Server};
//! use standin::ipc::{ServerOptions, ServiceName, Trusted};
//!
//! fn endpoint() -> Endpoint {
//!     Endpoint::abstract_name(ServiceName::new(Launcher::SERVICE).expect("a name"))
//! }
//!
//! /// Answers one ping, as pacemakerd does: an acknowledgement, then an event.
//! fn daemon(kernel: &dyn Backend) -> Result<(), Error> {
//!     let launcher = Launcher { state: LauncherState::Running, last_good_s: 1_795_224_348 };
//!     let mut server = Server::listen(kernel, endpoint(), ServerOptions::default())?;
//!     while let Some(event) = server.next(kernel, Deadline::Never)? {
//!         match event {
//!             Event::Request { client, request } => {
//!                 let answer = launcher.answer(request.text());
//!                 server.acknowledge(kernel, client, &request, ("ping", answer.status))?;
//!                 if let Some(event) = answer.event {
//!                     server.notify(kernel, client, &event)?;
//!                 }
//!             }
//!             Event::Left { .. } => break,
//!             Event::Connected { .. } | Event::Unreadable { .. } | Event::TurnedAway { .. } => {}
//!         }
//!     }
//!     server.close(kernel)
//! }
//!
//! /// Asks pacemakerd how it is.
//! fn ask(kernel: &dyn Backend) -> Result<Option<Launcher>, Error> {
//!     let until = kernel.monotonic().expect("a clock").after(std::time::Duration::from_secs(5));
//!     let options = ClientOptions::new(Trusted::ROOT);
//!     let mut client = Client::connect(kernel, &endpoint(), &options, until)?;
//!     client.request(kernel, &Launcher::ping("1_doc", "ping-1"), until)?;
//!     let event = client.event(kernel, Deadline::At(until))?;
//!     Ok(event.and_then(|event| Launcher::pinged(&event)))
//! }
//!
//! # use standin::backend::Processes;
//! let machine = standin_sim::Machine::builder().build();
//! machine.program("/bin/daemon", |kernel, _| ExitCode(daemon(kernel).is_err().into()));
//! machine.program("/bin/ask", |kernel, _| {
//!     let told = ask(kernel).expect("an answer").expect("a launcher");
//!     ExitCode((told.state != LauncherState::Running).into())
//! });
//! let daemon = KPath::new("/bin/daemon").expect("no NUL");
//! machine.root().spawn(&Spawn::new(daemon, &[b"daemon"])).unwrap();
//! machine.settle();
//! assert_eq!(machine.run("/bin/ask", &[]), Ok(WaitStatus::Exited(0)));
//! machine.finish().unwrap();
//! ```
//!
//! Below them are layouts without any input or output: [`ConnectRequest`] and [`ConnectResponse`] of the set-up,
//! [`Frame`] of messages, [`Element`] and [`Envelope`] of the documents in them, and what a daemon answers
//! ([`Launcher`]).
//!
//! The other process is never believed: names, lengths, indices and paths from it are checked, messages are copied
//! before they are read, and every wait has a deadline. One thing cannot be helped, since it is in the protocol: a
//! process that may write the files may cut them short, and who then touches the memory dies of SIGBUS.
//!
//! Not spoken: sockets instead of shared memory, compressed payloads, messages in parts (Pacemaker 3.0.1 and later).

mod client;
mod connection;
mod document;
mod error;
mod event;
mod frame;
mod layout;
mod line;
mod name;
mod pacemakerd;
mod peer;
mod ring;
mod rings;
mod semaphore;
mod server;
mod setup;
mod wire;
mod xml;

pub use client::{Client, ClientOptions};
pub use document::{Envelope, EnvelopeKind, Status, ack, acked};
pub use error::{Error, Malformed, Result};
pub use event::{ClientId, Event, Request};
pub use frame::{Flags, Frame, Unreadable};
pub use name::{Endpoint, InvalidName, ServiceName};
pub use pacemakerd::{Answer, Launcher, LauncherState};
pub use peer::Trusted;
pub use server::{Server, ServerOptions};
pub use setup::{ConnectRequest, ConnectResponse, Grant, LEAST_MESSAGE_BYTES};
pub use xml::Element;

use crate::path::{KPath, KPathBuf};

/// The longest message of a connection where nobody wishes for more: Pacemaker's buffer of 128 KiB.
pub const DEFAULT_MESSAGE_BYTES: u32 = 128 * 1024;
/// The longest message that is ever agreed on. libqb sets no limit, so that a client can make a server take any amount
/// of memory.
pub const MOST_MESSAGE_BYTES: u32 = 16 * 1024 * 1024;

/// Where Linux has shared memory.
fn shared_memory() -> KPathBuf {
    KPath::new("/dev/shm").unwrap_or(KPath::empty()).to_owned()
}
