//! What many files or cases came to as JUnit XML, the form that build servers read.

use std::io;
use std::path::Path;
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::error::Complaint;

/// What one command looked at.
pub(crate) struct Suite {
    /// Which command.
    pub(crate) name: &'static str,
    /// In order.
    pub(crate) cases: Vec<Case>,
}

/// One file or case.
pub(crate) struct Case {
    /// Where it lies.
    pub(crate) class: String,
    /// What it is called there.
    pub(crate) name: String,
    /// How long it took, where that is known.
    pub(crate) took: Option<Duration>,
    /// What came of it.
    pub(crate) end: End,
}

/// What came of a file or case.
pub(crate) enum End {
    /// All is well.
    Passed,
    /// Something is not as it shall be: in a few words, and all of it.
    Failed(String, String),
    /// It could not be tried: why, and what would be right.
    Error(String, String),
    /// It was not tried: why.
    Skipped(String),
}

impl End {
    /// The element for it, its message, and its text.
    fn element(&self) -> Option<(&'static str, &str, &str)> {
        match self {
            Self::Passed => None,
            Self::Failed(message, text) => Some(("failure", message, text)),
            Self::Error(message, text) => Some(("error", message, text)),
            Self::Skipped(reason) => Some(("skipped", reason, "")),
        }
    }
}

impl Suite {
    /// Writes the document.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Complaint> {
        self.document().and_then(|document| std::fs::write(path, document)).map_err(|error| {
            Complaint::misuse(format!("{}: cannot be written: {error}", path.display()), "")
        })
    }

    fn document(&self) -> io::Result<Vec<u8>> {
        let ended = |element: &str| {
            let is_it = |case: &&Case| case.end.element().is_some_and(|(kind, ..)| kind == element);
            self.cases.iter().filter(is_it).count().to_string()
        };
        let time: Duration = self.cases.iter().filter_map(|case| case.took).sum();
        let (tests, time) = (self.cases.len().to_string(), seconds(time));
        let [failures, errors, skipped] = ["failure", "error", "skipped"].map(ended);
        let attributes = [
            ("name", self.name),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
            ("skipped", &skipped),
            ("time", &time),
        ];
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        writer.create_element("testsuites").write_inner_content(|writer| {
            let suite = writer.create_element("testsuite").with_attributes(attributes);
            suite.write_inner_content(|writer| {
                self.cases.iter().try_for_each(|case| case.write(writer))
            })?;
            Ok(())
        })?;
        let mut document = writer.into_inner();
        document.push(b'\n');
        Ok(document)
    }
}

impl Case {
    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let (class, name) = (harmless(&self.class), harmless(&self.name));
        let mut case = writer.create_element("testcase");
        case = case.with_attributes([("classname", class.as_str()), ("name", &name)]);
        if let Some(took) = self.took {
            case = case.with_attribute(("time", seconds(took).as_str()));
        }
        let Some((kind, message, text)) = self.end.element() else {
            return case.write_empty().map(drop);
        };
        let (message, text) = (harmless(message), harmless(text));
        let inside = |writer: &mut Writer<Vec<u8>>| {
            let element = writer.create_element(kind).with_attribute(("message", message.as_str()));
            element.write_text_content(BytesText::new(&text)).map(drop)
        };
        case.write_inner_content(inside).map(drop)
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// The text with what XML may not hold, in whatever spelling, written otherwise.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            '\n' | '\t' => out.push(character),
            _ if character.is_control() => out.extend(character.escape_default()),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use quick_xml::escape::unescape;
    use quick_xml::events::Event;
    use quick_xml::{Reader, XmlVersion};

    use super::{Case, End, Suite};

    #[test]
    fn what_is_written_is_read_back_as_it_was() {
        let odd = "<a b=\"&\"'>\n  ]]> \u{e9}";
        let case = |end| Case { class: odd.to_owned(), name: odd.to_owned(), took: None, end };
        let failed = case(End::Failed(odd.to_owned(), odd.to_owned()));
        let suite = Suite { name: "a suite", cases: vec![case(End::Passed), failed] };
        let document = String::from_utf8(suite.document().unwrap()).unwrap();
        let mut reader = Reader::from_str(&document);
        let (mut names, mut messages, mut text) = (Vec::new(), Vec::new(), String::new());
        let mut is_inside = false;
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(element) | Event::Empty(element) => {
                    is_inside = element.name().into_inner() == "failure";
                    for attribute in element.attributes() {
                        let attribute = attribute.unwrap();
                        let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap();
                        let value = value.into_owned();
                        match attribute.key.into_inner() {
                            "name" => names.push(value),
                            "message" => messages.push(value),
                            _ => {}
                        }
                    }
                }
                Event::Text(part) if is_inside => text.push_str(&part.xml10_content()),
                Event::GeneralRef(name) if is_inside => {
                    let name = format!("&{};", name.xml10_content());
                    text.push_str(&unescape(&name).unwrap());
                }
                Event::End(_) => is_inside = false,
                Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_)
                | Event::GeneralRef(_) => {}
            }
        }
        assert_eq!(names, ["a suite", odd, odd]);
        assert_eq!((messages, text.as_str()), (vec![odd.to_owned()], odd));
    }

    #[test]
    fn what_xml_may_not_hold_is_written_otherwise() {
        let name = "a\0\u{1b}\u{ffff}".to_owned();
        let case = Case { class: String::new(), name, took: None, end: End::Passed };
        let suite = Suite { name: "a suite", cases: vec![case] };
        let document = String::from_utf8(suite.document().unwrap()).unwrap();
        assert!(document.contains("name=\"a\\u{0}\\u{1b}\u{fffd}\""), "{document}");
    }
}
