//! The `Channels` trait of a view.

use standin::backend::Channels;

use crate::view::View;

impl Channels for View {}
