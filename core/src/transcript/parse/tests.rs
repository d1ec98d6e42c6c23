//! What is a transcript, and what is not.

use super::*;

#[track_caller]
fn refused(input: impl AsRef<[u8]>, line: usize, column: usize, message: &str) {
    let error = parse(input.as_ref()).expect_err(message);
    assert_eq!((error.line, error.column, error.message.as_str()), (line, column, message));
}

#[track_caller]
fn prints_as_it_is_read(text: &str) -> Transcript {
    let transcript = parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let printed = transcript.to_string();
    assert_eq!(printed, text);
    assert_eq!(parse(printed.as_bytes()), Ok(transcript.clone()));
    transcript
}

#[test]
fn a_transcript_prints_as_it_is_read() {
    let text = "\
# before
machine kernel=6.12 layout=unified cpus=2 memory=1G
# a limit of two processes
# needs: vm

init> mkdir   \"/sys/fs/cgroup/a\"  0755 \nok
init> read /sys/fs/cgroup/a/cgroup.procs
| <p>
| 
| a\r
\\ no newline
# the end
  \t
init> fork p
";
    let transcript = prints_as_it_is_read(text);
    assert!(transcript.needs().vm);
    assert!(!transcript.is_complete());
    let lines: Vec<usize> = transcript.operations().map(Operation::line).collect();
    assert_eq!(lines, [6, 8, 15]);
    let read = transcript.operations().nth(1).unwrap();
    assert_eq!(read.answer.as_ref().unwrap().lines().count(), 4);
    assert_eq!(read.source(), "init> read /sys/fs/cgroup/a/cgroup.procs");
}

#[test]
fn a_script_may_end_without_a_newline() {
    let with = parse(b"machine\ninit> pid\n<init>\n").unwrap();
    assert_eq!(parse(b"machine\ninit> pid\n<init>"), Ok(with));
}

#[test]
fn a_value_may_hold_a_newline_and_a_text_may_not() {
    let transcript = prints_as_it_is_read("machine\nq> prctl name\n| line\ntwo\nq> pid\n<q>\n");
    let answer = transcript.operations().next().unwrap().answer.clone();
    assert_eq!(answer, Some(Answer::value(b"line\ntwo")));
    refused("machine\nq> read /a\n| line\ntwo\n", 4, 1, "this operation has its answer already");
}

#[test]
fn whatever_an_answer_is_made_of_it_is_read_back() {
    let texts: [&[u8]; 12] = [
        b"",
        b"\n",
        b"a",
        b"a\nb",
        b"# a\n",
        b"| a",
        b"\\ no newline",
        b"init> pid\n",
        b"\n\n",
        b"a\n\nb\n",
        b"\xff\0\r\n",
        b"machine",
    ];
    for text in texts {
        let lossy = String::from_utf8_lossy(text).into_owned();
        for answer in [Answer::text(text), Answer::value(text), Answer::status(&lossy)] {
            let mut script = Transcript::new(MachineLine::default());
            script.push(Label::init(), "prctl name".parse().unwrap(), Some(answer));
            script.push(Label::init(), "pid".parse().unwrap(), None);
            assert_eq!(parse(script.to_string().as_bytes()), Ok(script), "{lossy:?}");
        }
    }
}

#[test]
fn the_machine_line_comes_first_and_once() {
    refused("", 1, 1, "there is no machine line");
    refused("# only this\n", 2, 1, "there is no machine line");
    refused("init> pid\n", 1, 1, "the machine line is missing");
    refused("\u{feff}machine\n", 1, 1, "a byte order mark stands before the first line");
    refused("machine\nmachine\n", 2, 1, "a second machine line");
    refused("machine cpu=2\n", 1, 9, "`cpu=2` is not an option here");
}

#[test]
fn an_answer_stands_directly_below_its_operation_and_once() {
    refused("machine\nok\n", 2, 1, "an answer without an operation above it");
    refused("machine\ninit> pid\n\n<init>\n", 4, 1, "an answer without an operation above it");
    refused("machine\ninit> pid\nok\nok\n", 4, 1, "this operation has its answer already");
    refused("machine\ninit> pid\nok\n| a\n", 4, 1, "this operation has its answer already");
    refused("machine\ninit> pid\n\\ no newline\n", 3, 1, "`\\ no newline` without text above it");
    refused(
        "machine\ninit> ls /\n| a\n\\ no newline\n| b\n",
        5,
        1,
        "this operation has its answer already",
    );
    refused("machine\ninit> ls /\n|\n", 3, 1, "this line is of no kind");
}

#[test]
fn an_operation_line_is_an_actor_a_space_and_an_operation() {
    refused("machine\ninit>\n", 2, 6, "an operation is missing");
    refused("machine\ninit>pid\n", 2, 6, "a space is missing");
    refused("machine\n init> pid\n", 2, 1, "this line is of no kind");
    refused("machine\n9> pid\n", 2, 1, "this is not a label");
    refused(
        format!("machine\n{}> pid\n", "a".repeat(MAX_LINE_BYTES - 8)),
        2,
        1,
        "this is not a label",
    );
    refused("machine\ninit> mkdir \"ü\" x\n", 2, 17, "`x` is not a mode");
}

#[test]
fn needs_stand_at_the_head_and_are_known() {
    refused("machine\n# needs: vmm\n", 2, 9, "this is not a need");
    refused("# needs: v1\nmachine\n", 1, 9, "this is not a need");
    refused("machine\ninit> pid\n# needs: vm\n", 3, 1, "a need behind an operation");
}

#[test]
fn carriage_returns_and_nul_bytes_are_named() {
    refused("machine\r\ninit> pid\r\n", 1, 1, "the machine line is missing");
    refused("machine cpus=1\r\n", 1, 15, "a carriage return");
    refused("machine\ninit> pid\r\n", 2, 10, "a carriage return");
    refused("machine\ninit> pid\nok\r\n", 3, 3, "a control character in a status line");
    refused("machine\ninit> mkdir /\0\n", 2, 14, "a NUL byte");
}

#[test]
fn input_that_is_not_utf8_is_refused_with_its_place() {
    refused(b"machine\n# \xc3\xbc\xff\n", 2, 4, "this is not UTF-8");
    refused([0xff; 4096], 1, 1, "this is not UTF-8");
}

#[test]
fn lines_and_operations_are_bounded() {
    let longest = format!("machine\n#{}\n", "a".repeat(MAX_LINE_BYTES - 1));
    prints_as_it_is_read(&longest);
    refused(longest.replace('#', "##"), 2, MAX_LINE_BYTES + 1, "the line is too long");
    refused(vec![b'a'; MAX_INPUT_BYTES], 1, MAX_LINE_BYTES + 1, "the line is too long");
    refused(vec![b'\n'; MAX_INPUT_BYTES + 1], 1, 1, "the input is too long");
    refused(vec![b'\n'; MAX_COMMENTS + 2], MAX_COMMENTS + 1, 1, "too many comments");
    let value = format!("machine\ninit> xset /a user.b \"{}\"\n", "\\xff".repeat(65_536));
    prints_as_it_is_read(&value);
}

#[test]
fn no_prefix_and_no_changed_byte_of_a_transcript_makes_the_parser_panic() {
    let text = b"machine cpus=2\n# needs: v1 pids\np> send a \"\\x41 \\n\" to=@b fds=c*2\n| \"x\"\n\\ no newline\nq> pid\n<q>\n";
    for end in 0..text.len() {
        let _ = parse(&text[..end]);
        for byte in 0..=u8::MAX {
            let mut changed = text.to_vec();
            changed[end] = byte;
            if let Ok(transcript) = parse(&changed) {
                assert_eq!(parse(transcript.to_string().as_bytes()), Ok(transcript));
            }
        }
    }
}
