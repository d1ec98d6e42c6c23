//! The `Processes` trait of a view.

use standin::backend::Processes;

use crate::view::View;

impl Processes for View {}
