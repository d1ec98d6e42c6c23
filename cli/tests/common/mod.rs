//! Running the program, and files to run it on.

#![allow(dead_code, reason = "each suite uses its part of it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

/// The program, which must come to an end by itself.
pub(crate) fn standin(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standin"));
    command.args(arguments).timeout(Duration::from_secs(60));
    command
}

/// What a call printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit status.
    pub(crate) status: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// Runs the program to its end.
#[track_caller]
pub(crate) fn run(arguments: &[&str]) -> Ended {
    end(&mut standin(arguments))
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn end(command: &mut Command) -> Ended {
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    Ended { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The elements of an XML document with their attributes, in order.
pub(crate) fn elements(path: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let document = std::fs::read_to_string(path).expect("it was written");
    let mut reader = Reader::from_str(&document);
    let mut all = Vec::new();
    loop {
        match reader.read_event().expect("it is XML") {
            Event::Eof => return all,
            Event::Start(element) | Event::Empty(element) => {
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.expect("it is XML");
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                    let value = value.expect("it is XML").into_owned();
                    (attribute.key.into_inner().to_owned(), value)
                });
                let attributes = attributes.collect();
                all.push((element.name().into_inner().to_owned(), attributes));
            }
            Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

/// How many of the elements have this name.
pub(crate) fn named(elements: &[(String, BTreeMap<String, String>)], name: &str) -> usize {
    elements.iter().filter(|(it, _)| it == name).count()
}

/// A directory of files that goes away with it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// Holds nothing.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory can be made"))
    }

    /// Writes a file; says its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("a directory can be made");
        }
        std::fs::write(&path, content).expect("a file can be written");
        path.to_str().expect("it was made of text").to_owned()
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where it is, as an argument.
    pub(crate) fn name(&self) -> &str {
        self.path().to_str().expect("temporary directories have plain names")
    }
}

/// Merges the corpus of a campaign in one go, and then that of one in shards, into a directory: they reached the same, and not all
/// that the shards kept is needed. Gives what the one go came to.
#[track_caller]
pub(crate) fn shards_reach_alike(one: &Folder, parts: &Folder, into: &Folder) -> serde_json::Value {
    let [alone, together] = [one, parts].map(|from| {
        let Ended { status, out, err } =
            run(&["campaign", "merge", from.name(), "--into", into.name(), "--json"]);
        assert_eq!((status, err.as_str()), (Some(0), ""), "{out}");
        serde_json::from_str::<serde_json::Value>(&out).expect("it is JSON")
    });
    for what in ["reached", "counts"] {
        let said = alone.get(what).expect("it is said");
        assert_eq!(Some(said), together.get(what), "{what}");
    }
    let number = |what| together.get(what).and_then(serde_json::Value::as_u64);
    assert!(number("needed").expect("a number") < number("kept").expect("a number"), "{together}");
    alone
}
