//! How values travel between a client and its agent: bytes in a fixed order, one process to another
//! of the same program.
//!
//! [`Wire`] is a value that both sides have; [`Argument`] what a call is given, which may be
//! borrowed: the sender needs no more than to write it, the server keeps what it reads while the
//! call runs ([`Lent`]). A handle travels as its number. `codec` has a row for each type.

use std::sync::Arc;

use standin::Errno;
use standin::failure::Failure;
use standin::handle::{Descriptor, Owner, PidHandle, Scope};

/// The most bytes of a message.
pub(super) const MOST_BYTES: usize = 16 << 20;

/// What came is not what the other side sends: it is not the same program.
#[derive(Debug)]
pub(super) struct Malformed;

/// What reading gives.
pub(super) type Read<T> = Result<T, Malformed>;

/// A message being written.
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    /// Whose handles may be in it.
    scope: Scope,
    /// Why it must not be sent.
    pub(super) refusal: Option<Failure>,
}

impl Writer {
    pub(super) const fn new(bytes: Vec<u8>, scope: Scope) -> Self {
        Self { bytes, scope, refusal: None }
    }

    pub(super) fn length(&mut self, length: usize) {
        // A message is far shorter than 4 GiB: a length that does not fit is refused with it.
        u32::try_from(length).unwrap_or(u32::MAX).put(self);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        if bytes.len() > MOST_BYTES {
            self.refuse(TOO_LONG);
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    pub(super) fn refuse(&mut self, failure: Failure) {
        self.refusal.get_or_insert(failure);
    }

    /// The number of a handle; one of another table is EBADF.
    pub(super) fn handle(&mut self, handle: &Descriptor) {
        match handle.number_in(self.scope) {
            Ok(number) => number.put(self),
            Err(failure) => {
                0_u32.put(self);
                self.refuse(failure);
            }
        }
    }
}

/// What a message that would be too long comes to.
pub(super) const TOO_LONG: Failure =
    Failure::Unsupported("an agent moves at most 16 MiB at a time; use smaller pieces");

/// A message being read.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    /// What the handles in it belong to.
    owner: &'a Arc<dyn Owner>,
    scope: Scope,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(rest: &'a [u8], owner: &'a Arc<dyn Owner>, scope: Scope) -> Self {
        Self { rest, owner, scope }
    }

    pub(super) fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn length(&mut self) -> Read<usize> {
        usize::try_from(u32::get(self)?).map_err(|_| Malformed)
    }

    pub(super) fn raw(&mut self) -> Read<&'a [u8]> {
        let length = self.length()?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn handle(&mut self) -> Read<Descriptor> {
        Ok(Descriptor::new(Arc::clone(self.owner), self.scope, u32::get(self)?))
    }
}

/// A value that both sides have.
pub(super) trait Wire: Sized {
    fn put(&self, to: &mut Writer);
    fn get(from: &mut Reader<'_>) -> Read<Self>;
}

/// What a call is given, as its sender sees it.
pub(super) trait Argument {
    fn write(&self, to: &mut Writer);

    /// Fills what the call filled on the other side.
    fn fill(self, from: &mut Reader<'_>) -> Read<()>
    where
        Self: Sized,
    {
        let _ = from;
        Ok(())
    }
}

/// What a call is given, as its server makes it of what came.
pub(super) trait Lent<'kept>: Sized {
    /// What lives while the call runs.
    type Kept;

    fn keep(from: &mut Reader<'_>) -> Read<Self::Kept>;
    fn lend(kept: &'kept mut Self::Kept) -> Self;

    /// What the call filled, for the other side.
    fn give_back(kept: &Self::Kept, to: &mut Writer) {
        let _ = (kept, to);
    }
}

impl<T: Wire> Argument for &T {
    fn write(&self, to: &mut Writer) {
        (*self).put(to);
    }
}

impl<'kept, T: Wire> Lent<'kept> for &'kept T {
    type Kept = T;

    fn keep(from: &mut Reader<'_>) -> Read<T> {
        T::get(from)
    }

    fn lend(kept: &'kept mut T) -> Self {
        kept
    }
}

impl<T> Wire for Result<T, Failure>
where
    T: Wire,
{
    fn put(&self, to: &mut Writer) {
        match self {
            Ok(value) => {
                0_u8.put(to);
                value.put(to);
            }
            Err(Failure::Errno(errno)) => {
                1_u8.put(to);
                errno.raw().put(to);
            }
            Err(Failure::Unsupported(text)) => {
                2_u8.put(to);
                to.raw(text.as_bytes());
            }
            Err(Failure::NotModelled(name)) => {
                3_u8.put(to);
                to.raw(name.as_bytes());
            }
            // Nothing else comes of a real kernel.
            Err(_) => 4_u8.put(to),
        }
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        Ok(match u8::get(from)? {
            0 => Ok(T::get(from)?),
            1 => Err(Errno::from_raw(i32::get(from)?).into()),
            2 => Err(Failure::Unsupported(lasting(from.raw()?))),
            3 => Err(Failure::NotModelled(lasting(from.raw()?))),
            4 => Err(Failure::CallerDied),
            _ => return Err(Malformed),
        })
    }
}

/// In a control message an errno may stand in the place of a handle.
impl Wire for Result<PidHandle, Errno> {
    fn put(&self, to: &mut Writer) {
        match self {
            Ok(value) => {
                0.put(to);
                value.put(to);
            }
            Err(errno) => errno.raw().put(to),
        }
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        Ok(match i32::get(from)? {
            0 => Ok(PidHandle::get(from)?),
            errno => Err(Errno::from_raw(errno)),
        })
    }
}

/// The texts of our own failures are constants; on this side each is kept once, for ever.
fn lasting(text: &[u8]) -> &'static str {
    static KEPT: parking_lot::Mutex<Vec<&'static str>> = parking_lot::Mutex::new(Vec::new());
    let text = String::from_utf8_lossy(text);
    let mut kept = KEPT.lock();
    if let Some(known) = kept.iter().find(|known| **known == text) {
        return known;
    }
    let new: &'static str = Box::leak(text.into_owned().into_boxed_str());
    kept.push(new);
    new
}
