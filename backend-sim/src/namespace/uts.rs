//! UTS namespaces: host and domain name (uts_namespaces(7), uname(2)).

use rustc_hash::FxHashMap;
use standin::backend::{RlimitResource, Uname};
use standin::path::{KPath, KPathBuf};
use standin::{Capability, Errno, Uid};

use super::{Namespaces, of};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::table::Key;
use crate::task::ThreadKey;

pub(crate) type UtsKey = Key<Uts>;

/// The longest name (`__NEW_UTS_LEN`).
pub(crate) const NAME_LENGTH: usize = 64;

const UNNAMED: &[u8] = b"(none)";
pub(crate) const SYSTEM: &str = "Linux";
pub(crate) const HARDWARE: &str = "x86_64";

/// A UTS namespace.
pub(crate) struct Uts {
    hostname: Name,
    domainname: Name,
    pub(super) number: u32,
    /// Sets and handles that it is in.
    pub(super) holders: u32,
    /// Whose it counts as (/proc/sys/user/max_uts_namespaces); nobody's is the first.
    maker: Option<Uid>,
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

/// How many namespaces a user has made that are still there.
pub(super) type Counts = FxHashMap<Uid, u64>;

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

impl Uts {
    /// The one that a machine boots with, which is never let go.
    pub(super) fn first(release: Release) -> Self {
        let number = super::kind::first_number(standin::backend::NamespaceKind::Uts, release);
        let unnamed = Name::cut(UNNAMED);
        Self { hostname: unnamed.clone(), domainname: unnamed, number, holders: 1, maker: None }
    }

    pub(crate) const fn name(&self, which: Which) -> &Name {
        match which {
            Which::Host => &self.hostname,
            Which::Domain => &self.domainname,
        }
    }
}

impl Namespaces {
    /// A holder has gone; with the last one the namespace does.
    pub(super) fn let_go_of_uts(&mut self, key: UtsKey) {
        let uts = self.uts.at_mut(key);
        uts.holders -= 1;
        if uts.holders > 0 {
            return;
        }
        let (number, maker) = (uts.number, uts.maker);
        self.uts.remove(key);
        self.numbers.give_back(number);
        if let Some(count) = maker.and_then(|maker| self.counts.get_mut(&maker)) {
            *count -= 1;
        }
    }

    /// Whether every namespace is counted for who made it.
    pub(super) fn counts_agree(&self) -> bool {
        let made = self.uts.iter().filter(|(_, uts)| uts.maker.is_some()).count();
        self.counts.values().sum::<u64>() == made as u64
    }
}

/// Whether the caller may make one more: ENOSPC beyond its user's share, which is half of the threads that the machine can
/// have, like the first limit of processes.
pub(super) fn check_room(kernel: &Kernel, caller: ThreadKey) -> Result<(), Errno> {
    let most = kernel.tasks.first_limits.get(RlimitResource::Processes).soft;
    let user = kernel.credentials(caller).user.effective;
    let made = kernel.namespaces.counts.get(&user).copied().unwrap_or_default();
    if most.is_some_and(|most| made >= most) { Err(Errno::ENOSPC) } else { Ok(()) }
}

/// A new namespace with the names of another, which nobody holds yet.
pub(super) fn copy(kernel: &mut Kernel, caller: ThreadKey, from: UtsKey) -> UtsKey {
    let user = kernel.credentials(caller).user.effective;
    let namespaces = &mut kernel.namespaces;
    *namespaces.counts.entry(user).or_default() += 1;
    let number = namespaces.numbers.take();
    let from = namespaces.uts.at(from);
    let uts = Uts {
        hostname: from.hostname.clone(),
        domainname: from.domainname.clone(),
        number,
        holders: 0,
        maker: Some(user),
    };
    namespaces.uts.insert(uts)
}

/// sethostname(2), setdomainname(2)
///
/// # Errors
/// EPERM without `CAP_SYS_ADMIN`; EINVAL: longer than 64 bytes.
pub(crate) fn set_name(
    kernel: &mut Kernel,
    caller: ThreadKey,
    which: Which,
    name: &KPath,
) -> Result<(), Errno> {
    if !kernel.credentials(caller).capable(Capability::SYS_ADMIN) {
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
    kernel.namespaces.uts.at(of(kernel, caller).uts).name(which)
}

/// Another name for the caller's namespace, whoever the caller is.
pub(crate) fn put_name(kernel: &mut Kernel, caller: ThreadKey, which: Which, name: Name) {
    let key = of(kernel, caller).uts;
    let uts = kernel.namespaces.uts.at_mut(key);
    match which {
        Which::Host => uts.hostname = name,
        Which::Domain => uts.domainname = name,
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
