//! The `Namespaces` trait of a view.

use standin::backend::Namespaces;

use crate::view::View;

impl Namespaces for View {}
