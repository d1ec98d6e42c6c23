//! The `Namespaces` trait of a view.

use standin::backend::{NamespaceKind, NamespaceKinds, Namespaces, RebootCommand, Uname};
use standin::handle::{NsHandle, PidHandle};
use standin::id::NsId;
use standin::{Failure, KPath};

use crate::namespace::uts::Which;
use crate::ops::namespaces;
use crate::view::View;

type Result<T> = std::result::Result<T, Failure>;

impl Namespaces for View {
    fn unshare(&self, kinds: NamespaceKinds) -> Result<()> {
        self.carry(namespaces::Unshare { kinds })
    }

    fn join(&self, process: &PidHandle, kinds: NamespaceKinds) -> Result<()> {
        let process = process.descriptor().number_in(self.scope())?;
        self.carry(namespaces::Join { process, kinds })
    }

    fn join_handle(&self, namespace: &NsHandle) -> Result<()> {
        let namespace = namespace.descriptor().number_in(self.scope())?;
        self.carry(namespaces::JoinHandle { namespace })
    }

    fn open_namespace(&self, process: &PidHandle, kind: NamespaceKind) -> Result<NsHandle> {
        let process = process.descriptor().number_in(self.scope())?;
        Ok(self.handle(self.carry(namespaces::OpenNamespace { process, kind })?).into())
    }

    fn namespace_of(&self, process: Option<&PidHandle>, kind: NamespaceKind) -> Result<NsId> {
        let process = process.map(|process| process.descriptor().number_in(self.scope()));
        self.carry(namespaces::NamespaceOf { process: process.transpose()?, kind })
    }

    fn uname(&self) -> Result<Uname> {
        self.carry(namespaces::GetUname {})
    }

    fn set_hostname(&self, name: &KPath) -> Result<()> {
        self.carry(namespaces::SetName { which: Which::Host, name })
    }

    fn set_domainname(&self, name: &KPath) -> Result<()> {
        self.carry(namespaces::SetName { which: Which::Domain, name })
    }

    fn reboot(&self, command: RebootCommand) -> Result<()> {
        self.carry(namespaces::Reboot { command })
    }
}
