//! Files by path, and mounts.

use super::descriptor::{self, names_processes, read_all};
use super::{Act, Performed, done, opening};
use crate::backend::{Access, MountFlags, OpenOptions, XattrMode};
use crate::id::{Gid, Mode, Uid};
use crate::path::{Follow, KPath, KPathBuf, Place};
use crate::transcript::answer::shape;
use crate::transcript::op::{AccessMode, FileOp, MountFlag, MountOptions, Test};
use crate::transcript::outcome::Outcome;
use crate::transcript::value::{Id, Owner};

/// The mode that `mkdir` gives if none is named.
const DIRECTORY_MODE: Mode = Mode::new(0o755);
/// The mode that `create` gives.
const FILE_MODE: Mode = Mode::new(0o644);

pub(super) fn run(act: &Act<'_>, op: &FileOp) -> Performed {
    let kernel = act.kernel;
    match op {
        FileOp::Mkdir { path, mode } => {
            done(kernel.mkdir(path.into(), mode.unwrap_or(DIRECTORY_MODE)))
        }
        FileOp::Rmdir { path } => done(kernel.rmdir(path.into())),
        FileOp::Write { path, data } => write(act, path.into(), &act.bytes(data)),
        FileOp::Read { path } => {
            let text = read(act, path.into())?;
            let listing = names_processes(path);
            Ok(if listing { Outcome::listing(text) } else { Outcome::text(text) })
        }
        FileOp::ReadShape { path } => Ok(Outcome::text(shape(&read(act, path.into())?))),
        FileOp::Key { path, key } => {
            let text = read(act, path.into())?;
            Ok(value_of(&text, &key.0)
                .map_or_else(|| Outcome::status("nokey"), |value| Outcome::value(value.to_vec())))
        }
        FileOp::Test { test } => compare(act, test),
        FileOp::Ls { path } => list(act, path),
        FileOp::Stat { path } => {
            let stat = kernel.stat(path.into(), Follow::No)?;
            let line = format!("{} {} {}:{}", stat.kind, stat.mode, stat.owner, stat.group);
            Ok(Outcome::status(line))
        }
        FileOp::Chmod { path, mode } => done(kernel.chmod(path.into(), *mode)),
        FileOp::Chown { path, owner: Owner { uid, gid } } => {
            let (owner, group) = (given(*uid).map(Uid), given(*gid).map(Gid));
            done(kernel.chown(path.into(), owner, group, Follow::No))
        }
        FileOp::Chdir { path } => done(kernel.chdir(path.into())),
        FileOp::Create { path } => {
            let options = OpenOptions::write().create().exclusive().mode(FILE_MODE);
            drop(kernel.open(path.into(), &options)?);
            Ok(Outcome::ok())
        }
        FileOp::Unlink { path } => done(kernel.unlink(path.into())),
        FileOp::Rename { old, new } => done(kernel.rename(old.into(), new.into())),
        FileOp::Symlink { to, path } => done(kernel.symlink(to, path.into())),
        FileOp::Link { old, new } => done(kernel.link(old.into(), new.into())),
        FileOp::Access { path, mode } => done(kernel.access(path.into(), access(*mode))),
        FileOp::Statfs { path } => {
            let kind = kernel.statfs(path.into())?;
            Ok(Outcome::status(kind.name().map_or_else(|| format!("{:#x}", kind.0), str::to_owned)))
        }
        FileOp::Xset { path, name, data } => {
            done(kernel.set_xattr(path.into(), Follow::Link, name, &data.0, XattrMode::Set))
        }
        FileOp::Xget { path, name } => {
            Ok(Outcome::value(kernel.get_xattr(path.into(), Follow::Link, name)?))
        }
        FileOp::Xlist { path } => Ok(sorted(
            kernel.list_xattrs(path.into(), Follow::Link)?.iter().map(|name| name.as_bytes()),
        )),
        FileOp::Xdel { path, name } => done(kernel.remove_xattr(path.into(), Follow::Link, name)),
        FileOp::Mount { kind, target, options } => {
            let (flags, data) = mount_options(options.as_ref());
            let kind = super::name(kind.word().as_bytes())?;
            done(kernel.mount(kind, target.into(), flags, super::name(&data)?))
        }
        FileOp::Umount { target } => done(kernel.umount(target.into())),
        FileOp::Open { fd, path, mode } => descriptor::open(act, fd, path, *mode),
        FileOp::Fread { fd } => descriptor::read(act, fd),
        FileOp::Fwrite { fd, data } => descriptor::write(act, fd, &act.bytes(data)),
        FileOp::Close { fd } => descriptor::close(act, fd),
        FileOp::Pollpri { fd, timeout_ms } => descriptor::poll_priority(act, fd, *timeout_ms),
    }
}

/// Opens, writes once, closes.
pub(super) fn write(act: &Act<'_>, place: Place<'_>, bytes: &[u8]) -> Performed {
    let file = act.kernel.open(place, &OpenOptions::write()).map_err(opening)?;
    act.kernel.write(&file, bytes)?;
    Ok(Outcome::ok())
}

/// Opens, reads to the end, closes.
pub(super) fn read(act: &Act<'_>, place: Place<'_>) -> Result<Vec<u8>, Outcome> {
    let file = act.kernel.open(place, &OpenOptions::read()).map_err(opening)?;
    Ok(read_all(|buffer, _| act.kernel.read(&file, buffer))?)
}

/// An id that is given; -1 leaves what there is.
pub(super) fn given(id: Id) -> Option<u32> {
    (id.0 != u32::MAX).then_some(id.0)
}

/// What stands behind the key in the first line that begins with it.
fn value_of<'a>(text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    text.split(|byte| *byte == b'\n').find_map(|line| {
        let behind = line.strip_prefix(key)?;
        if behind.is_empty() {
            (!line.is_empty()).then_some(behind)
        } else {
            behind.strip_prefix(b" ")
        }
    })
}

fn compare(act: &Act<'_>, test: &Test) -> Performed {
    let text = read(act, (&test.path).into())?;
    let value = match &test.key {
        None => Some(text.as_slice()),
        Some(key) => value_of(&text, &key.0),
    };
    let Some(value) = value else { return Ok(Outcome::status("nokey")) };
    let number = std::str::from_utf8(value).ok().and_then(|value| value.trim().parse().ok());
    Ok(Outcome::status(match number.map(|number| test.comparison.holds(number, test.value)) {
        Some(true) => "true",
        Some(false) => "false",
        None => "nonumber",
    }))
}

fn list(act: &Act<'_>, path: &KPathBuf) -> Performed {
    let directory = act.kernel.open_dir(path.into())?;
    let listing = act.kernel.list(&directory)?;
    Ok(sorted(listing.iter().map(|entry| KPath::as_bytes(entry.name))))
}

/// The names bytewise in order, each a line.
fn sorted<'a>(names: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut names: Vec<&[u8]> = names.collect();
    names.sort_unstable();
    let mut text = Vec::new();
    for name in names {
        text.extend_from_slice(name);
        text.push(b'\n');
    }
    Outcome::text(text)
}

fn access(mode: AccessMode) -> Access {
    let asked =
        [(mode.read, Access::READ), (mode.write, Access::WRITE), (mode.execute, Access::EXECUTE)];
    asked.into_iter().filter(|(on, _)| *on).map(|(_, access)| access).collect()
}

/// Flags, and the data for the filesystem.
fn mount_options(options: Option<&MountOptions>) -> (MountFlags, Vec<u8>) {
    let Some(options) = options else { return (MountFlags::empty(), Vec::new()) };
    let flags = options.flags.iter().map(|flag| match flag {
        MountFlag::Ro => MountFlags::READ_ONLY,
        MountFlag::Nosuid => MountFlags::NO_SUID,
        MountFlag::Nodev => MountFlags::NO_DEV,
        MountFlag::Noexec => MountFlags::NO_EXEC,
        MountFlag::Remount => MountFlags::REMOUNT,
        MountFlag::Private => MountFlags::PRIVATE,
        MountFlag::Shared => MountFlags::SHARED,
        MountFlag::Slave => MountFlags::SLAVE,
        MountFlag::Rec => MountFlags::RECURSIVE,
    });
    (flags.collect(), options.data.join(&b','))
}

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn a_key_is_the_whole_first_word_of_a_line() {
        let text = b"populated_x 7\npopulated 1\nfrozen 0\nbare\n";
        assert_eq!(value_of(text, b"populated"), Some(b"1".as_slice()));
        assert_eq!(value_of(text, b"frozen"), Some(b"0".as_slice()));
        assert_eq!(value_of(text, b"bare"), Some(b"".as_slice()));
        assert_eq!(value_of(text, b"popul"), None);
        assert_eq!(value_of(text, b""), None);
    }
}
