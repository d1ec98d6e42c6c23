//! The parser of the transcript language on anything: no panic, and what it accepts prints back as it was.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use standin::transcript::parse;
use standin_tests::{fixtures, generate};

/// Words that mean something to the parser.
const TOKENS: &[&str] = &[
    "machine",
    "kernel=6.12",
    "layout=unified",
    "memory=1G",
    "init> ",
    "p> ",
    "> ",
    "| ",
    "\\ no newline",
    "# needs: vm",
    "#",
    "\n",
    "\n\n",
    " ",
    "\t",
    "\"",
    "\\",
    "\\x",
    "\\xff",
    "\\0",
    "\"\"",
    "mkdir ",
    "write ",
    "fork ",
    "into=",
    "new=user,pid",
    "<p>",
    "<fd:f>",
    "ok",
    "EBUSY",
    "EACCES open",
    "-1",
    "18446744073709551616",
    "0777",
    "16M",
    "\r",
    "\u{0}",
    "\u{feff}",
    "ü",
    "\u{2028}",
];

/// One way to spoil a text: at a place, over a length, by something else.
#[derive(Debug, Clone)]
struct Edit {
    at: Index,
    length: usize,
    by: Vec<u8>,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let token = select(TOKENS).prop_map(|token| token.as_bytes().to_vec());
    let by = prop_oneof![token, vec(any::<u8>(), 0..4), Just(Vec::new())];
    let edit =
        (any::<Index>(), 0_usize..40, by).prop_map(|(at, length, by)| Edit { at, length, by });
    vec(edit, 1..8)
}

fn spoil(text: &[u8], edits: &[Edit]) -> Vec<u8> {
    edits.iter().fold(text.to_vec(), |mut text, edit| {
        let start = edit.at.index(text.len() + 1);
        let end = (start + edit.length).min(text.len());
        text.splice(start..end, edit.by.iter().copied());
        text
    })
}

/// What must hold of any input.
fn check(input: &[u8]) -> Result<(), TestCaseError> {
    let script = match parse(input) {
        Ok(script) => script,
        Err(error) => {
            prop_assert!(!error.to_string().is_empty());
            return Ok(());
        }
    };
    let printed = script.to_string();
    let again = parse(printed.as_bytes());
    prop_assert_eq!(again.as_ref(), Ok(&script), "what is printed is read as the same");
    // Byte for byte as it was, but for the order of the words of the machine line and a last newline.
    let input = String::from_utf8_lossy(input);
    let is_machine = |line: &&str| line.starts_with("machine");
    let (before, after) = (
        input.strip_suffix('\n').unwrap_or(&input),
        printed.strip_suffix('\n').unwrap_or(&printed),
    );
    prop_assert_eq!(before.split('\n').count(), after.split('\n').count());
    for (was, is) in before.split('\n').zip(after.split('\n')) {
        prop_assert!(was == is || is_machine(&was) && is_machine(&is), "{:?} became {:?}", was, is);
    }
    Ok(())
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn any_bytes_are_read_or_refused(input in vec(any::<u8>(), 0..2_000)) {
        check(&input)?;
    }

    #[test]
    fn any_tokens_are_read_or_refused(tokens in vec(select(TOKENS), 0..60)) {
        check(tokens.concat().as_bytes())?;
        check(format!("machine\n{}", tokens.concat()).as_bytes())?;
    }

    #[test]
    fn a_spoiled_recording_is_read_or_refused(which in any::<Index>(), edits in edits()) {
        let fixture = which.get(fixtures::cached());
        check(&spoil(fixture.text.as_bytes(), &edits))?;
    }

    #[test]
    fn a_spoiled_script_is_read_or_refused(script in generate::scripts(0..20), edits in edits()) {
        check(script.as_bytes())?;
        check(&spoil(script.as_bytes(), &edits))?;
    }
}

#[test]
fn every_recording_prints_as_it_was() {
    for fixture in fixtures::cached() {
        assert_eq!(fixture.transcript.to_string(), fixture.text, "{}", fixture.name);
    }
}
