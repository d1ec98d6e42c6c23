//! UTS namespaces: host and domain name (uts_namespaces(7), uname(2)).

use standin::backend::{NamespaceKind, Uname};
use standin::path::{KPath, KPathBuf};
use standin::{Capability, Errno};

use super::all::{Maker, Namespace};
use super::{Held, of, owner, user};
use crate::kernel::Kernel;
use crate::table::Key;
use crate::task::ThreadKey;
use crate::wait::Channel;

pub(crate) type UtsKey = Key<Namespace<Uts>>;

/// The longest name (`__NEW_UTS_LEN`).
pub(crate) const NAME_LENGTH: usize = 64;

const UNNAMED: &[u8] = b"(none)";
pub(crate) const SYSTEM: &str = "Linux";
pub(crate) const HARDWARE: &str = "x86_64";

/// What a UTS namespace is.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Uts {
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    hostname: Name,
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    domainname: Name,
}

/// A name, at most [`NAME_LENGTH`] bytes without a NUL.
#[derive(Clone)]
pub(crate) struct Name {
    bytes: [u8; NAME_LENGTH],
    length: u8,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Which {
    Host,
    Domain,
}

impl Name {
    /// As much of the bytes as fits.
    pub(crate) fn cut(from: &[u8]) -> Self {
        let mut name = Self { bytes: [0; NAME_LENGTH], length: 0 };
        for (to, byte) in name.bytes.iter_mut().zip(from) {
            *to = *byte;
            name.length += 1;
        }
        name
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    fn to_path(&self) -> KPathBuf {
        KPathBuf::new(self.as_bytes()).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<Vec<u8>> for Name {
    fn from(bytes: Vec<u8>) -> Self {
        Self::cut(&bytes)
    }
}

impl Uts {
    /// The one that a machine boots with.
    pub(super) fn first() -> Self {
        let unnamed = Name::cut(UNNAMED);
        Self { hostname: unnamed.clone(), domainname: unnamed }
    }

    pub(crate) const fn name(&self, which: Which) -> &Name {
        match which {
            Which::Host => &self.hostname,
            Which::Domain => &self.domainname,
        }
    }
}

/// A new namespace with the names of another, which nobody holds yet.
pub(super) fn copy(kernel: &mut Kernel, maker: Maker, from: UtsKey) -> UtsKey {
    let namespaces = &mut kernel.namespaces;
    let Uts { hostname, domainname } = &namespaces.uts.at(from).content;
    let uts = Uts { hostname: hostname.clone(), domainname: domainname.clone() };
    namespaces.make(maker, NamespaceKind::Uts, uts, |all| (&mut all.uts, &mut all.numbers))
}

/// sethostname(2), setdomainname(2)
///
/// # Errors
/// EPERM without `CAP_SYS_ADMIN` where the namespace was made; EINVAL: longer than 64 bytes.
pub(crate) fn set_name(
    kernel: &mut Kernel,
    caller: ThreadKey,
    which: Which,
    name: &KPath,
) -> Result<(), Errno> {
    let over = owner(kernel, Held::Uts(of(kernel, caller).uts));
    if !user::capable(kernel, kernel.credentials(caller).holder(), over, Capability::SYS_ADMIN) {
        return Err(Errno::EPERM);
    }
    if name.as_bytes().len() > NAME_LENGTH {
        return Err(Errno::EINVAL);
    }
    put_name(kernel, caller, which, Name::cut(name.as_bytes()));
    Ok(())
}

/// The name, as the caller's namespace has it.
pub(crate) fn name_of(kernel: &Kernel, caller: ThreadKey, which: Which) -> &Name {
    kernel.namespaces.uts.at(of(kernel, caller).uts).content.name(which)
}

/// Another name for the caller's namespace, whoever the caller is.
pub(crate) fn put_name(kernel: &mut Kernel, caller: ThreadKey, which: Which, name: Name) {
    let key = of(kernel, caller).uts;
    let uts = &mut kernel.namespaces.uts.at_mut(key).content;
    match which {
        Which::Host => uts.hostname = name,
        Which::Domain => uts.domainname = name,
    }
    tell(kernel, which);
}

/// Somebody has set a name, or written nothing into its setting: whoever polls the setting is told, in all namespaces.
pub(crate) fn tell(kernel: &mut Kernel, which: Which) {
    let [host, domain] = &mut kernel.namespaces.names_set;
    match which {
        Which::Host => *host += 1,
        Which::Domain => *domain += 1,
    }
    kernel.waits.wake(Channel::Name(which));
}

/// How often that has happened.
pub(crate) fn times_set(kernel: &Kernel, which: Which) -> u64 {
    let [host, domain] = kernel.namespaces.names_set;
    match which {
        Which::Host => host,
        Which::Domain => domain,
    }
}

/// uname(2)
pub(crate) fn uname(kernel: &Kernel, caller: ThreadKey) -> Uname {
    let release = kernel.profile.release;
    let text = |text: &str| KPathBuf::new(text).unwrap_or_default();
    Uname {
        sysname: text(SYSTEM),
        nodename: name_of(kernel, caller, Which::Host).to_path(),
        release: text(release.full_name()),
        version: text(release.build()),
        machine: text(HARDWARE),
        domainname: name_of(kernel, caller, Which::Domain).to_path(),
    }
}
