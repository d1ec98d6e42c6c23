//! XML as Pacemaker's messages use it: elements and attributes, nothing else.
//!
//! [`Element`] is written as Pacemaker writes it, without declaration and added white space, and read with bounds on
//! depth and number, since it comes from other processes. Text between elements is passed over, as are comments; a
//! document type is refused, so that no entity is ever defined.

use std::fmt::Write as _;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::error::Malformed;

/// How deep elements may be nested.
const MOST_DEPTH: usize = 64;
/// How many elements and attributes a document may have together.
const MOST_PARTS: usize = 100_000;

/// An element, with its attributes in order.
///
/// ```
/// use standin::ipc::Element;
/// let ack = Element::new("ack").with("status", "112");
/// assert_eq!(ack.to_string(), r#"<ack status="112"/>"#);
/// assert_eq!(Element::parse(br#"<ack status="112"/>"#).unwrap(), ack);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
}

impl Element {
    /// An element without anything in it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: Vec::new(), children: Vec::new() }
    }

    /// With one more attribute.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: &str) -> Self {
        self.attributes.push((attribute.to_owned(), value.to_owned()));
        self
    }

    /// With one more child.
    #[must_use]
    pub fn with_child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What an attribute says.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(attribute, _)| attribute == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All its children.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// Reads a document: one element with what is in it.
    ///
    /// # Errors
    /// [`Malformed::Xml`] if it is not UTF-8, not well-formed, has a document type, or is too deep or too large.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(text).map_err(unreadable)?;
        let mut reader = Reader::from_str(text);
        let mut parts = MOST_PARTS;
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        loop {
            let ended = match reader.read_event().map_err(unreadable)? {
                Event::Start(tag) => {
                    if open.len() == MOST_DEPTH {
                        return Err(unreadable("nested too deeply"));
                    }
                    open.push(element(&tag, &mut parts)?);
                    None
                }
                Event::Empty(tag) => Some(element(&tag, &mut parts)?),
                Event::End(_) => open.pop(),
                Event::DocType(_) => return Err(unreadable("a document type")),
                Event::Eof => break,
                Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::GeneralRef(_) => None,
            };
            match (ended, open.last_mut()) {
                (Some(ended), Some(parent)) => parent.children.push(ended),
                (Some(ended), None) if root.is_none() => root = Some(ended),
                (Some(_), None) => return Err(unreadable("a second root")),
                (None, _) => {}
            }
        }
        match root {
            Some(root) if open.is_empty() => Ok(root),
            _ => Err(unreadable("it ends too early")),
        }
    }
}

fn unreadable(why: impl std::fmt::Display) -> Malformed {
    Malformed::Xml(why.to_string())
}

/// A start tag, as an element without children.
fn element(tag: &BytesStart<'_>, parts: &mut usize) -> Result<Element, Malformed> {
    let mut count = || {
        *parts = parts.checked_sub(1).ok_or_else(|| unreadable("too many parts"))?;
        Ok(())
    };
    count()?;
    let mut element = Element::new(tag.name().into_inner());
    for attribute in tag.attributes() {
        count()?;
        let attribute = attribute.map_err(unreadable)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(unreadable)?;
        element.attributes.push((attribute.key.into_inner().to_owned(), value.into_owned()));
    }
    Ok(element)
}

/// Written without white space, as it goes over the wire.
impl std::fmt::Display for Element {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "<{}", self.name)?;
        for (attribute, value) in &self.attributes {
            write!(out, " {attribute}=\"")?;
            for character in value.chars() {
                match character {
                    '&' => out.write_str("&amp;")?,
                    '<' => out.write_str("&lt;")?,
                    '>' => out.write_str("&gt;")?,
                    '"' => out.write_str("&quot;")?,
                    '\t' | '\n' | '\r' => write!(out, "&#{};", u32::from(character))?,
                    other => out.write_char(other)?,
                }
            }
            out.write_char('"')?;
        }
        if self.children.is_empty() {
            return out.write_str("/>");
        }
        out.write_char('>')?;
        for child in &self.children {
            write!(out, "{child}")?;
        }
        write!(out, "</{}>", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Element, MOST_DEPTH};

    #[test]
    fn what_is_written_is_read_again() {
        let value = "a<b>&\"c'\td\n\u{e9}";
        let inner = Element::new("in").with("v", value).with("empty", "");
        let document = Element::new("out").with_child(inner).with_child(Element::new("x"));
        let text = document.to_string();
        assert_eq!(Element::parse(text.as_bytes()).as_ref(), Ok(&document), "{text}");
        assert_eq!(document.child("in").and_then(|inner| inner.attribute("v")), Some(value));
    }

    #[test]
    fn what_stands_between_elements_is_passed_over() {
        let text = b"<?xml version=\"1.0\"?><!-- x --><a> <b/> text &amp; </a>";
        let document = Element::new("a").with_child(Element::new("b"));
        assert_eq!(Element::parse(text), Ok(document));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in [
            "",
            "text",
            "<broken",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a x=1/>",
            "<a x='1' x='2'/>",
            "<!DOCTYPE a><a/>",
            "<a x='&unknown;'/>",
            "<a><b></a></b>",
        ] {
            assert!(Element::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Element::parse(b"<a x='\xff'/>").is_err());
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(Element::parse(nested(MOST_DEPTH).as_bytes()).is_ok());
        assert!(Element::parse(nested(MOST_DEPTH + 1).as_bytes()).is_err());
    }
}
