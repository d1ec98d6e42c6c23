//! The lab without a virtual machine: what a guest is given, what is heard of it, and what is written.

#![expect(clippy::indexing_slicing, reason = "images are made here, byte by byte")]

use std::fs;

use standin::transcript::{Layout, Release};
use standin_tests::lab::LabError;
use standin_tests::lab::cpio::Archive;
use standin_tests::lab::frame::{Frame, Hearing, Kind};
use standin_tests::lab::image::{Images, check};
use standin_tests::lab::program::trimmed;
use standin_tests::lab::record::{Answer, Lab, Place, Script, difference, play, write};

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
    let lab = Lab {
        images: Images::in_directory(cache.path().to_owned()),
        patience: std::time::Duration::from_secs(1),
    };
    let place = Place { kernel: Release::V6_18, layout: Layout::Unified };
    let answers: Result<Vec<Answer>, _> = play(&lab, place, &[], &mut |_| {});
    assert!(matches!(answers, Err(LabError::Setup(text)) if text.contains("6.18")));
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
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
