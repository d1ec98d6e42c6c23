//! The lab without a virtual machine: what a guest is given, what is heard of it, and what is written. Where one is
//! needed, a shell script says what it would say; `.ci/run compared_in_lab` starts real ones.

#![expect(clippy::indexing_slicing, reason = "images are made here, byte by byte")]
#![expect(clippy::unwrap_used, reason = "what a test prepares must succeed")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use standin::transcript::{Layout, Release, parse};
use standin_cli::ledger::Known;
use standin_tests::lab::LabError;
use standin_tests::lab::cpio::Archive;
use standin_tests::lab::frame::{Frame, Hearing, Kind};
use standin_tests::lab::image::{Images, check};
use standin_tests::lab::program::trimmed;
use standin_tests::lab::record::{Answer, Lab, Place, Script, difference, play, write};
use standin_tests::lab::verify::Verdict;
use standin_tests::lab::vm::{Hardware, Heard, Vm};

fn frame(script: usize, text: &str) -> Frame {
    Frame { kind: Kind::Transcript, script, content: text.as_bytes().to_vec() }
}

#[test]
fn an_archive_is_what_buffer_format_says() {
    let mut archive = Archive::default();
    archive.directory("lab").unwrap();
    archive.file("lab/x", 0o755, b"hello").unwrap();
    let bytes = archive.finish().unwrap();
    let field = |entry: usize, number: usize| {
        let at = entry + 6 + 8 * number;
        u32::from_str_radix(std::str::from_utf8(&bytes[at..at + 8]).unwrap(), 16).unwrap()
    };
    // 110 bytes of header and a name of 4 make 114: two more up to a multiple of four.
    let (directory, file, trailer) = (0, 116, 116 + 116 + 8);
    for entry in [directory, file, trailer] {
        assert_eq!(&bytes[entry..entry + 6], b"070701");
    }
    assert_eq!((field(directory, 1), field(directory, 6), field(directory, 11)), (0o040_755, 0, 4));
    assert_eq!((field(file, 1), field(file, 6), field(file, 11)), (0o100_755, 5, 6));
    assert_eq!(&bytes[file + 110..file + 116], b"lab/x\0");
    assert_eq!(&bytes[file + 116..file + 124], b"hello\0\0\0");
    assert_eq!(&bytes[trailer + 110..trailer + 121], b"TRAILER!!!\0");
    assert_eq!(bytes.len() % 4, 0);
}

#[test]
fn frames_are_heard_through_noise() {
    let (one, other) = (frame(0, "init> pid\n1\n"), frame(1, "\u{e4}\n@standin-lab begin 1\n"));
    let noise = [&b"[    1.0] console"[..], b"\xff\x00\xfe\r\n", b"@standin-lab transcript 0 zz"];
    let mut line = noise[0].to_vec();
    for bytes in [&one.to_bytes()[..], noise[1], &other.to_bytes(), noise[2], b"\n"] {
        line.extend_from_slice(bytes);
    }
    let mut hearing = Hearing::default();
    // As a slow line brings them.
    let heard: Vec<Frame> = line.chunks(7).flat_map(|bytes| hearing.hear(bytes)).collect();
    assert_eq!(heard, [one, other]);
}

#[test]
fn a_terminal_line_end_and_text_before_the_mark_are_no_damage() {
    let sent = frame(7, "ok\n");
    let bytes = sent.to_bytes();
    let line = [b"kernel: ", bytes[1..bytes.len() - 1].to_vec().as_slice(), b"\r\n"].concat();
    assert_eq!(Hearing::default().hear(&line), [sent]);
}

#[test]
fn a_frame_with_any_byte_changed_is_no_frame() {
    let bytes = frame(12, "init> pid\n1\n").to_bytes();
    for at in 1..bytes.len() - 1 {
        for change in [0x01, 0x40, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= change;
            assert!(Hearing::default().hear(&damaged).is_empty(), "byte {at} ^ {change}");
        }
        let cut = [&bytes[..at], &bytes[at + 1..]].concat();
        assert!(Hearing::default().hear(&cut).is_empty(), "without byte {at}");
    }
}

#[test]
fn a_line_without_end_is_dropped_and_the_next_one_heard() {
    let mut hearing = Hearing::default();
    for _ in 0..20 {
        assert!(hearing.hear(&vec![b'x'; 1 << 20]).is_empty());
    }
    let next = frame(0, "ok\n");
    assert_eq!(hearing.hear(&next.to_bytes()), [next]);
}

/// The least that passes for a kernel: one sector of set-up code behind the first, and 16 bytes.
fn kernel_image() -> Vec<u8> {
    let mut image = vec![0; 1024 + 16];
    image[0x1f1] = 1;
    image[0x1f4] = 1;
    image[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image
}

#[test]
fn a_damaged_image_is_named_with_what_to_do() {
    let cache = tempfile::tempdir().unwrap();
    let images = Images::in_directory(cache.path().to_owned());
    let path = images.path(Release::V6_12);
    fs::write(&path, kernel_image()).unwrap();
    assert_eq!(images.ready(Release::V6_12).unwrap(), path);
    let short = kernel_image()[..1024].to_vec();
    let mut foreign = kernel_image();
    foreign[0x202] = b'h';
    for (damaged, why) in
        [(Vec::new(), "no kernel"), (foreign, "no kernel"), (short, "1024 bytes of at least 1040")]
    {
        fs::write(&path, damaged).unwrap();
        let LabError::Setup(text) = images.ready(Release::V6_12).unwrap_err() else {
            panic!("a damaged image is a matter of set-up")
        };
        assert!(text.contains(why) && text.contains("standin-lab fetch"), "{text}");
        assert!(text.contains("vmlinuz-6.12"), "{text}");
    }
    assert!(check(&cache.path().join("none")).is_err());
}

#[test]
fn a_kernel_that_the_lab_does_not_have_is_refused_before_anything_runs() {
    let cache = tempfile::tempdir().unwrap();
    let lab = lab_of(cache.path(), "true");
    let place = Place { kernel: Release::V6_18, layout: Layout::Unified };
    let answers: Result<Vec<Answer>, _> = play(&lab, place, &[], &mut |_| {});
    assert!(matches!(answers, Err(LabError::Setup(text)) if text.contains("6.18")));
    // The emulator alone.
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1);
}

#[test]
fn a_script_for_an_unknown_kernel_or_with_swap_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.script");
    for (text, why) in [
        ("machine kernel=5.4\n", "5.4"),
        ("machine swap=1G\n", "swap"),
        ("machine\ninit> nonsense\n", "nonsense"),
    ] {
        fs::write(&path, text).unwrap();
        let error = Script::read(&path).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("a.script"), "{error}");
    }
}

/// An ELF file with one program header of this kind, and something behind its segment.
fn elf(kind: u8) -> Vec<u8> {
    let mut image = vec![0; 0x40 + 0x38 + 100];
    image[..5].copy_from_slice(b"\x7fELF\x02");
    image[0x12] = 62;
    image[0x20] = 0x40;
    image[0x28] = 0xff;
    image[0x38] = 1;
    image[0x3c] = 3;
    image[0x40] = kind;
    image[0x40 + 0x20] = 0x78;
    image
}

#[test]
fn a_program_is_sent_without_sections_and_only_if_it_is_static() {
    let sent = trimmed(elf(1)).unwrap();
    assert_eq!((sent.len(), sent[0x28], sent[0x3c]), (0x78, 0, 0));
    let needs_loader = trimmed(elf(3)).unwrap_err().to_string();
    assert!(needs_loader.contains("cargo lab"), "{needs_loader}");
    for damaged in [b"#!/bin/sh\n".to_vec(), elf(1)[..0x60].to_vec(), Vec::new()] {
        assert!(trimmed(damaged).is_err());
    }
}

#[test]
fn a_transcript_is_written_whole_or_the_old_one_stays() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a", "one\n").unwrap();
    write(directory.path(), "a", "two\n").unwrap();
    assert_eq!(fs::read_to_string(directory.path().join("a.transcript")).unwrap(), "two\n");
    // A directory cannot be replaced by a file.
    fs::create_dir(directory.path().join("b.transcript")).unwrap();
    assert!(write(directory.path(), "b", "three\n").is_err());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn the_first_line_that_differs_is_shown() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(difference("a\nb\n", "a\nc\n").unwrap(), "line 2: \"b\", and then \"c\"");
    assert_eq!(difference("a", "a\nb").unwrap(), "line 2: its end, and then \"b\"");
}

/// A lab whose virtual machines are this shell script; its kernel is none.
fn lab_of(directory: &Path, emulator: &str) -> Lab {
    let path = directory.join("emulator");
    fs::write(&path, format!("#!/bin/sh\n{emulator}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Lab {
        images: Images::in_directory(directory.to_owned()),
        emulator: path,
        program: || Ok(Vec::new()),
        patience: Duration::from_millis(500),
    }
}

/// What a lab like that makes of three scripts.
fn answers_of(emulator: impl Fn(&Path) -> String) -> Vec<Answer> {
    let directory = tempfile::tempdir().unwrap();
    let lab = lab_of(directory.path(), &emulator(directory.path()));
    fs::write(lab.images.path(Release::V6_12), kernel_image()).unwrap();
    let scripts: Vec<Script> = ["a", "b", "c"]
        .map(|name| {
            let path = directory.path().join(format!("{name}.script"));
            fs::write(&path, "machine\ninit> pid\n").unwrap();
            Script::read(&path).unwrap()
        })
        .to_vec();
    let place = Place { kernel: Release::V6_12, layout: Layout::Unified };
    play(&lab, place, &scripts, &mut |_| {}).unwrap()
}

/// A command that says these frames.
fn saying(directory: &Path, frames: &[Frame]) -> String {
    let bytes: Vec<u8> = frames.iter().flat_map(Frame::to_bytes).collect();
    fs::write(directory.join("frames"), bytes).unwrap();
    format!("cat {}", directory.join("frames").display())
}

fn end() -> Frame {
    Frame { kind: Kind::End, script: 0, content: Vec::new() }
}

fn lost(answer: &Answer, why: &str) {
    assert!(matches!(answer, Answer::Lost(text) if text.contains(why)), "{why}: {answer:?}");
}

#[test]
fn a_script_whose_answer_was_damaged_is_named_and_the_others_are_heard() {
    let answers =
        answers_of(|directory| saying(directory, &[frame(0, "one"), frame(2, "three"), end()]));
    assert_eq!(answers[0], Answer::Transcript("one".to_owned()));
    lost(&answers[1], "noise");
    assert_eq!(answers[2], Answer::Transcript("three".to_owned()));
}

#[test]
fn a_script_that_ends_its_guest_is_named_and_the_others_go_on_in_a_new_one() {
    // Each virtual machine answers its first script and dies of the second.
    let answers = answers_of(|directory| {
        format!("{}; echo panic >&2", saying(directory, &[frame(0, "one")]))
    });
    assert_eq!(answers[0], Answer::Transcript("one".to_owned()));
    lost(&answers[1], "panic");
    assert_eq!(answers[2], Answer::Transcript("one".to_owned()));
}

#[test]
fn a_script_that_hangs_is_named_and_its_virtual_machine_killed() {
    let begin = Frame { kind: Kind::Begin, script: 0, content: Vec::new() };
    let answers = answers_of(|directory| {
        format!("{}; exec sleep 60", saying(directory, std::slice::from_ref(&begin)))
    });
    assert_eq!(answers.len(), 3);
    for answer in &answers {
        lost(answer, "it hung");
    }
}

#[test]
fn if_no_virtual_machine_begins_each_script_says_why() {
    // What the emulator says of too little memory.
    let answers = answers_of(|_| "echo kernel too big for its memory >&2; exit 1".to_owned());
    assert_eq!(answers.len(), 3);
    for answer in &answers {
        lost(answer, "never began");
        lost(answer, "too big");
    }
}

fn vm(emulator: &Path) -> Result<Vm, LabError> {
    let hardware = Hardware {
        emulator,
        image: Path::new("/dev/null"),
        initramfs: b"",
        cpus: 1,
        memory_bytes: 1 << 30,
        disks: 0,
        counts_instructions: false,
    };
    Vm::start(&hardware)
}

#[test]
fn without_an_emulator_it_is_said_what_to_install() {
    let error = vm(Path::new("/nowhere/qemu")).unwrap_err();
    assert!(matches!(error, LabError::Setup(text) if text.contains("apt-get install")));
}

#[test]
fn a_virtual_machine_ends_with_its_value_and_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let noted = directory.path().join("pid");
    let script = format!("echo $$ >{0}.new; mv {0}.new {0}; exec sleep 60", noted.display());
    let lab = lab_of(directory.path(), &script);
    let vm = vm(&lab.emulator).unwrap();
    while !noted.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(matches!(vm.hear(Duration::from_millis(10)), Heard::Silence));
    let pid = fs::read_to_string(&noted).unwrap();
    drop(vm);
    assert!(!Path::new("/proc").join(pid.trim()).exists());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn a_difference_is_known_where_a_row_says_so_and_nowhere_else() {
    let fixture = "machine kernel=6.12 layout=unified\ninit> pid\n1\ninit> pid\n2\n";
    assert!(parse(fixture.as_bytes()).is_ok());
    let played = Answer::Transcript(fixture.replace("\n2\n", "\n3\n"));
    let row = |line| {
        let (clause, why) = (String::new(), String::new());
        [Known { fixture: "6.12/unified/a".to_owned(), line, clause, why }]
    };
    let of = |name, rows: &[Known]| Verdict::of(name, fixture, &played, rows);
    assert_eq!(of("6.12/unified/a", &row(4)), Verdict::Known);
    assert!(matches!(of("6.12/unified/a", &row(2)), Verdict::Differs(_)));
    assert!(matches!(of("6.12/unified/b", &row(4)), Verdict::Differs(_)));
    let same = Answer::Transcript(fixture.to_owned());
    assert_eq!(Verdict::of("6.12/unified/a", fixture, &same, &row(4)), Verdict::Same);
}
