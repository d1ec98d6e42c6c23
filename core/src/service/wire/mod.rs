//! The protocol between the privileged service and its clients: a pure codec, bytes in, messages and bytes out.
//!
//! A connection is a stream of frames (`frame`): 16 bytes of header (type, length, status, version) and a body, all of
//! them 32-bit numbers in the host's byte order, since both ends are on one host. The service speaks first, with
//! [`Info`]; then each [`Request`] has its [`Reply`], in order. [`Serving`] is the service's end of a connection,
//! [`Asking`] the client's: they take bytes in whatever pieces come, keep a bounded number of them, and answer with a
//! [`Violation`] what is no such frame.
//!
//! Nothing here knows a socket, a clock or a container. What PCP's service has and this one has not (names of cgroups,
//! starting and stopping processes) has no message here: the service does not announce it, and a request for it is a
//! [`Violation::Type`], as any type that a service does not know.

mod asking;
mod frame;
mod message;
mod serving;
mod status;

pub use asking::{Asking, Event};
pub use frame::{Frame, Frames, Violation};
pub use message::{Features, Info, Lookup, Name, Reply, Request};
pub use serving::Serving;
pub use status::Status;
