//! Making a context.

use super::group::Group;
use super::record::{Record, State};
use super::{Emulated, Result, name_of, to, unless};
use crate::backend::ContextFlags;
use crate::context::error::Cause;
use crate::context::{ContextId, Membership, Refusal};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::Dir;
use crate::id::Mode;
use crate::path::Place;

/// How often an id is tried that others make and lose meanwhile.
const TRIES: u32 = 64;

/// Flags that do something which is not emulated.
const UNSUPPORTED: ContextFlags = ContextFlags::INFO_INIT
    .union(ContextFlags::SCHED_HARD)
    .union(ContextFlags::SCHED_PRIO)
    .union(ContextFlags::SCHED_PAUSE)
    .union(ContextFlags::VIRT_MEM)
    .union(ContextFlags::VIRT_UPTIME)
    .union(ContextFlags::VIRT_LOAD)
    .union(ContextFlags::VIRT_TIME)
    .union(ContextFlags::HIDE_MOUNT)
    .union(ContextFlags::HIDE_VINFO)
    .union(ContextFlags::SC_HELPER)
    .union(ContextFlags::REBOOT_KILL)
    .union(ContextFlags::FORK_RSS)
    .union(ContextFlags::IGNEG_NICE);

impl Emulated<'_> {
    /// Makes a context and moves the caller's process into it.
    pub(in crate::context) fn create(&self, id: ContextId, flags: ContextFlags) -> Result<()> {
        let root = self.enter()?;
        let left = self.own_membership(&root)?;
        let group = self.make(&root, id)?;
        let made = self.settle(&group, flags);
        if made.is_err() {
            group.collect(None)?;
        } else if let Membership::Context(left) = left {
            // The caller may have been the last in there. If it cannot be collected now, the next who looks does.
            let _ = self.hold(&root, left);
        }
        made
    }

    /// A new group of this id, locked and without a record.
    fn make<'r>(&self, root: &'r Dir, id: ContextId) -> Result<Group<'r>>
    where
        Self: 'r,
    {
        let name = name_of(id)?;
        for _ in 0..TRIES {
            if let Some(held) = self.hold(root, id)? {
                let setup = held.record.has(ContextFlags::STATE_SETUP);
                let taken = if setup { Refusal::UnderConstruction } else { Refusal::Exists };
                return Err(taken.into());
            }
            let place = Place::beneath(root.descriptor(), &name);
            let made = unless(Errno::EEXIST, self.kernel.mkdir(place, Mode::new(0o755)));
            if to("make its group", made)?.is_none() {
                continue;
            }
            // Until it is locked, others take it for that of a maker who died.
            let Some(group) = self.open(root, id)? else { continue };
            group.lock()?;
            if group.is_named()? && group.record()?.is_none() {
                return Ok(group);
            }
        }
        Err(Refusal::Busy.into())
    }

    /// Writes what the context is, and enters it.
    fn settle(&self, group: &Group<'_>, flags: ContextFlags) -> Result<()> {
        let private = flags.contains(ContextFlags::INFO_PRIVATE);
        if private && !flags.contains(ContextFlags::STATE_SETUP) {
            return Err(Refusal::Sealed.into());
        }
        if flags.intersects(UNSUPPORTED) {
            return Err(Cause::Failed(
                "take the flags",
                Failure::Unsupported(
                    "a flag of a context that has an effect, on a kernel without context commands",
                ),
            ));
        }
        let own = to("ask for the own capabilities", self.kernel.capabilities())?;
        let record = Record::new(flags, own.bounding);
        group.write_record(&record)?;
        self.move_in(group, &record)?;
        group.write_record(&Record { state: State::Live, ..record })
    }
}
