//! What somebody calls a container.

use std::fmt;

use super::Engine;

/// A container's name or id, or the beginning of its id, as somebody asks for it.
///
/// Letters, digits, `.`, `-` and `_`; before them `docker:` if it must be that engine's, or one `/` if it is a name and
/// no id, as Docker writes names.
///
/// ```
/// use standin::engine::{ContainerName, Engine};
/// let name = ContainerName::new("docker:web").unwrap();
/// assert_eq!((name.text(), name.engine()), ("web", Some(Engine::Docker)));
/// assert!(ContainerName::new("../../etc").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerName {
    engine: Option<Engine>,
    slash: bool,
    text: String,
}

/// No container can be called this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is no container's name: 1 to {} letters, digits, \".\", \"-\" or \"_\", \
     with \"ENGINE:\" or one \"/\" before them",
    ContainerName::MOST_BYTES
)]
pub struct InvalidName {
    /// What was given, with bytes that are no UTF-8 replaced.
    pub given: String,
}

impl ContainerName {
    /// The longest name that there is, in bytes, with what stands before it.
    pub const MOST_BYTES: usize = 255;

    /// Takes bytes as a name.
    ///
    /// # Errors
    /// [`InvalidName`] if no container can be called this.
    pub fn new(given: impl AsRef<[u8]>) -> Result<Self, InvalidName> {
        let given = given.as_ref();
        let invalid = || InvalidName { given: String::from_utf8_lossy(given).into_owned() };
        let text = std::str::from_utf8(given).map_err(|_| invalid())?;
        let (engine, text) = match text.split_once(':') {
            Some((engine, text)) => (Some(Engine::from_name(engine).ok_or_else(invalid)?), text),
            None => (None, text),
        };
        let (slash, text) = match text.strip_prefix('/') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if given.len() > Self::MOST_BYTES || text.is_empty() || !text.bytes().all(legal) {
            return Err(invalid());
        }
        Ok(Self { engine, slash, text: text.to_owned() })
    }

    /// The name or id, without what stands before it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whose container it must be, if that was said.
    #[must_use]
    pub const fn engine(&self) -> Option<Engine> {
        self.engine
    }

    /// The text, if an id may be meant.
    pub(super) fn id(&self) -> Option<&str> {
        (!self.slash).then_some(self.text.as_str())
    }

    /// The text, if the beginning of an id may be meant: ids are hexadecimal.
    pub(super) fn beginning(&self) -> Option<&str> {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        self.id().filter(|text| text.bytes().all(hex))
    }
}

impl fmt::Display for ContainerName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(engine) = self.engine {
            write!(out, "{engine}:")?;
        }
        if self.slash {
            out.write_str("/")?;
        }
        out.write_str(&self.text)
    }
}

impl std::str::FromStr for ContainerName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::ContainerName;

    #[test]
    fn a_name_is_printed_as_it_was_given() {
        for name in ["web", "/web", "docker:web", "docker:/shop_web-1.old", "4f0c"] {
            assert_eq!(ContainerName::new(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_no_container_can_be_called_is_refused_with_what_would_be_right() {
        let long = "a".repeat(ContainerName::MOST_BYTES + 1);
        for name in ["", "/", "//web", "a/b", "..\0", "a b", "docker:", "cri:web", "a:b:c", &long] {
            let refused = ContainerName::new(name).unwrap_err().to_string();
            assert!(refused.contains("1 to 255 letters"), "{refused}");
        }
        assert!(ContainerName::new(b"\xff").is_err());
    }

    #[test]
    fn a_slash_says_that_no_id_is_meant() {
        assert_eq!(ContainerName::new("/4f").unwrap().beginning(), None);
        assert_eq!(ContainerName::new("4f").unwrap().beginning(), Some("4f"));
        assert_eq!(ContainerName::new("4F").unwrap().beginning(), None);
    }
}
