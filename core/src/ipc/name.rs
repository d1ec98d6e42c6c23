//! Where a service listens: [`ServiceName`] and [`Endpoint`].

use std::fmt;

use crate::backend::Address;
use crate::path::{KPath, KPathBuf};

/// Bytes of an abstract name: `sun_path` without its leading NUL. libqb pads names with NULs, and the padding counts.
const ABSTRACT_BYTES: usize = 107;
/// The longest name that fits with the NUL at its end.
const MOST_BYTES: usize = ABSTRACT_BYTES - 1;

/// The name of a service as libqb knows it: `pacemakerd`, `pengine`, `cib_ro` ...
///
/// ```
/// use standin::ipc::ServiceName;
/// assert_eq!(ServiceName::new("pacemakerd").unwrap().as_str(), "pacemakerd");
/// let refused = ServiceName::new("../etc").unwrap_err();
/// assert_eq!(refused.to_string(), "service name \"../etc\": 1 to 106 letters, digits, '_' or '-'");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(String);

/// A name that cannot be one of a service: it becomes part of socket and file names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("service name {0:?}: 1 to {MOST_BYTES} letters, digits, '_' or '-'")]
pub struct InvalidName(String);

impl ServiceName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`InvalidName`] if it is empty, longer than 106 bytes, or holds anything but letters, digits, `_` and `-`.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let fits = (1..=MOST_BYTES).contains(&name.len());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if fits && name.bytes().all(plain) {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidName(name.to_owned()))
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Where a service listens. libqb uses abstract names, unless a file on the host tells it to use sockets in a directory:
/// who calls this library knows which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    service: ServiceName,
    directory: Option<KPathBuf>,
}

impl Endpoint {
    /// At the abstract name of the service: libqb's usual way on Linux.
    #[must_use]
    pub const fn abstract_name(service: ServiceName) -> Self {
        Self { service, directory: None }
    }

    /// At a socket of the service's name in a directory, usually `/run`.
    #[must_use]
    pub const fn in_directory(directory: KPathBuf, service: ServiceName) -> Self {
        Self { service, directory: Some(directory) }
    }

    /// Whose endpoint it is.
    #[must_use]
    pub const fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The socket's file, if it has one.
    pub(super) fn path(&self) -> Option<KPathBuf> {
        let name = KPath::new(self.service.as_str()).unwrap_or(KPath::dot());
        self.directory.as_ref().map(|directory| directory.join(name))
    }

    /// The address of its socket.
    pub(super) fn address(&self) -> Address {
        self.path().map_or_else(
            || {
                let mut name = self.service.as_str().as_bytes().to_vec();
                name.resize(ABSTRACT_BYTES, 0);
                Address::Abstract(name)
            },
            Address::Path,
        )
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => write!(out, "{path}"),
            None => write!(out, "@{}", self.service),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, ServiceName};
    use crate::backend::Address;
    use crate::path::KPathBuf;

    #[test]
    fn an_abstract_name_is_padded_to_the_whole_address() {
        let endpoint = Endpoint::abstract_name(ServiceName::new("pengine").unwrap());
        let Address::Abstract(bytes) = endpoint.address() else { panic!("abstract") };
        assert_eq!((bytes.len(), &bytes[..9]), (107, b"pengine\0\0".as_slice()));
        assert_eq!(endpoint.to_string(), "@pengine");
    }

    #[test]
    fn a_socket_in_a_directory_has_the_service_s_name() {
        let run = KPathBuf::new("/run").unwrap();
        let endpoint = Endpoint::in_directory(run, ServiceName::new("crmd").unwrap());
        assert_eq!(endpoint.address(), Address::Path(KPathBuf::new("/run/crmd").unwrap()));
    }

    #[test]
    fn names_that_would_lead_elsewhere_are_none() {
        for name in ["", "a/b", "a b", "a\0", ".", &"x".repeat(107)] {
            assert!(ServiceName::new(name).is_err(), "{name:?}");
        }
        assert!(ServiceName::new(&"x".repeat(106)).is_ok());
    }
}
