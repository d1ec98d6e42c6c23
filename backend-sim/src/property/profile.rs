//! Which machine a case is about, from four bytes: kernel, layout, processors, memory.

use std::cell::RefCell;
use std::collections::BTreeMap;

use standin::backend::{Rlimit, RlimitResource};
use standin::id::{Bytes, Mode};

use super::case::PROFILE_BYTES;
use crate::builder::Builder;
use crate::machine::Machine;
use crate::profile::{Layout, Release};
use crate::snapshot::Snapshot;
use crate::task::limit;

/// What a byte chooses from; the first is what a machine is unless it is said.
const RELEASES: [Release; 3] = [Release::V6_12, Release::V6_1, Release::V6_18];
const LAYOUTS: [Layout; 3] = [Layout::Unified, Layout::Legacy, Layout::Hybrid];
const PROCESSORS: [u32; 4] = [2, 1, 4, 8];
/// In MiB; no swap, since a machine with it does not model what memory does there.
const MEMORY_MIB: [u64; 4] = [1024, 512, 4096, 256];

/// Snapshots that are kept; there are no more machines than this.
const MOST_KEPT: usize = RELEASES.len() * LAYOUTS.len() * PROCESSORS.len() * MEMORY_MIB.len();

thread_local! {
    /// A machine of each kind just after its start: going on from there costs less than booting.
    static BOOTED: RefCell<BTreeMap<[u8; PROFILE_BYTES], Snapshot>> = const { RefCell::new(BTreeMap::new()) };
}

fn pick<T: Copy>(all: &[T], byte: u8) -> T {
    let at = usize::from(byte) % all.len();
    *all.get(at).expect("a remainder is below the count")
}

/// The kernel and its layout.
pub(super) fn kernel([release, layout, ..]: [u8; PROFILE_BYTES]) -> (Release, Layout) {
    (pick(&RELEASES, release), pick(&LAYOUTS, layout))
}

/// The machine.
pub(super) fn builder(bytes: [u8; PROFILE_BYTES]) -> Builder {
    let [.., processors, memory] = bytes;
    let (release, layout) = kernel(bytes);
    let memory = pick(&MEMORY_MIB, memory);
    let builder = Machine::builder().kernel(release).layout(layout);
    let builder = builder.processors(pick(&PROCESSORS, processors));
    builder.memory(Bytes(memory << 20))
}

/// The machine line of a script.
pub(super) fn line(bytes: [u8; PROFILE_BYTES]) -> String {
    let [.., processors, memory] = bytes;
    let (release, layout) = kernel(bytes);
    let memory = pick(&MEMORY_MIB, memory);
    format!(
        "machine kernel={} layout={} cpus={} memory={memory}M\n",
        release.name(),
        layout.name(),
        pick(&PROCESSORS, processors),
    )
}

/// By chance: every other one is plain, so that most cases are about what most users have.
pub(super) fn random(number: u64) -> [u8; PROFILE_BYTES] {
    if number >> 63 == 0 {
        return [0; PROFILE_BYTES];
    }
    super::case::padded(&number.to_le_bytes())
}

/// A machine of this kind whose first process is as an actor is at first (spec/transcript.md: umask 0, `core` 0:0).
pub(super) fn machine(bytes: [u8; PROFILE_BYTES]) -> Machine {
    let [release, layout, processors, memory] = bytes;
    let below = |byte: u8, count: usize| byte % u8::try_from(count).unwrap_or(1);
    let key = [
        below(release, RELEASES.len()),
        below(layout, LAYOUTS.len()),
        below(processors, PROCESSORS.len()),
        below(memory, MEMORY_MIB.len()),
    ];
    BOOTED.with_borrow_mut(|booted| {
        debug_assert!(booted.len() <= MOST_KEPT, "{} kinds of machines", booted.len());
        booted.entry(key).or_insert_with(|| boot(key)).machine()
    })
}

fn boot(bytes: [u8; PROFILE_BYTES]) -> Snapshot {
    let machine = builder(bytes).build();
    {
        let mut kernel = machine.shared().lock();
        let first = kernel.first_process();
        let process = kernel.tasks.process_of(first);
        kernel.tasks.processes.at_mut(process).umask = Mode::new(0);
        let none = Rlimit { soft: Some(0), hard: Some(0) };
        limit::set(&mut kernel, process, RlimitResource::Core, none);
    }
    match machine.snapshot() {
        Ok(snapshot) => snapshot,
        Err(live) => unreachable!("a machine that was just booted: {live}"),
    }
}
