//! Who may be at the other end: [`Trusted`].

use crate::backend::PeerCredentials;
use crate::id::{Gid, Uid};

/// Whom a client takes for the daemon that it wants: root, or one of these. Pacemaker's daemons run as the user
/// `hacluster` of the group `haclient`, whose numbers differ from host to host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The daemons' user.
    pub user: Uid,
    /// The daemons' group. Only a peer's own group counts, not its supplementary ones.
    pub group: Gid,
}

impl Trusted {
    /// Nobody but root.
    pub const ROOT: Self = Self { user: Uid::ROOT, group: Gid::ROOT };

    /// Whether the peer is one of them.
    ///
    /// ```
    /// use standin::backend::PeerCredentials;
    /// use standin::{Gid, Pid, Uid, ipc::Trusted};
    /// let cluster = Trusted { user: Uid(114), group: Gid(120) };
    /// let peer = |uid, gid| PeerCredentials { pid: Pid(7), uid: Uid(uid), gid: Gid(gid) };
    /// assert!(cluster.admits(&peer(0, 0)) && cluster.admits(&peer(114, 9)) && cluster.admits(&peer(9, 120)));
    /// assert!(!cluster.admits(&peer(9, 9)));
    /// ```
    #[must_use]
    pub fn admits(&self, peer: &PeerCredentials) -> bool {
        peer.uid == Uid::ROOT || peer.uid == self.user || peer.gid == self.group
    }
}
