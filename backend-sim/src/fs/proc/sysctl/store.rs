//! What was written to settings, of the machine or of a namespace that has its own: a text where one differs from the first.

use std::collections::BTreeMap;

use super::SettingId;
use super::row::Of;
use crate::kernel::Kernel;
use crate::namespace;
use crate::task::ThreadKey;

/// Settings that were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Settings(BTreeMap<SettingId, Box<[u8]>>);

impl Settings {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, id: SettingId) -> Option<&[u8]> {
        self.0.get(&id).map(AsRef::as_ref)
    }

    fn set(&mut self, id: SettingId, text: &[u8]) {
        self.0.insert(id, text.into());
    }
}

/// What was written to a setting, as somebody sees it.
pub(super) fn get(kernel: &Kernel, reader: ThreadKey, id: SettingId) -> Option<&[u8]> {
    let set = namespace::of(kernel, reader);
    match id.row().of {
        Of::Machine | Of::FirstNet | Of::OtherNets => kernel.vfs.settings.get(id),
        Of::Net => kernel.namespaces.settings_of_net(set.net).get(id),
        Of::Ipc => kernel.namespaces.settings_of_ipc(set.ipc).get(id),
    }
}

/// Writes it.
pub(super) fn set(kernel: &mut Kernel, writer: ThreadKey, id: SettingId, text: &[u8]) {
    let set = *namespace::of(kernel, writer);
    let settings = match id.row().of {
        Of::Machine | Of::FirstNet | Of::OtherNets => &mut kernel.vfs.settings,
        Of::Net => kernel.namespaces.settings_of_net_mut(set.net),
        Of::Ipc => kernel.namespaces.settings_of_ipc_mut(set.ipc),
    };
    settings.set(id, text);
}
