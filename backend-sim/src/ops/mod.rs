//! The operations that come through the door, one small struct a call, by the trait they belong to.

pub(crate) mod channels;
pub(crate) mod contexts;
pub(crate) mod files;
pub(crate) mod fork;
pub(crate) mod identity;
pub(crate) mod namespaces;
pub(crate) mod operation;
pub(crate) mod poll;
pub(crate) mod processes;
pub(crate) mod shared;
pub(crate) mod signals;

use standin::handle::Scope;
use standin::path::{At, Resolve};
use standin::{Failure, KPath, Place};

/// A [`Place`], its directory as a number of the caller's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaceArg<'a> {
    /// The descriptor that the path starts from; `None` is the working directory.
    pub(crate) at: Option<u32>,
    pub(crate) path: &'a KPath,
    pub(crate) resolve: Resolve,
}

impl<'a> PlaceArg<'a> {
    /// EBADF if the directory is another view's handle.
    pub(crate) fn new(place: Place<'a>, scope: Scope) -> Result<Self, Failure> {
        let at = match place.at {
            At::Cwd => None,
            At::Handle(handle) => Some(handle.number_in(scope)?),
        };
        Ok(Self { at, path: place.path, resolve: place.resolve })
    }
}
