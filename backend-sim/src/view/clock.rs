//! The `Clock` trait of a view.

use standin::backend::Clock;

use crate::view::View;

impl Clock for View {}
