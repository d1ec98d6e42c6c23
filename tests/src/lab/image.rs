//! The kernels: Debian's, for virtual machines, downloaded once and kept.
//!
//! A kept image is looked at each time it is used: a download that broke off, or a file that was damaged, is named and never
//! booted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use standin::transcript::Release;

use super::LabError;

/// The package that depends on the newest image of a kernel.
fn meta_package(kernel: Release) -> Result<&'static str, LabError> {
    match kernel {
        Release::V6_1 => Ok("linux-image-cloud-amd64"),
        Release::V6_12 => Ok("linux-image-6.12-cloud-amd64"),
        Release::V6_18 => Err(LabError::Setup(
            "the lab has no kernel 6.18: record it on a host that runs it, with standin run --on host"
                .to_owned(),
        )),
    }
}

/// A directory of kernel images, one for each release.
#[derive(Debug, Clone)]
pub struct Images {
    directory: PathBuf,
}

impl Images {
    /// Those in this directory, which need not be there yet.
    #[must_use]
    pub const fn in_directory(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The image of a kernel; downloads it if it is not there.
    ///
    /// # Errors
    /// [`LabError::Setup`] if it is damaged, or a tool is missing; [`LabError::Failed`] if the download fails.
    pub fn ready(&self, kernel: Release) -> Result<PathBuf, LabError> {
        let path = self.path(kernel);
        if !path.exists() {
            self.download(kernel)?;
        }
        check(&path)?;
        Ok(path)
    }

    /// Where the image of a kernel is, or will be.
    #[must_use]
    pub fn path(&self, kernel: Release) -> PathBuf {
        self.directory.join(format!("vmlinuz-{}", kernel.word()))
    }

    fn download(&self, kernel: Release) -> Result<(), LabError> {
        let failed =
            |error: io::Error| LabError::Failed(format!("{}: {error}", self.directory.display()));
        let meta = meta_package(kernel)?;
        fs::create_dir_all(&self.directory).map_err(failed)?;
        let work = tempfile::tempdir_in(&self.directory).map_err(failed)?;
        let package = needed_by(meta, kernel)?;
        run(Command::new("apt-get").args(["-q", "download", &package]).current_dir(&work))?;
        let archive = only_file(work.path(), "linux-image-")?;
        let unpacked = work.path().join("unpacked");
        run(Command::new("dpkg").arg("-x").arg(&archive).arg(&unpacked))?;
        let image = only_file(&unpacked.join("boot"), "vmlinuz-")?;
        check(&image)?;
        fs::rename(image, self.path(kernel)).map_err(failed)
    }
}

/// The image that the meta package depends on, which must be of that kernel.
fn needed_by(meta: &str, kernel: Release) -> Result<String, LabError> {
    let text = run(Command::new("apt-cache").args(["depends", meta]))?;
    let prefix = format!("linux-image-{}.", kernel.word());
    let needed = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    needed.map(str::to_owned).find(|package| package.starts_with(&prefix)).ok_or_else(|| {
        LabError::Setup(format!(
            "apt knows no {prefix}* that {meta} depends on: run apt-get update, on Debian 12"
        ))
    })
}

fn only_file(directory: &Path, prefix: &str) -> Result<PathBuf, LabError> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let found = entries.map(|entry| entry.path()).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
    });
    found.ok_or_else(|| LabError::Failed(format!("{}: no {prefix}* came", directory.display())))
}

/// What a tool printed.
fn run(command: &mut Command) -> Result<String, LabError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| {
        LabError::Setup(format!(
            "{name}: {error}; kernels are Debian packages: apt-get, apt-cache and dpkg fetch them"
        ))
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(LabError::Failed(format!("{name}: {}: {}", output.status, complaint.trim())))
}

/// Whether a file is a whole kernel image (Documentation/arch/x86/boot.rst: `boot_flag`, `header`, `setup_sects`, `syssize`).
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn check(path: &Path) -> Result<(), LabError> {
    let damaged = |what: &str| {
        LabError::Setup(format!("{}: {what}; remove it and run standin-lab fetch", path.display()))
    };
    let image = fs::read(path).map_err(|error| damaged(&error.to_string()))?;
    let is_kernel =
        image.get(0x1fe..0x200) == Some(&[0x55, 0xaa]) && image.get(0x202..0x206) == Some(b"HdrS");
    if !is_kernel {
        return Err(damaged("this is no kernel image"));
    }
    let sectors = image.get(0x1f1).copied().map_or(0, usize::from);
    let paragraphs = image.get(0x1f4..0x1f8).and_then(|bytes| bytes.try_into().ok());
    let paragraphs = paragraphs.map_or(0, u32::from_le_bytes);
    let whole = (sectors + 1) * 512 + usize::try_from(paragraphs).unwrap_or(usize::MAX / 16) * 16;
    if image.len() < whole {
        let here = image.len();
        return Err(damaged(&format!("damaged: {here} bytes of at least {whole}")));
    }
    Ok(())
}
