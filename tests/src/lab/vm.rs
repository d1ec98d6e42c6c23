//! One virtual machine, from its start to its end: qemu without anything but memory, processors and two serial lines.
//!
//! The first line is the kernel's console, kept to say what happened when the guest dies; the second brings frames. The
//! virtual machine ends with its value here, and with this process, however that ends: it is its child, and what it reads
//! and writes are files without names.

#![expect(unsafe_code, reason = "the child asks to end with its parent, between fork and exec")]

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::fd::{AsRawFd as _, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::FdFlags;

use super::LabError;
use super::disk;
use super::frame::{Frame, Hearing};

/// On a busy host the timer that the kernel tests at its start comes too late for it: `no_timer_check` trusts it.
/// Without `rcu_expedited` a process that changes its group waits for all processors, 20 ms and more.
const ARGUMENTS: &str = "console=ttyS0 quiet panic=-1 no_timer_check rdinit=/init rcupdate.rcu_expedited=1 mitigations=off";
/// String instructions are slow where they are emulated byte by byte, and so are guards against attacks; nothing else
/// depends on them.
const PROCESSOR: &str = "max,-erms,-fsrm,-smap,-la57";
/// An instruction takes 8 ns, and nobody waits for what is yet to come.
const COUNTED: [&str; 2] = ["-icount", "shift=3,sleep=off"];
/// The emulator.
pub const QEMU: &str = "qemu-system-x86_64";
/// How much of the console a complaint shows.
const CONSOLE_LINES: usize = 12;
/// How long a guest that has said all may take to power off.
const LEAVING: Duration = Duration::from_secs(5);

/// What a virtual machine is made of.
#[derive(Debug)]
pub struct Hardware<'a> {
    /// The program that emulates it: [`QEMU`].
    pub emulator: &'a Path,
    /// The kernel image.
    pub image: &'a Path,
    /// The first filesystem, as [`cpio`](super::cpio) writes it.
    pub initramfs: &'a [u8],
    /// Processors.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Disks, as [`disk`] makes them.
    pub disks: u32,
    /// Its time is counted in instructions, so that shares of a processor do not depend on how busy this host is.
    pub counts_instructions: bool,
}

/// What became of waiting for a frame.
#[derive(Debug)]
pub enum Heard {
    /// It came.
    Frame(Frame),
    /// Nothing came in time.
    Silence,
    /// The guest has ended.
    End,
}

/// A virtual machine that runs.
#[derive(Debug)]
pub struct Vm {
    child: Child,
    frames: Receiver<Frame>,
    /// The kernel's console.
    console: File,
    /// What qemu complains of.
    complaints: File,
}

impl Vm {
    /// Starts one.
    ///
    /// # Errors
    /// [`LabError::Setup`] if there is no qemu.
    pub fn start(hardware: &Hardware<'_>) -> Result<Self, LabError> {
        let failed = |error: io::Error| LabError::Failed(format!("a virtual machine: {error}"));
        let mut initramfs = nameless("initramfs").map_err(failed)?;
        initramfs.write_all(hardware.initramfs).map_err(failed)?;
        let console = nameless("console").map_err(failed)?;
        let complaints = nameless("complaints").map_err(failed)?;
        let mut disks = Vec::new();
        for _ in 0..hardware.disks {
            let disk = nameless("disk").map_err(failed)?;
            disk.set_len(disk::SIZE_BYTES).map_err(failed)?;
            disks.push(disk);
        }
        let mut command = Command::new(hardware.emulator);
        command
            .args("-accel tcg -display none -monitor none -no-reboot -nodefaults".split(' '))
            .args(["-cpu", PROCESSOR])
            .args(["-smp", &hardware.cpus.to_string()])
            .args(["-m", &format!("{}K", hardware.memory_bytes >> 10)])
            .args(["-serial", &format!("file:{}", path(&console))])
            .args(["-serial", "stdio", "-kernel"])
            .arg(hardware.image)
            .args(["-initrd", &path(&initramfs)])
            .args(disk::arguments(&disks.iter().map(path).collect::<Vec<_>>()))
            .args(["-append", ARGUMENTS])
            .args(hardware.counts_instructions.then_some(COUNTED).into_iter().flatten())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints.try_clone().map_err(failed)?);
        let opened: Vec<RawFd> =
            [&initramfs, &console].into_iter().chain(&disks).map(File::as_raw_fd).collect();
        // SAFETY: prctl(2) and fcntl(2) are all that the child calls, and it allocates nothing.
        unsafe {
            command.pre_exec(move || {
                for &file in &opened {
                    // Its own copies, to be found by number behind exec(2).
                    let file = BorrowedFd::borrow_raw(file);
                    rustix::io::fcntl_setfd(file, FdFlags::empty())?;
                }
                let killed = Some(rustix::process::Signal::KILL);
                rustix::process::set_parent_process_death_signal(killed).map_err(io::Error::from)
            });
        }
        let mut child = command.spawn().map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                let emulator = hardware.emulator.display();
                LabError::Setup(format!("there is no {emulator}: apt-get install qemu-system-x86"))
            } else {
                failed(error)
            }
        })?;
        let (send, frames) = channel();
        let mut line = child.stdout.take();
        // It ends with the pipe, which ends with qemu.
        thread::spawn(move || {
            let (mut hearing, mut bytes) = (Hearing::default(), [0; 4096]);
            while let Some(Ok(length @ 1..)) = line.as_mut().map(|line| line.read(&mut bytes)) {
                for frame in hearing.hear(bytes.get(..length).unwrap_or_default()) {
                    if send.send(frame).is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Self { child, frames, console, complaints })
    }

    /// Waits for the next frame.
    #[must_use]
    pub fn hear(&self, patience: Duration) -> Heard {
        match self.frames.recv_timeout(patience) {
            Ok(frame) => Heard::Frame(frame),
            Err(RecvTimeoutError::Timeout) => Heard::Silence,
            Err(RecvTimeoutError::Disconnected) => Heard::End,
        }
    }

    /// What qemu complained of, and the last lines of the console.
    #[must_use]
    pub fn last_words(&self) -> String {
        let read = |file| fs::read(path(file)).unwrap_or_default();
        let text = [read(&self.complaints), read(&self.console)].concat();
        let text = String::from_utf8_lossy(&text).replace('\r', "");
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(CONSOLE_LINES)..).unwrap_or_default();
        last.join("\n    ")
    }

    /// Lets a guest that has said all power off.
    pub fn leave(mut self) {
        let until = Instant::now() + LEAVING;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A file in memory, which is gone when nobody has it open.
fn nameless(purpose: &str) -> io::Result<File> {
    Ok(memfd_create(purpose, MemfdFlags::CLOEXEC)?.into())
}

/// Where a process that has it open under the same number finds it.
fn path(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

impl Drop for Vm {
    fn drop(&mut self) {
        // Both fail only if it has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
