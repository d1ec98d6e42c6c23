//! The `Channels` trait of a view.

use standin::Failure;
use standin::backend::Channels;
use standin::handle::Descriptor;

use crate::ops::poll::{Duplicate, Inherited};
use crate::view::View;

impl Channels for View {
    fn duplicate(&self, descriptor: &Descriptor) -> Result<Descriptor, Failure> {
        let descriptor = descriptor.number_in(self.scope())?;
        Ok(self.handle(self.carry(Duplicate { descriptor })?))
    }

    fn inherited(&self, number: u32) -> Result<Descriptor, Failure> {
        self.carry(Inherited { number })?;
        Ok(self.handle(number))
    }
}
