//! The `Files` trait of a view.

use standin::backend::Files;

use crate::view::View;

impl Files for View {}
