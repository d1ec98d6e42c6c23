//! Addresses of local sockets, as the kernel lays them out (unix(7)).

#![expect(unsafe_code, reason = "the address structure of a socket is read and filled as bytes")]

use standin::Errno;
use standin::backend::Address;
use standin::failure::Result;
use standin::path::KPathBuf;

/// Where the name begins in `struct sockaddr_un`: behind the family.
const NAME_AT: usize = std::mem::offset_of!(libc::sockaddr_un, sun_path);

/// The most bytes of a name (`UNIX_PATH_MAX`).
const NAME_BYTES: usize = 108;

/// An address and its length, as system calls take it.
pub(super) struct Raw {
    storage: libc::sockaddr_un,
    /// How much of it counts.
    pub(super) length: libc::socklen_t,
}

impl Raw {
    /// Room for an address that the kernel fills in.
    pub(super) fn room() -> Self {
        // SAFETY: the structure is plain numbers, for which zero is a value.
        let storage = unsafe { std::mem::zeroed() };
        let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_un>()).unwrap_or(0);
        Self { storage, length }
    }

    /// The address for the kernel. A name that does not fit is EINVAL, as from bind(2).
    pub(super) fn new(address: &Address) -> Result<Self> {
        let mut raw = Self::room();
        raw.storage.sun_family = family(libc::AF_UNIX);
        let name: Vec<u8> = match address {
            Address::Unspecified => {
                raw.storage.sun_family = family(libc::AF_UNSPEC);
                Vec::new()
            }
            Address::Unnamed => Vec::new(),
            Address::Path(path) => [path.as_bytes(), b"\0"].concat(),
            Address::Abstract(name) => [b"\0", name.as_slice()].concat(),
        };
        if name.len() > NAME_BYTES {
            return Err(Errno::EINVAL.into());
        }
        for (to, from) in raw.storage.sun_path.iter_mut().zip(&name) {
            *to = from.cast_signed();
        }
        raw.length = libc::socklen_t::try_from(NAME_AT + name.len()).unwrap_or(0);
        Ok(raw)
    }

    pub(super) fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }

    /// What the kernel filled in. A path ends at its NUL, or where the length says.
    pub(super) fn address(&self) -> Address {
        let length = usize::try_from(self.length).unwrap_or(0).saturating_sub(NAME_AT);
        let name: Vec<u8> =
            self.storage.sun_path.iter().take(length).map(|byte| byte.cast_unsigned()).collect();
        match name.split_first() {
            None => Address::Unnamed,
            Some((0, rest)) => Address::Abstract(rest.to_vec()),
            Some(_) => {
                let path = name.split(|byte| *byte == 0).next().unwrap_or_default();
                Address::Path(KPathBuf::new(path).unwrap_or_default())
            }
        }
    }
}

fn family(number: libc::c_int) -> libc::sa_family_t {
    libc::sa_family_t::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Raw;
    use standin::backend::Address;
    use standin::path::KPathBuf;

    #[test]
    fn an_address_comes_back_from_the_kernels_form() {
        for address in [
            Address::Unnamed,
            Address::Path(KPathBuf::new("/run/x").unwrap()),
            Address::Abstract(b"a\0b".to_vec()),
            Address::Abstract(Vec::new()),
        ] {
            assert_eq!(Raw::new(&address).unwrap().address(), address);
        }
    }

    #[test]
    fn a_name_has_at_most_108_bytes_with_its_nul() {
        let path = |length| Address::Path(KPathBuf::new("x".repeat(length)).unwrap());
        assert!(Raw::new(&path(107)).is_ok());
        assert!(Raw::new(&path(108)).is_err());
        assert!(Raw::new(&Address::Abstract(vec![1; 107])).is_ok());
    }
}
