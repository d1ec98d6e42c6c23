//! The three rings of a connection, and their files in a directory of their own (pacemaker-ipc, 5.3).
//!
//! The server makes and removes them; the client opens them where the server says they are, but never outside the
//! directory that shared memory is in.

use crate::backend::{Backend, OpenFlags, OpenOptions, PeerCredentials};
use crate::errno::Errno;
use crate::handle::{Dir, File};
use crate::id::{Bytes, Gid, Mode, Pid, Uid};
use crate::path::{Follow, KPath, KPathBuf, Place};

use super::error::{Error, Malformed, Result, trying};
use super::layout::{Geometry, HEADER_BYTES};
use super::name::ServiceName;
use super::ring::Ring;
use super::setup::Grant;

/// The rings, as the names of their files have them, and in the order in which they are made.
const CHANNELS: [&str; 3] = ["request", "response", "event"];
/// How often a new directory's name is drawn.
const MOST_DRAWS: u64 = 64;

/// The directory that shared memory is in; whatever is opened in it stays below it.
#[derive(Debug)]
pub(super) struct SharedMemory {
    path: KPathBuf,
    directory: Dir,
}

impl SharedMemory {
    pub(super) fn open(kernel: &dyn Backend, path: &KPath) -> Result<Self> {
        let directory = kernel.open_dir(Place::cwd(path)).map_err(trying("open", path))?;
        Ok(Self { path: path.to_owned(), directory })
    }

    fn place<'a>(&'a self, below: &'a KPath) -> Place<'a> {
        Place::beneath(self.directory.descriptor(), below)
    }
}

/// The three rings of one connection.
#[derive(Debug)]
pub(super) struct Rings {
    pub(super) request: Ring,
    pub(super) response: Ring,
    pub(super) event: Ring,
}

/// For whom rings are made, and by which of the server's descriptors.
pub(super) struct Making<'a> {
    pub(super) shared_memory: &'a SharedMemory,
    pub(super) service: &'a ServiceName,
    pub(super) server: Pid,
    pub(super) client: PeerCredentials,
    pub(super) socket: u32,
    /// Whose members may connect; none: only the client itself may open its files.
    pub(super) group: Option<Gid>,
    pub(super) most_bytes: u32,
}

/// The files of rings that a server made.
#[derive(Debug)]
pub(super) struct RingFiles {
    /// The directory's name in shared memory, and its path.
    name: KPathBuf,
    path: KPathBuf,
    directory: Dir,
    names: Vec<KPathBuf>,
}

impl Rings {
    /// Makes the files and maps them. If anything fails, nothing is left.
    pub(super) fn make(kernel: &dyn Backend, making: &Making<'_>) -> Result<(Self, RingFiles)> {
        let mut files = RingFiles::make_directory(kernel, making)?;
        let rings = files.fill(kernel, making);
        match rings {
            Ok(rings) => Ok((rings, files)),
            Err(error) => {
                files.remove(kernel, making.shared_memory)?;
                Err(error)
            }
        }
    }

    /// Opens what a server granted.
    pub(super) fn open(
        kernel: &dyn Backend,
        shared_memory: &SharedMemory,
        grant: &Grant,
    ) -> Result<Self> {
        let most_bytes = grant.most_message_bytes;
        let open = |prefix| open_ring(kernel, shared_memory, prefix, most_bytes);
        Ok(Self {
            request: open(&grant.request)?,
            response: open(&grant.response)?,
            event: open(&grant.event)?,
        })
    }
}

fn open_ring(
    kernel: &dyn Backend,
    shared_memory: &SharedMemory,
    prefix: &KPath,
    most_bytes: u32,
) -> Result<Ring> {
    let below = below(&shared_memory.path, prefix)?;
    let open = |suffix: &str| {
        let path = KPathBuf::new([below, suffix.as_bytes()].concat());
        let path = path.map_err(|_| outside(prefix))?;
        let failed = || trying("open", format!("{prefix}{suffix}"));
        let options = OpenOptions::read_write().with(OpenFlags::NO_FOLLOW);
        let file = kernel.open(shared_memory.place(&path), &options).map_err(failed())?;
        let stat = kernel.stat(Place::of(file.descriptor()), Follow::No).map_err(failed())?;
        Ok::<(File, u64), Error>((file, stat.size.0))
    };
    let ((header, header_bytes), (data, data_bytes)) = (open("-header")?, open("-data")?);
    Ring::joined(kernel, (&header, header_bytes), (&data, data_bytes), most_bytes)
}

fn outside(prefix: &KPath) -> Error {
    Malformed::RingPath(prefix.display().into_owned()).into()
}

/// What a path has below the directory of shared memory: a directory and a name in it.
fn below<'a>(shared_memory: &KPath, prefix: &'a KPath) -> Result<&'a [u8]> {
    let rest = prefix.as_bytes().strip_prefix(shared_memory.as_bytes());
    let rest = rest.and_then(|rest| rest.strip_prefix(b"/")).unwrap_or_default();
    let parts: Vec<&[u8]> = rest.split(|byte| *byte == b'/').collect();
    let plain = |part: &&[u8]| !part.is_empty() && *part != b"." && *part != b"..";
    if parts.len() == 2 && parts.iter().all(plain) { Ok(rest) } else { Err(outside(prefix)) }
}

impl RingFiles {
    /// What a client is told: where its rings are.
    pub(super) fn grant(
        &self,
        service: &ServiceName,
        most_message_bytes: u32,
        cookie: u64,
    ) -> Grant {
        let [request, response, event] =
            CHANNELS.map(|channel| self.path.join(&name(channel, service, "")));
        Grant { most_message_bytes, cookie, request, response, event }
    }

    /// A directory of a name that nobody has.
    fn make_directory(kernel: &dyn Backend, making: &Making<'_>) -> Result<Self> {
        let Making { shared_memory, server, client, socket, .. } = making;
        let now = kernel.monotonic().map_err(trying("read", "the clock"))?;
        for draw in 0..MOST_DRAWS {
            let letters = letters(now.ns.wrapping_add(draw));
            let name = format!("qb-{server}-{}-{socket}-{letters}", client.pid);
            let name = KPathBuf::new(name).unwrap_or_default();
            let path = shared_memory.path.join(&name);
            match kernel.mkdir(shared_memory.place(&name), Mode::new(0o700)) {
                Ok(()) => {}
                Err(failure) if failure.is(Errno::EEXIST) => continue,
                Err(failure) => return Err(trying("mkdir", path)(failure)),
            }
            return match kernel.open_dir(shared_memory.place(&name)) {
                Ok(directory) => Ok(Self { name, path, directory, names: Vec::new() }),
                Err(failure) => {
                    quietly(kernel.rmdir(shared_memory.place(&name)))
                        .map_err(trying("rmdir", &path))?;
                    Err(trying("open", path)(failure))
                }
            };
        }
        Err(trying("mkdir in", &shared_memory.path)(Errno::EEXIST.into()))
    }

    fn fill(&mut self, kernel: &dyn Backend, making: &Making<'_>) -> Result<Rings> {
        let place = Place::of(self.directory.descriptor());
        let failed = || trying("give away", &self.path);
        kernel.chmod(place, Mode::new(0o770)).map_err(failed())?;
        let group = making.group.unwrap_or(making.client.gid);
        give(kernel, place, Some(making.client.uid), group).map_err(failed())?;
        let [request, response, event] = CHANNELS;
        Ok(Rings {
            request: self.ring(kernel, making, request)?,
            response: self.ring(kernel, making, response)?,
            event: self.ring(kernel, making, event)?,
        })
    }

    fn ring(&mut self, kernel: &dyn Backend, making: &Making<'_>, channel: &str) -> Result<Ring> {
        let geometry = Geometry::for_messages(making.most_bytes);
        let names = ["-header", "-data"].map(|suffix| name(channel, making.service, suffix));
        let [header_name, data_name] = &names;
        let paths = names.each_ref().map(|name| self.path.join(name));
        let [header_path, data_path] = &paths;
        let header = self.file(kernel, making, header_name, HEADER_BYTES)?;
        let data = self.file(kernel, making, data_name, geometry.bytes())?;
        let image = geometry.header(header_path.as_bytes(), data_path.as_bytes());
        let written = kernel.pwrite(&header, &image, Bytes(0));
        match written.map_err(trying("write", header_path))? {
            all if all == image.len() => Ring::made(kernel, &header, &data, making.most_bytes),
            _ => Err(trying("write", header_path)(Errno::ENOSPC.into())),
        }
    }

    /// A new file of this length, all of it there, for those who may connect.
    fn file(
        &mut self,
        kernel: &dyn Backend,
        making: &Making<'_>,
        name: &KPathBuf,
        bytes: u64,
    ) -> Result<File> {
        let failed = || trying("make", self.path.join(name));
        let place = Place::beneath(self.directory.descriptor(), name);
        let options = OpenOptions::read_write().create().exclusive().mode(Mode::new(0o600));
        let file = kernel.open(place, &options).map_err(failed())?;
        self.names.push(name.clone());
        let failed = || trying("make", self.path.join(name));
        let open = Place::of(file.descriptor());
        kernel.truncate(open, Bytes(bytes)).map_err(failed())?;
        kernel.fallocate(&file, Bytes(0), Bytes(bytes)).map_err(failed())?;
        let (owner, group, mode) = match making.group {
            Some(group) if making.client.uid != Uid::ROOT => (None, group, 0o660),
            _ => (Some(making.client.uid), making.client.gid, 0o600),
        };
        give(kernel, open, owner, group).map_err(failed())?;
        kernel.chmod(open, Mode::new(mode)).map_err(failed())?;
        Ok(file)
    }

    /// Removes the files and their directory. What is gone already, or is not ours any more, stays as it is: the client
    /// may write in the directory too.
    pub(super) fn remove(self, kernel: &dyn Backend, shared_memory: &SharedMemory) -> Result<()> {
        for name in self.names.iter().rev() {
            let place = Place::beneath(self.directory.descriptor(), name);
            quietly(kernel.unlink(place)).map_err(trying("unlink", name))?;
        }
        drop(self.directory);
        let place = shared_memory.place(&self.name);
        quietly(kernel.rmdir(place)).map_err(trying("rmdir", &self.path))
    }
}

/// Changes the owner as far as the caller may: a server that is not root can give nothing away, and its clients must
/// then be of its own user or of the group.
fn give(
    kernel: &dyn Backend,
    place: Place<'_>,
    owner: Option<Uid>,
    group: Gid,
) -> crate::failure::Result<()> {
    match kernel.chown(place, owner, Some(group), Follow::No) {
        Err(failure) if failure.is(Errno::EPERM) => Ok(()),
        other => other,
    }
}

/// Passes over a kernel's refusal, but over nothing else.
pub(super) fn quietly(result: crate::failure::Result<()>) -> crate::failure::Result<()> {
    match result {
        Err(failure) if failure.errno().is_some() => Ok(()),
        other => other,
    }
}

fn name(channel: &str, service: &ServiceName, suffix: &str) -> KPathBuf {
    KPathBuf::new(format!("qb-{channel}-{service}{suffix}")).unwrap_or_default()
}

/// Six letters or digits for a name.
fn letters(mut number: u64) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    (0..6)
        .map(|_| {
            let letter = ALPHABET.iter().cycle().nth(usize::try_from(number % 62).unwrap_or(0));
            number /= 62;
            char::from(*letter.unwrap_or(&b'0'))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{below, letters};
    use crate::path::KPath;

    fn is_below(path: &str) -> bool {
        below(KPath::new("/dev/shm").unwrap(), KPath::new(path).unwrap()).is_ok()
    }

    #[test]
    fn rings_are_in_a_directory_below_shared_memory_and_nowhere_else() {
        assert!(is_below("/dev/shm/qb-1-2-3-abcdef/qb-request-x"));
        for path in [
            "",
            "/dev/shm",
            "/dev/shm/",
            "/dev/shm/a",
            "/dev/shm/../etc/passwd",
            "/dev/shm/a/..",
            "/dev/shm//a",
            "/dev/shm/a/b/c",
            "/dev/shmx/a/b",
            "/etc/a/b",
            "dev/shm/a/b",
        ] {
            assert!(!is_below(path), "{path}");
        }
    }

    #[test]
    fn two_draws_give_two_names() {
        assert_eq!(letters(0), "000000");
        assert_ne!(letters(1_234_567_891), letters(1_234_567_892));
    }
}
