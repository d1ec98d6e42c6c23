//! The privileged collector service of PCP: agents without rights ask it for the host name and the first process of a
//! container (pmdaRootConnect(3)).
//!
//! [`Server`] answers on a local socket, [`Client`] asks; both speak PCP's own protocol ([`wire`]), so each works with
//! PCP's other end too. Containers are found by [`engine`](crate::engine). A host name is read by a process of the
//! server's, [`hostname_helper`], that joins the container's UTS namespace: the server never leaves its own.
//!
//! Inside: `stream` moves bytes without blocking, `peer` is one connection of the server's, `lookup` goes from a request to
//! a process, `hostname` is the helper and what waits for it. Nothing here reads a clock, an environment or a path that it was not given.
//!
//! Of PCP's service this one has the lookups of host names and process ids. It announces what it has; it does not
//! start, stop or wait for processes, and does not tell names of cgroups.

mod client;
mod error;
mod hostname;
mod lookup;
mod peer;
mod server;
mod stream;
pub mod wire;

pub use client::Client;
pub use error::Error;
pub use hostname::{HOSTNAME_HELPER, hostname_helper};
pub use peer::{CloseReason, PeerId};
pub use server::{Event, Options, Server};

/// Where PCP's agents look for the service, if nothing else was configured.
pub const USUAL_PATH: &str = "/var/lib/pcp/pmcd/root.socket";
