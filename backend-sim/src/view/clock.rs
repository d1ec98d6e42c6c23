//! The `Clock` trait of a view.

use standin::Failure;
use standin::backend::{Clock, Deadline, Interest, PollEvents};
use standin::id::Moment;

use crate::namespace::time::OffsetClock;
use crate::ops::poll::{InterestArg, Monotonic, Poll, Realtime};
use crate::view::View;

impl Clock for View {
    fn monotonic(&self) -> Result<Moment, Failure> {
        self.carry(Monotonic { clock: OffsetClock::Monotonic })
    }

    fn realtime(&self) -> Result<Moment, Failure> {
        self.carry(Realtime {})
    }

    /// The machine is never suspended, so this is the time since boot too.
    fn boottime(&self) -> Result<Moment, Failure> {
        self.carry(Monotonic { clock: OffsetClock::Boottime })
    }

    fn poll(
        &self,
        interests: &[Interest<'_>],
        deadline: Deadline,
    ) -> Result<Vec<PollEvents>, Failure> {
        let scope = self.scope();
        let interests = interests
            .iter()
            .map(|interest| InterestArg {
                number: interest.handle.number_in(scope).ok(),
                events: interest.events,
            })
            .collect();
        self.carry(Poll { interests, deadline })
    }
}
