//! Over which user namespace somebody's capabilities reach (capabilities(7), user_namespaces(7)).

use standin::{Capability, CapabilitySet, Uid};

use super::UserNs;
use crate::kernel::Kernel;

/// Who may do what: what of somebody's credentials that depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    pub(crate) namespace: UserNs,
    /// The effective user.
    pub(crate) user: Uid,
    /// The effective capabilities, which count there and below.
    pub(crate) capabilities: CapabilitySet,
}

/// Whether somebody has a capability over a user namespace: it has it in that one or in one above, or is the owner of that one, or
/// of one above it, and stands right above there.
pub(crate) fn capable(kernel: &Kernel, own: Holder, over: UserNs, capability: Capability) -> bool {
    let mut over = over;
    loop {
        if over == own.namespace {
            return own.capabilities.contains(capability);
        }
        // The first is below none.
        let Some(key) = over else { return false };
        let namespace = kernel.namespaces.user(Some(key));
        if namespace.parent == own.namespace && namespace.owner == own.user {
            return true;
        }
        over = namespace.parent;
    }
}

/// Whether a namespace is another or lies below it.
pub(crate) fn is_below(kernel: &Kernel, below: UserNs, above: UserNs) -> bool {
    let mut below = below;
    while below != above {
        let Some(key) = below else { return false };
        below = kernel.namespaces.user(Some(key)).parent;
    }
    true
}

/// Whether somebody made a namespace or one above it, right below its own: so it is not less than who has every capability there.
pub(crate) fn owns(kernel: &Kernel, own: Holder, below: UserNs) -> bool {
    let mut below = below;
    while let Some(key) = below {
        let namespace = kernel.namespaces.user(Some(key));
        if namespace.parent == own.namespace && namespace.owner == own.user {
            return true;
        }
        below = namespace.parent;
    }
    false
}
