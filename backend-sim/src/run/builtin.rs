//! The programs that every machine has: enough to be spawned by a test without writing one.

use std::time::Duration;

use standin::backend::{Deadline, OpenOptions};
use standin::handle::File;
use standin::{Backend, ExitCode, Failure, KPath, Place, fs};

type BuiltIn = fn(&dyn Backend, &[Vec<u8>]) -> ExitCode;

/// Paths and programs.
pub(super) const PROGRAMS: [(&str, BuiltIn); 5] = [
    ("/bin/true", |_, _| ExitCode::SUCCESS),
    ("/bin/false", |_, _| ExitCode::FAILURE),
    ("/bin/sleep", |kernel, arguments| code(&sleep(kernel, arguments))),
    ("/bin/cat", |kernel, arguments| code(&cat(kernel, arguments))),
    ("/bin/echo", |kernel, arguments| code(&echo(kernel, arguments))),
];

fn code(result: &Result<(), Failure>) -> ExitCode {
    if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `sleep SECONDS`, in virtual time.
fn sleep(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> Result<(), Failure> {
    let seconds = arguments.get(1).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
    let length = Duration::from_secs(seconds.ok_or(Failure::Errno(standin::Errno::EINVAL))?);
    kernel.poll(&[], Deadline::At(kernel.monotonic()?.after(length)))?;
    Ok(())
}

/// `cat FILE...` to descriptor 1.
fn cat(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> Result<(), Failure> {
    let out = File::from(kernel.inherited(1)?);
    for path in arguments.iter().skip(1) {
        let path = KPath::new(path).map_err(|_| Failure::Errno(standin::Errno::EINVAL))?;
        let file = kernel.open(Place::cwd(path), &OpenOptions::read())?;
        write_all(kernel, &out, &fs::read_to_end(kernel, &file)?)?;
    }
    Ok(())
}

/// `echo WORD...` to descriptor 1.
fn echo(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> Result<(), Failure> {
    let out = File::from(kernel.inherited(1)?);
    let mut line = arguments.get(1..).unwrap_or_default().join(&b' ');
    line.push(b'\n');
    write_all(kernel, &out, &line)
}

fn write_all(kernel: &dyn Backend, out: &File, mut bytes: &[u8]) -> Result<(), Failure> {
    while !bytes.is_empty() {
        let written = kernel.write(out, bytes)?;
        bytes = bytes.get(written.max(1)..).unwrap_or_default();
    }
    Ok(())
}
